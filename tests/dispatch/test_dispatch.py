"""The dispatcher does what the workflow decided: on a real database, at given times, with a scripted aggregator."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as replace_struct

from bilty.aggregator import Booking, Listed, Pdf, Said, Trouble
from bilty.aggregator.scripted import P1, P2, P3, Scripted, accepted, busy, label, never, refused, unclear
from bilty.concerns import Concern, concerns
from bilty.dispatcher import work_off
from bilty.reply import Accepted, Denied, Exchange, Label, Ranking, Refusal, Refused, Unclear
from bilty.shipment import Facility
from bilty.shipping_provider import Connector
from bilty.store import claims, providers, settlements, shipments, showing
from bilty.store.claims import LEASE
from bilty.store.labels import LabelStore, Shelf
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from bilty.store.settlements import Outcome
from bilty.turn import State
from bilty.workflow import Status
from dispatch.bench import BLR, MINUTE, NOON, Bench, shipment


async def test_a_label_that_comes_at_once_ends_it(bench: Bench) -> None:
    await bench.schedule(shipment("S1", boxes=3))
    await bench.work()

    assert await bench.status("S1") is Status.LABEL_READY
    won = await bench.turn("S1", 1)
    assert (await bench.tools.labels.get(won.label_sha256)).startswith(b"%PDF")
    assert won.label_pages == 1
    async with bench.pool.acquire() as connection:
        boxes = await showing.boxes_of(connection, bench.ids["S1"])
    children = {child.reference: child.awb for child in bench.aggregator.bookings[won.reference].label.children}
    assert {box.reference.removesuffix(".001"): box.awb for box in boxes} == {
        reference.removesuffix(".001"): awb for reference, awb in children.items()
    }


async def test_it_is_polled_at_exactly_two_minutes_six_times_and_then_the_next_courier_is_asked(bench: Bench) -> None:
    for courier in (P1, P2, P3):
        bench.aggregator.plan(courier, never())
    await bench.schedule(shipment("S1"))
    moments = await bench.until(NOON + 40 * MINUTE)

    every_poll = [NOON + 2 * n * MINUTE for n in range(19)]
    assert [moment for moment in moments if moment in every_poll] == every_poll
    turns = [await bench.turn("S1", priority) for priority in (1, 2, 3)]
    assert [turn.asked_at for turn in turns] == [NOON, NOON + 12 * MINUTE, NOON + 24 * MINUTE]
    assert len({turn.reference for turn in turns}) == 3
    assert [turn.state for turn in turns] == [State.LAPSED] * 3
    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    assert {concern for concern, _ in concerns(await bench.progress("S1"))} == {Concern.NO_LABEL}
    polls = await bench.rows("SELECT at FROM timeline WHERE polls_done > 0 AND turn_id IS NOT NULL ORDER BY id")
    assert [row["at"] for row in polls][:5] == [NOON + 2 * n * MINUTE for n in range(1, 6)]


async def test_three_refusals_fail_with_each_couriers_own_last_words(bench: Bench) -> None:
    for courier, words in ((P1, "pin not in lane"), (P2, "no truck"), (P3, "too heavy")):
        bench.aggregator.plan(courier, refused(message=words))
    await bench.schedule(shipment("S1"))
    await bench.work()

    assert await bench.status("S1") is Status.FAILED
    assert [(await bench.turn("S1", n)).message for n in (1, 2, 3)] == ["pin not in lane", "no truck", "too heavy"]


async def test_an_hour_of_silence_lapses_nobody_and_is_one_banner(bench: Bench) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=3))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 3 * MINUTE)
    bench.aggregator.say("inquire", *[Unclear("no answer within 30 s", silent=True)] * 60)
    await bench.until(NOON + 58 * MINUTE)

    assert await bench.status("S1") is Status.LABEL_REQUESTED
    assert (await bench.turn("S1", 1)).polls_done == 1
    assert bench.aggregator.calls["ask"] == 1
    async with bench.pool.acquire() as connection:
        (standing,) = await providers.standings(connection)
    assert standing.silent_since is not None
    assert NOON + 3 * MINUTE < standing.silent_since < NOON + 5 * MINUTE

    await bench.until(NOON + 90 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).state is State.WON
    async with bench.pool.acquire() as connection:
        assert (await providers.standings(connection))[0].silent_since is None


async def test_an_unclear_asking_is_inquired_about_and_never_asked_of_the_next(bench: Bench) -> None:
    bench.aggregator.plan(P1, unclear(booked=True))
    await bench.schedule(shipment("S1"))
    await bench.work()
    assert await bench.status("S1") is Status.SCHEDULING

    await bench.until(NOON + MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert bench.aggregator.calls["ask"] == 1
    assert len(bench.aggregator.bookings) == 1


async def test_a_reference_that_is_unknown_twice_is_asked_once_more_under_the_same(bench: Bench) -> None:
    bench.aggregator.plan(P1, unclear(booked=False), label())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 2 * MINUTE)

    assert await bench.status("S1") is Status.LABEL_READY
    assert list(bench.aggregator.bookings) == [(await bench.turn("S1", 1)).reference]
    assert (await bench.turn("S1", 1)).asks == 2


async def test_pickup_and_appointment_are_promised_anew_to_the_next_courier_and_the_same_in_a_repetition(
    bench: Bench,
) -> None:
    bench.aggregator.plan(P1, unclear(booked=False), never())
    bench.aggregator.plan(P2, label())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 20 * MINUTE)

    rows = await bench.rows("SELECT priority, asked_at, pickup_at FROM turns WHERE priority > 0 ORDER BY priority")
    assert rows[0]["pickup_at"] == NOON + 30 * MINUTE
    assert rows[0]["asked_at"] > NOON, "it was asked twice"
    assert rows[1]["pickup_at"] == rows[1]["asked_at"] + 30 * MINUTE


@pytest.mark.parametrize(("busy_minutes", "pickup_minutes"), [(5, 30), (29, 30), (30, 60), (45, 75)])
async def test_what_was_turned_away_is_promised_the_same_until_that_is_past(
    bench: Bench, busy_minutes: int, pickup_minutes: int
) -> None:
    bench.aggregator.plan(P1, busy(retry_after_s=60 * busy_minutes), label())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 50 * MINUTE)

    (row,) = await bench.rows("SELECT asked_at, pickup_at FROM turns WHERE priority = 1")
    assert row["asked_at"] == NOON + busy_minutes * MINUTE
    assert row["pickup_at"] == NOON + pickup_minutes * MINUTE


async def test_a_late_label_of_a_courier_that_lapsed_is_cancelled_once_another_has_the_shipment(bench: Bench) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=6))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 30 * MINUTE)

    first, second = await bench.turn("S1", 1), await bench.turn("S1", 2)
    assert (first.state, second.state) == (State.CANCELLED, State.WON)
    assert [booked.courier for booked in bench.aggregator.bookings.values() if booked.alive] == [P2]
    assert bench.aggregator.calls["track"] == 1


async def test_a_late_label_wins_while_nobody_has_the_shipment(bench: Bench) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=6))
    bench.aggregator.plan(P2, never())
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 30 * MINUTE)

    assert await bench.status("S1") is Status.LABEL_READY
    assert (await bench.turn("S1", 1)).state is State.WON
    assert (await bench.turn("S1", 2)).state is State.LAPSED


async def test_an_awb_of_another_shipment_is_a_conflict_for_a_person(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    await bench.work()
    taken = (await bench.turn("S1", 1)).awb
    known = bench.aggregator.bookings[(await bench.turn("S1", 1)).reference].label
    bench.aggregator.say("ask", known)
    await bench.schedule(shipment("S2"))
    await bench.work()

    assert await bench.status("S1") is Status.LABEL_READY
    assert await bench.status("S2") is Status.NEEDS_ATTENTION
    assert (await bench.turn("S2", 1)).state is State.CONFLICT
    assert (await bench.turn("S2", 1)).awb == taken
    assert not any(booked.cancelled for booked in bench.aggregator.bookings.values())


async def test_refused_credentials_pause_the_provider_and_update_connector_goes_on(bench: Bench) -> None:
    no = Refused(Refusal.ACCOUNT, code=301, message="authentication failed")
    bench.aggregator.say("ask", no)
    bench.aggregator.say("accounts", no)
    await bench.schedule(shipment("S1"), shipment("S2"))
    await bench.until(NOON + 10 * MINUTE)

    async with bench.pool.acquire() as connection:
        (standing,) = await providers.standings(connection)
    assert standing.paused_at == NOON
    assert standing.paused_why == "authentication failed"
    asked = bench.aggregator.calls["ask"]
    assert await bench.until(NOON + 60 * MINUTE) == [], "nothing is said while it is paused"

    async with bench.pool.acquire() as connection:
        await providers.put_connector(connection, bench.vault, "clickpost-b2b", Connector("desk", "key-2"))
    await bench.until(NOON + 61 * MINUTE)
    assert [await bench.status(number) for number in ("S1", "S2")] == [Status.LABEL_READY] * 2
    assert bench.aggregator.calls["ask"] == asked + 1


async def test_one_shipments_account_trouble_is_its_own_when_fetch_accounts_works(bench: Bench) -> None:
    bench.aggregator.say("ask", Refused(Refusal.ACCOUNT, code=320, message="service not subscribed"))
    bench.aggregator.say("accounts", Listed(couriers=(P1,)))
    await bench.schedule(shipment("S1"))
    await bench.work()
    await bench.schedule(shipment("S2"))
    await bench.work()

    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    assert (await bench.turn("S1", 1)).state is State.STOPPED
    assert await bench.status("S2") is Status.LABEL_READY


async def test_an_undocumented_status_call_stops_falling_over_until_it_answers(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(shipment("S1"))
    bench.aggregator.say("inquire", *[Unclear("the status call answered HTTP 404", undocumented=True)] * 5)
    await bench.until(NOON + 2 * MINUTE + timedelta(seconds=1))
    async with bench.pool.acquire() as connection:
        assert (await providers.standings(connection))[0].alarmed_at == NOON + 2 * MINUTE

    bench.aggregator.plan(P1, refused())
    await bench.schedule(shipment("S2"))
    await bench.work()
    assert (await bench.turn("S2", 2)).state is State.ASKING, "the next courier waits until the status call is well"

    await bench.until(NOON + 20 * MINUTE)
    async with bench.pool.acquire() as connection:
        assert (await providers.standings(connection))[0].alarmed_at is None
    assert await bench.status("S2") is Status.LABEL_READY


async def test_a_courier_account_that_refuses_us_is_told_once_a_facility(bench: Bench) -> None:
    bench.aggregator.plan(P1, refused(Refusal.COURIER_ACCOUNT, 316, "no credentials for courier"))
    await bench.schedule(*(shipment(f"S{n}") for n in range(5)))
    await bench.work()

    (notice,) = await bench.rows("SELECT account_code, code, message FROM notices")
    assert tuple(notice) == (P1.account_code, 316, "no credentials for courier")
    assert await bench.status("S4") is Status.LABEL_READY


async def test_a_lane_that_nobody_serves(bench: Bench) -> None:
    bench.aggregator.say("rank", Ranking((), "Pin code not serviceable"))
    await bench.schedule(shipment("S1"))
    await bench.work()

    assert await bench.status("S1") is Status.NOT_SERVICEABLE


async def test_shipments_are_listed_in_the_order_in_which_they_came(bench: Bench) -> None:
    numbers = ["S3", "S1", "S2"]
    await bench.schedule(*map(shipment, numbers))
    assert [row["number"] for row in await bench.rows("SELECT number FROM shipments ORDER BY id")] == numbers


async def test_scheduling_twice_is_one_booking(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    await bench.schedule(shipment("S1"))
    await bench.work()
    await bench.schedule(shipment("S1"))
    await bench.work()

    assert bench.aggregator.calls["ask"] == 1
    assert (await bench.progress("S1")).run == 1


async def test_a_failed_shipment_may_be_scheduled_again_under_new_references(bench: Bench) -> None:
    for courier in (P1, P2, P3):
        bench.aggregator.plan(courier, refused(), label())
    await bench.schedule(shipment("S1"))
    await bench.work()
    before = {turn.reference for turn in (await bench.progress("S1")).turns}
    await bench.schedule(shipment("S1"))
    await bench.work()

    assert await bench.status("S1") is Status.LABEL_READY
    assert not before & {turn.reference for turn in (await bench.progress("S1")).run_turns}


async def test_what_a_dead_process_had_asked_is_inquired_about_when_its_lease_ends(bench: Bench) -> None:
    """kill -9 between the call and the settlement: the courier booked, and nobody wrote down what it said."""
    await bench.schedule(shipment("S1"))
    await bench.tools.pool.execute("UPDATE turns SET due_at = $1", NOON)
    await _rank_only(bench)
    (claim,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    await bench.tools.aggregator(claim).ask(_booking_of(claim))

    assert await bench.work() == 0, "its lease has not ended"
    bench.now += LEASE
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY
    assert bench.aggregator.calls["ask"] == 1
    assert len(bench.aggregator.bookings) == 1


async def test_an_answer_under_an_old_claim_is_not_recorded(bench: Bench) -> None:
    """A worker that slept past its lease: whoever took over is right, whatever the sleeper has to say."""
    await bench.schedule(shipment("S1"))
    await _rank_only(bench)
    (slept,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    bench.now += LEASE
    (current,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    assert current.fence == slept.fence + 1

    refusal = Refused(Refusal.COURIER, message="from a dream")
    await settlements.settle(bench.pool, [Outcome(slept, refusal, ())], bench.tools.rules, now=bench.now)
    assert (await bench.turn("S1", 1)).state is State.UNCLEAR
    await settlements.settle(bench.pool, [Outcome(current, refusal, ())], bench.tools.rules, now=bench.now)
    assert (await bench.turn("S1", 1)).state is State.REFUSED


async def test_putting_off_under_an_old_claim_moves_nothing(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    (slept,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    bench.now += LEASE
    await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    (before,) = await bench.rows("SELECT due_at, claimed_at FROM turns")
    await claims.put_off(bench.pool, slept)
    assert await bench.rows("SELECT due_at, claimed_at FROM turns") == [before]


async def test_a_denial_of_old_credentials_does_not_pause_the_new_ones(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    (claim,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    async with bench.pool.acquire() as connection:
        await providers.put_connector(connection, bench.vault, "clickpost-b2b", Connector("desk", "key-2"))
    denied = Outcome(claim, Denied("authentication failed"), ())
    await settlements.settle(bench.pool, [denied], bench.tools.rules, now=bench.now)

    async with bench.pool.acquire() as connection:
        assert (await providers.standings(connection))[0].paused_at is None


async def test_a_process_without_the_secret_leaves_the_provider_to_those_that_have_it(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    right, wrong = bench.tools, replace(bench.tools, keyring=Keyring(Vault("made on a second machine")))
    bench.tools = wrong
    assert await bench.work() == 0
    assert await claims.next_due(bench.pool, wrong.keyring) is None, (
        "it does not run in a circle over what it cannot do"
    )
    bench.tools = right
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


async def test_a_provider_that_is_switched_off_begins_nothing_and_ends_what_it_began(bench: Bench) -> None:
    bench.aggregator.plan(P1, accepted(not_yets=1))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + MINUTE)
    await bench.pool.execute("UPDATE shipping_providers SET enabled = false")
    await bench.schedule(shipment("S2"))
    await bench.until(NOON + 10 * MINUTE)
    assert [await bench.status(number) for number in ("S1", "S2")] == [Status.LABEL_READY, Status.SCHEDULING]

    await bench.pool.execute("UPDATE shipping_providers SET enabled = true")
    await bench.work()
    assert await bench.status("S2") is Status.LABEL_REQUESTED


async def test_a_row_that_cannot_be_read_stops_nobody_else(bench: Bench) -> None:
    await bench.schedule(shipment("S1"), shipment("S2"))
    broken = """UPDATE shipment_versions SET content = '{"number": 7}' WHERE shipment_id = $1"""
    await bench.pool.execute(broken, bench.ids["S1"])
    await bench.work()
    assert await bench.status("S2") is Status.LABEL_READY
    assert await claims.next_due(bench.pool, bench.tools.keyring) is not None, "it is tried again, much later"


async def test_what_a_newer_program_wrote_beside_it_is_passed_over(bench: Bench) -> None:
    await bench.schedule(shipment("S1"))
    await bench.pool.execute("""UPDATE shipment_versions SET content = content || '{"fragile": true}'""")
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


async def test_an_answer_with_nul_in_it_is_recorded(bench: Bench) -> None:
    """PostgreSQL has no NUL in text; a proxy that breaks may well send one."""
    await bench.schedule(shipment("S1"))
    (claim,) = await claims.claim(bench.pool, bench.tools.keyring, calls_max=9, calls_out={}, now=bench.now)
    exchange = Exchange(NOON, "POST /", 502, "<h1>\0</h1>", 3)
    outcome = Outcome(claim, Ranking((P1,)), (exchange,))
    await settlements.settle(bench.pool, [outcome], bench.tools.rules, now=bench.now)
    assert [row["answer"] for row in await bench.rows("SELECT answer FROM exchanges")] == ["<h1>\ufffd</h1>"]


async def test_a_label_store_that_cannot_be_written_is_shown_when_the_window_is_over(bench: Bench) -> None:
    class Full(LabelStore):
        async def put(self, content: bytes, shelf: Shelf = Shelf.LABELS) -> str:
            raise OSError(28, f"no space left for {len(content)} bytes on {shelf}")

    whole = bench.tools
    bench.tools = replace(whole, labels=Full.at("memory://"))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 30 * MINUTE)
    assert await bench.status("S1") is Status.NEEDS_ATTENTION
    assert (await bench.turn("S1", 1)).state is State.UNLABELLED

    bench.tools = whole
    await bench.until(NOON + 50 * MINUTE)
    assert await bench.status("S1") is Status.LABEL_READY
    assert bench.aggregator.calls["ask"] == 1


async def test_our_own_account_refused_in_a_cancel_is_not_the_couriers_fault(bench: Bench) -> None:
    no = Refused(Refusal.ACCOUNT, code=301, message="authentication failed")
    bench.aggregator.plan(P1, accepted(not_yets=6))
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + 13 * MINUTE)
    bench.aggregator.say("cancel", no)
    bench.aggregator.say("accounts", no)
    await bench.until(NOON + 30 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.SURPLUS
    async with bench.pool.acquire() as connection:
        assert (await providers.standings(connection))[0].paused_why == "authentication failed"
        await providers.put_connector(connection, bench.vault, "clickpost-b2b", Connector("desk", "key-2"))
    await bench.until(NOON + 31 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.CANCELLED


async def test_a_repetition_is_sent_from_where_the_first_asking_was(bench: Bench) -> None:
    asked: list[Facility] = []

    class Noting(Scripted):
        async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
            asked.append(booking.facility)
            return await super().ask(booking)

    noting = Noting()
    noting.plan(P1, unclear(booked=False), label())
    bench.aggregate_with(noting)
    await bench.schedule(shipment("S1"))
    await bench.until(NOON + timedelta(seconds=1))
    moved = replace_struct(BLR, pickup=replace_struct(BLR.pickup, address="Somewhere else"))
    async with bench.pool.acquire() as connection:
        await providers.put_facility(connection, moved)
    await bench.until(NOON + 2 * MINUTE)
    assert asked == [BLR, BLR]


async def test_a_label_that_cannot_be_read_is_kept_and_a_person_is_told(bench: Bench) -> None:
    bench.aggregator.say("fetch_label", Pdf(b"%PDF-1.4 and then nothing"))
    await bench.schedule(shipment("S1"))
    await bench.work()
    (row,) = await bench.rows("SELECT warnings FROM shipments")
    assert row["warnings"] == ["The label's PDF cannot be read: look at it before it is printed."]


async def test_a_notice_of_a_courier_account_goes_when_the_account_works(bench: Bench) -> None:
    bench.aggregator.plan(P1, refused(Refusal.COURIER_ACCOUNT, 316, "no credentials"), label())
    await bench.schedule(shipment("S1"))
    await bench.work()
    assert len(await bench.rows("SELECT FROM notices")) == 1
    await bench.schedule(shipment("S2"))
    await bench.work()
    assert await bench.rows("SELECT FROM notices") == []


async def test_settling_and_scheduling_at_once_do_not_wait_for_each_other(bench: Bench) -> None:
    """Both lock the shipment before its turns, and the AWB's own lock is taken under them."""
    numbers = [f"S{n}" for n in range(40)]
    await bench.schedule(*map(shipment, numbers))
    await work_off(bench.tools, bench.now)
    claimed = await claims.claim(bench.pool, bench.tools.keyring, calls_max=60, calls_out={}, now=bench.now)
    outcomes = [Outcome(claim, Label(f"AWB-{claim.turn_id}"), ()) for claim in claimed]

    async def schedule(number: str) -> None:
        async with bench.pool.acquire() as connection, connection.transaction():
            await shipments.schedule_all(connection, [bench.ids[number]], bench.now)

    settling = (settlements.settle(bench.pool, [o], bench.tools.rules, now=bench.now) for o in outcomes)
    await asyncio.gather(*settling, *map(schedule, numbers))
    assert len(await bench.rows("SELECT FROM turns WHERE state = 'fetching'")) == len(numbers)


@pytest.mark.parametrize("count", [1, 40])
async def test_two_workers_never_claim_the_same_turn(bench: Bench, count: int) -> None:
    await bench.schedule(*(shipment(f"S{n}") for n in range(count)))

    async def claim() -> list[int]:
        claimed = await claims.claim(bench.pool, bench.tools.keyring, calls_max=60, calls_out={}, now=bench.now)
        return [each.turn_id for each in claimed]

    claimed = [turn for each in await asyncio.gather(*(claim() for _ in range(8))) for turn in each]
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == count


async def _rank_only(bench: Bench) -> None:
    assert await work_off(bench.tools, bench.now) == 1


def _booking_of(claim: claims.Claim) -> Booking:
    return Booking(claim.shipment, claim.facility, claim.turn.reference, claim.turn.courier, claim.terms)
