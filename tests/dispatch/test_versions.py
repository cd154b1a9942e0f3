"""A shipment that is changed after somebody was asked to carry it: no label of what it was goes on what it is."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bilty.aggregator.scripted import P1, P2, P3, accepted, label, never, refused, unclear
from bilty.deciding import Act, Cancel, Dispatch, OrderReturn, Settled
from bilty.reply import Busy, Ranking
from bilty.shipment import EWAYBILL_THRESHOLD, Box, Shipment
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import acting, jobs, prints, providers, shipments, showing
from bilty.store.amending import Amended, Amending, amend, makes_version
from bilty.store.audit import Actor, ActorKind
from bilty.store.claims import claim
from bilty.store.jobs import JobKind
from bilty.store.shipments import Arrival
from bilty.turn import Rules, State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment

ASHA = Actor(ActorKind.USER, "asha@example.com")
SEVEN, EIGHT = shipment("S1", boxes=7), shipment("S1", boxes=8)


async def change(
    bench: Bench, after: Shipment, *, schedule: bool = True, hold: str = "", actor: Actor = ASHA
) -> Amended:
    async with bench.pool.acquire() as connection, connection.transaction():
        arrival = Arrival(after, hold=hold)
        return await amend(connection, bench.ids[after.number], arrival, actor, bench.now, schedule=schedule)


async def lines(bench: Bench, *states: str) -> list[str]:
    rows = await bench.rows("SELECT message FROM timeline WHERE state = ANY($1) ORDER BY id", list(states))
    return [row["message"] for row in rows]


async def print_label(bench: Bench, number: str) -> None:
    """As a print job does it."""
    async with bench.pool.acquire() as connection, connection.transaction():
        shipment_id = bench.ids[number]
        job_id = await jobs.begin(connection, JobKind.PRINT, {}, ASHA, shipment_ids=[shipment_id], facilities=None)
        assert job_id is not None
        job = await jobs.job_of(connection, job_id)
        assert job is not None
        found = await prints.find(connection, job_id, [shipment_id])
        await prints.number(connection, job, list(found.values()))
        await prints.record(connection, job, bench.now)


async def test_seven_boxes_are_repacked_into_eight_after_the_label_is_printed(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await print_label(bench, "S1")
    old = await bench.turn("S1", 1)
    bench.aggregator.say("cancel", Busy("silent"))

    done = await change(bench, EIGHT)

    assert (done.outcome, done.cancelling) == (Amending.VERSION, (old.awb,))
    assert [(each.awb, each.boxes * each.copies, each.by) for each in done.void] == [(old.awb, 7, ASHA.name)]
    assert await bench.status("S1") is Status.SCHEDULING
    (told,) = await lines(bench, "changed")
    assert told == (
        f"Changed: the boxes (7 → 8). It is version 2 now. AWB {old.awb} is being cancelled; "
        "7 printed labels must be destroyed."
    )
    await bench.work()
    assert not bench.aggregator.bookings[old.reference].cancelled
    assert bench.aggregator.calls["ask"] == 1, "nobody is asked before the cancellation is confirmed"

    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert bench.aggregator.bookings[old.reference].cancelled
    new = await bench.turn("S1", 1)
    assert (new.version, new.run, new.reference != old.reference) == (2, 2, True)
    booked = bench.aggregator.bookings[new.reference]
    async with bench.pool.acquire() as connection:
        boxes = await showing.boxes_of(connection, bench.ids["S1"])
        assert {bench.ids["S1"]: done.void} == await prints.void_of(connection, [bench.ids["S1"]])
    assert {box.reference: box.awb for box in boxes} == {child.reference: child.awb for child in booked.label.children}
    assert len(boxes) == 8
    kept = await bench.rows("SELECT version, count(*) FROM boxes GROUP BY version ORDER BY version")
    assert [tuple(row) for row in kept] == [(1, 7), (2, 8)], "what was asked for stays on record"
    row = (await bench.rows("SELECT version, box_count, weight_g, printed_at FROM shipments"))[0]
    assert tuple(row) == (2, 8, EIGHT.weight_g, None)


async def test_what_is_printed_anew_needs_no_word_on_the_old(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await print_label(bench, "S1")
    await change(bench, EIGHT)
    await bench.until(NOON + MINUTE)
    shipment_id = bench.ids["S1"]
    async with bench.pool.acquire() as connection:
        assert await prints.printed_now(connection, [shipment_id]) == {}
    await print_label(bench, "S1")
    async with bench.pool.acquire() as connection:
        assert await prints.void_of(connection, [shipment_id]) == {}
        assert [copy.void for copy in await prints.copies_of(connection, shipment_id)] == [False, True]
        (now,) = (await prints.printed_now(connection, [shipment_id]))[shipment_id]
    assert (now.boxes, now.copies, now.awb) == (8, 1, (await bench.turn("S1", 1)).awb)


async def test_paper_of_what_was_brought_back_is_void_and_on_the_way_it_is_not(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await print_label(bench, "S1")
    shipment_id, turn = bench.ids["S1"], await bench.turn("S1", 1)
    for wish in (Dispatch(), OrderReturn(turn.reference)):
        async with bench.pool.acquire() as connection, connection.transaction():
            assert await acting.act(connection, {shipment_id: wish}, ASHA, bench.now, Rules()) == {shipment_id: None}
    async with bench.pool.acquire() as connection:
        assert await prints.void_of(connection, [shipment_id]) == {}
    await bench.work()
    assert (await bench.turn("S1", 1)).state is State.RETURNED
    async with bench.pool.acquire() as connection:
        (void,) = (await prints.void_of(connection, [shipment_id]))[shipment_id]
        assert (void.awb, [copy.void for copy in await prints.copies_of(connection, shipment_id)]) == (turn.awb, [True])
        assert await prints.printed_now(connection, [shipment_id]) == {}


async def test_what_is_waited_for_is_cancelled_as_soon_as_it_comes(bench: Bench) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=2), label())
    await bench.schedule(SEVEN)
    await bench.until(NOON + MINUTE)
    old = await bench.turn("S1", 1)
    assert (await change(bench, EIGHT)).outcome is Amending.VERSION
    (told,) = await lines(bench, "changed")
    assert told == (
        "Changed: the boxes (7 → 8). It is version 2 now. "
        "What First Cargo may still book is cancelled as soon as it is known."
    )
    assert await bench.status("S1") is Status.SCHEDULING
    await bench.until(NOON + 3 * MINUTE)
    assert (await bench.progress("S1")).run == 1, "it may still be booked as it was"
    await bench.until(NOON + 30 * MINUTE)
    assert bench.aggregator.bookings[old.reference].cancelled
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).version == 2
    assert sum(booked.alive for booked in bench.aggregator.bookings.values()) == 1


async def test_what_may_have_been_booked_is_found_out_first(bench: Bench) -> None:
    bench.aggregator.plan(P1, unclear(booked=True), label())
    await bench.schedule(SEVEN)
    await bench.work()
    assert (await change(bench, EIGHT)).outcome is Amending.VERSION
    await bench.until(NOON + 30 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert [booked.alive for booked in bench.aggregator.bookings.values()] == [False, True]


async def test_what_was_never_booked_is_not_asked_for_again(bench: Bench) -> None:
    bench.aggregator.plan(P1, unclear(booked=False), label())
    await bench.schedule(SEVEN)
    await bench.work()
    await change(bench, EIGHT)
    await bench.until(NOON + 30 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert bench.aggregator.calls["ask"] == 2, "once as it was, once as it is"
    (only,) = bench.aggregator.bookings.values()
    assert len(only.label.children) == 8


async def test_a_courier_that_ran_out_of_time_blocks_the_new_version_until_a_person_has_asked_it(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(SEVEN)
    await bench.until(NOON + 13 * MINUTE)
    assert (await bench.turn("S1", 2)).state is State.WON
    await change(bench, EIGHT)
    await bench.until(NOON + 15 * MINUTE)
    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    (lapsed,) = (await bench.progress("S1")).outdated
    async with bench.pool.acquire() as connection, connection.transaction():
        wish = {bench.ids["S1"]: Settled(lapsed.reference)}
        assert await acting.act(connection, wish, ASHA, bench.now, Rules()) == {bench.ids["S1"]: None}
    bench.aggregator.plan(P1, label())
    await bench.until(NOON + 16 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).version == 2


@pytest.mark.parametrize("served", [True, False])
async def test_what_failed_is_mended_and_booked_at_once(bench: Bench, served: bool) -> None:
    if served:
        for courier in (P1, P2, P3):
            bench.aggregator.plan(courier, refused(message="pin not in lane"), label())
    else:
        bench.aggregator.say("rank", Ranking(()))
    await bench.schedule(SEVEN)
    await bench.work()
    assert await bench.status("S1") is (Status.FAILED if served else Status.NOT_SERVICEABLE)
    mended = replace(SEVEN, consignee=replace(SEVEN.consignee, pincode="560001"))
    done = await change(bench, mended)
    assert (done.outcome, done.cancelling, done.void) == (Amending.VERSION, (), ())
    assert await lines(bench, "changed") == ["Changed: the consignee's PIN code. It is version 2 now."]
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.progress("S1")).run == 2


async def test_without_schedule_the_new_version_waits_for_a_person(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await change(bench, EIGHT, schedule=False)
    await bench.until(NOON + 30 * MINUTE)
    assert await bench.status("S1") is Status.CREATED
    assert bench.aggregator.calls["ask"] == 1
    assert all(booked.cancelled for booked in bench.aggregator.bookings.values())
    async with bench.pool.acquire() as connection, connection.transaction():
        await shipments.schedule_all(connection, [bench.ids["S1"]], bench.now)
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


async def test_while_a_call_is_out_nothing_is_changed_and_when_to_try_again_is_said(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    bench.ids["S2"] = 0
    await bench.schedule(shipment("S2"))
    assert await claim(bench.pool, bench.tools.keyring, calls_max=5, calls_out={}, now=bench.now)
    two = shipment("S2", boxes=4)
    waits = []
    for seconds in (0, 10, 90, 104):
        bench.now = NOON + timedelta(seconds=seconds)
        done = await change(bench, two)
        assert done.outcome is Amending.CALL_OUT
        assert "being asked" in done.reason
        waits.append(done.retry_after_s)
    assert waits == [2, 10, 15, 1]
    assert (await bench.progress("S2")).version == 1
    bench.now = NOON + timedelta(seconds=106)
    assert (await change(bench, two)).outcome is Amending.VERSION


async def test_what_is_cancelled_or_with_the_courier_stays_as_it_is(bench: Bench) -> None:
    await bench.schedule(SEVEN, shipment("S2"))
    await bench.work()
    async with bench.pool.acquire() as connection, connection.transaction():
        wishes: dict[int, Act] = {bench.ids["S1"]: Dispatch(), bench.ids["S2"]: Cancel()}
        assert set((await acting.act(connection, wishes, ASHA, bench.now, Rules())).values()) == {None}
    for after, outcome in (
        (EIGHT, Amending.DISPATCHED),
        (replace(SEVEN, order_number="X"), Amending.DISPATCHED),
        (shipment("S2", boxes=9), Amending.CANCELLED),
    ):
        refused_change = await change(bench, after)
        assert (refused_change.outcome, refused_change.reason != "") == (outcome, True)
    assert (await change(bench, SEVEN)).outcome is Amending.SAME


async def test_the_order_number_is_told_to_couriers_and_so_makes_a_version(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    before = await bench.turn("S1", 1)
    done = await change(bench, replace(SEVEN, order_number="PO-NEW"))
    assert (done.outcome, done.cancelling) == (Amending.VERSION, (before.awb,))
    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).awb != before.awb
    assert await lines(bench, "changed") == [
        f"Changed: the order number. It is version 2 now. AWB {before.awb} is being cancelled."
    ]


async def test_a_word_that_no_eway_bill_is_needed_is_good_for_the_same_invoices(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    why = "Invoice INV-S1 has no e-way bill."
    assert (await change(bench, EIGHT, hold=why)).outcome is Amending.VERSION
    assert (await bench.progress("S1")).hold == ""
    dearer = replace(EIGHT.invoices[0], value=EWAYBILL_THRESHOLD + Decimal(1))
    await change(bench, replace(EIGHT, invoices=(dearer,)), hold=why)
    assert (await bench.progress("S1")).hold == why
    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.ON_HOLD


async def test_another_provider_books_the_new_version_and_the_old_one_cancels_its_own(bench: Bench) -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        second = ShippingProvider("second", Kind.CLICKPOST_B2B, "Second account")
        await providers.put_provider(connection, second)
        await providers.put_connector(connection, bench.vault, "second", Connector("desk", "key-2"))
    await bench.schedule(SEVEN)
    await bench.work()
    await change(bench, replace(SEVEN, shipping_provider="second"))
    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    rows = await bench.rows(
        """SELECT t.version, p.code, t.state FROM turns t JOIN shipping_providers p ON p.id = t.provider_id
            WHERE t.priority = 1 ORDER BY t.id"""
    )
    assert [tuple(row) for row in rows] == [(1, "clickpost-b2b", "cancelled"), (2, "second", "won")]
    assert (await change(bench, replace(SEVEN, shipping_provider="nowhere"))).outcome is Amending.NO_PROVIDER


async def test_it_may_be_changed_again_before_the_old_is_over(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await change(bench, EIGHT)
    nine = shipment("S1", boxes=9)
    assert (await change(bench, nine)).outcome is Amending.VERSION
    assert (await change(bench, SEVEN)).outcome is Amending.VERSION, "as it was, and not: its label is given up"
    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).version == 4
    alive = [booked for booked in bench.aggregator.bookings.values() if booked.alive]
    assert [len(booked.label.children) for booked in alive] == [7]


async def test_of_two_changes_at_once_the_second_sees_the_first(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    done = await asyncio.gather(*(change(bench, shipment("S1", boxes=n)) for n in (8, 9)))
    assert [each.outcome for each in done] == [Amending.VERSION] * 2
    versions = await bench.rows("SELECT version, count(*) FROM boxes GROUP BY version ORDER BY version")
    assert [row["version"] for row in versions] == [1, 2, 3]
    assert sorted(row["count"] for row in versions) == [7, 8, 9]
    await bench.until(NOON + MINUTE)
    (alive,) = [booked for booked in bench.aggregator.bookings.values() if booked.alive]
    async with bench.pool.acquire() as connection:
        assert len(alive.label.children) == len(await showing.boxes_of(connection, bench.ids["S1"]))


async def test_a_cancellation_and_a_change_at_once_leave_nothing_alive(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()

    async def cancelled() -> None:
        async with bench.pool.acquire() as connection, connection.transaction():
            await acting.act(connection, {bench.ids["S1"]: Cancel()}, ASHA, bench.now, Rules())

    _, done = await asyncio.gather(cancelled(), change(bench, EIGHT))
    assert done.outcome in (Amending.VERSION, Amending.CANCELLED)
    await bench.until(NOON + 30 * MINUTE)
    assert await bench.status("S1") is Status.CANCELLED
    assert [booked.alive for booked in bench.aggregator.bookings.values()] == [False]


async def test_the_audit_trail_has_what_was_and_what_is(bench: Bench) -> None:
    await bench.schedule(SEVEN)
    await bench.work()
    await change(bench, EIGHT)
    row = (await bench.rows("SELECT actor, subject, before, after FROM audit WHERE action = 'amend'"))[0]
    assert (row["actor"], row["subject"]) == (ASHA.name, "S1")
    assert '"boxes": "7, ' in row["before"]
    assert '"version": 1' in row["before"]
    assert '"boxes": "8, ' in row["after"]
    assert '"version": 2' in row["after"]


def test_only_what_a_courier_is_told_makes_a_version() -> None:
    invoice = replace(SEVEN.invoices[0], ewaybill_number="123456789012")
    assert not makes_version(SEVEN, replace(SEVEN, invoices=(invoice,)))
    assert makes_version(SEVEN, replace(SEVEN, order_number="X"))
    assert makes_version(SEVEN, EIGHT)
    assert makes_version(SEVEN, replace(SEVEN, boxes=(*SEVEN.boxes[:-1], Box(1, 2, 3, 4))))
    assert makes_version(SEVEN, replace(SEVEN, invoices=(replace(invoice, value=Decimal(1)),)))
    assert makes_version(SEVEN, replace(SEVEN, shipping_provider="second"))
