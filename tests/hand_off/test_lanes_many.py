"""An order system that has been broken for days, with a hundred thousand lanes, costs the others nothing."""

from datetime import timedelta

import asyncpg
import pytest

from bilty.oms.retries import TRIED_FOR
from bilty.store.database import Pool, connect_pool
from bilty.store.hand_off import going_on, lanes, settling
from bilty.store.hand_off.going_on import HASTENED_MAX
from bilty.store.hand_off.lanes import OUT_MAX, Outcome
from dispatch.bench import shipment
from hand_off.post import Post

MANY = 100_000
ROWS_MAX = 400
"""What claiming, settling and looking for the next may fetch for so few deliveries."""


@pytest.fixture
async def broken_for_days(post: Post) -> Post:
    """Its lanes are due or will be, eight are out; beside it `oms`, which is well and has three to hear of."""
    await post.endpoint("broken")
    post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()")
    await post.bench.schedule(shipment("FIRST", boxes=1))
    await post.bench.work()
    await post.bench.pool.execute(
        """INSERT INTO deliveries (endpoint_id, shipment_id, event_id, tries, first_at)
           SELECT p.id, nth, (SELECT min(id) FROM events), 40, clock_timestamp() - interval '2 days'
             FROM endpoints p, generate_series(1000, 1000 + $1::int) AS nth""",
        MANY,
    )
    await post.bench.pool.execute(
        """INSERT INTO lanes (endpoint_id, shipment_id, due_at, claimed_at)
           SELECT p.id, 1000 + nth, clock_timestamp() + (nth - $1::int / 2) * interval '0.1 second',
                  CASE WHEN nth > $1 - 8 THEN clock_timestamp() END
             FROM endpoints p, generate_series(0, $1) AS nth""",
        MANY,
    )
    await post.bench.pool.execute("UPDATE endpoints SET failing_since = clock_timestamp() - interval '2 days'")
    await post.bench.pool.execute("VACUUM (ANALYZE) lanes, deliveries, events, endpoints")
    await post.endpoint("oms")
    await post.bench.schedule(*(shipment(f"S{n}", boxes=1) for n in range(3)))
    await post.bench.work()
    return post


async def fetched(pool: Pool) -> dict[str, asyncpg.Record]:
    """By the statistics of the one connection that the pool has."""
    await pool.fetch("SELECT pg_stat_force_next_flush()")
    rows = await pool.fetch(
        """SELECT relname, seq_scan, seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables
            WHERE relname IN ('lanes', 'deliveries', 'events')"""
    )
    return {row["relname"]: row for row in rows}


async def test_a_round_looks_at_what_is_due_and_at_nothing_else(broken_for_days: Post, dsn: str) -> None:
    post = broken_for_days
    pool = await connect_pool(dsn, size=1)
    try:
        before = await fetched(pool)
        claimed = await lanes.claim(pool)
        assert {claim.endpoint_id for claim in claimed} == {post.ids["oms"]}, "the other has eight out"
        assert len(claimed) == 3
        assert await lanes.next_due(pool) is not None
        await settling.settle(pool, [Outcome(each, True, 200, "", None) for each in claimed], TRIED_FOR)
        after = await fetched(pool)
    finally:
        await pool.close()
    for table in ("lanes", "deliveries"):
        assert after[table]["seq_tup_read"] == before[table]["seq_tup_read"], f"{table} is read from end to end"
        assert after[table]["idx_tup_fetch"] - before[table]["idx_tup_fetch"] < ROWS_MAX


async def test_a_place_that_comes_free_is_the_longest_dues(broken_for_days: Post) -> None:
    post = broken_for_days
    await post.bench.pool.execute(
        "UPDATE lanes SET claimed_at = NULL, due_at = clock_timestamp() + interval '1 day' WHERE claimed_at IS NOT NULL"
    )
    longest = await post.bench.rows("SELECT shipment_id FROM lanes ORDER BY due_at LIMIT $1", OUT_MAX)
    await lanes.claim(post.bench.pool)
    taken = await post.bench.rows(
        "SELECT shipment_id FROM lanes WHERE endpoint_id = $1 AND fence > 0", post.ids["broken"]
    )
    assert {row["shipment_id"] for row in taken} == {row["shipment_id"] for row in longest}


async def test_going_on_after_days_takes_a_moment(broken_for_days: Post) -> None:
    post = broken_for_days
    async with post.bench.pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval("SELECT clock_timestamp()")
        await going_on.begin_anew(connection, post.ids["broken"], now)
        assert await connection.fetchval("SELECT clock_timestamp()") - now < timedelta(seconds=5)
    due = await post.bench.pool.fetchval("SELECT count(*) FROM lanes WHERE due_at <= $1", now)
    assert due >= HASTENED_MAX + MANY // 2, "those that were due, and a batch of the others"
