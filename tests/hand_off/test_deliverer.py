"""The deliverer as it runs: real sockets, a real clock, several at once, and a database that goes away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bilty.dispatcher import work_off
from bilty.oms.deliverer import Deliverer, Tools
from bilty.oms.sending import Sender, Sent
from bilty.outgoing.http import Http
from bilty.store.database import HAND_OFF_CHANNEL, connect_pool, listening
from bilty.store.hand_off.lanes import OUT_MAX
from dispatch.bench import shipment
from hand_off.post import RECEIVED, Post
from hand_off.receiver import Receiver, receiving

WITHIN_S = 30


@asynccontextmanager
async def running(dsn: str, *tools: Tools) -> AsyncIterator[list[Deliverer]]:
    """A deliverer for each of `tools`, woken as a process wakes its own."""
    deliverers = [Deliverer(each) for each in tools]

    def heard(channel: str, _payload: str) -> None:
        if channel == HAND_OFF_CHANNEL:
            for each in deliverers:
                each.wake()

    async with listening(dsn, heard):
        tasks = [asyncio.create_task(each.run()) for each in deliverers]
        try:
            yield deliverers
        finally:
            for each in deliverers:
                each.stop()
            await asyncio.wait_for(asyncio.gather(*tasks), WITHIN_S)


async def labelled(post: Post, *numbers: str) -> None:
    """Each round of facts at the time at which it happens."""
    post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()")
    await post.bench.schedule(*(shipment(each) for each in numbers))
    while await work_off(post.bench.tools, post.bench.now):
        post.bench.now = await post.bench.pool.fetchval("SELECT clock_timestamp()")


@dataclass(slots=True)
class Gated:
    """Takes what it is sent, and answers once it is `opened`. `sent` are the events' names."""

    sent: list[str] = field(default_factory=list)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, _url: str, _secrets: Sequence[str], event_id: str, _at: datetime, _body: bytes) -> Sent:
        self.sent.append(event_id)
        self.taken.set()
        await self.opened.wait()
        return RECEIVED


async def test_one_that_hangs_and_one_that_answers_500_delay_nobody(
    post: Post, dsn: str, record_property: Callable[[str, object], None]
) -> None:
    """Two deliverers, and three order systems: one hangs, one is broken, one is right."""
    hanging, broken, right = Receiver(0), Receiver(500), Receiver(200)
    numbers = [f"S{n}" for n in range(30)]
    async with Http() as http, receiving(hanging, broken, right):
        pool = await connect_pool(dsn, size=3)
        post.send_with(Sender(http, allow_private=True))
        for code, receiver in (("hanging", hanging), ("broken", broken), ("right", right)):
            await post.endpoint(code, url=receiver.url)
        async with running(dsn, post.tools, replace(post.tools, pool=pool)):
            async with asyncio.timeout(WITHIN_S):
                for at in range(0, len(numbers), 3):
                    await labelled(post, *numbers[at : at + 3])
                await right.until(2 * len(numbers))
                await hanging.until(OUT_MAX)
            assert len(hanging.arrivals) == hanging.peak == OUT_MAX, "no more than eight at a time, by two deliverers"
            hanging.hang_up()
        await pool.close()

    worst = max(each.late_s for each in right.arrivals)
    record_property("seconds_until_the_last_heard", worst)
    assert worst < 1
    assert [right.kinds(number) for number in numbers] == [["label_requested", "label_ready"]] * len(numbers)
    assert len({each.event_id for each in right.arrivals}) == len(right.arrivals), "none twice"
    assert max(broken.peak, right.peak) <= OUT_MAX
    assert {tuple(set(broken.kinds(number))) for number in numbers} == {("label_requested",)}


async def test_the_next_deliverer_goes_on_where_the_last_one_stopped(post: Post, dsn: str) -> None:
    receiver = Receiver(200)
    async with Http() as http, receiving(receiver):
        post.send_with(Sender(http, allow_private=True))
        await post.endpoint(url=receiver.url)
        await labelled(post, "S1")
        async with running(dsn, post.tools):
            await asyncio.wait_for(receiver.until(2), WITHIN_S)
        await labelled(post, "S2")
        assert receiver.kinds("S2") == []
        async with running(dsn, post.tools):
            await asyncio.wait_for(receiver.until(4), WITHIN_S)
    assert receiver.kinds("S2") == ["label_requested", "label_ready"]
    assert await post.owed() == 0


async def test_a_graceful_stop_hears_the_calls_that_are_out(post: Post, dsn: str) -> None:
    gated = Gated()
    post.send_with(gated)
    await post.endpoint()
    await labelled(post, "S1")
    async with running(dsn, post.tools) as (deliverer,):
        await asyncio.wait_for(gated.taken.wait(), WITHIN_S)
        deliverer.stop()
        gated.opened.set()
    first, second = await post.deliveries()
    assert (first["state"], first["tries"]) == ("delivered", 1)
    assert (second["state"], second["tries"]) == ("waiting", 0)
    assert await post.bench.pool.fetchval("SELECT count(*) FROM lanes WHERE claimed_at IS NOT NULL") == 0


async def test_what_was_received_is_not_sent_again_because_the_database_went_away(post: Post, dsn: str) -> None:
    gated = Gated()
    pool = await connect_pool(dsn, size=2)
    post.send_with(gated)
    await post.endpoint()
    await labelled(post, "S1")
    async with running(dsn, replace(post.tools, pool=pool)):
        await asyncio.wait_for(gated.taken.wait(), WITHIN_S)
        gated.taken.clear()
        await post.bench.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database() AND query NOT LIKE 'LISTEN%'"
        )
        gated.opened.set()
        await asyncio.wait_for(gated.taken.wait(), WITHIN_S)  # the second event follows the first
    pool.terminate()
    assert len(set(gated.sent)) == len(gated.sent) == 2
    assert [row["state"] for row in await post.deliveries()] == ["delivered", "delivered"]


@pytest.mark.parametrize("at_once", [1, 40])
async def test_a_deliverer_that_rests_is_woken(
    post: Post, dsn: str, at_once: int, record_property: Callable[[str, object], None]
) -> None:
    receiver = Receiver(200)
    numbers = [f"S{n}" for n in range(at_once)]
    async with Http() as http, receiving(receiver):
        post.send_with(Sender(http, allow_private=True))
        await post.endpoint(url=receiver.url)
        async with running(dsn, post.tools):
            await labelled(post, *numbers)
            await asyncio.wait_for(receiver.until(2 * at_once), WITHIN_S)
    record_property("seconds_until_the_last_heard", max(each.late_s for each in receiver.arrivals))
    assert max(each.late_s for each in receiver.arrivals) < 5, "it rests for 30 s unless it is woken"
