"""One stream of shipments, from the request's first byte to the answer's last.

Three things happen at the same time, each at its own pace: what comes in is read, what is read is kept in sets, and
what was kept is told. Whoever reads slowly is held up by nothing but the size of a file; whoever sends faster than the
database writes waits to be read. Of a client that is gone whole rows stay, and half ones never were.

An answer begins with its first line. What goes wrong before that is an ordinary problem; afterwards it is the last
line, which says where to go on.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import structlog
from litestar.types import Receive, Scope, Send

from bilty.intake import Accepted
from bilty.web.bulk.gate import (
    COME_AGAIN_AFTER_S,
    STREAMS_MAX,
    STREAMS_PER_KEY_MAX,
    Gate,
    TooManyOfThisKey,
    TooManyStreams,
)
from bilty.web.bulk.keeping import Keeper
from bilty.web.bulk.reading import BOM, End, Reading, Row
from bilty.web.bulk.results import Telling
from bilty.web.bulk.spool import READER_PAUSES_S_MAX, NotRead, Spool
from bilty.web.bulk.waiting import Waiting
from bilty.web.problems import ProblemError

HEADERS = [(b"content-type", b"application/x-ndjson"), (b"x-accel-buffering", b"no")]
"""The second is for nginx, which else collects an answer before it passes it on."""
PIECE_BYTES = 16 * 1024
"""Read at a time, between which others have their turn: about 2 ms."""
SENDER_PAUSES_S_MAX = 60.0
SENDER_BYTES_MIN = 256
"""In that time: a row a minute is a stream, a byte a minute holds a place that others wait for."""
GZIP, UTF_16_BOMS = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
ENCODED = "The body is compressed: send it as it is, without Content-Encoding."
UTF_16 = "The body is UTF-16: send UTF-8."
STOPPING = "Bilty is being stopped, and will be there again."
STALLED = f"Fewer than {SENDER_BYTES_MIN} bytes came in {{:g}} s, and the rest is not waited for."
TOO_MANY = f"{STREAMS_MAX} streams are being taken in, as many as there may be: send this one later."
TOO_MANY_OF_KEY = (
    f"{STREAMS_PER_KEY_MAX} streams of this key are being taken in, as many as it may: send this one later."
)
NOT_READ = "More results wait than are kept for a client that does not read: read them while sending."
NO_ROOM = "Bilty's disk has no room for what a stream lays aside: free some where its TMPDIR is."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: between two pieces of a body, and for a client that has all its results waiting."""

    sender_s: float = SENDER_PAUSES_S_MAX
    reader_s: float = READER_PAUSES_S_MAX


class ClientGone(Exception):  # noqa: N818 - a fact about the client
    """There is nobody to tell anything."""


@dataclass(slots=True)
class Stream:
    """The answer to a bulk request, as an ASGI application. `stopping` is set when the process is about to end."""

    gate: Gate
    keeper: Keeper
    reading: Reading
    telling: Telling
    spool: Spool
    stopping: asyncio.Event
    patience: Patience = Patience()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ProblemError, for the house to answer, where not a line was told."""
        sending: asyncio.Task[None] | None = None
        try:
            with self.gate.entered(self.keeper.key_id):
                sending = asyncio.create_task(self._send(send))
                end = await self._take_in(receive)
                if end and self.spool.is_empty_yet:
                    raise end.problem
                self.spool.end(self.telling.last(end.problem if end else None, end.resume if end else None))
                await self._sent(sending)
        except TooManyStreams as full:
            raise _too_many(full) from None
        except ClientGone:
            log.info("bulk.client_gone", rows=self.telling.tally.rows)
        finally:
            if sending:
                await _cancelled(sending)
            self.spool.close()
            self.reading.release()

    async def _take_in(self, receive: Receive) -> End | None:
        """Until all is kept, or nothing more can be. Whatever ends first, what is read by then is kept."""
        waiting = Waiting()
        keeping = asyncio.create_task(self._keep(waiting))
        reading = asyncio.create_task(self._read(receive, waiting))
        stopping = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({keeping, reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                return keeping.result()
            end = None
            if not reading.done():
                await _cancelled(reading)
                end = End(ProblemError(503, "stopping", STOPPING, headers={"Retry-After": "10"}))
            waiting.end()
            kept = await keeping
            return kept or end or reading.result()
        finally:
            for task in (keeping, reading, stopping):
                await _cancelled(task)

    async def _read(self, receive: Receive, waiting: Waiting) -> End | None:
        """None when all there is was read. Raises ClientGone."""
        head, more = b"", True
        clock = asyncio.get_running_loop().time
        left_s, came = self.patience.sender_s, 0
        while more:
            began = clock()
            try:
                async with asyncio.timeout(left_s):
                    message = await receive()
            except TimeoutError:
                return _stalled(self.patience.sender_s)
            if message["type"] != "http.request":
                raise ClientGone
            body, more = message["body"], message["more_body"]
            left_s, came = left_s - (clock() - began), came + len(body)
            if came >= SENDER_BYTES_MIN:
                left_s, came = self.patience.sender_s, 0
            head = (head + body[: len(BOM)])[: len(BOM)]
            for at in range(0, len(body), PIECE_BYTES):
                if end := _other_format(head) or await self._put(
                    self.reading.feed(body[at : at + PIECE_BYTES]), waiting
                ):
                    return end
                await asyncio.sleep(0)
        return await self._put(self.reading.close(), waiting)

    async def _put(self, rows: Iterator[Row | End], waiting: Waiting) -> End | None:
        try:
            for row in rows:
                if isinstance(row, End):
                    return row
                await waiting.put(row)
        except OSError as trouble:
            return _no_room(trouble)
        return None

    async def _keep(self, waiting: Waiting) -> End | None:
        """What cannot be told is not counted either: it is told when it comes again."""
        while rows := await waiting.take():
            accepted = [row.verdict for row in rows if isinstance(row.verdict, Accepted)]
            before = replace(self.telling.tally)
            try:
                became = iter(await self.keeper.keep(accepted))
                told = [
                    self.telling.row(row, next(became) if isinstance(row.verdict, Accepted) else None) for row in rows
                ]
                await self.spool.put(b"".join(told))
            except ProblemError as problem:
                return End(problem)
            except (NotRead, OSError) as trouble:
                self.telling.tally = before
                return _not_read() if isinstance(trouble, NotRead) else _no_room(trouble)
        return None

    async def _send(self, send: Send) -> None:
        piece = await self.spool.take()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await self.spool.take()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, sending: "asyncio.Task[None]") -> None:
        """However long it takes, as long as it goes on. Raises ClientGone."""
        while not sending.done():
            taken = self.spool.bytes_taken
            await asyncio.wait({sending}, timeout=self.patience.reader_s)
            if not sending.done() and self.spool.bytes_taken == taken:
                raise ClientGone
        sending.result()


async def _cancelled(task: "asyncio.Task[object]") -> None:
    """Returns when it has ended. What it raised is another's to tell: of several that end, the first is heard."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _other_format(head: bytes) -> End | None:
    if head.startswith(GZIP):
        return End(ProblemError(415, "encoded", ENCODED))
    if head.startswith(UTF_16_BOMS):
        return End(ProblemError(415, "not_utf_8", UTF_16))
    return None


def _stalled(after_s: float) -> End:
    return End(ProblemError(408, "stalled", STALLED.format(after_s)))


def _too_many(full: TooManyStreams) -> ProblemError:
    detail = TOO_MANY_OF_KEY if isinstance(full, TooManyOfThisKey) else TOO_MANY
    return ProblemError(429, "too_many_streams", detail, headers={"Retry-After": str(COME_AGAIN_AFTER_S)})


def _not_read() -> End:
    return End(ProblemError(408, "not_read", NOT_READ))


def _no_room(trouble: OSError) -> End:
    log.error("bulk.no_room", why=str(trouble))
    return End(ProblemError(503, "no_room", NO_ROOM))
