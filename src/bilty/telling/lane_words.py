"""What stands beside a courier's bar: its state in the strip's glyph, and a few words with times."""

from bilty.telling.dial import Dial
from bilty.telling.strip import Cell, cell
from bilty.telling.turn_times import Mark, MarkKind, TurnTimes
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress

_MARKS = {
    State.UNSERVICEABLE: "no courier {at}",
    State.REFUSED: "refused {at}",
    State.STOPPED: "refused {at}",
    State.LAPSED: "lapsed {at}",
    State.FETCHING: "booked {at}",
    State.WON: "label {at}",
    State.OFFERED: "late label {at}",
    State.SURPLUS: "late label {at}",
    State.CANCELLED: "cancelled {at}",
    State.UNDECIDED: "still unclear {at}",
    State.UNLABELLED: "no label by {at}",
    State.UNCANCELLED: "will not cancel {at}",
    State.PICKED_UP: "picked up, one too many",
    State.CONFLICT: "another's AWB {at}",
    State.UNRETURNED: "will not bring it back {at}",
    State.RETURNED: "brings it back {at}",
}
_NOW = {
    State.RANKING: "asked who serves this lane",
    State.RANKED: "couriers ranked",
    State.UNDECIDED: "waits for a person",
    State.FETCHING: "label on its way",
    State.RETURNING: "return being ordered",
    State.SURPLUS: "being cancelled",
    State.WITHDRAWN: "not asked",
}


def lane_words(times: TurnTimes, progress: Progress, rules: Rules, dial: Dial) -> tuple[Cell, str]:
    drawn = cell(times.priority, times.turn, times.courier, rules)
    turn = times.turn
    if turn is None:
        return drawn, f"from {dial.told(times.begins)}, if needed" if times.begins else _not_asked(progress)
    past = [_MARKS[mark.state].format(at=dial.told(mark.at)) for mark in _told(times.marks)]
    return drawn, ", ".join([*past, *_present(turn, rules, dial)])


def _told(marks: tuple[Mark, ...]) -> list[Mark]:
    """That it lapsed is not told of a turn whose label came after all: it came late."""
    return [mark for mark in marks if mark.kind is not MarkKind.LAPSED or mark is marks[-1]]


def _not_asked(progress: Progress) -> str:
    return "not asked yet" if progress.open_turn and not progress.cancel_asked else "not asked"


def _present(turn: Turn, rules: Rules, dial: Dial) -> list[str]:
    next_at = [f"next {dial.told(turn.due_at)}"] if turn.due_at else []
    match turn.state:
        case State.ASKING:
            return ["ClickPost cannot be reached", *next_at] if turn.tries else ["being asked"]
        case State.UNCLEAR:
            is_out = turn.polls_done == 0 and turn.tries == 0
            return ["being asked"] if is_out else ["unclear whether booked", *next_at]
        case State.WAITING:
            silent = ["ClickPost is silent"] if turn.tries else []
            return [f"polled {turn.polls_done} of {rules.polls_max}", *silent, *next_at]
        case State.OFFERED:
            return [f"cancelled at {dial.told(turn.due_at)} unless used"] if turn.due_at else ["waits for a person"]
        case State.LAPSED:
            return ["still watched", *next_at] if turn.due_at else ["no longer watched"]
        case state:
            return [_NOW[state]] if state in _NOW else []
