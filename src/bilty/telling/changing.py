"""What it means to change a shipment now, told before it is done, and what came of it."""

from collections.abc import Sequence

from bilty.telling.phrases import name_of
from bilty.turn import Kind, State, Step, Turn
from bilty.words import listed
from bilty.workflow import Progress, Status, status


def told_changing(progress: Progress) -> tuple[str, ...]:
    """What becomes of all that was asked for it as it is. Nothing while nobody was asked."""
    typed = [turn for turn in progress.turns if turn.entered and turn.state in (State.FETCHING, State.UNLABELLED)]
    held = [turn for turn in progress.turns if turn.kind is Kind.HOLDS and turn not in typed]
    given_up = [*held, *(turn for turn in progress.turns if _is_offered(turn))]
    told = [f"AWB {turn.awb} at {name_of(turn)} is cancelled." for turn in given_up]
    told += [
        f"AWB {turn.awb} at {name_of(turn)} was entered by hand: cancel it or take it back, before it is booked anew."
        for turn in typed
    ]
    told += [
        f"AWB {turn.awb} at {name_of(turn)} is being cancelled already."
        for turn in progress.turns
        if turn.kind is Kind.EXTRA and turn.step is Step.CANCEL and turn not in given_up
    ]
    names = list(dict.fromkeys(name_of(turn) for turn in progress.turns if _may_still_come(turn)))
    if names:
        was = "was" if len(names) == 1 else "were"
        told.append(f"{listed(names)} {was} asked to carry it as it was: an AWB that still comes is cancelled.")
    return tuple(told)


def must_wait(progress: Progress) -> bool:
    """Whether the changed shipment is booked only once something of the old is over."""
    return any(not turn.settled and (turn.kind in (Kind.HOLDS, Kind.EXTRA) or _lasts(turn)) for turn in progress.turns)


def told_changed(after: Progress, cancelled: Sequence[str]) -> str:
    """`cancelled`: the AWBs that the change gave up."""
    told = []
    if cancelled:
        are = "AWB {} is" if len(cancelled) == 1 else "AWBs {} are"
        told.append(f"{are.format(listed(list(cancelled)))} being cancelled.")
    shown = status(after)
    if shown is Status.ON_HOLD:
        told.append(f"It is on hold: {after.hold}")
    elif after.run_turns:
        told.append("It is being booked.")
    elif after.schedule_asked:
        told.append("It is booked anew when the old is over.")
    else:
        told.append("It is booked when you schedule it.")
    return " ".join(told)


def _is_offered(turn: Turn) -> bool:
    return turn.state is State.OFFERED and not turn.entered


def _may_still_come(turn: Turn) -> bool:
    return turn.courier is not None and not turn.settled and _lasts(turn)


def _lasts(turn: Turn) -> bool:
    """But for what was not said yet: the change itself withdraws that."""
    is_unsaid = turn.state in (State.RANKING, State.ASKING) and turn.asks == 0
    return turn.kind in (Kind.OPEN, Kind.WATCHED) and not is_unsaid
