"""The manifest: the paper on which a courier's driver signs for what was handed over."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from bilty.words import counted, day, kilograms

MARGIN, LINE = 15 * mm, 4.6 * mm
FONT, BOLD, SIZE = "Helvetica", "Helvetica-Bold", 8.5
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
INDENT = " " * 8
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


class _Paper:
    """Writes from the top of a page to its foot, and begins the next where there is no room."""

    def __init__(self, manifest: Manifest, zone: tzinfo) -> None:
        self.bytes = io.BytesIO()
        self._canvas = Canvas(self.bytes, pagesize=A4, invariant=True)
        self._canvas.setTitle(f"Manifest {manifest.number}")
        at = manifest.at.astimezone(zone)
        self._head = f"Manifest {manifest.number}, {day(at.date())}, {at:%H:%M}"
        self._pages = 0
        self._y = 0.0
        self._turn()

    def _turn(self) -> None:
        if self._pages:
            self._canvas.showPage()
        self._pages += 1
        self._y = A4[1] - MARGIN
        self._text(MARGIN, self._head, BOLD, SIZE + 3)
        page = f"Page {self._pages}"
        self._text(A4[0] - MARGIN - stringWidth(page, FONT, SIZE), page)
        self._y -= 2 * LINE

    def room(self, lines: int) -> None:
        if self._y - lines * LINE < MARGIN:
            self._turn()

    def _text(self, x: float, words: str, font: str = FONT, size: float = SIZE) -> None:
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, self._y, words)

    def line(self, words: str, font: str = FONT) -> None:
        self.room(1)
        self._text(MARGIN, _cut(words, font, A4[0] - 2 * MARGIN), font)
        self._y -= LINE

    def row(self, cells: Sequence[str], font: str = FONT) -> None:
        self.room(1)
        x = MARGIN
        for (_, width), cell in zip(COLUMNS, cells, strict=True):
            self._text(x, _cut(cell, font, (width - 2) * mm), font)
            x += width * mm
        self._y -= LINE

    def rule(self) -> None:
        self._canvas.setLineWidth(0.4)
        self._canvas.line(MARGIN, self._y + LINE * 0.7, A4[0] - MARGIN, self._y + LINE * 0.7)

    def gap(self, lines: float = 1) -> None:
        self._y -= lines * LINE

    def done(self) -> bytes:
        self._canvas.save()
        return self.bytes.getvalue()


def draw(manifest: Manifest, zone: tzinfo) -> bytes:
    """A PDF: for each facility and courier a table, its total, and a place to sign."""
    paper = _Paper(manifest, zone)
    lines = sorted(manifest.lines, key=_group)
    for (facility, courier), group in groupby(lines, key=_group):
        _table(paper, facility, courier, list(group))
    return paper.done()


def _group(line: Line) -> tuple[str, str]:
    return line.facility, line.courier


def _table(paper: _Paper, facility: str, courier: str, lines: Sequence[Line]) -> None:
    paper.room(5)
    paper.line(f"Facility {facility}, handed to {courier}", BOLD)
    paper.row([name for name, _ in COLUMNS], BOLD)
    paper.rule()
    for place, line in enumerate(lines, start=1):
        boxes = len(line.box_awbs)
        cells = [str(place), line.awb, line.number, line.order_number, f"{line.consignee}, {line.city}", line.pincode]
        paper.row([*cells, f"{boxes}, {kilograms(line.weight_g)}"])
        for words in _lines(_whole(line)):
            paper.line(words)
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
        if longer and _fits(longer, A4[0] - 2 * MARGIN):
            lines[-1] = longer
        else:
            lines.append(INDENT + words)
    return lines


def _fits(words: str, width: float) -> bool:
    return stringWidth(words, FONT, SIZE) <= width


def _cut(words: str, font: str, width: float) -> str:
    """To the room there is. Letters that the font has not are marked: the numbers are what counts."""
    shown = "".join(c if ord(c) < 0x100 else "?" for c in words)
    if stringWidth(shown, font, SIZE) <= width:
        return shown
    while shown and stringWidth(f"{shown}...", font, SIZE) > width:
        shown = shown[:-1]
    return f"{shown}..."
