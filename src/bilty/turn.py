"""One turn: its states and the table of its steps.

The table is the machine. `docs/workflow.md` draws it, the tests walk it, and a (state, heard) pair that is not in it
cannot happen: `bilty.hearing` raises KeyError and the turn stays as it was. Why the machine is as it is stands at the
top of `bilty.workflow`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bilty.reply import Courier


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation may set. `late_label_wait` is how long a late AWB may be used before it is cancelled."""

    poll_interval: timedelta = timedelta(minutes=2)
    polls_max: int = 6
    watch_interval: timedelta = timedelta(minutes=10)
    late_label_wait: timedelta = timedelta(minutes=30)
    stop_on_faulty_data: bool = False


class Step(StrEnum):
    """A call that is owed. Only RANK and ASK may change anything for the better; INQUIRE can never book."""

    RANK = "rank"
    ASK = "ask"
    INQUIRE = "inquire"
    FETCH_LABEL = "fetch_label"
    CANCEL = "cancel"  # a tracking read, then the cancel
    RETURN = "return"  # the same call after pickup, without the read: a return (RTO), which is billed


class State(StrEnum):
    RANKING = "ranking"  # turn 0: ClickPost is asked for P1, P2, P3
    RANKED = "ranked"
    UNSERVICEABLE = "unserviceable"
    ASKING = "asking"  # to be asked; nothing has left, or nothing stayed there
    UNCLEAR = "unclear"  # asked; it may be booked
    WAITING = "waiting"  # accepted: LABEL REQUESTED
    UNDECIDED = "undecided"  # the window is over and it still may be booked: a person decides
    FETCHING = "fetching"  # has the shipment: an AWB, and its label is on the way
    UNLABELLED = "unlabelled"  # has the shipment, and the label does not come: a person decides
    WON = "won"  # has the shipment and the label
    REFUSED = "refused"  # a definite no
    STOPPED = "stopped"  # a definite no that the next courier would not mend: a person decides
    WITHDRAWN = "withdrawn"  # never said
    LAPSED = "lapsed"  # ended without a definite no; watched
    OFFERED = "offered"  # a late AWB that a person may use; left alone, it is cancelled
    SURPLUS = "surplus"  # an AWB that must be cancelled
    UNCANCELLED = "uncancelled"  # the courier will not cancel it: shown, and tried again
    PICKED_UP = "picked_up"  # a surplus AWB that is already under way: never cancelled, shown
    CONFLICT = "conflict"  # its AWB is another's: shown
    CANCELLED = "cancelled"
    RETURNING = "returning"  # has the shipment, dispatched; its return is to be ordered
    UNRETURNED = "unreturned"  # the courier will not: shown
    RETURNED = "returned"  # has the shipment, on its way back


class Kind(StrEnum):
    OPEN = "open"  # may still take the shipment in its own time; at most one a shipment
    HOLDS = "holds"  # has the shipment; at most one a shipment
    WATCHED = "watched"
    EXTRA = "extra"  # an AWB too many
    OVER = "over"


TRAITS: Mapping[State, tuple[Kind, Step | None]] = {
    State.RANKING: (Kind.OPEN, Step.RANK),
    State.RANKED: (Kind.OVER, None),
    State.UNSERVICEABLE: (Kind.OVER, None),
    State.ASKING: (Kind.OPEN, Step.ASK),
    State.UNCLEAR: (Kind.OPEN, Step.INQUIRE),
    State.WAITING: (Kind.OPEN, Step.INQUIRE),
    State.UNDECIDED: (Kind.OPEN, Step.INQUIRE),
    State.FETCHING: (Kind.HOLDS, Step.FETCH_LABEL),
    State.UNLABELLED: (Kind.HOLDS, Step.FETCH_LABEL),
    State.WON: (Kind.HOLDS, None),
    State.REFUSED: (Kind.OVER, None),
    State.STOPPED: (Kind.OVER, None),
    State.WITHDRAWN: (Kind.OVER, None),
    State.LAPSED: (Kind.WATCHED, Step.INQUIRE),
    State.OFFERED: (Kind.EXTRA, Step.CANCEL),
    State.SURPLUS: (Kind.EXTRA, Step.CANCEL),
    State.UNCANCELLED: (Kind.EXTRA, Step.CANCEL),
    State.PICKED_UP: (Kind.EXTRA, None),
    State.CONFLICT: (Kind.EXTRA, None),
    State.CANCELLED: (Kind.OVER, None),
    State.RETURNING: (Kind.HOLDS, Step.RETURN),
    State.UNRETURNED: (Kind.HOLDS, None),
    State.RETURNED: (Kind.HOLDS, None),
}


class Heard(StrEnum):
    """A reply in the light of what the turn has been through."""

    RANKED = "ranked"
    NOBODY = "nobody serves the lane"
    ACCEPTED = "accepted"
    NOT_YET = "not yet"
    LAST_NOT_YET = "not yet, for the last time"
    REFUSED = "refused"
    STOPPING = "refused, and the next would be"
    UNKNOWN = "unknown reference"
    UNKNOWN_TWICE = "unknown reference, twice"
    UNKNOWN_AFTER_ALL = "unknown reference, asked again and still"
    NO_VERDICT = "no usable answer"
    LAST_NO_VERDICT = "no usable answer, window over"
    SILENCE = "silence"
    NOTHING_SENT = "nothing sent"
    AWB = "AWB"
    AWB_OFFERED = "AWB, late"
    AWB_SURPLUS = "AWB too many"
    AWB_CONFLICT = "AWB of another"
    PAPER = "label PDF"
    PICKED_UP = "picked up"
    CANCELLED = "cancelled"


_AWB: Mapping[Heard, State] = {
    Heard.AWB: State.FETCHING,
    Heard.AWB_OFFERED: State.OFFERED,
    Heard.AWB_SURPLUS: State.SURPLUS,
    Heard.AWB_CONFLICT: State.CONFLICT,
}
_VERDICT: Mapping[Heard, State] = {
    **_AWB,
    Heard.ACCEPTED: State.WAITING,
    Heard.REFUSED: State.REFUSED,
    Heard.STOPPING: State.STOPPED,
    Heard.UNKNOWN_TWICE: State.ASKING,
    Heard.UNKNOWN_AFTER_ALL: State.REFUSED,
}
_CANCEL: Mapping[Heard, State] = {
    Heard.CANCELLED: State.CANCELLED,
    Heard.PICKED_UP: State.PICKED_UP,
    Heard.REFUSED: State.UNCANCELLED,
    Heard.NOT_YET: State.SURPLUS,
}
TABLE: Mapping[State, Mapping[Heard, State]] = {
    State.RANKING: {
        Heard.RANKED: State.RANKED,
        Heard.NOBODY: State.UNSERVICEABLE,
        Heard.STOPPING: State.STOPPED,
        Heard.SILENCE: State.RANKING,
    },
    State.UNCLEAR: {
        **_VERDICT,
        Heard.NOTHING_SENT: State.ASKING,
        Heard.UNKNOWN: State.UNCLEAR,
        Heard.NO_VERDICT: State.UNCLEAR,
        Heard.LAST_NO_VERDICT: State.UNDECIDED,
        Heard.SILENCE: State.UNCLEAR,
    },
    State.UNDECIDED: {
        **_VERDICT,
        Heard.UNKNOWN: State.UNDECIDED,
        Heard.LAST_NO_VERDICT: State.UNDECIDED,
        Heard.SILENCE: State.UNDECIDED,
    },
    State.WAITING: {
        **_AWB,
        Heard.NOT_YET: State.WAITING,
        Heard.LAST_NOT_YET: State.LAPSED,
        Heard.REFUSED: State.REFUSED,
        Heard.SILENCE: State.WAITING,
    },
    State.LAPSED: {
        **_AWB,
        Heard.NOT_YET: State.LAPSED,
        Heard.REFUSED: State.REFUSED,
        Heard.SILENCE: State.LAPSED,
        Heard.NOTHING_SENT: State.WITHDRAWN,
    },
    State.FETCHING: {
        Heard.PAPER: State.WON,
        Heard.NOT_YET: State.FETCHING,
        Heard.LAST_NOT_YET: State.UNLABELLED,
        Heard.SILENCE: State.FETCHING,
    },
    State.UNLABELLED: {
        Heard.PAPER: State.WON,
        Heard.LAST_NOT_YET: State.UNLABELLED,
        Heard.SILENCE: State.UNLABELLED,
    },
    State.SURPLUS: {**_CANCEL, Heard.SILENCE: State.SURPLUS},
    State.UNCANCELLED: {**_CANCEL, Heard.SILENCE: State.UNCANCELLED},
    State.RETURNING: {
        Heard.CANCELLED: State.RETURNED,
        Heard.REFUSED: State.UNRETURNED,
        Heard.NOT_YET: State.RETURNING,
        Heard.SILENCE: State.RETURNING,
    },
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One courier's try in one run; priority 0 is the ranking, which has no courier and whose reply is the list.

    `digest` says which content the courier was asked to carry, `version` which of the shipment's that is. `due_at`
    is when the next call is owed, None when none is. `polls_done` counts readable answers in the present state;
    `tries` counts silences in a row. `planned_due` is set while a person's *Poll now* or *Ask again* goes first:
    what it hears is not counted. `settled`: it waits for a person, who has seen to it outside Bilty; it stays so
    until it brings something new. `entered`: the AWB is what a person typed, not what ClickPost said. `miscount`: how
    the boxes' waybills that came with the label differ from the boxes, until a person has said that it is right.
    """

    run: int
    priority: int
    courier: Courier | None
    reference: str
    digest: str
    state: State
    due_at: datetime | None
    asks: int = 0
    unknowns: int = 0
    polls_done: int = 0
    tries: int = 0
    planned_due: datetime | None = None
    asked_at: datetime | None = None
    lapsed_at: datetime | None = None
    awb: str = ""
    label_url: str = ""
    label_sha256: str = ""
    label_pages: int = 0
    code: int = 0
    message: str = ""
    couriers: tuple[Courier, ...] = ()
    settled: bool = False
    entered: bool = False
    version: int = 1
    miscount: str = ""

    @property
    def kind(self) -> Kind:
        return TRAITS[self.state][0]

    @property
    def step(self) -> Step | None:
        return TRAITS[self.state][1]


def window_ends_at(turn: Turn, rules: Rules) -> datetime | None:
    """When the next courier takes over if nothing comes: the last poll. Silence moves it, since it uses up none."""
    if turn.state is not State.WAITING or turn.due_at is None:
        return None
    due_at = turn.planned_due or turn.due_at
    return due_at + (rules.polls_max - turn.polls_done - 1) * rules.poll_interval
