"""Tiny servers on real sockets, each with one bad habit."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

Habit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """`heads` collects what was asked; `url` has no path."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.heads: list[str] = []


@asynccontextmanager
async def serving(habit: Habit) -> AsyncIterator[Wire]:
    """Reads a request, then does as `habit` does; whatever is still open at the end is dropped."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            wire.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await habit(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    wire = Wire(server.sockets[0].getsockname()[1])
    try:
        yield wire
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def answering(
    body: bytes = b"{}", status: str = "200 OK", content_type: str = "application/json", more: str = ""
) -> Habit:
    async def habit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n{more}\r\n".encode() + body)
        await writer.drain()
        await _hung_up(reader)

    return habit


def hanging_up_after(answers: int) -> Habit:
    """Keeps the connection open for so many answers, then closes it at the next request, unread."""

    async def habit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answered in range(answers):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()
            if answered + 1 < answers:
                await reader.readuntil(b"\r\n\r\n{}")
        await reader.read(1)

    return habit


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await _hung_up(reader)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"meta":')
    await writer.drain()
    writer.close()


async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\0\1\2 not HTTP\r\n\r\n")
    await writer.drain()
    writer.close()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, often enough for any time-out between bytes."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b"x")
        await writer.drain()
        try:
            async with asyncio.timeout(0.02):
                await _hung_up(reader)
        except TimeoutError:
            continue


async def _hung_up(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@contextmanager
def nobody_listening() -> Iterator[str]:
    """An address that is taken and refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def full_backlog() -> Iterator[str]:
    """An address whose queue of unaccepted connections is full, so that connecting takes for ever."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        try:
            yield f"http://127.0.0.1:{full.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()
