"""A TCP proxy of our own that can be told to misbehave, in the middle of whatever is being said.

It stands before a server of TCP or of a socket in a folder, and keeps its port for its whole life: while the server is
away a caller is let in and shown out again, as by a load balancer with nobody behind it.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

Address: TypeAlias = tuple[str, int] | Path
CHUNK_BYTES = 65_536
AT_ONCE = struct.pack("ii", 1, 0)
"""A closed connection is reset, and what was not sent yet is thrown away."""
_AWAY = (OSError, asyncio.IncompleteReadError)


@dataclass(eq=False, slots=True)
class _Line:
    """One caller's connection and ours to the server on its behalf. `asked` goes there, `answered` comes back."""

    caller: asyncio.StreamWriter
    server: asyncio.StreamWriter
    forgotten: bool = False
    closed_half: bool = False

    def cut(self) -> None:
        """Both ends hear a reset: nothing that is still under way arrives."""
        for writer in (self.caller, self.server):
            if not isinstance(writer.get_extra_info("peername"), str):  # which has a reset
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()

    def close_half(self) -> None:
        """The caller hears the end of what is answered; what it goes on to say still arrives."""
        self.closed_half = True
        with contextlib.suppress(*_AWAY):
            self.caller.write_eof()


class Proxy:
    """Forwards from `port` on 127.0.0.1 to `to`. What it is told lasts until `plain`."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._lines: set[_Line] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._slow_s = 0.0
        self._left: int | None = None
        self._callers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.plain()
        self.cut()
        for task in self._callers:
            task.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    @property
    def port(self) -> int:
        assert self._server is not None, "entered first"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        return len(self._lines)

    def plain(self) -> None:
        """Forwards again as it should, what was held back first. What was forgotten stays so."""
        self._slow_s = 0.0
        self._left = None
        self._flows.set()

    def cut(self) -> int:
        """Ends all connections in mid-flight, and returns how many; as do the next two."""
        return self._befall(_Line.cut)

    def half_close(self) -> int:
        """What callers say still arrives, and they hear the end of every answer."""
        return self._befall(_Line.close_half)

    def forget(self) -> int:
        """As a firewall that lost its table: those there now hear nothing any more, and are heard by nobody."""
        return self._befall(lambda line: setattr(line, "forgotten", True))

    def hold(self) -> None:
        """A black hole: callers get in, and nothing that is said arrives until it is over."""
        self._flows.clear()

    def slow(self, seconds: float) -> None:
        """Each piece of what is said arrives so much later."""
        self._slow_s = seconds

    def cut_after(self, count: int) -> None:
        """Cuts whoever is being answered once so many bytes more were answered, in the middle of a word."""
        self._left = count

    def _befall(self, what: Callable[[_Line], object]) -> int:
        lines = [line for line in self._lines if not line.forgotten]
        for line in lines:
            what(line)
        return len(lines)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers.add(task)
        try:
            await self._connect(reader, writer)
        except (*_AWAY, asyncio.CancelledError):
            pass  # the server is away, or somebody was cut off, or all is over
        finally:
            self._callers.discard(task)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        answers, server = await _connected(self._to)
        line = _Line(writer, server)
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, server, line, answers=False))
                group.create_task(self._carry(answers, writer, line, answers=True))
        except* _AWAY:
            pass
        finally:
            self._lines.discard(line)
            server.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line, *, answers: bool
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._slow_s:
                await asyncio.sleep(self._slow_s)
            await self._flows.wait()
            if line.forgotten or (answers and line.closed_half):
                continue
            if answers and self._left is not None:
                chunk, self._left = chunk[: self._left], max(0, self._left - len(chunk))
            writer.write(chunk)
            await writer.drain()
            if answers and self._left == 0:
                self._left = None
                line.cut()
        await self._flows.wait()
        if not line.forgotten and writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


async def _connected(to: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(to, Path):
        return await asyncio.open_unix_connection(str(to))
    return await asyncio.open_connection(*to)
