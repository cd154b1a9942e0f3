"""A post office for tests: the dispatcher's bench, endpoints, and a sender whose receivers do as they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from bilty.deciding import Cancel
from bilty.hand_off import EventKind
from bilty.intake.endpoints import NewEndpoint
from bilty.oms.deliverer import Tools, deliver_due
from bilty.oms.sending import Send, Sent
from bilty.store.acting import act
from bilty.store.audit import COMMAND
from bilty.store.hand_off import endpoints
from dispatch.bench import Bench

RECEIVED = Sent(200, "", None, 3)
BROKEN = Sent(500, "The receiver answered 500.", None, 3)
GONE = Sent(410, "The receiver answered 410: it wants no more events.", None, 3)
SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZXNlLXRlc3Rz"
ROUNDS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One try, as the sender was asked to make it."""

    url: str
    secrets: tuple[str, ...]
    event_id: str
    at: datetime
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body["type"]).removeprefix("shipment.")

    @property
    def shipment(self) -> dict[str, Any]:
        told: dict[str, Any] = self.body["data"]["shipment"]
        return told


@dataclass(slots=True)
class Postman:
    """Notes every letter. `answers` by address; whoever is not there receives all."""

    letters: list[Letter] = field(default_factory=list)
    answers: dict[str, Callable[[Letter], Sent]] = field(default_factory=dict)

    async def send(self, url: str, secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> Sent:
        letter = Letter(url, tuple(secrets), event_id, at, msgspec.json.decode(body))
        self.letters.append(letter)
        answer = self.answers.get(url)
        return answer(letter) if answer else RECEIVED

    def kinds(self, number: str, url: str | None = None) -> list[str]:
        return [each.kind for each in self.of(number) if url in (None, each.url)]

    def of(self, number: str) -> list[Letter]:
        return [each for each in self.letters if each.shipment["number"] == number]


@dataclass(slots=True)
class Post:
    bench: Bench
    tools: Tools
    postman: Postman
    ids: dict[str, int] = field(default_factory=dict)

    def send_with(self, sender: Send) -> None:
        self.tools = replace(self.tools, sender=sender)

    async def endpoint(
        self,
        code: str = "oms",
        *,
        url: str = "",
        kinds: Sequence[EventKind] = tuple(EventKind),
        facilities: tuple[str, ...] | None = None,
        enabled: bool = True,
        secret: str = SECRET,
    ) -> str:
        """Its address."""
        new = NewEndpoint(code, url or f"https://{code}.example/hook", tuple(kinds), facilities, enabled, secret)
        async with self.bench.pool.acquire() as connection, connection.transaction():
            self.ids[code] = (await endpoints.put(connection, self.tools.vault, new, COMMAND)).endpoint.id
        return new.url

    async def deliver(self) -> int:
        """All that is due now, and what becomes due by it: how many tries."""
        done = 0
        for _ in range(ROUNDS_MAX):
            count = await deliver_due(self.tools, self.bench.now)
            done += count
            if not count:
                return done
        raise AssertionError("there is always something due: the deliverer runs in a circle")

    async def until(self, end: datetime) -> list[datetime]:
        """Delivers through every due time up to `end`, and returns those at which something was tried."""
        moments = []
        while True:
            if await self.deliver():
                moments.append(self.bench.now)
            due = await self.bench.pool.fetchval(
                """SELECT min(l.due_at) FROM lanes l JOIN endpoints p ON p.id = l.endpoint_id
                    WHERE l.due_at > $1 AND p.enabled AND p.disabled_at IS NULL""",
                self.bench.now,
            )
            if due is None or due > end:
                self.bench.now = end
                return moments
            self.bench.now = due

    async def cancel(self, number: str) -> None:
        async with self.bench.pool.acquire() as connection, connection.transaction():
            wish = {self.bench.ids[number]: Cancel()}
            assert list((await act(connection, wish, COMMAND, self.bench.now, self.bench.tools.rules)).values()) == [
                None
            ]

    async def deliveries(self, code: str = "oms") -> list[asyncpg.Record]:
        return await self.bench.rows(
            """SELECT d.*, e.kind FROM deliveries d JOIN events e ON e.id = d.event_id
                WHERE d.endpoint_id = $1 ORDER BY d.id""",
            self.ids[code],
        )

    async def standing(self, code: str = "oms") -> endpoints.Endpoint:
        async with self.bench.pool.acquire() as connection:
            found = await endpoints.one(connection, code)
        assert found is not None
        return found

    async def owed(self) -> int:
        """Lanes that are due some time. That each owes something, and each that owes is among them, is checked."""
        rows = await self.bench.rows(
            """SELECT l.due_at IS NOT NULL AS due, EXISTS (SELECT FROM deliveries d
                      WHERE d.endpoint_id = l.endpoint_id AND d.shipment_id = l.shipment_id
                        AND d.state = 'waiting') AS owes
                 FROM lanes l"""
        )
        assert [row for row in rows if row["due"] != row["owes"]] == []
        stray = await self.bench.pool.fetchval(
            """SELECT count(*) FROM deliveries d WHERE d.state = 'waiting' AND NOT EXISTS (
                      SELECT FROM lanes l WHERE l.endpoint_id = d.endpoint_id AND l.shipment_id = d.shipment_id)"""
        )
        assert stray == 0
        return sum(row["due"] for row in rows)


def make_post(bench: Bench) -> Post:
    postman = Postman()
    return Post(bench, Tools(bench.pool, bench.vault, postman, "https://bilty.example", timedelta(days=7)), postman)
