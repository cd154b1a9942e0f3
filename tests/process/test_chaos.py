"""A short chaos run: killed, cut off and refused the disk for seconds, the books agree with the couriers' truth.

`./run chaos` does it for ten minutes; this is a part of that, in which leases are said to have ended when it is over.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import msgspec

from bench.chaos.judge import Evidence, judge
from process.programs import Program

ROOT = Path(__file__).parents[2]
MINUTES, SEED = "0.15", "3"
WITHIN_S = 240
COLUMNS = ["shipments", "bookings", "kills", "database_faults", "lost", "paid_twice", "unknown_awbs", "wrong_boxes"]


def test_under_fire_the_books_agree_with_the_truth(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    burnt = tmp_path / "burnt"
    given = ("--minutes", MINUTES, "--seed", SEED, "--json", "--hurry", "--keep", str(burnt))
    run = Program([sys.executable, "-m", "bench.chaos", *given], environment, ROOT, tmp_path / "stderr.txt")
    try:
        ended = run.wait(WITHIN_S)
    finally:
        run.close()
    assert ended == 0, run.said + run.complained
    result = msgspec.json.decode(run.said.strip().splitlines()[-1], type=dict[str, int])
    record_property("result", result)
    assert list(result) == [*COLUMNS, "stuck"]
    assert [result[column] for column in list(result)[4:]] == [0] * 5
    assert result["bookings"] > 0 < result["kills"], "nothing was booked or nobody killed: this would prove nothing"
    _check_that_the_judge_was_awake(msgspec.json.decode((burnt / "evidence.json").read_bytes(), type=Evidence))


def _check_that_the_judge_was_awake(evidence: Evidence) -> None:
    """The same evidence with one shipment's books taken away or falsified is found out."""
    assert not any(asdict(judge(evidence)).values())
    ready = next(kept for kept in evidence.kept if kept.holder and kept.holder.state == "won")
    others = [kept for kept in evidence.kept if kept is not ready]
    taken_away = judge(replace(evidence, kept=others))
    assert len(taken_away.lost) == 1 <= len(taken_away.unknown_awbs)
    false = replace(ready, boxes=tuple("9" for _ in ready.boxes))
    assert len(judge(replace(evidence, kept=[*others, false])).wrong_boxes) == len(ready.boxes)
