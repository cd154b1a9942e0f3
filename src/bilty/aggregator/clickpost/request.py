"""What is said to ClickPost, one function a call. Pure: a booking in, a `Request` out.

Only `create` books. `inquire` is a GET in both styles: the older documentation polls by posting the order again,
which would book it if it was not booked yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from urllib.parse import urlsplit

import msgspec

from bilty.aggregator import Booking
from bilty.aggregator.clickpost import body_b2b, body_mps
from bilty.aggregator.clickpost.wire import Request
from bilty.reply import Courier
from bilty.shipment import Invoice

CLICKPOST_URL = "https://www.clickpost.in/api"
CLICKPOST_TRACKING_URL = "https://api.clickpost.in/api"
WHAT_IS_SENT = "Goods"
"""The recommendation wants a name of the goods; where the boxes tell no items there is none."""

EWAYBILL_SERVICE = 2
"""Which part of an order `edit-order` is to edit."""
ITEMS_CHARS_MAX = 200

_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Decimals go out as JSON numbers digit by digit: no float comes near money."""


class CreateStyle(StrEnum):
    B2B_V1 = "b2b_v1"
    MPS_V3 = "mps_v3"


class StatusStyle(StrEnum):
    GET_B2B = "get_b2b"
    GET_V3 = "get_v3"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where and how ClickPost is spoken to. `base_url` ends in `/api`; blanks follow from the others."""

    base_url: str = CLICKPOST_URL
    tracking_url: str = ""
    create_style: CreateStyle = CreateStyle.B2B_V1
    status_style: StatusStyle | None = None
    box_stickers: bool = False
    unregistered_gstin: str = "URP"
    allow_private_addresses: bool = False

    def url(self, request: Request) -> str:
        base = self._tracking_base if request.tracking else self.base_url
        return f"{base.rstrip('/')}/{request.path}"

    @property
    def _tracking_base(self) -> str:
        if self.tracking_url:
            return self.tracking_url
        own = urlsplit(self.base_url).hostname == urlsplit(CLICKPOST_URL).hostname
        return CLICKPOST_TRACKING_URL if own else self.base_url

    @property
    def inquire_style(self) -> StatusStyle:
        follows = StatusStyle.GET_B2B if self.create_style is CreateStyle.B2B_V1 else StatusStyle.GET_V3
        return self.status_style or follows


def recommend(booking: Booking) -> Request:
    shipment = booking.shipment
    largest = body_mps.largest(shipment.boxes)
    names = (item.description or item.sku for box in shipment.boxes for item in box.items)
    lane = {
        "reference_number": booking.reference,
        "item": next(names, WHAT_IS_SENT),
        "pickup_pincode": booking.facility.pickup.pincode,
        "drop_pincode": shipment.consignee.pincode,
        "order_type": shipment.payment.mode.upper(),
        "delivery_type": "FORWARD",
        "invoice_value": shipment.value,
        "weight": shipment.weight_g,
        "length": largest.length_cm,
        "breadth": largest.breadth_cm,
        "height": largest.height_cm,
        "additional": {"custom_fields": []},
    }
    return _post("v1/recommendation_api/", [lane])


def create(booking: Booking, endpoints: Endpoints) -> Request:
    match endpoints.create_style:
        case CreateStyle.B2B_V1:
            return _post(
                "v1/create-b2b-order/",
                body_b2b.body(
                    booking, box_stickers=endpoints.box_stickers, unregistered_gstin=endpoints.unregistered_gstin
                ),
            )
        case CreateStyle.MPS_V3:
            return _post("v3/create-order/", body_mps.body(booking, unregistered_gstin=endpoints.unregistered_gstin))
        case _:
            assert_never(endpoints.create_style)


def inquire(booking: Booking, endpoints: Endpoints) -> Request:
    match endpoints.inquire_style:
        case StatusStyle.GET_B2B:
            return _get("v1/create-b2b-order/", reference_number=booking.reference)
        case StatusStyle.GET_V3:
            return _get("v3/create-order/", reference_number=booking.reference)
        case _:
            assert_never(endpoints.inquire_style)


def label(booking: Booking) -> Request:
    cp_id = str(courier(booking).cp_id)
    return _get("v1/fetch/shippinglabel/", waybill=booking.awb, cp_id=cp_id, regenerate="false")


def cancel(booking: Booking) -> Request:
    who = courier(booking)
    return _get("v1/cancel-order/", waybill=booking.awb, cp_id=str(who.cp_id), account_code=who.account_code)


def track(booking: Booking) -> Request:
    return _get("v2/track-order/", tracking=True, waybill=booking.awb, cp_id=str(courier(booking).cp_id))


def accounts() -> Request:
    return _get("v1/fetch-accounts", active="true")


def tell_ewaybill(booking: Booking, invoice: Invoice) -> Request:
    bill = {
        "awb_number": booking.awb,
        "courier_partner": courier(booking).cp_id,
        "edit_order_service": EWAYBILL_SERVICE,
        "ewaybill_serial_number": invoice.ewaybill_number,
        "invoice_number": invoice.number,
        "invoice_date": body_b2b.day(invoice.date),
    }
    return _post("v1/edit-order/", bill)


def ask_pickup(booking: Booking, at: datetime) -> Request:
    """The call names no shipment, so the goods are described by their AWB: whoever comes knows what to ask for.

    The address is sent though ClickPost has it saved: this call knows no saved places.
    """
    who, party, boxes = courier(booking), booking.facility.pickup, len(booking.shipment.boxes)
    pickup = {
        "pickup_date": body_b2b.local_time(at, booking.facility),
        "courier_partner": who.cp_id,
        "account_code": who.account_code,
        "items": f"{boxes} {'box' if boxes == 1 else 'boxes'}, AWB {booking.awb}"[:ITEMS_CHARS_MAX],
        "pickup_name": party.name,
        "pickup_phone": party.phone,
        "pickup_email": party.email,
        "pickup_address": party.address,
        "pickup_city": party.city,
        "pickup_state": party.state,
        "pickup_pincode": party.pincode,
        "pickup_country": party.country,
    }
    return _post("v1/create-pickup/", pickup)


def courier(booking: Booking) -> Courier:
    assert booking.courier is not None, "only a ranking goes without a courier"
    return booking.courier


def _get(path: str, *, tracking: bool = False, **query: str) -> Request:
    return Request("GET", path, tuple(query.items()), tracking=tracking)


def _post(path: str, body: Mapping[str, object] | list[dict[str, object]]) -> Request:
    return Request("POST", path, body=_ENCODER.encode(body))
