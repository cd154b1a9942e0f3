"""The body of v3 create-order with `shipment_type` MPS, the older way to send many boxes. Pure.

Each element of `items` is one carton. This call has one invoice for all, no purchase orders, no appointment and no
saved locations; what it cannot carry is left out.
"""

from collections.abc import Sequence
from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal

from bilty.aggregator import Booking
from bilty.aggregator.clickpost.body_b2b import Fields, amounts, cod_value, day
from bilty.children import box_description
from bilty.shipment import Box, Facility, Invoice, Party, Shipment
from bilty.shipping_provider import Terms

PAISA = Decimal("0.01")


def body(booking: Booking, *, unregistered_gstin: str) -> Fields:
    """`unregistered_gstin` stands where a consignee has no GSTIN: the field is documented as compulsory."""
    assert booking.terms is not None, "a create call has its times settled"
    assert booking.courier is not None, "a create call is for one courier"
    shipment = booking.shipment
    return {
        "pickup_info": _pickup(booking.facility, booking.terms),
        "drop_info": _drop(shipment.consignee),
        "shipment_details": _details(booking, booking.courier.cp_id, unregistered_gstin),
        "additional": {
            "label": True,
            "async": True,
            "data_validation": True,
            "account_code": booking.courier.account_code,
            "delivery_type": "FORWARD",
            "order_id": shipment.order_number,
        },
    }


def largest(boxes: Sequence[Box]) -> Box:
    """Where one size must stand for all boxes: the one that takes most room."""
    return max(boxes, key=lambda box: box.length_cm * box.breadth_cm * box.height_cm)


def _pickup(facility: Facility, terms: Terms) -> Fields:
    party = facility.pickup
    return {
        "pickup_name": party.organisation or party.name,
        "pickup_phone": party.phone,
        "pickup_pincode": party.pincode,
        "pickup_address": party.address,
        "pickup_city": party.city,
        "pickup_state": party.state,
        "pickup_country": party.country,
        "pickup_time": terms.pickup_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "email": party.email,
        "tin": party.gstin,
    }


def _drop(party: Party) -> Fields:
    return {
        "drop_name": party.name,
        "drop_phone": party.phone,
        "drop_address": party.address,
        "drop_city": party.city,
        "drop_state": party.state,
        "drop_pincode": party.pincode,
        "drop_country": party.country,
        "drop_email": party.email,
    }


def _details(booking: Booking, cp_id: int, unregistered_gstin: str) -> Fields:
    shipment = booking.shipment
    headline, size = shipment.invoices[0], largest(shipment.boxes)
    return {
        "shipment_type": "MPS",
        "order_type": shipment.payment.mode.upper(),
        "cod_value": cod_value(shipment),
        "reference_number": booking.reference,
        "courier_partner": cp_id,
        "invoice_number": headline.number,
        "invoice_date": headline.date.isoformat(),
        "invoice_value": shipment.value,
        "weight": shipment.weight_g,
        "length": size.length_cm,
        "breadth": size.breadth_cm,
        "height": size.height_cm,
        "items": _cartons(shipment, booking.facility, unregistered_gstin),
    }


def _cartons(shipment: Shipment, facility: Facility, unregistered_gstin: str) -> list[Fields]:
    """A box's invoice is the one it names, else the first. Its tax amounts go out once, so that cartons add up."""
    invoices = {invoice.number: invoice for invoice in shipment.invoices}
    told: set[str] = set()
    cartons = []
    for number, box in enumerate(shipment.boxes, start=1):
        invoice = invoices.get(box.invoice, shipment.invoices[0])
        taxes = {} if invoice.number in told else amounts((invoice,))
        told.add(invoice.number)
        gst = _parties(shipment, facility, unregistered_gstin) | _paper(invoice, box) | taxes
        cartons.append(_carton(shipment, number, box) | {"gst_info": gst})
    return cartons


def _carton(shipment: Shipment, number: int, box: Box) -> Fields:
    """`sku` is the box's own reference, not an item's: children come back with it, and it names one box alone."""
    return {
        "sku": shipment.box_reference(number),
        "description": box_description(number, len(shipment.boxes)),
        "quantity": 1,
        "price": _price(shipment, box),
        "additional": {
            "length": box.length_cm,
            "breadth": box.breadth_cm,
            "height": box.height_cm,
            "weight": box.weight_g,
        },
    }


def _price(shipment: Shipment, box: Box) -> Decimal:
    """What is in the box; where the box does not tell, an even share of the whole: a price is compulsory here."""
    if box.items:
        return sum((item.unit_price * item.quantity for item in box.items), Decimal(0))
    return (shipment.value / len(shipment.boxes)).quantize(PAISA, ROUND_HALF_UP)


def _parties(shipment: Shipment, facility: Facility, unregistered_gstin: str) -> Fields:
    seller = facility.pickup
    return {
        "seller_gstin": seller.gstin,
        "enterprise_gstin": seller.gstin,
        "consignee_gstin": shipment.consignee.gstin or unregistered_gstin,
        "is_seller_registered_under_gst": bool(seller.gstin),
        "seller_name": seller.organisation,
        "seller_address": seller.address,
        "seller_state": seller.state,
        "seller_pincode": seller.pincode,
        "place_of_supply": shipment.consignee.state,
    }


def _paper(invoice: Invoice, box: Box) -> Fields:
    told: Fields = {
        "invoice_reference": invoice.number,
        "invoice_number": invoice.number,
        "invoice_date": invoice.date.isoformat(),
        "invoice_value": invoice.value,
    }
    if box.items and box.items[0].hsn:
        told["hsn_code"] = box.items[0].hsn
    if invoice.ewaybill_number:
        told["ewaybill_serial_number"] = invoice.ewaybill_number
    if expires_on := day(invoice.ewaybill_expires_on):
        told["ewaybill_expiry_date"] = f"{expires_on} 23:59:59"
    return told
