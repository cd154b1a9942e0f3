"""What is changed is booked when nothing of the old may be: not sooner, not unlooked at, not against a word."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from bilty import telling
from bilty.aggregator.scripted import P1, P2, P3, label, never, unclear
from bilty.deciding import Act, Cancel, Dispatch, EnterAwb, No, Settled, possible
from bilty.intake import IntakeRules
from bilty.reply import NotYet, Unclear
from bilty.shipment import Ewaybill, Invoice, PurchaseOrder, Shipment
from bilty.store import acting, ewaybills
from bilty.store.amending import Amending
from bilty.store.audit import Actor, ActorKind
from bilty.turn import Rules, State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment
from dispatch.test_versions import ASHA, change

RAVI, MEENA = (Actor(ActorKind.USER, f"{name}@example.com") for name in ("ravi", "meena"))
ONE, TWO = shipment("S1", boxes=1), shipment("S1", boxes=2)
BILL = Ewaybill("181000609282")


async def act(bench: Bench, wish: Act, actor: Actor = ASHA) -> No | None:
    async with bench.pool.acquire() as connection, connection.transaction():
        shipment_id = bench.ids["S1"]
        return (await acting.act(connection, {shipment_id: wish}, actor, bench.now, Rules()))[shipment_id]


async def give_bill(bench: Bench, actor: Actor) -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        bills = {bench.ids["S1"]: {"INV-S1": BILL}}
        await ewaybills.add(connection, bills, IntakeRules(), actor, bench.now)


async def lapse(bench: Bench) -> None:
    """All three were asked, and none gave a label in its time."""
    for courier in (P1, P2, P3):
        bench.aggregator.plan(courier, never(), label())
    await bench.schedule(ONE)
    await bench.until(NOON + 60 * MINUTE)


async def settle_each(bench: Bench) -> None:
    for turn in (await bench.progress("S1")).outdated:
        assert await act(bench, Settled(turn.reference)) is None


async def test_what_was_settled_before_the_change_is_asked_about_again(bench: Bench) -> None:
    await lapse(bench)
    assert await act(bench, Settled((await bench.turn("S1", 1)).reference)) is None
    await change(bench, TWO)
    await bench.work()
    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    assert len((await bench.progress("S1")).outdated) == 3
    await settle_each(bench)
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


async def test_of_old_boxes_on_a_truck_a_word_books_nothing_anew(bench: Bench) -> None:
    await bench.schedule(ONE)
    await bench.work()
    old = await bench.turn("S1", 1)
    bench.aggregator.bookings[old.reference].picked_up = True
    await change(bench, TWO)
    await bench.until(NOON + 5 * MINUTE)
    progress = await bench.progress("S1")
    problem = telling.problem(progress, Rules())
    assert problem is not None
    assert "Use it after all" not in problem.remedy
    assert problem.remedy.endswith("Then schedule it as it is now.")
    (offer,) = (each for each in possible(progress) if each.reference == old.reference)
    assert telling.button(progress, offer).risk == (
        f"Do so once First Cargo brings back what it has under AWB {old.awb}. "
        "The shipment as it is now is not booked of itself then: schedule it once its boxes are here."
    )
    assert await act(bench, Settled(old.reference)) is None
    assert await bench.work() == 0
    assert await bench.status("S1") is Status.CREATED


async def test_an_awb_that_was_typed_is_a_persons_to_cancel_when_the_shipment_is_changed(bench: Bench) -> None:
    bench.aggregator.plan(P1, unclear(booked=False))
    bench.aggregator.say("inquire", *[Unclear("?")] * 200)
    await bench.schedule(ONE)
    await bench.until(NOON + 60 * MINUTE)
    turn = await bench.turn("S1", 1)
    assert turn.state is State.UNDECIDED
    bench.aggregator.say("fetch_label", *[NotYet()] * 50)
    assert await act(bench, EnterAwb(turn.reference, "STRANGER01")) is None
    done = await change(bench, TWO, actor=RAVI)
    assert (done.outcome, done.cancelling) == (Amending.VERSION, ())
    await bench.until(NOON + 120 * MINUTE)
    assert bench.aggregator.calls["cancel"] == 0
    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    problem = telling.problem(await bench.progress("S1"), Rules())
    assert problem is not None
    assert "choose Cancel it; if it was mistyped, Wrong AWB" in problem.remedy


async def test_a_run_that_begins_days_later_is_held_where_its_days_no_longer_fit(bench: Bench) -> None:
    await lapse(bench)
    until = replace(TWO, purchase_orders=(PurchaseOrder("PO1", date(2026, 11, 27)),))
    await change(bench, until)
    bench.now += timedelta(days=8)
    asked = bench.aggregator.calls["ask"]
    await settle_each(bench)
    await bench.work()
    progress = await bench.progress("S1")
    assert await bench.status("S1") is Status.ON_HOLD
    assert "PO1" in progress.hold
    assert (progress.run, progress.schedule_asked, bench.aggregator.calls["ask"]) == (1, True, asked)
    await change(bench, replace(TWO, purchase_orders=(PurchaseOrder("PO1", date(2027, 1, 27)),)))
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


@pytest.mark.parametrize(("schedule", "status"), [(True, Status.LABEL_READY), (False, Status.CREATED)])
async def test_whether_it_is_booked_is_heard_with_a_change_of_eway_bills_alone(
    bench: Bench, status: Status, *, schedule: bool
) -> None:
    await bench.schedule(ONE)
    await bench.work()
    await change(bench, TWO, schedule=not schedule)
    done = await change(bench, _with_bill(TWO), schedule=schedule)
    assert done.outcome is Amending.DONE
    await bench.until(NOON + 10 * MINUTE)
    assert await bench.status("S1") is status


async def test_a_change_of_eway_bills_begins_no_second_run(bench: Bench) -> None:
    await bench.schedule(ONE)
    await bench.work()
    await change(bench, _with_bill(ONE))
    progress = await bench.progress("S1")
    assert (progress.run, progress.schedule_asked) == (1, False)


@pytest.mark.parametrize(("first", "did"), [(Dispatch(), "dispatch"), (Cancel(), "cancel")])
async def test_who_dispatched_or_cancelled_it_is_named_not_who_did_something_beside(
    bench: Bench, first: Act, did: str
) -> None:
    await bench.schedule(ONE)
    await bench.work()
    if did == "cancel":
        await give_bill(bench, RAVI)
    assert await act(bench, first) is None
    if did == "dispatch":
        await give_bill(bench, RAVI)
    refused = await act(bench, Cancel(), MEENA)
    assert refused is not None
    assert refused.reason.startswith(ASHA.name)
    assert RAVI.name not in refused.reason
    assert (await change(bench, TWO, actor=MEENA)).reason.startswith(ASHA.name)


async def test_who_saw_to_an_eway_bill_makes_no_act_impossible(bench: Bench) -> None:
    await bench.schedule(ONE)
    await bench.work()
    await give_bill(bench, RAVI)
    await change(bench, replace(_with_bill(ONE), invoices=(_bills(ONE, "181000609283"),)), actor=RAVI)
    refused = await act(bench, Settled((await bench.turn("S1", 1)).reference), MEENA)
    assert refused is not None
    assert RAVI.name not in refused.reason


def _with_bill(of: Shipment) -> Shipment:
    return replace(of, invoices=(_bills(of, BILL.number),))


def _bills(of: Shipment, number: str) -> Invoice:
    return replace(of.invoices[0], ewaybill_number=number)
