"""Answers in ClickPost's shapes. What they say is decided elsewhere; here is how it is written down.

`meta.status` is the outcome and HTTP is 200 nearly always. `meta.success` is written as unreliably as the real one.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec

from bilty_sandbox.book import Booking, Child
from bilty_sandbox.kinds import Kind
from bilty_sandbox.order import Carton, Style
from bilty_sandbox.server import Reply

INDIA: Final = timezone(timedelta(hours=5, minutes=30))
SORT_CODE_LETTERS: Final = 3

EXPIRED_XML: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
)

Json = str | int | float | bool | None | dict[str, "Json"] | list["Json"]

BAD_GATEWAY_HTML: Final = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
NOT_FOUND_HTML: Final = b"<!doctype html><title>Not Found</title><h1>Not Found</h1><p>No such page on this server.</p>"

_encode = msgspec.json.Encoder().encode


def envelope(code: int, message: str, *, success: bool | None = None, http: int = 200, **rest: Json) -> Reply:
    """`success` follows the code unless it is told otherwise."""
    truly = code in {200, 202} if success is None else success
    return Reply(_encode({"meta": {"status": code, "success": truly, "message": message}, **rest}), status=http)


def html(status: int, body: bytes) -> Reply:
    return Reply(body, status=status, content_type="text/html; charset=utf-8")


def expired_link_xml() -> Reply:
    return Reply(EXPIRED_XML, status=403, content_type="application/xml")


def unauthenticated() -> Reply:
    return envelope(301, "Authentication failed", result=None)


def working(booking: Booking, code: int) -> Reply:
    """`code` is 102 or 202. The new style says so with a result of nulls, the old one only the first time."""
    lies = booking.plan.has(Kind.SUCCESS_LIES)
    message = "Order Placed Successfully" if code == 202 else "We are processing your order"
    result: Json = {"reference_number": None, "waybill": None, "label": None, "sort_code": None, "security_key": None}
    if code == 202:
        result = {"reference_number": booking.reference, "waybill": None, "label": None, "sort_code": None}
    return envelope(
        code, message, success=(code == 202) != lies, result=result, order_id=_order_id(booking), tracking_id=None
    )


def placed_without_awb(booking: Booking) -> Reply:
    """323 before there is anything to show for it."""
    result: Json = {"reference_number": booking.reference, "waybill": None, "label": None, "children": []}
    return envelope(
        323,
        "You have already placed this order",
        success=not booking.plan.has(Kind.SUCCESS_LIES),
        result=result,
        order_id=_order_id(booking),
        tracking_id=None,
    )


def failed(booking: Booking) -> Reply:
    """The old style has 319 where the new one has 420; neither has a result."""
    failure = booking.plan.failure
    assert failure is not None
    code = 319 if failure.code == 420 and booking.order.style is Style.MPS else failure.code
    return envelope(code, failure.message, reference_number=booking.reference)


def placed(booking: Booking, code: int, label: str | None, username: str) -> Reply:
    """`code` is 200 or 323."""
    repeated = code == 323
    lies = booking.plan.has(Kind.SUCCESS_LIES)
    message = "You have already placed this order" if repeated else "Order Placed Successfully"
    meta: Json = {
        "status": code,
        "success": not lies,
        "message": message,
        "username": username,
        "reference_number": booking.reference,
    }
    result: dict[str, Json] = {
        "reference_number": booking.reference,
        "waybill": booking.awb,
        "label": label,
        "sort_code": booking.dice.hex("sort", SORT_CODE_LETTERS).upper(),
        "security_key": _security_key(booking),
        "courier_partner_id": booking.account.cp_id,
        "courier_name": booking.account.courier,
        "account_code": booking.account.account_code,
        "order_id": None,
        "children": [_child(booking, child, label, repeated=repeated) for child in booking.children],
    }
    order_id = _order_id(booking)
    body = {"meta": meta, "result": result, "order_id": order_id, "tracking_id": 400_000_000 + order_id}
    return Reply(_encode(body))


def _child(booking: Booking, child: Child, label: str | None, *, repeated: bool) -> Json:
    bare: dict[str, Json] = {"waybill": child.awb, "description": child.description, "sku": child.sku}
    plan = booking.plan
    labelled: dict[str, Json] = {"label": label if plan.has(Kind.CHILD_LABEL_SAME) else None}
    if plan.has(Kind.CHILD_LABEL_ABSENT):
        labelled = {}
    carton = booking.order.boxes[child.box - 1] if child.box else None
    if booking.order.style is Style.B2B:
        bare |= {"reference_number": child.reference or None}
        return bare if repeated else bare | labelled | {"box": _sizes(carton)}
    if repeated:
        return bare
    item: Json = bare | _sizes(carton)
    return {"reference_number": booking.reference, "waybill": child.awb, "item": item} | labelled


def _sizes(carton: Carton | None) -> dict[str, Json]:
    if carton is None:
        return {}
    return {
        "length": carton.length_cm,
        "breadth": carton.breadth_cm,
        "height": carton.height_cm,
        "weight": carton.weight_g,
    }


def _order_id(booking: Booking) -> int:
    return 150_000_000 + booking.number


def _security_key(booking: Booking) -> str:
    digits = booking.dice.hex("security", 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def local_time(seconds: float) -> str:
    """As the tracking call writes it: Indian time, without saying so."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(INDIA).strftime("%Y-%m-%d %H:%M:%S")
