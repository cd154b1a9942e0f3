"""HTTP/1.1 on a real socket, by h11, able to do what a web framework forbids: hang, reset, break off half-way.

`respond` decides at once and without I/O; how long the answer is held back and how it reaches the wire is done here.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

import h11
import msgspec

from bilty_sandbox.clock import Cancel, Clock

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
BACKLOG_CONNECTIONS: Final = 4096
JSON_TYPE: Final = "application/json"
LINGER_NOTHING: Final = struct.pack("ii", 1, 0)
"""Closing with this set sends RST at once instead of a polite FIN."""


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    host: str


class Reply(msgspec.Struct, frozen=True):
    """The whole answer, after `wait` seconds of the sandbox's time."""

    body: bytes
    status: int = 200
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0


class Half(msgspec.Struct, frozen=True):
    """Headers that promise all of `body`, half of it, and the connection closed."""

    body: bytes
    content_type: str = JSON_TYPE
    wait: float = 0.0


class Reset(msgspec.Struct, frozen=True):
    """No answer: TCP reset, at once or after a silence."""

    wait: float = 0.0


Answer = Reply | Half | Reset
Respond = Callable[[Request], Answer]


class Conversation(asyncio.Protocol):
    """One connection: requests one after another, each answered before the next is read."""

    def __init__(self, respond: Respond, clock: Clock, open_ones: set["Conversation"]) -> None:
        self._respond = respond
        self._clock = clock
        self._open_ones = open_ones
        self._wire = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._held_back: Cancel | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._open_ones.discard(self)
        if self._held_back is not None:
            self._held_back()

    def data_received(self, data: bytes) -> None:
        self._wire.receive_data(data)
        self._read_on()

    def eof_received(self) -> bool:
        self._wire.receive_data(b"")
        self._read_on()
        return self._held_back is not None

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _read_on(self) -> None:
        try:
            while self._transport is not None and self._take(self._wire.next_event()):
                pass
        except h11.RemoteProtocolError:
            self.hang_up()

    def _take(self, event: object) -> bool:
        """Whether there may be more to read right now."""
        match event:
            case h11.Request():
                self._request = event
                self._body, self._body_bytes = [], 0
            case h11.Data(data=data):
                self._body_bytes += len(data)
                self._body.append(bytes(data))
                if self._body_bytes > BODY_BYTES_MAX:
                    self.hang_up()
                    return False
            case h11.EndOfMessage():
                self._answer()
            case h11.ConnectionClosed():
                self._close()
                return False
            case _:
                if self._wire.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                return False
        return True

    def _answer(self) -> None:
        assert self._request is not None
        answer = self._respond(_request(self._request, b"".join(self._body)))
        if answer.wait <= 0:
            self._give(answer)
            return

        def give_then_read_on() -> None:
            self._held_back = None
            self._give(answer)
            self._read_on()

        self._held_back = self._clock.call_later(answer.wait, give_then_read_on)

    def _give(self, answer: Answer) -> None:
        match answer:
            case Reply():
                self._send(_head(answer.status, answer.content_type, len(answer.body), answer.headers))
                self._send(h11.Data(data=answer.body))
                self._send(h11.EndOfMessage())
                self._next_request()
            case Half():
                self._send(_head(200, answer.content_type, len(answer.body)))
                self._send(h11.Data(data=answer.body[: len(answer.body) // 2]))
                self._close()
            case Reset():
                self._reset()

    def _next_request(self) -> None:
        if self._wire.our_state is h11.MUST_CLOSE or self._wire.their_state is not h11.DONE:
            self._close()
        else:
            self._wire.start_next_cycle()

    def _send(self, event: h11.Event) -> None:
        data = self._wire.send(event)
        if data and self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _reset(self) -> None:
        if self._transport is not None:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
            self._transport.abort()


def _request(request: h11.Request, body: bytes) -> Request:
    path, _, query = request.target.decode("ascii", "replace").partition("?")
    host = next((value for name, value in request.headers if name == b"host"), b"").decode("ascii", "replace")
    return Request(request.method.decode("ascii"), path, dict(parse_qsl(query)), body, host)


def _head(status: int, content_type: str, length: int, more: tuple[tuple[str, str], ...] = ()) -> h11.Response:
    headers = [("content-type", content_type), ("content-length", str(length)), *more]
    return h11.Response(status_code=status, headers=headers)


class Server:
    """Listens from `start` to `stop`. `stop` drops connections that are still open, held-back answers and all."""

    def __init__(self, respond: Respond, clock: Clock) -> None:
        self._respond = respond
        self._clock = clock
        self._open_ones: set[Conversation] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Answers with the port, which the system chooses where 0 is asked for."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Conversation(self._respond, self._clock, self._open_ones), host, port, backlog=BACKLOG_CONNECTIONS
        )
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._listener is not None
        self._listener.close()
        for conversation in list(self._open_ones):
            conversation.hang_up()
        await self._listener.wait_closed()
