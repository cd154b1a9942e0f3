"""The proxy of the chaos run does to connections what it is told, and to no others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.chaos.proxy import Proxy

WITHIN_S = 20
SHORT_S = 0.05
"""For what must not arrive: had it been sent on, it would be there long before."""


@dataclass(slots=True)
class Echo:
    """A server that answers each line with the same line, and notes what it heard."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    ends: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(line)
                await self._note(line)
        except ConnectionError:
            pass
        finally:
            self.ends += 1
            await self._note(b"")
            writer.transport.abort()

    async def _note(self, line: bytes) -> None:
        async with self.arrived:
            if line:
                self.heard.append(line)
            self.arrived.notify_all()

    async def until(self, heard: int = 0, ends: int = 0) -> None:
        async with asyncio.timeout(WITHIN_S), self.arrived:
            await self.arrived.wait_for(lambda: len(self.heard) >= heard and self.ends >= ends)


@dataclass(frozen=True, slots=True)
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def says(self, line: bytes) -> None:
        self.writer.write(line)
        await self.writer.drain()

    async def hears(self) -> bytes:
        """The next line, or what there was of it when the connection ended."""
        async with asyncio.timeout(WITHIN_S):
            return await self.reader.readline()

    async def hears_nothing(self) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), SHORT_S)

    async def is_cut_off(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(ConnectionResetError):
                await self.reader.read()


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Echo, Proxy]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with Proxy(("127.0.0.1", server.sockets[0].getsockname()[1])) as proxy:
        yield echo, proxy
    server.close()


@asynccontextmanager
async def calling(proxy: Proxy) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def talking(proxy: Proxy) -> AsyncIterator[Caller]:
    """One that is known to be through."""
    async with calling(proxy) as caller:
        await caller.says(b"hello\n")
        assert await caller.hears() == b"hello\n"
        yield caller


async def test_it_forwards_both_ways_and_ends_when_either_does() -> None:
    async with echoing() as (echo, proxy):
        async with talking(proxy) as caller:
            long = b"x" * 60_000 + b"\n"
            await caller.says(long)
            assert await caller.hears() == long
            caller.writer.write_eof()
            assert await caller.hears() == b""
        await echo.until(ends=1)


async def test_it_forwards_to_a_socket_in_a_folder(tmp_path: Path) -> None:
    echo = Echo()
    server = await asyncio.start_unix_server(echo.serve, tmp_path / "socket")
    async with Proxy(tmp_path / "socket") as proxy, talking(proxy):
        pass
    server.close()


async def test_a_server_that_is_away_shows_callers_out_and_may_come_back(tmp_path: Path) -> None:
    async with Proxy(tmp_path / "socket") as proxy:
        async with calling(proxy) as caller:
            assert await caller.hears() == b""
        server = await asyncio.start_unix_server(Echo().serve, tmp_path / "socket")
        async with talking(proxy):
            pass
        server.close()


async def test_what_is_cut_is_cut_for_both_and_the_next_gets_through() -> None:
    async with echoing() as (echo, proxy):
        async with talking(proxy) as one, talking(proxy) as other:
            assert proxy.cut() == 2
            await one.is_cut_off()
            await other.is_cut_off()
            await echo.until(ends=2)
        async with talking(proxy):
            assert proxy.connections == 1


async def test_half_closed_is_heard_and_not_answered() -> None:
    async with echoing() as (echo, proxy), talking(proxy) as caller:
        assert proxy.half_close() == 1
        assert await caller.hears() == b""
        await caller.says(b"book it\n")
        await echo.until(heard=2)
        assert echo.heard == [b"hello\n", b"book it\n"]


async def test_what_is_forgotten_stays_so_and_nobody_is_told() -> None:
    async with echoing() as (echo, proxy), talking(proxy) as forgotten:
        assert proxy.forget() == 1
        assert proxy.forget() == 0
        proxy.plain()
        await forgotten.says(b"anybody there?\n")
        await forgotten.hears_nothing()
        async with talking(proxy) as other:
            await other.says(b"here\n")
            assert await other.hears() == b"here\n"
        assert echo.heard == [b"hello\n", b"hello\n", b"here\n"]
        forgotten.writer.transport.abort()
        await echo.until(ends=1)
        assert echo.ends == 1, "of the one that was forgotten the server hears no end"


async def test_what_is_held_arrives_when_it_is_over() -> None:
    async with echoing() as (echo, proxy), talking(proxy) as caller, calling(proxy) as late:
        proxy.hold()
        await caller.says(b"one\n")
        await late.says(b"two\n")
        await caller.hears_nothing()
        await late.hears_nothing()
        assert echo.heard == [b"hello\n"]
        proxy.plain()
        assert (await caller.hears(), await late.hears()) == (b"one\n", b"two\n")


async def test_what_is_slow_arrives_later() -> None:
    async with echoing() as (_, proxy), talking(proxy) as caller:
        proxy.slow(2 * SHORT_S)
        began = asyncio.get_running_loop().time()
        await caller.says(b"one\n")
        assert await caller.hears() == b"one\n"
        assert asyncio.get_running_loop().time() - began > 3 * SHORT_S


async def test_an_answer_is_cut_in_the_middle_of_a_word() -> None:
    async with echoing() as (echo, proxy):
        async with talking(proxy) as caller:
            proxy.cut_after(3)
            await caller.says(b"waybill 1234\n")
            with contextlib.suppress(ConnectionResetError):  # which may overtake what arrived before it
                assert await caller.hears() == b"way"
            await echo.until(heard=2, ends=1)
        async with talking(proxy):
            pass
