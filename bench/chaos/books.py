"""What the judge is shown: Bilty's books as they stand in PostgreSQL and in the label store, and the sandbox's truth.

Read past the proxies. First everything must have come to rest: nobody owes anything any more.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec

from bench.chaos.asking import Broken, Caller
from bench.chaos.judge import Evidence, Given, Kept, KeptTurn
from bench.chaos.oms import Told
from bilty.store.database import DUE_CHANNEL, HAND_OFF_CHANNEL, UNAVAILABLE

PAGE = 5_000
LOOK_EVERY_S = 1.0

_WAITS = """
    SELECT shipment_id, string_agg(DISTINCT what, ', ' ORDER BY what) AS what FROM (
        SELECT id AS shipment_id, status AS what FROM shipments
         WHERE status IN ('created', 'on_hold', 'scheduling', 'label_requested', 'cancelling')
        UNION ALL
        SELECT id, 'needs attention, and nobody is shown why' FROM shipments
         WHERE status = 'needs_attention' AND (concerned_at IS NULL OR concerns = '{}')
        UNION ALL
        SELECT shipment_id, reference || ' is ' || state FROM turns
         WHERE state IN ('surplus', 'offered', 'uncancelled', 'fetching')
        UNION ALL
        SELECT shipment_id, 'an event is ' || state FROM deliveries WHERE state <> 'delivered') AS open
     GROUP BY shipment_id"""


class Child(msgspec.Struct):
    awb: str
    box: int


class Booking(msgspec.Struct):
    reference: str
    invoices: tuple[str, ...]
    awb: str
    live: bool
    boxes_count: int
    children: tuple[Child, ...]
    label_sha256: str | None


class Page(msgspec.Struct):
    total: int
    pending: tuple[str, ...]
    bookings: tuple[Booking, ...]


_PAGE = msgspec.json.Decoder(Page)


async def truth(sandbox_url: str) -> tuple[list[Given], tuple[str, ...]]:
    """All that the sandbox was ever asked to book, and the references that may yet get an AWB."""
    parts = urlsplit(sandbox_url)
    caller, found = Caller((str(parts.hostname), int(parts.port or 80))), list[Given]()
    while True:
        answer = await caller.ask("GET", f"/sandbox/truth?limit={PAGE}&offset={len(found)}")
        page = _PAGE.decode(answer.body)
        found += [_given(each) for each in page.bookings]
        if not page.bookings or len(found) >= page.total:
            return found, page.pending


def _given(each: Booking) -> Given:
    children = {child.box: child.awb for child in each.children if child.box}
    return Given(each.reference, each.invoices, each.awb, each.live, each.boxes_count, children, each.label_sha256)


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        connection.terminate()


async def open_ones(dsn: str) -> int | None:
    """How many shipments are under way; None while the database is away."""
    with contextlib.suppress(*UNAVAILABLE):
        async with reading(dsn) as connection:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM shipments WHERE status IN ('scheduling', 'label_requested', 'cancelling')"
                )
            )
    return None


async def leases_ended(dsn: str, claimed_before: datetime) -> None:
    """Says that they have, and so have long waits before a label or a cancel is asked for: facts move, not the clock.

    What somebody has in hand is left to them.
    """
    with contextlib.suppress(*UNAVAILABLE):
        async with reading(dsn) as connection:
            await connection.execute(
                """UPDATE turns SET due_at = clock_timestamp() WHERE id IN (
                       SELECT id FROM turns
                        WHERE due_at > clock_timestamp()
                          AND (claimed_at < $1 OR state IN ('offered', 'uncancelled', 'fetching'))
                          FOR NO KEY UPDATE SKIP LOCKED)""",
                claimed_before,
            )
            await connection.execute(
                """UPDATE lanes l SET due_at = clock_timestamp()
                     FROM (SELECT endpoint_id, shipment_id FROM lanes
                            WHERE claimed_at < $1 AND due_at > clock_timestamp() FOR NO KEY UPDATE SKIP LOCKED) AS dead
                    WHERE (l.endpoint_id, l.shipment_id) = (dead.endpoint_id, dead.shipment_id)""",
                claimed_before,
            )
            await connection.execute("SELECT pg_notify($1, ''), pg_notify($2, '')", DUE_CHANNEL, HAND_OFF_CHANNEL)


async def rest(dsn: str, sandbox_url: str, within_s: float, *, hurry: bool = False) -> str:
    """Until nobody owes anything, or for so long. Returns what was still owed, blank where nothing was.

    In a `hurry`, whatever was claimed before is as if its lease had ended.
    """
    began = datetime.now(UTC)
    until, owed = time.monotonic() + within_s, "nothing was looked at"
    while owed and time.monotonic() < until:
        with contextlib.suppress(*UNAVAILABLE, Broken):
            owed = await _owed(dsn, sandbox_url)
        if owed and hurry:
            await leases_ended(dsn, began)
        if owed:
            await asyncio.sleep(LOOK_EVERY_S)
    return owed


async def _owed(dsn: str, sandbox_url: str) -> str:
    async with reading(dsn) as connection:
        waits = await connection.fetch(_WAITS)
        if waits:
            return f"{len(waits)} shipments wait, one for: {waits[0]['what']}"
        turns = await connection.fetch("SELECT reference, awb FROM turns WHERE priority > 0")
    given, pending = await truth(sandbox_url)
    awbs = {row["reference"]: row["awb"] for row in turns}
    unheard = [each.reference for each in given if each.live and awbs.get(each.reference) != each.awb]
    if pending or unheard:
        return f"{len(pending)} AWBs are to come, {len(unheard)} are not heard of, like {(*unheard, *pending)[0]}"
    return ""


async def books(dsn: str, labels: Path) -> list[Kept]:
    async with reading(dsn) as connection:
        waits = {row["shipment_id"]: row["what"] for row in await connection.fetch(_WAITS)}
        shipments = await connection.fetch("SELECT id, number FROM shipments ORDER BY id")
        turns, boxes = defaultdict[int, list[KeptTurn]](list), defaultdict[int, list[str]](list)
        for row in await connection.fetch(
            "SELECT shipment_id, reference, awb, state, label_sha256 FROM turns WHERE priority > 0 ORDER BY id"
        ):
            turns[row["shipment_id"]].append(_turn(row, labels))
        for row in await connection.fetch("SELECT shipment_id, awb FROM boxes ORDER BY shipment_id, version, number"):
            boxes[row["shipment_id"]].append(row["awb"])
    return [
        Kept(row["id"], row["number"], tuple(boxes[row["id"]]), tuple(turns[row["id"]]), waits.get(row["id"], ""))
        for row in shipments
    ]


def _turn(row: asyncpg.Record, labels: Path) -> KeptTurn:
    sha256, paper = row["label_sha256"], ""
    if sha256:
        with contextlib.suppress(FileNotFoundError):
            content = (labels / "labels" / sha256[:2] / f"{sha256}.pdf").read_bytes()
            paper = hashlib.sha256(content).hexdigest()
    return KeptTurn(row["reference"], row["awb"], row["state"], sha256, paper)


def evidence(taken: dict[str, set[int]], kept: Sequence[Kept], given: Sequence[Given], told: Told) -> Evidence:
    return Evidence(taken, kept, given, told.handed, told.printed, told.ready, told.unopened)
