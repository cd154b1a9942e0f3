"""When an order system is tried again."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilty.oms.retries import TRIED_FOR, TRIES_MIN, WAITS, GiveUp, next_try
from bilty.outgoing.retry_after import RETRY_AFTER_S_MAX

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def tries(retry_after_s: float | None = None) -> list[datetime]:
    """Of a delivery that is never received, each try failing at once."""
    at, made = NOON, [NOON]
    for failures in count(1):
        due = next_try(failures, NOON, at, retry_after_s)
        if isinstance(due, GiveUp):
            return made
        at = due
        made.append(at)
    raise AssertionError


def test_it_is_tried_for_three_days_sooner_first_and_then_hourly() -> None:
    made = tries()
    gaps = [after - before for before, after in pairwise(made)]
    assert tuple(gaps[: len(WAITS)]) == WAITS
    assert set(gaps[len(WAITS) : -1]) == {timedelta(hours=1)}
    assert made[-1] - NOON == TRIED_FOR, "the last try is at the very end"
    assert 70 < len(made) < 90


@pytest.mark.parametrize(("wish", "wait"), [(None, 5), (0, 5), (1, 5), (60, 60), (3600, 3600)])
def test_a_receivers_wish_makes_a_wait_longer_and_never_shorter(wish: float | None, wait: float) -> None:
    assert next_try(1, NOON, NOON, wish) == NOON + wait * SECOND


@given(st.integers(1, 10_000), st.floats(0, 300_000), st.none() | st.floats(0, RETRY_AFTER_S_MAX))
def test_the_next_try_is_later_within_the_time_and_within_reach(
    failures: int, late_s: float, wish: float | None
) -> None:
    now = NOON + late_s * SECOND
    due = next_try(failures, NOON, now, wish)
    over = now >= NOON + TRIED_FOR
    if isinstance(due, GiveUp):
        assert over
        assert failures >= TRIES_MIN
    else:
        assert now < due <= now + max(WAITS)
        assert over or due <= NOON + TRIED_FOR


def test_what_was_hardly_tried_because_bilty_was_down_is_not_given_up() -> None:
    back = NOON + 2 * TRIED_FOR
    assert next_try(2, NOON, back) == back + WAITS[1]
    assert next_try(TRIES_MIN - 1, NOON, back) == back + WAITS[-1]
    assert next_try(TRIES_MIN, NOON, back) == GiveUp()
