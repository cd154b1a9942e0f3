"""What is said to ClickPost after the AWB: e-way bills that came later, a pickup for a label that came too late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace as replace_struct

from bilty.aggregator import Booking, EwaybillTold, PickupBooked, Said, Trouble
from bilty.aggregator.scripted import P1, Booked, Scripted, accepted, never
from bilty.deciding import Cancel
from bilty.intake import IntakeRules
from bilty.jobs.afterwards import TRIES_MAX, say_afterwards
from bilty.reply import Busy, Refusal, Refused, Unclear
from bilty.shipment import Ewaybill, Invoice, Shipment
from bilty.store import acting, afterwards, ewaybills, providers, showing
from bilty.store.afterwards import LEASE
from bilty.store.amending import amend
from bilty.store.audit import Actor, ActorKind
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.turn import Rules
from bilty.workflow import Status
from dispatch.bench import BLR, MINUTE, NOON
from dispatch.bench import shipment as shipment_of
from jobs.desk import Desk

ASHA = Actor(ActorKind.USER, "asha@example.com")
BILL, OTHER_BILL = "181000609282", "181000609283"
TOO_LATE = "The label came after the pickup time that First Cargo was given, 23 Nov 2026, 18:00."
BY_HAND = "Enter it in ClickPost's dashboard, or tell First Cargo, before the boxes leave."
ARRANGE = "Arrange one with First Cargo, or in ClickPost's dashboard."


def shipment(number: str) -> Shipment:
    return shipment_of(number, boxes=1)


def with_bill(number: str, bill: str = BILL) -> Shipment:
    known = shipment(number)
    return replace_struct(known, invoices=(replace_struct(known.invoices[0], ewaybill_number=bill),))


async def add_bill(desk: Desk, number: str, bill: str = BILL) -> None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        wanted = {desk.bench.ids[number]: {f"INV-{number}": Ewaybill(bill)}}
        await ewaybills.add(connection, wanted, IntakeRules(), ASHA, desk.bench.now)


async def owed(desk: Desk) -> list[int]:
    rows = await desk.bench.rows("SELECT id FROM afterwards WHERE due_at <= $1 ORDER BY id", desk.bench.now)
    return [row["id"] for row in rows]


async def say_all(desk: Desk) -> int:
    """Everything that is due now; how many that was."""
    due = await owed(desk)
    for each in due:
        await say_afterwards(desk.tools, each, desk.bench.now)
    return len(due)


async def seen(desk: Desk, number: str) -> Seen:
    shipment_id = desk.bench.ids[number]
    async with desk.tools.pool.acquire() as connection:
        return (await showing.see(connection, [shipment_id]))[shipment_id]


async def lines(desk: Desk, number: str) -> list[str]:
    rows = await desk.bench.rows(
        "SELECT message FROM timeline WHERE shipment_id = $1 AND state ~ '^(ewaybill|pickup)_' ORDER BY id",
        desk.bench.ids[number],
    )
    return [row["message"] for row in rows]


async def booked(desk: Desk, number: str) -> Booked:
    holder = (await desk.bench.progress(number)).holder
    assert holder is not None
    return desk.bench.aggregator.bookings[holder.reference]


async def labelled_late(desk: Desk, number: str = "S1") -> None:
    """Its label comes 40 minutes after it was asked for, and its pickup was to be 30 minutes after that."""
    desk.bench.aggregator.plan(P1, never())
    desk.bench.tools = replace(desk.bench.tools, rules=Rules(polls_max=100))
    await desk.bench.schedule(shipment(number))
    await desk.bench.until(NOON + 39 * MINUTE)
    desk.bench.aggregator.bookings[(await desk.bench.turn(number, 1)).reference].not_yets = 0
    await desk.bench.until(NOON + 40 * MINUTE)
    assert await desk.bench.status(number) is Status.LABEL_READY


TOLD = f"First Cargo was told e-way bill {BILL} of invoice INV-S1."


async def test_a_bill_that_went_with_the_booking_is_not_told_again(desk: Desk) -> None:
    await desk.bench.schedule(with_bill("S1"))
    await desk.bench.work()
    assert await owed(desk) == []


async def test_a_bill_that_comes_while_the_label_is_waited_for_is_told_once_there_is_an_awb(desk: Desk) -> None:
    desk.bench.aggregator.plan(P1, accepted(not_yets=2))
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    assert await owed(desk) == []
    await desk.bench.until(NOON + 10 * MINUTE)
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}
    assert await lines(desk, "S1") == [TOLD]
    assert await owed(desk) == []
    assert (await seen(desk, "S1")).to_look_at == ()


async def test_a_bill_that_comes_after_the_label_is_told_at_once_and_another_after_it(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    for bill in (BILL, OTHER_BILL, BILL):
        await add_bill(desk, "S1", bill)
        assert await say_all(desk) == 1
        assert (await booked(desk, "S1")).ewaybills == {"INV-S1": bill}


async def test_a_bill_that_is_not_answered_is_told_again_in_growing_pauses_for_a_day(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    desk.bench.aggregator.say("tell_ewaybill", *[Unclear("HTTP 502", silent=True)] * TRIES_MAX)
    said = []
    while (due := await desk.bench.pool.fetchval("SELECT min(due_at) FROM afterwards")) is not None:
        desk.bench.now = due
        said.append(due)
        await say_all(desk)
    pauses = [(after - before) / MINUTE for before, after in pairwise(said)]
    assert pauses == [1, 2, 4, 8, 16, 32, *[60] * 22]
    (warning,) = (await seen(desk, "S1")).to_look_at
    told = f"For a day First Cargo could not be told e-way bill {BILL} of invoice INV-S1."
    assert warning == f"{told} Last: HTTP 502. {BY_HAND}"
    assert await lines(desk, "S1") == [warning]
    assert (await booked(desk, "S1")).ewaybills == {}


async def test_a_refusal_is_shown_at_once_and_gone_with_another_number(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    desk.bench.aggregator.say("tell_ewaybill", Refused(Refusal.DATA, 422, "no such bill"))
    await say_all(desk)
    (warning,) = (await seen(desk, "S1")).to_look_at
    told = f"First Cargo was not told e-way bill {BILL} of invoice INV-S1."
    assert (await seen(desk, "S1")).warnings == (), "it is not the shipment's own, and goes with its courier"
    assert warning == f"{told} ClickPost refused it: no such bill (ClickPost code 422). {BY_HAND}"
    assert await owed(desk) == []
    await add_bill(desk, "S1", OTHER_BILL)
    assert (await seen(desk, "S1")).to_look_at == ()
    await say_all(desk)
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": OTHER_BILL}


async def test_a_paused_provider_is_waited_for(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    desk.bench.aggregator.say("tell_ewaybill", Refused(Refusal.ACCOUNT, 301, "who are you"))
    desk.bench.aggregator.say("accounts", Refused(Refusal.ACCOUNT, 301, "who are you"))
    await say_all(desk)
    assert await desk.bench.pool.fetchval("SELECT paused_why FROM shipping_providers") == "who are you"
    desk.bench.now += timedelta(minutes=5)
    assert await say_all(desk) == 1
    assert desk.bench.aggregator.calls["tell_ewaybill"] == 1, "nothing is said to a provider that is paused"
    await desk.bench.pool.execute("UPDATE shipping_providers SET paused_at = NULL")
    desk.bench.now += timedelta(minutes=5)
    await say_all(desk)
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}


async def test_who_lost_the_shipment_is_told_nothing(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    await desk.bench.pool.execute("UPDATE turns SET state = 'surplus' WHERE state = 'won'")
    await say_all(desk)
    assert "tell_ewaybill" not in desk.bench.aggregator.calls
    assert await owed(desk) == []


class Deadly(Scripted):
    """Its caller's process ends in the middle of the call, after ClickPost has heard it."""

    def __init__(self, heard: Scripted) -> None:
        super().__init__()
        self._heard = heard

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]:
        await self._heard.ask_pickup(booking, at)
        raise asyncio.CancelledError

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        await self._heard.tell_ewaybill(booking, invoice)
        raise asyncio.CancelledError


class Slow(Scripted):
    """Answers when it is told to."""

    def __init__(self, heard: Scripted) -> None:
        super().__init__()
        self._heard = heard
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]:
        self.asked.set()
        await self.answer.wait()
        return await self._heard.ask_pickup(booking, at)

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        self.asked.set()
        await self.answer.wait()
        return await self._heard.tell_ewaybill(booking, invoice)


async def die_in_the_call(desk: Desk) -> None:
    deadly = Deadly(desk.bench.aggregator)
    (due,) = await owed(desk)
    with pytest.raises(asyncio.CancelledError):
        await say_afterwards(replace(desk.tools, aggregator=lambda _: deadly), due, desk.bench.now)


async def test_a_bill_whose_teller_died_is_told_again_when_its_claim_is_over(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    await die_in_the_call(desk)
    assert await say_all(desk) == 0
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert await lines(desk, "S1") == [TOLD]


async def test_another_number_that_comes_while_the_first_is_being_told_is_told_after_it(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    slow = Slow(desk.bench.aggregator)
    (due,) = await owed(desk)
    telling = asyncio.create_task(say_afterwards(replace(desk.tools, aggregator=lambda _: slow), due, desk.bench.now))
    await slow.asked.wait()
    await add_bill(desk, "S1", OTHER_BILL)
    assert await owed(desk) == [], "the first may reach the courier after it"
    slow.answer.set()
    await telling
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": OTHER_BILL}
    assert await owed(desk) == []


async def test_no_new_pickup_for_a_label_in_time(desk: Desk) -> None:
    desk.bench.aggregator.plan(P1, accepted(not_yets=5))
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.until(NOON + 29 * MINUTE)
    assert await desk.bench.status("S1") is Status.LABEL_READY
    assert await owed(desk) == []


async def test_a_label_after_its_pickup_has_a_new_one_asked_for_once(desk: Desk) -> None:
    await labelled_late(desk)
    (due,) = await owed(desk)
    await asyncio.gather(*(say_afterwards(desk.tools, due, desk.bench.now) for _ in range(3)))
    await say_afterwards(desk.tools, due, desk.bench.now)
    at = NOON + 70 * MINUTE
    assert (await booked(desk, "S1")).pickups == [at]
    shown = await seen(desk, "S1")
    assert shown.pickup == showing.Pickup(at, "1")
    assert shown.to_look_at == ()
    (line,) = await lines(desk, "S1")
    assert line == f"{TOO_LATE} First Cargo was asked to come on 23 Nov 2026, 18:40. The pickup's number is 1."


async def test_the_new_pickup_is_in_the_hours_of_the_facility(desk: Desk) -> None:
    async with desk.tools.pool.acquire() as connection:
        await providers.put_facility(connection, replace_struct(BLR, opens_at=time(9), closes_at=time(18, 30)))
    await labelled_late(desk)
    await say_all(desk)
    assert (await booked(desk, "S1")).pickups == [datetime(2026, 11, 24, 3, 30, tzinfo=UTC)]


async def test_with_the_setting_off_it_is_only_said(desk: Desk) -> None:
    await labelled_late(desk)
    desk.tools = replace(desk.tools, pickup_again=False)
    await say_all(desk)
    assert "ask_pickup" not in desk.bench.aggregator.calls
    (warning,) = (await seen(desk, "S1")).to_look_at
    assert warning == f"{TOO_LATE} Bilty asks for no new one (BILTY_PICKUP_AGAIN=false). {ARRANGE}"
    assert await owed(desk) == []


async def test_a_pickup_that_is_refused_is_a_warning_until_the_boxes_leave(desk: Desk) -> None:
    await labelled_late(desk)
    desk.bench.aggregator.say("ask_pickup", Refused(Refusal.COURIER, 319, "no van"))
    await say_all(desk)
    (warning,) = (await seen(desk, "S1")).to_look_at
    refused = "A new pickup on 23 Nov 2026, 18:40 was refused: no van (ClickPost code 319)."
    assert warning == f"{TOO_LATE} {refused} {ARRANGE}"
    assert (await seen(desk, "S1")).pickup is None
    await desk.bench.pool.execute("UPDATE shipments SET dispatched = true")
    assert (await seen(desk, "S1")).to_look_at == ()


UNKNOWN = (
    f"{TOO_LATE} First Cargo was asked to come on 23 Nov 2026, 18:40, and whether the pickup was booked is not known: "
    "see ClickPost's dashboard. It is not asked for twice."
)


async def test_a_pickup_of_which_nothing_is_known_is_not_asked_for_twice(desk: Desk) -> None:
    await labelled_late(desk)
    desk.bench.aggregator.say("ask_pickup", Unclear("no answer within 30 s", silent=True))
    await say_all(desk)
    desk.bench.now += timedelta(days=2)
    assert await say_all(desk) == 0
    assert desk.bench.aggregator.calls["ask_pickup"] == 1
    assert (await seen(desk, "S1")).to_look_at == (UNKNOWN,)


async def test_a_pickup_whose_asker_died_in_the_call_is_not_asked_for_twice(desk: Desk) -> None:
    await labelled_late(desk)
    await die_in_the_call(desk)
    assert await say_all(desk) == 0
    assert (await seen(desk, "S1")).to_look_at == ()
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert (await seen(desk, "S1")).to_look_at == (UNKNOWN,)
    assert len((await booked(desk, "S1")).pickups) == 1
    desk.bench.now += timedelta(days=2)
    assert await say_all(desk) == 0


async def test_a_pickup_of_which_clickpost_heard_nothing_is_asked_for_again_for_a_time_to_come(desk: Desk) -> None:
    await labelled_late(desk)
    desk.bench.aggregator.say("ask_pickup", Busy("connection refused"), Busy("too many", retry_after_s=3600))
    await say_all(desk)
    desk.bench.now += MINUTE
    await say_all(desk)
    desk.bench.now += 59 * MINUTE
    assert await say_all(desk) == 0, "ClickPost asked to be left alone for an hour"
    desk.bench.now += MINUTE
    await say_all(desk)
    assert (await booked(desk, "S1")).pickups == [desk.bench.now + 30 * MINUTE]


async def test_an_answer_after_the_claim_is_over_still_counts(desk: Desk) -> None:
    await labelled_late(desk)
    (due,) = await owed(desk)
    slow = Slow(desk.bench.aggregator)
    tools = replace(desk.tools, aggregator=lambda _: slow)
    asking = asyncio.create_task(say_afterwards(tools, due, desk.bench.now))
    await slow.asked.wait()
    await say_afterwards(desk.tools, due, desk.bench.now + LEASE)
    assert (await seen(desk, "S1")).to_look_at == (UNKNOWN,)
    slow.answer.set()
    await asking
    shown = await seen(desk, "S1")
    assert shown.to_look_at == ()
    assert shown.pickup == showing.Pickup(NOON + 70 * MINUTE, "1")


async def test_a_courier_that_lost_the_shipment_is_asked_for_no_pickup(desk: Desk) -> None:
    await labelled_late(desk)
    await desk.bench.pool.execute("UPDATE turns SET state = 'surplus' WHERE state = 'won'")
    await say_all(desk)
    assert "ask_pickup" not in desk.bench.aggregator.calls


class Telling(Scripted):
    """Says when it was told an e-way bill."""

    def __init__(self, heard: Scripted) -> None:
        super().__init__()
        self._heard = heard
        self.told = asyncio.Event()

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        said = await self._heard.tell_ewaybill(booking, invoice)
        self.told.set()
        return said


async def test_the_worker_says_it_and_it_is_nobodys_job(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    telling = Telling(desk.bench.aggregator)
    async with desk.working(replace(desk.tools, aggregator=lambda _: telling)):
        await add_bill(desk, "S1")
        await asyncio.wait_for(telling.told.wait(), 30)
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}
    assert await lines(desk, "S1") == [TOLD]
    assert await desk.bench.pool.fetchval("SELECT count(*) FROM jobs") == 0


async def test_what_the_queue_has_lost_is_put_back_once(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    await desk.bench.pool.execute("DELETE FROM pgqueuer")
    for _ in range(2):
        async with desk.tools.pool.acquire() as connection, connection.transaction():
            await afterwards.put_back(connection)
        queued = await desk.bench.rows("SELECT payload FROM pgqueuer WHERE entrypoint = 'afterwards'")
        assert [int(row["payload"]) for row in queued] == await owed(desk)


async def test_a_row_that_cannot_be_read_is_put_off(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1")
    await desk.bench.pool.execute("UPDATE shipment_versions SET content = '{}'")
    assert await say_all(desk) == 1
    assert await owed(desk) == []
    assert await desk.bench.pool.fetchval("SELECT min(due_at) FROM afterwards") == desk.bench.now + timedelta(hours=1)


# --- what changes while something is being said, or after


class Meanwhile(Scripted):
    """ClickPost does what it is asked; `meanwhile` happens before its answer is here, which may be `lost`."""

    def __init__(self, heard: Scripted, meanwhile: Callable[[], Awaitable[None]], *, lost: bool = False) -> None:
        super().__init__()
        self._heard, self._meanwhile, self._lost = heard, meanwhile, lost

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]:
        said = await self._heard.ask_pickup(booking, at)
        await self._meanwhile()
        return Said(Unclear("no answer", silent=True)) if self._lost else said

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        said = await self._heard.tell_ewaybill(booking, invoice)
        await self._meanwhile()
        return Said(Unclear("no answer", silent=True)) if self._lost else said


async def say_meanwhile(desk: Desk, meanwhile: Callable[[], Awaitable[None]], *, lost: bool = False) -> None:
    (due,) = await owed(desk)
    aggregator = Meanwhile(desk.bench.aggregator, meanwhile, lost=lost)
    await say_afterwards(replace(desk.tools, aggregator=lambda _: aggregator), due, desk.bench.now)


async def amend_boxes(desk: Desk, boxes: int = 2) -> None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        arrival = Arrival(shipment_of("S1", boxes=boxes))
        await amend(connection, desk.bench.ids["S1"], arrival, ASHA, desk.bench.now, schedule=False)


async def cancel(desk: Desk) -> None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        await acting.act(connection, {desk.bench.ids["S1"]: Cancel()}, ASHA, desk.bench.now, Rules())


def void(awb: str, what: str = "is booked") -> str:
    return f"A pickup under AWB {awb} {what} for 23 Nov 2026, 18:40, and that AWB is void: call First Cargo off."


@pytest.mark.parametrize("change", [amend_boxes, cancel])
@pytest.mark.parametrize("early", [True, False], ids=["in the call", "after it"])
async def test_a_van_that_comes_for_a_void_awb_is_to_be_called_off(
    desk: Desk, change: Callable[[Desk], Awaitable[None]], *, early: bool
) -> None:
    await labelled_late(desk)
    awb = (await desk.bench.turn("S1", 1)).awb
    if early:
        await say_meanwhile(desk, lambda: change(desk))
    else:
        await say_all(desk)
        assert (await seen(desk, "S1")).to_look_at == ()
        await change(desk)
    await desk.bench.until(desk.bench.now + 5 * MINUTE)
    shown = await seen(desk, "S1")
    assert (shown.to_look_at, shown.pickup) == ((void(awb),), None)
    assert (await lines(desk, "S1"))[1:] == [void(awb)], "it is said once"
    if change is amend_boxes:
        await amend_boxes(desk, 3)
        assert (await seen(desk, "S1")).to_look_at == (void(awb),), "another change does not take it away"


async def test_a_van_that_may_come_for_a_void_awb_is_told_too(desk: Desk) -> None:
    await labelled_late(desk)
    awb = (await desk.bench.turn("S1", 1)).awb
    await say_meanwhile(desk, lambda: cancel(desk), lost=True)
    assert (await seen(desk, "S1")).to_look_at == (void(awb, "may be booked"),)


@pytest.mark.parametrize("lost", [True, False])
async def test_a_number_that_is_put_back_while_another_is_told_is_told_after_it(desk: Desk, *, lost: bool) -> None:
    await desk.bench.schedule(with_bill("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1", OTHER_BILL)
    await say_meanwhile(desk, lambda: add_bill(desk, "S1", BILL), lost=lost)
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": OTHER_BILL}
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}
    assert await owed(desk) == []


async def test_a_number_that_is_put_back_after_one_without_an_answer_is_told(desk: Desk) -> None:
    await desk.bench.schedule(with_bill("S1"))
    await desk.bench.work()
    await add_bill(desk, "S1", OTHER_BILL)

    async def nothing() -> None:
        pass

    await say_meanwhile(desk, nothing, lost=True)
    await add_bill(desk, "S1", BILL)
    desk.bench.now += LEASE
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}


async def test_a_provider_that_is_switched_off_is_told_all_the_same(desk: Desk) -> None:
    await desk.bench.schedule(shipment("S1"))
    await desk.bench.work()
    await desk.bench.pool.execute("UPDATE shipping_providers SET enabled = false")
    await add_bill(desk, "S1")
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}


async def test_an_invoice_that_is_named_twice_is_told_once(desk: Desk) -> None:
    twice = shipment("S1")
    (invoice,) = twice.invoices
    desk.bench.aggregator.plan(P1, accepted(not_yets=2))
    await desk.bench.schedule(
        replace_struct(twice, invoices=(invoice, replace_struct(invoice, value=invoice.value + 1)))
    )
    await desk.bench.work()
    await add_bill(desk, "S1")
    await desk.bench.until(NOON + 10 * MINUTE)
    assert await desk.bench.status("S1") is Status.LABEL_READY
    assert await say_all(desk) == 1
    assert (await booked(desk, "S1")).ewaybills == {"INV-S1": BILL}


async def test_what_is_said_afterwards_has_its_place_among_all_calls_and_a_429_to_it_is_heeded_by_all(
    desk: Desk,
) -> None:
    await labelled_late(desk)
    bench = desk.bench
    await bench.pool.execute("UPDATE shipping_providers SET quiet_until = $1", bench.now + MINUTE)
    await say_all(desk)
    bench.now += MINUTE - timedelta(seconds=1)
    await say_all(desk)
    assert bench.aggregator.calls["ask_pickup"] == 0
    bench.now += timedelta(seconds=10)
    bench.aggregator.say("ask_pickup", Busy("too many", retry_after_s=3600))
    await say_all(desk)
    assert bench.aggregator.calls["ask_pickup"] == 1
    assert await bench.rows("SELECT FROM side_calls") == [], "it gave its place back"
    (row,) = await bench.rows("SELECT quiet_until FROM shipping_providers")
    assert row["quiet_until"] == bench.now + timedelta(hours=1)
