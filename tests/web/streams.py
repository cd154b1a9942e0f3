"""Clients of the bulk route: one that asks as a library does, and one that sends and reads as the test says."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bilty.store.access import Scope
from web.house import Document, House, shipment

PATH = "/api/v1/shipments/bulk"
NDJSON, CSV = "application/x-ndjson", "text/csv"


def lines(*documents: Document) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


def numbered(count: int, first: int = 1) -> list[Document]:
    return [shipment(number=f"SO-{number}") for number in range(first, first + count)]


async def posted(
    house: House,
    body: bytes | AsyncIterator[bytes],
    media: str = NDJSON,
    *,
    scope: Scope = Scope.DISPATCH,
    query: str = "",
    **headers: str,
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Authorization", f"Bearer {await house.key(scope)}")
    if media:
        named["Content-Type"] = media
    return await house.api.post(PATH + query, content=body, headers=named, timeout=60)


def read(answer: httpx.Response) -> list[Document]:
    """The lines of an answer that began well."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == NDJSON
    return [json.loads(line) for line in answer.text.splitlines()]


def results(told: Iterable[Document]) -> list[str]:
    return [str(each["result"]) for each in told if "result" in each]


def numbers(told: Iterable[Document]) -> list[str]:
    return [str(each["number"]) for each in told if "result" in each]


def whole(told: Sequence[Document]) -> tuple[int, int, int]:
    """New, same and refused, of an answer that came to its end."""
    last = told[-1]
    assert last["done"] is True, last
    assert last["rows"] == len(told) - 1 == last["new"] + last["same"] + last["refused"]
    return last["new"], last["same"], last["refused"]


@dataclass
class Client:
    """A connection on which a body goes out in chunks and an answer comes in, each when the test wants it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, piece: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await self.writer.drain()

    async def finish(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def status(self) -> int:
        head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ")[1])

    async def piece(self) -> bytes:
        """The next chunk of the answer; b"" behind the last."""
        size = int(await self.reader.readline(), 16)
        piece = await self.reader.readexactly(size)
        await self.reader.readline()
        return piece

    async def rest(self) -> list[Document]:
        read = bytearray()
        while piece := await self.piece():
            read += piece
        return [json.loads(line) for line in read.splitlines()]


@asynccontextmanager
async def connected(house: House, media: str = NDJSON, key: str = "") -> AsyncIterator[Client]:
    at = urlsplit(house.url)
    socket_of_little_room = socket.socket()
    socket_of_little_room.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    socket_of_little_room.connect((at.hostname, at.port))
    reader, writer = await asyncio.open_connection(sock=socket_of_little_room)
    key = key or await house.key(Scope.DISPATCH)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
