"""The body of POST /api/v3/create-order/ with `shipment_type` MPS, where each item is one carton."""

from typing import Final

import msgspec

from bilty_sandbox.order import (
    BOXES_MAX,
    EWAYBILL_FROM_RUPEES,
    MPS_TIME,
    Carton,
    Consignee,
    Order,
    Style,
    Taxes,
    check_consignee_gstin,
    check_date,
    check_payment,
    check_phone,
    check_pin,
    check_reference,
    check_taxes,
    check_texts,
    check_time,
    decode_fault,
    require,
)

PHONE_DIGITS_MAX: Final = 11
NAME_CHARS_MAX: Final = 100
ADDRESS_CHARS_MAX: Final = 500
INVOICE_NUMBER_CHARS_MAX: Final = 50


class Pickup(msgspec.Struct):
    pickup_name: str
    pickup_phone: str
    pickup_pincode: str
    pickup_address: str
    pickup_city: str
    pickup_state: str
    pickup_country: str
    pickup_time: str
    email: str | None = None
    tin: str | None = None


class Drop(msgspec.Struct):
    drop_name: str
    drop_phone: str
    drop_address: str
    drop_city: str
    drop_state: str
    drop_pincode: str
    drop_country: str
    drop_email: str | None = None


class Gst(Taxes):
    """`consignee_gstin` is compulsory for business customers, and only these send by this style here."""

    consignee_gstin: str = ""
    invoice_number: str | None = None
    ewaybill_serial_number: str | None = None


class Measures(msgspec.Struct):
    length: float = 0
    breadth: float = 0
    height: float = 0
    weight: int = 0


class Item(msgspec.Struct):
    description: str
    quantity: int
    price: float
    sku: str = ""
    gst_info: Gst | None = None
    additional: Measures | None = None


class Details(msgspec.Struct):
    shipment_type: str
    order_type: str
    cod_value: float
    reference_number: str
    courier_partner: int
    invoice_number: str
    invoice_date: str
    invoice_value: float
    weight: int
    length: float
    breadth: float
    height: float
    items: list[Item]


class Additional(msgspec.Struct):
    account_code: str
    delivery_type: str
    label: bool = True
    is_async: bool = msgspec.field(default=False, name="async")
    order_id: str | None = None


class Payload(msgspec.Struct):
    pickup_info: Pickup
    drop_info: Drop
    shipment_details: Details
    additional: Additional


_DECODER = msgspec.json.Decoder(Payload)


def read(body: bytes, *, ewaybill_required: bool = False) -> Order:
    """Raises RefusedError at the first fault."""
    try:
        payload = _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise decode_fault(error) from error
    details = payload.shipment_details
    check_reference(details.reference_number)
    check_texts(314, "additional", account_code=payload.additional.account_code)
    _check_pickup(payload.pickup_info)
    _check_drop(payload.drop_info)
    require(details.shipment_type == "MPS", 313, "shipment_type must be MPS for more than one carton")
    check_payment(details.order_type, payload.additional.delivery_type, details.cod_value)
    _check_invoice(details, ewaybill_required=ewaybill_required)
    _check_items(details)
    return _order(payload)


def _check_pickup(pickup: Pickup) -> None:
    names = {"pickup_name": pickup.pickup_name, "pickup_city": pickup.pickup_city, "pickup_state": pickup.pickup_state}
    check_texts(314, "pickup_info", **names, pickup_address=pickup.pickup_address)
    _check_lengths(pickup.pickup_name, pickup.pickup_address, "pickup")
    check_phone(pickup.pickup_phone, PHONE_DIGITS_MAX, "pickup_phone")
    check_pin(pickup.pickup_pincode, "pickup_pincode")
    require(pickup.pickup_country == "IN", 422, "pickup_country must be IN")
    check_time(pickup.pickup_time, MPS_TIME, "pickup_time")


def _check_drop(drop: Drop) -> None:
    names = {"drop_name": drop.drop_name, "drop_city": drop.drop_city, "drop_state": drop.drop_state}
    check_texts(314, "drop_info", **names, drop_address=drop.drop_address)
    _check_lengths(drop.drop_name, drop.drop_address, "drop")
    check_phone(drop.drop_phone, PHONE_DIGITS_MAX, "drop_phone")
    check_pin(drop.drop_pincode, "drop_pincode")
    require(drop.drop_country == "IN", 422, "drop_country must be IN")


def _check_lengths(name: str, address: str, where: str) -> None:
    require(len(name) <= NAME_CHARS_MAX, 422, f"{where}_name may have {NAME_CHARS_MAX} characters at most")
    require(len(address) <= ADDRESS_CHARS_MAX, 422, f"{where}_address may have {ADDRESS_CHARS_MAX} characters at most")


def _check_invoice(details: Details, *, ewaybill_required: bool) -> None:
    check_texts(314, "shipment_details", invoice_number=details.invoice_number)
    require(len(details.invoice_number) <= INVOICE_NUMBER_CHARS_MAX, 422, "invoice_number is too long")
    check_date(details.invoice_date, "invoice_date")
    due = ewaybill_required and details.invoice_value >= EWAYBILL_FROM_RUPEES
    require(not due or bool(_ewaybills(details)), 422, f"Invoice {details.invoice_number} needs an e-way bill")


def _check_items(details: Details) -> None:
    require(bool(details.items), 312, "shipment_details.items is empty")
    require(len(details.items) <= BOXES_MAX, 422, f"{BOXES_MAX} cartons at most")
    require(details.weight > 0, 422, "weight must be whole grams, 1 or more")
    require(all(item.quantity >= 1 for item in details.items), 422, "quantity must be 1 or more")
    for item in details.items:
        if item.gst_info is not None:
            check_consignee_gstin(item.gst_info.consignee_gstin, "items.gst_info")
            check_taxes(item.gst_info, "items.gst_info")


def _ewaybills(details: Details) -> dict[str, str]:
    return {
        item.gst_info.invoice_number or details.invoice_number: item.gst_info.ewaybill_serial_number
        for item in details.items
        if item.gst_info is not None and item.gst_info.ewaybill_serial_number
    }


def _invoices(details: Details) -> tuple[str, ...]:
    per_item = (item.gst_info.invoice_number for item in details.items if item.gst_info is not None)
    return tuple(dict.fromkeys((details.invoice_number, *(number for number in per_item if number))))


def _order(payload: Payload) -> Order:
    details, drop = payload.shipment_details, payload.drop_info
    return Order(
        style=Style.MPS,
        reference=details.reference_number,
        cp_id=details.courier_partner,
        account_code=payload.additional.account_code,
        pickup_pincode=payload.pickup_info.pickup_pincode,
        sender=payload.pickup_info.pickup_name,
        consignee=Consignee(
            drop.drop_name, "", drop.drop_address, drop.drop_city, drop.drop_state, drop.drop_pincode, drop.drop_phone
        ),
        cod_value=details.cod_value,
        weight_g=details.weight,
        invoices=_invoices(details),
        ewaybills=_ewaybills(details),
        purchase_orders=(),
        boxes=tuple(_carton(details, number, item) for number, item in enumerate(details.items, start=1)),
        pickup_time=payload.pickup_info.pickup_time,
        appointment=None,
        consignee_gstin=next((item.gst_info.consignee_gstin for item in details.items if item.gst_info), ""),
        gst_total_tax=round(sum(item.gst_info.gst_total_tax or 0 for item in details.items if item.gst_info), 2),
    )


def _carton(details: Details, number: int, item: Item) -> Carton:
    measures = item.additional or Measures()
    return Carton(
        number=number,
        # This style has one reference for all cartons: their description or sku alone tells them apart.
        reference=details.reference_number,
        description=item.description,
        sku=item.sku,
        weight_g=measures.weight,
        length_cm=measures.length,
        breadth_cm=measures.breadth,
        height_cm=measures.height,
    )
