"""What an aggregator can say: a closed union of frozen values, and nothing of HTTP in it.

A connector translates whatever it hears into one of these, once, at the edge. `message` is the other side's own
words, kept for people; decisions are taken on the type and on `Refusal` alone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from bilty.shipment import Frozen

AWB_CHARS_MAX = 64
"""A longer one is none, whoever names it. So whatever is booked can be sought and cancelled by its AWB."""


class Courier(Frozen, frozen=True):
    """What ClickPost ranks. Its identity is (cp_id, account_code): one carrier may be ranked twice by two accounts."""

    cp_id: int
    account_code: str
    name: str

    @property
    def identity(self) -> tuple[int, str]:
        return self.cp_id, self.account_code


class Child(Frozen, frozen=True):
    """A box's waybill as the courier sent it, with everything that may say which box it belongs to."""

    awb: str
    reference: str = ""
    description: str = ""
    sku: str = ""


class PaperKind(StrEnum):
    STICKER = "sticker"
    SLIP = "slip"


class OwnPaper(Frozen, frozen=True):
    """A link to a paper of the courier's besides the label: a sticker for the boxes, or a packing slip."""

    kind: PaperKind
    url: str


class Refusal(StrEnum):
    """Whom a definite no is about; what follows differs."""

    COURIER = "courier"  # this courier will not take it: the next one is asked
    COURIER_ACCOUNT = "courier_account"  # our account with this courier: the next one, and the admin is told
    DATA = "data"  # what we sent is faulty: the next one, or a person, by a setting
    ACCOUNT = "account"  # our ClickPost account, though fetch-accounts works: this shipment waits for a person


class Ranking(Frozen, frozen=True, tag=True):
    """The couriers of a lane in ClickPost's order, possibly none: the lane is not serviceable."""

    couriers: tuple[Courier, ...]
    message: str = ""


class Label(Frozen, frozen=True, tag=True):
    """Booked: there is an AWB. `label_url` is blank where the PDF comes later."""

    awb: str
    label_url: str = ""
    children: tuple[Child, ...] = ()
    message: str = ""
    papers: tuple[OwnPaper, ...] = ()


class Paper(Frozen, frozen=True, tag=True):
    """The label's PDF is in the label store."""

    sha256: str
    pages: int
    message: str = ""


class Accepted(Frozen, frozen=True, tag=True):
    """Taken in, not decided: LABEL REQUESTED."""

    message: str = ""


class NotYet(Frozen, frozen=True, tag=True):
    """A readable answer that the matter is still in the works."""

    message: str = ""


class Refused(Frozen, frozen=True, tag=True):
    """A definite no. `code` is ClickPost's, 0 where there is none."""

    refusal: Refusal
    code: int = 0
    message: str = ""


class Unknown(Frozen, frozen=True, tag=True):
    """A readable answer that nobody knows the reference."""

    message: str = ""


class Unclear(Frozen, frozen=True, tag=True):
    """Sent, and no usable answer: it may have been booked.

    `silent`: nothing readable came at all (time-out, reset, 5xx); such an answer uses up nothing.
    `undocumented`: what came shows that the call itself is not there as documented (404, 405, HTML).
    """

    message: str = ""
    silent: bool = False
    undocumented: bool = False


class Busy(Frozen, frozen=True, tag=True):
    """Nothing was sent, or it was turned away unread (429): safe to say again."""

    message: str = ""
    retry_after_s: float = 0.0


class Denied(Frozen, frozen=True, tag=True):
    """ClickPost refuses our credentials, and fetch-accounts confirmed it: the whole provider pauses."""

    message: str = ""


class PickedUp(Frozen, frozen=True, tag=True):
    """The boxes are with the courier: cancelling now would be a billed return."""

    message: str = ""


class Cancelled(Frozen, frozen=True, tag=True):
    """The AWB is void, now or already."""

    message: str = ""


Reply: TypeAlias = (
    Ranking | Label | Paper | Accepted | NotYet | Refused | Unknown | Unclear | Busy | Denied | PickedUp | Cancelled
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, without any secret, bodies cut to 64 KiB. `status` is HTTP's, 0 if none came."""

    at: datetime
    request: str
    status: int
    answer: str
    duration_ms: int
