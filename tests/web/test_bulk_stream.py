"""A stream that goes wrong in its middle: what was told stays true, and the last line says where to go on."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import asyncpg
import pytest
from litestar.types import HTTPReceiveMessage, Message
from litestar.types import Scope as AsgiScope

from bilty.intake import IntakeRules
from bilty.store import access
from bilty.store.access import Caller, Scope
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Pool
from bilty.turn import Rules
from bilty.web.bulk.gate import STREAMS_MAX, Gate
from bilty.web.bulk.keeping import Keeper
from bilty.web.bulk.reading import Documents, Orders, Reading
from bilty.web.bulk.results import Telling
from bilty.web.bulk.spool import Spool
from bilty.web.bulk.stream import Patience, Stream
from bilty.web.problems import ProblemError
from web.house import Document, House
from web.streams import lines, numbered, results
from web.test_api_bulk import order_file, row

PATIENT, SOON = Patience(), Patience(sender_s=0.05, reader_s=0.05)
SCOPE = cast("AsgiScope", {"type": "http"})


def today() -> date:
    return date(2026, 11, 25)


@dataclass
class Peer:
    """A client at the other end of an ASGI application: reads unless it is `deaf`, then when it listens.

    A piece that is no bytes is called and awaited in its place. `ends`: whole, gone or silent.
    """

    pieces: Sequence[bytes | Callable[[], Awaitable[object]]]
    ends: str = "whole"
    deaf: bool = False
    began: int = 0
    body: bytearray = field(default_factory=bytearray)
    is_over: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> HTTPReceiveMessage:
        while self.pieces:
            piece, *self.pieces = self.pieces
            if isinstance(piece, bytes):
                more = bool(self.pieces) or self.ends != "whole"
                return {"type": "http.request", "body": piece, "more_body": more}
            await piece()
        if self.ends == "silent":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.deaf:
            await self.listens.wait()
        if message["type"] == "http.response.start":
            self.began = message["status"]
        elif message["type"] == "http.response.body":
            self.body += message["body"]
            self.is_over = not message["more_body"]
        self.heard.set()

    async def reads(self, count: int) -> None:
        while self.body.count(b"\n") < count:
            self.heard.clear()
            await self.heard.wait()

    @property
    def told(self) -> list[Document]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Desk:
    """Takes streams in as the route does, with what a test has changed of them."""

    house: House
    whose: Caller
    gate: Gate = field(default_factory=Gate)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def keeper(self, pool: "Pool | None" = None, **changed: float) -> Keeper:
        actor = Actor(ActorKind.KEY, self.whose.name)
        return Keeper(pool or self.house.tools.pool, self.gate, self.whose, actor, **changed)

    async def takes(
        self,
        peer: Peer,
        *,
        reading: Reading | None = None,
        keeper: Keeper | None = None,
        spool: Spool | None = None,
        patience: Patience = PATIENT,
    ) -> Peer:
        stream = Stream(
            gate=self.gate,
            keeper=keeper or self.keeper(),
            reading=reading or Documents(IntakeRules(), today),
            telling=Telling(self.whose, Rules(), "http://bilty", is_file=isinstance(reading, Orders)),
            spool=spool or Spool(),
            stopping=self.stopping,
            patience=patience,
        )
        await stream(SCOPE, peer.receive, peer.send)
        assert not self.gate.streams
        return peer

    async def numbers(self) -> list[str]:
        """Of the shipments that were kept."""
        rows = await self.house.tools.pool.fetch("SELECT number FROM shipments ORDER BY id")
        return [row["number"] for row in rows]


@pytest.fixture
async def desk(furnished: House) -> Desk:
    key = await furnished.key(Scope.DISPATCH)
    async with furnished.tools.pool.acquire() as connection:
        whose = await access.caller_of(connection, key)
    assert isinstance(whose, Caller)
    return Desk(furnished, whose)


def broken(told: Sequence[Document], code: str) -> Document:
    """The last line of an answer that broke off."""
    last = told[-1]
    assert last["done"] is False
    assert last["type"] == f"urn:bilty:problem:{code}"
    assert last["rows"] == len(told) - 1
    return last


# The client


@pytest.mark.parametrize("reading", [Documents, Orders])
async def test_of_a_client_that_is_gone_whole_rows_stay_and_half_ones_never_were(
    desk: Desk, reading: type[Documents] | type[Orders]
) -> None:
    if reading is Orders:
        peer = Peer([order_file(row("SO-1"), row("SO-2"), row("SO-3"))[:-5]], ends="gone")
        await desk.takes(peer, reading=Orders(IntakeRules(), today, schedule=False))
        assert await desk.numbers() == ["SO-1"]
    else:
        await desk.takes(Peer([lines(*numbered(3))[:-2]], ends="gone"))
        assert await desk.numbers() == ["SO-1", "SO-2"]


async def test_a_client_that_falls_silent_is_told_where_to_go_on(desk: Desk) -> None:
    peer = await desk.takes(Peer([lines(*numbered(3))[:-2]], ends="silent"), patience=SOON)
    last = broken(peer.told, "stalled")
    assert (results(peer.told), last["resume"]) == (["new", "new"], 3)
    assert last["detail"] == (
        "Fewer than 256 bytes came in 0.05 s, and the rest is not waited for. What is told above is settled: "
        "send all again, and it is told as `same`; or what stands from line 3 on."
    )
    assert peer.is_over


async def test_a_client_that_sends_a_byte_at_a_time_is_not_waited_for(desk: Desk) -> None:
    """Each byte comes within the pause that it may make, and all of them together are too few."""

    async def pause() -> None:
        for _ in range(10):
            await desk.house.tools.pool.fetchval("SELECT 1")

    drops: list[bytes | Callable[[], Awaitable[object]]] = [pause, b" "]
    peer = Peer([lines(*numbered(1)), *drops * 200])
    await desk.takes(peer, patience=SOON)
    assert results(peer.told) == ["new"]
    broken(peer.told, "stalled")
    assert peer.pieces, "the rest was not read"


async def test_a_client_that_says_nothing_at_all_gets_an_ordinary_problem(desk: Desk) -> None:
    with pytest.raises(ProblemError) as told:
        await desk.takes(Peer([b'{"number"'], ends="silent"), patience=SOON)
    assert (told.value.status, told.value.code) == (408, "stalled")


async def test_a_format_is_known_by_its_first_bytes_wherever_they_are_cut(desk: Desk) -> None:
    with pytest.raises(ProblemError) as told:
        await desk.takes(Peer([b"\x1f", b"\x8b\x08\n\n"]))
    assert (told.value.status, told.value.code) == (415, "encoded")


async def test_a_client_that_never_reads_is_let_go_and_its_rows_stay(desk: Desk) -> None:
    peer = await desk.takes(Peer([lines(*numbered(3))], deaf=True), patience=SOON)
    assert not peer.began
    assert await desk.numbers() == ["SO-1", "SO-2", "SO-3"]


async def test_more_results_than_are_kept_for_a_client_that_does_not_read_end_the_stream(desk: Desk) -> None:
    peer = Peer([b"{}\n" * 3_000], deaf=True)

    class HeardAtLast(Spool):
        def end(self, piece: bytes) -> None:
            super().end(piece)
            peer.listens.set()

    await desk.takes(peer, spool=HeardAtLast(file_bytes_max=1, pauses_s_max=0))
    last = broken(peer.told, "not_read")
    assert 0 < last["rows"] < 3_000
    assert last["resume"] == last["rows"] + 1


# The house


async def test_a_process_that_ends_says_where_to_go_on(desk: Desk) -> None:
    peer = Peer([])

    async def stops() -> None:
        await peer.reads(2)
        desk.stopping.set()

    peer.pieces, peer.ends = [lines(*numbered(2)), stops], "silent"
    await desk.takes(peer)
    assert (results(peer.told), broken(peer.told, "stopping")["resume"]) == (["new", "new"], 3)


async def test_a_database_that_comes_back_soon_is_waited_for(desk: Desk, dsn: str) -> None:
    away = [OSError("nobody listens"), asyncpg.CannotConnectNowError("the database system is starting up")]

    async def set_up(_: object) -> None:
        if away:
            raise away.pop()

    async with asyncpg.create_pool(dsn, min_size=1, setup=set_up) as pool:
        peer = await desk.takes(Peer([lines(*numbered(2))]), keeper=desk.keeper(pool))
    assert not away
    assert results(peer.told) == ["new", "new"]
    assert peer.told[-1]["done"] is True


async def test_a_database_that_stays_away_ends_the_stream(desk: Desk, dsn: str) -> None:
    pool = await asyncpg.create_pool(dsn, min_size=0)
    peer = Peer([])

    async def goes_away() -> None:
        await peer.reads(1)
        await pool.close()

    peer.pieces = [lines(*numbered(1)), goes_away, lines(*numbered(2, first=2))]
    await desk.takes(peer, keeper=desk.keeper(pool, away_s_max=0))
    assert results(peer.told) == ["new"]
    assert broken(peer.told, "database_away")["resume"] == 2
    with pytest.raises(ProblemError) as told:
        await desk.takes(Peer([lines(*numbered(1))]), keeper=desk.keeper(pool, away_s_max=0))
    assert (told.value.status, told.value.code) == (503, "database_away")


async def test_a_key_that_is_revoked_in_the_middle_brings_nothing_more(desk: Desk) -> None:
    peer = Peer([])

    async def is_revoked() -> None:
        await peer.reads(1)
        await desk.house.tools.pool.execute("DELETE FROM api_keys WHERE id = $1", desk.whose.id)

    peer.pieces = [lines(*numbered(1)), is_revoked, lines(*numbered(2, first=2))]
    await desk.takes(peer, keeper=desk.keeper(key_looked_at_every_s=0))
    assert broken(peer.told, "unknown_key")["resume"] == 2
    assert await desk.numbers() == ["SO-1"]


async def test_a_row_that_the_database_refuses_is_refused_alone(desk: Desk) -> None:
    await desk.house.tools.pool.execute("ALTER TABLE shipments ADD CHECK (number <> 'SO-2')")
    peer = await desk.takes(Peer([lines(*numbered(3))]))
    assert results(peer.told) == ["new", "refused", "new"]
    assert peer.told[1]["type"] == "urn:bilty:problem:internal"


async def test_one_stream_too_many_is_not_read(desk: Desk) -> None:
    desk.gate = Gate(Counter(range(-STREAMS_MAX, 0)))
    peer = Peer([b"{}"])
    with pytest.raises(ProblemError) as told:
        await desk.takes(peer)
    assert (told.value.status, peer.pieces) == (429, [b"{}"])
