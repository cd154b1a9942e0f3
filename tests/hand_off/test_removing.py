"""An endpoint that is removed: nobody who writes, claims or settles at that moment meets it, whatever it is owed."""

import asyncio
from datetime import timedelta

from bilty.oms.retries import TRIED_FOR
from bilty.store.audit import COMMAND
from bilty.store.hand_off import deliveries, endpoints, lanes, settling
from bilty.store.hand_off.lanes import Outcome
from bilty.workflow import Status
from dispatch.bench import shipment
from hand_off.post import GONE, Post

WITHIN_S = 60


async def test_a_couriers_answer_is_kept_though_an_endpoint_is_removed_at_that_moment(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    async with post.bench.pool.acquire() as other, other.transaction():
        await endpoints.delete(other, "oms", COMMAND)
        await asyncio.wait_for(post.bench.work(), WITHIN_S)
    assert await post.bench.status("S1") is Status.LABEL_READY
    assert await post.deliver() == 0


async def test_a_person_cancels_while_an_endpoint_is_removed(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    async with post.bench.pool.acquire() as other, other.transaction():
        await endpoints.delete(other, "oms", COMMAND)
        await asyncio.wait_for(post.cancel("S1"), WITHIN_S)
    assert await post.bench.status("S1") is Status.CANCELLED


async def test_an_endpoint_is_removed_while_what_it_said_is_settled(post: Post) -> None:
    """Who settles has the lane and waits for the endpoint's row; who removes has that row, and waits for no lane."""
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    (claim,) = await lanes.claim(post.bench.pool, now=post.bench.now)
    outcome = Outcome(claim, received=False, status=410, why=GONE.why, again_at=None, gone=True)
    async with (
        post.bench.pool.acquire() as other,
        post.bench.pool.acquire() as holder,
        other.transaction(),
        holder.transaction(),
    ):
        await holder.execute("SELECT FROM lanes FOR UPDATE")
        assert await asyncio.wait_for(endpoints.delete(other, "oms", COMMAND), WITHIN_S)
    await settling.settle(post.bench.pool, [outcome], TRIED_FOR, now=post.bench.now)
    noted = await post.bench.rows("SELECT action FROM audit WHERE subject = 'oms' ORDER BY id")
    assert [row["action"] for row in noted][-1] == endpoints.REMOVED, "it is not disabled after that"


async def test_nothing_of_it_is_to_be_seen_and_its_code_is_free(post: Post) -> None:
    await post.endpoint()
    await post.bench.schedule(shipment("S1"))
    await post.bench.work()
    first = post.ids["oms"]
    async with post.bench.pool.acquire() as connection, connection.transaction():
        assert await endpoints.delete(connection, "oms", COMMAND)
        assert not await endpoints.delete(connection, "oms", COMMAND)
        assert await endpoints.all_of(connection) == []
        assert await deliveries.of_shipment(connection, post.bench.ids["S1"]) == []
        assert await connection.fetchval("SELECT url || sealed_secret::text FROM endpoints") == "\\x"
    post.bench.now += timedelta(hours=1)
    assert await post.deliver() == 0
    await post.endpoint()
    assert post.ids["oms"] != first
    await post.bench.schedule(shipment("S2"))
    await post.bench.work()
    await post.deliver()
    assert post.postman.kinds("S1") == []
    assert post.postman.kinds("S2") == ["label_requested", "label_ready"]


async def test_who_writes_settles_changes_and_removes_never_wait_for_each_other_in_a_circle(post: Post) -> None:
    """A deadlock would end one of them, and this test with it."""
    for code in ("a", "oms"):
        await post.endpoint(code)

    async def arrives(nth: int) -> None:
        await post.bench.schedule(*(shipment(f"R{nth}-{n}", boxes=1) for n in range(5)))
        await post.bench.work()

    async def settles() -> None:
        for nth in range(20):
            claims = await lanes.claim(post.bench.pool, now=post.bench.now)
            again_at = post.bench.now + timedelta(hours=nth % 2)
            outcomes = [Outcome(each, received=False, status=500, why="no", again_at=again_at) for each in claims]
            await settling.settle(post.bench.pool, outcomes, TRIED_FOR, now=post.bench.now)

    async def changes() -> None:
        for nth in range(10):
            await post.endpoint("a", url=f"https://{nth}.example/hook")
            async with post.bench.pool.acquire() as connection, connection.transaction():
                await endpoints.delete(connection, "oms", COMMAND)
            await post.endpoint("oms")

    await asyncio.wait_for(
        asyncio.gather(*(arrives(nth) for nth in range(6)), settles(), settles(), changes()), 2 * WITHIN_S
    )
    await post.endpoint("a", url="https://right.example/hook")
    post.bench.now = max(post.bench.now, await post.bench.pool.fetchval("SELECT max(due_at) FROM lanes"))
    await post.deliver()
    assert {row["state"] for row in await post.deliveries("a")} == {"delivered"}
    assert len(await post.deliveries("a")) == 2 * 30
