"""Killed between a fact and its telling: every event arrives all the same, and in order. `./run bench hand_off` does it
two hundred times; this is a part of that.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from process.programs import Program

BENCH = Path(__file__).parents[2] / "bench" / "hand_off.py"
KILLS = 6
WITHIN_S = 280


class Result(msgspec.Struct):
    kills: int
    shipments: int
    events: int
    lost: int
    out_of_order: int
    repeated: int
    met_untold_facts: int
    met_messages_out: int


@pytest.fixture
def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}


def test_what_happened_is_told_whenever_the_worker_is_killed(
    environment: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, str(BENCH), "--times", str(KILLS), "--json"]
    bench = Program(command, environment, tmp_path, tmp_path / "stderr.txt")
    try:
        ended = bench.wait(WITHIN_S)
    finally:
        bench.close()
    assert ended == 0, bench.complained
    result = msgspec.json.decode(bench.said.strip().splitlines()[-1], type=Result)
    record_property("result", msgspec.to_builtins(result))
    assert (result.kills, result.lost, result.out_of_order) == (KILLS, 0, 0)
    assert result.events > result.shipments == 6 * KILLS
    # Every second kill comes while an order system has heard an event and not answered.
    assert result.met_untold_facts >= KILLS // 2
    assert result.met_messages_out >= KILLS // 2
