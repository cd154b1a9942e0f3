"""The hands of the chaos run do what the plan says, count what they met, and leave nothing behind."""

import asyncio
import contextlib
import itertools
import resource
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from bench.chaos.faults import Counted, carry_out
from bench.chaos.plan import DATABASE, Fault, Kind
from bench.chaos.proxy import Proxy
from bilty import postgres
from bilty_sandbox import ManualClock, Options, Sandbox, serve
from process.programs import WITHIN_S

LONG_S = 3_600.0


@dataclass(slots=True)
class Stand:
    """A place with processes that do nothing, and a PostgreSQL if `folder` has one."""

    processes: dict[str, asyncio.subprocess.Process]
    database: Proxy
    clickpost: Proxy
    sandbox: Sandbox
    folder: Path
    held: ExitStack
    revived: int = 0
    counted: Counted = field(default_factory=Counted)

    @property
    def names(self) -> Sequence[str]:
        return tuple(self.processes)

    @property
    def sandbox_url(self) -> str:
        return self.sandbox.url.removesuffix("/api")

    def pid(self, name: str) -> int | None:
        process = self.processes[name]
        return process.pid if process.returncode is None else None

    def postmaster(self) -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        return None

    async def revive_postgres(self) -> None:
        self.revived += 1
        if (self.folder / "postgres").exists():
            await asyncio.to_thread(self.held.enter_context, postgres.running(self.folder, durable=False))

    def state(self, name: str) -> str:
        """One letter: T is stopped."""
        return Path(f"/proc/{self.pid(name)}/stat").read_text().rpartition(") ")[2][0]

    @asynccontextmanager
    async def under(self, *faults: Fault) -> AsyncIterator[None]:
        """While they are being carried out, until the block ends."""
        task = asyncio.create_task(carry_out(faults, self, self.counted))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(serve(Options(), ManualClock()))
        held = stack.enter_context(ExitStack())
        proxies = [await stack.enter_async_context(Proxy(("127.0.0.1", sandbox.port))) for _ in range(2)]
        sleepers = {name: await asyncio.create_subprocess_exec("sleep", "600") for name in ("up", "work-1", "work-2")}
        yield Stand(sleepers, proxies[0], proxies[1], sandbox, tmp_path / "server", held)
        for process in sleepers.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@asynccontextmanager
async def soon() -> AsyncIterator[None]:
    async with asyncio.timeout(WITHIN_S):
        yield


async def until(happened: Callable[[], bool]) -> None:
    for _ in itertools.repeat(None):
        if happened():
            return
        await asyncio.sleep(0)


async def test_who_is_killed_is_dead_and_counted_and_else_another(stand: Stand) -> None:
    kills = [Fault(0, Kind.KILL, "work-1"), Fault(0.1, Kind.KILL, "work-1")]
    async with soon():
        await carry_out(kills, stand, stand.counted)
        assert await stand.processes["work-1"].wait() == -signal.SIGKILL
        assert await stand.processes["up"].wait() == -signal.SIGKILL, "the one that was named was down"
    assert stand.pid("work-2") is not None
    assert (stand.counted.kills, stand.counted.by_kind) == (2, {"kill work-1": 2})


async def test_a_kill_that_meets_nobody_is_not_counted(stand: Stand) -> None:
    async with soon():
        await carry_out([Fault(0, Kind.BLACKOUT)], stand, stand.counted)
        for process in stand.processes.values():
            assert await process.wait() == -signal.SIGKILL
        assert stand.counted.kills == 3
        await carry_out([Fault(0, Kind.KILL, "up"), Fault(0, Kind.PAUSE, "up", 1)], stand, stand.counted)
    assert (stand.counted.kills, stand.counted.by_kind) == (3, {"blackout": 1})


async def test_who_is_paused_sleeps_and_wakes(stand: Stand) -> None:
    async with stand.under(Fault(0, Kind.PAUSE, "work-1", LONG_S)), soon():
        await until(lambda: stand.state("work-1") == "T")
    async with soon():
        await until(lambda: stand.state("work-1") != "T")
    assert stand.counted.by_kind == {"pause work-1": 1}


async def test_a_full_disk_is_full_for_those_who_run_and_free_again(stand: Stand) -> None:
    def limits() -> set[int]:
        pids = [pid for name in stand.names if (pid := stand.pid(name))]
        return {resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] for pid in pids}

    async with stand.under(Fault(0, Kind.FULL, for_s=LONG_S)), soon():
        await until(lambda: limits() == {0})
    assert limits() == {resource.RLIM_INFINITY}
    assert stand.counted.by_kind == {"full": 1}


async def test_the_aggregator_is_silent_and_speaks_again(stand: Stand) -> None:
    world = stand.sandbox.world
    async with stand.under(Fault(0, Kind.SILENCE, for_s=LONG_S)), soon():
        await until(lambda: world.silent_until > world.clock.now() and stand.counted.by_kind["silence"] == 1)
    assert world.silent_until <= world.clock.now()


async def test_what_befalls_the_database_is_counted_when_it_met_somebody(stand: Stand) -> None:
    cut = Fault(0, Kind.CUT, DATABASE)
    async with soon():
        await carry_out([cut], stand, stand.counted)
        assert stand.counted.database_faults == 0
        reader, writer = await asyncio.open_connection("127.0.0.1", stand.database.port)
        await until(lambda: stand.database.connections > 0)
        await carry_out([cut], stand, stand.counted)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.transport.abort()
    assert (stand.counted.database_faults, stand.counted.by_kind) == (1, {"cut database": 1})


async def test_a_proxy_forwards_again_when_it_is_over(stand: Stand) -> None:
    async with stand.under(Fault(0, Kind.HOLD, DATABASE, LONG_S)), soon():
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", stand.database.port)
        writer.write(b"GET /sandbox/healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
    async with soon():
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.transport.abort()


async def test_postgres_is_killed_and_restarted_and_answers(stand: Stand) -> None:
    with postgres.running(stand.folder, durable=False) as dsn:
        faults = [Fault(0, Kind.POSTGRES_KILL, DATABASE), Fault(0.1, Kind.POSTGRES_RESTART, DATABASE)]
        before = stand.postmaster()
        async with soon():
            await carry_out(faults[:1], stand, stand.counted)
            killed = stand.postmaster()
            await carry_out(faults[1:], stand, stand.counted)
        assert len({before, killed, stand.postmaster()}) == 3
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        stand.held.close()
    assert stand.counted.database_faults == 2
    assert stand.counted.kills == 0


async def test_one_that_fails_stops_nothing(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault(0, Kind.KILL, "nobody of that name"), Fault(0, Kind.KILL, "up")]
    async with soon():
        await carry_out(faults, stand, stand.counted)
        assert await stand.processes["up"].wait() == -signal.SIGKILL
    assert "could not kill nobody of that name" in capsys.readouterr().err
    assert stand.revived == 1, "the database is up in the end, whatever was done to it"
