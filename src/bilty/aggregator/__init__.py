"""The aggregator: what books with couriers for us. This is the seam; a connector stands behind it.

Each call makes at most a few requests, ends within its time-outs, and answers with a value of `bilty.reply`: whatever
went wrong outside is a `Busy` or an `Unclear`, never an exception. `inquire`, `fetch_label`, `track` and `accounts`
can neither book nor cancel; only `ask` books, and only under `Booking.reference`. `tell_ewaybill` may be repeated;
`ask_pickup` may not: heard twice, it sends two vans.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeAlias, TypeVar

from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Courier,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refused,
    Unclear,
    Unknown,
)
from bilty.reply import Exchange as Exchange  # told by every call, kept by bilty.store
from bilty.shipment import Facility, Invoice, Shipment
from bilty.shipping_provider import Terms

Trouble: TypeAlias = Refused | Unclear | Busy


@dataclass(frozen=True, slots=True)
class Booking:
    """One turn as the aggregator must know it. `courier` is None only for `rank`; `terms` are set for `ask`."""

    shipment: Shipment
    facility: Facility
    reference: str
    courier: Courier | None = None
    terms: Terms | None = None
    awb: str = ""
    label_url: str = ""


@dataclass(frozen=True, slots=True)
class Pdf:
    """A label, checked to be a PDF and within the size limit."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """The accounts fetch-accounts tells: our credentials are good."""

    couriers: tuple[Courier, ...]


@dataclass(frozen=True, slots=True)
class AtRest:
    """A readable tracking answer: not picked up. `void`: nor will it be, the AWB is cancelled."""

    message: str = ""
    void: bool = False


@dataclass(frozen=True, slots=True)
class EwaybillTold:
    """ClickPost has taken the e-way bill in for the courier."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class PickupBooked:
    """A van comes. `confirmation` is the courier's number for it, blank where it gave none."""

    confirmation: str = ""
    message: str = ""


Reply_co = TypeVar("Reply_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Said(Generic[Reply_co]):
    reply: Reply_co
    exchanges: tuple[Exchange, ...] = ()


class Aggregator(Protocol):
    """One shipping provider's account, as `bilty.dispatcher` uses it. Safe to call many times at once."""

    async def rank(self, booking: Booking) -> Said[Ranking | Trouble]: ...

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]: ...

    async def inquire(self, booking: Booking) -> Said[Label | NotYet | Unknown | Trouble]: ...

    async def fetch_label(self, booking: Booking) -> Said[Pdf | NotYet | Trouble]: ...

    async def fetch_paper(self, url: str) -> Said[Pdf | Unclear]: ...

    async def track(self, booking: Booking) -> Said[PickedUp | AtRest | Unknown | Trouble]: ...

    async def cancel(self, booking: Booking) -> Said[Cancelled | NotYet | Unknown | Trouble]: ...

    async def accounts(self) -> Said[Listed | Trouble]: ...

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]: ...

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]: ...
