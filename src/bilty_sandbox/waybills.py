"""Calls about an AWB that exists: its label, its cancellation, its tracking."""

from typing import Final

from bilty_sandbox import wire
from bilty_sandbox.book import Booking, Cancelled, Link
from bilty_sandbox.couriers import find_account
from bilty_sandbox.kinds import Kind
from bilty_sandbox.orders import link_url
from bilty_sandbox.server import Answer, Half, Reply, Request
from bilty_sandbox.wire import Json
from bilty_sandbox.world import World

TRACKED_AWBS_MAX: Final = 5
PDF_TYPE: Final = "application/pdf"
LABEL_PATH: Final = "/labels/"


def label_link(world: World, request: Request) -> Answer:
    """A link that has expired is replaced without asking; `regenerate=true` replaces it in any case."""
    now = world.clock.now()
    booking = _shipment(world, request.query, now)
    if booking is None:
        return wire.envelope(330, "Waybill does not exist", result=None)
    url = None
    if booking.has_label(now):
        expired = bool(booking.links) and booking.links[-1].expired(now)
        fresh = expired or request.query.get("regenerate", "").lower() == "true"
        url = link_url(request, world.book.link(booking, now, fresh=fresh).token)
    return wire.envelope(200, "SUCCESS", result={"shipping_label": url})


def label_file(world: World, request: Request) -> Answer:
    """The PDF, unless its link misbehaves at first. Like a file store, it knows no keys: the address is the key."""
    link = world.book.find_link(request.path.removeprefix(LABEL_PATH).removesuffix(".pdf"))
    if link is None or link.expired(world.clock.now()):
        return wire.expired_link_xml()
    link.downloads += 1
    plan = link.booking.plan
    faulty = link is link.booking.links[0] and link.downloads <= plan.faulty_downloads
    if faulty and plan.has(Kind.LINK_503):
        return wire.html(503, b"<html><body>Slow Down</body></html>")
    if faulty and plan.has(Kind.LINK_HTML):
        return wire.html(200, b"<!doctype html><html><body>Your label is being prepared</body></html>")
    pdf = _pdf(world, link)
    return Half(pdf, PDF_TYPE) if faulty and plan.has(Kind.LINK_HALF) else Reply(pdf, content_type=PDF_TYPE)


def _pdf(world: World, link: Link) -> bytes:
    label = world.labels.of(link.booking)
    link.booking.label_sha256 = label.sha256
    return label.pdf


def cancel(world: World, request: Request) -> Answer:
    """A GET that acts, as ClickPost's is. Only the shipment's own AWB can be cancelled, never a single box."""
    now = world.clock.now()
    query = request.query
    if "account_code" in query and find_account(_number(query.get("cp_id")), query["account_code"]) is None:
        return wire.envelope(351, "Account not found for courier", result=None)
    booking = _shipment(world, query, now)
    if booking is None or query.get("account_code", booking.account.account_code) != booking.account.account_code:
        return wire.envelope(350, "Courier does not know this waybill", http=400, result=None)
    code, message, http = _CANCEL_ANSWERS[world.book.cancel(booking, now)]
    return wire.envelope(code, message, http=http, result={"waybill": booking.awb})


_CANCEL_ANSWERS: Final = {
    Cancelled.DONE: (200, "Order cancelled", 200),
    Cancelled.LATER: (202, "Cancellation accepted, courier will confirm", 200),
    Cancelled.ALREADY: (600, "Order is already cancelled", 200),
    Cancelled.REFUSED: (350, "Courier does not cancel this shipment any more", 400),
}


def track(world: World, request: Request) -> Answer:
    awbs = [awb for awb in request.query.get("waybill", "").split(",") if awb]
    if not 0 < len(awbs) <= TRACKED_AWBS_MAX:
        return wire.envelope(400, f"1 to {TRACKED_AWBS_MAX} waybills", result=None)
    now = world.clock.now()
    result: dict[str, Json] = {}
    for awb in awbs:
        booking = world.book.find_by_awb(awb, now)
        rightly = booking is not None and str(booking.account.cp_id) == request.query.get("cp_id")
        result[awb] = _tracked(booking, now) if booking is not None and rightly else {"valid": False}
    return wire.envelope(200, "SUCCESS", result=result)


def _tracked(booking: Booking, now: float) -> Json:
    code, bucket, words, at = _latest(booking, now)
    latest: Json = {
        "timestamp": wire.local_time(at),
        "location": booking.order.consignee.city if code == 4 else "",
        "remark": words,
        "status": words,
        "reference_number": booking.reference,
        "clickpost_status_code": code,
        "clickpost_status_description": words,
        "clickpost_status_bucket": bucket,
        "created_at": wire.local_time(now),
    }
    additional: Json = {"courier_partner_edd": None, "order_id": None, "account_code": booking.account.account_code}
    return {"valid": True, "latest_status": latest, "scans": [latest], "additional": additional}


def _latest(booking: Booking, now: float) -> tuple[int, int, str, float]:
    """(code, bucket, words, since when)."""
    assert booking.books_at is not None
    if booking.cancelled_at is not None and booking.cancelled(now):
        return 10, 1, "Cancelled", booking.cancelled_at
    if booking.returned_at is not None and booking.returned(now):
        return 11, 4, "RTO-Requested", booking.returned_at
    if booking.picked_up_at is not None and booking.picked_up(now):
        return 4, 2, "PickedUp", booking.picked_up_at
    return 1, 1, "OrderPlaced", booking.books_at


def _shipment(world: World, query: dict[str, str], now: float) -> Booking | None:
    """By its own AWB and courier; a box's waybill is not enough."""
    awb = query.get("waybill", "")
    booking = world.book.find_by_awb(awb, now)
    if booking is None or booking.awb != awb:
        return None
    return booking if str(booking.account.cp_id) == query.get("cp_id") else None


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
