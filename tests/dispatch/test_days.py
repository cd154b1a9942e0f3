"""A run is begun only for days on which the papers are good: at whatever door the wish to book comes in."""

from datetime import date, timedelta
from pathlib import Path

import msgspec

from bilty.deciding import No, Schedule
from bilty.shipment import PurchaseOrder, Shipment, Weekday
from bilty.shipping_provider import Connector
from bilty.store import acting, providers, shipments
from bilty.store.amending import Amending, amend
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Pool
from bilty.store.shipments import Arrival
from bilty.turn import Rules
from bilty.workflow import Status
from dispatch.bench import BLR, Bench, make_bench, shipment

ASHA = Actor(ActorKind.USER, "asha@example.com")
EWAYBILL = "Invoice INV-S1 has no e-way bill: schedule it without one."
SENTENCE = (
    "Its days do not fit: Purchase order PO-7 expires on 24 Nov 2026, and the appointment is on 25 Nov 2026: "
    "give another appointment, or ask the buyer for a longer purchase order and enter its last day."
)


def ordered(last_day: date | None) -> Shipment:
    """The bench's connector makes appointments two days ahead, and it is Monday the 23rd there."""
    return msgspec.structs.replace(shipment("S1"), purchase_orders=(PurchaseOrder("PO-7", last_day),))


async def hold(bench: Bench) -> str:
    return (await bench.progress("S1")).hold


async def wished(bench: Bench, wish: Schedule) -> No | None:
    async with bench.pool.acquire() as connection, connection.transaction():
        answers = await acting.act(connection, {bench.ids["S1"]: wish}, ASHA, bench.now, Rules())
    return answers[bench.ids["S1"]]


async def again(bench: Bench, *, without_ewaybill: bool = False) -> int:
    """The run that it is in after an order system has asked to book it."""
    async with bench.pool.acquire() as connection, connection.transaction():
        ids = [bench.ids["S1"]]
        done = await shipments.schedule_all(connection, ids, bench.now, without_ewaybill=without_ewaybill)
    return done[ids[0]].run


async def connected(bench: Bench, days: int | None) -> None:
    connector = Connector("desk", "key-1", appointment_after_days=days)
    async with bench.pool.acquire() as connection, connection.transaction():
        await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)


async def test_an_appointment_behind_the_orders_last_day_holds_it_and_nobody_is_asked(
    pool: Pool, tmp_path: Path
) -> None:
    bench = await make_bench(pool, tmp_path)
    await bench.schedule(ordered(date(2026, 11, 24)))
    assert await bench.work() == 0
    assert (await bench.status("S1"), await hold(bench)) == (Status.ON_HOLD, SENTENCE)
    told = await bench.rows("SELECT state, message FROM timeline ORDER BY id")
    assert [tuple(row) for row in told] == [("created", ""), ("on_hold", SENTENCE)]


async def test_the_last_day_itself_and_an_order_without_one_are_good(pool: Pool, tmp_path: Path) -> None:
    for last_day in (date(2026, 11, 25), None):
        bench = await make_bench(pool, tmp_path)
        number = "S1" if last_day else "S2"
        await bench.schedule(msgspec.structs.replace(ordered(last_day), number=number))
        assert (await bench.progress(number)).run == 1


async def test_nobodys_word_lifts_it(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    await bench.schedule(ordered(date(2026, 11, 24)))
    assert await wished(bench, Schedule(without_ewaybill=True)) == No(SENTENCE)
    assert await wished(bench, Schedule()) == No(SENTENCE)
    assert await again(bench, without_ewaybill=True) == 0
    assert await hold(bench) == SENTENCE


async def test_it_is_looked_at_anew_whenever_it_is_scheduled(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    await bench.schedule(ordered(date(2026, 11, 24)))
    await connected(bench, 1)
    assert await wished(bench, Schedule()) is None
    assert (await bench.status("S1"), await hold(bench)) == (Status.SCHEDULING, "")


async def test_a_day_off_moves_the_appointment_behind_the_last_day(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    resting = msgspec.structs.replace(BLR, days_off=(Weekday.WEDNESDAY,))
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_facility(connection, resting)
    await bench.schedule(ordered(date(2026, 11, 25)))
    assert "expires on 25 Nov 2026, and the appointment is on 26 Nov 2026" in await hold(bench)


async def test_without_an_ewaybill_the_days_are_looked_at_once_that_is_waived(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    async with pool.acquire() as connection, connection.transaction():
        arrival = Arrival(ordered(date(2026, 11, 24)), hold=EWAYBILL)
        [kept] = await shipments.keep(connection, [arrival], bench.now)
    bench.ids["S1"] = kept.shipment_id
    assert await again(bench) == 0
    assert await hold(bench) == EWAYBILL
    assert await wished(bench, Schedule(without_ewaybill=True)) == No(SENTENCE)
    assert await hold(bench) == f"{EWAYBILL} {SENTENCE}"
    await connected(bench, None)
    assert await again(bench) == 0, "nobody has said this time that it may go without"
    assert await again(bench, without_ewaybill=True) == 1


async def test_a_longer_order_lets_it_go(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    await bench.schedule(ordered(date(2026, 11, 24)))
    async with pool.acquire() as connection, connection.transaction():
        longer = Arrival(ordered(date(2026, 12, 24)))
        amended = await amend(connection, bench.ids["S1"], longer, ASHA, bench.now)
        assert amended.outcome is Amending.DONE
    assert (await bench.status("S1"), await hold(bench)) == (Status.CREATED, "")
    assert await again(bench) == 1


async def test_what_is_begun_goes_on_though_its_order_expires_meanwhile(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    await bench.schedule(ordered(date(2026, 11, 25)))
    bench.now += timedelta(days=3)
    assert await again(bench) == 1
    assert await hold(bench) == ""


async def test_without_a_connector_only_its_own_times_are_looked_at(pool: Pool, tmp_path: Path) -> None:
    bench = await make_bench(pool, tmp_path)
    await pool.execute("UPDATE shipping_providers SET connector = NULL, sealed_key = NULL")
    await bench.schedule(ordered(date(2026, 11, 24)))
    assert (await bench.progress("S1")).run == 1
