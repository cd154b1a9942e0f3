"""From the form of a shipment to the document that intake reads, and from intake's words back to the form. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from bilty.intake import Fault
from bilty.intake.values import DAY, MOMENT
from bilty.shipment import BOX_WEIGHT_G_MAX
from bilty.web.shipment_form import BoxRow, Row, Typed

Document = dict[str, object]

TIMES = ("pickup_at", "appointment.starts_at", "appointment.ends_at")
_KILOGRAMS = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,3}))?")
_RUPEES = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,2})?")
_WHOLE = re.compile(r"[0-9]{1,4}")


def document(typed: Typed, zone: tzinfo) -> Document:
    """As `POST /shipments` takes it. Times are typed by the clock of `zone`, the facility's."""
    made: Document = {
        "invoices": [dict(row) for row in typed.invoices],
        "purchase_orders": [dict(row) for row in typed.orders],
        "boxes": [_box(row, typed) for row in typed.boxes],
    }
    for name, value in typed.fields.items():
        outer, _, leaf = name.rpartition(".")
        within = made.setdefault(outer, {}) if outer else made
        assert isinstance(within, dict)
        within[leaf] = _moment(value, zone) if name in TIMES else value
    if not any(value for name, value in typed.fields.items() if name.startswith("appointment.")):
        del made["appointment"]
    return made


def _box(row: BoxRow, typed: Typed) -> Document:
    """With a single invoice (or purchase order) there is no doubt which one a box belongs to."""
    box: Document = {name: value for name, value in row.fields.items() if name != "weight_kg"}
    box["weight_g"] = _grams(row.fields["weight_kg"])
    for name, papers in (("invoice", typed.invoices), ("purchase_order", typed.orders)):
        if len(papers) == 1:
            box[name] = papers[0]["number"]
    box["items"] = [dict(item) for item in row.items]
    return box


def _grams(typed: str) -> str:
    """Exactly; what is no weight in kilograms stays as it was typed, with its unit, so that it is refused."""
    found = _KILOGRAMS.fullmatch(typed)
    if not found:
        return f"{typed} kg" if typed else ""
    return str(int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")))


def _moment(typed: str, zone: tzinfo) -> str:
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return (local if local.tzinfo else local.replace(tzinfo=zone)).isoformat()


@dataclass(frozen=True, slots=True)
class Totals:
    boxes: int
    weight_g: int
    value: Decimal


def totals(typed: Typed) -> Totals:
    """Of what can be read so far."""
    boxes = [row.fields for row in typed.boxes if not row.is_blank]
    counts = [int(row["count"] or "1") if _WHOLE.fullmatch(row["count"] or "1") else 0 for row in boxes]
    grams = [int(_grams(row["weight_kg"])) if _KILOGRAMS.fullmatch(row["weight_kg"]) else 0 for row in boxes]
    return Totals(
        boxes=sum(counts),
        weight_g=sum(count * each for count, each in zip(counts, grams, strict=True)),
        value=sum((rupees_of(row["value"]) or Decimal(0) for row in typed.invoices), Decimal(0)),
    )


def rupees_of(typed: str) -> Decimal | None:
    return Decimal(typed) if _RUPEES.fullmatch(typed) else None


LABELS: Mapping[str, str] = {
    "number": "Shipment number",
    "order_number": "Order number",
    "facility": "Facility",
    "shipping_provider": "Shipping Provider",
    "consignee.name": "Contact's name",
    "consignee.organisation": "Organisation",
    "consignee.phone": "Phone",
    "consignee.email": "E-mail",
    "consignee.address": "Address",
    "consignee.city": "City",
    "consignee.state": "State",
    "consignee.pincode": "PIN",
    "consignee.gstin": "GSTIN",
    "payment.mode": "Payment",
    "payment.cod_amount": "Amount to collect",
    "invoices[].number": "Invoice number",
    "invoices[].date": "Invoice date",
    "invoices[].value": "Invoice value",
    "invoices[].ewaybill_number": "E-way bill number",
    "invoices[].ewaybill_expires_on": "E-way bill's last day",
    "invoices[].taxable_value": "Taxable value",
    "invoices[].cgst": "CGST",
    "invoices[].sgst": "SGST",
    "invoices[].igst": "IGST",
    "purchase_orders[].number": "Purchase order number",
    "purchase_orders[].expires_on": "Purchase order's last day",
    "boxes[].count": "Boxes",
    "boxes[].length_cm": "Length",
    "boxes[].breadth_cm": "Breadth",
    "boxes[].height_cm": "Height",
    "boxes[].weight_g": "Weight",
    "boxes[].invoice": "Invoice",
    "boxes[].purchase_order": "Purchase order",
    "boxes[].items[].sku": "SKU",
    "boxes[].items[].description": "Description",
    "boxes[].items[].hsn": "HSN",
    "boxes[].items[].quantity": "Quantity",
    "boxes[].items[].unit_price": "Unit price",
    "pickup_at": "Pickup",
    "appointment.starts_at": "Appointment from",
    "appointment.ends_at": "Appointment until",
    "appointment.id": "Appointment number",
}
"""What the form calls each field of the document."""

_WEIGHT_WANTED = f"give kilograms from 0.001 to {BOX_WEIGHT_G_MAX // 1000}, as in 12.5"
_LEAVES = {path.rpartition(".")[2]: words.lower() for path, words in LABELS.items()}
_SAID_OTHERWISE = {
    **{leaf: words for leaf, words in _LEAVES.items() if "_" in leaf},
    "mode prepaid": "the payment Prepaid",
    "mode cod": "the payment Cash on delivery",
    "purchase_orders": "purchase orders",
    **{tax: tax.upper() for tax in ("cgst", "sgst", "igst")},
}
"""Names of fields that stand within a sentence."""
_PICKED = {f"give {DAY.wants}": "choose the day", f"give {MOMENT.wants}": "choose day and time"}
"""A browser shows days and times in its own way, and not as they are written."""
_NAMES = re.compile(r"\"[^\"]*\"|\b(?:" + "|".join(map(re.escape, _SAID_OTHERWISE)) + r")\b")
"""A name within a sentence, or what was typed, in quotation marks: that is left as it is."""
_PAPER = re.compile(r"(?:invoices|purchase_orders)\[([0-9]+)\]")


def in_the_form(faults: Sequence[Fault]) -> list[Fault]:
    """The same faults in the words of the form, each at a field that is there."""
    return [_in_the_form(fault) for fault in faults]


def _in_the_form(fault: Fault) -> Fault:
    path = re.sub(r"\[[0-9]+\]", "[]", fault.field)
    leaf = path.rpartition(".")[2]
    message = fault.message
    if leaf == "weight_g":
        given = "missing" if message.startswith("weight_g is missing") else fault.value.replace(' kg"', '"')
        message = f"weight_g is {given}: {_WEIGHT_WANTED}."
    if path in ("facility", "shipping_provider") and " is missing" in message:
        message = f"{leaf} is missing: choose one."
    if path in LABELS and message.startswith(f"{leaf} "):
        message = LABELS[path] + message.removeprefix(leaf)
    for wanted, picked in _PICKED.items():
        message = message.replace(wanted, picked)
    message = _PAPER.sub(lambda found: f"in row {int(found[1]) + 1}", message)
    message = _NAMES.sub(lambda found: _SAID_OTHERWISE.get(found[0], found[0]), message)
    return Fault(_field(fault.field), fault.value, _where(fault.field) + message[:1].upper() + message[1:])


def _field(path: str) -> str:
    """The field's id; a whole list's faults are put right in its first row."""
    return path.replace(".weight_g", ".weight_kg")


_ROWS = {"boxes": "Box row", "items": "item", "invoices": "Invoice row", "purchase_orders": "Purchase order row"}


def _where(path: str) -> str:
    """Which row; a first invoice or purchase order is mostly the only one, and needs no number."""
    rows = [(name, int(place) + 1) for name, place in re.findall(r"([a-z_]+)\[([0-9]+)\]", path)]
    told = [f"{_ROWS[name]} {n}" for name, n in rows if n > 1 or name in ("boxes", "items")]
    return ", ".join(told) + ": " if told else ""


def is_due(row: Row, threshold: Decimal) -> bool:
    """Whether goods of this invoice may not move without an e-way bill."""
    value = rupees_of(row["value"])
    return value is not None and value > threshold
