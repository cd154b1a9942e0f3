"""A late label that may be used for a while, and what lists know of it when its time is over."""

from dataclasses import replace

import pytest

from bilty.aggregator.scripted import P1, P2, P3, accepted, refused
from bilty.reply import Busy
from bilty.store import claims
from bilty.store.progress import changing
from bilty.turn import State
from bilty.workflow import Status, put
from dispatch.bench import MINUTE, NOON, Bench, shipment


async def late_label(bench: Bench) -> None:
    """P1's label came after the order system was told that it failed."""
    bench.aggregator.plan(P1, accepted(not_yets=6))
    bench.aggregator.plan(P2, refused())
    bench.aggregator.plan(P3, refused())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 13 * MINUTE)
    await bench.rows("UPDATE shipments SET failed_told = true")
    await bench.until(NOON + 30 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.OFFERED


async def listed(bench: Bench) -> tuple[str, list[str]]:
    """What the lists have."""
    (row,) = await bench.rows("SELECT status, concerns FROM shipments")
    return row["status"], row["concerns"]


@pytest.mark.parametrize("dies", [False, True])
async def test_a_late_label_that_nobody_uses_is_cancelled_and_leaves_the_list(bench: Bench, *, dies: bool) -> None:
    await late_label(bench)
    assert await listed(bench) == (Status.NEEDS_ATTENTION, ["late_label"])
    due_at = (await bench.turn("S1", 1)).due_at
    assert due_at
    bench.now = due_at
    if dies:  # over the call, whose claim has given the AWB up
        await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
        bench.now += 2 * MINUTE
    bench.aggregator.say("cancel", Busy("silent"))
    await bench.work()
    assert (await bench.turn("S1", 1)).state is State.SURPLUS
    assert await listed(bench) == (Status.SCHEDULING, [])
    await bench.until(bench.now + 2 * MINUTE)
    assert await listed(bench) == (Status.FAILED, [])
    assert not any(booked.alive for booked in bench.aggregator.bookings.values())
    assert (bench.aggregator.calls["track"], bench.aggregator.calls["cancel"]) == (2, 2)


async def test_of_two_turns_that_change_places_the_one_that_leaves_is_written_first(bench: Bench) -> None:
    """Only one may have the shipment, even in the middle of a statement."""
    bench.aggregator.plan(P1, refused())
    await bench.schedule(shipment("S1"))
    await bench.work()
    first, second = await bench.turn("S1", 1), await bench.turn("S1", 2)
    async with (
        bench.pool.acquire() as connection,
        connection.transaction(),
        changing(connection, [bench.ids["S1"]], bench.now) as courses,
    ):
        (course,) = courses.values()
        taken = put(course.before, replace(first, state=State.FETCHING, awb="LATE1", due_at=bench.now))
        course.after = put(taken, replace(second, state=State.CANCELLED, due_at=None))
    holder = (await bench.progress("S1")).holder
    assert holder is not None
    assert (holder.reference, holder.awb) == (first.reference, "LATE1")
