"""The columns of an order file, and where each stands in a shipment's document.

One table serves both ways: cells become a document by it, and a fault's path becomes the column that a person must
put right. `docs/order-file.md` describes each column, and a test holds the two together.
"""

import re
from typing import Literal, NamedTuple

Level = Literal["shipment", "invoice", "purchase_order", "boxes", "item"]


class Column(NamedTuple):
    """`path` is relative to the level: `consignee.name` in the shipment, `value` in the row's invoice."""

    name: str
    level: Level
    path: str
    required: bool = False


COLUMNS = (
    Column("number", "shipment", "number", required=True),
    Column("order_number", "shipment", "order_number"),
    Column("facility", "shipment", "facility", required=True),
    Column("shipping_provider", "shipment", "shipping_provider", required=True),
    Column("consignee_code", "shipment", "consignee.code"),
    Column("consignee_name", "shipment", "consignee.name", required=True),
    Column("consignee_organisation", "shipment", "consignee.organisation", required=True),
    Column("consignee_phone", "shipment", "consignee.phone", required=True),
    Column("consignee_email", "shipment", "consignee.email"),
    Column("consignee_address", "shipment", "consignee.address", required=True),
    Column("consignee_city", "shipment", "consignee.city", required=True),
    Column("consignee_state", "shipment", "consignee.state", required=True),
    Column("consignee_pincode", "shipment", "consignee.pincode", required=True),
    Column("consignee_country", "shipment", "consignee.country"),
    Column("consignee_gstin", "shipment", "consignee.gstin"),
    Column("payment_mode", "shipment", "payment.mode", required=True),
    Column("cod_amount", "shipment", "payment.cod_amount"),
    Column("invoice_number", "invoice", "number", required=True),
    Column("invoice_date", "invoice", "date", required=True),
    Column("invoice_value", "invoice", "value", required=True),
    Column("taxable_value", "invoice", "taxable_value"),
    Column("cgst", "invoice", "cgst"),
    Column("sgst", "invoice", "sgst"),
    Column("igst", "invoice", "igst"),
    Column("ewaybill_number", "invoice", "ewaybill_number"),
    Column("ewaybill_expires_on", "invoice", "ewaybill_expires_on"),
    Column("po_number", "purchase_order", "number"),
    Column("po_expires_on", "purchase_order", "expires_on"),
    Column("boxes", "boxes", "count"),
    Column("length_cm", "boxes", "length_cm", required=True),
    Column("breadth_cm", "boxes", "breadth_cm", required=True),
    Column("height_cm", "boxes", "height_cm", required=True),
    Column("weight_g", "boxes", "weight_g", required=True),
    Column("sku", "item", "sku"),
    Column("description", "item", "description"),
    Column("hsn", "item", "hsn"),
    Column("quantity", "item", "quantity"),
    Column("unit_price", "item", "unit_price"),
    Column("appointment_starts_at", "shipment", "appointment.starts_at"),
    Column("appointment_ends_at", "shipment", "appointment.ends_at"),
    Column("appointment_id", "shipment", "appointment.id"),
    Column("pickup_at", "shipment", "pickup_at"),
)
NAMES = tuple(column.name for column in COLUMNS)
HEADER = ",".join(NAMES)
"""The first line of a file that uses every column."""

BY_CODE = "consignee_code"
SAVED_BY_CODE = frozenset(column.name for column in COLUMNS if column.required and column.path.startswith("consignee."))
"""What a file need not have that names its consignees by the codes under which they are saved."""
REASON = "reason"
"""The column that Bilty adds to faulty rows which it hands back. Nobody reads it when they come again."""
LEFT_OUT = ""
"""The name of a column of theirs that is none of ours."""

OF_LEVEL: dict[Level, tuple[Column, ...]] = {
    level: tuple(column for column in COLUMNS if column.level == level)
    for level in ("shipment", "invoice", "purchase_order", "boxes", "item")
}

_LISTS: dict[Level, str] = {
    "shipment": "",
    "invoice": "invoices[].",
    "purchase_order": "purchase_orders[].",
    "boxes": "boxes[].",
    "item": "boxes[].items[].",
}
_COLUMN_OF_PATH = {_LISTS[column.level] + column.path: column.name for column in COLUMNS} | {
    # Faults of a whole list or object, told at the column by which a person would put them right.
    "consignee": "consignee_name",
    "payment": "payment_mode",
    "appointment": "appointment_starts_at",
    "invoices": "invoice_number",
    "invoices[]": "invoice_number",
    "purchase_orders": "po_number",
    "purchase_orders[]": "po_number",
    "boxes": "boxes",
    "boxes[]": "boxes",
    "boxes[].items": "sku",
    "boxes[].items[]": "sku",
    "boxes[].invoice": "invoice_number",
    "boxes[].purchase_order": "po_number",
}


def column_of(path: str) -> str:
    """The column that a fault's path speaks of; the path itself where a file cannot give the field."""
    return _COLUMN_OF_PATH.get(re.sub(r"\[[0-9]+\]", "[]", path), path)
