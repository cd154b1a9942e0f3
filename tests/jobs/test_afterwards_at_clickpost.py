"""E-way bills and late pickups at the sandbox, over HTTP: what is sent, what is kept of it, and what is true there."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bilty_sandbox
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.intake import IntakeRules
from bilty.jobs import Tools
from bilty.jobs.afterwards import say_afterwards
from bilty.outgoing.http import Http
from bilty.shipment import Ewaybill
from bilty.shipping_provider import Connector
from bilty.store import ewaybills, exchanges, providers, showing
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Pool
from bilty.store.showing import Seen
from bilty.workflow import Status
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, Sandbox
from dispatch.bench import BLR, MINUTE, Bench, make_bench, shipment
from jobs.receiver import Receiver

ASHA = Actor(ActorKind.USER, "asha@example.com")
BILL = "181000609282"


@dataclass(slots=True)
class Town:
    """A bench beside a sandbox, whose clocks go together."""

    bench: Bench
    tools: Tools
    sandbox: Sandbox
    clock: ManualClock

    async def until(self, end: datetime) -> None:
        """Both clocks, in steps of a minute."""
        while self.bench.now < end:
            self.clock.advance(60)
            await self.bench.until(self.bench.now + MINUTE)

    async def say_all(self) -> None:
        sql = "SELECT id FROM afterwards WHERE due_at <= $1 ORDER BY id"
        for row in await self.bench.rows(sql, self.bench.now):
            await say_afterwards(self.tools, row["id"], self.bench.now)

    async def truth(self) -> Any:
        """Of the one booking."""
        with await asyncio.to_thread(urllib.request.urlopen, f"{self.sandbox.control_url}/truth") as answer:
            (booking,) = json.load(answer)["bookings"]
        return booking

    async def add_bill(self) -> None:
        async with self.bench.pool.acquire() as connection, connection.transaction():
            wanted = {self.bench.ids["S1"]: {"INV-S1": Ewaybill(BILL)}}
            await ewaybills.add(connection, wanted, IntakeRules(), ASHA, self.bench.now)

    async def seen(self) -> Seen:
        async with self.bench.pool.acquire() as connection:
            return (await showing.see(connection, [self.bench.ids["S1"]]))[self.bench.ids["S1"]]

    async def said(self, step: str) -> list[exchanges.Kept]:
        async with self.bench.pool.acquire() as connection:
            talks = await exchanges.talks_of(connection, self.bench.ids["S1"])
            kept = await exchanges.page(connection, talks[-1].turn_id, after_id=0, limit=100)
        return [each for each in kept if each.step == step]


@asynccontextmanager
async def town(pool: Pool, folder: Path, *kinds: Kind, minutes: int = 30) -> AsyncIterator[Town]:
    clock = ManualClock()
    options = Options(policy=Policy(enabled=False, rules=(Rule(kinds),)))
    async with bilty_sandbox.serve(options, clock) as sandbox, Http() as http:
        connector = Connector(sandbox.username, sandbox.key, pickup_after_minutes=minutes)
        aggregator = ClickPost(connector, Endpoints(base_url=sandbox.url, allow_private_addresses=True), http)
        bench = await make_bench(pool, folder, aggregator=aggregator)
        async with pool.acquire() as connection:
            await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)
            await providers.put_facility(connection, BLR)
        tools = Tools(pool, bench.vault, bench.tools.labels, lambda _: aggregator, bench.tools.rules, Receiver())
        await bench.schedule(shipment("S1", boxes=2))
        yield Town(bench, tools, sandbox, clock)


async def test_an_ewaybill_that_comes_while_the_label_is_waited_for_reaches_the_courier(
    pool: Pool, tmp_path: Path
) -> None:
    async with town(pool, tmp_path, Kind.ASYNC) as here:
        await here.bench.work()
        await here.add_bill()
        await here.say_all()
        assert (await here.truth())["ewaybills"] == {}
        await here.until(here.bench.now + 8 * MINUTE)
        assert await here.bench.status("S1") is Status.LABEL_READY
        await here.say_all()
        assert (await here.truth())["ewaybills"] == {"INV-S1": BILL}
        (said,) = await here.said("tell_ewaybill")
        assert (said.status, here.sandbox.key in said.request) == (200, False)
        assert f'"ewaybill_serial_number":"{BILL}"' in said.request


@pytest.mark.parametrize(("kind", "told"), [(Kind.EDIT_502, 0), (Kind.EDIT_UNHEARD, 1), (Kind.EDIT_BUSY, 0)])
async def test_an_ewaybill_that_is_not_answered_is_told_again(
    pool: Pool, tmp_path: Path, kind: Kind, told: int
) -> None:
    async with town(pool, tmp_path, Kind.AT_ONCE, kind) as here:
        await here.bench.work()
        await here.add_bill()
        await here.say_all()
        assert len((await here.truth())["ewaybills"]) == told
        here.bench.now += MINUTE
        await here.say_all()
        assert (await here.truth())["ewaybills"] == {"INV-S1": BILL}
        assert len(await here.said("tell_ewaybill")) == 2
        assert (await here.seen()).to_look_at == ()


async def test_an_ewaybill_that_is_refused_is_shown(pool: Pool, tmp_path: Path) -> None:
    async with town(pool, tmp_path, Kind.AT_ONCE, Kind.EDIT_REFUSED) as here:
        await here.bench.work()
        await here.add_bill()
        await here.say_all()
        (warning,) = (await here.seen()).to_look_at
        assert "ClickPost refused it: Courier does not take this e-way bill (ClickPost code 422)." in warning


@asynccontextmanager
async def late_town(pool: Pool, folder: Path, *kinds: Kind) -> AsyncIterator[Town]:
    """Its label comes minutes after the pickup that was sent with the order."""
    async with town(pool, folder, Kind.ASYNC, *kinds, minutes=1) as here:
        await here.until(here.bench.now + 8 * MINUTE)
        assert await here.bench.status("S1") is Status.LABEL_READY
        yield here


async def test_a_pickup_for_a_late_label_is_asked_for_at_the_facilitys_time(pool: Pool, tmp_path: Path) -> None:
    async with late_town(pool, tmp_path) as here:
        ready = here.bench.now = await here.bench.pool.fetchval("SELECT owed_at FROM afterwards")
        await here.say_all()
        await here.say_all()
        truth = await here.truth()
        (van,) = truth["pickups"]
        assert van["time"] == (ready + timedelta(hours=5, minutes=31)).strftime("%Y-%m-%dT%H:%M:%S+0530")
        assert van["items"] == f"2 boxes, AWB {truth['awb']}"
        found = (await here.seen()).pickup
        assert found == showing.Pickup(ready + MINUTE, van["confirmation"])
        (said,) = await here.said("ask_pickup")
        assert (said.status, here.sandbox.key in said.request) == (200, False)


@pytest.mark.parametrize(
    ("kind", "vans", "warned"),
    [
        (Kind.VAN_REFUSED, 0, "was refused: no pickup slot left for this route (ClickPost code 319)."),
        (Kind.VAN_UNHEARD, 1, "whether the pickup was booked is not known"),
        (Kind.VAN_500, 0, "whether the pickup was booked is not known"),
    ],
)
async def test_what_is_not_booked_or_not_known_is_said_and_never_asked_for_twice(
    pool: Pool, tmp_path: Path, kind: Kind, vans: int, warned: str
) -> None:
    async with late_town(pool, tmp_path, kind) as here:
        await here.say_all()
        here.bench.now += timedelta(days=2)
        await here.say_all()
        assert len((await here.truth())["pickups"]) == vans
        (warning,) = (await here.seen()).to_look_at
        assert warned in warning


async def test_a_pickup_that_was_turned_away_unread_is_asked_for_again_once(pool: Pool, tmp_path: Path) -> None:
    async with late_town(pool, tmp_path, Kind.VAN_BUSY) as here:
        for _ in range(3):
            await here.say_all()
            here.bench.now += MINUTE
        assert len((await here.truth())["pickups"]) == 1
        assert (await here.seen()).pickup is not None


async def test_a_pickup_without_a_number_is_booked_all_the_same(pool: Pool, tmp_path: Path) -> None:
    async with late_town(pool, tmp_path, Kind.VAN_NUMBERLESS) as here:
        await here.say_all()
        found = (await here.seen()).pickup
        assert found is not None
        assert found.confirmation == ""
