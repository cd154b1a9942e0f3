"""A worker that is paused past its lease and woken: what it says then moves nothing, and buys nothing twice.

Its calls are out when it is stopped: some were heard and their answers are on the way, some nobody has heard yet. These
slip through once it is awake again, after somebody else has asked in its stead.
"""

import asyncio
import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bilty_sandbox import Kind, Options, Policy, serve
from process.gate import Held, gate_before
from process.programs import WITHIN_S, Program, Programs
from process.test_kill import Works
from process.town import SPEED, Town, truth_at

WAYS = (Held.CALL, Held.ANSWER, Held.FORGED) * 2
FRIENDLY = Policy(enabled=False, usual=Kind.AT_ONCE)


def pause(program: Program) -> None:
    os.kill(program.pid, signal.SIGSTOP)
    stopped = os.waitid(os.P_PID, program.pid, os.WSTOPPED)
    assert stopped is not None


async def books(town: Town) -> list[tuple[object, ...]]:
    """All that is known of shipments, turns and boxes."""
    rows = [*await town.pool.fetch("SELECT * FROM shipments ORDER BY id")]
    rows += await town.pool.fetch("SELECT * FROM turns ORDER BY id")
    rows += await town.pool.fetch("SELECT * FROM boxes ORDER BY shipment_id, version, number")
    return [tuple(row) for row in rows]


async def test_a_worker_that_slept_past_its_lease_records_nothing_and_books_nothing_twice(
    programs: Programs, data_dir: Path, dsn: str
) -> None:
    async with serve(Options(policy=FRIENDLY, speed=SPEED)) as sandbox, gate_before(sandbox.url, WAYS) as gate:
        works = Works(programs, data_dir, gate.url, dsn)
        async with works.serving(len(WAYS)) as (town, sleeper):
            await asyncio.wait_for(gate.all_held.wait(), WITHIN_S)
            pause(sleeper)
            assert await town.lease_ran_out() == len(WAYS)
            other = await replace(works, url=sandbox.url).worker()
            await town.check(await town.rest())
            before = await books(town)

            gate.opened.set()
            os.kill(sleeper.pid, signal.SIGCONT)
            assert await asyncio.to_thread(sleeper.end) == 0, "it hears what it asked, and settles it"
            assert await books(town) == before
            assert sleeper.complained.count("claim.overtaken") == len(WAYS)
            truth = await truth_at(sandbox.url)
            await town.check(truth)
            assert await town.statuses() == {"label_ready": len(WAYS)}
            assert len(truth.live) == len(WAYS)
            assert Counter(booking.posts for booking in truth.bookings) == {1: 4, 2: 2}, "two slipped through"
            assert [booking.posts_that_differed for booking in truth.bookings] == [0] * len(WAYS)
            assert other.end() == 0
