"""All that a chaos run consists of, as real processes: PostgreSQL, the sandbox, two `bilty up`, one `bilty work`.

    Bilty's processes  ->  proxy  ->  PostgreSQL (a server of its own, on a socket)
                       ->  proxy  ->  the sandbox, which keeps the truth and never dies

A process of Bilty's that ends is started again at once, as a service manager would; whoever kills need not care.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.chaos.proxy import Proxy
from bilty import postgres

NAMES = ("up-1", "up-2", "work-1")
SPEED = 120
"""How many of the sandbox's seconds pass in a real one. Leases stay what they are."""
SETTINGS: Mapping[str, object] = {
    "BILTY_SECRET_KEY": "of this run alone",
    "BILTY_ALLOW_PRIVATE_ADDRESSES": "true",
    "BILTY_POLL_INTERVAL_SECONDS": 120 / SPEED,
    "BILTY_WATCH_INTERVAL_SECONDS": 15,
    "BILTY_LATE_LABEL_MINUTES": 1,
    "BILTY_KEY_REQUESTS_PER_SECOND": 100_000,
    # What is out when its process is killed waits for its lease: so few that the others can go on, over all processes.
    "BILTY_CALLS_MAX": 40,
}
START_WITHIN_S = 120
STOP_WITHIN_S = 90
AGAIN_AFTER_S = 0.2


@dataclass(slots=True)
class Server:
    """PostgreSQL in a folder, ours to kill and to bring back."""

    folder: Path
    held: ExitStack
    dsn: str = ""
    reviving: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def socket(self) -> Path:
        return Path(parse_qs(urlsplit(self.dsn).query)["host"][0]) / ".s.PGSQL.5432"

    @property
    def postmaster(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
            if Path(f"/proc/{pid}/comm").read_text().strip() == "postgres":
                return pid
        return None

    def enter(self) -> None:
        """Starts it unless it runs, and returns when it answers."""
        self.dsn = self.held.enter_context(postgres.running(self.folder))

    async def revive(self) -> None:
        async with self.reviving:
            await asyncio.to_thread(self.enter)


@dataclass(slots=True)
class Program:
    """One of Bilty's processes, by name, whichever process it is at present. `pid` is None while it is not up."""

    name: str
    folder: Path
    environment: Mapping[str, str]
    pid: int | None = None
    starts: int = 0
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Started, and started again whenever it has ended, until this is cancelled."""
        while True:
            with (self.folder / f"{self.name}.log").open("ab") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bilty", self.name.partition("-")[0]),
                    env=self.environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                )
            self.starts += 1
            await self._listen(self.process)
            self.pid = None
            self.is_up.clear()
            await self.process.wait()
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Until it prints no more, which is when it has ended."""
        assert process.stdout is not None
        async for line in process.stdout:
            if b" is up" in line:
                self.pid = process.pid
                self.is_up.set()

    async def end(self) -> int | None:
        """As a service manager stops it, when nobody starts it again."""
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])
        if self.process is None or self.process.returncode is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()


@dataclass(slots=True)
class House:
    """`sandbox_url` ends without /api, and leads past the proxy, as `dsn` does. `addresses`: of panel and API."""

    folder: Path
    server: Server
    sandbox_url: str
    database: Proxy
    clickpost: Proxy
    programs: Mapping[str, Program]
    addresses: Sequence[tuple[str, int]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.programs)

    @property
    def dsn(self) -> str:
        return self.server.dsn

    @property
    def labels(self) -> Path:
        return self.folder / "data" / "documents"

    def pid(self, name: str) -> int | None:
        return self.programs[name].pid

    def postmaster(self) -> int | None:
        return self.server.postmaster

    async def revive_postgres(self) -> None:
        await self.server.revive()

    async def until_up(self) -> None:
        """Every process of Bilty's runs and has said that it is up."""
        try:
            async with asyncio.timeout(START_WITHIN_S):
                for each in self.programs.values():
                    await each.is_up.wait()
        except TimeoutError:
            missing = [each.name for each in self.programs.values() if not each.is_up.is_set()]
            raise SystemExit(f"Not up within {START_WITHIN_S} s: {', '.join(missing)}. See {self.folder}.") from None

    async def end_programs(self) -> dict[str, int]:
        """In good order. Returns the exit code of each that still ran."""
        codes = await asyncio.gather(*(each.end() for each in self.programs.values()))
        return {name: code for name, code in zip(self.programs, codes, strict=True) if code is not None}


@asynccontextmanager
async def housed(folder: Path, seed: int) -> AsyncIterator[House]:
    """All of it up, and ended in good order."""
    with _server(folder / "server") as server:
        async with _sandbox(folder, seed) as sandbox_url, Proxy(server.socket) as database:
            parts = urlsplit(sandbox_url)
            async with Proxy((str(parts.hostname), int(parts.port or 80))) as clickpost:
                ports = {name: free_port() for name in NAMES}
                programs = {
                    name: Program(name, folder, _environment(folder, database.port, clickpost.port, port))
                    for name, port in ports.items()
                }
                addresses = [("127.0.0.1", port) for name, port in ports.items() if name.startswith("up")]
                house = House(folder, server, sandbox_url, database, clickpost, programs, addresses)
                try:
                    for each in programs.values():
                        each.begin()
                    await house.until_up()
                    yield house
                finally:
                    await house.end_programs()


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    with ExitStack() as held:
        server = Server(folder, held)
        server.enter()
        yield server


@asynccontextmanager
async def _sandbox(folder: Path, seed: int) -> AsyncIterator[str]:
    """At its worst: silent spells of the whole host, and labels that cost it little."""
    with (folder / "sandbox.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bilty_sandbox", "--listen", "127.0.0.1:0", "--plain-labels"),
            *("--seed", str(seed), "--speed", str(SPEED)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)).decode()
        yield line.strip().rpartition(" ")[2].removesuffix("/api")
    finally:
        process.terminate()
        await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _environment(folder: Path, database: int, clickpost: int, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILTY_")}
    own = {
        "BILTY_DATABASE_URL": f"postgresql://bilty@127.0.0.1:{database}/bilty?sslmode=disable",
        "BILTY_DATA_DIR": folder / "data",
        "BILTY_CLICKPOST_URL": f"http://127.0.0.1:{clickpost}/api",
        "BILTY_LISTEN": f"127.0.0.1:{port}",
    }
    return inherited | {name: str(value) for name, value in ({**SETTINGS, **own}).items()}
