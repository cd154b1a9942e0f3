"""Packing slips: what is in a box, or in all boxes of a shipment, for whoever unpacks and counts."""

from dataclasses import dataclass

from reportlab.lib.units import mm

from bilty.documents.type import BOLD, LABEL_PAGE, Column, Paper
from bilty.shipment import Box, Party
from bilty.words import counted, kilograms

MARGIN = 5 * mm
WIDE = LABEL_PAGE[0] - 2 * MARGIN
ALL = Column(MARGIN, WIDE)
LEFT, RIGHT = Column(MARGIN, WIDE / 2 - 2 * mm), Column(MARGIN + WIDE / 2, WIDE / 2)
SKU, ITEM, HSN, PIECES = (
    Column(MARGIN, 24 * mm),
    Column(MARGIN + 25 * mm, 40 * mm),
    Column(MARGIN + 66 * mm, 13 * mm),
    Column(MARGIN + 80 * mm, 10 * mm),
)
FOOT = MARGIN + 4 * mm
NEEDS = 9 * mm
"""For a line of a table in two lines, and its gap."""
NO_ITEMS = "Its content was not given."
HEAD = ("Article", "Description", "HSN", "Pieces")


@dataclass(frozen=True, slots=True)
class Packed:
    """A box, and the numbers that it goes by; `awb` is blank where the courier gave it none."""

    number: int
    awb: str
    box: Box


@dataclass(frozen=True, slots=True)
class Slip:
    """Of one box where `boxes` holds one and `of` says more, else of a shipment. What is blank is left out."""

    boxes: tuple[Packed, ...]
    of: int
    shipment: str
    order_number: str
    awb: str
    courier: str
    sender: Party
    to: Party
    invoices: tuple[str, ...]
    purchase_orders: tuple[str, ...]
    ewaybills: tuple[str, ...]
    mark: str = ""


def add_slip(paper: Paper, slip: Slip) -> None:
    """As many pages as it takes."""
    _Flow(paper, slip).draw()


@dataclass(slots=True)
class _Flow:
    """One slip, from the top of its first page to as many as it takes."""

    paper: Paper
    slip: Slip
    top: float = 0
    page: int = 0

    def draw(self) -> None:
        self._begin()
        self._parties()
        for packed in self.slip.boxes:
            self._box(packed)
        pieces = sum(item.quantity for packed in self.slip.boxes for item in packed.box.items)
        boxes = counted(len(self.slip.boxes), "box", "boxes")
        weight = kilograms(sum(packed.box.weight_g for packed in self.slip.boxes))
        self._room(8 * mm)
        self.paper.rule(ALL, self.top)
        told = [boxes, counted(pieces, "piece"), weight] if pieces else [boxes, weight]
        self.top = self.paper.text(", ".join(told), ALL, self.top - 1.5 * mm, 10, font=BOLD)

    def _begin(self) -> None:
        """The head of a page, and its foot."""
        self.paper.begin_page()
        self.page += 1
        slip, top = self.slip, LABEL_PAGE[1] - MARGIN
        alone = len(slip.boxes) == 1 and slip.of > 1
        what = f"Packing slip, box {slip.boxes[0].number} of {slip.of}" if alone else "Packing slip"
        self.top = self.paper.text(what, ALL, top, 14, font=BOLD) - 1 * mm
        more = f"Page {self.page}" if self.page > 1 else ""
        self.paper.text(" · ".join(filter(None, (slip.shipment, more, slip.mark))), ALL, FOOT, 7)

    def _room(self, height: float) -> None:
        if self.top - height < FOOT + 2 * mm:
            self._begin()

    def _parties(self) -> None:
        slip = self.slip
        for name, party in (("From", slip.sender), ("To", slip.to)):
            self.top = self.paper.text(name, ALL, self.top, 6.5) - 0.5 * mm
            self.top = self.paper.text(party.organisation or party.name, ALL, self.top, 11, font=BOLD)
            where = ", ".join(filter(None, (party.address, party.city, party.state, party.pincode)))
            self.top = self.paper.text(where, ALL, self.top, 8.5, lines=2) - 1 * mm
            if party.gstin:
                self.top = self.paper.text(f"GSTIN {party.gstin}", ALL, self.top + 1 * mm, 8.5) - 1 * mm
        self.paper.rule(ALL, self.top)
        self.top -= 1.5 * mm
        for name, words in (
            ("Shipment", slip.shipment),
            ("Order", slip.order_number if slip.order_number != slip.shipment else ""),
            ("Courier", slip.courier),
            ("AWB", slip.awb),
            ("Invoice", ", ".join(slip.invoices)),
            ("PO", ", ".join(slip.purchase_orders)),
            ("E-way bill", ", ".join(slip.ewaybills)),
        ):
            if words:
                self._fact(name, words)
        self.top -= 1.5 * mm

    def _fact(self, name: str, words: str) -> None:
        label, value = Column(MARGIN, 16 * mm), Column(MARGIN + 17 * mm, WIDE - 17 * mm)
        self.paper.text(name, label, self.top, 8)
        self.top = self.paper.text(words, value, self.top, 8, font=BOLD, lines=2)

    def _box(self, packed: Packed) -> None:
        self._room(NEEDS + 10 * mm)
        self.paper.rule(ALL, self.top)
        self.top -= 1 * mm
        box = packed.box
        self.paper.text(f"Box {packed.number} of {self.slip.of}", LEFT, self.top, 10, font=BOLD)
        size = f"{box.length_cm} x {box.breadth_cm} x {box.height_cm} cm"
        told = ", ".join(filter(None, (packed.awb, kilograms(box.weight_g), size)))
        self.top = self.paper.text(told, RIGHT, self.top - 0.5 * mm, 8, at_right=True) - 2 * mm
        if not box.items:
            self.top = self.paper.text(NO_ITEMS, ALL, self.top, 8.5) - 2 * mm
            return
        for column, name in zip((SKU, ITEM, HSN, PIECES), HEAD, strict=True):
            self.paper.text(name, column, self.top, 6.5, at_right=column is PIECES)
        self.top -= 3.2 * mm
        for item in box.items:
            self._room(NEEDS)
            cells = (item.sku, item.description, item.hsn, str(item.quantity))
            ends = [
                self.paper.text(words, column, self.top, 8.5, lines=2, at_right=column is PIECES)
                for column, words in zip((SKU, ITEM, HSN, PIECES), cells, strict=True)
            ]
            self.top = min(ends) - 0.6 * mm
        self.top -= 2 * mm
