"""The body of POST /api/v1/create-b2b-order/, read as strictly as its documentation allows.

Fields that the documentation does not call mandatory may be left out, unknown ones are ignored.
"""

from typing import Final

import msgspec

from bilty_sandbox.order import (
    B2B_TIME,
    BOXES_MAX,
    EWAYBILL_FROM_RUPEES,
    Carton,
    Consignee,
    Order,
    Style,
    Taxes,
    check_consignee_gstin,
    check_date,
    check_gstin,
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

PHONE_DIGITS_MAX: Final = 12
COUNTRIES: Final = frozenset({"India", "IN"})


class Place(msgspec.Struct):
    name: str
    phone: str
    organisation: str
    country: str = "India"
    address: str = ""
    city: str = ""
    state: str = ""
    pincode: str = ""
    email: str | None = None
    location_code: str | None = None
    tin: str | None = None
    lat: float | None = None
    long: float | None = None


class Pickup(Place, kw_only=True):
    time: str


class Numbered(msgspec.Struct):
    number: str


class Invoice(Numbered, kw_only=True):
    value: float
    date: str
    ewaybill_serial_number: str | None = None
    ewaybill_expiry_date: str | None = None


class Gst(Taxes, kw_only=True):
    enterprise_gstin: str
    consignee_gstin: str


class Product(msgspec.Struct):
    sku: str = ""


class Boxes(msgspec.Struct):
    count: int
    weight: int
    length: int | None = None
    breadth: int | None = None
    height: int | None = None
    box_master_code: str | None = None
    description: str | None = None
    reference_number_prefix: str | None = None
    invoice_info: list[Numbered] = []
    purchase_order_info: list[Numbered] = []
    product_info: list[Product] = []


class ShipmentInfo(msgspec.Struct):
    reference_number: str
    courier_partner: int
    account_code: str
    order_type: str
    delivery_type: str
    cod_value: float
    weight: int
    invoice_info: list[Invoice]
    box_info: list[Boxes]
    purchase_order_info: list[Numbered] = []
    gst_info: Gst | None = None


class Appointment(msgspec.Struct):
    start_time: str
    end_time: str
    id: str | None = None


class AdditionalInfo(msgspec.Struct):
    is_async: bool = True
    is_label_required: bool = True
    is_box_sticker_required: bool = False


class Payload(msgspec.Struct):
    pickup_info: Pickup
    drop_info: Place
    shipment_info: ShipmentInfo
    appointment_info: Appointment | None = None
    additional_info: AdditionalInfo | None = None


_DECODER = msgspec.json.Decoder(Payload)


def read(body: bytes, *, ewaybill_required: bool = False) -> Order:
    """Raises RefusedError at the first fault."""
    try:
        payload = _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise decode_fault(error) from error
    shipment = payload.shipment_info
    check_reference(shipment.reference_number)
    check_texts(314, "shipment_info", account_code=shipment.account_code)
    _check_place(payload.pickup_info, "pickup_info")
    _check_place(payload.drop_info, "drop_info")
    check_time(payload.pickup_info.time, B2B_TIME, "pickup_info.time")
    check_payment(shipment.order_type, shipment.delivery_type, shipment.cod_value)
    _check_papers(shipment, ewaybill_required=ewaybill_required)
    _check_boxes(shipment)
    return _order(payload, _appointment(payload.appointment_info))


def _check_place(place: Place, where: str) -> None:
    check_texts(314, where, name=place.name, phone=place.phone, organisation=place.organisation, country=place.country)
    check_phone(place.phone, PHONE_DIGITS_MAX, f"{where}.phone")
    require(place.country in COUNTRIES, 422, f"{where}.country must be India")
    if place.location_code:
        written = any((place.address, place.city, place.state, place.pincode, place.lat, place.long))
        require(not written, 422, f"{where}: give location_code or an address, not both")
    else:
        address = {"address": place.address, "city": place.city, "state": place.state, "pincode": place.pincode}
        check_texts(314, where, **address)
        check_pin(place.pincode, f"{where}.pincode")


def _check_papers(shipment: ShipmentInfo, *, ewaybill_required: bool) -> None:
    require(bool(shipment.invoice_info), 314, "shipment_info.invoice_info is mandatory")
    for invoice in shipment.invoice_info:
        check_texts(314, "invoice_info", number=invoice.number)
        check_date(invoice.date, "invoice_info.date")
        due = ewaybill_required and invoice.value >= EWAYBILL_FROM_RUPEES
        require(not due or bool(invoice.ewaybill_serial_number), 422, f"Invoice {invoice.number} needs an e-way bill")
    if shipment.gst_info is not None:
        check_gstin(shipment.gst_info.enterprise_gstin, "gst_info.enterprise_gstin")
        check_consignee_gstin(shipment.gst_info.consignee_gstin, "gst_info")
        check_taxes(shipment.gst_info, "gst_info")


def _check_boxes(shipment: ShipmentInfo) -> None:
    boxes = shipment.box_info
    require(bool(boxes), 312, "shipment_info.box_info is empty")
    invoices = {invoice.number for invoice in shipment.invoice_info}
    orders = {order.number for order in shipment.purchase_order_info}
    for box in boxes:
        _check_size(box)
        linked = all(invoice.number in invoices for invoice in box.invoice_info)
        require(linked, 422, "box_info refers to an invoice that the shipment does not have")
        linked = all(order.number in orders for order in box.purchase_order_info)
        require(linked, 422, "box_info refers to a purchase order that the shipment does not have")
    require(sum(box.count for box in boxes) <= BOXES_MAX, 422, f"{BOXES_MAX} boxes at most")
    total = sum(box.count * box.weight for box in boxes)
    require(total == shipment.weight, 422, f"The boxes weigh {total} g, the shipment {shipment.weight} g")
    _check_prefixes([box.reference_number_prefix or "" for box in boxes])


def _check_size(box: Boxes) -> None:
    require(box.count >= 1, 422, "box_info.count must be 1 or more")
    require(box.weight >= 1, 422, "box_info.weight must be whole grams, 1 or more")
    sides = (box.length, box.breadth, box.height)
    if box.box_master_code:
        require(not any(sides), 422, "box_info: give box_master_code or sizes, not both")
    else:
        require(all(side is not None and side > 0 for side in sides), 314, "box_info needs length, breadth and height")


def _check_prefixes(prefixes: list[str]) -> None:
    given = [prefix for prefix in prefixes if prefix]
    require(len(given) in {0, len(prefixes)}, 422, "reference_number_prefix: on every box or on none")
    require(len(set(given)) == len(given), 422, "reference_number_prefix must be different on each")


def _appointment(given: Appointment | None) -> dict[str, str] | None:
    if given is None:
        return None
    starts = check_time(given.start_time, B2B_TIME, "appointment_info.start_time")
    ends = check_time(given.end_time, B2B_TIME, "appointment_info.end_time")
    require(starts < ends, 422, "appointment_info must end after it starts")
    return {"start_time": given.start_time, "end_time": given.end_time, "id": given.id or ""}


def _order(payload: Payload, appointment: dict[str, str] | None) -> Order:
    shipment, drop = payload.shipment_info, payload.drop_info
    bills = {i.number: i.ewaybill_serial_number for i in shipment.invoice_info if i.ewaybill_serial_number}
    return Order(
        style=Style.B2B,
        reference=shipment.reference_number,
        cp_id=shipment.courier_partner,
        account_code=shipment.account_code,
        pickup_pincode=payload.pickup_info.pincode,
        sender=payload.pickup_info.organisation,
        consignee=Consignee(
            drop.name, drop.organisation, drop.address, drop.city, drop.state, drop.pincode, drop.phone
        ),
        cod_value=shipment.cod_value,
        weight_g=shipment.weight,
        invoices=tuple(invoice.number for invoice in shipment.invoice_info),
        ewaybills=bills,
        purchase_orders=tuple(order.number for order in shipment.purchase_order_info),
        boxes=_cartons(shipment),
        pickup_time=payload.pickup_info.time,
        appointment=appointment,
        consignee_gstin=shipment.gst_info.consignee_gstin if shipment.gst_info else "",
        gst_total_tax=(shipment.gst_info.gst_total_tax or 0) if shipment.gst_info else 0,
    )


def _cartons(shipment: ShipmentInfo) -> tuple[Carton, ...]:
    cartons: list[Carton] = []
    for box in shipment.box_info:
        prefix = box.reference_number_prefix
        for nth in range(1, box.count + 1):
            number = len(cartons) + 1
            cartons.append(
                Carton(
                    number=number,
                    reference=f"{prefix}.{nth:03}" if prefix else f"{shipment.reference_number}.{number:03}",
                    description=box.description or "",
                    sku=box.product_info[0].sku if box.product_info else "",
                    weight_g=box.weight,
                    length_cm=box.length or 0,
                    breadth_cm=box.breadth or 0,
                    height_cm=box.height or 0,
                )
            )
    return tuple(cartons)
