"""A long stream into POST /api/v1/shipments/bulk: rows a second, and how much memory the process takes at its end.

Starts a database and a `bilty web` of its own, streams rows from a generator, and reads results while it sends, or
with `--unread` only afterwards. Before it and all the while somebody else posts single shipments, whose answers are
timed.
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
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from bilty import postgres
from bilty.store import access
from bilty.store.access import Scope

CHUNK_ROWS = 200
PROBE_EVERY_S = 0.1
ALONE_S = 5
DAY = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")
PARTY: dict[str, object] = {
    "name": "Receiving desk",
    "organisation": "Sahyadri Distributors",
    "phone": "9876543210",
    "address": "Plot 14, Industrial Area",
    "city": "Pune",
    "state": "Maharashtra",
    "pincode": "411018",
}
SHIPMENT: dict[str, object] = {
    "number": "NUMBER",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "consignee": PARTY,
    "payment": {"mode": "prepaid"},
    "invoices": [{"number": "INV-1", "date": DAY, "value": "23600.00"}],
    "boxes": [{"count": 3, "length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 12500}],
}
HEADER = (
    b"number,facility,shipping_provider,consignee_name,consignee_organisation,consignee_phone,consignee_address,"
    b"consignee_city,consignee_state,consignee_pincode,payment_mode,invoice_number,invoice_date,invoice_value,"
    b"boxes,length_cm,breadth_cm,height_cm,weight_g\n"
)
ROW = (
    b"NUMBER,BLR-1,clickpost-b2b,Receiving desk,Sahyadri Distributors,9876543210,Plot 14 Industrial Area,"
    b"Pune,Maharashtra,411018,prepaid,INV-1," + DAY.encode() + b",23600.00,3,40,30,25,12500\n"
)
MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def chunks(rows: int, kind: str) -> Iterator[bytes]:
    template = ROW if kind == "csv" else msgspec.json.encode(SHIPMENT) + b"\n"
    before, after = template.split(b"NUMBER")
    if kind == "csv":
        yield HEADER
    for first in range(1, rows + 1, CHUNK_ROWS):
        yield b"".join(
            b"%bBK-%08d%b" % (before, number, after) for number in range(first, min(first + CHUNK_ROWS, rows + 1))
        )


@dataclass
class Measured:
    """Of the process: its peak of resident memory, in MB, when a tenth of the rows and when all were told."""

    rows: int
    told: int = 0
    last: dict[str, object] = field(default_factory=dict)
    seconds: float = 0
    peak_mb_at_tenth: float = 0
    peak_mb: float = 0
    alone_ms: list[float] = field(default_factory=list)
    neighbours_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        return {
            "rows": self.rows,
            "last": self.last,
            "seconds": round(self.seconds, 1),
            "rows_per_s": round(self.rows / self.seconds),
            "peak_mb_at_tenth": round(self.peak_mb_at_tenth, 1),
            "peak_mb": round(self.peak_mb, 1),
            "ratio": round(self.peak_mb / self.peak_mb_at_tenth, 3),
            "neighbour_p50_ms": round(statistics.median(self.neighbours_ms), 1),
            "neighbour_p99_ms": round(statistics.quantiles(self.neighbours_ms, n=100)[-1], 1),
            "alone_p50_ms": round(statistics.median(self.alone_ms), 1),
            "alone_p99_ms": round(statistics.quantiles(self.alone_ms, n=100)[-1], 1),
        }


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


@dataclass
class House:
    """A `bilty web` of our own."""

    port: int
    pid: int
    key: str

    async def ask(self, method: str, path: str, document: object) -> int:
        """The status of an answer, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = msgspec.json.encode(document)
        head = self.head(method, path, "application/json") + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ")[1])

    def head(self, method: str, path: str, media: str) -> str:
        return (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: {media}\r\n"
        )


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[House]:
    with postgres.running(folder / "server") as server:
        port = _free_port()
        settings = {"DATABASE_URL": server, "DATA_DIR": str(folder / "data"), "LISTEN": f"127.0.0.1:{port}"}
        environment = os.environ | {f"BILTY_{name}": value for name, value in settings.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bilty", "web", env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await _listens(port)
            connection = await asyncpg.connect(server)
            async with connection.transaction():
                key = await access.add_key(connection, "bench", Scope.ADMIN)
            await connection.close()
            house = House(port, process.pid, key)
            await house.ask("PUT", "/shipping-providers/clickpost-b2b", {"kind": "clickpost_b2b", "name": "ClickPost"})
            assert await house.ask("PUT", "/facilities/BLR-1", {**PARTY, "gstin": "29AAGCB7383J1Z4"}) == 201
            yield house
        finally:
            process.terminate()
            await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


async def _listens(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise SystemExit("`bilty web` did not begin to listen within a minute.")


async def stream(house: House, measured: Measured, kind: str, *, unread: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=2**20)
    head = house.head("POST", "/shipments/bulk", MEDIA[kind]) + "Transfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    began = time.perf_counter()
    reading = None if unread else asyncio.create_task(_read(house, reader, measured))
    for chunk in chunks(measured.rows, kind):
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await (reading or _read(house, reader, measured))
    measured.seconds = time.perf_counter() - began
    measured.peak_mb = peak_mb(house.pid)
    writer.close()


async def _read(house: House, reader: asyncio.StreamReader, measured: Measured) -> None:
    """Every result is looked at: none is missing, and each is in its place."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head
    pending = b""
    while size := int(await reader.readline(), 16):
        *lines, pending = (pending + await reader.readexactly(size)).split(b"\n")
        await reader.readline()
        for line in lines:
            if line.startswith(b'{"done"'):
                measured.last = json.loads(line)
                continue
            measured.told += 1
            found = json.loads(line) if measured.told % 10_000 == 0 else None
            assert found is None or found["number"] == f"BK-{measured.told:08d}", found
            assert b'"result":"new"' in line, line
            if measured.told == measured.rows // 10:
                measured.peak_mb_at_tenth = peak_mb(house.pid)
            if found:
                print(f"  {measured.told:>9,} told, peak {peak_mb(house.pid):.1f} MB", file=sys.stderr)


async def neighbour(house: House, took_ms: list[float], name: str) -> None:
    """Somebody who posts one shipment after the other, on their own."""
    number = 0
    while True:
        number += 1
        began = time.perf_counter()
        assert await house.ask("POST", "/shipments", {**SHIPMENT, "number": f"{name}-{number}"}) == 201
        took_ms.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(PROBE_EVERY_S)


async def run(rows: int, kind: str, folder: Path, *, unread: bool) -> dict[str, object]:
    measured = Measured(rows)
    async with opened(folder) as house:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(neighbour(house, measured.alone_ms, "ALONE"), ALONE_S)
        beside = asyncio.create_task(neighbour(house, measured.neighbours_ms, "BESIDE"))
        try:
            await stream(house, measured, kind, unread=unread)
        finally:
            beside.cancel()
    return measured.summary()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench bulk", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=list(MEDIA), default="ndjson")
    parser.add_argument("--unread", action="store_true", help="read no result before all rows are sent")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given.rows, given.format, Path(folder), unread=given.unread))
    print(
        f"{found['rows']:,} rows in {found['seconds']} s: {found['rows_per_s']:,} a second; peak memory "
        f"{found['peak_mb_at_tenth']} MB at a tenth, {found['peak_mb']} MB at the end: x {found['ratio']}; "
        f"single shipments meanwhile: p50 {found['neighbour_p50_ms']} ms, p99 {found['neighbour_p99_ms']} ms "
        f"(before: {found['alone_p50_ms']} and {found['alone_p99_ms']} ms)"
    )
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
