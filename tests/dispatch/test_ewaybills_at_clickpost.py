"""An e-way bill that comes between two askings, as the sandbox received it: the second is the first, to the letter."""

import asyncio
import json
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import bilty_sandbox
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.intake import IntakeRules
from bilty.outgoing.http import Http
from bilty.shipment import Ewaybill
from bilty.shipping_provider import Connector
from bilty.store import ewaybills, providers
from bilty.store.audit import COMMAND
from bilty.store.database import Pool
from bilty.workflow import Status
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule
from dispatch.bench import MINUTE, Bench, make_bench, shipment

BILL, OTHER = "331001234567", "331007654321"


async def adds(bench: Bench, number: str) -> None:
    async with bench.pool.acquire() as connection, connection.transaction():
        wanted = {bench.ids["S1"]: {"INV-S1": Ewaybill(number)}}
        await ewaybills.add(connection, wanted, IntakeRules(), COMMAND, bench.now)


@pytest.mark.parametrize("before", ["", BILL])
@pytest.mark.parametrize("kind", [Kind.UNBOOKED_500, Kind.UNBOOKED_RESET])
async def test_what_is_asked_again_differs_in_nothing(pool: Pool, tmp_path: Path, kind: Kind, before: str) -> None:
    clock = ManualClock()
    options = Options(policy=Policy(enabled=False, rules=(Rule((kind,)),)))
    async with bilty_sandbox.serve(options, clock) as sandbox, Http() as http:
        connector = Connector(sandbox.username, sandbox.key)
        aggregator = ClickPost(connector, Endpoints(base_url=sandbox.url, allow_private_addresses=True), http)
        bench = await make_bench(pool, tmp_path, aggregator=aggregator)
        async with pool.acquire() as connection:
            await providers.put_connector(connection, bench.vault, "clickpost-b2b", connector)
        plain = shipment("S1", boxes=2)
        invoice = replace(plain.invoices[0], ewaybill_number=before)
        await bench.schedule(replace(plain, invoices=(invoice,)))
        await bench.work()
        await adds(bench, OTHER)
        end = bench.now + timedelta(minutes=8)
        while bench.now < end:
            clock.advance(60)
            await bench.until(bench.now + MINUTE)

        assert await bench.status("S1") is Status.LABEL_READY
        with await asyncio.to_thread(urllib.request.urlopen, f"{sandbox.control_url}/truth") as answer:
            (booking,) = json.load(answer)["bookings"]
        assert booking["posts"] == 2
        assert booking["posts_that_differed"] == 0
        assert booking["ewaybills"] == ({"INV-S1": before} if before else {})
        (owed,) = await bench.rows("SELECT ewaybill FROM afterwards WHERE kind = 'ewaybill'")
        assert owed["ewaybill"] == OTHER
