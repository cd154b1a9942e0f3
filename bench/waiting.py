"""How soon a label reaches those who wait for it: 500 clients with `Prefer: wait` on one process, 100 labels a second.

`bilty web` runs in a process of its own, and so does a writer that settles labels as a dispatcher does, at an even
pace. A client posts a shipment, waits for its label, and then posts the next, so that 500 wait all the time. What is
told is the time from the commit of the label to its answer in the client's hands, and what the web process weighs;
and the same for a single client, alone on the machine, as what there is to compare with.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import msgspec

from bilty import postgres
from bilty.shipment import Facility, Party
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import access, providers
from bilty.store.access import Scope
from bilty.store.database import migrate
from bilty.store.secrets import Vault

CLIENTS, LABELS_A_SECOND, SECONDS, ALONE = 500, 100, 20, 60
WARM_UP_S = 5
P99_MS, RSS_MB = 100, 150
WAIT_S = 60
WRITER = Path(__file__).with_name("waiting_writer.py")
SECRET = "of this bench alone"  # noqa: S105 - it seals what lasts minutes
CONTENT = {
    "order_number": "PO-1",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "schedule": True,
    "consignee": {
        "name": "Receiving desk",
        "organisation": "Nilgiri Home Needs",
        "phone": "9876543211",
        "address": "Godown 3, Transport Nagar",
        "city": "Bengaluru",
        "state": "Karnataka",
        "pincode": "560058",
    },
    "payment": {"mode": "prepaid"},
    "invoices": [{"number": "INV-1", "date": "2026-11-01", "value": "2879.20"}],
    "boxes": [{"count": 3, "length_cm": 50, "breadth_cm": 38, "height_cm": 32, "weight_g": 6100}],
}
PARTY = Party("Desk", "Kaveri Home Products", "9876500001", "Warehouse 4", "Bengaluru", "Karnataka", "560058")


class Commits:
    """When each label was committed, as the writer tells."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self.at: dict[int, tuple[float, float]] = {}

    async def hear(self) -> None:
        while line := (await self._stream.readline()).decode():
            shipment_id, before, after = line.split()
            self.at[int(shipment_id)] = float(before), float(after)


@dataclass(slots=True)
class Client:
    """A connection on which one request is made behind the other."""

    port: int
    key: str
    answers: list[tuple[int, float]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    async def run(self, name: str, until: float, times: int = 10**9) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for nth in range(times):
            writer.write(self._request(f"{name}-{nth}"))
            status, body = await _answer(reader)
            at = time.monotonic()
            document = msgspec.json.decode(body)
            if status == 200 and document["awb"]:
                self.answers.append((document["id"], at))
            else:
                self.others.append(status)
            if at > until:
                break
        writer.close()

    def _request(self, number: str) -> bytes:
        body = msgspec.json.encode({"number": number, **CONTENT})
        head = (
            "POST /api/v1/shipments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nPrefer: wait={WAIT_S}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length: ")[2].partition("\r\n")[0]
    return int(head.split()[1]), await reader.readexactly(int(length))


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds from behind the commit, and from before the transaction that it ended."""

    labels: int
    others: int
    p50_ms: float
    p99_ms: float
    p99_ms_with_the_commit: float
    labels_a_second: float

    @classmethod
    def of(cls, clients: list[Client], commits: Commits, since: float, until: float) -> "Measured":
        answers = [(*commits.at[i], at) for each in clients for i, at in each.answers if i in commits.at]
        kept = [(before, after, at) for before, after, at in answers if since <= after <= until]
        took = sorted(max(0.0, at - after) * 1e3 for _, after, at in kept)
        whole = [(at - before) * 1e3 for before, _, at in kept]
        return cls(
            labels=len(kept),
            others=sum(len(each.others) for each in clients),
            p50_ms=round(statistics.median(took), 1),
            p99_ms=round(statistics.quantiles(took, n=100)[-1], 1),
            p99_ms_with_the_commit=round(statistics.quantiles(whole, n=100)[-1], 1),
            labels_a_second=round(len(kept) / (until - since), 1),
        )


@contextlib.contextmanager
def web(dsn: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    settings = {
        "BILTY_DATABASE_URL": dsn,
        "BILTY_DATA_DIR": str(folder / "web"),
        "BILTY_SECRET_KEY": SECRET,
        "BILTY_LISTEN": f"127.0.0.1:{port}",
    }
    with (folder / "web.log").open("wb") as log:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
        command = [sys.executable, "-m", "bilty", "web"]
        process = subprocess.Popen(command, env={**environment, **settings}, stdout=log, stderr=log)  # noqa: S603 - ours
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(30)


@contextlib.asynccontextmanager
async def writing(dsn: str, labels_a_second: float) -> AsyncIterator[Commits]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, WRITER, dsn, SECRET, str(labels_a_second), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    commits = Commits(process.stdout)
    hearing = asyncio.create_task(commits.hear())
    try:
        yield commits
    finally:
        process.terminate()
        await process.wait()
        await hearing


def weight_mb(pid: int) -> tuple[float, float]:
    """What a process has in memory now, and had at most."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return round(now, 1), round(most, 1)


async def furnish(dsn: str) -> str:
    """Returns an API key."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    provider = ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B")
    async with connection.transaction():
        await providers.put_provider(connection, provider)
        await providers.put_connector(connection, Vault(SECRET), provider.code, Connector("kaveri", "a key"))
        await providers.put_facility(connection, Facility("BLR-1", PARTY))
        key = await access.add_key(connection, "bench", Scope.DISPATCH)
    await connection.close()
    return key


async def reachable(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)


async def alone(dsn: str, port: int, key: str) -> Measured:
    """One client, and each label as soon as it may be: what the machine does when it does nothing else."""
    client = Client(port, key)
    async with writing(dsn, 50) as commits:
        began = time.monotonic()
        await client.run("ALONE", began + 600, ALONE)
        ended = time.monotonic()
    return Measured.of([client], commits, began, ended)


async def together(dsn: str, port: int, key: str, given: argparse.Namespace) -> Measured:
    clients = [Client(port, key) for _ in range(given.clients)]
    async with writing(dsn, given.labels) as commits:
        since = time.monotonic() + WARM_UP_S
        until = since + given.seconds
        running = [asyncio.create_task(each.run(f"SO-{n}", until)) for n, each in enumerate(clients)]
        await asyncio.gather(*running)
    return Measured.of(clients, commits, since, until)


async def run(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    with postgres.running(folder, durable=given.durable) as dsn:
        key = await furnish(dsn)
        with web(dsn, folder) as (process, port):
            await reachable(port)
            empty_mb, _ = weight_mb(process.pid)
            one = await alone(dsn, port, key)
            many = await together(dsn, port, key, given)
            now_mb, most_mb = weight_mb(process.pid)
    return {
        "clients": given.clients,
        "alone": msgspec.to_builtins(one),
        "together": msgspec.to_builtins(many),
        "p99_ratio": round(many.p99_ms / max(one.p99_ms, 0.1), 1),
        "p50_ratio": round(many.p50_ms / max(one.p50_ms, 0.1), 1),
        "rss_mb": {"empty": empty_mb, "at the end": now_mb, "at most": most_mb},
        "holds": many.p99_ms < P99_MS and most_mb < RSS_MB and not many.others,
    }


def told(found: dict[str, object]) -> None:
    for name in ("alone", "together"):
        print(f"{name:<10}", found[name])
    print("ratios of p50, p99:", found["p50_ratio"], found["p99_ratio"])
    print("the web process, MB:", found["rss_mb"])
    print(f"wanted: p99 under {P99_MS} ms, under {RSS_MB} MB:", "it holds" if found["holds"] else "it does not hold")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench waiting", description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--labels", type=float, default=LABELS_A_SECOND, help="labels a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for how long it is measured")
    parser.add_argument("--durable", action="store_true", help="each commit waits for the disk")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given, Path(folder)))
    told(found)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
