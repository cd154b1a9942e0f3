"""What an order system is told: which change of a shipment is which event. Pure.

An event is written in the transaction of the fact, by `bilty.store.progress`, and delivered by `bilty.oms`. There is
one for each time a shipment's status becomes one of `KINDS`, one for each time that another courier than before has it
or is asked for it, and one for each new version: whatever was told of the one before is void. A change of more is more
events: the version first, then the courier.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bilty.turn import Turn
from bilty.workflow import Progress, Status, status


class EventKind(StrEnum):
    """The values are the API's, and stand in every message."""

    LABEL_REQUESTED = "shipment.label_requested"
    LABEL_READY = "shipment.label_ready"
    COURIER_CHANGED = "shipment.courier_changed"
    CHANGED = "shipment.changed"
    DISPATCHED = "shipment.dispatched"
    NEEDS_ATTENTION = "shipment.needs_attention"
    FAILED = "shipment.failed"
    CANCELLED = "shipment.cancelled"


KINDS: Mapping[Status, EventKind] = {
    Status.LABEL_REQUESTED: EventKind.LABEL_REQUESTED,
    Status.LABEL_READY: EventKind.LABEL_READY,
    Status.DISPATCHED: EventKind.DISPATCHED,
    Status.NEEDS_ATTENTION: EventKind.NEEDS_ATTENTION,
    Status.FAILED: EventKind.FAILED,
    Status.NOT_SERVICEABLE: EventKind.FAILED,
    Status.CANCELLED: EventKind.CANCELLED,
}
"""A status that is not here is told nobody. No courier for the lane is a failure, too: the message says which."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event to be. `turn` is the courier's that has the shipment or is asked for it, None where there is none.

    `void` is the turn that had the shipment as it was, whose AWB and label are no longer to be used.
    """

    kind: EventKind
    turn: Turn | None
    void: Turn | None = None


def facts(before: Progress, after: Progress) -> tuple[Fact, ...]:
    """What is to be told of this change, in this order; mostly nothing."""
    told, turn = [], turn_of(after)
    if after.version != before.version:
        told.append(Fact(EventKind.CHANGED, None, before.holder))
    if turn and _has_another_courier(before, after, turn):
        told.append(Fact(EventKind.COURIER_CHANGED, turn))
    now = status(after)
    if now is not status(before) and now in KINDS:
        told.append(Fact(KINDS[now], turn))
    return tuple(told)


def turn_of(progress: Progress) -> Turn | None:
    """The turn of the courier that has the shipment, or else is asked for it."""
    turn = progress.holder or progress.open_turn
    return turn if turn and turn.courier and turn.version == progress.version else None


def _has_another_courier(before: Progress, after: Progress, turn: Turn) -> bool:
    """A run's first courier is no change, whoever had the shipment in the run before."""
    was = turn_of(before) or _last(before)
    begun = after.run != before.run
    return not begun and was is not None and _identity(was) != _identity(turn)


def _last(progress: Progress) -> Turn | None:
    """Where nobody has it and nobody is asked: who had it last in this run, as far as the turns tell."""
    turns = [turn for turn in progress.run_turns if turn.courier]
    return max(turns, key=lambda turn: (turn.awb != "", turn.priority), default=None)


def _identity(turn: Turn) -> tuple[int, str] | None:
    return turn.courier.identity if turn.courier else None
