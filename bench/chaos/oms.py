"""The order system that is told: a receiver of events that now and then fails, and opens the label of some.

What it was told is what was handed off. A label that it has opened counts as printed: its paper names the AWB.
"""

import asyncio
import contextlib
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec

from bench.chaos.asking import Broken, Caller

FAULTY_ONE_IN = 100
OPENED_ONE_IN = 10
OPEN_TRIES_MAX, OPEN_AGAIN_AFTER_S = 60, 2.0
OVER = 410
PAPER = re.compile(rb"\n%(\S+) (\S+)\n\Z")
"""The end of a plain label of the sandbox's: whose it is."""

Boxes: TypeAlias = tuple[str, ...]


class _Box(msgspec.Struct):
    number: int
    awb: str | None


class _Shipment(msgspec.Struct):
    number: str
    awb: str | None
    boxes: list[_Box]
    label_url: str | None


class _Data(msgspec.Struct):
    shipment: _Shipment


class _Event(msgspec.Struct):
    type: str
    data: _Data


_DECODER = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class Told:
    """By the shipment's number: AWBs with the boxes' as they were handed off, and those that stand on opened labels."""

    handed: dict[str, dict[str, Boxes]] = field(default_factory=lambda: defaultdict(dict))
    printed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ready: set[str] = field(default_factory=set)
    """Those of whose label it was told."""
    events: int = 0
    unopened: list[str] = field(default_factory=list)
    """Labels whose link did not open, though nobody said that it is over: what it gave instead."""


@dataclass(slots=True)
class Oms:
    """`addresses` are where links to labels are opened, one after the other, as behind a load balancer."""

    told: Told
    dice: random.Random
    port: int = 0
    addresses: Sequence[tuple[str, int]] = ()
    _papers: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = re.search(r"content-length: *(\d+)", head)
                assert length is not None
                body = await reader.readexactly(int(length[1]))
                # What an order system has read it may act upon, whatever it then answers.
                self._note(_DECODER.decode(body))
                if await self._fails(writer):
                    break
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.transport.abort()

    async def _fails(self, writer: asyncio.StreamWriter) -> bool:
        """Now and then: heard and not answered, or answered with an error. The connection ends with it."""
        if self.dice.randrange(FAULTY_ONE_IN):
            return False
        if self.dice.randrange(2):
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
        return True

    def _note(self, event: _Event) -> None:
        shipment, told = event.data.shipment, self.told
        told.events += 1
        if shipment.awb:
            told.handed[shipment.number][shipment.awb] = tuple(box.awb or "" for box in shipment.boxes)
        if shipment.awb and shipment.label_url:
            told.ready.add(shipment.number)
            if self.dice.randrange(OPENED_ONE_IN) == 0:
                task = asyncio.create_task(self._open(shipment.number, shipment.label_url), name=shipment.number)
                self._papers.add(task)
                task.add_done_callback(self._papers.discard)

    async def _open(self, number: str, url: str) -> None:
        """The link is good for days: as long as nobody answers it is tried again."""
        parts, given = urlsplit(url), "nothing"
        for nth in range(OPEN_TRIES_MAX):
            caller = Caller(self.addresses[nth % len(self.addresses)])
            with contextlib.suppress(Broken):
                answer = await caller.ask("GET", f"{parts.path}?{parts.query}")
                if answer.status == 200 and (paper := PAPER.search(answer.body)):
                    self.told.printed[number].add(paper[2].decode())
                    return
                given = f"{answer.status} {answer.body[:120]!r}"
                if answer.status == OVER:
                    return  # its shipment has another label by now, or none
            await asyncio.sleep(OPEN_AGAIN_AFTER_S)
        self.told.unopened.append(f"{number}: {given}")

    async def papers(self) -> None:
        """Until each label that it wanted to open is open."""
        while self._papers:
            await asyncio.wait(self._papers)

    def give_up(self) -> None:
        """What is not open by now did not open."""
        for task in self._papers:
            self.told.unopened.append(f"{task.get_name()}: not in time")
            task.cancel()


@contextlib.asynccontextmanager
async def listening(seed: int) -> AsyncIterator[Oms]:
    oms = Oms(Told(), random.Random(seed))  # noqa: S311 - not for secrets
    server = await asyncio.start_server(oms.serve, "127.0.0.1", 0, backlog=512)
    oms.port = server.sockets[0].getsockname()[1]
    try:
        yield oms
    finally:
        server.close()
