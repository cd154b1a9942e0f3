"""Two who move one delivery at the same moment, on two connections and in either order: one wins, nothing is lost.

An event that is written while its lane is settled, in either order, stands in `test_lanes`.
"""

from datetime import timedelta

from bilty.hand_off import EventKind
from bilty.store.audit import COMMAND
from bilty.store.hand_off import endpoints, old_events
from bilty.store.hand_off.lanes import LEASE, Claim
from bilty.store.hand_off.old_events import KEPT_FOR
from hand_off.post import Post
from hand_off.test_lanes import SECOND, claim, failed, labelled, received, settle, write_event
from racing import in_order

CLAIMED = "LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"
"""Whoever claims has written that it has the lane by then, and looks for what it is to tell."""
SETTLED = "SELECT FROM deliveries FOR UPDATE"
"""Whoever settles has the lane by then, and is about to write what became of its delivery."""


async def paused(post: Post) -> Claim:
    """S0's first event was sent, and whoever sent it sleeps past its lease. Its second one waits behind it."""
    await post.endpoint()
    await labelled(post, 1)
    (sent,) = await claim(post)
    post.bench.now += LEASE
    return sent


async def states(post: Post) -> list[tuple[str, int]]:
    return [(row["state"], row["tries"]) for row in await post.deliveries()]


async def check_rest(post: Post) -> None:
    """All of it is told, in its order, and nothing is owed any more."""
    await post.deliver()
    assert await post.owed() == 0
    assert {state for state, _ in await states(post)} == {"delivered"}
    assert await post.bench.rows("SELECT FROM lanes WHERE claimed_at IS NOT NULL") == []


async def test_of_two_who_claim_a_lane_one_has_it(post: Post) -> None:
    await post.endpoint()
    await labelled(post, 1)
    first, second = await in_order(post.bench.pool, CLAIMED, claim(post), claim(post))
    assert (len(first), second) == (1, [])
    await settle(post, received(first[0]))
    await check_rest(post)


async def test_an_outcome_that_comes_while_its_lane_is_taken_over_is_left_out(post: Post) -> None:
    sent = await paused(post)
    taken, _ = await in_order(post.bench.pool, CLAIMED, claim(post), settle(post, received(sent)))
    assert [(each.delivery_id, each.fence) for each in taken] == [(sent.delivery_id, sent.fence + 1)]
    assert await states(post) == [("waiting", 0), ("waiting", 0)]
    await settle(post, received(taken[0]))
    await check_rest(post)


async def test_a_lane_is_not_taken_over_while_its_outcome_is_settled(post: Post) -> None:
    sent = await paused(post)
    _, taken = await in_order(post.bench.pool, SETTLED, settle(post, received(sent)), claim(post))
    assert taken == []
    assert await states(post) == [("delivered", 1), ("waiting", 0)]
    (behind,) = await claim(post)
    assert behind.event.id > sent.event.id, "what was received is not sent again"
    await settle(post, received(behind))
    await check_rest(post)


async def test_one_outcome_that_is_settled_twice_counts_once(post: Post) -> None:
    """A commit whose answer was lost with the connection is said again, and may be in already."""
    sent = await paused(post)
    again = failed(sent, timedelta(minutes=10))
    await in_order(post.bench.pool, SETTLED, settle(post, again), settle(post, again))
    assert await states(post) == [("waiting", 1), ("waiting", 0)]
    post.bench.now = sent.claimed_at + timedelta(minutes=10)
    await check_rest(post)


async def test_what_was_received_stays_so_though_whoever_was_paused_heard_otherwise(post: Post) -> None:
    sent = await paused(post)
    (current,) = await claim(post)
    await in_order(
        post.bench.pool,
        SETTLED,
        settle(post, received(current)),
        settle(post, failed(sent, SECOND), failed(sent, SECOND)),
    )
    assert await states(post) == [("delivered", 1), ("waiting", 0)]
    await check_rest(post)


async def test_an_endpoint_is_switched_off_while_its_outcome_is_settled(post: Post) -> None:
    """Neither is undone: it was received, and nothing more is sent until it is enabled."""
    sent = await paused(post)
    await in_order(post.bench.pool, SETTLED, settle(post, received(sent)), switch_off(post))
    assert await states(post) == [("delivered", 1), ("waiting", 0)]
    assert await claim(post) == []
    async with post.bench.pool.acquire() as connection, connection.transaction():
        assert await endpoints.enable(connection, "oms", COMMAND) is not None
    post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()")
    await check_rest(post)


async def switch_off(post: Post) -> None:
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE endpoints SET enabled = false WHERE code = 'oms'")


# --- what is so old that it is cleared away, and what happens at that moment


async def all_told(post: Post) -> int:
    """S0's events are delivered, and so old that they are cleared away. Its id."""
    await post.endpoint()
    await labelled(post, 1)
    await post.deliver()
    post.bench.now += KEPT_FOR + SECOND
    return post.bench.ids["S0"]


async def clear(post: Post) -> int:
    async with post.bench.pool.acquire() as connection, connection.transaction():
        count = await old_events.drop(connection, post.bench.now, 100)
        await connection.fetch("SELECT FROM audit")  # where it is held up, with all that it removed
        return count


async def happens(post: Post, shipment_id: int) -> None:
    async with post.bench.pool.acquire() as connection, connection.transaction():
        await write_event(post, connection, shipment_id)
        await connection.fetch("SELECT FROM audit")


async def test_an_event_that_comes_while_its_lane_is_cleared_away_is_told(post: Post) -> None:
    shipment_id = await all_told(post)
    held = "LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"
    cleared, _ = await in_order(post.bench.pool, held, clear(post), happens(post, shipment_id))
    assert cleared == 2
    assert [each.event.kind for each in await claim(post)] == [EventKind.CANCELLED]


async def test_a_lane_in_which_an_event_comes_is_not_cleared_away(post: Post) -> None:
    shipment_id = await all_told(post)
    held = "LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"
    _, cleared = await in_order(post.bench.pool, held, happens(post, shipment_id), clear(post))
    assert cleared == 2
    assert [each.event.kind for each in await claim(post)] == [EventKind.CANCELLED]
