"""Label PDFs as a courier makes them: 4 by 6 inches, a page for each box, and one for its own document if it has one.

The same booking gives the same bytes every time, so nothing need be kept but the last few.
"""

import io
from collections import OrderedDict
from hashlib import sha256
from typing import Final

import msgspec
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch, mm
from reportlab.pdfgen.canvas import Canvas

from bilty_sandbox.book import Booking, Child

PAGE_SIZE: Final = (4 * inch, 6 * inch)
MARGIN: Final = 5 * mm
BAR_HEIGHT: Final = 22 * mm
BAR_WIDTHS: Final = (0.5 * mm, 0.4 * mm, 0.33 * mm, 0.25 * mm)
LINE_CHARS_MAX: Final = 44
LABELS_KEPT: Final = 512


class Label(msgspec.Struct, frozen=True):
    pdf: bytes
    sha256: str


class Labels:
    """One sandbox's labels. `plain` is for benchmarks, where drawing would be most of the sandbox's work."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._kept: OrderedDict[str, Label] = OrderedDict()
        self._pages: dict[int, bytes] = {}

    def of(self, booking: Booking) -> Label:
        return self._stand_in(booking) if self._plain else self._drawn(booking)

    def _drawn(self, booking: Booking) -> Label:
        label = self._kept.get(booking.awb) or _label(_draw(booking))
        self._kept[booking.awb] = label
        self._kept.move_to_end(booking.awb)
        if len(self._kept) > LABELS_KEPT:
            self._kept.popitem(last=False)
        return label

    def _stand_in(self, booking: Booking) -> Label:
        """Another booking's pages, as many as the boxes; a comment behind them makes each label its own bytes."""
        boxes = len(booking.order.boxes)
        if boxes not in self._pages:
            self._pages[boxes] = _draw(booking)
        return _label(self._pages[boxes] + f"%{booking.reference} {booking.awb}\n".encode())


def _label(pdf: bytes) -> Label:
    return Label(pdf, sha256(pdf).hexdigest())


def _draw(booking: Booking) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=PAGE_SIZE, invariant=1, pageCompression=0)
    canvas.setTitle(f"{booking.account.courier} {booking.awb}")
    by_box = {child.box: child for child in booking.children}
    total = len(booking.order.boxes)
    for number in range(1, total + 1):
        _page(canvas, booking, by_box.get(number), f"{number} of {total}")
    if 0 in by_box:
        _page(canvas, booking, by_box[0], "Document")
    canvas.save()
    return file.getvalue()


def _page(canvas: Canvas, booking: Booking, child: Child | None, place: str) -> None:
    """A box that the courier gave no waybill of its own travels under the shipment's."""
    top = PAGE_SIZE[1] - MARGIN
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(MARGIN, top - 12, booking.account.courier)
    canvas.drawRightString(PAGE_SIZE[0] - MARGIN, top - 12, place)
    _barcode(canvas, child.awb if child else booking.awb, top - 20 - BAR_HEIGHT)
    _lines(canvas, booking, child, top - 34 - BAR_HEIGHT)
    canvas.showPage()


def _barcode(canvas: Canvas, awb: str, bottom: float) -> None:
    room = PAGE_SIZE[0] - 2 * MARGIN
    codes = (Code128(awb, barHeight=BAR_HEIGHT, barWidth=width, quiet=False) for width in BAR_WIDTHS)
    code = next((code for code in codes if code.width <= room), None)
    if code is not None:
        code.drawOn(canvas, MARGIN, bottom)
    canvas.setFont("Courier-Bold", 12)
    canvas.drawString(MARGIN, bottom - 13, awb)


def _lines(canvas: Canvas, booking: Booking, child: Child | None, top: float) -> None:
    order, to = booking.order, booking.order.consignee
    lines = (
        f"AWB {booking.awb}",
        f"Reference {booking.reference}",
        f"Box {child.reference}" if child and child.reference else "",
        f"Contents {child.description}" if child and child.description else "",
        f"From {order.sender}",
        "To",
        to.name,
        to.organisation,
        *(to.address[start : start + LINE_CHARS_MAX] for start in range(0, min(len(to.address), 132), LINE_CHARS_MAX)),
        f"{to.city} {to.state} {to.pincode}",
        f"Phone {to.phone}",
        f"COD Rs {order.cod_value:.2f}" if order.cod_value else "Prepaid",
        f"Invoices {', '.join(order.invoices)}",
    )
    text = canvas.beginText(MARGIN, top - 14)
    text.setFont("Helvetica", 10, leading=14)
    for line in lines:
        if line:
            text.textLine(line[:LINE_CHARS_MAX])
    canvas.drawText(text)
