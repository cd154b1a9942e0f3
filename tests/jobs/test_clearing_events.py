"""Events go after 90 days with all that hangs on them, and nothing else does."""

import asyncio
from datetime import timedelta

import pytest

from bilty.jobs.clearing import EVENTS_BATCH, clear_out
from bilty.store.audit import COMMAND
from bilty.store.hand_off import endpoints, removed
from bilty.store.hand_off.old_events import KEPT_FOR
from bilty.store.hand_off.removed import RESTS_FOR
from bilty.workflow import Status
from hand_off.post import BROKEN, Post, make_post
from jobs.desk import WITHIN_S, Desk

DAY = timedelta(days=1)


@pytest.fixture
def post(desk: Desk) -> Post:
    return make_post(desk.bench)


async def grow_old(desk: Desk, number: str, age: timedelta) -> None:
    await desk.tools.pool.execute(
        "UPDATE events SET at = clock_timestamp() - $2::interval WHERE shipment_id = $1", desk.bench.ids[number], age
    )


async def shipments_with(desk: Desk, table: str) -> set[str]:
    rows = await desk.bench.rows(f"SELECT DISTINCT s.number FROM {table} t JOIN shipments s ON s.id = t.shipment_id")
    return {row["number"] for row in rows}


async def test_old_events_go_and_young_ones_stay(desk: Desk, post: Post) -> None:
    await post.endpoint()
    await desk.labelled("OLD", "YOUNG")
    await post.deliver()
    await grow_old(desk, "OLD", KEPT_FOR + DAY)
    await grow_old(desk, "YOUNG", KEPT_FOR - DAY)
    await clear_out(desk.tools)
    assert [await shipments_with(desk, table) for table in ("events", "deliveries", "lanes")] == [{"YOUNG"}] * 3
    assert await desk.bench.status("OLD") is Status.LABEL_READY
    await post.cancel("OLD")
    await desk.bench.work()
    await post.deliver()
    assert post.postman.kinds("OLD")[-1] == "cancelled", "its lane is made anew"


async def test_what_was_never_received_goes_too_and_its_lane_rests(desk: Desk, post: Post) -> None:
    url = await post.endpoint()
    post.postman.answers[url] = lambda _letter: BROKEN
    await desk.labelled("OLD")
    await post.deliver()
    await grow_old(desk, "OLD", KEPT_FOR + DAY)
    await clear_out(desk.tools)
    assert await desk.bench.rows("SELECT FROM deliveries") == []
    post.bench.now += DAY
    assert await post.deliver() == 0
    assert await post.owed() == 0


async def test_many_go_in_one_clearing(desk: Desk) -> None:
    await desk.created("S1")
    await desk.tools.pool.execute(
        """INSERT INTO events (shipment_id, kind, at, content)
           SELECT $1, 'shipment.failed', clock_timestamp() - interval '91 days', '{}'
             FROM generate_series(1, $2::int)""",
        desk.bench.ids["S1"],
        2 * EVENTS_BATCH + 1,
    )
    await clear_out(desk.tools)
    assert await desk.bench.rows("SELECT FROM events") == []


async def test_one_that_is_being_replayed_stays(desk: Desk, post: Post) -> None:
    await post.endpoint()
    await desk.labelled("OLD")
    await grow_old(desk, "OLD", KEPT_FOR + DAY)
    async with desk.tools.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM events WHERE kind = 'shipment.label_ready' FOR KEY SHARE")
        await clear_out(desk.tools)
    assert [row["kind"] for row in await desk.bench.rows("SELECT kind FROM events")] == ["shipment.label_ready"]


async def test_answers_kept_for_repeats_go_too(desk: Desk) -> None:
    await desk.tools.pool.execute(
        """WITH made AS (INSERT INTO api_keys (name, scope, hash) VALUES ('k', 'admin', '1') RETURNING id)
           INSERT INTO idempotency_keys (api_key_id, key, request, began_at)
           SELECT id, 'key-' || nth, '1', clock_timestamp() - nth * interval '6 days'
             FROM made, generate_series(1, 2) AS nth"""
    )
    await clear_out(desk.tools)
    assert [row["key"] for row in await desk.bench.rows("SELECT key FROM idempotency_keys")] == ["key-1"]


async def test_what_a_removed_endpoint_leaves_goes_bit_by_bit_when_it_has_rested(desk: Desk, post: Post) -> None:
    await post.endpoint()
    await post.endpoint("stays")
    await desk.labelled("S1", "S2")
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        assert await endpoints.delete(connection, "oms", COMMAND)
    await clear_out(desk.tools)
    assert len(await desk.bench.rows("SELECT FROM endpoints")) == 2, "somebody may still write of it"
    await desk.tools.pool.execute("UPDATE endpoints SET removed_at = removed_at - $1::interval", RESTS_FOR)
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval("SELECT clock_timestamp()")
        assert [await removed.drop(connection, now, 3) for _ in range(5)] == [5, 1, 1, 0, 0]
    for table in ("endpoints", "deliveries", "lanes"):
        column = "id" if table == "endpoints" else "endpoint_id"
        left = {row["id"] for row in await desk.bench.rows(f"SELECT {column} AS id FROM {table}")}
        assert left == {post.ids["stays"]}


async def test_clearing_takes_what_removed_endpoints_leave(desk: Desk, post: Post) -> None:
    await post.endpoint()
    await desk.labelled("S1")
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        assert await endpoints.delete(connection, "oms", COMMAND)
    await desk.tools.pool.execute("UPDATE endpoints SET removed_at = removed_at - $1::interval", RESTS_FOR)
    await clear_out(desk.tools)
    assert await desk.bench.rows("SELECT FROM endpoints") == []


async def test_a_lane_that_somebody_holds_outlives_its_events(desk: Desk, post: Post) -> None:
    """Whoever writes an event has lanes, and wants others: clearing waits for none of them."""
    await post.endpoint()
    await desk.labelled("OLD")
    await post.deliver()
    await grow_old(desk, "OLD", KEPT_FOR + DAY)
    async with desk.tools.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM lanes FOR UPDATE")
        await asyncio.wait_for(clear_out(desk.tools), WITHIN_S)
    assert await shipments_with(desk, "lanes") == {"OLD"}
    assert await shipments_with(desk, "events") == set()
