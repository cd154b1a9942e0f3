"""Killed at any moment, by power cut or by hand: nothing is bought twice, and nothing that was bought is lost.

What a dead process had claimed is due again when its lease of a minute ends. These tests say that it has ended
(`Town.lease_ran_out`), which changes when the turn is taken up again and nothing else.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bilty import postgres
from bilty.store.secrets import Vault, kept_secret
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, serve
from process.programs import WITHIN_S, Program, Programs
from process.town import QUICK, SPEED, Town, first_orders, town_at, truth_at

SHIPMENTS = 20
MOMENTS = (1, 4, 9)
"""The worker is killed after so many more changes were told: with the first calls out, midway, and among the last."""
PATIENT = Policy(enabled=False, usual=Kind.BOOKED_HANG)
SLOW = Policy(enabled=False, rules=(Rule((Kind.SLOW,)),))


@dataclass(frozen=True, slots=True)
class Works:
    """Workers of one Bilty, beside a sandbox at `url`; `dsn` is an outside server, None our own in the data folder."""

    programs: Programs
    data_dir: Path
    url: str
    dsn: str | None = None
    settings: Mapping[str, object] = field(default_factory=lambda: QUICK)

    def start_worker(self) -> Program:
        address = {"BILTY_DATABASE_URL": self.dsn} if self.dsn else {}
        own = {"BILTY_DATA_DIR": self.data_dir, "BILTY_CLICKPOST_URL": self.url}
        return self.programs.bilty("work", settings={**own, **self.settings, **address})

    async def worker(self) -> Program:
        program = self.start_worker()
        await asyncio.to_thread(program.hear, "is up")
        return program

    @asynccontextmanager
    async def serving(self, shipments: int = SHIPMENTS) -> AsyncIterator[tuple[Town, Program]]:
        """The town and its first worker, with everything scheduled. Our own server is the worker's, we only join."""
        worker = await self.worker()
        with ExitStack() as held:
            address = self.dsn or held.enter_context(postgres.running(self.data_dir))
            async with town_at(address, self.url) as town:
                await town.furnish(Vault(kept_secret(self.data_dir)))
                await town.schedule(first_orders(shipments, self.data_dir / "orders.csv"))
                yield town, worker


def hostile(programs: Programs) -> str:
    _, url = programs.sandbox("--speed", str(SPEED), "--seed", "5")
    return url


async def held_back(clock: ManualClock, answers: int) -> None:
    """Until the sandbox is holding so many answers back."""
    async with asyncio.timeout(WITHIN_S):
        while clock.waiting < answers:
            clock.held.clear()
            await clock.held.wait()


@pytest.mark.parametrize("embedded", [True, False], ids=["our own server", "an outside server"])
async def test_a_worker_killed_again_and_again(
    embedded: bool, programs: Programs, data_dir: Path, dsn: str, record_property: Callable[[str, object], None]
) -> None:
    works = Works(programs, data_dir, hostile(programs), None if embedded else dsn)
    async with works.serving() as (town, worker):
        out = []
        for moment in MOMENTS:
            await town.until_told(moment)
            worker.kill()
            out.append(await town.lease_ran_out())
            worker = await works.worker()  # noqa: PLW2901 - the next one, in its place
        record_property("calls_out_at_the_kills", out)
        assert sum(out) > 0, "no kill met a call that was out: this would prove nothing"
        await town.check(await town.rest())
        assert worker.end() == 0


async def test_postgres_killed_in_mid_flight_is_revived_by_the_worker(programs: Programs, data_dir: Path) -> None:
    works = Works(programs, data_dir, hostile(programs))
    async with works.serving() as (town, worker):
        await town.until_told(3)
        began = await town.pool.fetchval("SELECT pg_postmaster_start_time()")
        os.kill(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        await town.revived(began)
        await town.check(await town.rest())
        assert worker.end() == 0
        assert "database.reviving" in worker.complained


async def test_two_workers_and_one_is_killed(programs: Programs, data_dir: Path) -> None:
    works = Works(programs, data_dir, hostile(programs))
    async with works.serving() as (town, worker):
        other = await works.worker()
        await town.until_told(2)
        worker.kill()
        await town.lease_ran_out()
        await town.check(await town.rest())
        assert other.end() == 0


async def test_eight_bookings_in_flight_are_all_kept(programs: Programs, data_dir: Path, dsn: str) -> None:
    """The couriers have issued eight AWBs and nobody has heard of one when the power goes."""
    clock = ManualClock()
    async with serve(Options(policy=PATIENT), clock) as sandbox:
        works = Works(programs, data_dir, sandbox.url, dsn)
        async with works.serving(8) as (town, worker):
            await held_back(clock, 8)
            assert (len((await truth_at(sandbox.url)).live), await town.awbs()) == (8, set())
            worker.kill()
            assert await town.lease_ran_out() == 8
            successor = await works.worker()
            truth = await town.rest()
            await town.check(truth)
            assert await town.statuses() == {"label_ready": 8}
            assert [booking.posts for booking in truth.bookings] == [1] * 8, "asked about, not asked again"
            assert successor.end() == 0


async def test_sigterm_hears_and_settles_what_is_out(
    programs: Programs, data_dir: Path, dsn: str, record_property: Callable[[str, object], None]
) -> None:
    clock = ManualClock()
    async with serve(Options(policy=SLOW), clock) as sandbox:
        works = Works(programs, data_dir, sandbox.url, dsn, {**QUICK, "BILTY_WATCH_INTERVAL_SECONDS": 600})
        async with works.serving(8) as (town, worker):
            await held_back(clock, 8)  # the rankings
            clock.advance(60)
            await held_back(clock, 8)  # the bookings
            os.kill(worker.pid, signal.SIGTERM)
            told = asyncio.get_running_loop().time()
            await town.until_told(0)
            assert worker.running, "eight answers are still to come"
            clock.advance(60)
            assert await asyncio.to_thread(worker.wait) == 0
            record_property("seconds_to_settle", asyncio.get_running_loop().time() - told)
            assert len(await town.awbs()) == 8, "every answer was settled"
            assert await town.lease_ran_out() == 0, "and no claim left behind"


async def test_sigterm_ends_an_idle_worker_at_once(
    programs: Programs, data_dir: Path, dsn: str, record_property: Callable[[str, object], None]
) -> None:
    worker = await Works(programs, data_dir, "http://127.0.0.1:9/api", dsn).worker()
    began = asyncio.get_running_loop().time()
    assert worker.end(within_s=10) == 0
    record_property("seconds_to_end", asyncio.get_running_loop().time() - began)


async def test_a_busy_answer_is_repeated_with_the_same_payload(programs: Programs, data_dir: Path, dsn: str) -> None:
    """A 429 has the reference and the payload: ClickPost may remember both."""
    _, url = programs.sandbox("--speed", str(SPEED), "--mischief", "off", "--usual", "busy")
    works = Works(programs, data_dir, url, dsn)
    async with works.serving(2) as (town, _):
        truth = await town.rest()
        assert [booking.posts for booking in truth.bookings] == [2, 2]
        assert [booking.posts_that_differed for booking in truth.bookings] == [0, 0]
