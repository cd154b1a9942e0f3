"""Bilty's names of fields, said as Uniware says them: whoever reads a fault has Uniware's document before them."""

import re
from collections.abc import Iterable, Mapping

from bilty.intake.reader import Fault
from bilty.intake.uniware.customs import label

_INDEX = re.compile(r"\[[0-9]+\]")
_NAMES: Mapping[str, str] = {
    "number": "Shipment.code",
    "order_number": "Shipment.SaleOrderCode",
    "shipping_provider": label("shipping_provider"),
    "consignee.name": "deliveryAddressDetails.name",
    "consignee.organisation": "deliveryAddressDetails.name",
    "consignee.phone": "deliveryAddressDetails.phone",
    "consignee.email": "deliveryAddressDetails.email",
    "consignee.address": "deliveryAddressDetails.address1",
    "consignee.city": "deliveryAddressDetails.city",
    "consignee.state": "deliveryAddressDetails.state",
    "consignee.pincode": "deliveryAddressDetails.pincode",
    "consignee.country": "deliveryAddressDetails.country",
    "consignee.gstin": "deliveryAddressDetails.gstin",
    "payment.mode": "paymentMode",
    "payment.cod_amount": "collectableAmount",
    "invoices[].number": "Shipment.invoiceCode",
    "invoices[].date": label("invoice_date"),
    "invoices[].value": "totalAmount",
    "invoices[].taxable_value": label("taxable_value"),
    "invoices[].cgst": label("cgst"),
    "invoices[].sgst": label("sgst"),
    "invoices[].igst": label("igst"),
    "invoices[].ewaybill_number": label("ewaybill_number"),
    "invoices[].ewaybill_expires_on": label("ewaybill_expires_on"),
    "purchase_orders[].number": label("purchase_order"),
    "purchase_orders[].expires_on": label("purchase_order_expires_on"),
    "boxes": "Shipment.numberOfBoxes",
    "boxes[].invoice": "Shipment.invoiceCode",
    "boxes[].purchase_order": label("purchase_order"),
    "boxes[].weight_g": "Shipment.weight",
    "boxes[].items": "Shipment.items",
    "boxes[].items[]": "Shipment.items[]",
    "boxes[].items[].sku": "Shipment.items[].skuCode",
    "boxes[].items[].description": "Shipment.items[].name",
    "boxes[].items[].hsn": "Shipment.items[].hsnCode",
    "boxes[].items[].quantity": "Shipment.items[].quantity",
    "boxes[].items[].unit_price": "Shipment.items[].itemPrice",
    "appointment": label("appointment_starts_at"),
    "appointment.starts_at": label("appointment_starts_at"),
    "appointment.ends_at": label("appointment_ends_at"),
    "appointment.id": label("appointment_id"),
    "pickup_at": label("pickup_at"),
}


def in_uniwares_words(faults: Iterable[Fault], passed_over: tuple[str, ...]) -> list[Fault]:
    """One fault a field, the first. `passed_over`: the objects of which it was said already that they are missing."""
    told: dict[str, Fault] = {}
    for fault in faults:
        renamed = _renamed(fault)
        if not renamed.field.startswith(passed_over):
            told.setdefault(renamed.field, renamed)
    return list(told.values())


def _renamed(fault: Fault) -> Fault:
    """The sentence begins with the name of the field, which is said in full, or names what it means by itself."""
    name = _NAMES.get(_INDEX.sub("[]", fault.field), fault.field)
    indexes = _INDEX.findall(fault.field)
    name = name.replace("[]", indexes[-1] if indexes else "")
    leaf = fault.field.rpartition(".")[2]
    if fault.message.startswith(f"{leaf} "):
        return Fault(name, fault.value, name + fault.message.removeprefix(leaf))
    whole = fault.message.startswith(f"{fault.field} ")
    rest = fault.message.removeprefix(f"{fault.field} ") if whole else fault.message
    return Fault(name, fault.value, f"{name} {rest}" if whole else f"{name}: {rest}")
