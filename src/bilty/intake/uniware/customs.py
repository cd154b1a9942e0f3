"""Custom fields: what Uniware's contract has no place for, under fixed names."""

import re
from collections.abc import Mapping

from bilty.intake.reader import is_blank

NAMES: Mapping[str, str] = {
    "facility": "the code of the facility in Bilty, where Pickup Address Id does not name it",
    "shipping_provider": "the code of the shipping provider in Bilty",
    "organisation": "the consignee's firm, where it is not the name of the delivery address",
    "gstin": "the consignee's GSTIN, where the delivery address has none",
    "invoice_date": "the day of the invoice, as 2026-11-25 or 25-Nov-2026",
    "invoice_value": "the invoice's total in rupees, where it is not totalAmount",
    "taxable_value": "the invoice's value before taxes, in rupees",
    "cgst": "central GST in rupees",
    "sgst": "state GST in rupees",
    "igst": "integrated GST in rupees",
    "ewaybill_number": "the e-way bill's 12 digits",
    "ewaybill_expires_on": "its last day, as 2026-11-25 or 25-Nov-2026",
    "purchase_order": "the number of the consignee's purchase order",
    "purchase_order_expires_on": "its last day",
    "boxes": "boxes that differ, as 2*40x30x25@12500; 1*60x30x25@8000: count, centimetres, grams of each",
    "appointment_starts_at": "when the consignee takes delivery, as 2026-11-27T10:00:00+05:30",
    "appointment_ends_at": "until when",
    "appointment_id": "the slot's id at a fulfilment centre",
    "pickup_at": "when the boxes are to be fetched, as 2026-11-26T14:00:00+05:30",
}
"""Each with what it holds."""

OWN = "bilty_"
"""May stand before any of the names, where a firm has a custom field of its own that is called the same."""
_BARE = {name.replace("_", ""): name for name in NAMES}


def customs(*lists: object) -> dict[str, object]:
    """The values by name; what is not blank in an earlier list goes first. Names of others are passed over."""
    found: dict[str, object] = {}
    for given in lists:
        for entry in given if isinstance(given, list) else ():
            if isinstance(entry, dict) and (name := _name(entry.get("name"))) and not is_blank(entry.get("value")):
                found.setdefault(name, entry.get("value"))
    return found


def _name(given: object) -> str:
    """However it is written: `E-way Bill Number` is ewaybill_number. Blank where it is none of ours."""
    if not isinstance(given, str) or len(given) > 80:
        return ""
    name = re.sub(r"[\s_-]+", "_", given.strip().lower()).removeprefix(OWN)
    return name if name in NAMES else _BARE.get(name.replace("_", ""), "")


def label(name: str) -> str:
    return f"custom field {name}"
