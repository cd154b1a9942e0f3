"""Reading a JSON document field by field, collecting every fault instead of stopping at the first.

A `Rule` knows how to read one value. A `Reader` stands on one object of the document, knows its path, and applies
rules to its fields. A faulty field is told and replaced by the rule's blank, so that reading goes on; whoever reads
must therefore look at `findings.faults` before using what was read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Generic, TypeVar

from bilty.intake.limits import FAULTS_MAX, SHOWN_CHARS_MAX
from bilty.words import grouped

T = TypeVar("T")

HIDDEN = "(hidden)"
SHOWN_INTEGER_MAX = 10**40


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field. `field` is its path (`boxes[2].weight_g`), `value` what was given, cut short."""

    field: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Rejected:
    faults: tuple[Fault, ...]


class Wrong(Exception):  # noqa: N818 - it is a verdict on a value, caught by the Reader, never an error of the program
    """The value cannot be taken. The text says why and what to give; without one the rule's `wants` does."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """`parse` returns the value or raises Wrong; `wants` completes "give …"; `blank` stands in for a faulty value."""

    parse: Callable[[object], T]
    blank: T
    wants: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


class Reader:
    """One object of a document. Fields that are not `known` are told at once, each with its nearest known name."""

    __slots__ = ("_fields", "_hide_unknown", "findings", "path")

    def __init__(
        self,
        document: object,
        known: frozenset[str],
        findings: Findings,
        path: str = "",
        *,
        noun: str = "The document",
        hide_unknown: bool = False,
        told_elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        self.path = path
        self.findings = findings
        self._hide_unknown = hide_unknown
        self._fields: dict[str, object] = {}
        if isinstance(document, dict):
            self._fields = document
            for name in [name for name in document if name not in known and name not in told_elsewhere]:
                self._tell_unknown(name, known)
        else:
            value = HIDDEN if hide_unknown else show(document)
            self._tell(Fault(path, value, f"{path or noun} is {value}: give an object with {_names(known)}."))
            self.findings = Findings()  # that one fault says it all: what is missing inside is told to nobody

    def need(self, name: str, rule: Rule[T]) -> T:
        """The field's value; a missing, null or blank one is a fault."""
        given = self._fields.get(name)
        if is_blank(given):
            self.fault(name, f"{name} is missing: give {rule.wants}.")
            return rule.blank
        return self._read(name, given, rule)

    def take(self, name: str, rule: Rule[T], default: T) -> T:
        """The field's value; `default` where it is missing, null or blank."""
        given = self._fields.get(name)
        return default if is_blank(given) else self._read(name, given, rule)

    def maybe(self, name: str, rule: Rule[T]) -> T | None:
        given = self._fields.get(name)
        return None if is_blank(given) else self._read(name, given, rule)

    def has(self, name: str) -> bool:
        return not is_blank(self._fields.get(name))

    def is_faulty(self, name: str) -> bool:
        field_path = self.at(name)
        return any(fault.field == field_path for fault in self.findings.faults)

    def raw(self, name: str) -> object:
        return self._fields.get(name)

    def among(self, names: frozenset[str]) -> list[str]:
        return [name for name in self._fields if name in names]

    def inner(self, name: str, known: frozenset[str], *, told_elsewhere: frozenset[str] = frozenset()) -> "Reader":
        """The object in `name`. Where there is none, that is the one fault told of it."""
        given = self._fields.get(name)
        if isinstance(given, dict):
            return Reader(given, known, self.findings, self.at(name), told_elsewhere=told_elsewhere)
        state = "missing" if is_blank(given) else show(given)
        self.fault(name, f"{name} is {state}: give an object with {_names(known)}.")
        return Reader({}, known, Findings(), self.at(name))

    def each(self, name: str, known: frozenset[str], at_least: int, at_most: int) -> Iterator["Reader"]:
        """The objects in the list `name`; none when it is no list, or too short or long to be read."""
        given = self._fields.get(name)
        wants = f"a list of {at_least} to {grouped(at_most)} objects, each with {_names(known)}"
        if is_blank(given):
            given = []
            if at_least:
                self.fault(name, f"{name} is missing: give {wants}.")
        elif not isinstance(given, list) or not at_least <= len(given) <= at_most:
            self.fault(name, f"{name} is {show(given)}: give {wants}.")
            given = []
        assert isinstance(given, list)
        for index, document in enumerate(given):
            yield Reader(document, known, self.findings, f"{self.at(name)}[{index}]")

    def fault(self, name: str, message: str, *, secret: bool = False) -> None:
        given = self._fields.get(name)
        self._tell(Fault(self.at(name), HIDDEN if secret else show(given), message))

    def refuse(self, name: str, why: str) -> None:
        self.fault(name, f"{name} is {show(self._fields.get(name))}: {why}.")

    def warn(self, name: str, message: str) -> None:
        self.findings.warnings.append(Fault(self.at(name), show(self._fields.get(name)), message))

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _read(self, name: str, given: object, rule: Rule[T]) -> T:
        try:
            return rule.parse(given)
        except Wrong as wrong:
            shown = "not usable" if rule.secret else show(given)
            why = str(wrong) if wrong.args else f"give {rule.wants}"
            end = "" if why.endswith("?") else "."
            self.fault(name, f"{name} is {shown}: {why}{end}", secret=rule.secret)
            return rule.blank

    def _tell(self, fault: Fault) -> None:
        faults = self.findings.faults
        if len(faults) < FAULTS_MAX:
            faults.append(fault)
        elif len(faults) == FAULTS_MAX:
            faults.append(Fault("", "", f"There are more than {FAULTS_MAX} faults: put these right first."))

    def _tell_unknown(self, name: object, known: frozenset[str]) -> None:
        if len(self.findings.faults) > FAULTS_MAX:
            return
        shown = printable(str(name))
        near = get_close_matches(shown.lower(), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]}?" if near else f"the fields here are {_names(known)}."
        value = HIDDEN if self._hide_unknown else show(self._fields.get(str(name)))
        self._tell(Fault(self.at(shown), value, f"{shown or 'An empty name'} is not a field here: {remedy}"))


def is_blank(given: object) -> bool:
    return given is None or (isinstance(given, str) and (not given or given.isspace()))


def show(given: object) -> str:
    """What was given, on one printable line of at most SHOWN_CHARS_MAX characters."""
    match given:
        case None:
            return "null"
        case bool():
            return "true" if given else "false"
        case str():
            return f'"{printable(given, SHOWN_CHARS_MAX - 2)}"'
        case int():
            return str(given) if abs(given) < SHOWN_INTEGER_MAX else "a number of more than 40 digits"
        case list():
            return f"a list of {grouped(len(given))}"
        case dict():
            return "an object"
        case _:
            return printable(str(given))


def printable(text: str, at_most: int = SHOWN_CHARS_MAX) -> str:
    """Cut before it is escaped: a value may be megabytes long. Control characters and lone surrogates are spelt out."""
    cut = text[: at_most + 1]
    spelt = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return spelt if len(spelt) <= at_most else spelt[: at_most - 1] + "…"


def _names(known: frozenset[str]) -> str:
    return ", ".join(sorted(known))
