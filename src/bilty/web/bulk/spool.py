"""What is told and not read yet: a little in memory, the rest in a file that has no name and is gone with the stream.

Many clients send all they have before they read a word. Were results to wait for them, both would wait for ever.
"""

import asyncio
import tempfile
from typing import IO

MEMORY_BYTES_MAX = 256 * 1024
FILE_BYTES_MAX = 512 * 1024 * 1024
PIECE_BYTES = 64 * 1024
READER_PAUSES_S_MAX = 300.0


class NotRead(Exception):  # noqa: N818 - a fact about the client
    """The spool is full, and nobody has read of it for READER_PAUSES_S_MAX."""


class Spool:
    """One writes, one reads. The file begins anew whenever the reader has caught up."""

    def __init__(self, *, file_bytes_max: int = FILE_BYTES_MAX, pauses_s_max: float = READER_PAUSES_S_MAX) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._written = self._read = 0
        self._file_bytes_max, self._pauses_s_max = file_bytes_max, pauses_s_max
        self._last, self._ended = b"", False
        self._put, self._taken = asyncio.Event(), asyncio.Event()
        self.is_empty_yet, self.bytes_taken = True, 0

    async def put(self, piece: bytes) -> None:
        """Raises NotRead, and OSError where the disk is full."""
        while self._written and self._written + len(piece) > self._file_bytes_max:
            self._taken.clear()
            try:
                async with asyncio.timeout(self._pauses_s_max):
                    await self._taken.wait()
            except TimeoutError:
                raise NotRead from None
        self._hold(piece)

    def end(self, piece: bytes) -> None:
        """The last piece, which finds room always: it says why it is the last."""
        self._last = piece
        self._ended = True
        self._put.set()

    async def take(self) -> bytes:
        """The next piece, as soon as there is one; b"" behind the last."""
        while not (self._memory or self._written or self._ended):
            self._put.clear()
            await self._put.wait()
        piece = bytes(self._memory) or self._from_file()
        self._memory.clear()
        if not piece:
            piece, self._last = self._last, b""
        self.bytes_taken += len(piece)
        self._taken.set()
        return piece

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _hold(self, piece: bytes) -> None:
        if self._written or len(self._memory) + len(piece) > MEMORY_BYTES_MAX:
            self._to_file(piece)
        else:
            self._memory += piece
        self.is_empty_yet = False
        self._put.set()

    def _to_file(self, piece: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="bilty-bulk-", buffering=0)  # noqa: SIM115 - `close` closes it
        rest, end = memoryview(piece), self._written
        while rest:
            self._file.seek(end)
            count = self._file.write(rest)
            end, rest = end + count, rest[count:]
        self._written = end  # half a piece, where the disk is full, is none

    def _from_file(self) -> bytes:
        if self._file is None or not self._written:
            return b""
        self._file.seek(self._read)
        piece = self._file.read(PIECE_BYTES)
        self._read += len(piece)
        if self._read == self._written:
            self._file.truncate(0)
            self._read = self._written = 0
        return piece
