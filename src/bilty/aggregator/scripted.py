"""An aggregator that says what it is told to say, and keeps the truth: for tests of the dispatcher and for benchmarks.

Each courier follows plans, one an asking: `Scripted.plan(courier, refused(), label())`; the last one goes on for ever.
Any call can be made to say something else first: `Scripted.say("inquire", Busy())`. Nothing of what it says is
invented by tests: a label is only told of a booking that is in `bookings`.
"""

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar, cast

from bilty.aggregator import AtRest, Booking, EwaybillTold, Listed, Pdf, PickupBooked, Said, Trouble
from bilty.children import box_description
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Child,
    Courier,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Unclear,
    Unknown,
)
from bilty.shipment import Invoice, Shipment

Call: TypeAlias = Literal[
    "rank",
    "ask",
    "inquire",
    "fetch_label",
    "fetch_paper",
    "track",
    "cancel",
    "accounts",
    "tell_ewaybill",
    "ask_pickup",
]
T = TypeVar("T")

FOR_EVER = 2**31
P1, P2, P3 = (
    Courier(cp_id=129, account_code="Surface", name="First Cargo"),
    Courier(cp_id=113, account_code="B2B", name="Second Cargo"),
    Courier(cp_id=61, account_code="Cargo", name="Third Cargo"),
)

_PDF_OBJECTS = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] >>",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one asking: whether it is booked, what is answered, and how many inquiries hear "not yet".

    `answer` None means the truth. `refusal` is what they hear after that instead of the label.
    """

    booked: bool = True
    answer: Trouble | None = None
    not_yets: int = 0
    refusal: Refused | None = None


def label() -> Plan:
    return Plan()


def accepted(not_yets: int = 1, refusal: Refused | None = None) -> Plan:
    """Taken in. After so many inquiries there is a label, or `refusal`."""
    return Plan(not_yets=not_yets, refusal=refusal)


def never() -> Plan:
    return Plan(not_yets=FOR_EVER)


def refused(refusal: Refusal = Refusal.COURIER, code: int = 319, message: str = "pin code is not served") -> Plan:
    return Plan(booked=False, answer=Refused(refusal, code=code, message=message))


def busy(retry_after_s: float = 0.0) -> Plan:
    return Plan(booked=False, answer=Busy(message="connection refused", retry_after_s=retry_after_s))


def unclear(*, booked: bool, not_yets: int = 0) -> Plan:
    """No answer. `booked` tells what nobody knows but the courier."""
    return Plan(booked=booked, answer=Unclear(message="no answer within 30 s", silent=True), not_yets=not_yets)


@dataclass(slots=True)
class Booked:
    """One booking that exists at a courier; `not_yets` counts down. `ewaybills` are by invoice, as told afterwards."""

    courier: Courier
    label: Label
    not_yets: int
    refusal: Refused | None
    cancelled: bool = False
    picked_up: bool = False
    returned: bool = False
    ewaybills: dict[str, str] = field(default_factory=dict)
    pickups: list[datetime] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether somebody pays for it."""
        return not self.cancelled and self.refusal is None


class Scripted:
    """`latency_s` is waited before every answer. `calls` counts what was called."""

    def __init__(self, couriers: tuple[Courier, ...] = (P1, P2, P3), *, latency_s: float = 0.0) -> None:
        self.couriers = couriers
        self.bookings: dict[str, Booked] = {}
        self.calls: Counter[Call] = Counter()
        self._by_awb: dict[str, Booked] = {}
        self._latency_s = latency_s
        self._plans: dict[tuple[int, str], deque[Plan]] = {}
        self._said: defaultdict[Call, deque[object]] = defaultdict(deque)
        self._serial = 0

    def plan(self, courier: Courier, *plans: Plan) -> None:
        """What becomes of the askings of `courier`, one after the other; the last plan stays."""
        self._plans[courier.identity] = deque(plans)

    def say(self, call: Call, *replies: object) -> None:
        """What `call` answers next, one after the other; after that the truth again."""
        self._said[call].extend(replies)

    def forget_said(self) -> None:
        """From now on the truth."""
        self._said.clear()

    def find(self, awb: str) -> Booked | None:
        return self._by_awb.get(awb)

    async def rank(self, booking: Booking) -> Said[Ranking | Trouble]:
        del booking
        return await self._say("rank", Ranking(self.couriers))

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        assert booking.courier is not None, "an asking is for one courier"
        assert booking.terms is not None, "an asking has its times settled"
        if self._said["ask"]:
            return await self._say("ask", Accepted())
        known = self.bookings.get(booking.reference)
        if known is not None:
            return await self._say("ask", _again(known))
        plan = self._next_plan(booking.courier)
        if plan.booked:
            known = self._book(booking, booking.courier, plan)
        told: Label | Accepted | Trouble = plan.answer or (Accepted() if known is None else _again(known))
        return await self._say("ask", told)

    async def inquire(self, booking: Booking) -> Said[Label | NotYet | Unknown | Trouble]:
        known = self.bookings.get(booking.reference)
        if known is None or self._said["inquire"]:
            return await self._say("inquire", Unknown(message="no such reference"))
        if known.not_yets > 0:
            known.not_yets -= 1
            return await self._say("inquire", NotYet(message="in the works"))
        return await self._say("inquire", known.refusal or known.label)

    async def fetch_label(self, booking: Booking) -> Said[Pdf | NotYet | Trouble]:
        if self.find(booking.awb) is None:
            return await self._say("fetch_label", Refused(Refusal.COURIER, code=330, message="no such waybill"))
        return await self._say("fetch_label", Pdf(pdf(booking.awb)))

    async def track(self, booking: Booking) -> Said[PickedUp | AtRest | Unknown | Trouble]:
        known = self.find(booking.awb)
        if known is None:
            return await self._say("track", Unknown(message="no such waybill"))
        at_rest = AtRest(void=known.cancelled)
        return await self._say("track", PickedUp(message="picked up") if known.picked_up else at_rest)

    async def cancel(self, booking: Booking) -> Said[Cancelled | NotYet | Unknown | Trouble]:
        known = self.find(booking.awb)
        if known is None:
            return await self._say("cancel", Unknown(message="no such waybill"))
        done = not self._said["cancel"]
        if known.picked_up:  # as ClickPost does it: the same call is then a return, which is billed
            known.returned = known.returned or done
        else:
            known.cancelled = known.cancelled or done
        return await self._say("cancel", Cancelled())

    async def accounts(self) -> Said[Listed | Trouble]:
        return await self._say("accounts", Listed(self.couriers))

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        known = self.find(booking.awb)
        if known is None:
            return await self._say("tell_ewaybill", Refused(Refusal.COURIER, code=321, message="no such waybill"))
        if not self._said["tell_ewaybill"]:
            known.ewaybills[invoice.number] = invoice.ewaybill_number
        return await self._say("tell_ewaybill", EwaybillTold())

    async def fetch_paper(self, url: str) -> Said[Pdf | Unclear]:
        del url
        return await self._say("fetch_paper", Unclear("label link: HTTP 404"))

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]:
        """A van comes for whatever is named."""
        known, heard = self.find(booking.awb), not self._said["ask_pickup"]
        if known is not None and heard:
            known.pickups.append(at)
        return await self._say("ask_pickup", PickupBooked(str(len(known.pickups) if known else 1)))

    async def _say(self, call: Call, truth: T) -> Said[T]:
        self.calls[call] += 1
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        said = self._said[call]
        # A script is not typed by call: whoever writes one says what the call can say.
        return Said(cast("T", said.popleft()) if said else truth)

    def _next_plan(self, courier: Courier) -> Plan:
        plans = self._plans.get(courier.identity)
        if not plans:
            return label()
        return plans[0] if len(plans) == 1 else plans.popleft()

    def _book(self, booking: Booking, courier: Courier, plan: Plan) -> Booked:
        self._serial += 1
        awb = f"{courier.cp_id}{self._serial:09d}"
        children = _children(booking.shipment, awb)
        told = Label(awb=awb, label_url=f"https://labels.example/{awb}.pdf", children=children)
        booked = Booked(courier, told, plan.not_yets, plan.refusal)
        self.bookings[booking.reference] = self._by_awb[awb] = booked
        return booked


def _again(booked: Booked) -> Label | Accepted | Refused:
    """What an asking under a known reference hears: it books nothing twice, and uses up no waiting."""
    if booked.not_yets > 0:
        return Accepted(message="in the works")
    return booked.refusal or booked.label


def _children(shipment: Shipment, awb: str) -> tuple[Child, ...]:
    """Last box first: whoever goes by position is wrong."""
    count = len(shipment.boxes)
    numbered = range(count, 0, -1)
    return tuple(
        Child(f"{awb}-{n}", reference=shipment.box_reference(n), description=box_description(n, count))
        for n in numbered
    )


def pdf(title: str) -> bytes:
    """A blank page of four by six inches, whose bytes differ with `title`."""
    content = bytearray(f"%PDF-1.4\n% {title}\n".encode())
    offsets = []
    for number, told in enumerate(_PDF_OBJECTS, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, told)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(_PDF_OBJECTS) + 1
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    content += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(content)
