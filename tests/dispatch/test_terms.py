"""What the couriers were promised, as the sandbox received it: pickup and appointment, to the minute."""

import asyncio
import json
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

import bilty_sandbox
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.intake import Rejected, parse_connector
from bilty.outgoing.http import Http
from bilty.shipment import Facility
from bilty.shipping_provider import Connector
from bilty.store import providers
from bilty.store.database import Pool
from bilty.workflow import Status
from bilty_sandbox import Options
from bilty_sandbox.kinds import Kind
from bilty_sandbox.mischief import Policy, Rule
from dispatch.bench import BLR, make_bench, shipment

TEN_TO_MIDNIGHT = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)  # 23:50 in India
MORNING = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # 10:30 in India
QUIET = Policy(enabled=False)


@dataclass(frozen=True, slots=True)
class Promise:
    pickup: str
    appointment: dict[str, str] | None


async def promises(
    pool: Pool,
    folder: Path,
    now: datetime,
    *,
    minutes: int,
    days: int | None,
    policy: Policy = QUIET,
    facility: Facility = BLR,
) -> list[Promise]:
    """Books one shipment at the sandbox; what each courier was promised, in the order in which they were asked."""
    async with bilty_sandbox.serve(Options(policy=policy)) as sandbox, Http() as http:
        connector = Connector(sandbox.username, sandbox.key, pickup_after_minutes=minutes, appointment_after_days=days)
        endpoints = Endpoints(base_url=sandbox.url, allow_private_addresses=True)
        bench = await make_bench(pool, folder, aggregator=ClickPost(connector, endpoints, http))
        async with pool.acquire() as connection:
            await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)
            await providers.put_facility(connection, facility)
        bench.now = now
        await bench.schedule(shipment("S1"))
        await bench.until(now + timedelta(minutes=15))
        assert await bench.status("S1") is Status.LABEL_READY
        with await asyncio.to_thread(urllib.request.urlopen, f"{sandbox.control_url}/truth") as answer:
            truth = {booking["reference"]: booking for booking in json.load(answer)["bookings"]}
        asked = [truth[turn.reference] for turn in (await bench.progress("S1")).turns if turn.priority]
        return [Promise(booking["pickup_time"], booking["appointment"]) for booking in asked]


@pytest.mark.parametrize(
    ("now", "minutes", "pickup"),
    [
        (MORNING, 0, "2026-11-23T10:30:00+0530"),
        (MORNING, 1, "2026-11-23T10:31:00+0530"),
        (MORNING, 30, "2026-11-23T11:00:00+0530"),
        (TEN_TO_MIDNIGHT, 0, "2026-11-23T23:50:00+0530"),
        (TEN_TO_MIDNIGHT, 30, "2026-11-24T00:20:00+0530"),
    ],
)
async def test_pickup_is_so_many_minutes_after_the_asking(
    pool: Pool, tmp_path: Path, now: datetime, minutes: int, pickup: str
) -> None:
    (promise,) = await promises(pool, tmp_path, now, minutes=minutes, days=1)
    assert promise.pickup == pickup


@pytest.mark.parametrize(
    ("now", "days", "day"),
    [
        (MORNING, 0, "2026-11-23"),
        (MORNING, 1, "2026-11-24"),
        (MORNING, 2, "2026-11-25"),
        (TEN_TO_MIDNIGHT, 1, "2026-11-24"),
        (TEN_TO_MIDNIGHT + timedelta(minutes=10), 1, "2026-11-25"),
    ],
)
async def test_the_appointment_is_so_many_days_after_the_day_it_is_where_the_boxes_leave(
    pool: Pool, tmp_path: Path, now: datetime, days: int, day: str
) -> None:
    (promise,) = await promises(pool, tmp_path, now, minutes=30, days=days)
    assert promise.appointment is not None
    assert promise.appointment["start_time"] == f"{day}T10:00:00+0530"
    assert promise.appointment["end_time"] == f"{day}T18:00:00+0530"


async def test_both_are_put_off_until_the_facility_works(pool: Pool, tmp_path: Path) -> None:
    """It is ten to midnight on Monday, it opens at 09:00, and Tuesday is a holiday."""
    rests = replace(BLR, opens_at=time(9), closes_at=time(18), holidays=(date(2026, 11, 24),))
    (promise,) = await promises(pool, tmp_path, TEN_TO_MIDNIGHT, minutes=30, days=1, facility=rests)
    assert promise.pickup == "2026-11-25T09:00:00+0530"
    assert promise.appointment is not None
    assert promise.appointment["start_time"] == "2026-11-25T10:00:00+0530"


async def test_a_consignee_without_registration_is_named_so(pool: Pool, tmp_path: Path) -> None:
    async with bilty_sandbox.serve(Options(policy=QUIET)) as sandbox, Http() as http:
        endpoints = Endpoints(base_url=sandbox.url, allow_private_addresses=True)
        bench = await make_bench(
            pool, tmp_path, aggregator=ClickPost(Connector(sandbox.username, sandbox.key), endpoints, http)
        )
        bare = shipment("S1")
        invoice = replace(bare.invoices[0], value=Decimal(23600), taxable_value=Decimal(20000), igst=Decimal(3600))
        unregistered = replace(bare, consignee=replace(bare.consignee, gstin=""), invoices=(invoice,))
        await bench.schedule(unregistered)
        await bench.until(bench.now + timedelta(minutes=15))
        assert await bench.status("S1") is Status.LABEL_READY
        with await asyncio.to_thread(urllib.request.urlopen, f"{sandbox.control_url}/truth") as answer:
            (booking,) = json.load(answer)["bookings"]
        assert (booking["consignee_gstin"], booking["gst_total_tax"]) == ("URP", 3600)


async def test_a_blank_sends_no_appointment(pool: Pool, tmp_path: Path) -> None:
    (promise,) = await promises(pool, tmp_path, MORNING, minutes=30, days=None)
    assert promise.appointment is None


async def test_the_next_courier_is_promised_new_times(pool: Pool, tmp_path: Path) -> None:
    never = Policy(enabled=False, rules=(Rule((Kind.NEVER,), priority=1),))
    first, second = await promises(pool, tmp_path, TEN_TO_MIDNIGHT, minutes=30, days=1, policy=never)
    assert (first.pickup, second.pickup) == ("2026-11-24T00:20:00+0530", "2026-11-24T00:32:00+0530")
    assert first.appointment is not None
    assert second.appointment is not None
    assert first.appointment["start_time"][:10] == "2026-11-24", "asked at ten to midnight"
    assert second.appointment["start_time"][:10] == "2026-11-25", "asked two minutes after it"


@pytest.mark.parametrize("given", [-1, 1.5, "two"])
@pytest.mark.parametrize("field", ["pickup_after_minutes", "appointment_after_days"])
def test_what_is_no_whole_number_in_range_is_refused_with_the_range(field: str, given: object) -> None:
    parsed = parse_connector({"username": "desk", "key": "k-1", field: given}, None)
    assert isinstance(parsed, Rejected)
    (fault,) = parsed.faults
    assert fault.field == field
    assert ("from 0 to 10,080" if field == "pickup_after_minutes" else "from 0 to 90") in fault.message
