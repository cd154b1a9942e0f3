"""The book as the sandbox's own endpoints show it: what really happened, for tests to hold against what is believed."""

import msgspec

from bilty_sandbox.book import Booking, Stage, Van
from bilty_sandbox.clock import iso


class ChildTruth(msgspec.Struct, frozen=True):
    """`box` counts from 1; 0 is the courier's document."""

    awb: str
    box: int
    reference: str
    description: str


class BoxTruth(msgspec.Struct, frozen=True):
    number: int
    reference: str
    description: str
    weight_g: int
    length_cm: float
    breadth_cm: float
    height_cm: float


class BookingTruth(msgspec.Struct, frozen=True):
    """`awb` and `children` are empty until the AWB exists. `returned`: it was cancelled after
    pickup, which is a return (RTO). `pickups` were asked for apart: each is a van that comes. Times are the sandbox's,
    RFC 3339 in UTC.
    """

    reference: str
    style: str
    stage: Stage
    kinds: tuple[str, ...]
    cp_id: int
    account_code: str
    invoices: tuple[str, ...]
    purchase_orders: tuple[str, ...]
    ewaybills: dict[str, str]
    awb: str
    children: tuple[ChildTruth, ...]
    boxes_count: int
    boxes: tuple[BoxTruth, ...]
    pickup_time: str
    pickups: tuple[Van, ...]
    appointment: dict[str, str] | None
    consignee_gstin: str
    gst_total_tax: float
    posts: int
    posts_that_differed: int
    posts_to_other_couriers: int
    received_at: str | None
    booked_at: str | None
    label_ready_at: str | None
    live: bool
    cancelled: bool
    picked_up: bool
    returned: bool
    cancel_calls: int
    label_downloads: int
    label_sha256: str | None


class Truth(msgspec.Struct, frozen=True):
    """`pending` names every booking that may yet get an AWB, whatever page is asked for."""

    total: int
    pending: tuple[str, ...]
    bookings: tuple[BookingTruth, ...]


def truth_of(booking: Booking, now: float) -> BookingTruth:
    order, stage = booking.order, booking.stage(now)
    booked = stage is Stage.BOOKED
    return BookingTruth(
        reference=booking.reference,
        style=order.style,
        stage=stage,
        kinds=booking.plan.kinds,
        cp_id=booking.account.cp_id,
        account_code=booking.account.account_code,
        invoices=order.invoices,
        purchase_orders=order.purchase_orders,
        ewaybills=booking.ewaybills,
        awb=booking.awb if booked else "",
        children=_children(booking) if booked else (),
        boxes_count=len(order.boxes),
        boxes=_boxes(booking),
        pickup_time=order.pickup_time,
        pickups=tuple(booking.vans),
        appointment=order.appointment,
        consignee_gstin=order.consignee_gstin,
        gst_total_tax=order.gst_total_tax,
        posts=booking.posts,
        posts_that_differed=booking.posts_that_differed,
        posts_to_other_couriers=booking.posts_to_other_couriers,
        received_at=iso(booking.received_at),
        booked_at=iso(booking.books_at) if booked else None,
        label_ready_at=iso(booking.label_at) if booking.has_label(now) else None,
        live=booked and not booking.cancelled(now),
        cancelled=booking.cancelled(now),
        picked_up=booking.picked_up(now),
        returned=booking.returned(now),
        cancel_calls=booking.cancel_calls,
        label_downloads=sum(link.downloads for link in booking.links),
        label_sha256=booking.label_sha256,
    )


def _children(booking: Booking) -> tuple[ChildTruth, ...]:
    by_box = sorted(booking.children, key=lambda child: child.box or len(booking.order.boxes) + 1)
    return tuple(ChildTruth(child.awb, child.box, child.reference, child.description) for child in by_box)


def _boxes(booking: Booking) -> tuple[BoxTruth, ...]:
    return tuple(
        BoxTruth(box.number, box.reference, box.description, box.weight_g, box.length_cm, box.breadth_cm, box.height_cm)
        for box in booking.order.boxes
    )
