"""The dispatcher as it runs: woken within milliseconds, graceful at its end, unmoved by what happens to one call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bilty.aggregator import Booking, Said, Trouble
from bilty.aggregator.scripted import Scripted
from bilty.dispatcher import Dispatcher
from bilty.reply import Accepted, Label
from bilty.store.database import CHANGED_CHANNEL, DUE_CHANNEL, listening
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import Bench, shipment

WITHIN_S = 60


class Gated(Scripted):
    """Its couriers take until `opened`; `asked` says that a call is out."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.opened = asyncio.Event(), asyncio.Event()

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        self.asked.set()
        await self.opened.wait()
        return await super().ask(booking)


class Raising(Scripted):
    """Raises at the first asking, which a connector must not do."""

    def __init__(self) -> None:
        super().__init__()
        self.raised = asyncio.Event()

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        if not self.raised.is_set():
            self.raised.set()
            raise RuntimeError("a fault in a connector")
        return await super().ask(booking)


@asynccontextmanager
async def running(bench: Bench, dsn: str, changed: asyncio.Event) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(bench.tools)

    def heard(channel: str, _payload: str) -> None:
        if channel == DUE_CHANNEL:
            dispatcher.wake()
        if channel == CHANGED_CHANNEL:
            changed.set()

    async with listening(dsn, heard):
        task = asyncio.create_task(dispatcher.run())
        try:
            yield dispatcher
        finally:
            dispatcher.stop()
            await asyncio.wait_for(task, WITHIN_S)


async def until_status(bench: Bench, number: str, wanted: Status, changed: asyncio.Event) -> None:
    async with asyncio.timeout(WITHIN_S):
        while await bench.status(number) is not wanted:
            changed.clear()
            if await bench.status(number) is not wanted:
                await changed.wait()


async def test_it_is_woken_by_whoever_schedules(bench: Bench, dsn: str) -> None:
    changed = asyncio.Event()
    async with running(bench, dsn, changed):
        bench.now = await bench.pool.fetchval("SELECT clock_timestamp()")
        await bench.schedule(shipment("S1"))
        await until_status(bench, "S1", Status.LABEL_READY, changed)
    first_asked = await bench.pool.fetchval(
        """SELECT min(t.asked_at) - s.created_at FROM turns t JOIN shipments s ON s.id = t.shipment_id
            GROUP BY s.created_at"""
    )
    assert first_asked.total_seconds() < 2, "an idle dispatcher rests for 30 seconds unless it is woken"


async def test_a_graceful_stop_hears_the_calls_that_are_out(bench: Bench, dsn: str) -> None:
    gated, changed = Gated(), asyncio.Event()
    bench.aggregate_with(gated)
    bench.now = await bench.pool.fetchval("SELECT clock_timestamp()")
    await bench.schedule(shipment("S1"))
    async with running(bench, dsn, changed) as dispatcher:
        await asyncio.wait_for(gated.asked.wait(), WITHIN_S)
        dispatcher.stop()
        gated.opened.set()
    assert (await bench.turn("S1", 1)).state is State.FETCHING
    assert (await bench.turn("S1", 1)).awb


async def test_a_connector_that_raises_leaves_the_turn_unclear_and_the_others_alone(bench: Bench, dsn: str) -> None:
    raising, changed = Raising(), asyncio.Event()
    bench.aggregate_with(raising)
    bench.now = await bench.pool.fetchval("SELECT clock_timestamp()")
    await bench.schedule(shipment("S1"))
    async with running(bench, dsn, changed):
        await asyncio.wait_for(raising.raised.wait(), WITHIN_S)
        await bench.schedule(shipment("S2"))
        await until_status(bench, "S2", Status.LABEL_READY, changed)
    assert (await bench.turn("S1", 1)).state is State.UNCLEAR
