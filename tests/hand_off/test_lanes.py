"""Claiming and settling by many at once: never more than eight out, never two in a lane, never a lane forgotten."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bilty.hand_off import EventKind
from bilty.oms.retries import TRIED_FOR
from bilty.store.database import Connection, connect_pool
from bilty.store.hand_off import events, lanes, settling
from bilty.store.hand_off.lanes import LEASE, OUT_MAX, Claim, Outcome
from dispatch.bench import shipment
from hand_off.post import Post

WITHIN_S = 60
SECOND = timedelta(seconds=1)
WAITING = """SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
              WHERE NOT l.granted AND a.datname = current_database()"""


async def labelled(post: Post, count: int, prefix: str = "S") -> None:
    await post.bench.schedule(*(shipment(f"{prefix}{n}", boxes=1) for n in range(count)))
    await post.bench.work()


def received(claim: Claim) -> Outcome:
    return Outcome(claim, received=True, status=200, why="", again_at=None)


def failed(claim: Claim, again_in: timedelta) -> Outcome:
    return Outcome(claim, received=False, status=500, why="no", again_at=claim.claimed_at + again_in)


def lane(claim: Claim) -> tuple[int, int]:
    return claim.endpoint_id, claim.event.shipment_id


async def settle(post: Post, *outcomes: Outcome) -> None:
    await settling.settle(post.bench.pool, outcomes, TRIED_FOR, now=post.bench.now)


async def claim(post: Post) -> list[Claim]:
    return await lanes.claim(post.bench.pool, now=post.bench.now)


async def test_eight_of_an_endpoint_are_out_and_no_more_until_one_is_back(post: Post) -> None:
    await post.endpoint("oms")
    await post.endpoint("other")
    await labelled(post, 20)
    first = await claim(post)
    assert Counter(each.endpoint_id for each in first) == {post.ids["oms"]: OUT_MAX, post.ids["other"]: OUT_MAX}
    assert await claim(post) == []
    await settle(post, received(first[0]), failed(first[1], SECOND))
    again = await claim(post)
    assert len(again) == 2
    assert not {lane(each) for each in again} & {lane(each) for each in first[2:]}, "one call at a time in a lane"


async def test_many_who_claim_at_once_take_eight_together(post: Post, dsn: str) -> None:
    await post.endpoint()
    await labelled(post, 40)
    pools = [await connect_pool(dsn, size=3) for _ in range(4)]
    try:
        for _ in range(10):
            taken = await asyncio.gather(*(lanes.claim(pool, now=post.bench.now) for pool in pools * 3))
            out = [each for claims in taken for each in claims]
            assert len(out) == OUT_MAX
            assert len({each.event.shipment_id for each in out}) == OUT_MAX
            await settle(post, *(failed(each, timedelta(0)) for each in out))
    finally:
        for pool in pools:
            await pool.close()


async def test_whoever_claims_sees_what_the_last_one_claimed(post: Post) -> None:
    """The endpoint's row is held over the count: a snapshot from before would let sixteen out."""
    await post.endpoint()
    await labelled(post, 20)
    async with post.bench.pool.acquire() as other, other.transaction():
        await other.fetch("SELECT FROM endpoints FOR NO KEY UPDATE")
        assert await claim(post) == [], "passed over, and not waited for"
    assert len(await claim(post)) == OUT_MAX


async def test_events_are_written_while_somebody_claims(post: Post) -> None:
    """Their foreign key looks at the endpoint's row: neither waits for the other."""
    await post.endpoint()
    await labelled(post, 1)
    async with post.bench.pool.acquire() as other, other.transaction():
        await other.fetch("SELECT FROM endpoints FOR NO KEY UPDATE")
        await asyncio.wait_for(labelled(post, 1, "T"), WITHIN_S)
    async with post.bench.pool.acquire() as other, other.transaction():
        await other.execute(
            "INSERT INTO deliveries (endpoint_id, shipment_id, event_id) SELECT $1, 1, 1", post.ids["oms"]
        )
        assert len(await claim(post)) == 2


async def test_a_dead_process_leaves_its_lanes_when_their_lease_ends(post: Post) -> None:
    await post.endpoint()
    await labelled(post, 10)
    lost = await claim(post)
    post.bench.now += LEASE - SECOND
    assert await claim(post) == []
    post.bench.now += SECOND
    found = await claim(post)
    assert len(found) == OUT_MAX
    taken_over = {each.event.shipment_id for each in found} & {each.event.shipment_id for each in lost}
    assert taken_over, "what was out longest is due longest"


async def test_an_outcome_that_comes_after_the_lane_was_taken_over_is_left_out(post: Post) -> None:
    await post.endpoint()
    await labelled(post, 1)
    (late,) = await claim(post)
    post.bench.now += LEASE
    (other,) = await claim(post)
    assert (other.delivery_id, other.fence) == (late.delivery_id, late.fence + 1)
    await settle(post, received(late))
    assert [row["state"] for row in await post.deliveries()] == ["waiting", "waiting"]
    assert await claim(post) == [], "the other's call is still out"
    await settle(post, failed(other, SECOND))
    await settle(post, received(other))
    first, _ = await post.deliveries()
    assert (first["state"], first["tries"]) == ("waiting", 1), "a claim is settled once"


async def test_one_that_comes_after_the_lease_counts_while_nobody_else_has_the_lane(post: Post) -> None:
    await post.endpoint()
    await labelled(post, 1)
    (late,) = await claim(post)
    post.bench.now += 2 * LEASE
    await settle(post, received(late))
    assert [row["state"] for row in await post.deliveries()] == ["delivered", "waiting"]


async def test_a_lane_whose_deliveries_are_gone_is_put_away(post: Post) -> None:
    await post.endpoint()
    await labelled(post, 1)
    await post.bench.pool.execute("DELETE FROM deliveries")
    assert await claim(post) == []
    assert await post.owed() == 0


async def test_when_the_next_is_due_is_known(post: Post) -> None:
    assert await lanes.next_due(post.bench.pool) is None
    post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()")
    await post.endpoint()
    await labelled(post, OUT_MAX + 2)
    due = await lanes.next_due(post.bench.pool)
    assert due is not None
    assert due <= 0
    out = await lanes.claim(post.bench.pool)
    full = await lanes.next_due(post.bench.pool)
    assert full is not None
    assert LEASE.total_seconds() - WITHIN_S < full <= LEASE.total_seconds(), "not at once: there is no place"
    await settling.settle(post.bench.pool, [failed(each, timedelta(hours=1)) for each in out], TRIED_FOR)
    free = await lanes.next_due(post.bench.pool)
    assert free is not None
    assert free <= 0
    await post.bench.pool.execute("UPDATE endpoints SET disabled_at = now()")
    assert await lanes.next_due(post.bench.pool) is None


async def test_a_claim_asks_as_often_for_many_as_for_one(post: Post, dsn: str) -> None:
    for code in ("a", "b", "c"):
        await post.endpoint(code)
    pool = await connect_pool(dsn, size=1)
    counts: list[list[str]] = []
    try:
        async with pool.acquire() as connection:
            connection.add_query_logger(lambda query: counts[-1].append(query.query))
        for nth, count in enumerate((1, 1, 6)):
            await labelled(post, count, f"N{nth}-")
            counts.append([])
            assert len(await lanes.claim(pool, now=post.bench.now)) == 3 * count
    finally:
        await pool.close()
    _with_what_the_driver_asks, one, many = counts
    assert len(one) == len(many) > 0


# --- an event and a settling at once: whoever comes first, the event is told


async def until_waiting(connection: Connection, count: int) -> None:
    """Until so many wait for a lock that somebody holds."""
    async with asyncio.timeout(WITHIN_S):
        while await connection.fetchval(WAITING) < count:
            await connection.execute("SELECT pg_stat_clear_snapshot()")  # else it knows of those of its first look


@pytest.fixture
async def last_out(post: Post) -> Claim:
    """The last delivery of the only lane, which is out."""
    await post.endpoint()
    await labelled(post, 1)
    (requested,) = await claim(post)
    await settle(post, received(requested))
    (ready,) = await claim(post)
    return ready


async def write_event(post: Post, connection: Connection, shipment_id: int) -> None:
    """As `progress` does it, for a shipment that is cancelled at this moment."""
    before = await post.bench.progress("S0")
    after = replace(before, cancel_asked=True, turns=())
    await events.write(connection, [events.Change(shipment_id, before, after, {})], post.bench.now)


async def test_an_event_that_comes_while_its_lane_is_settled_makes_it_due_again(post: Post, last_out: Claim) -> None:
    """The settling has the lane, and looks for more before the event is committed: it cannot see it."""
    pool = post.bench.pool
    async with pool.acquire() as watcher, pool.acquire() as blocker, pool.acquire() as writer, writer.transaction():
        async with blocker.transaction():
            await blocker.execute("SELECT FROM deliveries WHERE id = $1 FOR UPDATE", last_out.delivery_id)
            settling_it = asyncio.create_task(settle(post, received(last_out)))
            await until_waiting(watcher, 1)  # it has the lane, and not yet looked for more
            writing = asyncio.create_task(write_event(post, writer, last_out.event.shipment_id))
            await until_waiting(watcher, 2)  # its delivery is written, and it waits for the lane
        await asyncio.wait_for(settling_it, WITHIN_S)
        assert await watcher.fetchval("SELECT due_at FROM lanes") is None, "nothing was to be seen"
        await asyncio.wait_for(writing, WITHIN_S)
    assert await post.owed() == 1
    assert [each.event.kind for each in await claim(post)] == [EventKind.CANCELLED]


async def test_an_event_that_is_written_before_its_lane_is_settled_is_seen(post: Post, last_out: Claim) -> None:
    """The event has the lane: it finds it out, and leaves it so; the settling waits, and then looks."""
    pool = post.bench.pool
    async with pool.acquire() as watcher, pool.acquire() as writer:
        async with writer.transaction():
            await write_event(post, writer, last_out.event.shipment_id)
            settling_it = asyncio.create_task(settle(post, received(last_out)))
            await until_waiting(watcher, 1)
        await asyncio.wait_for(settling_it, WITHIN_S)
    assert await post.owed() == 1
    assert [each.event.kind for each in await claim(post)] == [EventKind.CANCELLED]


async def test_events_and_settlings_of_many_at_once_end_with_nothing_owed(post: Post) -> None:
    await post.endpoint("oms")
    await post.endpoint("other")

    async def arrives(nth: int) -> None:
        await post.bench.schedule(*(shipment(f"R{nth}-{n}", boxes=1) for n in range(5)))
        await post.bench.work()

    async def settles() -> None:
        for _ in range(30):
            await settle(post, *(received(each) for each in await claim(post)))

    await asyncio.gather(*(arrives(nth) for nth in range(6)), *(settles() for _ in range(4)))
    await post.deliver()
    assert await post.owed() == 0
    states = Counter(row["state"] for row in [*await post.deliveries("oms"), *await post.deliveries("other")])
    assert states == {"delivered": 2 * 2 * 30}


async def test_what_failed_first_is_kept_though_its_first_try_took_longer_than_its_last(post: Post) -> None:
    """Its three days and the endpoint's are counted from the same moment: else it were given up just before."""
    await post.endpoint()
    await labelled(post, 1)
    (first,) = await claim(post)
    post.bench.now += 10 * SECOND
    await settle(post, failed(first, SECOND))
    post.bench.now = first.claimed_at + TRIED_FOR
    (last,) = await claim(post)
    await settle(post, Outcome(last, received=False, status=500, why="The receiver answered 500.", again_at=None))
    assert [row["state"] for row in await post.deliveries()] == ["waiting", "waiting"]
    assert (await post.standing()).disabled_at == post.bench.now
