"""Bilty's books held against the sandbox's truth, and against what was printed and handed off. Pure.

Each column counts what it names, and names what it counts:

    lost          taken from an order system, and not in the books, or there twice; a label in the books that was never
                  handed off, whose link does not open, or whose PDF is not what the courier gave
    paid_twice    an AWB beside a shipment's first that was printed or handed off, or is still live
    unknown_awbs  a live AWB that the books do not have, or one in the books that nobody gave out
    wrong_boxes   a box with another's waybill, in the books or as it was handed off; a courier told of other boxes
    stuck         a shipment that waits for something although nobody owes anything any more
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from bench.chaos.flow import invoice_of
from bench.chaos.oms import Boxes
from bilty.turn import TRAITS, Kind, State


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """`sha256`: of the label, as the books say; `paper`: of what is in the label store, blank where nothing is."""

    reference: str
    awb: str
    state: str
    sha256: str = ""
    paper: str = ""

    @property
    def holds(self) -> bool:
        return TRAITS[State(self.state)][0] is Kind.HOLDS


@dataclass(frozen=True, slots=True)
class Kept:
    """A shipment in Bilty's books. `boxes`: the AWB of each, blank where none. `waits`: for what it still waits."""

    id: int
    number: str
    boxes: Boxes
    turns: tuple[KeptTurn, ...]
    waits: str = ""

    @property
    def holder(self) -> KeptTurn | None:
        return next((turn for turn in self.turns if turn.holds), None)


@dataclass(frozen=True, slots=True)
class Given:
    """A booking as the sandbox knows it. `children`: the AWB of each box, by its number. `label`: its hash, or None."""

    reference: str
    invoices: tuple[str, ...]
    awb: str
    live: bool
    boxes_count: int
    children: Mapping[int, str]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`taken`: by number, the ids under which Bilty said that it has it. `ready`: of whose label it told. `unopened`:
    labels that it told of and that could not be opened.
    """

    taken: Mapping[str, AbstractSet[int]]
    kept: Sequence[Kept]
    given: Sequence[Given]
    handed: Mapping[str, Mapping[str, Boxes]]
    printed: Mapping[str, AbstractSet[str]]
    ready: AbstractSet[str]
    unopened: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, a line each; all empty where nothing is."""

    lost: tuple[str, ...] = ()
    paid_twice: tuple[str, ...] = ()
    unknown_awbs: tuple[str, ...] = ()
    wrong_boxes: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


@dataclass(slots=True)
class _Files:
    """The evidence in the order in which it is looked up."""

    evidence: Evidence
    kept: Mapping[str, Kept] = field(init=False)
    given: Mapping[str, Given] = field(init=False)
    turns: Mapping[str, KeptTurn] = field(init=False)

    def __post_init__(self) -> None:
        self.kept = {each.number: each for each in self.evidence.kept}
        self.given = {each.reference: each for each in self.evidence.given}
        self.turns = {turn.reference: turn for each in self.evidence.kept for turn in each.turns}


def judge(evidence: Evidence) -> Verdict:
    files = _Files(evidence)
    return Verdict(
        lost=tuple(_lost(files)),
        paid_twice=tuple(_paid_twice(files)),
        unknown_awbs=tuple(_unknown(files)),
        wrong_boxes=tuple(_wrong_boxes(files)),
        stuck=tuple(f"{each.number}: {each.waits}" for each in evidence.kept if each.waits),
    )


def _lost(files: _Files) -> Iterator[str]:
    for number, ids in files.evidence.taken.items():
        kept = files.kept.get(number)
        if kept is None or ids != {kept.id}:
            yield f"{number}: taken as {_several(map(str, ids))}, kept as {kept.id if kept else 'nothing'}"
    yield from (f"{told}: its label's link does not open" for told in files.evidence.unopened)
    for each in files.evidence.kept:
        turn = each.holder
        if turn is not None and turn.state == State.WON:
            yield from _lost_label(files, each, turn)


def _lost_label(files: _Files, kept: Kept, turn: KeptTurn) -> Iterator[str]:
    evidence, given = files.evidence, files.given.get(turn.reference)
    if kept.number not in evidence.ready or turn.awb not in evidence.handed.get(kept.number, {}):
        yield f"{kept.number}: its label was never handed off, AWB {turn.awb}"
    if not turn.sha256 or turn.paper != turn.sha256 or (given and given.label != turn.sha256):
        yield f"{kept.number}: the label in the store is not what the courier gave, AWB {turn.awb}"


def _paid_twice(files: _Files) -> Iterator[str]:
    """By the invoice, which the sandbox heard, so that what the books do not know of counts as well."""
    evidence, awbs = files.evidence, defaultdict[str, dict[str, str]](dict)
    numbers = {invoice_of(number): number for number in (*evidence.taken, *files.kept)}
    for given in evidence.given:
        if given.live:
            for invoice in given.invoices:
                awbs[numbers.get(invoice, invoice)][given.awb] = "live"
    for number, handed in evidence.handed.items():
        awbs[number].update(dict.fromkeys(handed, "handed off"))
    for number, printed in evidence.printed.items():
        awbs[number].update(dict.fromkeys(printed, "printed"))
    for number, each in awbs.items():
        told = [f"{awb} ({how})" for awb, how in sorted(each.items(), key=lambda each: each[1] == "live")]
        yield from (f"{number}: {second} beside {told[0]}" for second in told[1:])


def _unknown(files: _Files) -> Iterator[str]:
    for given in files.evidence.given:
        turn = files.turns.get(given.reference)
        if given.live and (turn is None or turn.awb != given.awb):
            known = (
                f"the books say {turn.awb or 'none'}, {turn.state}" if turn else "the books do not know the reference"
            )
            yield f"{given.reference}: AWB {given.awb} is live, and {known}"
    for turn in files.turns.values():
        booked = files.given.get(turn.reference)
        if turn.awb and (booked is None or booked.awb != turn.awb):
            yield f"{turn.reference}: AWB {turn.awb} is in the books, and nobody gave it out"


def _wrong_boxes(files: _Files) -> Iterator[str]:
    for each in files.evidence.kept:
        for turn in each.turns:
            given = files.given.get(turn.reference)
            if given and given.boxes_count != len(each.boxes):
                yield f"{each.number}: {given.boxes_count} boxes were booked as {turn.reference}, not {len(each.boxes)}"
        holder = each.holder
        if holder and (given := files.given.get(holder.reference)):
            yield from _wrong_waybills(each.number, "in the books", each.boxes, given)
        by_awb = {given.awb: given for turn in each.turns if (given := files.given.get(turn.reference))}
        for awb, boxes in files.evidence.handed.get(each.number, {}).items():
            if awb in by_awb:
                yield from _wrong_waybills(each.number, "as handed off", boxes, by_awb[awb])
            else:
                yield f"{each.number}: AWB {awb} was handed off, and it is another's"


def _wrong_waybills(number: str, where: str, boxes: Boxes, given: Given) -> Iterator[str]:
    """A box of which the courier named no waybill goes under the shipment's, or has none."""
    for nth, awb in enumerate(boxes, start=1):
        right = (given.children[nth],) if nth in given.children else ("", given.awb)
        if awb not in right:
            yield f"{number}: box {nth} has {awb or 'no waybill'} {where}, the courier gave it {right[-1]}"


def _several(names: Iterator[str]) -> str:
    return " and ".join(sorted(names))
