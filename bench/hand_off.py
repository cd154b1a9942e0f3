"""Kills `bilty work` again and again while shipments move, and holds what order systems heard against what happened.

Each time some shipments are scheduled at the sandbox, and the worker is killed (SIGKILL): every second time while an
order system has heard an event and not answered yet, else a random moment later, with facts written and not told,
messages sent and not settled, calls to ClickPost out. In the end a last worker is left alone until nothing is owed.
Then every event must have arrived at every endpoint at least once, and the first arrivals of each shipment in the
order of its events.

What a dead worker had claimed is due again when its lease ends; the bench says that it has ended, which changes when
it is taken up again and nothing else.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg

from bilty import postgres
from bilty.hand_off import EventKind
from bilty.intake.endpoints import NewEndpoint
from bilty.shipment import Box, Facility, Invoice, Party, Payment, PaymentMode, Shipment
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import providers
from bilty.store.audit import COMMAND
from bilty.store.database import DUE_CHANNEL, HAND_OFF_CHANNEL, Pool, connect_pool, migrate
from bilty.store.hand_off import endpoints, events
from bilty.store.secrets import Vault
from bilty.store.shipments import Arrival, keep, schedule_all
from bilty_sandbox import DEMO_KEY, DEMO_USERNAME, Options, Sandbox, serve

SPEED = 480
SECRET_KEY = "of this bench alone"  # noqa: S105 - it seals what lasts minutes
SHIPMENTS = 6
KILLED_WITHIN_S = 0.8
UP_WITHIN_S, HEARD_WITHIN_S, REST_WITHIN_S = 120, 60, 300
ANSWERS_WITHIN_S = 0.08
FAULTY_ONE_IN = 60
ENDPOINTS = ("first", "second")
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


@dataclass(slots=True)
class Heard:
    """What the order systems heard, by endpoint: the events' names, in the order of their arrival."""

    arrived: dict[str, list[str]] = field(default_factory=lambda: {code: [] for code in ENDPOINTS})
    dice: random.Random = field(default_factory=random.Random)
    spoken_to: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    @contextlib.asynccontextmanager
    async def mute(self) -> AsyncIterator[asyncio.Event]:
        """Hears, and answers nobody; the event is set once it was spoken to."""
        self.spoken_to.clear()
        self.answers.clear()
        try:
            yield self.spoken_to
        finally:
            self.answers.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in head[1:])}
                await reader.readexactly(int(headers["content-length"]))
                self.arrived[head[0].split()[1].strip("/")].append(headers["webhook-id"])
                self.spoken_to.set()
                await self.answers.wait()
                await asyncio.sleep(self.dice.uniform(0, ANSWERS_WITHIN_S))
                faulty = self.dice.randrange(FAULTY_ONE_IN) == 0
                status = b"503 Service Unavailable" if faulty else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


@dataclass(frozen=True, slots=True)
class Result:
    """`met_…`: kills that met something, so that they prove something."""

    kills: int
    shipments: int
    events: int
    endpoints: int
    lost: int
    out_of_order: int
    repeated: int
    met_untold_facts: int
    met_messages_out: int
    met_courier_calls_out: int
    kinds: dict[str, int]
    seconds: float


def shipment(number: str) -> Shipment:
    return Shipment(
        number=number,
        order_number=f"PO-{number}",
        facility="BLR-1",
        shipping_provider="clickpost-b2b",
        consignee=PARTY,
        payment=Payment(mode=PaymentMode.PREPAID),
        invoices=(Invoice(number=f"INV-{number}", date=date(2026, 11, 1), value=Decimal("23600.50")),),
        boxes=tuple(Box(40, 30, 20, 5_000 + n) for n in range(3)),
    )


async def furnish(pool: Pool, port: int) -> None:
    vault = Vault(SECRET_KEY)
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B"))
        connector = Connector(DEMO_USERNAME, DEMO_KEY, appointment_after_days=2)
        await providers.put_connector(connection, vault, "clickpost-b2b", connector)
        await providers.put_facility(connection, Facility("BLR-1", PARTY))
        for code in ENDPOINTS:
            new = NewEndpoint(code, f"http://127.0.0.1:{port}/{code}", tuple(EventKind), None, enabled=True)
            await endpoints.put(connection, vault, new, COMMAND)


async def schedule(pool: Pool, numbers: list[str]) -> None:
    now = datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        kept = await keep(connection, [Arrival(shipment(number)) for number in numbers], now)
        await schedule_all(connection, [each.shipment_id for each in kept], now)


@dataclass(frozen=True, slots=True)
class Workers:
    dsn: str
    sandbox: Sandbox
    folder: Path

    async def start(self) -> asyncio.subprocess.Process:
        """Up and working."""
        settings = {
            "BILTY_DATABASE_URL": self.dsn,
            "BILTY_DATA_DIR": str(self.folder / "data"),
            "BILTY_SECRET_KEY": SECRET_KEY,
            "BILTY_CLICKPOST_URL": self.sandbox.url,
            "BILTY_ALLOW_PRIVATE_ADDRESSES": "true",
            "BILTY_POLL_INTERVAL_SECONDS": str(120 / SPEED),
            "BILTY_WATCH_INTERVAL_SECONDS": str(600 / SPEED),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
        with (self.folder / "worker.log").open("ab") as log:
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bilty", "work"),
                env={**inherited, **settings},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert worker.stdout is not None
        try:
            async with asyncio.timeout(UP_WITHIN_S):
                while b"is up" not in (line := await worker.stdout.readline()):
                    assert line, "the worker ended by itself"
        except (AssertionError, TimeoutError):
            log_file = self.folder / "worker.log"
            sys.exit(f"A worker does not come up:\n{log_file.read_text('utf-8', 'replace')[-4000:]}")
        return worker


async def leases_ran_out(pool: Pool) -> tuple[int, int]:
    """How many messages and calls to couriers were out when the worker died; all of them are due now."""
    async with pool.acquire() as connection, connection.transaction():
        # What the dead one committed last is in, once nobody writes any more.
        await connection.execute("LOCK TABLE lanes, turns IN EXCLUSIVE MODE")
        told = await connection.fetch(
            "UPDATE lanes SET due_at = clock_timestamp() WHERE claimed_at IS NOT NULL RETURNING endpoint_id"
        )
        asked = await connection.fetch(
            "UPDATE turns SET due_at = clock_timestamp() WHERE claimed_at IS NOT NULL RETURNING id"
        )
        await connection.execute("SELECT pg_notify($1, ''), pg_notify($2, '')", DUE_CHANNEL, HAND_OFF_CHANNEL)
    return len(told), len(asked)


async def rest(pool: Pool) -> None:
    """Until every shipment has come to an end and nobody is owed anything."""
    looked = ""
    try:
        async with asyncio.timeout(REST_WITHIN_S):
            while True:
                row = await pool.fetchrow(
                    """SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS untold,
                              (SELECT count(*) FROM shipments WHERE status IN ('scheduling', 'label_requested',
                                                                               'cancelling')) AS moving"""
                )
                assert row is not None
                looked = f"{row['untold']} untold, {row['moving']} shipments moving"
                if not row["untold"] and not row["moving"]:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        sys.exit(f"It does not come to rest: {looked}.")


async def judge(pool: Pool, heard: Heard, met: Counter[str], kills: int, began: float) -> Result:
    rows = await pool.fetch("SELECT id, uid, shipment_id, kind FROM events ORDER BY id")
    place = {events.event_id(row["uid"]): (row["shipment_id"], row["id"]) for row in rows}
    lost = out_of_order = repeated = 0
    for arrived in heard.arrived.values():
        firsts = list(dict.fromkeys(arrived))
        lost += len(place.keys() - set(firsts))
        repeated += len(arrived) - len(firsts)
        last: dict[int, int] = {}
        for name in firsts:
            shipment_id, event_id = place[name]
            out_of_order += event_id < last.get(shipment_id, 0)
            last[shipment_id] = max(event_id, last.get(shipment_id, 0))
    return Result(
        kills=kills,
        shipments=len({row["shipment_id"] for row in rows}),
        events=len(rows),
        endpoints=len(ENDPOINTS),
        lost=lost,
        out_of_order=out_of_order,
        repeated=repeated,
        met_untold_facts=met["untold"],
        met_messages_out=met["told"],
        met_courier_calls_out=met["asked"],
        kinds=dict(Counter(row["kind"] for row in rows)),
        seconds=round(time.monotonic() - began, 1),
    )


async def run(dsn: str, times: int, seed: int, folder: Path) -> Result:
    began, dice, met = time.monotonic(), random.Random(seed), Counter[str]()  # noqa: S311 - not for secrets
    heard = Heard(dice=random.Random(seed + 1))  # noqa: S311 - as above
    async with ground(dsn, heard) as pool, serve(Options(seed=seed, speed=SPEED)) as sandbox:
        workers = Workers(dsn, sandbox, folder)
        for nth in range(times):
            worker = await workers.start()
            async with heard.mute() if nth % 2 == 0 else contextlib.nullcontext() as spoken_to:
                await schedule(pool, [f"K{nth}-{n}" for n in range(SHIPMENTS)])
                if spoken_to is None:
                    await asyncio.sleep(dice.uniform(0, KILLED_WITHIN_S))
                else:
                    await asyncio.wait_for(spoken_to.wait(), HEARD_WITHIN_S)
                worker.send_signal(signal.SIGKILL)
                await worker.wait()
            told, asked = await leases_ran_out(pool)
            untold = await pool.fetchval("SELECT EXISTS (SELECT FROM deliveries WHERE state = 'waiting')")
            met.update(untold=untold, told=told > 0, asked=asked > 0)
            print(f"  killed {nth + 1:>4} times, {told} messages out, {asked} calls out", file=sys.stderr, flush=True)
        worker = await workers.start()
        await rest(pool)
        worker.terminate()
        assert await worker.wait() == 0, "the last worker did not stop as it should"
        return await judge(pool, heard, met, times, began)


@contextlib.asynccontextmanager
async def ground(dsn: str, heard: Heard) -> AsyncIterator[Pool]:
    """The database made, with endpoints at a receiver of ours."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    await connection.close()
    pool = await connect_pool(dsn, size=3)
    receiver = await asyncio.start_server(heard.serve, "127.0.0.1", 0)
    try:
        await furnish(pool, receiver.sockets[0].getsockname()[1])
        yield pool
    finally:
        receiver.close()
        pool.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench hand_off", description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="how often it is killed")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with postgres.running(folder / "postgres", durable=False) as dsn:
            result = asyncio.run(run(dsn, given.times, given.seed, folder))
    for key, value in asdict(result).items():
        print(f"{key.replace('_', ' '):<24}{value}")
    if given.json:
        print(json.dumps(asdict(result)))
    if result.lost or result.out_of_order:
        sys.exit("Events were lost, or came out of order.")


if __name__ == "__main__":
    main()
