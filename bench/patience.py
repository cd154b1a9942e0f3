"""120 bookings at a courier that takes 20 seconds to answer each, and how Bilty fares meanwhile.

`bilty up`, panel and dispatcher in one process, books them at the sandbox behind a gate of this bench that keeps each
create call back for so long. Beside it a few clients of the API read and write shipments as fast as they are answered:
before the bookings, while all of them are out, and after. What is told is how many connections to PostgreSQL there
were at most, and were in use (not idle), and the 95th percentile of the API's answers with the bookings and without.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bilty import postgres
from bilty.shipment import Facility, Party
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import access, providers
from bilty.store.access import Scope
from bilty.store.database import connect_pool, migrate
from bilty.store.secrets import Vault
from bilty_sandbox import DEMO_KEY, DEMO_USERNAME, Options, Policy, serve

BOOKINGS, ANSWERS_AFTER_S = 120, 20.0
CLIENTS, MEASURED_S = 4, 12.0
CONNECTIONS_MAX, RATIO_MAX = 10, 1.5
SAMPLED_EVERY_S = 0.02
WITHIN_S = 180
SECRET = "of this bench alone"  # noqa: S105 - it seals what lasts minutes
CREATE = b"POST /api/v1/create-b2b-order"
PROVIDER = ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B")
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
ORDER = {
    "order_number": "PO-1",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "consignee": {
        "name": "Receiving desk",
        "organisation": "Sahyadri Distributors",
        "phone": "9876543210",
        "address": "Plot 14, Industrial Area",
        "city": "Pune",
        "state": "Maharashtra",
        "pincode": "411018",
    },
    "payment": {"mode": "prepaid"},
    "invoices": [{"number": "INV-1", "date": "2026-11-20", "value": "23600.00"}],
    "boxes": [{"count": 3, "length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 12500}],
}


async def message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of a request or an answer. Raises IncompleteReadError at the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    return head, await reader.readexactly(length)


@dataclass(slots=True)
class SlowCourier:
    """Passes on what it is asked, and each create call's answer so much later. `out`: how many it keeps now."""

    sandbox: str
    answers_after_s: float
    url: str = ""
    out: int = 0
    all_out: asyncio.Event = field(default_factory=asyncio.Event)
    none_out: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head, body = await message(reader)
                answer = await self._answered(head + body)
                if head.startswith(CREATE):
                    await self._kept_back()
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _answered(self, call: bytes) -> bytes:
        parts = urlsplit(self.sandbox)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(call)
        head, body = await message(reader)
        writer.close()
        return head + body

    async def _kept_back(self) -> None:
        self.out += 1
        if self.out == BOOKINGS:
            self.all_out.set()
        await asyncio.sleep(self.answers_after_s)
        self.none_out.set()  # the first of them comes back: what was measured beside all of them ends here
        self.out -= 1


@dataclass(slots=True)
class Api:
    """Callers on connections of their own, each making one request behind the other."""

    port: int
    key: str
    serial: int = 0
    errors: int = 0

    async def measure(self, ended: asyncio.Event, seconds: float) -> list[float]:
        """What each answer took, in milliseconds, for so long or until `ended`."""
        until = time.monotonic() + seconds
        took: list[list[float]] = await asyncio.gather(*(self._call(ended, until) for _ in range(CLIENTS)))
        return [each for one in took for each in one]

    async def _call(self, ended: asyncio.Event, until: float) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        took: list[float] = []
        while time.monotonic() < until and not ended.is_set():
            shipment_id = await self._timed(reader, writer, took, "POST", "", schedule=False)
            await self._timed(reader, writer, took, "GET", f"/{shipment_id}")
            await self._timed(reader, writer, took, "GET", "?limit=50")
        writer.close()
        return took

    async def schedule(self) -> int:
        """One shipment to be booked at once. Its id."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        shipment_id = await self._timed(reader, writer, [], "POST", "", schedule=True)
        writer.close()
        return shipment_id

    async def _timed(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        took: list[float],
        method: str,
        path: str,
        *,
        schedule: bool = False,
    ) -> int:
        body = b""
        if method == "POST":
            self.serial += 1
            body = json.dumps({**ORDER, "number": f"SO-{self.serial}", "schedule": schedule}).encode()
        began = time.monotonic()
        writer.write(
            f"{method} /api/v1/shipments{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head, answer = await message(reader)
        took.append((time.monotonic() - began) * 1e3)
        if int(head.split()[1]) >= 400:
            self.errors += 1
            return 0
        return int(json.loads(answer).get("id", 0))


@dataclass(slots=True)
class Connections:
    """Of Bilty to PostgreSQL, at most, while somebody samples them."""

    open: int = 0
    in_use: int = 0
    samples: int = 0

    async def sample(self, dsn: str) -> None:
        watcher = await asyncpg.connect(dsn, server_settings={"application_name": "bench"})
        while True:
            row = await watcher.fetchrow(
                """SELECT count(*) AS open, count(*) FILTER (WHERE state <> 'idle') AS in_use FROM pg_stat_activity
                    WHERE datname = current_database() AND backend_type = 'client backend'
                      AND application_name <> 'bench'"""
            )
            assert row is not None, "an aggregate has a row"
            self.open, self.in_use = max(self.open, row["open"]), max(self.in_use, row["in_use"])
            self.samples += 1
            await asyncio.sleep(SAMPLED_EVERY_S)


@contextlib.asynccontextmanager
async def bilty_up(dsn: str, clickpost: str, folder: Path) -> AsyncIterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    settings = {
        "BILTY_DATABASE_URL": dsn,
        "BILTY_DATA_DIR": str(folder / "data"),
        "BILTY_SECRET_KEY": SECRET,
        "BILTY_LISTEN": f"127.0.0.1:{port}",
        "BILTY_CLICKPOST_URL": clickpost,
        "BILTY_ALLOW_PRIVATE_ADDRESSES": "true",
        "BILTY_KEY_REQUESTS_PER_SECOND": "100000",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    with (folder / "up.log").open("wb") as log:
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bilty", "up"),
            env={**inherited, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert up.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            while b"is up" not in (line := await up.stdout.readline()):
                if not line:
                    sys.exit(f"bilty up ended by itself:\n{(folder / 'up.log').read_text('utf-8', 'replace')[-4000:]}")
        yield port
    finally:
        up.terminate()
        await up.wait()


async def furnish(dsn: str) -> str:
    """Returns an API key."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    async with connection.transaction():
        await providers.put_provider(connection, PROVIDER)
        connector = Connector(DEMO_USERNAME, DEMO_KEY, appointment_after_days=2)
        await providers.put_connector(connection, Vault(SECRET), PROVIDER.code, connector)
        await providers.put_facility(connection, Facility("BLR-1", PARTY))
        key = await access.add_key(connection, "bench", Scope.DISPATCH)
    await connection.close()
    return key


async def labelled(dsn: str, shipment_ids: list[int]) -> dict[str, int]:
    """How many shipments stand how, once none of them moves any more."""
    pool = await connect_pool(dsn, size=1)
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                rows = await pool.fetch(
                    "SELECT status, count(*) FROM shipments WHERE id = ANY($1) GROUP BY status", shipment_ids
                )
                if not {row["status"] for row in rows} & {"scheduling", "label_requested"}:
                    return {row["status"]: row["count"] for row in rows}
                await asyncio.sleep(0.2)
    finally:
        pool.terminate()


@dataclass(frozen=True, slots=True)
class Result:
    bookings: int
    seconds_each: float
    statuses: dict[str, int]
    errors: int
    connections_open: int
    connections_in_use: int
    samples: int
    p95_ms_before: float
    p95_ms_beside: float
    p95_ms_after: float
    p95_ratio: float
    answers_beside: int
    holds: bool


def p95(took: list[float]) -> float:
    return round(statistics.quantiles(took, n=20)[-1], 1)


async def measured(api: Api, courier: SlowCourier, dsn: str, seconds: float) -> Result:
    never = asyncio.Event()
    await api.measure(never, seconds / 4)  # what is made at the first use is made
    before = await api.measure(never, seconds)
    connections = Connections()
    sampling = asyncio.create_task(connections.sample(dsn))
    ids = await asyncio.gather(*(api.schedule() for _ in range(BOOKINGS)))
    await asyncio.wait_for(courier.all_out.wait(), WITHIN_S)
    beside = await api.measure(courier.none_out, courier.answers_after_s)
    statuses = await labelled(dsn, ids)
    sampling.cancel()
    after = await api.measure(never, seconds)
    ratio = round(p95(beside) / statistics.mean((p95(before), p95(after))), 2)
    fine = statuses == {"label_ready": BOOKINGS} and not api.errors
    return Result(
        bookings=BOOKINGS,
        seconds_each=courier.answers_after_s,
        statuses=statuses,
        errors=api.errors,
        connections_open=connections.open,
        connections_in_use=connections.in_use,
        samples=connections.samples,
        p95_ms_before=p95(before),
        p95_ms_beside=p95(beside),
        p95_ms_after=p95(after),
        p95_ratio=ratio,
        answers_beside=len(beside),
        holds=fine and 0 < connections.in_use <= CONNECTIONS_MAX and ratio <= RATIO_MAX,
    )


async def run(dsn: str, folder: Path, given: argparse.Namespace) -> Result:
    key = await furnish(dsn)
    async with serve(Options(policy=Policy.none())) as sandbox:
        courier = SlowCourier(sandbox.url, given.answers_after)
        gate = await asyncio.start_server(courier.serve, "127.0.0.1", 0, backlog=4096)
        courier.url = f"http://127.0.0.1:{gate.sockets[0].getsockname()[1]}/api"
        try:
            async with bilty_up(dsn, courier.url, folder) as port:
                return await measured(Api(port, key), courier, dsn, given.seconds)
        finally:
            gate.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench patience", description=__doc__)
    parser.add_argument("--answers-after", type=float, default=ANSWERS_AFTER_S, help="seconds a courier takes")
    parser.add_argument("--seconds", type=float, default=MEASURED_S, help="for how long the API is measured without")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with postgres.running(folder / "postgres", durable=False) as dsn:
            result = asyncio.run(run(dsn, folder, given))
    for key, value in asdict(result).items():
        print(f"{key.replace('_', ' '):<20}{value}")
    print(f"wanted: {CONNECTIONS_MAX} connections in use at most, a ratio of {RATIO_MAX} at most, and every label")
    if given.json:
        print(json.dumps(asdict(result)))
    if not result.holds:
        sys.exit("It does not hold.")


if __name__ == "__main__":
    main()
