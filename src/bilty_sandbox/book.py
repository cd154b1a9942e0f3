"""The truth: every reference the sandbox was ever asked to book, and every waybill it gave out. Pure, no HTTP.

Theory of operation. A booking's plan is fixed when its reference is first heard; what the booking *is* follows from
the plan and the time alone (`Booking.stage`), so nothing has to happen at a certain moment and no timer can be late.
Waybills are allotted when an order is taken in and shown from `booked_at` on. A create call whose order is not taken
in (refused at the door, "too busy") leaves a booking that is `turned_away` and may be taken in by a later call.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from bilty_sandbox.couriers import Account
from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import Kind
from bilty_sandbox.order import Order
from bilty_sandbox.plan import CANCEL_TAKES_SECONDS, Plan

LINK_LIVES_SECONDS: Final = 7 * 24 * 3600.0
ALLOT_TRIES_MAX: Final = 100


class Stage(StrEnum):
    TURNED_AWAY = "turned_away"
    WORKING = "working"
    NEVER = "never"
    FAILED = "failed"
    BOOKED = "booked"


class Child(msgspec.Struct, frozen=True):
    """`box` is 0 for the courier's own document page."""

    awb: str
    box: int
    reference: str
    description: str
    sku: str


@dataclass(slots=True)
class Link:
    """A label's address. `downloads` counts what it was asked for."""

    token: str
    booking: "Booking"
    issued_at: float
    downloads: int = 0

    def expired(self, now: float) -> bool:
        return now >= self.issued_at + LINK_LIVES_SECONDS


class Van(msgspec.Struct, frozen=True):
    """A pickup that was asked for apart from the order. `time` is as it was sent."""

    time: str
    items: str
    address: str
    confirmation: str


@dataclass(slots=True)
class Booking:
    number: int
    order: Order
    account: Account
    plan: Plan
    dice: Dice
    received_at: float
    body_digest: int
    posts: int = 0
    posts_that_differed: int = 0
    posts_to_other_couriers: int = 0
    taken_in_at: float | None = None
    awb: str = ""
    children: tuple[Child, ...] = ()
    ewaybills: dict[str, str] = field(default_factory=dict)
    edit_calls: int = 0
    vans: list[Van] = field(default_factory=list)
    van_calls: int = 0
    cancel_calls: int = 0
    cancelled_at: float | None = None
    picked_up_by_hand_at: float | None = None
    returned_at: float | None = None
    """Since when the courier brings back what it has picked up: that is billed."""
    links: list[Link] = field(default_factory=list)
    label_sha256: str | None = None

    @property
    def reference(self) -> str:
        return self.order.reference

    @property
    def books_at(self) -> float | None:
        """When the AWB comes or came; None where it never will."""
        if self.taken_in_at is None or self.plan.books_after is None:
            return None
        return self.taken_in_at + self.plan.books_after

    @property
    def label_at(self) -> float | None:
        if self.books_at is None or self.plan.label_after is None:
            return None
        return self.books_at + self.plan.label_after

    @property
    def picked_up_at(self) -> float | None:
        if self.picked_up_by_hand_at is not None or self.books_at is None or self.plan.picked_up_after is None:
            return self.picked_up_by_hand_at
        return self.books_at + self.plan.picked_up_after

    def stage(self, now: float) -> Stage:
        if self.taken_in_at is None:
            return Stage.TURNED_AWAY
        if self.plan.fails_after is not None:
            return Stage.FAILED if now >= self.taken_in_at + self.plan.fails_after else Stage.WORKING
        if self.books_at is None:
            return Stage.NEVER
        return Stage.BOOKED if now >= self.books_at else Stage.WORKING

    def pending(self, now: float) -> bool:
        """Whether an AWB is still on its way."""
        return self.books_at is not None and now < self.books_at

    def known(self, now: float) -> bool:
        """Whether the status call finds the reference."""
        if self.taken_in_at is None or now < self.taken_in_at + self.plan.unknown_for:
            return False
        return self.plan.failure is None or self.plan.failure.reached_courier

    def has_label(self, now: float) -> bool:
        return self.label_at is not None and now >= self.label_at

    def picked_up(self, now: float) -> bool:
        at = self.picked_up_at
        return at is not None and now >= at and not (self.cancelled_at is not None and self.cancelled_at <= at)

    def returned(self, now: float) -> bool:
        return self.returned_at is not None and now >= self.returned_at

    def cancelled(self, now: float) -> bool:
        return self.cancelled_at is not None and now >= self.cancelled_at


class Cancelled(StrEnum):
    """What a cancel call came to."""

    DONE = "done"
    LATER = "later"
    ALREADY = "already"
    REFUSED = "refused"


class Book:
    """All bookings by reference, by waybill (a box's too) and by label link."""

    def __init__(self) -> None:
        self._by_reference: dict[str, Booking] = {}
        self._by_awb: dict[str, Booking] = {}
        self._links: dict[str, Link] = {}
        self.pickup_pins: dict[str, str] = {}
        """The pickup PIN last asked about for a delivery PIN: an order by location code does not carry its own."""

    def __len__(self) -> int:
        return len(self._by_reference)

    def bookings(self) -> list[Booking]:
        """In the order in which they were first heard of."""
        return list(self._by_reference.values())

    def find(self, reference: str) -> Booking | None:
        return self._by_reference.get(reference)

    def find_by_awb(self, awb: str, now: float) -> Booking | None:
        """By the shipment's or a box's waybill, and only once it has been given out."""
        booking = self._by_awb.get(awb)
        return booking if booking is not None and booking.stage(now) is Stage.BOOKED else None

    def find_link(self, token: str) -> Link | None:
        return self._links.get(token)

    def receive(self, order: Order, account: Account, plan: Plan, dice: Dice, now: float, body_digest: int) -> Booking:
        booking = Booking(len(self) + 1, order, account, plan, dice, now, body_digest)
        booking.ewaybills.update(order.ewaybills)
        self._by_reference[order.reference] = booking
        return booking

    def take_in(self, booking: Booking, now: float) -> None:
        """The order is in the works from now on. Doing it again changes nothing."""
        if booking.taken_in_at is None:
            booking.taken_in_at = now
            if booking.plan.books_after is not None:
                self._allot(booking)

    def link(self, booking: Booking, now: float, *, fresh: bool) -> Link:
        """The label's address: the first one given out, or a `fresh` one."""
        if booking.links and not fresh:
            return booking.links[-1]
        # The reference is in it: a label's address must not be another's after both have been guessed at.
        token = f"{booking.awb}-{booking.dice.hex(f'link {booking.reference} {len(booking.links)}', 24)}"
        link = Link(token, booking, now)
        booking.links.append(link)
        self._links[token] = link
        return link

    def cancel(self, booking: Booking, now: float) -> Cancelled:
        """The boxes go with their shipment: they have no life of their own here.

        What is picked up is not cancelled but brought back, as ClickPost does it: the same call is then a return (RTO).
        """
        booking.cancel_calls += 1
        if booking.cancelled_at is not None:
            return Cancelled.ALREADY if booking.cancelled(now) else Cancelled.LATER
        if booking.returned_at is not None:
            return Cancelled.ALREADY if now >= booking.returned_at else Cancelled.LATER
        if booking.plan.has(Kind.CANCEL_REFUSED) and booking.cancel_calls <= booking.plan.cancel_refusals:
            return Cancelled.REFUSED
        later = booking.plan.has(Kind.CANCEL_LATER)
        done_at = now + (CANCEL_TAKES_SECONDS if later else 0.0)
        if booking.picked_up(now):
            booking.returned_at = done_at
        else:
            booking.cancelled_at = done_at
        return Cancelled.LATER if later else Cancelled.DONE

    def _allot(self, booking: Booking) -> None:
        for attempt in range(ALLOT_TRIES_MAX):
            awb = booking.account.number(booking.dice, f"awb {attempt}")
            children = _children(booking, awb, f"child {attempt}")
            numbers = {awb, *(child.awb for child in children)}
            if len(numbers) == len(children) + 1 and self._by_awb.keys().isdisjoint(numbers):
                booking.awb, booking.children = awb, children
                self._by_awb.update(dict.fromkeys(numbers, booking))
                return
        raise RuntimeError(f"no free waybill for {booking.reference} in {ALLOT_TRIES_MAX} tries")


def _children(booking: Booking, awb: str, name: str) -> tuple[Child, ...]:
    """In the order in which they will be listed."""
    account, boxes = booking.account, booking.order.boxes
    if booking.plan.has(Kind.CHILD_SHORT) and len(boxes) > 1:
        boxes = boxes[:-1]
    children = [
        Child(
            account.child_number(awb, box.number, booking.dice, name),
            box.number,
            box.reference,
            box.description,
            box.sku,
        )
        for box in boxes
    ]
    if booking.plan.has(Kind.CHILD_EXTRA):
        beyond = len(booking.order.boxes) + 1
        children.append(Child(account.child_number(awb, beyond, booking.dice, name), 0, "", "Document", ""))
    return tuple(reversed(children)) if booking.plan.has(Kind.CHILDREN_REVERSED) else tuple(children)
