"""A gate before the sandbox, which holds create calls back: before they are heard, or before their answer is."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

CREATE = b"POST /api/v1/create-b2b-order"
REFUSAL = b'{"meta": {"status": 319, "success": false, "message": "pin not in lane"}, "result": null}'


class Held(Enum):
    CALL = auto()  # it has left its caller, and nobody has heard it yet
    ANSWER = auto()  # it was heard, and nobody knows
    FORGED = auto()  # as ANSWER, and what comes in the end is a definite no


@dataclass(slots=True)
class Gate:
    """The first create calls are held as `ways` say, one each, until `opened`."""

    sandbox: str
    ways: Iterator[Held]
    wanted: int
    url: str = ""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    all_held: asyncio.Event = field(default_factory=asyncio.Event)
    _held: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while call := await _message(reader):
                writer.write(await self._answer(call))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever called has hung up
        finally:
            writer.close()

    async def _answer(self, call: bytes) -> bytes:
        way = next(self.ways, None) if call.startswith(CREATE) else None
        if way is Held.CALL:
            await self._hold()
        answer = await self._forward(call)
        if way in (Held.ANSWER, Held.FORGED):
            await self._hold()
        if way is not Held.FORGED:
            return answer
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(REFUSAL)}\r\n\r\n"
        return head.encode() + REFUSAL

    async def _hold(self) -> None:
        self._held += 1
        if self._held == self.wanted:
            self.all_held.set()
        await self.opened.wait()

    async def _forward(self, call: bytes) -> bytes:
        parts = urlsplit(self.sandbox)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(call)
        answer = await _message(reader)
        writer.close()
        return answer


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer, with its body; blank at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    return head + await reader.readexactly(length)


@asynccontextmanager
async def gate_before(sandbox: str, ways: Sequence[Held]) -> AsyncIterator[Gate]:
    gate = Gate(sandbox, iter(ways), len(ways))
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    gate.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    try:
        yield gate
    finally:
        gate.opened.set()
        server.close()
