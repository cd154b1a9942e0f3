"""Two who move one turn at the same moment, on two connections and in either order: one wins, and nothing is lost.

A claim passes over a turn that somebody holds, everybody else waits for it and then sees what became of it. `CALL_OUT`
is a worker that asked and was paused past its lease, so that what it heard is an answer under an old claim as soon as
somebody has taken the turn over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bilty.aggregator import Booking
from bilty.aggregator.scripted import P1, P2, accepted, never, unclear
from bilty.deciding import Act, Cancel, FallOver, No, PollNow
from bilty.dispatcher import work_off
from bilty.intake import IntakeRules
from bilty.reply import Accepted, Label, Refusal, Refused, Reply, Unclear
from bilty.shipment import Ewaybill
from bilty.store import acting, claims, ewaybills, settlements, showing
from bilty.store.amending import Amending, amend
from bilty.store.audit import COMMAND
from bilty.store.claims import LEASE, Claim
from bilty.store.settlements import Outcome
from bilty.store.shipments import Arrival
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment
from racing import in_order

IN_THE_MIDDLE = "LOCK TABLE turns IN SHARE MODE"
"""Whoever moves turns has locked them by then, and is about to write."""
DECIDED = "LOCK TABLE shipments IN SHARE MODE"
"""Whoever decides about a shipment has locked it and its turns by then."""
BEFORE = "SELECT FROM turns WHERE due_at IS NOT NULL FOR UPDATE"
"""Whoever moves one without locking it first waits for it here."""
REST = timedelta(hours=3)


async def take(bench: Bench) -> list[Claim]:
    return await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)


async def answer(bench: Bench, claim: Claim, reply: Reply) -> None:
    await settlements.settle(bench.pool, [Outcome(claim, reply, ())], bench.tools.rules, now=bench.now)


async def act(bench: Bench, wish: Act) -> No | None:
    async with bench.pool.acquire() as connection, connection.transaction():
        shipment_id = bench.ids["S1"]
        answers = await acting.act(connection, {shipment_id: wish}, COMMAND, bench.now, bench.tools.rules)
        return answers[shipment_id]


async def change(bench: Bench) -> Amending:
    """It is repacked, and to be booked as it is then."""
    async with bench.pool.acquire() as connection, connection.transaction():
        arrival = Arrival(shipment("S1", boxes=4))
        changed = await amend(connection, bench.ids["S1"], arrival, COMMAND, bench.now, schedule=True)
        return changed.outcome


def booking_of(claim: Claim) -> Booking:
    return Booking(claim.shipment, claim.facility, claim.turn.reference, claim.turn.courier, claim.terms)


async def ranked(bench: Bench) -> None:
    """S1 is about to be asked for."""
    await bench.schedule(shipment("S1"))
    assert await work_off(bench.tools, bench.now) == 1


async def due_for_a_poll(bench: Bench) -> str:
    """S1 was accepted two minutes ago. Its turn's reference."""
    bench.aggregator.plan(P1, accepted(not_yets=1))
    await bench.schedule(shipment("S1"))
    await bench.work()
    bench.now += 2 * MINUTE
    reference = (await bench.turn("S1", 1)).reference
    bench.aggregator.bookings[reference].not_yets = 0
    return reference


@dataclass(frozen=True, slots=True)
class Paused:
    """A worker that asked and sleeps; ClickPost said `reply`, and its lease has run out."""

    bench: Bench
    claim: Claim
    reply: Reply

    async def wakes(self) -> None:
        await answer(self.bench, self.claim, self.reply)

    async def puts_off(self) -> None:
        await claims.put_off(self.bench.pool, self.claim)


async def paused(bench: Bench) -> Paused:
    await ranked(bench)
    (claim,) = await take(bench)
    said = await bench.aggregator.ask(booking_of(claim))
    bench.now += LEASE
    return Paused(bench, claim, said.reply)


async def hear(bench: Bench, taken: list[Claim]) -> None:
    """The calls of these claims are made and settled."""
    for claim in taken:
        booking = booking_of(claim)
        said = await (bench.aggregator.ask(booking) if claim.turn.asks == 0 else bench.aggregator.inquire(booking))
        await answer(bench, claim, said.reply)


async def at_rest(bench: Bench, status: Status, *, live: int = 1) -> None:
    """All that is still to come has come. `live`: how many AWBs the couriers still hold good."""
    await bench.until(bench.now + REST)
    assert await bench.status("S1") is status
    progress = await bench.progress("S1")
    alive = [reference for reference, booked in bench.aggregator.bookings.items() if booked.alive]
    assert len(alive) == live
    assert alive == ([progress.holder.reference] if progress.holder else [])
    assert await bench.rows("SELECT FROM turns WHERE claimed_at IS NOT NULL") == [], "a call is out for ever"


# --- a call that is out, its lease over


async def test_an_answer_that_comes_while_the_turn_is_taken_over_is_left_out(bench: Bench) -> None:
    worker = await paused(bench)
    taken, _ = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), worker.wakes())

    assert [each.fence for each in taken] == [worker.claim.fence + 1]
    assert (await bench.turn("S1", 1)).state is State.UNCLEAR
    await hear(bench, taken)
    await at_rest(bench, Status.LABEL_READY)
    assert bench.aggregator.calls["ask"] == 1, "inquired about, not asked again"


async def test_a_turn_is_not_taken_over_while_its_answer_is_settled(bench: Bench) -> None:
    worker = await paused(bench)
    _, taken = await in_order(bench.pool, IN_THE_MIDDLE, worker.wakes(), take(bench))

    assert taken == []
    assert (await bench.turn("S1", 1)).state is State.FETCHING
    await at_rest(bench, Status.LABEL_READY)
    assert bench.aggregator.calls["inquire"] == 0


async def test_of_two_who_take_a_turn_over_one_has_it(bench: Bench) -> None:
    await paused(bench)
    first, second = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), take(bench))
    assert (len(first), len(second)) == (1, 0)
    await hear(bench, first)
    await at_rest(bench, Status.LABEL_READY)


@pytest.mark.parametrize("reply", [Accepted(), Unclear("<html>")], ids=["accepted", "unclear"])
async def test_one_answer_that_is_settled_twice_counts_once(bench: Bench, reply: Reply) -> None:
    """A commit whose answer was lost with the connection is said again, and may be in already."""
    worker = await paused(bench)
    await in_order(bench.pool, IN_THE_MIDDLE, answer(bench, worker.claim, reply), answer(bench, worker.claim, reply))
    twice = await bench.turn("S1", 1)

    await bench.schedule(shipment("S2"))
    assert await work_off(bench.tools, bench.now) == 1
    (claim,) = await take(bench)
    await answer(bench, claim, reply)
    once = await bench.turn("S2", 1)
    counters = ("state", "polls_done", "tries", "unknowns", "asks")
    assert [getattr(twice, name) for name in counters] == [getattr(once, name) for name in counters]


async def test_an_answer_that_was_settled_is_not_settled_again_in_the_call_after_it(bench: Bench) -> None:
    """By then the turn may wait for another answer, which that of before must not be taken for."""
    worker = await paused(bench)
    await answer(bench, worker.claim, Accepted())
    bench.now += 2 * MINUTE
    (poll,) = await take(bench)
    _, _ = await in_order(
        bench.pool, IN_THE_MIDDLE, answer(bench, poll, Accepted()), answer(bench, worker.claim, Accepted())
    )
    assert (await bench.turn("S1", 1)).polls_done == 1


async def test_what_was_taken_over_is_not_put_off(bench: Bench) -> None:
    worker = await paused(bench)
    taken, _ = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), worker.puts_off())
    assert [row["due_at"] for row in await bench.rows("SELECT due_at FROM turns WHERE due_at IS NOT NULL")] == [
        bench.now + LEASE
    ]
    await hear(bench, taken)
    await at_rest(bench, Status.LABEL_READY)


async def test_what_is_put_off_is_not_taken_over(bench: Bench) -> None:
    worker = await paused(bench)
    _, taken = await in_order(bench.pool, BEFORE, worker.puts_off(), take(bench))
    assert taken == []
    due_at = (await bench.turn("S1", 1)).due_at
    assert due_at is not None
    bench.now = due_at  # an hour later by the true clock, which is not the test's
    await at_rest(bench, Status.LABEL_READY)


async def test_what_was_settled_is_not_put_off(bench: Bench) -> None:
    worker = await paused(bench)
    await in_order(bench.pool, IN_THE_MIDDLE, worker.wakes(), worker.puts_off())
    assert (await bench.turn("S1", 1)).due_at == bench.now, "its label is fetched at once"
    await at_rest(bench, Status.LABEL_READY)


async def test_what_was_taken_over_is_cancelled_all_the_same(bench: Bench) -> None:
    await paused(bench)
    taken, no = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), act(bench, Cancel()))
    assert (len(taken), no) == (1, None)
    await hear(bench, taken)
    await at_rest(bench, Status.CANCELLED, live=0)


async def test_what_is_being_cancelled_is_taken_over_after_it(bench: Bench) -> None:
    await paused(bench)
    no, taken = await in_order(bench.pool, DECIDED, act(bench, Cancel()), take(bench))
    assert (no, taken) == (None, [])
    await at_rest(bench, Status.CANCELLED, live=0)


async def test_an_awb_that_comes_while_the_shipment_is_cancelled_is_cancelled(bench: Bench) -> None:
    worker = await paused(bench)
    no, _ = await in_order(bench.pool, DECIDED, act(bench, Cancel()), worker.wakes())
    assert no is None
    assert (await bench.turn("S1", 1)).state is State.SURPLUS
    await at_rest(bench, Status.CANCELLED, live=0)


async def test_an_awb_that_came_just_before_the_shipment_was_cancelled_is_cancelled(bench: Bench) -> None:
    worker = await paused(bench)
    _, no = await in_order(bench.pool, IN_THE_MIDDLE, worker.wakes(), act(bench, Cancel()))
    assert no is None
    await at_rest(bench, Status.CANCELLED, live=0)


async def test_boxes_take_nothing_from_an_answer_under_an_old_claim(bench: Bench) -> None:
    """It says an AWB; whoever took the turn over was told another, which is the shipment's."""
    worker = await paused(bench)
    (current,) = await take(bench)
    assert isinstance(worker.reply, Label)
    stale = replace(
        worker.reply,
        awb="OLD",
        children=tuple(replace(child, awb=f"OLD-{n}") for n, child in enumerate(worker.reply.children)),
    )
    await answer(bench, current, worker.reply)
    await answer(bench, worker.claim, stale)

    async with bench.pool.acquire() as connection:
        boxes = await showing.boxes_of(connection, bench.ids["S1"])
    assert {box.awb for box in boxes} == {child.awb for child in worker.reply.children}
    (row,) = await bench.rows("SELECT children FROM turns WHERE priority = 1")
    assert "OLD" not in row["children"]
    assert await bench.rows("SELECT FROM shipment_codes WHERE code ~ '^old'") == []


# --- a turn that is due, and nobody's yet


Wish = Callable[[Bench, str], Awaitable[object]]
WISHES: dict[str, Wish] = {
    "poll now": lambda bench, reference: act(bench, PollNow(reference)),
    "fall over": lambda bench, reference: act(bench, FallOver(reference)),
    "cancel": lambda bench, _: act(bench, Cancel()),
    "change": lambda bench, _: change(bench),
}
ENDS = {"cancel": (Status.CANCELLED, 0)}


@pytest.mark.parametrize("wish", WISHES)
async def test_a_poll_goes_out_and_a_person_decides_something_else(bench: Bench, wish: str) -> None:
    reference = await due_for_a_poll(bench)
    taken, told = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), WISHES[wish](bench, reference))
    assert len(taken) == 1
    assert told is None or told is Amending.CALL_OUT or isinstance(told, No)
    await hear(bench, taken)
    status, live = ENDS.get(wish, (Status.LABEL_READY, 1))
    await at_rest(bench, status, live=live)


@pytest.mark.parametrize("wish", ["fall over", "cancel", "change"])
async def test_a_person_decides_something_else_just_before_the_poll(bench: Bench, wish: str) -> None:
    reference = await due_for_a_poll(bench)
    told, taken = await in_order(bench.pool, DECIDED, WISHES[wish](bench, reference), take(bench))
    assert told in (None, Amending.VERSION)
    assert taken == [], "what is being decided about is passed over"
    status, live = ENDS.get(wish, (Status.LABEL_READY, 1))
    await at_rest(bench, status, live=live)


async def test_a_courier_is_asked_while_the_shipment_is_cancelled(bench: Bench) -> None:
    await ranked(bench)
    taken, no = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), act(bench, Cancel()))
    assert (len(taken), no) == (1, None)
    await hear(bench, taken)
    await at_rest(bench, Status.CANCELLED, live=0)
    assert len(bench.aggregator.bookings) == 1, "it was booked, and cancelled"


async def test_what_is_cancelled_just_before_it_is_asked_for_never_is(bench: Bench) -> None:
    await ranked(bench)
    no, taken = await in_order(bench.pool, DECIDED, act(bench, Cancel()), take(bench))
    assert (no, taken) == (None, [])
    await at_rest(bench, Status.CANCELLED, live=0)
    assert bench.aggregator.calls["ask"] == 0


async def test_a_courier_is_asked_while_the_boxes_are_changed(bench: Bench) -> None:
    await ranked(bench)
    taken, told = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), change(bench))
    assert (len(taken), told) == (1, Amending.CALL_OUT)
    assert len(taken[0].shipment.boxes) == 3
    await hear(bench, taken)
    await at_rest(bench, Status.LABEL_READY)


async def test_what_is_changed_just_before_it_is_asked_for_is_asked_for_as_it_is_then(bench: Bench) -> None:
    await ranked(bench)
    told, taken = await in_order(bench.pool, IN_THE_MIDDLE, change(bench), take(bench))
    assert (told, taken) == (Amending.VERSION, [])
    await at_rest(bench, Status.LABEL_READY)
    (booked,) = bench.aggregator.bookings.values()
    assert len(booked.label.children) == 4


# --- what a courier is told of e-way bills, and whose an AWB is


BILL = "181000609282"


async def add_bill(bench: Bench) -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        wanted = {bench.ids["S1"]: {"INV-S1": Ewaybill(BILL)}}
        answers = await ewaybills.add(connection, wanted, IntakeRules(), COMMAND, bench.now)
        assert answers[bench.ids["S1"]].refused == {}


async def test_a_bill_that_comes_while_its_courier_is_asked_is_told_after_the_awb(bench: Bench) -> None:
    await ranked(bench)
    taken, _ = await in_order(bench.pool, IN_THE_MIDDLE, take(bench), add_bill(bench))
    assert [each.shipment.invoices[0].ewaybill_number for each in taken] == [""]
    await hear(bench, taken)
    assert [row["ewaybill"] for row in await bench.rows("SELECT ewaybill FROM afterwards")] == [BILL]


async def test_a_bill_that_comes_just_before_its_courier_is_asked_goes_with_the_asking(bench: Bench) -> None:
    await ranked(bench)
    content = "LOCK TABLE shipment_versions IN SHARE MODE"
    _, taken = await in_order(bench.pool, content, add_bill(bench), take(bench))
    assert taken == []
    (claim,) = await take(bench)
    assert claim.shipment.invoices[0].ewaybill_number == BILL
    await hear(bench, [claim])
    assert await bench.rows("SELECT FROM afterwards") == []


async def test_of_two_shipments_that_hear_one_awb_one_has_it_and_a_person_is_told_of_the_other(bench: Bench) -> None:
    await bench.schedule(shipment("S1"), shipment("S2"))
    assert await work_off(bench.tools, bench.now) == 2
    one, other = sorted(await take(bench), key=lambda claim: claim.shipment.number)
    same = Label("4000000001")
    await in_order(bench.pool, IN_THE_MIDDLE, answer(bench, one, same), answer(bench, other, same))
    assert (await bench.turn("S1", 1)).state is State.FETCHING
    assert (await bench.turn("S2", 1)).state is State.CONFLICT


async def test_the_next_courier_is_asked_once_though_two_hear_the_same_no(bench: Bench) -> None:
    """The worker that was paused heard it, and so did whoever took the turn over."""
    worker = await paused(bench)
    no = Refused(Refusal.COURIER, 319, "pin not in lane")
    (current,) = await take(bench)
    await in_order(bench.pool, IN_THE_MIDDLE, answer(bench, current, no), answer(bench, worker.claim, no))
    turns = [turn for turn in (await bench.progress("S1")).turns if turn.priority]
    assert [(turn.courier, turn.state) for turn in turns] == [(P1, State.REFUSED), (P2, State.ASKING)]


async def test_a_late_label_and_the_next_couriers_come_at_the_same_moment(bench: Bench) -> None:
    """The first AWB takes the shipment; the other is too many, and cancelled. In either order."""
    for number, late_first in (("S1", True), ("S2", False)):
        bench.now = max(bench.now, NOON)
        bench.aggregator.plan(P1, never())
        bench.aggregator.plan(P2, unclear(booked=True))
        await bench.schedule(shipment(number))
        await bench.until(bench.now + 12 * MINUTE)
        first, second = await bench.turn(number, 1), await bench.turn(number, 2)
        assert (first.state, second.state) == (State.LAPSED, State.UNCLEAR)
        bench.now = max(first.due_at or bench.now, second.due_at or bench.now)
        taken = {claim.turn.priority: claim for claim in await take(bench) if claim.shipment.number == number}
        late, next_one = (
            answer(bench, taken[priority], bench.aggregator.bookings[taken[priority].turn.reference].label)
            for priority in (1, 2)
        )
        await in_order(bench.pool, IN_THE_MIDDLE, *((late, next_one) if late_first else (next_one, late)))
        states = [(await bench.turn(number, priority)).state for priority in (1, 2)]
        assert states == ([State.FETCHING, State.SURPLUS] if late_first else [State.SURPLUS, State.FETCHING])
