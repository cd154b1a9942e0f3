"""The plan of a chaos run: what a seed says, and what every seed keeps to."""

from collections import defaultdict
from collections.abc import Sequence

import pytest

from bench.chaos.plan import CLICKPOST, DATABASE, Fault, Kind, plan
from bilty.store.claims import LEASE

NAMES = ("up-1", "up-2", "work-1")
TEN_MINUTES = 600.0
SEEDS = range(40)
LINES = (Kind.CUT, Kind.CUT_AFTER, Kind.HALF_CLOSE, Kind.FORGET, Kind.HOLD, Kind.SLOW)


def _count(faults: Sequence[Fault], *kinds: Kind, target: str = "") -> int:
    return sum(fault.kind in kinds and target in fault.target for fault in faults)


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    assert plan(7, TEN_MINUTES, NAMES) == plan(7, TEN_MINUTES, NAMES)
    assert plan(7, TEN_MINUTES, NAMES) != plan(8, TEN_MINUTES, NAMES)


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_minutes_of_any_seed_have_enough_of_everything(seed: int) -> None:
    faults = plan(seed, TEN_MINUTES, NAMES)
    assert faults == tuple(sorted(faults))
    assert _count(faults, Kind.KILL) >= 230
    assert _count(faults, *LINES, Kind.POSTGRES_KILL, Kind.POSTGRES_RESTART, target=DATABASE) >= 60
    assert _count(faults, *LINES, target=CLICKPOST) >= 60
    assert _count(faults, Kind.PAUSE) >= 4
    assert _count(faults, Kind.BLACKOUT) >= 3
    assert _count(faults, Kind.FULL) >= 6
    assert _count(faults, Kind.SILENCE) >= 5
    assert _count(faults, Kind.POSTGRES_KILL) >= 3
    assert {fault.target for fault in faults if fault.kind is Kind.KILL} == set(NAMES)


@pytest.mark.parametrize("seconds", [5.0, 30.0, TEN_MINUTES])
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_lasts_beyond_the_end_or_overlaps_its_like(seed: int, seconds: float) -> None:
    until: dict[str, float] = defaultdict(float)
    for fault in plan(seed, seconds, NAMES):
        assert 0 <= fault.at_s <= fault.at_s + fault.for_s < seconds
        if fault.for_s:
            of = fault.target if fault.kind in LINES else fault.kind
            assert fault.at_s >= until[of]
            until[of] = fault.at_s + fault.for_s


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pause_outlasts_the_lease_and_is_not_cut_short(seed: int) -> None:
    faults = plan(seed, TEN_MINUTES, NAMES)
    for pause in [fault for fault in faults if fault.kind is Kind.PAUSE]:
        assert pause.for_s > LEASE.total_seconds()
        meanwhile = [f for f in faults if pause.at_s <= f.at_s <= pause.at_s + pause.for_s]
        assert [f for f in meanwhile if f.kind is Kind.KILL and f.target == pause.target] == []
        assert _count(meanwhile, Kind.KILL) > 0
