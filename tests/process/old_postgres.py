"""Just enough of a PostgreSQL of any age to be asked for its version: it lets everybody in and answers nothing else."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SSL_REQUEST = 80877103


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _setting(name: str, value: str) -> bytes:
    return _message(b"S", f"{name}\0{value}\0".encode())


READY = _message(b"Z", b"I")


@asynccontextmanager
async def old_postgres(version: str) -> AsyncIterator[str]:
    """The address of a server that says it is of that version."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        hello = await reader.readexactly(length - 4)
        if struct.unpack("!i", hello[:4])[0] == SSL_REQUEST:
            writer.write(b"N")
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(length - 4)
        settings = _setting("server_version", version) + _setting("client_encoding", "UTF8")
        writer.write(_message(b"R", struct.pack("!i", 0)) + settings + READY)
        try:
            while await reader.readexactly(1) != b"X":
                (length,) = struct.unpack("!i", await reader.readexactly(4))
                await reader.readexactly(length - 4)
                writer.write(_message(b"C", b"RESET\0") + READY)
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://bilty@127.0.0.1:{port}/bilty?sslmode=disable"
    finally:
        server.close()
