"""Which misbehaviour befalls which booking: pure, and the same again for the same seed and the same order.

Three voices, the first that speaks decides:
1. a marker in the order itself, for order files: `[sandbox: p1=async+children_reversed p2=refuse_319 all=at_once]` in
   the consignee's name or organisation, a purchase order's number or a box's description;
2. the rules, by reference, courier or priority, for tests and chaos runs;
3. the dice, when mischief is on.
Where a marker or a rule speaks, whatever it leaves unsaid is straight: a test gets what it asked for and no more.
"""

import re
from collections.abc import Mapping
from typing import Self

import msgspec

from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import DOOMED_PERCENT, FAMILIES, FAMILY_OF, WEIGHTS, Family, Kind

MARKER = re.compile(r"\[sandbox:([^\]]*)\]")
MARKER_PART = re.compile(r"(p[1-9]|all)=([a-z0-9_+]+)(?:\*([1-9][0-9]?))?")


class BadMarkerError(ValueError):
    """The order carries a marker that says nothing we know. Better refused than quietly not obeyed."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kinds` befall every booking that all the named conditions fit; `times` bounds those that wear off."""

    kinds: tuple[Kind, ...]
    reference_prefix: str = ""
    cp_id: int | None = None
    account_code: str | None = None
    priority: int | None = None
    times: int | None = None

    @property
    def is_about_bookings(self) -> bool:
        return any(FAMILY_OF[kind] is not Family.HOST for kind in self.kinds)

    def fits(self, asked: "Asked") -> bool:
        return (
            asked.reference.startswith(self.reference_prefix)
            and self.cp_id in {None, asked.cp_id}
            and self.account_code in {None, asked.account_code}
            and self.priority in {None, asked.priority}
        )


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the control endpoint sets. `enabled` and `off` silence the dice, never a rule or a marker."""

    enabled: bool = True
    off: tuple[Kind, ...] = ()
    weights: dict[Kind, int] = {}
    rules: tuple[Rule, ...] = ()
    usual: Kind = Kind.AT_ONCE
    """The outcome where nothing else decides, as with `enabled` false."""

    @classmethod
    def none(cls) -> Self:
        return cls(enabled=False)

    def weight(self, kind: Kind) -> int:
        return 0 if kind in self.off else max(0, self.weights.get(kind, WEIGHTS[kind]))

    def host_does(self, kind: Kind) -> bool:
        """Whether the host as a whole does `kind`: slow answers, silent spells, no status call."""
        named = any(kind in rule.kinds for rule in self.rules)
        return named or (self.enabled and self.weight(kind) > 0)


class Asked(msgspec.Struct, frozen=True):
    """A create call as mischief sees it. `marks` is what names the order for good, whatever its reference."""

    reference: str
    marks: str
    cp_id: int
    account_code: str
    priority: int | None
    remarks: str


class Chosen(msgspec.Struct, frozen=True):
    """`by_chance`: whether the dice may also settle what no kind is about."""

    kinds: tuple[Kind, ...]
    times: int | None = None
    by_chance: bool = False


def choose(policy: Policy, seed: int, asked: Asked) -> Chosen:
    """Raises BadMarkerError. The answer always names exactly one outcome."""
    chosen = _by_marker(asked) or _by_rule(policy, asked)
    if chosen is None:
        chosen = Chosen(_by_dice(policy, seed, asked), by_chance=True) if policy.enabled else Chosen(())
    if any(FAMILY_OF[kind] is Family.OUTCOME for kind in chosen.kinds):
        return chosen
    return msgspec.structs.replace(chosen, kinds=(policy.usual, *chosen.kinds))


def _by_marker(asked: Asked) -> Chosen | None:
    found = MARKER.search(asked.remarks)
    if found is None:
        return None
    parts = {who: (kinds, times) for who, kinds, times in map(_marker_part, found[1].split())}
    kinds, times = parts.get(f"p{asked.priority}") or parts.get("all") or ((), None)
    return Chosen(kinds, times)


def _marker_part(text: str) -> tuple[str, tuple[Kind, ...], int | None]:
    part = MARKER_PART.fullmatch(text)
    if part is None:
        raise BadMarkerError(f"sandbox marker: {text!r} is not like p1=async or all=refuse_319*2")
    try:
        kinds = tuple(Kind(name) for name in part[2].split("+"))
    except ValueError as unknown:
        raise BadMarkerError(f"sandbox marker: {unknown}") from unknown
    return part[1], kinds, int(part[3]) if part[3] else None


def _by_rule(policy: Policy, asked: Asked) -> Chosen | None:
    rules = (rule for rule in policy.rules if rule.is_about_bookings and rule.fits(asked))
    return next((Chosen(rule.kinds, rule.times) for rule in rules), None)


def _by_dice(policy: Policy, seed: int, asked: Asked) -> tuple[Kind, ...]:
    dice = Dice(seed, asked.marks, asked.cp_id, asked.account_code)
    doomed = Dice(seed, asked.marks).whole("doomed", 100) < DOOMED_PERCENT
    kinds = (_throw(policy, dice, family, doomed=doomed) for family in FAMILIES if family is not Family.HOST)
    return tuple(kind for kind in kinds if kind is not None)


def _throw(policy: Policy, dice: Dice, family: Family, *, doomed: bool) -> Kind | None:
    weights: dict[Kind | None, int] = {kind: policy.weight(kind) for kind in FAMILIES[family]}
    if family is Family.OUTCOME:
        weights = _refusals(weights) if doomed else weights
    else:
        weights[None] = max(0, 100 - sum(weights.values()))
    return dice.weighted(family, weights) if any(weights.values()) else None


def _refusals(weights: Mapping[Kind | None, int]) -> dict[Kind | None, int]:
    return {kind: weight for kind, weight in weights.items() if kind is not None and kind.startswith("refuse_")}
