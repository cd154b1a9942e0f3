"""A turn in time: what it went through and when, which polls were made, and which are to come if nothing does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Protocol, TypeAlias

from bilty.hearing import INQUIRY_GAPS
from bilty.reply import Courier
from bilty.turn import Kind, Rules, State, Turn
from bilty.workflow import Progress

STATES = frozenset(State)
LATE_ANSWER = 1.5
"""Poll intervals between two answers from which on it was silence that lay between them."""


class Happening(Protocol):
    """A line of the timeline."""

    @property
    def at(self) -> datetime: ...
    @property
    def run(self) -> int | None: ...
    @property
    def priority(self) -> int | None: ...
    @property
    def state(self) -> str: ...
    @property
    def polls_done(self) -> int: ...


class SpanKind(StrEnum):
    ASKING = "asking"
    UNCLEAR = "unclear"  # asked, and it may be booked
    WAITING = "waiting"
    SILENT = "silent"  # ClickPost does not answer: uses up no poll
    FETCHING = "fetching"  # booked, its label on the way
    WATCHED = "watched"  # over, but a label may still come, or an AWB too many is still there
    PLANNED = "planned"


class MarkKind(StrEnum):
    REFUSED = "refused"
    LAPSED = "lapsed"
    WON = "won"
    BOOKED = "booked"
    LATE = "late"
    CANCELLED = "cancelled"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Span:
    """`end` None: it goes on."""

    kind: SpanKind
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Poll:
    at: datetime
    done: bool


@dataclass(frozen=True, slots=True)
class Mark:
    at: datetime
    kind: MarkKind
    state: State


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """One courier's lane. `turn` None: it has not begun, and perhaps never will."""

    priority: int
    courier: Courier | None
    turn: Turn | None
    begins: datetime | None = None
    spans: tuple[Span, ...] = ()
    polls: tuple[Poll, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def planned_end(self) -> datetime | None:
        last = self.spans[-1] if self.spans else None
        return last.end if last and last.kind is SpanKind.PLANNED else None

    def moments(self) -> list[datetime]:
        ends = [moment for span in self.spans for moment in (span.start, span.end) if moment]
        polls, marks = [poll.at for poll in self.polls], [mark.at for mark in self.marks]
        return [*([self.begins] if self.begins else []), *ends, *polls, *marks]


def lanes_of(
    progress: Progress, run: int, happenings: Sequence[Happening], rules: Rules, now: datetime
) -> tuple[TurnTimes, ...]:
    """Each courier of a run, and of a run that has none yet the asking who they are."""
    turns = {turn.priority: turn for turn in progress.turns if turn.run == run}
    couriers = turns[0].couriers if 0 in turns else ()
    of_turns = [each for each in happenings if each.run == run and each.state in STATES]  # no person's acts
    told = {priority: [each for each in of_turns if each.priority == priority] for priority in turns}
    if not couriers:
        return tuple(times_of(turns[0], told[0], rules, now) for _ in turns if 0 in turns)
    lanes: list[TurnTimes] = []
    starts = None
    for priority, courier in enumerate(couriers, start=1):
        turn = turns.get(priority)
        if turn:
            lane = times_of(turn, told[priority], rules, now)
        elif starts:
            lane = _planned(priority, courier, starts, rules)
        else:
            lane = TurnTimes(priority, courier, None)
        lanes.append(lane)
        is_certain = turn is None or turn.state is not State.UNCLEAR or _is_out(turn)
        starts = lane.planned_end if is_certain and not progress.cancel_asked else None
    return tuple(lanes)


def _planned(priority: int, courier: Courier, starts: datetime, rules: Rules) -> TurnTimes:
    polls = _rhythm(starts + rules.poll_interval, rules.polls_max, rules)
    return TurnTimes(priority, courier, None, starts, (Span(SpanKind.PLANNED, starts, polls[-1].at),), polls)


def times_of(turn: Turn, told: Sequence[Happening], rules: Rules, now: datetime) -> TurnTimes:
    """`told`: what the timeline has of this turn, in order."""
    begun = told[0].at if told else turn.asked_at or turn.due_at or now
    lines = [(each.at, State(each.state), each.polls_done) for each in told] or [(begun, turn.state, turn.polls_done)]
    spans = [span for line, after in pairwise(lines) for span in _spans(line, after[0], rules)]
    spans += _present(turn, lines[-1], rules, now)
    to_come = _to_come(turn, rules, now)
    if to_come:
        spans.append(Span(SpanKind.PLANNED, max(now, begun), to_come[-1].at))
    polls = (*_made(lines, rules), *to_come)
    return TurnTimes(turn.priority, turn.courier, turn, begun, _joined(spans), polls, tuple(_marks(lines)))


Line: TypeAlias = tuple[datetime, State, int]
_SPANS = {
    State.RANKING: SpanKind.ASKING,
    State.ASKING: SpanKind.ASKING,
    State.UNCLEAR: SpanKind.UNCLEAR,
    State.UNDECIDED: SpanKind.UNCLEAR,
    State.WAITING: SpanKind.WAITING,
    State.FETCHING: SpanKind.FETCHING,
    State.UNLABELLED: SpanKind.FETCHING,
    State.LAPSED: SpanKind.WATCHED,
    State.OFFERED: SpanKind.WATCHED,
    State.SURPLUS: SpanKind.WATCHED,
    State.UNCANCELLED: SpanKind.WATCHED,
}


def _spans(line: Line, until: datetime, rules: Rules) -> list[Span]:
    at, state, _ = line
    if state is State.WAITING and until - at > LATE_ANSWER * rules.poll_interval:
        silent_from = at + rules.poll_interval
        return [Span(SpanKind.WAITING, at, silent_from), Span(SpanKind.SILENT, silent_from, until)]
    return [Span(_SPANS[state], at, until)] if state in _SPANS else []


def _present(turn: Turn, last: Line, rules: Rules, now: datetime) -> list[Span]:
    """From the last line of the timeline until now; what is only watched goes on."""
    at, state, _ = last
    now = max(now, at)
    if turn.state in (State.ASKING, State.UNCLEAR) and _is_out(turn):
        return [Span(SpanKind.ASKING, at, now)]
    if _SPANS.get(state) is SpanKind.WATCHED:
        return [Span(SpanKind.WATCHED, at, None if turn.due_at or turn.kind is Kind.EXTRA else at)]
    if state is State.WAITING and not turn.tries:
        return [Span(SpanKind.WAITING, at, now)]
    return _spans(last, now, rules)


def _is_out(turn: Turn) -> bool:
    """It is being asked, and nothing that was said of it is unclear."""
    return turn.state is State.ASKING or (turn.polls_done == 0 and turn.tries == 0 and turn.asks <= 1)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Neighbours of one kind are one; what took no time is left out."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].kind is span.kind and joined[-1].end == span.start:
            joined[-1] = Span(span.kind, joined[-1].start, span.end)
        elif span.end is None or span.end > span.start:
            joined.append(span)
    return tuple(joined)


def _made(lines: Sequence[Line], rules: Rules) -> list[Poll]:
    """The answered polls that brought nothing: each counted one, and the last, on which the turn lapsed."""
    polls = []
    for (_, was, polls_done), (at, state, counted) in pairwise(lines):
        counts = state is was and state in (State.UNCLEAR, State.WAITING) and counted > polls_done
        lapsed = was is State.WAITING and state is State.LAPSED and polls_done == rules.polls_max - 1
        if counts or lapsed:
            polls.append(Poll(at, done=True))
    return polls


def _to_come(turn: Turn, rules: Rules, now: datetime) -> tuple[Poll, ...]:
    """If every answer is "not yet". None while that leads nowhere."""
    due_at = turn.planned_due or turn.due_at
    if due_at is None:
        return ()
    if turn.state in (State.ASKING, State.UNCLEAR) and _is_out(turn):
        asked_at = max(now, due_at) if turn.state is State.ASKING else turn.asked_at or now
        return _rhythm(max(now, asked_at + rules.poll_interval), rules.polls_max, rules)
    first = max(now, due_at)
    if turn.state is State.UNCLEAR:
        gaps = (*INQUIRY_GAPS, *(1.0 for _ in range(rules.polls_max - 1)))[turn.polls_done :]
        polls = [first]
        for gap in gaps:
            polls.append(polls[-1] + gap * rules.poll_interval)
        return tuple(Poll(at, done=False) for at in polls)
    if turn.state is State.WAITING:
        return _rhythm(first, rules.polls_max - turn.polls_done, rules)
    return ()


def _rhythm(first: datetime, count: int, rules: Rules) -> tuple[Poll, ...]:
    return tuple(Poll(first + step * rules.poll_interval, done=False) for step in range(max(1, count)))


_MARKS = {
    State.UNSERVICEABLE: MarkKind.REFUSED,
    State.REFUSED: MarkKind.REFUSED,
    State.STOPPED: MarkKind.REFUSED,
    State.LAPSED: MarkKind.LAPSED,
    State.FETCHING: MarkKind.BOOKED,
    State.WON: MarkKind.WON,
    State.OFFERED: MarkKind.LATE,
    State.SURPLUS: MarkKind.LATE,
    State.CANCELLED: MarkKind.CANCELLED,
    State.UNDECIDED: MarkKind.PERSON,
    State.UNLABELLED: MarkKind.PERSON,
    State.UNCANCELLED: MarkKind.PERSON,
    State.PICKED_UP: MarkKind.PERSON,
    State.CONFLICT: MarkKind.PERSON,
    State.UNRETURNED: MarkKind.PERSON,
    State.RETURNED: MarkKind.LAPSED,
}
_HAD_AWB = (State.FETCHING, State.UNLABELLED, State.WON, State.OFFERED, State.SURPLUS, State.UNCANCELLED)


def _marks(lines: Sequence[Line]) -> list[Mark]:
    """Where a turn came to something. A label that is had already does not arrive again when it must be cancelled."""
    marks: list[Mark] = []
    states: list[State | None] = [None, *(state for _, state, _ in lines)]
    for was, (at, state, _) in zip(states, lines, strict=False):
        if state is was or state not in _MARKS or (state is State.SURPLUS and was in _HAD_AWB):
            continue
        if marks and marks[-1].kind is MarkKind.BOOKED and state is State.WON:
            marks.pop()  # the label is what counts
        marks.append(Mark(at, _MARKS[state], state))
    return marks
