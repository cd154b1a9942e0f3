"""The sandbox's own endpoints, under /sandbox: what is true, and what shall go wrong next. They never misbehave."""

from typing import Final

import msgspec

from bilty_sandbox.mischief import Policy
from bilty_sandbox.server import Reply, Request
from bilty_sandbox.truth import Truth, truth_of
from bilty_sandbox.world import World

PAGE_BOOKINGS: Final = 1000
PAGE_BOOKINGS_MAX: Final = 10_000
OUTAGE_SECONDS_MAX: Final = 24 * 3600.0

_encode = msgspec.json.Encoder().encode


def healthz(world: World, request: Request) -> Reply:
    del world, request
    return _ok({"status": "ok"})


def tell_truth(world: World, request: Request) -> Reply:
    """?reference= for one; ?limit= and ?offset= for a page."""
    now = world.clock.now()
    limit = _whole(request.query.get("limit"), PAGE_BOOKINGS, PAGE_BOOKINGS_MAX)
    offset = _whole(request.query.get("offset"), 0, len(world.book))
    bookings = world.book.bookings()
    pending = tuple(booking.reference for booking in bookings if booking.pending(now))
    if "reference" in request.query:
        bookings = [booking for booking in bookings if booking.reference == request.query["reference"]]
    page = bookings[offset : offset + limit]
    return _ok(Truth(len(bookings), pending, tuple(truth_of(booking, now) for booking in page)))


def counters(world: World, request: Request) -> Reply:
    del request
    counted = {"calls": dict(world.calls), "kinds": dict(world.kinds), "refusals": dict(world.refusals)}
    return _ok({**counted, "bookings": len(world.book)})


def reset(world: World, request: Request) -> Reply:
    del request
    world.reset()
    return _ok({"status": "ok"})


def show_mischief(world: World, request: Request) -> Reply:
    del request
    return _ok(world.policy)


def set_mischief(world: World, request: Request) -> Reply:
    """Replaces the whole policy: what is left out is as in a fresh one. Bookings already heard of keep their story."""
    try:
        world.policy = msgspec.json.decode(request.body, type=Policy)
    except msgspec.DecodeError as error:
        return _fault(str(error))
    return _ok(world.policy)


class Pickup(msgspec.Struct, forbid_unknown_fields=True):
    awb: str


def pick_up(world: World, request: Request) -> Reply:
    """The courier's van comes. From then on the shipment cannot be cancelled."""
    try:
        asked = msgspec.json.decode(request.body, type=Pickup)
    except msgspec.DecodeError as error:
        return _fault(str(error))
    now = world.clock.now()
    booking = world.book.find_by_awb(asked.awb, now)
    if booking is None or booking.cancelled(now):
        return _fault(f"no live shipment has the AWB {asked.awb}", status=404)
    if not booking.picked_up(now):
        booking.picked_up_by_hand_at = now
    return _ok(truth_of(booking, now))


class Outage(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


def begin_outage(world: World, request: Request) -> Reply:
    """The whole host falls silent now, for so many seconds of the sandbox's time; 0 ends such a silence."""
    try:
        asked = msgspec.json.decode(request.body, type=Outage)
    except msgspec.DecodeError as error:
        return _fault(str(error))
    world.silent_until = world.clock.now() + min(max(asked.seconds, 0.0), OUTAGE_SECONDS_MAX)
    return _ok({"seconds": asked.seconds})


def _whole(text: str | None, default: int, most: int) -> int:
    return min(int(text), most) if text is not None and text.isascii() and text.isdigit() else default


def _ok(value: object) -> Reply:
    return Reply(_encode(value))


def _fault(message: str, *, status: int = 400) -> Reply:
    return Reply(_encode({"error": message}), status=status)
