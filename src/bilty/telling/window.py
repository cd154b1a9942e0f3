"""The window drawn: each courier's turn a bar of twelve minutes with its polls, on one line of time. Values only.

A template places what is here; x is in hundredths of the drawing's width. The same is told in words beside each bar,
in `Window.told` for who cannot see it, and in the timeline below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from bilty.telling.dial import Dial, dial
from bilty.telling.frame import WIDTH, Frame, Words, fitted, framed
from bilty.telling.lane_words import lane_words
from bilty.telling.phrases import span
from bilty.telling.turn_times import Happening, Mark, MarkKind, SpanKind, TurnTimes, lanes_of
from bilty.turn import Kind, Rules, State
from bilty.workflow import Progress

FOLD_AFTER = 3
"""Poll intervals: a stretch in which nothing happens takes no more room than so many."""
STUB = 2.6
"""What a bar takes at least, so that one of a second is seen; what came of it stands at its end."""
SEEN = 0.25
"""A bar that is narrower is but a thicker edge of its neighbour."""
GUIDED_FROM = 1.5
SIGNS_APART = 4.6
"""Signs that come closer together stand beside each other."""
AWB_CHARS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    done: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """What a turn came to, at its moment."""

    kind: str
    x: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One courier. `glyph` and `state` are those of its cell in the strip."""

    tier: str
    name: str
    state: str
    glyph: str
    told: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    signs: tuple[Sign, ...]
    words: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Hand:
    """Now. It moves `pace` a second until it is at `until`; further only the server knows."""

    x: float
    pace: float
    until: float


@dataclass(frozen=True, slots=True)
class Window:
    """`guides`: where one bar ends and the next begins. `folds`: where the paper is torn. `days`: where one begins."""

    run: int
    lanes: tuple[Lane, ...]
    hours: tuple[Words, ...]
    days: tuple[Words, ...]
    guides: tuple[float, ...]
    folds: tuple[float, ...]
    hand: Hand | None
    told: str


def window(
    progress: Progress, run: int, happenings: Sequence[Happening], rules: Rules, now: datetime, zone: tzinfo
) -> Window | None:
    """One run drawn. None where it has not begun."""
    times, face = lanes_of(progress, run, happenings, rules, now), dial(rules, now, zone)
    if not any(lane.begins for lane in times):
        return None
    is_live = run == progress.run and any(_goes_on(lane) for lane in times)
    frame, ends_at = _frame(times, rules, now if is_live else None)
    hand = Hand(_x(frame.at(now)), *map(_x, frame.pace(now))) if is_live else None
    lanes = tuple(_lane(lane, progress, frame, rules, face) for lane in times)
    hours = [*_hours(times), *([ends_at] if ends_at else [])]
    return Window(
        run=run,
        lanes=lanes,
        hours=fitted([(_x(frame.at(at)), face.hour(at)) for at in hours]),
        days=fitted([*([(hand.x, "now")] if hand else []), *_days(frame, face)]),
        guides=_guides([_x(frame.at(lane.begins)) for lane in times[1:] if lane.begins]),
        folds=tuple(map(_x, frame.folds)),
        hand=hand,
        told=" ".join(f"{lane.tier} {lane.name}: {lane.told}.".lstrip() for lane in lanes),
    )


def _goes_on(lane: TurnTimes) -> bool:
    """Something is owed that a person waits for; a late label that is merely looked out for is not."""
    turn = lane.turn
    if turn is None or turn.due_at is None:
        return False
    return turn.kind is Kind.OPEN or turn.state in (State.FETCHING, State.UNLABELLED, State.SURPLUS)


def _frame(times: Sequence[TurnTimes], rules: Rules, now: datetime | None) -> tuple[Frame, datetime | None]:
    """At least a window's length, so that bars of different shipments compare, and some room for what goes on.

    With its end, where that is a moment worth a name.
    """
    beat = rules.poll_interval
    moments = [moment for lane in times for moment in lane.moments()] + ([now] if now else [])
    first, last = min(moments), max(moments)
    whole = [first + step * beat for step in range(rules.polls_max + 1)]
    if last < whole[-1]:
        return framed([*moments, *(moment for moment in whole if moment > last)], FOLD_AFTER * beat), whole[-1]
    if not any(lane.planned_end == last for lane in times):
        moments.append(last + beat)
    return framed(moments, FOLD_AFTER * beat), None


def _guides(places: Sequence[float]) -> tuple[float, ...]:
    """Of those that are one line to the eye, the last; none at the frame's own edge."""
    return tuple(x for x, after in pairwise([*places, WIDTH]) if x >= GUIDED_FROM and after - x >= SEEN)


def _x(x: float) -> float:
    return round(x, 4)


def _lane(times: TurnTimes, progress: Progress, frame: Frame, rules: Rules, face: Dial) -> Lane:
    cell, told = lane_words(times, progress, rules, face)
    bars = _bars(times, frame)
    is_stub = len(bars) == 1 and bars[0].width == STUB
    signs = _signs(times.marks, frame, bars[0].x + STUB if is_stub else 0.0)
    return Lane(
        tier=f"P{times.priority}" if times.priority else "",
        name=times.courier.name if times.courier else "ClickPost",
        state=cell.state,
        glyph=cell.glyph,
        told=told,
        bars=bars,
        ticks=tuple(Tick(_x(frame.at(poll.at)), poll.done) for poll in times.polls),
        signs=signs,
        words=fitted(_flags(times, signs, frame)),
    )


def _bars(times: TurnTimes, frame: Frame) -> tuple[Bar, ...]:
    """What was refused or won at once has a stub in place of a bar that would be too short to see."""
    bars = [
        Bar(each.kind, start := _x(frame.at(each.start)), _x((frame.at(each.end) if each.end else WIDTH) - start))
        for each in times.spans
    ]
    if times.begins and times.turn and sum(bar.width for bar in bars) < STUB:
        start = min(_x(frame.at(times.begins)), WIDTH - STUB)
        return (Bar(bars[0].kind if bars else SpanKind.ASKING, start, STUB),)
    return tuple(bar for bar in bars if bar.width >= SEEN)


def _signs(marks: Sequence[Mark], frame: Frame, at_least: float) -> tuple[Sign, ...]:
    """In their order, each at its moment or, where there is no room, beside the one before it."""
    places: list[float] = []
    for mark in marks:
        places.append(max(frame.at(mark.at), places[-1] + SIGNS_APART if places else at_least))
    at_most = WIDTH
    for index in reversed(range(len(places))):
        places[index] = min(places[index], at_most)
        at_most = places[index] - SIGNS_APART
    return tuple(Sign(mark.kind, _x(max(0.0, x))) for mark, x in zip(marks, places, strict=True))


def _flags(times: TurnTimes, signs: Sequence[Sign], frame: Frame) -> list[tuple[float, str]]:
    """Under the bar: an AWB that came after it and what became of it, and how long ClickPost was silent."""
    flags = []
    late = [sign for sign in signs if sign.kind in (MarkKind.LATE, MarkKind.CANCELLED)]
    if late and times.turn and times.turn.awb:
        awb = times.turn.awb
        cut = awb if len(awb) <= AWB_CHARS else f"{awb[: AWB_CHARS - 1]}…"
        flags.append((late[0].x, f"AWB {cut}" + (" cancelled" if late[-1].kind == MarkKind.CANCELLED else "")))
    for each in times.spans:
        if each.kind is SpanKind.SILENT and each.end:
            middle = (frame.at(each.start) + frame.at(each.end)) / 2
            flags.append((_x(middle), f"silent {span(each.end - each.start)}"))
    return flags


def _hours(times: Sequence[TurnTimes]) -> list[datetime]:
    """The times that the axis names, the most important first."""
    begins = [lane.begins for lane in times if lane.begins]
    planned = [lane.planned_end for lane in times if lane.planned_end]
    marks = [mark.at for lane in times for mark in lane.marks]
    return [*begins[:1], *planned[:1], *begins[1:], *planned[1:], *reversed(marks)]


def _days(frame: Frame, face: Dial) -> list[tuple[float, str]]:
    """Which day begins where, unless it is all today."""
    today, seen, days = face.date(face.now), None, []
    for moment, x in frame.knots:
        day = face.date(moment)
        if day != seen and not (seen is None and day == today):
            days.append((_x(x), face.day(moment)))
        seen = day
    return days
