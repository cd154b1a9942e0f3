"""Where the marks of Today's charts stand."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilty.telling import charts
from bilty.telling.charts import HEIGHT, WIDTH

MINUTE = timedelta(minutes=1)
COUNTS = st.lists(st.integers(0, 10**6), max_size=30)


@given(COUNTS)
def test_each_bar_stands_in_its_column_on_the_line(counts: list[int]) -> None:
    for place, (count, bar) in enumerate(zip(counts, charts.columns(counts), strict=True)):
        assert (bar is None) == (count == 0)
        if bar:
            assert place * WIDTH < bar.x < bar.x + bar.width < (place + 1) * WIDTH
            assert bar.y + bar.height == pytest.approx(HEIGHT)
            assert charts.BAR_MIN <= bar.height <= HEIGHT


def test_the_highest_bar_fills_the_chart_and_the_lowest_is_still_seen() -> None:
    low, none, high = charts.columns([1, 0, 1000])
    assert none is None
    assert low
    assert high
    assert (low.height, high.height) == (charts.BAR_MIN, HEIGHT)


def test_a_single_label_does_not_fill_the_chart() -> None:
    [bar] = charts.columns([1])
    assert bar
    assert bar.height == HEIGHT / charts.FULL_MIN


@given(COUNTS)
def test_shares_stand_behind_one_another_and_fill_the_line(counts: list[int]) -> None:
    bars = charts.shares(counts, sum(counts))
    x = 0.0
    for bar in bars:
        assert bar.x == pytest.approx(x, abs=0.02)
        x = bar.x + bar.width
    assert x == pytest.approx(100 if sum(counts) else 0, abs=0.2)


def test_a_step_is_a_poll_and_a_window_has_six() -> None:
    scale = charts.scale(2 * MINUTE, 6)
    assert (scale.step, scale.unit, scale.steps) == (2 * MINUTE, "minutes", 18)
    assert scale.names() == [str(n) for n in range(0, 37, 2)]
    assert charts.scale(2 * MINUTE, 60).step == 20 * MINUTE


def test_where_polls_are_quick_seconds_are_the_unit() -> None:
    scale = charts.scale(timedelta(seconds=2.5), 6)
    assert scale.unit == "seconds"
    assert scale.names()[:3] == ["0", "2.5", "5"]


def test_a_time_stands_in_its_column_and_a_longer_one_in_the_last() -> None:
    scale = charts.scale(2 * MINUTE, 6)
    assert scale.x(3 * MINUTE) == 15
    assert scale.x(36 * MINUTE) == scale.x(timedelta(days=2)) == 185


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(milliseconds=400), "<1 s"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(seconds=100), "1 min 40 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(seconds=845), "14 min"),
        (timedelta(minutes=125), "2 h 05 min"),
        (timedelta(minutes=59, seconds=40), "1 h 00 min"),
        (None, ""),
    ],
)
def test_a_span_in_two_figures(length: timedelta | None, words: str) -> None:
    assert charts.short(length) == words


@pytest.mark.parametrize(
    ("part", "of", "words"),
    [(0, 9, "0 %"), (9, 9, "100 %"), (1, 1000, "<1 %"), (999, 1000, ">99 %"), (2, 3, "67 %"), (0, 0, "")],
)
def test_none_and_all_are_said_of_none_and_all_alone(part: int, of: int, words: str) -> None:
    assert charts.percent(part, of) == words
