"""What is said once there is an AWB: its e-way bill, and a pickup apart from the order."""

import re
from datetime import datetime
from typing import Final

import msgspec

from bilty_sandbox import wire
from bilty_sandbox.book import Booking, Van
from bilty_sandbox.couriers import CP_IDS, find_account
from bilty_sandbox.kinds import Kind
from bilty_sandbox.order import RefusedError, check_texts, decode_fault, require
from bilty_sandbox.orders import busy
from bilty_sandbox.plan import HANG_SECONDS
from bilty_sandbox.server import Answer, Reply, Request, Reset
from bilty_sandbox.world import World

EWAYBILL_SERVICE: Final = 2
ITEMS_CHARS_MAX: Final = 200
LATE_SECONDS: Final = 20.0


class Edit(msgspec.Struct):
    awb_number: str
    courier_partner: int
    edit_order_service: int
    ewaybill_serial_number: str
    invoice_number: str
    invoice_date: str = ""


class Pickup(msgspec.Struct):
    """It names no shipment: which one is meant stands in `items`, if anywhere."""

    pickup_date: str
    courier_partner: int
    account_code: str
    items: str
    pickup_name: str
    pickup_phone: str
    pickup_email: str
    pickup_address: str
    pickup_city: str
    pickup_state: str
    pickup_pincode: str
    pickup_country: str


_EDIT = msgspec.json.Decoder(Edit)
_PICKUP = msgspec.json.Decoder(Pickup)
_WORD = re.compile(r"[A-Za-z0-9_/-]+")


def edit(world: World, request: Request) -> Answer:
    """Only the e-way bill can be edited here."""
    try:
        asked = _EDIT.decode(request.body)
    except msgspec.DecodeError as error:
        refused = decode_fault(error)
        return wire.envelope(refused.code, refused.message, result=None)
    booking = world.book.find_by_awb(asked.awb_number, world.clock.now())
    if booking is None or booking.account.cp_id != asked.courier_partner:
        return wire.envelope(321, "AWB does not exist", result=None)
    if asked.edit_order_service != EWAYBILL_SERVICE or asked.invoice_number not in booking.order.invoices:
        return wire.envelope(422, "Nothing to edit by this service and invoice", result=None)
    booking.edit_calls += 1
    return _edited(world, booking, asked, faulty=booking.edit_calls <= booking.plan.faulty_edits)


def _edited(world: World, booking: Booking, asked: Edit, *, faulty: bool) -> Answer:
    if faulty and booking.plan.has(Kind.EDIT_REFUSED):
        return wire.envelope(422, "Courier does not take this e-way bill", result=None)
    if faulty and booking.plan.has(Kind.EDIT_502):
        return wire.html(502, wire.BAD_GATEWAY_HTML)
    if faulty and booking.plan.has(Kind.EDIT_BUSY):
        return busy(world)
    booking.ewaybills[asked.invoice_number] = asked.ewaybill_serial_number
    if faulty and booking.plan.has(Kind.EDIT_UNHEARD):
        return Reset()
    return wire.envelope(200, "Order edited", result={"waybill": booking.awb})


def create_pickup(world: World, request: Request) -> Answer:
    """Each call that is taken in sends a van, however often it is said."""
    try:
        asked = _decoded(request.body)
    except RefusedError as refused:
        return wire.envelope(refused.code, refused.message, result=None)
    booking = _meant(world, asked.items)
    if booking is None:
        return _booked("0", asked)
    booking.van_calls += 1
    faulty = booking.van_calls <= booking.plan.faulty_vans
    unbooked = _turned_away(world, booking) if faulty else None
    if unbooked is not None:
        return unbooked
    number = booking.dice.hex(f"van {booking.van_calls}", 8)
    booking.vans.append(Van(asked.pickup_date, asked.items, asked.pickup_address, number))
    return _misheard(booking, _booked(number, asked)) if faulty else _booked(number, asked)


def _decoded(body: bytes) -> Pickup:
    """Raises RefusedError."""
    try:
        asked = _PICKUP.decode(body)
    except msgspec.DecodeError as error:
        raise decode_fault(error) from error
    check_texts(400, "pickup", items=asked.items, pickup_name=asked.pickup_name, pickup_address=asked.pickup_address)
    check_texts(400, "pickup", pickup_city=asked.pickup_city, pickup_state=asked.pickup_state)
    require(len(asked.items) <= ITEMS_CHARS_MAX, 400, f"items may have {ITEMS_CHARS_MAX} characters at most")
    require(_is_moment(asked.pickup_date), 400, f"pickup_date {asked.pickup_date!r} is no time")
    require(re.fullmatch("[1-9][0-9]{5}", asked.pickup_pincode) is not None, 400, "pickup_pincode must have 6 digits")
    require(re.fullmatch("[0-9]{10,12}", asked.pickup_phone) is not None, 400, "pickup_phone must have 10 to 12 digits")
    require(asked.courier_partner in CP_IDS, 302, f"Invalid courier partner id {asked.courier_partner}")
    known = find_account(asked.courier_partner, asked.account_code) is not None
    require(known, 351, f"No account {asked.account_code} for courier partner {asked.courier_partner}")
    return asked


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _meant(world: World, items: str) -> Booking | None:
    """By the AWB that the description of the goods names."""
    now = world.clock.now()
    found = (world.book.find_by_awb(word, now) for word in _WORD.findall(items))
    return next((booking for booking in found if booking is not None), None)


def _turned_away(world: World, booking: Booking) -> Answer | None:
    """Answers after which no van comes."""
    if booking.plan.has(Kind.VAN_REFUSED):
        return wire.envelope(319, "{'status': 'error', 'remark': 'no pickup slot left for this route'}", result=None)
    if booking.plan.has(Kind.VAN_500):
        return wire.envelope(500, "Internal server error", http=500, result=None)
    return busy(world) if booking.plan.has(Kind.VAN_BUSY) else None


def _misheard(booking: Booking, answer: Reply) -> Answer:
    """What is heard of a van that comes all the same."""
    if booking.plan.has(Kind.VAN_UNHEARD):
        return Reset()
    if booking.plan.has(Kind.VAN_HANG):
        return Reset(wait=HANG_SECONDS)
    if booking.plan.has(Kind.VAN_NUMBERLESS):
        return wire.envelope(200, "SUCCESS", result={"location": None, "confirmation_number": None})
    late = booking.plan.has(Kind.VAN_LATE)
    return msgspec.structs.replace(answer, wait=LATE_SECONDS) if late else answer


def _booked(number: str, asked: Pickup) -> Reply:
    place = asked.pickup_city[:3].upper()
    return wire.envelope(200, "SUCCESS", result={"location": place, "confirmation_number": number})
