"""Where a moment stands in a drawing, from 0 to 100 of its width, and which words fit beside each other there.

Time runs evenly from left to right, except that a long stretch in which nothing happened is folded: it takes the room
of a short one, and the drawing is torn there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

WIDTH = 100.0
CHAR_WIDTH, WORDS_APART = 1.9, 2.2
"""Of small words, in hundredths of a drawing on the narrowest screen: what fits there fits everywhere."""
EDGE = 0.5


@dataclass(frozen=True, slots=True)
class Frame:
    """`knots`: moments in order, each with its place. `folds`: the middle of each stretch that is folded."""

    knots: tuple[tuple[datetime, float], ...]
    folds: tuple[float, ...]

    def at(self, moment: datetime) -> float:
        """What is before the first knot or after the last stands at the edge."""
        after = bisect_left(self.knots, moment, key=_moment)
        if after == 0:
            return 0.0
        if after == len(self.knots):
            return self.knots[-1][1]
        (left_at, left), (right_at, right) = self.knots[after - 1], self.knots[after]
        return left + (right - left) * ((moment - left_at) / (right_at - left_at))

    def pace(self, moment: datetime) -> tuple[float, float]:
        """How fast a hand moves on from there, a second, and how far it may before the drawing must be made anew."""
        after = bisect_right(self.knots, moment, key=_moment)
        if after in (0, len(self.knots)):
            return 0.0, self.at(moment)
        (left_at, left), (right_at, right) = self.knots[after - 1], self.knots[after]
        return (right - left) / (right_at - left_at).total_seconds(), right


def _moment(knot: tuple[datetime, float]) -> datetime:
    return knot[0]


def framed(moments: Iterable[datetime], longest: timedelta) -> Frame:
    """A drawing in which each of `moments` has its place; between two of them lies no more room than `longest` has."""
    ordered = sorted(set(moments))
    gaps = [after - before for before, after in pairwise(ordered)]
    room = sum((min(gap, longest) for gap in gaps), timedelta())
    knots, folds, x = [(ordered[0], 0.0)], [], 0.0
    for moment, gap in zip(ordered[1:], gaps, strict=True):
        width = WIDTH * (min(gap, longest) / room)
        if gap > longest:
            folds.append(x + width / 2)
        x = min(WIDTH, x + width)
        knots.append((moment, x))
    return Frame(tuple(knots), tuple(folds))


@dataclass(frozen=True, slots=True)
class Words:
    """A word or two at a place. `anchor` is SVG's: which end of the words stands there."""

    x: float
    words: str
    anchor: str


def fitted(wanted: Sequence[tuple[float, str]]) -> tuple[Words, ...]:
    """Of `wanted`, the most important first, those that have room beside the ones before them; from left to right."""
    taken: list[tuple[float, float, Words]] = []
    for x, words in wanted:
        left, right, anchor = _extent(x, len(words) * CHAR_WIDTH)
        if all(
            right + WORDS_APART <= other_left or other_right + WORDS_APART <= left
            for other_left, other_right, _ in taken
        ):
            taken.append((left, right, Words(x, words, anchor)))
    return tuple(each for _, _, each in sorted(taken, key=lambda found: found[0]))


def _extent(x: float, width: float) -> tuple[float, float, str]:
    if x - width / 2 < -EDGE:
        return x, x + width, "start"
    if x + width / 2 > WIDTH + EDGE:
        return x - width, x, "end"
    return x - width / 2, x + width / 2, "middle"
