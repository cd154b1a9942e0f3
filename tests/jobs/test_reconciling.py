"""Reconciliation: what ClickPost has and Bilty has not, and the reverse, on a real database."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bilty.aggregator import AtRest, Booking, Said, Trouble
from bilty.aggregator.scripted import P1, P2, P3, Call, Scripted, accepted, label, refused, unclear
from bilty.deciding.found import Difference
from bilty.jobs.reconciling import AT_ONCE, TRIES_MAX, Pace, reconcile_if_due, reconcile_page
from bilty.reply import Busy, Label, NotYet, PickedUp, Refusal, Refused, Unclear, Unknown
from bilty.shipping_provider import Terms
from bilty.store import claims, differences, reconciling
from bilty.store.differences import Differs
from bilty.store.reconciling import BACK, PAGE_MAX, Round
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import BLR, MINUTE, Bench, shipment
from jobs.desk import ASHA, WITHIN_S, Desk, never

DAY = timedelta(days=1)


@pytest.fixture
async def books(desk: Desk) -> "Books":
    desk.bench.now = await desk.tools.pool.fetchval("SELECT clock_timestamp()")
    return Books(desk)


class Odd(Scripted):
    """Knows what `known` knows, and of one reference answers what cannot be read."""

    def __init__(self, known: Scripted, reference: str) -> None:
        super().__init__()
        self._known, self._reference = known, reference

    async def inquire(self, booking: Booking) -> Said[Label | NotYet | Unknown | Trouble]:
        if booking.reference == self._reference:
            return Said(Unclear("HTML where JSON should be"))
        return await self._known.inquire(booking)

    async def track(self, booking: Booking) -> Said[PickedUp | AtRest | Unknown | Trouble]:
        return await self._known.track(booking)


class Slow(Odd):
    """Somebody else goes on with the shipment between its answer and whoever asked."""

    def __init__(self, known: Scripted, bench: Bench) -> None:
        super().__init__(known, "")
        self._bench = bench

    async def inquire(self, booking: Booking) -> Said[Label | NotYet | Unknown | Trouble]:
        said = await super().inquire(booking)
        await self._bench.until(self._bench.now + 11 * MINUTE)
        return said


class Books:
    """A desk whose books are held against the scripted ClickPost's."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bench, self.pool = desk, desk.bench, desk.tools.pool
        self.pauses_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)

    async def page(self) -> bool:
        return await reconcile_page(self.desk.tools, Pace(self.sleep))

    async def begin(self) -> None:
        async with self.pool.acquire() as connection:
            await reconciling.begin(connection)

    async def reconcile(self) -> Round:
        """A whole round, without the pauses that it would make."""
        await self.begin()
        while True:
            while await self.page():
                pass
            if (found := await self.latest()).ended_at is not None:
                return found
            await self.time_goes_on()

    async def time_goes_on(self) -> None:
        await self.pool.execute("UPDATE reconciliations SET leased_until = '-infinity'")

    async def latest(self) -> Round:
        async with self.pool.acquire() as connection:
            found = await reconciling.latest(connection)
        assert found is not None
        return found

    async def waiting(self) -> list[Differs]:
        async with self.pool.acquire() as connection:
            found = await differences.waiting(connection, None, 100)
            assert await differences.count(connection, None, 100) == len(found)
        return found

    async def taken_in(self) -> list[Differs]:
        async with self.pool.acquire() as connection:
            return await differences.taken_in(connection, (await self.latest()).id, 100)

    async def labelled(self, *numbers: str) -> None:
        await self.bench.schedule(*(shipment(each, boxes=1) for each in numbers))
        await self.bench.work()
        for each in numbers:
            assert await self.bench.status(each) is Status.LABEL_READY

    async def lapsed(self) -> None:
        """P1 has taken its time, and P2 has the shipment."""
        self.bench.aggregator.plan(P1, accepted(not_yets=9))
        await self.bench.schedule(shipment("S1"))
        await self.bench.until(self.bench.now + 13 * MINUTE)
        assert await self.bench.status("S1") is Status.LABEL_READY
        assert (await self.bench.turn("S1", 1)).state is State.LAPSED

    async def refused_unknown(self) -> str:
        """P1 never answered, and ClickPost said four times that it knows nothing of the reference."""
        self.bench.aggregator.plan(P1, unclear(booked=False))
        await self.bench.schedule(shipment("S1"))
        await self.bench.until(self.bench.now + 13 * MINUTE)
        turn = await self.bench.turn("S1", 1)
        assert (turn.state, turn.code) == (State.REFUSED, 0)
        return turn.reference

    async def book_after_all(self, reference: str) -> str:
        """The courier's books had it all the time. Its AWB."""
        self.bench.aggregator.plan(P1, label())
        when = Terms(pickup_at=self.bench.now, appointment=None)
        said = await self.bench.aggregator.ask(Booking(shipment("S1"), BLR, reference, P1, when))
        assert isinstance(said.reply, Label)
        return said.reply.awb


async def test_books_that_agree_have_nothing_to_show(books: Books) -> None:
    await books.labelled("S1", "S2")
    calls = books.bench.aggregator.calls.copy()
    found = await books.reconcile()
    assert (found.asked, found.unanswered, found.taken_in, found.problem) == (2, 0, 0, "")
    assert await books.waiting() == []
    made = books.bench.aggregator.calls - calls
    assert made == {"inquire": 2, "track": 2}, "and nothing else was said"


async def test_an_awb_of_a_turn_that_lapsed_is_taken_in_and_cancelled_as_one_too_many(books: Books) -> None:
    await books.lapsed()
    late = books.bench.aggregator.bookings[(await books.bench.turn("S1", 1)).reference]
    late.not_yets = 0
    assert (await books.reconcile()).taken_in == 1
    (told,) = await books.taken_in()
    assert (told.number, told.kind, told.awb) == ("S1", Difference.TAKEN_IN, late.label.awb)
    assert (await books.bench.turn("S1", 1)).state is State.SURPLUS
    await books.bench.work()
    assert not late.alive
    assert await books.bench.status("S1") is Status.LABEL_READY
    assert await books.waiting() == [], "what was taken in is nobody's matter"


async def test_a_turn_that_was_watched_long_enough_is_asked_about_all_the_same(books: Books) -> None:
    await books.lapsed()
    await books.pool.execute("UPDATE turns SET due_at = NULL, lapsed_at = clock_timestamp() - $1::interval", 6 * DAY)
    books.bench.aggregator.bookings[(await books.bench.turn("S1", 1)).reference].not_yets = 0
    assert (await books.reconcile()).taken_in == 1


async def test_what_ended_before_is_left_out(books: Books) -> None:
    await books.labelled("S1")
    await books.pool.execute("UPDATE turns SET asked_at = clock_timestamp() - $1::interval", BACK + DAY)
    assert (await books.reconcile()).asked == 0


@pytest.mark.parametrize("dispatched", [False, True])
async def test_a_label_that_is_with_the_courier_is_not_asked_about(books: Books, *, dispatched: bool) -> None:
    await books.labelled("S1")
    await books.pool.execute("UPDATE shipments SET dispatched = $1", dispatched)
    assert (await books.reconcile()).asked == (not dispatched)


async def test_a_reference_that_nobody_knew_and_that_is_booked_after_all_is_cancelled(books: Books) -> None:
    """Refused was only what Bilty made of "unknown", heard again and again."""
    reference = await books.refused_unknown()
    assert await books.bench.status("S1") is Status.LABEL_READY
    awb = await books.book_after_all(reference)
    assert (await books.reconcile()).taken_in == 1
    turn = await books.bench.turn("S1", 1)
    assert (turn.state, turn.awb) == (State.SURPLUS, awb)
    await books.bench.work()
    booked = books.bench.aggregator.find(awb)
    assert booked is not None
    assert not booked.alive
    assert sum(each.alive for each in books.bench.aggregator.bookings.values()) == 1


async def test_where_nobody_else_has_it_the_booking_that_is_found_is_used(books: Books) -> None:
    books.bench.aggregator.plan(P2, refused())
    books.bench.aggregator.plan(P3, refused())
    reference = await books.refused_unknown()
    await books.pool.execute("UPDATE shipments SET failed_told = false")
    awb = await books.book_after_all(reference)
    await books.reconcile()
    await books.bench.work()
    assert await books.bench.status("S1") is Status.LABEL_READY
    assert (await books.bench.turn("S1", 1)).awb == awb


async def test_where_its_failure_was_told_the_booking_that_is_found_is_a_persons_to_decide(books: Books) -> None:
    books.bench.aggregator.plan(P2, refused())
    books.bench.aggregator.plan(P3, refused())
    reference = await books.refused_unknown()
    await books.pool.execute("UPDATE shipments SET failed_told = true")
    await books.book_after_all(reference)
    await books.reconcile()
    assert (await books.bench.turn("S1", 1)).state is State.OFFERED
    assert await books.bench.status("S1") is Status.NEEDS_ATTENTION


async def test_what_a_courier_refused_in_its_own_words_is_over(books: Books) -> None:
    for courier in (P1, P2, P3):
        books.bench.aggregator.plan(courier, refused())
    await books.bench.schedule(shipment("S1"))
    await books.bench.work()
    assert (await books.reconcile()).asked == 0


async def test_a_definite_no_to_a_turn_that_lapsed_ends_it(books: Books) -> None:
    await books.lapsed()
    booked = books.bench.aggregator.bookings[(await books.bench.turn("S1", 1)).reference]
    booked.not_yets, booked.refusal = 0, Refused(Refusal.COURIER, 420, "no vehicle")
    await books.reconcile()
    turn = await books.bench.turn("S1", 1)
    assert (turn.state, turn.code, turn.message) == (State.REFUSED, 420, "no vehicle")


async def test_a_poll_is_not_used_up(books: Books) -> None:
    books.bench.aggregator.plan(P1, accepted(not_yets=9))
    await books.bench.schedule(shipment("S1"))
    await books.bench.work()
    before = await books.bench.turn("S1", 1)
    assert (await books.reconcile()).asked == 1
    assert await books.bench.turn("S1", 1) == before


async def test_a_label_that_was_waited_for_is_taken_in_and_not_told_as_a_difference(books: Books) -> None:
    books.bench.aggregator.plan(P1, accepted(not_yets=9))
    await books.bench.schedule(shipment("S1"))
    await books.bench.work()
    books.bench.aggregator.bookings[(await books.bench.turn("S1", 1)).reference].not_yets = 0
    assert (await books.reconcile()).taken_in == 1
    assert (await books.bench.turn("S1", 1)).state is State.FETCHING
    assert await books.taken_in() == []
    books.bench.now += MINUTE
    await books.bench.work()
    assert await books.bench.status("S1") is Status.LABEL_READY
    assert await books.pool.fetchval("SELECT count(*) FROM boxes WHERE awb <> ''") == 3


@pytest.mark.parametrize(
    ("calls", "said", "kind", "theirs"),
    [
        (["track"], AtRest("cancelled", void=True), Difference.CANCELLED_THERE, ""),
        (["inquire", "track"], Unknown("no such waybill"), Difference.UNKNOWN_THERE, ""),
        (["inquire"], Label("OTHER1"), Difference.ANOTHER_AWB, "OTHER1"),
    ],
)
async def test_what_differs_waits_for_a_person_until_it_is_well(
    books: Books, calls: list[Call], said: object, kind: Difference, theirs: str
) -> None:
    await books.labelled("S1", "S2")
    s1 = await books.bench.turn("S1", 1)
    for each in calls:
        books.bench.aggregator.say(each, said)
    await books.reconcile()
    (found,) = await books.waiting()
    assert (found.number, found.kind, found.awb) == ("S1", kind, s1.awb)
    assert found.their_awb in (theirs, s1.awb)
    assert await books.bench.turn("S1", 1) == s1, "nothing is done to it of itself"
    await books.reconcile()
    assert await books.waiting() == []


async def test_what_a_person_has_seen_to_stays_so_while_it_is_the_same(books: Books) -> None:
    await books.labelled("S1")
    void = AtRest("cancelled", void=True)
    books.bench.aggregator.say("track", void)
    await books.reconcile()
    (found,) = await books.waiting()
    async with books.pool.acquire() as connection, connection.transaction():
        assert await differences.settle(connection, found.shipment_id, ASHA) == "S1"
        assert await differences.settle(connection, found.shipment_id, ASHA) == ""
    assert await books.waiting() == []
    books.bench.aggregator.say("track", void)
    await books.reconcile()
    assert await books.waiting() == []
    books.bench.aggregator.say("inquire", Label("OTHER1"))
    await books.reconcile()
    assert [each.kind for each in await books.waiting()] == [Difference.ANOTHER_AWB], "that is news"
    assert await books.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'difference seen to'") == 1


async def test_a_shipment_that_has_gone_out_is_nobodys_matter_any_more(books: Books) -> None:
    await books.labelled("S1")
    books.bench.aggregator.say("track", AtRest("cancelled", void=True))
    await books.reconcile()
    assert len(await books.waiting()) == 1
    await books.pool.execute("UPDATE shipments SET dispatched = true")
    assert await books.waiting() == []


async def test_each_reference_is_asked_about_once_over_many_pages(books: Books) -> None:
    await books.labelled(*(f"S{n}" for n in range(2 * PAGE_MAX + 3)))
    before = books.bench.aggregator.calls["inquire"]
    assert (await books.reconcile()).asked == 2 * PAGE_MAX + 3
    assert books.bench.aggregator.calls["inquire"] - before == 2 * PAGE_MAX + 3


async def test_one_that_dies_over_a_page_leaves_it_to_the_next(books: Books) -> None:
    await books.labelled(*(f"S{n}" for n in range(PAGE_MAX + 3)))
    await books.begin()
    assert await books.page()
    async with books.pool.acquire() as connection:
        died = await reconciling.take(connection)
    assert died is not None
    assert died.after_turn > 0
    assert not await books.page(), "for as long as the lease lasts it may be at work"
    await books.time_goes_on()
    asked = books.bench.aggregator.calls["inquire"]
    assert (await books.reconcile()).asked == PAGE_MAX + 3
    assert books.bench.aggregator.calls["inquire"] - asked == 3, "from where the first page ended"
    async with books.pool.acquire() as connection, connection.transaction():
        assert not await reconciling.is_still_ours(connection, died)


async def test_two_at_once_share_a_round(books: Books) -> None:
    await books.labelled("S1")
    await books.begin()
    async with books.pool.acquire() as connection:
        assert await reconciling.take(connection)
        assert await reconciling.take(connection) is None
        assert not await reconciling.begin(connection), "there is one under way"


async def test_silence_is_waited_out_and_ends_the_round_in_the_end(books: Books) -> None:
    await books.labelled("S1", "S2")
    books.bench.aggregator.say("inquire", *[Unclear("no answer", silent=True)] * 6)
    found = await books.reconcile()
    assert (found.asked, found.after_turn) == (0, 0)
    assert found.problem.startswith("ClickPost did not answer: no answer.")
    assert (await books.reconcile()).asked == 2


async def test_one_that_is_not_answered_does_not_hold_up_the_others_for_ever(books: Books) -> None:
    await books.labelled("S1", "S2", "S3")
    odd = Odd(books.bench.aggregator, (await books.bench.turn("S2", 1)).reference)
    books.desk.tools = replace(books.desk.tools, aggregator=lambda _connector: odd)
    found = await books.reconcile()
    assert (found.asked, found.unanswered, found.problem) == (2, 1, "")


async def test_the_pause_that_clickpost_asks_for_is_made(books: Books) -> None:
    await books.labelled("S1")
    await books.begin()
    books.bench.aggregator.say("inquire", Busy("too many requests", retry_after_s=900))
    assert await books.page()
    wait = await books.pool.fetchval("SELECT leased_until - clock_timestamp() FROM reconciliations")
    assert timedelta(seconds=890) < wait <= timedelta(seconds=900)
    assert not await books.page()


async def test_who_asks_to_be_left_alone_is_left_alone_at_once(books: Books) -> None:
    """By the rest of the page, too, which is no try in vain and no silence: nobody was asked."""
    names = [f"S{n}" for n in range(20)]
    await books.labelled(*names)
    await books.begin()
    books.bench.aggregator.say("inquire", *[Busy("too many requests", retry_after_s=900)] * len(names))
    assert await books.page()
    assert books.bench.aggregator.calls["inquire"] <= AT_ONCE
    assert await books.pool.fetchval("SELECT silent_since FROM shipping_providers") is None
    for _ in range(TRIES_MAX + 1):
        await books.time_goes_on()
        assert await books.page(), "nobody gave up meanwhile"
    assert books.bench.aggregator.calls["inquire"] <= AT_ONCE
    books.bench.aggregator.forget_said()
    await books.pool.execute("UPDATE shipping_providers SET quiet_until = NULL")
    found = await books.reconcile()
    assert (found.asked, found.unanswered, found.problem) == (len(names), 0, "")


async def test_it_is_never_in_a_hurry(books: Books) -> None:
    await books.labelled("S1", "S2", "S3")
    await books.reconcile()
    assert sum(each > 0 for each in books.pauses_s) == 5, "six calls, one after the other"


async def test_a_turn_whose_call_is_out_is_left_to_the_dispatcher(books: Books) -> None:
    books.bench.aggregator.plan(P1, accepted(not_yets=9))
    await books.bench.schedule(shipment("S1"))
    await books.bench.work()
    due_at = (await books.bench.turn("S1", 1)).due_at
    tools = books.bench.tools
    (claim,) = await claims.claim(tools.pool, tools.keyring, calls_max=9, calls_out={}, now=due_at)
    assert (await books.reconcile()).asked == 0
    assert claim.turn.state is State.WAITING


async def test_where_the_dispatcher_was_faster_its_answer_stands_and_the_awb_is_heard_once(books: Books) -> None:
    await books.lapsed()
    late = books.bench.aggregator.bookings[(await books.bench.turn("S1", 1)).reference]
    late.not_yets = 0
    slow = Slow(books.bench.aggregator, books.bench)
    books.desk.tools = replace(books.desk.tools, aggregator=lambda _connector: slow)
    assert (await books.reconcile()).taken_in == 0
    assert (await books.bench.turn("S1", 1)).state is State.CANCELLED
    assert not late.alive
    assert await books.taken_in() == []
    assert await books.bench.status("S1") is Status.LABEL_READY


async def test_what_a_dead_worker_had_asked_about_is_heard_though_no_worker_is_left(books: Books) -> None:
    books.bench.aggregator.plan(P1, accepted(not_yets=9))
    await books.bench.schedule(shipment("S1"))
    await books.bench.work()
    turn, tools = await books.bench.turn("S1", 1), books.bench.tools
    assert await claims.claim(tools.pool, tools.keyring, calls_max=9, calls_out={}, now=turn.due_at)
    await books.pool.execute("UPDATE turns SET claimed_at = clock_timestamp() - $1::interval", claims.OUT_AT_MOST)
    booked = books.bench.aggregator.bookings[turn.reference]
    booked.not_yets = 0
    assert (await books.reconcile()).taken_in == 1
    assert (await books.bench.turn("S1", 1)).awb == booked.label.awb


async def test_a_provider_that_is_paused_is_not_asked(books: Books) -> None:
    await books.labelled("S1")
    await books.pool.execute("UPDATE shipping_providers SET paused_at = clock_timestamp()")
    assert (await books.reconcile()).asked == 0


async def test_a_row_that_cannot_be_read_does_not_stop_the_others(books: Books) -> None:
    await books.labelled("S1", "S2")
    await books.pool.execute("UPDATE turns SET facility = '[]' WHERE shipment_id = $1", books.bench.ids["S1"])
    assert (await books.reconcile()).asked == 1


async def test_a_round_begins_by_the_calendar(books: Books) -> None:
    tools = books.desk.tools
    await books.labelled("S1")
    async with books.pool.acquire() as connection:
        assert not await reconciling.begin_if_due(connection, DAY), "there is nothing so old yet"
        await books.pool.execute("UPDATE shipments SET created_at = created_at - $1::interval", DAY)
        assert await reconciling.begin_if_due(connection, DAY)
        assert not await reconciling.begin_if_due(connection, DAY), "one is under way"
    await reconcile_if_due(tools, never)
    assert (await books.latest()).ended_at is not None, "whoever began it, every worker goes on with it"
    async with books.pool.acquire() as connection:
        assert not await reconciling.begin_if_due(connection, DAY)
        await books.pool.execute("UPDATE reconciliations SET begun_at = begun_at - $1::interval", DAY)
        assert await reconciling.begin_if_due(connection, DAY)


async def test_every_worker_goes_on_with_a_round_by_itself(books: Books) -> None:
    await books.labelled("S1")
    await books.begin()
    async with books.desk.working(), asyncio.timeout(WITHIN_S):
        found = await books.latest()
        while found.ended_at is None:
            found = await books.latest()
    assert found.asked == 1
