"""A shipment is cancelled wherever it stands, and brought back once it is dispatched: the real dispatcher does it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bilty import telling
from bilty.aggregator import Booking, Said, Trouble
from bilty.aggregator.scripted import FOR_EVER, Scripted, accepted
from bilty.deciding import Act, Cancel, Dispatch, No, OrderReturn, Settled
from bilty.deciding.refusals import ASK_FOR_RETURN
from bilty.reply import Accepted, Label, NotYet, Refusal, Refused, Unclear
from bilty.store import acting
from bilty.store.audit import Actor, ActorKind
from bilty.turn import State
from bilty.words import INDIA
from bilty.workflow import Status
from dispatch.bench import MINUTE, Bench, shipment

ASHA = Actor(ActorKind.USER, "asha@example.com")
TOO_LATE = Refused(Refusal.COURIER, 350, "the truck has left")


async def acts(bench: Bench, act: Act) -> No | None:
    async with bench.pool.acquire() as connection, connection.transaction():
        answers = await acting.act(connection, {bench.ids["SO-1"]: act}, ASHA, bench.now, bench.tools.rules)
    return answers[bench.ids["SO-1"]]


async def cancels(bench: Bench) -> Status:
    """What is shown the moment it was done."""
    assert await acts(bench, Cancel()) is None
    return await bench.status("SO-1")


async def scheduled(bench: Bench) -> None:
    await bench.schedule(shipment("SO-1"))


async def labelled(bench: Bench) -> str:
    """Its AWB."""
    await scheduled(bench)
    await bench.work()
    return (await bench.turn("SO-1", 1)).awb


async def gone(bench: Bench) -> OrderReturn:
    """Picked up and marked dispatched; what an admin may then order."""
    awb = await labelled(bench)
    booked = bench.aggregator.find(awb)
    assert booked is not None
    booked.picked_up = True
    assert await acts(bench, Dispatch()) is None
    return OrderReturn((await bench.turn("SO-1", 1)).reference)


async def waits(bench: Bench) -> None:
    for courier in bench.aggregator.couriers:
        bench.aggregator.plan(courier, accepted(FOR_EVER))
    await scheduled(bench)
    await bench.work()


async def test_before_anybody_is_asked_it_is_cancelled_at_once(bench: Bench) -> None:
    await scheduled(bench)
    assert await cancels(bench) is Status.CANCELLED
    assert await bench.work() == 0
    assert bench.aggregator.bookings == {}


class Meddled(Scripted):
    """Somebody does something while the asking is out."""

    meanwhile: Callable[[], Awaitable[None]]

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        answer = await super().ask(booking)
        await self.meanwhile()
        return answer


async def test_while_the_call_is_out_what_it_brings_is_cancelled(bench: Bench) -> None:
    aggregator, shown = Meddled(), []

    async def meanwhile() -> None:
        shown.append(await cancels(bench))

    aggregator.meanwhile = meanwhile
    bench.aggregate_with(aggregator)
    await scheduled(bench)
    await bench.work()
    assert shown == [Status.CANCELLING]
    assert await bench.status("SO-1") is Status.CANCELLED
    assert [booked.cancelled for booked in aggregator.bookings.values()] == [True], "one, and nobody else was asked"


async def test_while_its_label_is_waited_for_an_awb_that_comes_is_cancelled(bench: Bench) -> None:
    await waits(bench)
    assert await cancels(bench) is Status.CANCELLING
    for booked in bench.aggregator.bookings.values():
        booked.not_yets = 0
    await bench.until(bench.now + 3 * MINUTE)
    assert await bench.status("SO-1") is Status.CANCELLED
    assert [booked.cancelled for booked in bench.aggregator.bookings.values()] == [True]


async def test_with_its_label_it_is_cancelled_once_the_courier_says_so_and_202_is_asked_again(
    bench: Bench,
) -> None:
    awb = await labelled(bench)
    bench.aggregator.say("cancel", NotYet("the courier will confirm"), Unclear("<html>"), NotYet("soon"))
    assert await cancels(bench) is Status.CANCELLING
    await bench.work()
    assert await bench.status("SO-1") is Status.CANCELLING, "202 is no yes"
    await bench.until(bench.now + 10 * MINUTE)
    assert await bench.status("SO-1") is Status.CANCELLED
    assert bench.aggregator.calls["cancel"] == 4
    booked = bench.aggregator.find(awb)
    assert booked is not None
    assert booked.cancelled


async def test_that_the_courier_will_not_is_shown_and_tried_again(bench: Bench) -> None:
    await labelled(bench)
    bench.aggregator.say("cancel", TOO_LATE)
    await cancels(bench)
    await bench.work()
    assert await bench.status("SO-1") is Status.CANCELLING
    problem = telling.problem(await bench.progress("SO-1"), bench.tools.rules)
    assert problem is not None
    assert problem.code == "cancel_refused"
    assert "the truck has left (ClickPost code 350)" in problem.message
    await bench.until(bench.now + bench.tools.rules.watch_interval)
    assert await bench.status("SO-1") is Status.CANCELLED


async def test_what_the_courier_has_fetched_meanwhile_is_left_as_it_is_and_shown(bench: Bench) -> None:
    booked = bench.aggregator.find(await labelled(bench))
    assert booked is not None
    booked.picked_up = True
    await cancels(bench)
    await bench.work()
    assert await bench.status("SO-1") is Status.NEEDS_ATTENTION
    assert (booked.cancelled, booked.returned, bench.aggregator.calls["cancel"]) == (False, False, 0)


# --- after dispatch


async def test_once_dispatched_it_is_not_cancelled_and_says_what_is_left(bench: Bench) -> None:
    await gone(bench)
    refused = await acts(bench, Cancel())
    at = telling.clock(bench.now, bench.now, INDIA)
    assert refused == No(f"asha@example.com marked it dispatched at {at}. {ASK_FOR_RETURN}")
    assert await bench.status("SO-1") is Status.DISPATCHED
    assert await bench.work() == 0


async def test_a_return_is_ordered_once_and_202_is_asked_about_again(bench: Bench) -> None:
    order = await gone(bench)
    bench.aggregator.say("cancel", NotYet("the courier will confirm"))
    assert await acts(bench, order) is None
    assert "is asked to bring AWB" in str(await acts(bench, order))
    await bench.until(bench.now + 5 * MINUTE)
    turn = await bench.turn("SO-1", 1)
    booked = bench.aggregator.find(turn.awb)
    assert booked is not None
    assert (turn.state, booked.returned, booked.cancelled) == (State.RETURNED, True, False)
    assert bench.aggregator.calls["cancel"] == 2
    assert await bench.status("SO-1") is Status.DISPATCHED


async def test_a_return_that_is_refused_waits_for_a_person_and_is_not_ordered_again_of_itself(bench: Bench) -> None:
    order = await gone(bench)
    bench.aggregator.say("cancel", TOO_LATE)
    await acts(bench, order)
    await bench.until(bench.now + timedelta(days=1))
    assert bench.aggregator.calls["cancel"] == 1
    problem = telling.problem(await bench.progress("SO-1"), bench.tools.rules)
    assert problem is not None
    assert (problem.code, "the truck has left" in problem.message) == ("return_refused", True)
    assert await acts(bench, order) is None
    await bench.work()
    assert (await bench.turn("SO-1", 1)).state is State.RETURNED
    assert telling.problem(await bench.progress("SO-1"), bench.tools.rules) is None


async def test_a_refused_return_that_somebody_has_seen_to_is_off_the_list(bench: Bench) -> None:
    order = await gone(bench)
    bench.aggregator.say("cancel", TOO_LATE)
    await acts(bench, order)
    await bench.work()
    assert await acts(bench, Settled(order.reference)) is None
    assert telling.problem(await bench.progress("SO-1"), bench.tools.rules) is None
