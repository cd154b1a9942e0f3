"""Changed, cancelled and decided about at random: no AWB is forgotten, or live for boxes as they were. `./run bench
changes` does it to two thousand shipments; this is a part of that.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from process.programs import Program

BENCH = Path(__file__).parents[2] / "bench" / "changes.py"
HISTORIES = 120
WITHIN_S = 240


class Result(msgspec.Struct):
    histories: int
    bookings: int
    acts: dict[str, int]
    cancelled: int
    shown: int
    old_box_data: int
    unknown: int
    two_live: int
    cancelled_after_pickup: int
    stuck: int


def test_whatever_people_do_the_books_agree_with_the_couriers(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    command = [sys.executable, str(BENCH), "--histories", str(HISTORIES), "--seed", "11", "--json"]
    bench = Program(command, environment, tmp_path, tmp_path / "stderr.txt")
    try:
        ended = bench.wait(WITHIN_S)
    finally:
        bench.close()
    assert ended == 0, bench.said + bench.complained
    result = msgspec.json.decode(bench.said.strip().splitlines()[-1], type=Result)
    record_property("result", msgspec.to_builtins(result))
    wrong = result.old_box_data, result.unknown, result.two_live, result.cancelled_after_pickup, result.stuck
    assert (result.histories, wrong) == (HISTORIES, (0, 0, 0, 0, 0))
    assert result.bookings > HISTORIES
    assert result.cancelled > 0 < result.acts["amend"], "nothing was given up: this would prove nothing"
