"""Where a shipment under way stands, in short pieces with the clock running: what was, what is, what comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bilty.telling.phrases import clock, name_of
from bilty.telling.turn_times import Happening
from bilty.telling.turns import next_courier, told_return
from bilty.turn import Rules, State, Turn, window_ends_at
from bilty.workflow import Progress


@dataclass(frozen=True, slots=True)
class Piece:
    """`due`: the moment that its last words name, while it is still to come."""

    words: str
    due: datetime | None = None


def told_standing(
    progress: Progress, happenings: Sequence[Happening], rules: Rules, now: datetime, zone: tzinfo
) -> tuple[Piece, ...]:
    """None where nothing runs: `told_status` then says it all."""
    if coming_back := told_return(progress):
        return (Piece(coming_back.rstrip(".")),)
    turn = progress.holder or progress.open_turn
    if turn is None or progress.cancel_asked or turn.state not in (State.WAITING, State.FETCHING):
        return ()
    since = _entered(turn, happenings)
    did = "accepted" if turn.state is State.WAITING else "booked it"
    begun = Piece(f"{name_of(turn)} {did} {clock(since, now, zone)}" if since else f"{name_of(turn)} {did}")
    if turn.state is State.FETCHING:
        return begun, _next("its label is being fetched", turn, now, zone)
    if turn.tries:
        return begun, _next(f"polled {turn.polls_done} of {rules.polls_max}, ClickPost is silent", turn, now, zone)
    polled = _next(f"polled {turn.polls_done} of {rules.polls_max}", turn, now, zone)
    return (begun, polled, *_takes_over(progress, turn, rules, now, zone))


def _entered(turn: Turn, happenings: Sequence[Happening]) -> datetime | None:
    """When the turn came into its present state."""
    lines = [each for each in happenings if (each.run, each.priority) == (turn.run, turn.priority)]
    return next((each.at for each in reversed(lines) if each.state == turn.state and not each.polls_done), None)


def _next(words: str, turn: Turn, now: datetime, zone: tzinfo) -> Piece:
    if turn.due_at is None:
        return Piece(words)
    return Piece(f"{words}, next {clock(turn.due_at, now, zone)}", turn.due_at if turn.due_at > now else None)


def _takes_over(progress: Progress, turn: Turn, rules: Rules, now: datetime, zone: tzinfo) -> tuple[Piece, ...]:
    ends_at = window_ends_at(turn, rules)
    if ends_at is None:
        return ()
    after = next_courier(progress, turn)
    then = f"{after.name} takes over" if after else "nobody is left to ask"
    return (Piece(f"at {clock(ends_at, now, zone)} {then}", ends_at if ends_at > now else None),)
