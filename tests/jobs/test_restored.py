"""The restore drill: a backup, more work, a wreck, the backup brought back. Nothing is bought twice, nothing is lost.

The sandbox keeps the truth. It outlives the wreck, as ClickPost does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

import bilty_sandbox
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.deciding import Act, Cancel, GoOn, UseLate
from bilty.doctor.findings import lines
from bilty.doctor.restored import judge
from bilty.jobs import Tools
from bilty.jobs.finding import find_due
from bilty.outgoing.http import Http
from bilty.postgres import dumps
from bilty.shipment import Shipment
from bilty.shipping_provider import Connector
from bilty.store import acting, finding, providers, restored
from bilty.store.amending import Amending, amend
from bilty.store.audit import Actor, ActorKind
from bilty.store.claims import OUT_AT_MOST
from bilty.store.database import DUE_CHANNEL, Pool, connect_pool, listening
from bilty.store.providers import Keyring
from bilty.store.shipments import Arrival
from bilty.turn import Rules, State
from bilty.workflow import Status
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, Sandbox
from bilty_sandbox.book import Stage
from conftest import new_database
from dispatch.bench import BLR, MINUTE, NOON, Bench, make_bench, shipment
from jobs.desk import WITHIN_S, Desk
from jobs.receiver import Receiver

ASHA = Actor(ActorKind.USER, "asha@example.com")
AT_ONCE = Rule((Kind.AT_ONCE,))
YEAR = timedelta(days=365)


@dataclass(slots=True)
class Drill:
    """A Bilty beside a sandbox; `wreck` leaves it with what `back_up` kept."""

    bench: Bench
    tools: Tools
    sandbox: Sandbox
    clock: ManualClock
    server: str
    dsn: str
    file: Path

    async def until(self, minutes: float) -> None:
        """Both clocks, in steps of a minute."""
        end = self.bench.now + minutes * MINUTE
        await self.bench.work()
        while self.bench.now < end:
            self.clock.advance(60)
            await self.bench.until(self.bench.now + MINUTE)

    async def back_up(self) -> None:
        await asyncio.to_thread(dumps.write, self.dsn, self.file)

    async def wreck(self) -> None:
        """Another server, another database, the old backup."""
        await self.bench.pool.close()
        self.dsn = await new_database(self.server)
        connection = await asyncpg.connect(self.dsn)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
        await asyncio.to_thread(dumps.load, self.dsn, self.file)
        pool = await connect_pool(self.dsn)
        self.bench.pool = pool
        self.bench.tools = replace(self.bench.tools, pool=pool, keyring=Keyring(self.bench.vault))
        self.tools = replace(self.tools, pool=pool)
        async with pool.acquire() as held, held.transaction():
            await restored.mark(held)
        self.bench.now = datetime.now(UTC)

    async def find(self) -> None:
        """After the pause in which a call of the wrecked one might still be out."""
        assert await self.bench.work() == 0, "nothing is said of what is looked for"
        self.bench.now += OUT_AT_MOST + timedelta(seconds=2)
        keyring = Keyring(self.bench.vault)
        while await find_due(self.tools, keyring, self.bench.now):
            pass
        assert await self.bench.rows("SELECT why FROM to_find WHERE due_at IS NOT NULL") == []

    async def act(self, number: str, act: Act) -> None:
        async with self.bench.pool.acquire() as connection, connection.transaction():
            shipment_id = self.bench.ids[number]
            (no,) = (
                await acting.act(connection, {shipment_id: act}, ASHA, self.bench.now, self.bench.tools.rules)
            ).values()
        assert no is None, no

    @property
    def live(self) -> list[str]:
        """The AWBs that somebody pays for."""
        now = self.clock.now()
        booked = [each for each in self.sandbox.book.bookings() if each.stage(now) is Stage.BOOKED]
        return sorted(each.awb for each in booked if not each.cancelled(now))

    @property
    def posts(self) -> dict[str, int]:
        return {each.reference: each.posts for each in self.sandbox.book.bookings()}

    async def awb(self, number: str) -> str:
        holder = (await self.bench.progress(number)).holder
        return holder.awb if holder else ""


@asynccontextmanager
async def drill(server: str, dsn: str, folder: Path, *rules: Rule) -> AsyncIterator[Drill]:
    clock = ManualClock()
    options = Options(policy=Policy(enabled=False, rules=rules))
    async with bilty_sandbox.serve(options, clock) as sandbox, Http() as http:
        connector = Connector(sandbox.username, sandbox.key, appointment_after_days=2)
        aggregator = ClickPost(connector, Endpoints(base_url=sandbox.url, allow_private_addresses=True), http)
        own = await connect_pool(dsn)
        bench = await make_bench(own, folder / "labels", aggregator=aggregator)
        bench.now = datetime.now(UTC)
        async with own.acquire() as connection:
            await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)
            await providers.put_facility(connection, BLR)
        tools = Tools(own, bench.vault, bench.tools.labels, lambda _: aggregator, bench.tools.rules, Receiver())
        here = Drill(bench, tools, sandbox, clock, server, dsn, folder / "bilty.backup")
        try:
            yield here
        finally:
            await here.bench.pool.close()


Beside: TypeAlias = Callable[..., AbstractAsyncContextManager[Drill]]


@pytest.fixture
def beside(postgres_server: str, dsn: str, tmp_path: Path) -> Beside:
    return lambda *rules: drill(postgres_server, dsn, tmp_path, *rules)


async def change(here: Drill, after: Shipment) -> None:
    async with here.bench.pool.acquire() as connection, connection.transaction():
        shipment_id = here.bench.ids[after.number]
        done = await amend(connection, shipment_id, Arrival(after), ASHA, here.bench.now, schedule=True)
    assert done.outcome is Amending.VERSION


async def test_a_courier_that_was_to_be_asked_and_was_is_not_asked_again(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.back_up()
        await here.until(1)
        (booked,) = here.live
        posts = here.posts
        await here.wreck()
        await here.find()
        await here.until(1)
        assert await here.bench.status("S1") is Status.LABEL_READY
        assert await here.awb("S1") == booked
        assert (here.live, here.posts) == ([booked], posts)


async def test_one_that_cannot_be_read_does_not_stop_the_others(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"), shipment("S2"))
        await here.back_up()
        await here.wreck()
        await here.bench.pool.execute(
            "UPDATE shipment_versions SET content = '{}' WHERE shipment_id = $1", here.bench.ids["S1"]
        )
        here.bench.now += OUT_AT_MOST + timedelta(seconds=2)
        while await find_due(here.tools, Keyring(here.bench.vault), here.bench.now):
            pass
        looked_for = await here.bench.rows("SELECT shipment_id, why FROM to_find WHERE due_at IS NOT NULL")
        assert [tuple(row) for row in looked_for] == [(here.bench.ids["S1"], finding.UNREADABLE)]


async def test_who_is_still_asking_keeps_what_it_asks_about(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.back_up()
        await here.wreck()
        due = "SELECT due_at FROM to_find"
        (taken,) = await finding.take(here.bench.pool, 1, here.bench.now + timedelta(seconds=120))
        await here.bench.pool.execute("UPDATE to_find SET due_at = clock_timestamp()")
        await finding.hold(here.bench.pool, taken)
        held = await here.bench.pool.fetchval(due)
        assert held > datetime.now(UTC) + finding.LEASE / 2
        await here.bench.pool.execute("UPDATE to_find SET fence = fence + 1, due_at = clock_timestamp()")
        await finding.hold(here.bench.pool, taken)
        assert await here.bench.pool.fetchval(due) < held, "another has it"


async def test_the_second_courier_has_it_and_the_first_would_take_it_today(beside: Beside) -> None:
    """The backup knows of neither; and ClickPost keeps no trace of the first one's no."""
    async with beside(Rule((Kind.REFUSE_319,), priority=1), AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.back_up()
        await here.until(1)
        (booked,) = here.live
        posts = here.posts
        await here.wreck()
        here.sandbox.world.policy = Policy(enabled=False, rules=(AT_ONCE,))
        await here.find()
        await here.until(5)
        assert await here.awb("S1") == booked
        assert (here.live, here.posts) == ([booked], posts)


async def test_the_first_ones_late_label_was_cancelled_and_the_third_has_it(beside: Beside) -> None:
    """Of the AWBs that ClickPost tells, the one on the boxes is the one that is not cancelled."""
    rules = Rule((Kind.LATE,), priority=1), Rule((Kind.REFUSE_319,), priority=2), AT_ONCE
    async with beside(*rules) as here:
        await here.bench.schedule(shipment("S1"))
        await here.until(2)
        await here.back_up()
        await here.until(60)
        (booked,) = here.live
        assert len({each.awb for each in here.sandbox.book.bookings() if each.awb}) == 2
        posts = here.posts
        await here.wreck()
        await here.find()
        await here.until(30)
        assert await here.awb("S1") == booked
        assert (await here.bench.turn("S1", 1)).state is State.CANCELLED
        assert (here.live, here.posts) == ([booked], posts)


async def test_the_second_ones_label_is_waited_for_where_it_is(beside: Beside) -> None:
    async with beside(Rule((Kind.NEVER,), priority=1), Rule((Kind.ASYNC,), priority=2)) as here:
        await here.bench.schedule(shipment("S1"))
        await here.until(1)
        await here.back_up()
        await here.until(11)
        while len(here.posts) < 2:
            await here.until(1)
        posts = here.posts
        await here.wreck()
        await here.find()
        assert [(await here.bench.turn("S1", n)).state for n in (1, 2)] == [State.LAPSED, State.WAITING]
        await here.until(12)
        assert [await here.awb("S1")] == here.live
        assert here.posts == posts


async def test_what_came_after_the_backup_is_found_when_it_is_sent_again(beside: Beside) -> None:
    async with beside(Rule((Kind.REFUSE_319,), priority=1), AT_ONCE) as here:
        await here.back_up()
        await here.bench.schedule(shipment("S1"), shipment("S2"))
        await here.until(1)
        booked, posts, old = here.live, here.posts, here.bench.ids["S1"]
        assert len(booked) == 2
        await here.wreck()
        await here.bench.schedule(shipment("S1"), shipment("S2"))
        assert here.bench.ids["S1"] > old + 999_999, "no lost shipment's id is another's"
        await here.find()
        await here.until(5)
        assert sorted([await here.awb("S1"), await here.awb("S2")]) == booked
        assert (here.live, here.posts) == (booked, posts)


async def test_an_old_shipment_that_somebody_takes_up_again_is_looked_for_then(beside: Beside) -> None:
    """Since the backup somebody did so already: nobody has the second courier asked once more."""
    rules = Rule((Kind.REFUSE_422,), priority=1), AT_ONCE
    async with beside(*rules) as here:
        here.bench.tools = replace(here.bench.tools, rules=Rules(stop_on_faulty_data=True))
        await here.bench.schedule(shipment("S1"))
        await here.until(1)
        stopped = await here.bench.turn("S1", 1)
        assert stopped.state is State.STOPPED
        await here.bench.pool.execute("UPDATE shipments SET created_at = $1, scheduled_at = $1", NOON - YEAR)
        await here.back_up()
        await here.act("S1", GoOn(stopped.reference))
        await here.until(1)
        (booked,) = here.live
        posts = here.posts
        await here.wreck()
        assert await here.bench.rows("SELECT FROM to_find") == []
        await here.act("S1", GoOn(stopped.reference))
        await here.find()
        await here.until(5)
        assert await here.awb("S1") == booked
        assert (here.live, here.posts) == ([booked], posts)


async def test_once_everything_was_sent_again_new_runs_wait_no_more(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.back_up()
        await here.wreck()
        async with here.bench.pool.acquire() as connection, connection.transaction():
            assert await restored.over(connection)
            assert not await restored.over(connection)
        await here.bench.schedule(shipment("S1"))
        await here.until(1)
        assert [await here.awb("S1")] == here.live


async def test_a_later_version_that_is_booked_is_offered_to_a_person(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.bench.schedule(shipment("S1", boxes=3))
        await here.until(1)
        await here.back_up()
        await change(here, shipment("S1", boxes=4))
        await here.until(5)
        (booked,) = here.live
        posts = here.posts
        await here.wreck()
        await here.find()
        await here.until(60)
        assert await here.bench.status("S1") is Status.NEEDS_ATTENTION
        offered = next(turn for turn in (await here.bench.progress("S1")).turns if turn.awb == booked)
        assert (offered.state, here.live) == (State.OFFERED, [booked]), "it is on the boxes: not cancelled of itself"
        await here.act("S1", UseLate(offered.reference))
        await here.until(1)
        assert (await here.awb("S1"), here.posts) == (booked, posts)


async def test_what_a_person_cancelled_since_is_not_booked_with_the_next(beside: Beside) -> None:
    async with beside(Rule((Kind.ASYNC,), priority=1), AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.until(1)
        await here.back_up()
        await here.until(10)
        await here.act("S1", Cancel())
        await here.until(5)
        assert here.live == []
        posts = here.posts
        await here.wreck()
        await here.find()
        await here.until(60)
        assert await here.bench.status("S1") is Status.NEEDS_ATTENTION
        (turn,) = [turn for turn in (await here.bench.progress("S1")).turns if turn.awb]
        assert turn.message.startswith(f"AWB {turn.awb} was booked, and cancelled after the backup")
        assert (here.live, here.posts) == ([], posts)


async def test_of_two_live_awbs_a_person_says_which_is_on_the_boxes(beside: Beside) -> None:
    async with beside(Rule((Kind.LATE, Kind.CANCEL_REFUSED), priority=1, times=9), AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.until(2)
        await here.back_up()
        await here.until(12)
        printed = await here.awb("S1")
        await here.until(25)
        assert len(here.live) == 2
        both = here.live
        await here.wreck()
        await here.find()
        await here.until(120)
        assert here.live == both
        assert await here.bench.status("S1") is Status.NEEDS_ATTENTION
        mine = next(turn for turn in (await here.bench.progress("S1")).turns if turn.awb == printed)
        await here.act("S1", UseLate(mine.reference))
        await here.until(1)
        assert await here.awb("S1") == printed


async def test_while_clickpost_is_silent_nothing_is_found_and_nothing_asked(beside: Beside) -> None:
    async with beside(AT_ONCE) as here:
        await here.bench.schedule(shipment("S1"))
        await here.back_up()
        await here.wreck()
        here.sandbox.world.silent_until = here.clock.now() + 600
        here.bench.now += OUT_AT_MOST
        keyring = Keyring(here.bench.vault)
        looking = asyncio.create_task(find_due(here.tools, keyring, here.bench.now))
        here.clock.advance(0)
        assert await looking == 1
        (row,) = await here.bench.rows("SELECT why, tries FROM to_find")
        assert (row["why"].partition(":")[0], row["tries"]) == ("fetch-accounts", 1)
        assert await here.bench.work() == 0
        assert here.posts == {}


async def test_a_worker_finds_what_is_to_be_found(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1", boxes=1))
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        assert await restored.mark(connection) == 1
        await connection.execute("UPDATE to_find SET due_at = clock_timestamp()")
    found = asyncio.Event()
    async with listening(desk.dsn, lambda channel, _: found.set() if channel == DUE_CHANNEL else None), desk.working():
        async with asyncio.timeout(WITHIN_S):
            while await desk.tools.pool.fetchval("SELECT count(due_at) FROM to_find"):
                await found.wait()
                found.clear()
    await desk.bench.work()
    assert await desk.bench.status("S1") is Status.LABEL_READY


async def test_what_a_restore_leaves_as_it_was_and_what_not(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    bench.now = datetime.now(UTC)
    await bench.schedule(shipment("S1", boxes=1), shipment("S2", boxes=1), shipment("S3", boxes=1))
    await bench.work()
    ids = bench.ids
    await pool.execute("UPDATE shipments SET dispatched = true, status = 'dispatched' WHERE id = $1", ids["S2"])
    await pool.execute("UPDATE shipments SET created_at = $2, scheduled_at = $2 WHERE id = $1", ids["S3"], NOON - YEAR)
    await pool.execute(
        """INSERT INTO afterwards (shipment_id, turn_id, kind, owed_at, due_at)
           SELECT shipment_id, id, 'pickup', now(), now() FROM turns WHERE shipment_id = $1 AND priority = 1""",
        ids["S1"],
    )
    await pool.execute("INSERT INTO users (email, role) VALUES ('asha@example.com', 'admin')")
    await pool.execute("INSERT INTO sessions (hash, user_id, expires_at) SELECT 'x', id, now() + '1 day' FROM users")
    async with pool.acquire() as connection, connection.transaction():
        assert await restored.mark(connection) == 1
        standing = await restored.standing(connection)
    assert [row["shipment_id"] for row in await bench.rows("SELECT shipment_id FROM to_find")] == [ids["S1"]]
    assert await pool.fetchval("SELECT count(*) FROM sessions") == 0, "one that was ended since would be open again"
    (pickup,) = await bench.rows("SELECT state, due_at, warning FROM afterwards")
    assert (pickup["state"], pickup["due_at"], pickup["warning"]) == ("unknown", None, restored.NOT_KNOWN)
    said = [line for finding in judge(standing) for line in lines(finding)]
    assert "1 shipment since the restore" in said[-1]
    assert "is lost, and until" in said[0]
    assert "bilty restored --over" in said[1]


async def test_the_drill(beside: Beside) -> None:
    """Shipments of every kind, in every state at the backup; half of them, and half of what came later, go wrong."""
    kinds = Kind.AT_ONCE, Kind.ASYNC, Kind.LATE, Kind.FAIL_LATER, Kind.BOOKED_RESET, Kind.BOOKED_322
    mixed = [Rule((kind,), reference_prefix=f"{n:02d}-") for n, kind in enumerate(kinds)]
    async with beside(Rule((Kind.REFUSE_319,), priority=2, reference_prefix="04-"), *mixed, AT_ONCE) as here:
        numbers = [f"{n % 6:02d}-{n:05d}" for n in range(24)]
        orders = [shipment(number, boxes=2) for number in numbers]
        await here.bench.schedule(*orders[:6])
        await here.until(30)
        await here.bench.schedule(*orders[6:12])
        await here.until(5)
        await here.bench.schedule(*orders[12:18])
        await here.back_up()
        await here.until(10)
        await here.bench.schedule(*orders[18:])
        await here.until(20)
        before = set(here.live)
        await here.wreck()
        await here.bench.schedule(*orders)  # their order system sends everything again
        await here.find()
        await here.until(60)
        progress = [await here.bench.progress(number) for number in numbers]
        held = [each.holder.awb for each in progress if each.holder]
        offered = [t.awb for each in progress for t in each.turns if t.state is State.OFFERED]
        assert sorted(held + offered) == here.live, "nothing is paid for that Bilty does not have, or show to a person"
        assert before <= set(held + offered), "what was booked before the wreck is what the boxes still have"
        assert set(offered) <= before, "the wreck came before a late label's cancel: the boxes tell which"
        assert len(held) > 18
