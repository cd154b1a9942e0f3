"""Who waits for a label: how many look-ups it costs, and what becomes of them at the edges."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from bilty.reply import Accepted, Ranking
from bilty.running.server import bound
from bilty.settings import Settings
from bilty.store.database import Pool, connect_pool, listening
from bilty.web.changes import Changes
from bilty.web.waiting import Waiters
from bilty.workflow import Status, status
from web.house import RANKED, House, shipment
from web.opening import opened_house

MANY = 60


class Looks:
    """What a pool of one connection was asked about shipments."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Event()

    def hear(self, said: asyncpg.connection.LoggedQuery) -> None:
        if "FROM shipments" in said.query:
            self.count += 1
            self._more.set()

    async def one_more(self) -> None:
        """Since this was last asked."""
        await self._more.wait()
        self._more.clear()


@asynccontextmanager
async def waiting_room(dsn: str, most: int = 1_000) -> AsyncIterator[tuple[Waiters, Changes, Looks, Pool]]:
    pool, changes, looks = await connect_pool(dsn, size=1), Changes(), Looks()
    async with pool.acquire() as connection:
        connection.add_query_logger(looks.hear)
    with changes.watch() as watch:
        async with listening(dsn, changes.heard):
            assert await watch.next_change(60) is not None  # it listens
            yield Waiters(pool, changes, most), changes, looks, pool
            changes.close()
    await pool.close()


async def test_a_change_is_looked_at_once_for_all_who_wait(furnished: House, dsn: str) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    async with waiting_room(dsn) as (waiters, _, looks, _):
        waiting = [asyncio.create_task(waiters.settled(shipment_id, 60)) for _ in range(MANY)]
        await looks.one_more()
        before = looks.count
        await furnished.hears(Ranking(()))
        found = await asyncio.gather(*waiting)
        assert {seen and status(seen.progress) for seen in found} == {Status.NOT_SERVICEABLE}
        assert (before, looks.count - before) == (1, 1)


async def test_changes_that_come_while_one_is_looked_at_are_looked_at_together(furnished: House, dsn: str) -> None:
    ids = [await furnished.takes_in(number=f"SO-{n}", schedule=True) for n in range(10)]
    async with waiting_room(dsn) as (waiters, changes, looks, pool):
        async with pool.acquire():  # so that nobody else can look
            waiting = [asyncio.create_task(waiters.settled(each, 60)) for each in ids]
            with changes.watch() as watch:
                await furnished.hears(Ranking(()))
                assert await watch.next_change(60)
            assert looks.count == 0
        assert all(await asyncio.gather(*waiting))
        assert looks.count <= 2


async def test_what_moves_on_without_an_end_wakes_nobody(furnished: House, dsn: str) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    async with waiting_room(dsn) as (waiters, _, looks, _):
        waiting = asyncio.create_task(waiters.settled(shipment_id, 60))
        await looks.one_more()
        await furnished.hears(RANKED, Accepted())
        await looks.one_more()
        assert not waiting.done()
        await furnished.labels("AWB1")
        seen = await waiting
        assert seen is not None
        assert status(seen.progress) is Status.LABEL_READY


async def test_a_blank_notice_is_a_look_at_all(furnished: House) -> None:
    """As after a listening connection that was lost: what happened meanwhile was told to nobody."""
    ids = [await furnished.takes_in(number=f"SO-{n}", schedule=True) for n in range(3)]
    pool, changes = furnished.tools.pool, Changes()
    waiters = Waiters(pool, changes, MANY)
    waiting = [asyncio.create_task(waiters.settled(each, 60)) for each in ids]
    await asyncio.wait(waiting, timeout=0)
    await furnished.hears(Ranking(()))
    changes.heard("bilty_changed", "")
    assert all(await asyncio.gather(*waiting))


async def test_beyond_the_cap_nobody_waits(furnished: House, dsn: str) -> None:
    ids = [await furnished.takes_in(number=f"SO-{n}", schedule=True) for n in range(3)]
    async with waiting_room(dsn, most=2) as (waiters, _, looks, _):
        waiting = [asyncio.create_task(waiters.settled(each, 60)) for each in ids[:2]]
        await looks.one_more()
        assert waiters.is_full
        assert await waiters.settled(ids[2], 60) is None
        await furnished.hears(Ranking(()))
        assert all(await asyncio.gather(*waiting))
        assert not waiters.is_full


async def test_who_is_turned_away_is_answered_at_once(pool: Pool, dsn: str, tmp_path: Path) -> None:
    """With 202 and where to look, as if the wait were over, and without the word that it was granted."""
    async with opened_house(pool, dsn, tmp_path, Settings(waiters_max=0)) as house:
        await house.furnish()
        answer = await house.call("POST", "/shipments", shipment(schedule=True), Prefer="wait=60")
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/v1/shipments/{answer.json()['id']}")
    assert int(answer.headers["retry-after"]) >= 1
    assert "preference-applied" not in answer.headers


async def test_a_process_that_ends_answers_who_waits(furnished: House, dsn: str) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    async with waiting_room(dsn) as (waiters, changes, looks, _):
        waiting = asyncio.create_task(waiters.settled(shipment_id, 60))
        await looks.one_more()
        changes.close()
        assert await waiting is None
        assert await waiters.settled(shipment_id, 60) is None


async def test_a_wait_is_over_in_time_and_leaves_nothing_behind(furnished: House, dsn: str) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    async with waiting_room(dsn, most=1) as (waiters, _, _, _):
        assert await waiters.settled(shipment_id, 0.01) is None
        assert not waiters.is_full


def test_answers_are_not_held_back_for_the_sake_of_full_packets() -> None:
    """A head whose body waits for the caller to confirm it costs 40 ms on each connection that is kept."""
    with bound(Settings(listen="127.0.0.1:0")) as listener, socket.create_connection(listener.getsockname()):
        taken, _ = listener.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
