"""The press: reads labels, and puts them together, in a process of its own (`bilty.documents.__main__`).

Labels come from outside, and thousands of them keep Python busy: in this process the dispatcher would wait for it. A
label that stops the press, by taking too long or too much memory, is thereby known.
"""

import asyncio
import contextlib
import struct
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from bilty.documents.__main__ import DRAWN, END, LABEL, VOID
from bilty.documents.apart import apart
from bilty.documents.drawn import Drawing, packed
from bilty.documents.reading import UnreadablePdfError

LABEL_WITHIN_S, FINISHED_WITHIN_S = 30, 120
BYTES_MAX, READ_BYTES = 256 * 2**20, 2**20
"""Of what it makes. It may use more memory than that itself, but this process takes no more from it."""


class PressStopped(Exception):  # noqa: N818 - of the label's doing, not of ours
    """The label that was just given has stopped it; what was put together is lost."""


class TooLargeError(Exception):
    """What was put together is larger than anybody wants."""


class _Answer(msgspec.Struct):
    pages: int = 0
    fault: str = ""


@dataclass(slots=True)
class Press:
    process: Process
    label_within_s: float
    bytes_max: int
    labels: int = 0
    pages: int = 0

    async def add(self, pdf: bytes, mark: str, *, void: bool = False, box: tuple[int, int] | None = None) -> None:
        """A label; see `Merge.add`. Raises UnreadablePdfError, and PressStopped."""
        await self._say(VOID if void else LABEL, pdf, mark=mark, box=box)
        self.labels += 1

    async def add_beside(self, pdf: bytes) -> None:
        """What is printed along with a label. Raises UnreadablePdfError, and PressStopped."""
        await self._say(LABEL, pdf)

    async def draw(self, drawings: tuple[Drawing, ...]) -> None:
        """Papers of our own. Raises PressStopped."""
        if drawings:
            await self._say(DRAWN, msgspec.json.encode(packed(drawings)))

    async def _say(self, what: int, told: bytes, *, mark: str = "", box: tuple[int, int] | None = None) -> None:
        marked = mark.encode()
        head = struct.pack(">I", len(marked)) + marked + struct.pack(">BIIQ", what, *(box or (0, 0)), len(told))
        async with self._stopping_within(self.label_within_s):
            line = await self._ask(head + told)
        answer = msgspec.json.decode(line, type=_Answer)
        if answer.fault:
            raise UnreadablePdfError(answer.fault)
        self.pages += answer.pages

    async def finish(self) -> bytes:
        """The PDF of all labels; there must be one. Raises PressStopped, and TooLargeError."""
        assert self.process.stdin is not None, "it was started with a pipe"
        assert self.process.stdout is not None, "it was started with a pipe"
        async with self._stopping_within(FINISHED_WITHIN_S):
            self.process.stdin.write(struct.pack(">I", END))
            await self.process.stdin.drain()
            pdf = await self._read(self.process.stdout)
            if await self.process.wait() != 0:
                raise PressStopped
        return pdf

    async def _read(self, made: asyncio.StreamReader) -> bytes:
        pdf = bytearray()
        while part := await made.read(READ_BYTES):
            pdf += part
            if len(pdf) > self.bytes_max:
                raise TooLargeError
        return bytes(pdf)

    async def _ask(self, said: bytes) -> bytes:
        assert self.process.stdin is not None, "it was started with a pipe"
        assert self.process.stdout is not None, "it was started with a pipe"
        self.process.stdin.write(said)
        await self.process.stdin.drain()
        return await self.process.stdout.readuntil(b"\n")

    @contextlib.asynccontextmanager
    async def _stopping_within(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except (TimeoutError, EOFError, ConnectionError):
            raise PressStopped from None


@contextlib.asynccontextmanager
async def press(*, label_within_s: float = LABEL_WITHIN_S, bytes_max: int = BYTES_MAX) -> AsyncIterator[Press]:
    """While the block runs; its process does not outlive it."""
    async with apart("-m", "bilty.documents") as process:
        yield Press(process, label_within_s, bytes_max)


async def drawn(drawings: tuple[Drawing, ...]) -> bytes:
    """A PDF of papers of our own; there must be one. Raises PressStopped and TooLargeError."""
    async with press() as running:
        await running.draw(drawings)
        return await running.finish()


async def voided(pdf: bytes, mark: str) -> bytes:
    """The label as it may still be looked at, VOID on every page, and `mark` below.

    Raises UnreadablePdfError, PressStopped and TooLargeError: then nobody may have it.
    """
    async with press() as running:
        await running.add(pdf, mark, void=True)
        return await running.finish()
