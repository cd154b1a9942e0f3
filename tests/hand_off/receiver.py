"""An order system's end of a webhook, on a real socket: notes what comes, and answers as it is told, or never."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from standardwebhooks import Webhook

from hand_off.post import SECRET


@dataclass(frozen=True, slots=True)
class Arrival:
    """`late_s`: since the event happened."""

    event_id: str
    kind: str
    number: str
    late_s: float


@dataclass(slots=True)
class Receiver:
    """`status` 0: it takes what comes, and never answers. `peak`: how many were being answered at once at most."""

    status: int = 200
    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    open: int = 0
    peak: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                self._take(headers, await reader.readexactly(int(headers["content-length"])))
                self.open += 1
                self.peak = max(self.peak, self.open)
                if self.status:
                    self.open -= 1
                    writer.write(f"HTTP/1.1 {self.status} So\r\ncontent-length: 0\r\n\r\n".encode())
                    await writer.drain()
        writer.close()

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        now = datetime.now(UTC)
        told: dict[str, Any] = Webhook(SECRET).verify(body, headers)
        assert headers["webhook-id"] == told["data"]["event"]
        late = now - msgspec.convert(told["timestamp"], datetime)
        kind = told["type"].removeprefix("shipment.")
        self.arrivals.append(
            Arrival(headers["webhook-id"], kind, told["data"]["shipment"]["number"], late.total_seconds())
        )
        self.arrived.set()

    def kinds(self, number: str) -> list[str]:
        return [each.kind for each in self.arrivals if each.number == number]

    async def until(self, count: int) -> None:
        """So many have arrived."""
        while len(self.arrivals) < count:
            self.arrived.clear()
            await self.arrived.wait()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def receiving(*receivers: Receiver) -> AsyncIterator[None]:
    """Each at an address of its own."""
    servers = [await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in receivers]
    for each, server in zip(receivers, servers, strict=True):
        each.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield
    finally:
        for each, server in zip(receivers, servers, strict=True):
            server.close()
            each.hang_up()
