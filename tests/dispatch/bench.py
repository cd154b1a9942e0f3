"""A dispatcher's bench for tests: a real database, a scripted aggregator, and a clock that is told."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg

from bilty.aggregator import Aggregator
from bilty.aggregator.scripted import Scripted
from bilty.dispatcher import Tools, work_off
from bilty.shipment import Box, Facility, Invoice, Party, Payment, PaymentMode, Shipment
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import providers, shipments, showing
from bilty.store.database import Pool
from bilty.store.labels import LabelStore
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from bilty.turn import Rules, Turn
from bilty.workflow import Progress, Status, status
from listed import check_listed

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROUNDS_MAX = 1_000
PARTY = Party(
    name="Receiving desk",
    organisation="Nilgiri Home Needs",
    phone="9876543211",
    address="Godown 3, Transport Nagar",
    city="Bengaluru",
    state="Karnataka",
    pincode="560058",
    gstin="29ZZBCK4021Q1Z5",
)
BLR = Facility("BLR-1", PARTY)


def shipment(number: str, *, boxes: int = 3) -> Shipment:
    return Shipment(
        number=number,
        order_number=f"PO-{number}",
        facility="BLR-1",
        shipping_provider="clickpost-b2b",
        consignee=PARTY,
        payment=Payment(mode=PaymentMode.PREPAID),
        invoices=(Invoice(number=f"INV-{number}", date=date(2026, 11, 1), value=Decimal("23600.50")),),
        boxes=tuple(Box(40, 30, 20, 5_000 + n) for n in range(boxes)),
    )


@dataclass(slots=True)
class Bench:
    """Shipments by their number, and `now`, which only tests move."""

    pool: Pool
    tools: Tools
    vault: Vault
    aggregator: Scripted
    now: datetime = NOON
    ids: dict[str, int] = field(default_factory=dict)

    def aggregate_with(self, aggregator: Aggregator) -> None:
        """From now on this one is spoken to."""
        self.tools = replace(self.tools, aggregator=lambda _claim: aggregator)

    async def schedule(self, *arriving: Shipment) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            kept = await shipments.keep(connection, [shipments.Arrival(each) for each in arriving], self.now)
            self.ids.update({s.number: k.shipment_id for s, k in zip(arriving, kept, strict=True)})
            await shipments.schedule_all(connection, [k.shipment_id for k in kept], self.now)

    async def work(self) -> int:
        """Everything that is due now, and what becomes due by it."""
        done = 0
        for _ in range(ROUNDS_MAX):
            count = await work_off(self.tools, self.now)
            done += count
            if not count:
                return done
        raise AssertionError("there is always something due: the dispatcher runs in a circle")

    async def until(self, end: datetime) -> list[datetime]:
        """Works through every due time up to `end`, and returns those at which something was done."""
        moments = []
        while True:
            if await self.work():
                moments.append(self.now)
            due = await self.pool.fetchval("SELECT min(due_at) FROM turns WHERE due_at > $1", self.now)
            if due is None or due > end:
                self.now = end
                return moments
            self.now = due

    async def progress(self, number: str) -> Progress:
        async with self.pool.acquire() as connection:
            seen = await showing.see(connection, [self.ids[number]])
        return seen[self.ids[number]].progress

    async def status(self, number: str) -> Status:
        """What is shown, and that what lists know of it says the same at the same moment."""
        shipment_id = self.ids[number]
        async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            shown = status((await showing.see(connection, [shipment_id]))[shipment_id].progress)
            assert await connection.fetchval("SELECT status FROM shipments WHERE id = $1", shipment_id) == shown
            await check_listed(connection, shipment_id)
        return shown

    async def turn(self, number: str, priority: int) -> Turn:
        return next(turn for turn in (await self.progress(number)).run_turns if turn.priority == priority)

    async def rows(self, sql: str, *given: object) -> list[asyncpg.Record]:
        return list(await self.pool.fetch(sql, *given))


async def make_bench(
    pool: Pool, folder: Path, *, aggregator: Aggregator | None = None, rules: Rules | None = None
) -> Bench:
    vault = Vault("a secret of these tests")
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B"))
        await providers.put_connector(
            connection, vault, "clickpost-b2b", Connector("desk", "key-1", appointment_after_days=2)
        )
        await providers.put_facility(connection, BLR)
    scripted = Scripted()
    labels = LabelStore.at(str(folder))
    tools = Tools(pool, Keyring(vault), labels, lambda _claim: aggregator or scripted, rules or Rules(), calls_max=50)
    return Bench(pool, tools, vault, scripted)
