"""Where the marks of Today's charts stand. Pure geometry: whoever draws writes the numbers into an SVG.

A chart has columns of one width and stands on a table with as many: the table's figures are its axis, so nothing is
written into the picture, and it may be stretched to any width. Heights are of HEIGHT, widths of WIDTH a column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

WIDTH, HEIGHT = 10.0, 100.0
GAP = 1.5
BAR_MIN = 2.0
"""One label among a thousand is still to be seen."""
FULL_MIN = 10
"""A single label does not fill the chart."""
SHARES_WIDTH = 100.0
WINDOW_STEPS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


def columns(counts: Sequence[int]) -> list[Bar | None]:
    """A bar each, as high as its share of the highest; None where there is nothing."""
    highest = max([FULL_MIN, *counts])
    return [_column(place, count / highest) if count else None for place, count in enumerate(counts)]


def _column(place: int, share: float) -> Bar:
    height = round(max(BAR_MIN, HEIGHT * share), 2)
    return Bar(round(place * WIDTH + GAP, 2), round(HEIGHT - height, 2), WIDTH - 2 * GAP, height)


def shares(counts: Sequence[int], of: int) -> list[Bar]:
    """Stretches behind one another, that together are `of` when nothing is left out."""
    bars, x = [], 0.0
    for count in counts:
        width = SHARES_WIDTH * count / of if of else 0.0
        bars.append(Bar(round(x, 2), 0.0, round(width, 2), HEIGHT))
        x += width
    return bars


@dataclass(frozen=True, slots=True)
class Scale:
    """The columns of a chart over waiting times: three couriers' windows of six steps each, and one for the rest."""

    step: timedelta
    windows: int = 3

    @property
    def steps(self) -> int:
        return self.windows * WINDOW_STEPS

    def x(self, length: timedelta) -> float:
        """Where a time stands; what is longer than the windows stands in the middle of the last column."""
        place = length / self.step
        return round(WIDTH * (place if place < self.steps else self.steps + 0.5), 2)

    @property
    def unit(self) -> str:
        return "minutes" if self.step >= timedelta(minutes=1) else "seconds"

    def names(self) -> list[str]:
        """Where each column begins, in `unit`."""
        size = self.step / timedelta(**{self.unit: 1})
        return [f"{round(size * n, 1):g}" for n in range(self.steps + 1)]


def scale(poll_interval: timedelta, polls_max: int) -> Scale:
    """One step a poll, where a window has six."""
    return Scale(poll_interval * polls_max / WINDOW_STEPS)


def short(length: timedelta | None) -> str:
    """A span with two figures of it: <1 s, 42 s, 1 min 40 s, 14 min, 2 h 05 min."""
    if length is None:
        return ""
    seconds = length.total_seconds()
    if seconds < 1:
        return "<1 s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 10 and rest:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def percent(part: int, of: int) -> str:
    """Whole per cents, of which the ends are kept for what they say: 100 % is all, 0 % is none."""
    if not of:
        return ""
    rounded = round(100 * part / of)
    if part and not rounded:
        return "<1 %"
    return ">99 %" if part < of and rounded == 100 else f"{rounded} %"
