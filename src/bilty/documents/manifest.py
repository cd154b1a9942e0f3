"""The manifest: the paper on which a courier's driver signs for what was handed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from bilty.documents.type import BOLD, REGULAR, Column, Paper, width_of
from bilty.words import counted, day, kilograms

MARGIN, LINE = 15 * mm, 4.6 * mm
SIZE = 8.5
ALL = Column(MARGIN, A4[0] - 2 * MARGIN)
COLUMNS = (
    ("No.", 10),
    ("AWB", 34),
    ("Shipment", 30),
    ("Order", 30),
    ("Consignee", 44),
    ("PIN", 14),
    ("Boxes, weight", 18),
)
"""With their widths in millimetres: 180 between the margins of A4."""
INDENTED = Column(MARGIN + 8 * mm, ALL.width - 8 * mm)
BEGINS = "M-"
"""A manifest's number, with its id behind it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A shipment. `box_awbs` by the boxes' numbers, blank where a box has none of its own."""

    facility: str
    courier: str
    awb: str
    number: str
    order_number: str
    consignee: str
    city: str
    pincode: str
    weight_g: int
    box_awbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    number: str
    at: datetime
    lines: tuple[Line, ...]


class _Table:
    """Writes from the top of a page to its foot, and begins the next where there is no room."""

    def __init__(self, manifest: Manifest, zone: tzinfo) -> None:
        self.paper = Paper(f"Manifest {manifest.number}", A4)
        at = manifest.at.astimezone(zone)
        self._head = f"Manifest {manifest.number}, {day(at.date())}, {at:%H:%M}"
        self._y = 0.0
        self._turn()

    def _turn(self) -> None:
        self.paper.begin_page()
        self._y = A4[1] - MARGIN
        self.paper.text(self._head, ALL, self._y, SIZE + 3, font=BOLD)
        self.paper.text(f"Page {self.paper.pages}", ALL, self._y, SIZE, at_right=True)
        self._y -= 2 * LINE

    def room(self, lines: int) -> None:
        if self._y - lines * LINE < MARGIN:
            self._turn()

    def line(self, words: str, font: str = REGULAR, column: Column = ALL) -> None:
        self.room(1)
        self.paper.text(words, column, self._y, SIZE, font=font)
        self._y -= LINE

    def row(self, cells: Sequence[str], font: str = REGULAR) -> None:
        self.room(1)
        x = MARGIN
        for (_, width), cell in zip(COLUMNS, cells, strict=True):
            self.paper.text(cell, Column(x, (width - 2) * mm), self._y, SIZE, font=font)
            x += width * mm
        self._y -= LINE

    def rule(self) -> None:
        self.paper.rule(ALL, self._y, 0.4)
        self._y -= 0.6 * mm

    def gap(self, lines: float = 1) -> None:
        self._y -= lines * LINE


def draw(manifest: Manifest, zone: tzinfo) -> bytes:
    """A PDF: for each facility and courier a table, its total, and a place to sign."""
    return lay_out(manifest, zone).done()


def lay_out(manifest: Manifest, zone: tzinfo) -> Paper:
    """The pages, and where all their text stands."""
    paper = _Table(manifest, zone)
    lines = sorted(manifest.lines, key=_group)
    for (facility, courier), group in groupby(lines, key=_group):
        _table(paper, facility, courier, list(group))
    return paper.paper


def _group(line: Line) -> tuple[str, str]:
    return line.facility, line.courier


def _table(paper: _Table, facility: str, courier: str, lines: Sequence[Line]) -> None:
    paper.room(5)
    paper.line(f"Facility {facility}, handed to {courier}", BOLD)
    paper.row([name for name, _ in COLUMNS], BOLD)
    paper.rule()
    for place, line in enumerate(lines, start=1):
        boxes = len(line.box_awbs)
        cells = [str(place), line.awb, line.number, line.order_number, f"{line.consignee}, {line.city}", line.pincode]
        paper.row([*cells, f"{boxes}, {kilograms(line.weight_g)}"])
        for words in _lines(_whole(line)):
            paper.line(words, column=INDENTED)
    boxes = sum(len(line.box_awbs) for line in lines)
    weight = kilograms(sum(line.weight_g for line in lines))
    shipments = counted(len(lines), "shipment")
    paper.line(f"{shipments}, {counted(boxes, 'box', 'boxes')}, {weight}", BOLD)
    paper.room(4)
    paper.gap(2)
    paper.line(
        "Handed over by: ______________________     Received by: ______________________     Date, time: ____________"
    )
    paper.gap(2)


def _whole(line: Line) -> list[str]:
    """What the row has no room for: an AWB that is longer than its column, and the boxes' where they have others."""
    told = [f"AWB {line.awb}"] if not _fits(line.awb, _awb_room()) else []
    boxes = enumerate(line.box_awbs, start=1)
    return told + [f"box {number}: {awb}" for number, awb in boxes if awb and awb != line.awb]


def _awb_room() -> float:
    return (dict(COLUMNS)["AWB"] - 2) * mm


def _lines(told: Sequence[str]) -> list[str]:
    """As many side by side as a line holds: no AWB is cut."""
    lines: list[str] = []
    for words in told:
        longer = f"{lines[-1]}, {words}" if lines else ""
        if longer and _fits(longer, INDENTED.width):
            lines[-1] = longer
        else:
            lines.append(words)
    return lines


def _fits(words: str, width: float) -> bool:
    return width_of(words, REGULAR, SIZE) <= width
