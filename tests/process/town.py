"""A Bilty of processes beside a sandbox, and what must be true of both when all has come to rest."""

import asyncio
import contextlib
import csv
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import msgspec

from bilty.importing import import_orders, schedule_orders
from bilty.intake import IntakeRules, parse_facility
from bilty.shipment import Facility
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import providers
from bilty.store.database import CHANGED_CHANNEL, DUE_CHANNEL, UNAVAILABLE, Pool, connect_pool, listening
from bilty.store.secrets import Vault
from bilty.turn import TRAITS, State
from bilty.turn import Kind as TurnKind
from bilty.workflow import Status
from bilty_sandbox import DEMO_KEY, DEMO_USERNAME
from process.programs import WITHIN_S

EXAMPLES = Path(__file__).parents[2] / "examples"
PROVIDER = ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B")
SPEED = 480
"""Of the sandbox. Bilty's intervals are ClickPost's by as much, so that the courier's minutes fit into its windows."""
QUICK = {
    "BILTY_ALLOW_PRIVATE_ADDRESSES": "true",
    "BILTY_POLL_INTERVAL_SECONDS": 120 / SPEED,
    "BILTY_WATCH_INTERVAL_SECONDS": 600 / SPEED,
}
ENDED = (Status.LABEL_READY, Status.FAILED, Status.NOT_SERVICEABLE, Status.NEEDS_ATTENTION)
HOLDS = [state for state in State if TRAITS[state][0] is TurnKind.HOLDS]


class Child(msgspec.Struct):
    awb: str
    box: int


class Booking(msgspec.Struct):
    """What the sandbox says of one reference."""

    reference: str
    awb: str
    live: bool
    boxes_count: int
    posts: int
    posts_that_differed: int
    posts_to_other_couriers: int
    children: list[Child]
    label_sha256: str | None


class Truth(msgspec.Struct):
    pending: list[str]
    bookings: list[Booking]

    @property
    def live(self) -> list[Booking]:
        return [booking for booking in self.bookings if booking.live]


async def truth_at(url: str) -> Truth:
    """The whole truth of the sandbox whose address ends in /api."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        answer = await client.get(f"{url.removesuffix('/api')}/sandbox/truth?limit=10000")
    return msgspec.json.decode(answer.content, type=Truth)


def first_orders(count: int, file: Path) -> Path:
    """The first so many shipments of the sample orders, as a file of their own."""
    with (EXAMPLES / "orders.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = list(csv.reader(stream))
    numbers = list(dict.fromkeys(row[0] for row in rows))[:count]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *(row for row in rows if row[0] in numbers)])
    return file


def sample_facilities() -> list[Facility]:
    documents = msgspec.json.decode((EXAMPLES / "facilities.json").read_bytes(), type=list[dict[str, object]])
    parsed = [parse_facility(str(document.pop("code")), document) for document in documents]
    return [facility for facility in parsed if isinstance(facility, Facility)]


@dataclass(slots=True)
class Town:
    """Bilty's database from outside: furnished, watched, and held against the sandbox's truth."""

    pool: Pool
    url: str
    ids: list[int] = field(default_factory=list)
    told: int = 0
    """How often the database said that something changed."""
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def furnish(self, vault: Vault, connector: Connector | None = None) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await providers.put_provider(connection, PROVIDER)
            given = connector or Connector(DEMO_USERNAME, DEMO_KEY, appointment_after_days=2)
            await providers.put_connector(connection, vault, PROVIDER.code, given)
            for facility in sample_facilities():
                await providers.put_facility(connection, facility)

    async def schedule(self, orders: Path) -> None:
        now = datetime.now(UTC)
        report = await import_orders(self.pool, orders, IntakeRules(), now)
        assert report.faults == []
        self.ids = report.ids
        assert await schedule_orders(self.pool, self.ids, now) == len(self.ids)

    def heard(self, channel: str, _payload: str) -> None:
        if channel == CHANGED_CHANNEL:
            self.told += 1
            self._told.set()

    async def changed(self) -> None:
        """Until the database says that something changed since this was last asked."""
        await self._told.wait()
        self._told.clear()

    async def until_told(self, times: int) -> None:
        """Until so many more changes were told."""
        enough = self.told + times
        async with asyncio.timeout(WITHIN_S):
            while self.told < enough:
                await self.changed()

    async def lease_ran_out(self) -> int:
        """What a dead process claimed is due: after `claims.LEASE` the database's clock would have made it so.

        Moving the facts instead of the clock spares a test that minute. Returns how many calls were out.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE turns IN EXCLUSIVE MODE")  # what the dead one committed last is in
            out = await connection.fetch(
                "UPDATE turns SET due_at = clock_timestamp() WHERE claimed_at IS NOT NULL RETURNING id"
            )
            await connection.execute("SELECT pg_notify($1, '')", DUE_CHANNEL)  # a living worker knew of a later time
        return len(out)

    async def revived(self, before: datetime) -> None:
        """Until another server runs than that of `before`; then what was claimed with that one's last word is due.

        Such a claim is written down, and whoever made it never heard so: nobody calls until its lease ends.
        """
        async with asyncio.timeout(WITHIN_S):
            while True:
                await self.changed()
                with contextlib.suppress(*UNAVAILABLE, asyncpg.InternalClientError):
                    if await self.pool.fetchval("SELECT pg_postmaster_start_time()") > before:
                        await self.lease_ran_out()
                        return

    async def rest(self) -> Truth:
        """Until every shipment has an end and both books agree that nothing more comes. Returns the sandbox's."""
        looked = "nothing"
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    await self.changed()
                    with contextlib.suppress(*UNAVAILABLE, TimeoutError):
                        truth = await truth_at(self.url)
                        open_ones, awbs = await self._open(), await self._awbs()
                        unheard = [b.reference for b in truth.live if awbs.get(b.reference) != b.awb]
                        looked = f"open {open_ones}, pending {truth.pending}, unheard {unheard}"
                        if not (open_ones or truth.pending or unheard):
                            return truth
        except TimeoutError:
            raise AssertionError(f"did not come to rest: {looked}") from None

    async def _open(self) -> list[str]:
        rows = await self.pool.fetch(
            """SELECT number || ' ' || status AS what FROM shipments WHERE id = ANY($1) AND NOT status = ANY($2)
               UNION ALL
               SELECT reference || ' ' || state FROM turns WHERE state IN ('surplus', 'uncancelled')
                   OR claimed_at IS NOT NULL""",
            self.ids,
            list(ENDED),
        )
        return [row["what"] for row in rows]

    async def _awbs(self) -> dict[str, str]:
        return {row["reference"]: row["awb"] for row in await self.pool.fetch("SELECT reference, awb FROM turns")}

    async def awbs(self) -> set[str]:
        """Those that Bilty has heard of."""
        return {awb for awb in (await self._awbs()).values() if awb}

    async def statuses(self) -> Counter[str]:
        rows = await self.pool.fetch("SELECT status FROM shipments WHERE id = ANY($1)", self.ids)
        return Counter(row["status"] for row in rows)

    async def check(self, truth: Truth) -> None:
        """What holds at rest, whatever died on the way."""
        rows = await self.pool.fetch(
            """SELECT t.reference, t.awb, t.state, t.label_sha256, s.id AS shipment, s.number, s.box_count, s.status
                 FROM turns t JOIN shipments s ON s.id = t.shipment_id WHERE t.priority > 0"""
        )
        turns = {row["reference"]: row for row in rows}
        assert [b.reference for b in truth.bookings if b.reference not in turns] == []
        doubled = Counter(turns[b.reference]["number"] for b in truth.live)
        assert [number for number, count in doubled.items() if count > 1] == []
        assert [b.reference for b in truth.live if turns[b.reference]["state"] not in HOLDS] == []
        assert [b.reference for b in truth.bookings if b.boxes_count != turns[b.reference]["box_count"]] == []
        assert [b.reference for b in truth.bookings if b.posts_that_differed or b.posts_to_other_couriers] == []
        live = {b.reference: b for b in truth.live}
        holders = [row for row in rows if row["state"] in HOLDS]
        assert [(r["reference"], r["awb"]) for r in holders if r["awb"] != live[r["reference"]].awb] == []
        won = [row for row in holders if row["state"] == State.WON]
        assert won, "nothing was booked: this would prove nothing"
        assert {row["number"] for row in won} == {row["number"] for row in rows if row["status"] == Status.LABEL_READY}
        assert [r["reference"] for r in won if r["label_sha256"] != live[r["reference"]].label_sha256] == []
        await self._check_boxes({row["shipment"]: live[row["reference"]] for row in holders})

    async def _check_boxes(self, bookings: dict[int, Booking]) -> None:
        """No box has another box's waybill."""
        rows = await self.pool.fetch("SELECT shipment_id, number, awb FROM boxes WHERE awb <> ''")
        for row in rows:
            booking = bookings[row["shipment_id"]]
            true = {child.box: child.awb for child in booking.children}
            assert row["awb"] == true.get(row["number"], booking.awb), (booking.reference, row["number"])


@contextlib.asynccontextmanager
async def town_at(dsn: str, url: str) -> AsyncIterator[Town]:
    pool = await connect_pool(dsn, size=3)
    town = Town(pool, url)
    try:
        async with listening(dsn, town.heard):
            yield town
    finally:
        pool.terminate()
