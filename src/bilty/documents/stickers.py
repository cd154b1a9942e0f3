"""Box stickers: which box of how many, whose number it wears, and where it goes. One page each.

The courier's label is for the courier; this is for whoever packs, loads and unloads. Its bar code is the box's own AWB,
or Bilty's reference of the box until there is one, in Code 128.
"""

from dataclasses import dataclass

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm

from bilty.documents.type import BOLD, LABEL_PAGE, Column, Paper
from bilty.shipment import Party
from bilty.words import kilograms

MARGIN = 5 * mm
WIDE = LABEL_PAGE[0] - 2 * MARGIN
BAR_HEIGHT = 20 * mm
DOT = 0.125 * mm
"""Of a label printer with 203 dots an inch: bars of whole dots are printed as sharp as they were drawn."""
BAR_MAX, BAR_MIN = 4 * DOT, 0.17 * mm
"""Of the thinnest bar. One that is thinner than the least is read by no hand scanner: then there is none."""
NO_BARS = "Too long for a bar code: type it."
OUR_OWN = "Bilty's number of this box: the courier gave it none"
ITS_AWB = "AWB of this box"
ALL = Column(MARGIN, WIDE)
LEFT, RIGHT = Column(MARGIN, WIDE / 2 - 2 * mm), Column(MARGIN + WIDE / 2, WIDE / 2)
COUNT, ASIDE = Column(MARGIN, 0.55 * WIDE), Column(MARGIN + 0.58 * WIDE, 0.42 * WIDE)
ROW = 9 * mm
FACTS_TOP = MARGIN + 3.5 * ROW


@dataclass(frozen=True, slots=True)
class Sticker:
    """`code` is what its bar code says, `is_awb` whether that is the box's AWB. What is blank is left out."""

    number: int
    of: int
    code: str
    is_awb: bool
    awb: str
    courier: str
    facility: str
    shipment: str
    order_number: str
    purchase_order: str
    invoice: str
    to: Party
    weight_g: int
    length_cm: int
    breadth_cm: int
    height_cm: int
    cod: str = ""
    mark: str = ""


def add_sticker(paper: Paper, sticker: Sticker) -> None:
    paper.begin_page()
    top = _head(paper, sticker)
    top = _bars(paper, sticker, top - 2 * mm)
    paper.rule(ALL, top)
    _to(paper, sticker, top - 1.5 * mm)
    _facts(paper, sticker, FACTS_TOP)
    if sticker.mark:
        paper.text(sticker.mark, ALL, MARGIN, 7)


def _head(paper: Paper, sticker: Sticker) -> float:
    top = LABEL_PAGE[1] - MARGIN
    paper.text(f"{sticker.number} of {sticker.of}", COUNT, top, 38, font=BOLD)
    below = paper.text(sticker.courier, ASIDE, top, 12, font=BOLD, lines=2, at_right=True)
    below = paper.text(sticker.facility, ASIDE, below, 8, at_right=True)
    paper.text(sticker.cod, ASIDE, below, 11, font=BOLD, at_right=True)
    return top - 16 * mm


def _bars(paper: Paper, sticker: Sticker, top: float) -> float:
    """The bar code, and in letters below it what it says."""
    bars = _code(sticker.code)
    if bars is not None:
        left = MARGIN + (WIDE - float(bars.width)) / 2
        bars.drawOn(paper.canvas, left // DOT * DOT, top - BAR_HEIGHT)
        top -= BAR_HEIGHT + 0.5 * mm
    top = paper.text(sticker.code, ALL, top, 13, font=BOLD)
    said = ITS_AWB if sticker.is_awb else OUR_OWN
    return paper.text(said if bars else f"{said}. {NO_BARS}", ALL, top, 7) - 1 * mm


def _code(code: str) -> Code128 | None:
    if not code.isascii() or not code.isprintable():
        return None
    modules = float(Code128(code, barWidth=1, quiet=0).width)
    dots = int(min(BAR_MAX, WIDE / modules) / DOT)
    thinnest = dots * DOT if dots >= 2 else WIDE / modules
    if thinnest < BAR_MIN:
        return None
    return Code128(code, barWidth=thinnest, barHeight=BAR_HEIGHT, quiet=0)


def _to(paper: Paper, sticker: Sticker, top: float) -> None:
    to = sticker.to
    top = paper.text("To", ALL, top, 7) - 1 * mm
    top = paper.text(to.organisation or to.name, ALL, top, 16, font=BOLD, lines=2)
    if to.organisation:
        top = paper.text(to.name, ALL, top, 11)
    top = paper.text(to.address, ALL, top, 11, lines=4)
    top = paper.text(", ".join(filter(None, (to.city, to.state))), ALL, top, 11)
    paper.text(to.pincode, LEFT, top, 26, font=BOLD)
    paper.text(to.phone, RIGHT, top - 3 * mm, 11, at_right=True)


def _facts(paper: Paper, sticker: Sticker, top: float) -> None:
    size = f"{sticker.length_cm} x {sticker.breadth_cm} x {sticker.height_cm} cm"
    facts = (
        ("Shipment", sticker.shipment),
        ("Order", sticker.order_number),
        ("PO", sticker.purchase_order),
        ("Invoice", sticker.invoice),
        ("AWB", sticker.awb),
        ("Box", f"{kilograms(sticker.weight_g)}, {size}"),
    )
    paper.rule(ALL, top)
    top -= 1.5 * mm
    shown = [(name, words) for name, words in facts if words]
    for place, (name, words) in enumerate(shown):
        column, row = (LEFT, RIGHT)[place % 2], top - (place // 2) * ROW
        paper.text(name, column, row, 6.5)
        paper.text(words, column, row - 2.8 * mm, 9.5, font=BOLD)
