"""E-way bills that come late: written in place, said again to the letter, and of another courier than who wins."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from bilty.aggregator import Booking, Said, Trouble
from bilty.aggregator.scripted import P1, Scripted, label, never, refused, unclear
from bilty.deciding import Dispatch, GiveUpAwb, No, OrderReturn
from bilty.intake import IntakeRules
from bilty.reply import Accepted, Label
from bilty.shipment import Ewaybill, Invoice, Shipment, decode, digest
from bilty.shipping_provider import preflight
from bilty.store import acting, ewaybill_rows, ewaybills, shipments, transporters
from bilty.store.audit import COMMAND
from bilty.store.ewaybills import Added
from bilty.store.shipments import Arrival, Intake
from bilty.turn import Rules, State
from bilty.workflow import Status
from dispatch.bench import MINUTE, NOON, Bench, shipment

BILL, OTHER = "331001234567", "331007654321"
DEAR = Decimal(60_000)
UNTIL = date(2026, 12, 24)
HOLD = (
    "Invoice INV-S1 of ₹60,000.00 has no e-way bill, which goods above ₹50,000.00 may not move without: "
    "give its number of 12 digits with the order, or schedule it without one."
)


class Heard(Scripted):
    """It remembers what it was asked to carry."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Invoice] = []

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        self.asked.append(booking.shipment.invoices[0])
        return await super().ask(booking)


def listening(bench: Bench) -> Heard:
    heard = Heard()
    bench.aggregate_with(heard)
    return heard


def dear(number: str = "S1", ewaybill: str = "", expires_on: date | None = None) -> Shipment:
    return replace(
        shipment(number),
        invoices=(
            Invoice(f"INV-{number}", date(2026, 11, 1), DEAR, ewaybill_number=ewaybill, ewaybill_expires_on=expires_on),
        ),
    )


async def adds(bench: Bench, number: str = "S1", *, rules: IntakeRules | None = None, **bills: str | Ewaybill) -> Added:
    """`bills` by invoice, as INV_S1."""
    given = {
        invoice.replace("_", "-"): Ewaybill(bill) if isinstance(bill, str) else bill for invoice, bill in bills.items()
    }
    return (await adds_all(bench, {number: given}, rules=rules))[number]


async def adds_all(
    bench: Bench, given: Mapping[str, Mapping[str, Ewaybill]], *, rules: IntakeRules | None = None, whole: bool = False
) -> dict[str, Added]:
    async with bench.pool.acquire() as connection, connection.transaction():
        answers = await ewaybills.add(
            connection,
            {bench.ids[number]: bills for number, bills in given.items()},
            rules or IntakeRules(),
            COMMAND,
            bench.now,
            whole=whole,
        )
    return {number: answers[bench.ids[number]] for number in given}


async def takes_in(bench: Bench, *arriving: Shipment, hold: str = "") -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        kept = await shipments.keep(connection, [Arrival(each, hold=hold) for each in arriving], bench.now)
    bench.ids.update({each.number: taken.shipment_id for each, taken in zip(arriving, kept, strict=True)})


async def content(bench: Bench, number: str = "S1") -> Shipment:
    rows = await bench.rows(
        "SELECT content FROM shipment_versions WHERE shipment_id = $1 ORDER BY version DESC", bench.ids[number]
    )
    return decode(rows[0]["content"])


async def warnings(bench: Bench, number: str = "S1") -> list[str]:
    """Those about e-way bills."""
    rows = await bench.rows("SELECT unnest(warnings) AS told FROM shipments WHERE id = $1", bench.ids[number])
    return [row["told"] for row in rows if "-way bill" in row["told"]]


def test_what_a_label_stands_for_is_the_same_with_and_without() -> None:
    assert digest(dear()) == digest(dear(ewaybill=BILL)) == digest(dear(ewaybill=OTHER, expires_on=UNTIL))
    assert digest(dear()) != digest(shipment("S1"))


async def test_it_is_written_in_place_and_lifts_the_hold(bench: Bench) -> None:
    await takes_in(bench, dear(), hold=HOLD)
    assert await bench.status("S1") is Status.ON_HOLD
    added = await adds(bench, INV_S1=Ewaybill(BILL, UNTIL))

    assert added == Added(frozenset({"INV-S1"}))
    assert await content(bench) == dear(ewaybill=BILL, expires_on=UNTIL)
    assert await bench.status("S1") is Status.CREATED
    assert (await bench.progress("S1")).version == 1
    lines = await bench.rows("SELECT state, message, actor FROM timeline ORDER BY id")
    assert ("ewaybill", f"Invoice INV-S1 has e-way bill {BILL}, until 24 Dec 2026.", "bilty") in [
        (line["state"], line["message"], line["actor"]) for line in lines
    ]
    (noted,) = await bench.rows("SELECT action, before, after FROM audit WHERE shipment_id IS NOT NULL")
    assert noted["action"] == "e-way bill"
    assert msgspec.json.decode(noted["before"]) == {"e-way bills": {}, "held": HOLD}
    assert msgspec.json.decode(noted["after"])["held"] == ""

    assert await adds(bench, INV_S1=Ewaybill(BILL, UNTIL)) == Added(), "the same again changes nothing"
    assert len(await bench.rows("SELECT FROM audit WHERE shipment_id IS NOT NULL")) == 1


async def test_without_it_the_hold_comes_back_unless_a_person_has_waived_it(bench: Bench) -> None:
    await takes_in(bench, dear(ewaybill=BILL), dear("S2"))
    assert await adds(bench, INV_S1="") == Added(frozenset({"INV-S1"}))
    assert await bench.status("S1") is Status.ON_HOLD
    assert "no e-way bill" in (await bench.progress("S1")).hold
    assert await adds(bench, INV_S1=BILL, rules=IntakeRules(ewaybill_missing="send")) == Added(frozenset({"INV-S1"}))
    assert await bench.status("S1") is Status.CREATED

    # S2 lacks one and is not held: somebody said that it goes without.
    assert await adds(bench, "S2", INV_S2="") == Added()
    assert await bench.status("S2") is Status.CREATED


async def test_where_one_may_be_missing_it_is_warned_of_and_no_longer(bench: Bench) -> None:
    rules = IntakeRules(ewaybill_missing="send")
    await takes_in(bench, dear(ewaybill=BILL))
    await adds(bench, INV_S1="", rules=rules)
    (warning,) = await warnings(bench)
    assert "INV-S1 of ₹60,000.00 has no e-way bill" in warning
    assert await bench.status("S1") is Status.CREATED
    await adds(bench, INV_S1=BILL, rules=rules)
    assert await warnings(bench) == []


async def test_what_else_holds_a_shipment_holds_it_still(bench: Bench) -> None:
    data = "Data is missing: the consignee's GSTIN. Give it in Uniware and ask for the waybill again."
    await takes_in(bench, dear(), hold=f"{data} {HOLD}")
    await adds(bench, INV_S1=BILL)
    assert (await bench.progress("S1")).hold == data


@pytest.mark.parametrize(
    ("invoice", "bill", "why"),
    [
        ("INV-9", Ewaybill(BILL), "Shipment S1 has no invoice INV-9: its invoices are INV-S1."),
        (
            "INV-S1",
            Ewaybill(BILL, date(2026, 11, 22)),
            "The e-way bill expired on 22 Nov 2026: extend it or make a new one, and give its last day.",
        ),
    ],
)
async def test_what_cannot_be_is_refused(bench: Bench, invoice: str, bill: Ewaybill, why: str) -> None:
    await takes_in(bench, dear())
    assert (await adds_all(bench, {"S1": {invoice: bill}}))["S1"] == Added(refused={invoice: why})
    assert await content(bench) == dear()


async def test_of_several_the_others_are_done_or_none(bench: Bench) -> None:
    await takes_in(bench, dear())
    given = {"S1": {"INV-S1": Ewaybill(BILL), "INV-9": Ewaybill(OTHER)}}
    assert (await adds_all(bench, given, whole=True))["S1"].changed == frozenset()
    assert await content(bench) == dear()
    added = (await adds_all(bench, given))["S1"]
    assert (added.changed, set(added.refused)) == (frozenset({"INV-S1"}), {"INV-9"})


async def test_one_that_ends_before_the_pickup_is_a_fault_at_each_door(bench: Bench) -> None:
    late = replace(dear(), pickup_at=NOON + timedelta(days=5))
    await takes_in(bench, late)
    why = (await adds(bench, INV_S1=Ewaybill(BILL, date(2026, 11, 27)))).refused["INV-S1"]
    assert why == (
        f"E-way bill {BILL} of invoice INV-S1 expires on 27 Nov 2026, before the pickup on 28 Nov 2026: extend it at "
        "the portal and enter its new last day, or make a new one."
    )
    held = preflight.Days(pickup=date(2026, 11, 28), appointment=None)
    assert preflight.expired_ewaybill(dear(ewaybill=BILL, expires_on=date(2026, 11, 27)), held) == why
    assert preflight.expired_ewaybill(dear(ewaybill=BILL, expires_on=date(2026, 11, 28)), held) == ""

    # When it is to be booked, the day of the pickup is known from the connector: then it is held.
    bench.now = NOON + timedelta(days=2)
    await bench.schedule(dear("S2", ewaybill=BILL, expires_on=date(2026, 11, 24)))
    assert await bench.status("S2") is Status.ON_HOLD
    assert "expires on 24 Nov 2026, before the pickup on 25 Nov 2026" in (await bench.progress("S2")).hold
    await adds(bench, "S2", INV_S2=Ewaybill(BILL, date(2026, 11, 25)))
    assert await bench.status("S2") is Status.CREATED


async def test_a_cancelled_one_takes_none_and_a_dispatched_one_does(bench: Bench) -> None:
    await takes_in(bench, dear(), dear("S2"))
    await bench.pool.execute("UPDATE shipments SET cancel_asked = true WHERE number = 'S1'")
    await bench.pool.execute("UPDATE shipments SET dispatched = true WHERE number = 'S2'")
    assert await adds(bench, INV_S1=BILL) == Added(refused={"INV-S1": ewaybills.CANCELLED})
    assert (await adds(bench, "S2", INV_S2=BILL)).changed == {"INV-S2"}


async def test_a_repeated_asking_says_what_was_said_before_to_the_letter(bench: Bench) -> None:
    heard = listening(bench)
    heard.plan(P1, unclear(booked=False), label())
    await bench.schedule(dear(ewaybill=BILL, expires_on=UNTIL))
    await bench.work()
    await adds(bench, INV_S1=Ewaybill(OTHER, date(2027, 1, 1)))
    await bench.until(NOON + 30 * MINUTE)

    assert [(i.ewaybill_number, i.ewaybill_expires_on) for i in heard.asked] == [(BILL, UNTIL)] * 2
    assert (await content(bench)).invoices[0].ewaybill_number == OTHER
    (owed,) = await bench.rows("SELECT invoice, ewaybill FROM afterwards WHERE kind = 'ewaybill'")
    assert (owed["invoice"], owed["ewaybill"]) == ("INV-S1", OTHER)


async def test_what_an_older_program_asked_is_taken_to_have_been_told_the_content(bench: Bench) -> None:
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    await bench.pool.execute("UPDATE turns SET told_ewaybills = NULL, told_expiries = NULL")
    await adds(bench, INV_S1=OTHER)
    told = await bench.rows("SELECT told_ewaybills FROM turns WHERE priority = 1")
    assert [row["told_ewaybills"] for row in told] == [f'{{"INV-S1": "{BILL}"}}']


async def test_the_next_courier_is_told_the_newest(bench: Bench) -> None:
    heard = listening(bench)
    heard.plan(P1, never())
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    await adds(bench, INV_S1=OTHER)
    await bench.until(NOON + 15 * MINUTE)
    assert [each.ewaybill_number for each in heard.asked] == [BILL, OTHER]
    # P1 knows another number: the new one was made since, and nobody need change it.
    assert await warnings(bench) == []


async def test_a_courier_that_was_told_one_is_not_told_that_there_is_none(bench: Bench) -> None:
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY
    assert await adds(bench, INV_S1="") == Added(
        refused={
            "INV-S1": f"First Cargo was told e-way bill {BILL} of invoice INV-S1, and cannot be told that there is "
            "none: give the number of the one that replaces it."
        }
    )


async def test_nor_is_one_that_brings_the_boxes_back(bench: Bench) -> None:
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    turn, shipment_id = await bench.turn("S1", 1), bench.ids["S1"]
    for act in (Dispatch(), OrderReturn(turn.reference)):
        async with bench.pool.acquire() as connection, connection.transaction():
            assert await acting.act(connection, {shipment_id: act}, COMMAND, bench.now, Rules()) == {shipment_id: None}
    assert (await adds(bench, INV_S1="")).refused


async def test_nor_is_one_that_was_told_it_and_may_still_come_to_have_the_boxes(bench: Bench) -> None:
    bench.aggregator.plan(P1, never())
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    assert "First Cargo was told" in (await adds(bench, INV_S1="")).refused["INV-S1"]
    await bench.until(NOON + 15 * MINUTE)
    assert (await bench.turn("S1", 1)).state is State.LAPSED
    assert "Second Cargo was told" in (await adds(bench, INV_S1="")).refused["INV-S1"]
    assert (await content(bench)).invoices[0].ewaybill_number == BILL


async def test_what_is_wanted_is_found_behind_any_number_that_want_none(bench: Bench) -> None:
    cheap = [replace(shipment(f"C{n}"), order_number="") for n in range(3)]
    await takes_in(bench, *cheap, dear(), hold=HOLD)
    async with bench.pool.acquire() as connection:
        found = await ewaybill_rows.wanted(connection, None, Decimal(50_000), 1)
        none = await ewaybill_rows.wanted(connection, None, DEAR, 1)
    assert [(each.number, [i.number for i in each.invoices]) for each in found] == [("S1", ["INV-S1"])]
    assert none == []


TOLD = f"E-way bill {BILL} of invoice INV-S1 was given for First Cargo: its transporter must change to Second Cargo."


async def fallen_over(bench: Bench) -> None:
    bench.aggregator.plan(P1, refused())
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    assert await bench.status("S1") is Status.LABEL_READY


async def open_changes(bench: Bench) -> list[str]:
    async with bench.pool.acquire() as connection:
        return [each.told for each in await transporters.open_changes(connection, None, 10)]


async def test_a_fall_over_says_once_that_its_transporter_must_change(bench: Bench) -> None:
    await fallen_over(bench)
    assert await warnings(bench) == [TOLD]
    assert await open_changes(bench) == [TOLD]
    await bench.until(NOON + 60 * MINUTE)
    lines = await bench.rows("SELECT message FROM timeline WHERE state = 'transporter'")
    assert [line["message"] for line in lines] == [TOLD]


async def test_the_first_courier_is_no_reason_to_change_it(bench: Bench) -> None:
    await bench.schedule(dear(ewaybill=BILL))
    await bench.work()
    assert (await warnings(bench), await open_changes(bench)) == ([], [])


async def test_a_person_says_that_it_is_changed(bench: Bench) -> None:
    await fallen_over(bench)
    async with bench.pool.acquire() as connection, connection.transaction():
        count = await transporters.changed_at_the_portal(connection, bench.ids["S1"], COMMAND, bench.now)
        again = await transporters.changed_at_the_portal(connection, bench.ids["S1"], COMMAND, bench.now)
    assert (count, again) == (1, 0)
    assert (await warnings(bench), await open_changes(bench)) == ([], [])
    (noted,) = await bench.rows("SELECT after FROM audit WHERE action = 'transporter changed'")
    assert msgspec.json.decode(noted["after"]) == {"transporter": "Second Cargo"}


async def test_a_new_number_names_who_it_should(bench: Bench) -> None:
    await fallen_over(bench)
    await adds(bench, INV_S1=OTHER)
    assert (await warnings(bench), await open_changes(bench)) == ([], [])


async def test_what_a_courier_no_longer_has_need_not_name_it(bench: Bench) -> None:
    await fallen_over(bench)
    reference = (await bench.turn("S1", 2)).reference
    await bench.pool.execute("UPDATE turns SET state = 'unlabelled' WHERE reference = $1", reference)
    async with bench.pool.acquire() as connection, connection.transaction():
        done = await acting.act(connection, {bench.ids["S1"]: GiveUpAwb(reference)}, COMMAND, bench.now, Rules())
    assert not isinstance(done[bench.ids["S1"]], No)
    assert await open_changes(bench) == []
    await bench.until(bench.now + 10 * MINUTE)
    assert await warnings(bench) == [TOLD.replace("Second", "Third")]


async def test_the_same_again_without_what_came_since_is_the_same(bench: Bench) -> None:
    await takes_in(bench, dear(), dear("S2", ewaybill=BILL))
    await adds(bench, INV_S1=BILL)
    arriving = [dear(), dear(ewaybill=BILL), dear(ewaybill=OTHER), dear("S2"), replace(dear(), order_number="PO-9")]
    async with bench.pool.acquire() as connection, connection.transaction():
        kept = await shipments.keep(connection, [Arrival(each) for each in arriving], bench.now)
    assert [each.intake for each in kept] == [
        Intake.SAME,
        Intake.SAME,
        Intake.DIFFERS,
        Intake.SAME,
        Intake.DIFFERS,
    ]
    assert (await content(bench)).invoices[0].ewaybill_number == BILL, "and nothing is taken away by it"
