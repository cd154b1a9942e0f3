"""What was changed about a shipment, in words."""

from collections.abc import Mapping

from bilty.shipment import Party, Shipment, with_ewaybills
from bilty.words import listed

_WORDS: Mapping[str, str] = {
    "order_number": "the order number",
    "shipping_provider": "the Shipping Provider",
    "consignee": "the consignee",
    "payment": "the payment",
    "invoices": "the invoices",
    "boxes": "the boxes",
    "purchase_orders": "the purchase orders",
    "appointment": "the appointment",
    "pickup_at": "the pickup time",
}
_OF_CONSIGNEE: Mapping[str, str] = {
    "name": "name",
    "organisation": "organisation",
    "phone": "telephone number",
    "email": "e-mail address",
    "address": "address",
    "city": "city",
    "state": "state",
    "pincode": "PIN code",
    "country": "country",
    "gstin": "GSTIN",
}


def changed_fields(before: Shipment, after: Shipment) -> tuple[str, ...]:
    return tuple(name for name in _WORDS if getattr(before, name) != getattr(after, name))


def told_changes(before: Shipment, after: Shipment) -> str:
    """`the boxes (7 → 8) and the consignee's address`, blank where nothing differs."""
    return listed([_told(name, before, after) for name in changed_fields(before, after)])


def _told(name: str, before: Shipment, after: Shipment) -> str:
    if name == "consignee":
        return f"the consignee's {listed(_parts(before.consignee, after.consignee))}"
    if name == "invoices" and with_ewaybills(before, {}).invoices == with_ewaybills(after, {}).invoices:
        return "the e-way bills"
    if name == "boxes" and len(before.boxes) != len(after.boxes):
        return f"the boxes ({len(before.boxes)} → {len(after.boxes)})"
    return _WORDS[name]


def _parts(before: Party, after: Party) -> list[str]:
    return [words for name, words in _OF_CONSIGNEE.items() if getattr(before, name) != getattr(after, name)]
