"""A program that is paused, or cut off, in the middle of a transaction: nobody waits for its locks for long."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from bilty.store.claims import LEASE
from bilty.store.database import IDLE_IN_TRANSACTION_S, STATEMENT_TIMEOUT_S, UNAVAILABLE, Pool
from dispatch.bench import Bench, shipment

WITHIN_S = 60


async def gone(dsn: str, pid: int) -> None:
    """Until that session has ended."""
    watcher = await asyncpg.connect(dsn)
    async with asyncio.timeout(WITHIN_S):
        while await watcher.fetchval("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid):
            pass
    await watcher.close()


async def test_every_session_loses_its_transaction_before_those_who_wait_for_it_give_up(pool: Pool) -> None:
    told = await pool.fetchval("SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
    assert int(told) == IDLE_IN_TRANSACTION_S * 1000
    assert IDLE_IN_TRANSACTION_S < STATEMENT_TIMEOUT_S < LEASE.total_seconds()
    assert issubclass(asyncpg.IdleInTransactionSessionTimeoutError, UNAVAILABLE), "its last word, where that is heard"


@pytest.mark.parametrize("asleep", [True, False], ids=["paused", "waiting"])
async def test_whoever_wakes_without_a_transaction_finds_the_database_away_and_its_locks_gone(
    bench: Bench, dsn: str, *, asleep: bool
) -> None:
    """`asleep`: the whole process, as by SIGSTOP; it hears of it in the answer to its next statement."""
    await bench.schedule(shipment("S1"))
    async with bench.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.execute("SELECT FROM shipments FOR UPDATE")
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
        if asleep:
            with ThreadPoolExecutor() as aside:
                aside.submit(asyncio.run, gone(dsn, pid)).result(WITHIN_S)
        else:
            await gone(dsn, pid)
        with pytest.raises(UNAVAILABLE):
            await connection.execute("UPDATE shipments SET dispatched = true")
    assert await bench.work() > 0
    assert await bench.pool.fetchval("SELECT dispatched FROM shipments") is False
