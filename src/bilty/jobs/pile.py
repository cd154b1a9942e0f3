"""What a print job makes a pile of, and in which order: labels, and what is printed with them. Decided here, pure.

Labels are always in it. With a label come, in this order, the stickers of its boxes, the packing slips, and the
documents that were attached to the shipment. Where the connector says Packslip Required, stickers and slips are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from bilty.documents.drawn import Drawing
from bilty.documents.separators import Separator
from bilty.store import papers
from bilty.store.papers import Source
from bilty.store.prints import Sheet
from bilty.words import counted


class Beside(StrEnum):
    """What may be printed with the labels; the values are a form's."""

    STICKERS = "stickers"
    SLIPS = "slips"
    DOCUMENTS = "documents"


REQUIRED = frozenset({Beside.STICKERS, Beside.SLIPS})
"""With Packslip Required."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`box` is the one that is printed again, 0 for all. `separators` part what is another courier's."""

    beside: frozenset[Beside]
    by_courier: bool
    separators: bool
    box: int


def wanted(given: Mapping[str, Any]) -> Wanted:
    """As the job was told. Where nothing was said of it, documents are printed along."""
    return Wanted(
        beside=frozenset(Beside(each) for each in given.get("beside", [Beside.DOCUMENTS])),
        by_courier=given.get("order") == "courier",
        separators=bool(given.get("separators")),
        box=int(given.get("box", 0)),
    )


def in_order(sheets: Sequence[Sheet], wish: Wanted) -> list[Sheet]:
    """As they were chosen, or those of a facility and courier together, each as they were chosen."""
    if not wish.by_courier:
        return list(sheets)
    return sorted(sheets, key=lambda each: (*_whose(each), each.position))


def separators(sheets: Sequence[Sheet], wish: Wanted) -> dict[int, Separator]:
    """By the position of the sheet before which each lies: where another courier or facility begins."""
    if not wish.separators:
        return {}
    found: dict[int, Separator] = {}
    for (facility, courier), group in groupby(sheets, key=_whose):
        theirs = list(group)
        boxes = sum(each.boxes for each in theirs)
        lines = (f"Facility {facility}", counted(len(theirs), "shipment"), counted(boxes, "box", "boxes"))
        found[theirs[0].position] = Separator(courier or "No courier", lines)
    return found


def _whose(sheet: Sheet) -> tuple[str, str]:
    return sheet.facility, sheet.courier


def beside_of(source: Source, wish: Wanted) -> frozenset[Beside]:
    """What is printed with this label. One box's again: its sticker always, the shipment's documents not."""
    required = REQUIRED if source.seen.packslip_required else frozenset()
    if wish.box:
        return (wish.beside | required | {Beside.STICKERS}) - {Beside.DOCUMENTS}
    return wish.beside | required


def drawings(source: Source, beside: frozenset[Beside], wish: Wanted, mark: str) -> tuple[Drawing, ...]:
    stickers = papers.stickers(source, box=wish.box, mark=mark) if Beside.STICKERS in beside else ()
    slips = papers.slips(source, box=wish.box, mark=mark) if Beside.SLIPS in beside else ()
    return (*stickers, *slips)
