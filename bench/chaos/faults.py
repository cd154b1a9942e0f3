"""The hands that carry out a plan of faults, and count what met somebody."""

import asyncio
import contextlib
import http.client
import json
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from bench.chaos.plan import DATABASE, Fault, Kind
from bench.chaos.proxy import Proxy

SILENT_S = 86_400
"""Of the sandbox's time: longer than any run; it is told when it is over."""


@dataclass(slots=True)
class Counted:
    """What was done, and met somebody. `kills` are of Bilty's processes alone."""

    kills: int = 0
    database_faults: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)


class Place(Protocol):
    """What the hands know of the house. `pid` is None while that process is not up."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def database(self) -> Proxy: ...
    @property
    def clickpost(self) -> Proxy: ...
    @property
    def sandbox_url(self) -> str: ...
    def pid(self, name: str) -> int | None: ...
    def postmaster(self) -> int | None: ...
    async def revive_postgres(self) -> None: ...


async def carry_out(faults: Sequence[Fault], place: Place, counted: Counted) -> None:
    """Each in its time. One that fails is told of and stops nothing; what lasts is undone, also by a cancellation."""
    hands = _Hands(place, counted)
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, began + fault.at_s - asyncio.get_running_loop().time()))
                group.create_task(hands.befall(fault))
    finally:
        for proxy in (place.database, place.clickpost):
            proxy.plain()
        await place.revive_postgres()


@dataclass(frozen=True, slots=True)
class _Hands:
    place: Place
    counted: Counted
    asleep: set[str] = field(default_factory=set)
    at_postgres: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def befall(self, fault: Fault) -> None:
        try:
            await self._do(fault)
        except Exception as trouble:  # noqa: BLE001 - the run goes on, and its table tells what was done
            print(f"  could not {fault.kind} {fault.target}: {trouble!r}", file=sys.stderr, flush=True)

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                self._kill(fault)
            case Kind.BLACKOUT:
                self._noted(fault, sum(self._killed(name) for name in self.place.names))
                await self._postgres(fault, signal.SIGKILL)
            case Kind.POSTGRES_KILL:
                await self._postgres(fault, signal.SIGKILL)
            case Kind.POSTGRES_RESTART:
                await self._postgres(fault, signal.SIGINT)
            case Kind.PAUSE:
                await self._pause(fault)
            case Kind.FULL:
                await self._full(fault)
            case Kind.SILENCE:
                await self._silence(fault)
            case _:
                await self._at_proxy(fault)

    def _noted(self, fault: Fault, met: object, *, database: bool = False) -> None:
        if met:
            self.counted.by_kind[f"{fault.kind} {fault.target}".strip()] += 1
            self.counted.database_faults += database

    def _kill(self, fault: Fault) -> None:
        """It, or another one while it is not up."""
        others = [name for name in self.place.names if name not in self.asleep]
        self._noted(fault, any(self._killed(name) for name in (fault.target, *others)))

    def _killed(self, name: str) -> bool:
        pid = self.place.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.counted.kills += 1
            return True
        return False

    async def _postgres(self, fault: Fault, how: signal.Signals) -> None:
        async with self.at_postgres:
            pid = self.place.postmaster()
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
                    await _gone(pid)
            self._noted(fault, pid, database=True)
            await self.place.revive_postgres()

    async def _pause(self, fault: Fault) -> None:
        pid = self.place.pid(fault.target)
        if pid is None:
            return
        self.asleep.add(fault.target)
        with _process(pid) as send:
            try:
                send(signal.SIGSTOP)
                self._noted(fault, pid)
                await asyncio.sleep(fault.for_s)
            finally:
                send(signal.SIGCONT)
                self.asleep.discard(fault.target)

    async def _full(self, fault: Fault) -> None:
        """What one can see of a full disk: writing fails. A process that starts meanwhile may write."""
        pids = [pid for pid in map(self.place.pid, self.place.names) if pid is not None]
        try:
            self._noted(fault, [pid for pid in pids if _may_write(pid, 0)])
            await asyncio.sleep(fault.for_s)
        finally:
            for pid in pids:
                _may_write(pid, resource.RLIM_INFINITY)

    async def _silence(self, fault: Fault) -> None:
        try:
            await asyncio.to_thread(_tell_sandbox, self.place.sandbox_url, SILENT_S)
            self._noted(fault, True)
            await asyncio.sleep(fault.for_s)
        finally:
            await asyncio.to_thread(_tell_sandbox, self.place.sandbox_url, 0)

    async def _at_proxy(self, fault: Fault) -> None:
        proxy = self.place.database if fault.target == DATABASE else self.place.clickpost
        async with _lasting(proxy, fault.for_s) as misbehaving:
            met = _misbehave(misbehaving, fault)
            self._noted(fault, met, database=fault.target == DATABASE)


@contextlib.asynccontextmanager
async def _lasting(proxy: Proxy, for_s: float) -> AsyncIterator[Proxy]:
    try:
        yield proxy
        await asyncio.sleep(for_s)
    finally:
        if for_s:
            proxy.plain()


def _misbehave(proxy: Proxy, fault: Fault) -> int:
    """How many connections it met."""
    met = proxy.connections
    match fault.kind:
        case Kind.CUT:
            return proxy.cut()
        case Kind.HALF_CLOSE:
            return proxy.half_close()
        case Kind.FORGET:
            return proxy.forget()
        case Kind.HOLD:
            proxy.hold()
        case Kind.SLOW:
            proxy.slow(fault.amount)
        case Kind.CUT_AFTER:
            proxy.cut_after(int(fault.amount))
        case _:
            raise ValueError(f"{fault.kind} is nothing that a proxy does")
    return met


@contextlib.contextmanager
def _process(pid: int) -> Iterator[Callable[[signal.Signals], None]]:
    """Sends signals to this process and never to another that has its number by now."""
    handle = os.pidfd_open(pid)

    def send(number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)

    try:
        yield send
    finally:
        os.close(handle)


def _may_write(pid: int, bytes_max: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY))
        return True
    return False


async def _gone(pid: int) -> None:
    """PostgreSQL, whose child processes end with it; its parent's thread fetches it."""
    handle = os.pidfd_open(pid)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _tell_sandbox(url: str, silent_s: float) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        connection.request("POST", "/sandbox/outages", json.dumps({"seconds": silent_s}))
        if connection.getresponse().status != http.HTTPStatus.OK:
            raise OSError("the sandbox would not")
    finally:
        connection.close()
