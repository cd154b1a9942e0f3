"""Two who move what is owed after the AWB, or one step of a job, at the same moment and in either order, by locks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bilty.deciding import Cancel, No
from bilty.jobs import work
from bilty.jobs.afterwards import say_afterwards
from bilty.store import acting, afterwards, showing
from bilty.store.afterwards import LEASE
from bilty.store.jobs import JobKind, JobState
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON
from jobs.desk import ASHA, Desk, never
from jobs.test_afterwards import (
    OTHER_BILL,
    TOLD,
    Slow,
    add_bill,
    booked,
    cancel,
    labelled_late,
    lines,
    owed,
    say_all,
    seen,
    shipment,
    void,
)
from racing import in_order

IN_THE_MIDDLE = "LOCK TABLE afterwards IN SHARE MODE"
"""Whoever moves a row of these has locked it, and its shipment, by then."""
DECIDED = "LOCK TABLE shipments IN SHARE MODE"
STEPPED = "LOCK TABLE job_items IN SHARE MODE"


@dataclass(frozen=True, slots=True)
class Paused:
    """A worker that has said something to ClickPost, and sleeps before the answer."""

    slow: Slow
    saying: asyncio.Task[None]

    async def wakes(self) -> None:
        self.slow.answer.set()
        await self.saying


async def paused(desk: Desk) -> Paused:
    (due,) = await owed(desk)
    slow = Slow(desk.bench.aggregator)
    tools = replace(desk.tools, aggregator=lambda _: slow)
    saying = asyncio.create_task(say_afterwards(tools, due, desk.bench.now))
    await slow.asked.wait()
    return Paused(slow, saying)


async def billed(desk: Desk) -> int:
    """A courier that has S1 is to be told of its e-way bill. What is owed."""
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    (due,) = await owed(desk)
    return due


async def test_of_two_who_ask_for_a_pickup_one_does(desk: Desk) -> None:
    await labelled_late(desk)
    (due,) = await owed(desk)
    ask = (say_afterwards(desk.tools, due, desk.bench.now) for _ in range(2))
    await in_order(desk.tools.pool, IN_THE_MIDDLE, next(ask), next(ask))
    assert desk.bench.aggregator.calls["ask_pickup"] == 1
    assert len(await lines(desk, "S1")) == 1


async def test_an_answer_that_comes_while_its_row_is_taken_over_is_left_out(desk: Desk) -> None:
    due = await billed(desk)
    worker = await paused(desk)
    desk.bench.now += LEASE
    over = say_afterwards(desk.tools, due, desk.bench.now)
    await in_order(desk.tools.pool, IN_THE_MIDDLE, over, worker.wakes())
    assert await lines(desk, "S1") == [TOLD]
    assert desk.bench.aggregator.calls["tell_ewaybill"] == 2, "what may be said twice is"
    assert await owed(desk) == []


async def test_a_row_is_not_taken_over_while_its_answer_is_settled(desk: Desk) -> None:
    due = await billed(desk)
    worker = await paused(desk)
    desk.bench.now += LEASE
    over = say_afterwards(desk.tools, due, desk.bench.now)
    await in_order(desk.tools.pool, IN_THE_MIDDLE, worker.wakes(), over)
    assert await lines(desk, "S1") == [TOLD]
    assert desk.bench.aggregator.calls["tell_ewaybill"] == 1


@pytest.mark.parametrize("earlier", [True, False], ids=["before", "after"])
async def test_another_number_that_comes_as_the_answer_does_is_told_too(desk: Desk, *, earlier: bool) -> None:
    await billed(desk)
    worker = await paused(desk)
    both = add_bill(desk, "S1", OTHER_BILL), worker.wakes()
    await in_order(desk.tools.pool, IN_THE_MIDDLE, *(both if earlier else both[::-1]))
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": OTHER_BILL}
    assert await owed(desk) == []


@pytest.mark.parametrize(("brake", "earlier"), [(DECIDED, True), (IN_THE_MIDDLE, False)], ids=["before", "after"])
async def test_a_van_that_is_booked_as_its_awb_is_given_up_is_to_be_called_off(
    desk: Desk, brake: str, *, earlier: bool
) -> None:
    await labelled_late(desk)
    awb = (await desk.bench.turn("S1", 1)).awb
    worker = await paused(desk)
    both = cancel(desk), worker.wakes()
    await in_order(desk.tools.pool, brake, *(both if earlier else both[::-1]))
    assert (await seen(desk, "S1")).to_look_at == (void(awb),)


@pytest.mark.parametrize("late", [say_all, None], ids=["ended", "taken over"])
async def test_what_is_over_is_not_put_off_by_whoever_comes_late(
    desk: Desk, late: Callable[[Desk], Awaitable[object]] | None
) -> None:
    """One that failed in a way that nobody foresaw, after somebody else had it: the van would come twice."""
    await labelled_late(desk)
    (due,) = await owed(desk)
    if late:
        await late(desk)
    else:
        await paused_and_given_up(desk, due)
    async with desk.tools.pool.acquire() as connection:
        await afterwards.put_off(connection, due, desk.bench.now)
    desk.bench.now += timedelta(days=1)
    assert await say_all(desk) == 0
    assert (await booked(desk, "S1")).pickups == [NOON + 70 * MINUTE]


async def paused_and_given_up(desk: Desk, due: int) -> None:
    worker = await paused(desk)
    await say_afterwards(desk.tools, due, desk.bench.now + LEASE)
    await worker.wakes()
    assert (await seen(desk, "S1")).pickup == showing.Pickup(NOON + 70 * MINUTE, "1")


# --- the steps of a job


async def test_of_two_who_have_one_job_in_hand_each_step_is_done_by_one(desk: Desk) -> None:
    ids = await desk.created("S1", "S2", "S3")
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    do = (work(desk.tools, job_id, never) for _ in range(2))
    await in_order(desk.tools.pool, STEPPED, next(do), next(do))
    job = await desk.job(job_id)
    assert (job.state, job.done, job.refused) == (JobState.DONE, 3, 0)
    assert {row["run"] for row in await desk.bench.rows("SELECT run FROM shipments")} == {1}


async def cancelled(desk: Desk, shipment_id: int) -> No | None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        wish = {shipment_id: Cancel()}
        return (await acting.act(connection, wish, ASHA, desk.bench.now, desk.bench.tools.rules))[shipment_id]


@pytest.mark.parametrize("earlier", [True, False], ids=["before", "after"])
async def test_a_shipment_that_a_person_cancels_as_a_job_schedules_it_is_cancelled(
    desk: Desk, *, earlier: bool
) -> None:
    ids = await desk.created("S1", "S2", "S3")
    job_id = await desk.begin(JobKind.SCHEDULE, ids)
    both = cancelled(desk, ids[1]), work(desk.tools, job_id, never)
    await in_order(desk.tools.pool, DECIDED, *(both if earlier else both[::-1]))
    job = await desk.job(job_id)
    assert (job.done, job.refused) == ((2, 1) if earlier else (3, 0))
    desk.bench.now = await desk.tools.pool.fetchval("SELECT clock_timestamp()")  # which the job goes by
    await desk.bench.work()
    assert [await desk.bench.status(f"S{n}") for n in (1, 2, 3)] == [
        Status.LABEL_READY,
        Status.CANCELLED,
        Status.LABEL_READY,
    ]
    assert len(desk.bench.aggregator.bookings) == 2
