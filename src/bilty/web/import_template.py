"""Templates to fill in: every column with examples, as CSV and as a workbook whose second sheet explains them."""

import asyncio
import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from xlsxwriter import Workbook

from bilty.order_columns import COLUMNS, NAMES, Level
from bilty.store import showing
from bilty.store.listing import choices
from bilty.web.sessions import user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, harmless

LEVEL_WORDS: Mapping[Level, str] = {
    "shipment": "Shipment",
    "invoice": "Invoice",
    "purchase_order": "Purchase order",
    "boxes": "Boxes of one kind",
    "item": "Article in a box",
}
HELP: Mapping[str, str] = {
    "number": "The shipment's number, on each of its rows: letters, digits and / _ . -, at most 30.",
    "order_number": "The order system's number. Blank: as number.",
    "facility": "The code of the warehouse that the boxes leave from.",
    "shipping_provider": "The code of the shipping provider.",
    "consignee_code": "The code of a consignee saved in Settings. The other consignee columns may then be blank.",
    "consignee_name": "Whom to ask for.",
    "consignee_organisation": "The consignee's firm.",
    "consignee_phone": "One Indian number. Format the column as text.",
    "consignee_email": "One address.",
    "consignee_address": "Street and place, at most 500 characters.",
    "consignee_city": "At most 50 characters.",
    "consignee_state": "At most 50 characters.",
    "consignee_pincode": "6 digits, the first not 0.",
    "consignee_country": "IN or blank.",
    "consignee_gstin": "15 characters. Blank for a consignee without registration.",
    "payment_mode": "prepaid or cod.",
    "cod_amount": "Rupees to collect, with cod only.",
    "invoice_number": "At most 50 characters. Another number on another row is another invoice.",
    "invoice_date": "As 2026-07-15 or 15-07-2026, or a date cell.",
    "invoice_value": "Rupees with tax, as 125000.00.",
    "taxable_value": "Rupees without tax.",
    "cgst": "Rupees. Never together with igst.",
    "sgst": "Rupees. Never together with igst.",
    "igst": "Rupees.",
    "ewaybill_number": "12 digits. Above the limit a shipment without it waits on hold. Format the column as text.",
    "ewaybill_expires_on": "As 2026-07-20.",
    "po_number": "The purchase order's number.",
    "po_expires_on": "As 2026-08-31.",
    "boxes": "How many boxes of this size, weight and content. Blank: 1.",
    "length_cm": "Of one box, whole centimetres.",
    "breadth_cm": "Of one box, whole centimetres.",
    "height_cm": "Of one box, whole centimetres.",
    "weight_g": "Of one box, whole grams.",
    "sku": "Of one box: the article's code.",
    "description": "What the article is.",
    "hsn": "2, 4, 6 or 8 digits.",
    "quantity": "Pieces in one box, with sku.",
    "unit_price": "Rupees a piece, with sku.",
    "appointment_starts_at": "When the consignee's slot opens, as 2026-11-25T10:00:00+05:30. Blank: the connector's.",
    "appointment_ends_at": "When it closes.",
    "appointment_id": "The slot's number.",
    "pickup_at": "As 2026-11-24T17:00:00+05:30. Blank: the connector's.",
}
_CONSIGNEE = {
    "consignee_name": "Receiving desk",
    "consignee_organisation": "Sahyadri Distributors",
    "consignee_phone": "9876543210",
    "consignee_address": "Plot 14, Industrial Area",
    "consignee_city": "Pune",
    "consignee_state": "Maharashtra",
    "consignee_pincode": "411018",
}
_SIZES = {"length_cm": "40", "breadth_cm": "30", "height_cm": "25", "weight_g": "12500"}


def examples(facility: str, provider: str, today: date) -> list[dict[str, str]]:
    """A shipment of two kinds of boxes, on two rows, and one of a single box that is paid on delivery."""
    both = {"facility": facility, "shipping_provider": provider, **_CONSIGNEE}
    first = {
        "number": "EXAMPLE-1",
        "order_number": "PO/26-27/88",
        **both,
        "payment_mode": "prepaid",
        "invoice_number": "INV-1",
        "invoice_date": today.isoformat(),
        "invoice_value": "23600.00",
        "po_number": "PO/26-27/88",
        "boxes": "2",
        **_SIZES,
        "sku": "CUP-200",
        "description": "Paper cups, 200 ml",
        "hsn": "4823",
        "quantity": "40",
        "unit_price": "210.00",
    }
    more = {"number": "EXAMPLE-1", "invoice_number": "INV-1", "boxes": "1", **_SIZES, "weight_g": "8000"}
    second = {
        "number": "EXAMPLE-2",
        **both,
        "payment_mode": "cod",
        "cod_amount": "4720.00",
        "invoice_number": "INV-2",
        "invoice_date": today.isoformat(),
        "invoice_value": "4720.00",
        **_SIZES,
    }
    return [first, more, second]


async def _rows(request: AnyRequest) -> list[list[str]]:
    """The examples with codes that this person may use, so that a template comes through Check as it is."""
    async with tools_of(request).pool.acquire() as connection:
        known = await choices(connection, user(request).facilities)
        today = (await showing.clock(connection)).astimezone(INDIA).date()
    facility = known.facilities[0] if known.facilities else "BLR-1"
    provider = known.providers[0][0] if known.providers else "clickpost-b2b"
    return [[row.get(name, "") for name in NAMES] for row in examples(facility, provider, today)]


async def blank_csv(request: AnyRequest) -> bytes:
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(NAMES)
    rows.writerows([harmless(cell) for cell in row] for row in await _rows(request))
    return written.getvalue().encode("utf-8-sig")


async def blank_xlsx(request: AnyRequest) -> bytes:
    return await asyncio.to_thread(_workbook, await _rows(request))


def _workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """Every cell of the orders is text, so that a spreadsheet leaves long numbers and leading zeros alone."""
    with tempfile.TemporaryDirectory(prefix="bilty-template-") as folder:
        path = Path(folder) / "template.xlsx"
        book = Workbook(path)
        head, must = book.add_format({"bold": True}), book.add_format({"bold": True, "bg_color": "#E3E5F5"})
        text, wrapped = book.add_format({"num_format": "@"}), book.add_format({"text_wrap": True, "valign": "top"})
        orders = book.add_worksheet("Orders")
        orders.freeze_panes(1, 1)
        for at, column in enumerate(COLUMNS):
            orders.set_column(at, at, max(12.0, len(column.name) + 2.0), text)
            orders.write_string(0, at, column.name, must if column.required else head)
        for line, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                if cell:
                    orders.write_string(line, at, cell, text)
        told = book.add_worksheet("Columns")
        told.freeze_panes(1, 0)
        for at, (words, width) in enumerate((("Column", 24), ("Of", 18), ("Must", 8), ("What it holds", 90))):
            told.set_column(at, at, width, wrapped)
            told.write_string(0, at, words, head)
        for line, column in enumerate(COLUMNS, 1):
            of = (column.name, LEVEL_WORDS[column.level], "yes" if column.required else "", HELP[column.name])
            for at, cell in enumerate(of):
                told.write_string(line, at, cell, wrapped)
        book.close()
        return path.read_bytes()
