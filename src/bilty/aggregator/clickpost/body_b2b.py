"""The body of create-b2b-order, ClickPost's B2B call. Pure.

Each box is an object of its own with `count` 1, though alike ones could share one: so each gets a prefix of its own,
and the courier's child waybills tell which box they are for.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bilty.aggregator import Booking
from bilty.children import box_description
from bilty.shipment import Box, Facility, Invoice, Party, PaymentMode, PurchaseOrder, Shipment
from bilty.shipping_provider import Terms

COUNTRIES = {"IN": "India"}
"""This call writes the country out."""

Fields = dict[str, object]


def body(booking: Booking, *, box_stickers: bool, unregistered_gstin: str) -> Fields:
    """`unregistered_gstin` stands where a consignee has no GSTIN: the field is documented as mandatory."""
    assert booking.terms is not None, "a create call has its times settled"
    shipment, facility = booking.shipment, booking.facility
    appointment = _appointment(booking.terms, facility)
    return {
        "pickup_info": _pickup(facility, booking.terms),
        "drop_info": _contact(shipment.consignee) | _address(shipment.consignee),
        "shipment_info": _shipment(booking, unregistered_gstin),
        **({"appointment_info": appointment} if appointment else {}),
        "additional_info": {
            "is_async": True,
            "is_label_required": True,
            "is_box_sticker_required": box_stickers,
        },
    }


def _pickup(facility: Facility, terms: Terms) -> Fields:
    party = facility.pickup
    if facility.location_code:
        nowhere = {"address": "", "city": "", "state": "", "pincode": "", "location_code": facility.location_code}
        where: Mapping[str, object] = nowhere
    else:
        where = _address(party)
    return {**_contact(party), **where, "time": local_time(terms.pickup_at, facility)}


def _contact(party: Party) -> Fields:
    told = {
        "name": party.name,
        "phone": party.phone,
        "organisation": party.organisation,
        "country": COUNTRIES.get(party.country, party.country),
    }
    return told | _present(email=party.email, tin=party.gstin)


def _address(party: Party) -> Fields:
    return {"address": party.address, "city": party.city, "state": party.state, "pincode": party.pincode}


def local_time(moment: datetime, facility: Facility) -> str:
    return moment.astimezone(ZoneInfo(facility.time_zone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def _appointment(terms: Terms, facility: Facility) -> Fields:
    if terms.appointment is None:
        return {}
    slot = terms.appointment
    hours = {"start_time": local_time(slot.starts_at, facility), "end_time": local_time(slot.ends_at, facility)}
    return hours | _present(id=slot.id)


def _shipment(booking: Booking, unregistered_gstin: str) -> Fields:
    shipment, courier = booking.shipment, booking.courier
    assert courier is not None, "a create call is for one courier"
    orders = [_purchase_order(order) for order in shipment.purchase_orders]
    gst = _gst(shipment, booking.facility, unregistered_gstin)
    return {
        "reference_number": booking.reference,
        "courier_partner": courier.cp_id,
        "account_code": courier.account_code,
        "order_type": shipment.payment.mode.upper(),
        "delivery_type": "FORWARD",
        "cod_value": cod_value(shipment),
        "weight": shipment.weight_g,
        "invoice_info": [_invoice(invoice) for invoice in shipment.invoices],
        **({"purchase_order_info": orders} if orders else {}),
        **({"gst_info": gst} if gst else {}),
        "box_info": [_box(shipment, number, box) for number, box in enumerate(shipment.boxes, start=1)],
    }


def cod_value(shipment: Shipment) -> Decimal:
    return shipment.payment.cod_amount if shipment.payment.mode is PaymentMode.COD else Decimal(0)


def _invoice(invoice: Invoice) -> Fields:
    told = {"number": invoice.number, "value": invoice.value, "date": day(invoice.date)}
    bill = _present(
        ewaybill_serial_number=invoice.ewaybill_number, ewaybill_expiry_date=day(invoice.ewaybill_expires_on)
    )
    return told | bill


def _purchase_order(order: PurchaseOrder) -> Fields:
    return {"number": order.number} | _present(expiry_date=day(order.expires_on))


def day(told: date | None) -> str:
    """YYYY-MM-DD, blank for none."""
    return "" if told is None else told.isoformat()


def _gst(shipment: Shipment, facility: Facility, unregistered_gstin: str) -> Fields:
    """Nothing where the sender has no GSTIN: the object is documented with it, and half of one would be refused."""
    if not facility.pickup.gstin:
        return {}
    told: Fields = {
        "enterprise_gstin": facility.pickup.gstin,
        "consignee_gstin": shipment.consignee.gstin or unregistered_gstin,
    }
    return told | amounts(shipment.invoices)


def amounts(invoices: tuple[Invoice, ...]) -> Fields:
    """Taxable value and taxes in all, each only where every invoice tells its part: half a sum would be a lie."""
    told: Fields = {}
    taxable = [invoice.taxable_value for invoice in invoices if invoice.taxable_value is not None]
    if invoices and len(taxable) == len(invoices):
        told["taxable_value"] = sum(taxable, Decimal(0))
    taxes = [(i.sgst or Decimal(0), i.cgst or Decimal(0), i.igst or Decimal(0)) for i in invoices if _tells_taxes(i)]
    if invoices and len(taxes) == len(invoices):
        sgst, cgst, igst = (sum(column, Decimal(0)) for column in zip(*taxes, strict=True))
        told |= {"gst_total_tax": sgst + cgst + igst, "sgst_amount": sgst, "cgst_amount": cgst, "igst_amount": igst}
    return told


def _tells_taxes(invoice: Invoice) -> bool:
    return any(tax is not None for tax in (invoice.cgst, invoice.sgst, invoice.igst))


def _box(shipment: Shipment, number: int, box: Box) -> Fields:
    told: Fields = {
        "count": 1,
        "length": box.length_cm,
        "breadth": box.breadth_cm,
        "height": box.height_cm,
        "weight": box.weight_g,
        "description": box_description(number, len(shipment.boxes)),
        "reference_number_prefix": shipment.box_reference(number),
    }
    if box.invoice:
        told["invoice_info"] = [{"number": box.invoice}]
    if box.purchase_order:
        told["purchase_order_info"] = [{"number": box.purchase_order}]
    if box.items:
        told["product_info"] = [
            {"sku": item.sku, "sku_count": item.quantity, "price": item.unit_price} for item in box.items
        ]
    return told


def _present(**fields: str) -> Fields:
    """Optional fields without the blank ones."""
    return {name: value for name, value in fields.items() if value}
