"""Which turns a person must look at, and why. Pure; `bilty.telling` says it in words."""

from collections.abc import Mapping
from enum import StrEnum

from bilty.turn import State, Turn
from bilty.workflow import Progress, Status, status


class Concern(StrEnum):
    """What a person must see or settle. The values are the API's."""

    UNDECIDED = "undecided"
    UNLABELLED = "awb_without_label"
    STOPPED = "stopped"
    OFFERED = "late_label"
    UNCANCELLED = "cancel_refused"
    PICKED_UP = "surplus_picked_up"
    CONFLICT = "awb_conflict"
    NO_LABEL = "no_label"
    OUTDATED = "old_version"
    UNRETURNED = "return_refused"
    MISCOUNTED = "box_count"


CONCERNS: Mapping[State, Concern] = {
    State.UNDECIDED: Concern.UNDECIDED,
    State.UNLABELLED: Concern.UNLABELLED,
    State.STOPPED: Concern.STOPPED,
    State.OFFERED: Concern.OFFERED,
    State.UNCANCELLED: Concern.UNCANCELLED,
    State.PICKED_UP: Concern.PICKED_UP,
    State.CONFLICT: Concern.CONFLICT,
    State.UNRETURNED: Concern.UNRETURNED,
}


def concerns(progress: Progress) -> tuple[tuple[Concern, Turn], ...]:
    """Every turn that a person must look at and has not settled, of every run, each with its reason.

    One that stopped or lapsed is the matter only while no AWB is, and the shipment is wanted; but one that lapsed and
    may still bring an AWB for what the shipment was keeps it from being booked as it is.
    """
    nearer = progress.cancel_asked or progress.holder or progress.extras
    attention = status(progress) is Status.NEEDS_ATTENTION and not nearer
    stopped = progress.run_turns if attention else ()
    unsettled = [turn for turn in progress.turns if not turn.settled]
    shown = [
        (CONCERNS[turn.state], turn)
        for turn in unsettled
        if turn.state in CONCERNS and (turn.state is not State.STOPPED or turn in stopped)
    ]
    holder = progress.holder
    if holder and holder.state is State.WON and holder.miscount and not progress.dispatched:
        shown.append((Concern.MISCOUNTED, holder))
    if not progress.cancel_asked:
        shown += [(Concern.OUTDATED, turn) for turn in progress.outdated if turn.state is State.LAPSED]
    if not shown and attention:
        shown = [(Concern.NO_LABEL, turn) for turn in unsettled if turn.state is State.LAPSED]
    return tuple(shown)
