"""The vocabulary of people's decisions: the acts, what each does to a turn, and the two answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from bilty.reply import AWB_CHARS_MAX, Courier
from bilty.turn import State

AWB_CHARS_MIN = 4
"""Of one that a person enters: what is shorter is a slip."""
_AWB = re.compile(rf"[A-Za-z0-9][A-Za-z0-9-]{{{AWB_CHARS_MIN - 1},{AWB_CHARS_MAX - 1}}}", re.ASCII)


class ActKind(StrEnum):
    """The values are part of addresses."""

    SCHEDULE = "schedule"
    CANCEL = "cancel"
    POLL_NOW = "poll-now"
    FALL_OVER = "fall-over"
    ASK_AGAIN = "ask-again"
    NOT_BOOKED = "not-booked"
    ENTER_AWB = "enter-awb"
    FETCH_AGAIN = "fetch-again"
    USE_PAPER = "use-paper"
    GIVE_UP_AWB = "give-up-awb"
    USE_LATE = "use-late"
    CANCEL_LATE = "cancel-late"
    WRONG_AWB = "wrong-awb"
    GO_ON = "go-on"
    SETTLED = "settled"
    DISPATCH = "dispatch"
    ORDER_RETURN = "order-return"


@dataclass(frozen=True, slots=True)
class Schedule:
    """With `courier` it alone is asked, one of those that ClickPost ranked before; otherwise ClickPost's order is."""

    kind: ClassVar = ActKind.SCHEDULE
    courier: Courier | None = None
    without_ewaybill: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """The shipment is not to be sent."""

    kind: ClassVar = ActKind.CANCEL


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The boxes are on the courier's truck: from now on nothing of it is changed, and cancelling is a return."""

    kind: ClassVar = ActKind.DISPATCH


@dataclass(frozen=True, slots=True)
class PollNow:
    kind: ClassVar = ActKind.POLL_NOW
    reference: str


@dataclass(frozen=True, slots=True)
class FallOver:
    """Its turn ends now, before its time is over; it is watched, and the next courier is asked."""

    kind: ClassVar = ActKind.FALL_OVER
    reference: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """ClickPost is asked at once whether the courier booked it.

    What it says counts, but for "unknown": heard twice that is a no, and twice in a hurry it would be none.
    """

    kind: ClassVar = ActKind.ASK_AGAIN
    reference: str


@dataclass(frozen=True, slots=True)
class NotBooked:
    """The person looked the reference up at ClickPost. It is watched all the same."""

    kind: ClassVar = ActKind.NOT_BOOKED
    reference: str


@dataclass(frozen=True, slots=True)
class EnterAwb:
    """The person read the AWB under the reference in ClickPost's dashboard: it means what hearing it would."""

    kind: ClassVar = ActKind.ENTER_AWB
    reference: str
    awb: str

    @property
    def is_plausible(self) -> bool:
        return _AWB.fullmatch(self.awb) is not None


@dataclass(frozen=True, slots=True)
class FetchAgain:
    kind: ClassVar = ActKind.FETCH_AGAIN
    reference: str


@dataclass(frozen=True, slots=True)
class UsePaper:
    """The label's PDF as the person had it from the courier; it is in the label store already."""

    kind: ClassVar = ActKind.USE_PAPER
    reference: str
    sha256: str
    pages: int


@dataclass(frozen=True, slots=True)
class GiveUpAwb:
    """Its label does not come: the AWB is cancelled, and once that is confirmed the next courier is asked.

    Not for a label that is here, which may be on the boxes already, unless its waybills do not fit them.
    """

    kind: ClassVar = ActKind.GIVE_UP_AWB
    reference: str


@dataclass(frozen=True, slots=True)
class UseLate:
    """The AWB that came late, or that was picked up though it was to be cancelled, is the shipment's after all."""

    kind: ClassVar = ActKind.USE_LATE
    reference: str


@dataclass(frozen=True, slots=True)
class CancelLate:
    kind: ClassVar = ActKind.CANCEL_LATE
    reference: str


@dataclass(frozen=True, slots=True)
class WrongAwb:
    """The AWB that a person entered is not the courier's: the turn is what it was before. Nothing is cancelled."""

    kind: ClassVar = ActKind.WRONG_AWB
    reference: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """The next courier is asked, though this one refused for a reason that others share."""

    kind: ClassVar = ActKind.GO_ON
    reference: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The person has seen to it outside Bilty. It is shown no more; watching and cancelling go on."""

    kind: ClassVar = ActKind.SETTLED
    reference: str


@dataclass(frozen=True, slots=True)
class OrderReturn:
    """The courier brings back what it has picked up (RTO), and charges for it."""

    kind: ClassVar = ActKind.ORDER_RETURN
    reference: str


TurnAct: TypeAlias = (
    PollNow
    | FallOver
    | AskAgain
    | NotBooked
    | EnterAwb
    | FetchAgain
    | UsePaper
    | GiveUpAwb
    | UseLate
    | CancelLate
    | WrongAwb
    | GoOn
    | Settled
    | OrderReturn
)
ShipmentAct: TypeAlias = Schedule | Cancel | Dispatch
Act: TypeAlias = ShipmentAct | TurnAct


@dataclass(frozen=True, slots=True)
class No:
    """The act is refused, and nothing has changed. `reason` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that may be done, to the turn of `reference`, or to the shipment where that is blank.

    `wait` says why not this very moment. `couriers` are those that *Schedule again* may name.
    """

    kind: ActKind
    reference: str = ""
    wait: str = ""
    couriers: tuple[Courier, ...] = ()


PERSON: Mapping[ActKind, Mapping[State, State]] = {
    ActKind.POLL_NOW: {State.WAITING: State.WAITING},
    ActKind.FALL_OVER: {State.WAITING: State.LAPSED},
    ActKind.ASK_AGAIN: {State.UNDECIDED: State.UNDECIDED},
    ActKind.NOT_BOOKED: {State.UNDECIDED: State.LAPSED},
    # As hearing it: also offered, where the shipment moved on since. Never surplus: it may be mistyped.
    ActKind.ENTER_AWB: {State.UNDECIDED: State.FETCHING, State.LAPSED: State.FETCHING},
    ActKind.FETCH_AGAIN: {State.FETCHING: State.FETCHING, State.UNLABELLED: State.UNLABELLED},
    ActKind.USE_PAPER: {State.UNLABELLED: State.WON},
    # Of a label that is here, only while its waybills do not fit the boxes.
    ActKind.GIVE_UP_AWB: {
        State.FETCHING: State.SURPLUS,
        State.UNLABELLED: State.SURPLUS,
        State.WON: State.SURPLUS,
    },
    ActKind.USE_LATE: {State.OFFERED: State.FETCHING, State.PICKED_UP: State.FETCHING},
    ActKind.CANCEL_LATE: {State.OFFERED: State.SURPLUS},
    # As it was: also lapsed, where it had, or where another has the shipment.
    ActKind.WRONG_AWB: {
        State.FETCHING: State.UNDECIDED,
        State.UNLABELLED: State.UNDECIDED,
        State.OFFERED: State.UNDECIDED,
    },
    ActKind.GO_ON: {State.STOPPED: State.REFUSED},
    ActKind.SETTLED: {
        State.LAPSED: State.LAPSED,
        State.CONFLICT: State.CONFLICT,
        State.PICKED_UP: State.PICKED_UP,
        State.UNCANCELLED: State.UNCANCELLED,
        State.UNRETURNED: State.UNRETURNED,
        State.WON: State.WON,
    },
    ActKind.ORDER_RETURN: {State.WON: State.RETURNING, State.UNRETURNED: State.RETURNING},
}
"""What a person may decide about a turn in which state, and what the turn is then."""

_PLAIN = (
    AskAgain,
    CancelLate,
    FallOver,
    FetchAgain,
    GiveUpAwb,
    GoOn,
    NotBooked,
    OrderReturn,
    PollNow,
    Settled,
    UseLate,
    WrongAwb,
)


def plain_act(kind: ActKind, reference: str) -> TurnAct:
    """The act upon a turn that says nothing but which. Raises KeyError for one that says more."""
    return {each.kind: each for each in _PLAIN}[kind](reference)
