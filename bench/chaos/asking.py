"""HTTP as the order system of a chaos run speaks it: one request a connection, and whatever goes wrong is `Broken`."""

import asyncio
from dataclasses import dataclass

import msgspec

LIMIT_BYTES = 2**20
WITHIN_S = 20
"""Whoever is asleep for longer is asked elsewhere, and may do it twice when it wakes."""


class Broken(Exception):  # noqa: N818 - it says what the answer is
    """No whole answer came: refused, reset, broken off, or not in time. What was asked may have been done.

    `begun` is what was heard of its body.
    """

    def __init__(self, why: str, begun: bytes = b"") -> None:
        super().__init__(why)
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` is Bilty's, or another's; `key` is blank where none is asked for."""

    address: tuple[str, int]
    key: str = ""

    async def ask(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        """Raises Broken."""
        return await self.send(method, path, msgspec.json.encode(document), "application/json", **headers)

    async def send(self, method: str, path: str, body: bytes, media: str, **headers: str) -> Answer:
        """As `ask` does; `Idempotency_Key=…` is the header Idempotency-Key."""
        heard: list[bytes] = []
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._send(method, path, body, media, headers, heard)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as trouble:
            raise Broken(f"{method} {path}: {type(trouble).__name__}", b"".join(heard)) from trouble

    async def _send(
        self, method: str, path: str, body: bytes, media: str, headers: dict[str, str], heard: list[bytes]
    ) -> Answer:
        host, port = self.address
        given = {"Host": f"{host}:{port}", "Connection": "close", "Content-Type": media, "Content-Length": len(body)}
        if self.key:
            given["Authorization"] = f"Bearer {self.key}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        reader, writer = await asyncio.open_connection(host, port, limit=LIMIT_BYTES)
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            status = await _answer(reader, heard)
            return Answer(status, b"".join(heard))
        finally:
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader, heard: list[bytes]) -> int:
    """Its status; the body is what was heard."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        heard.append(await reader.readexactly(int(headers["content-length"])))
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            heard.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    else:
        heard.append(await reader.read())
    return int(first.split(" ")[1])
