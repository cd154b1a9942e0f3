"""Shipments that flow in while everything burns: posted through the real API in bulk and one by one.

Whatever goes wrong, the same is posted again with the same content, until Bilty has said of each that it has it. Some
are posted twice at once, as two people do who do not know of each other.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from bench.chaos.asking import Answer, Broken, Caller

PROVIDER = "clickpost-b2b"
FACILITIES = ("BLR-1", "BOM-2", "CCU-3", "DEL-4", "HYD-5", "MAA-6")
CHUNK, BULK_POSTERS, SINGLE_POSTERS = 40, 3, 6
TWICE_ONE_IN, KEYED_ONE_IN = 5, 4
WAITED_FOR_ONE_IN = 4
AGAIN_AFTER_S = 0.5
SIZES = (1, 1, 1, 2, 2, 3, 5)
DAY = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")
"""Once for the whole run, which may see midnight: what is posted again is the same."""
TAKEN = (200, 201, 202)
COME_AGAIN = (408, 409, 425, 429)
API = "/api/v1"
OUR_FAULT = ("internal", "database_away")
"""How the type of a problem ends that is none of the row's."""
PARTY: dict[str, object] = {
    "name": "Receiving desk",
    "organisation": "Sahyadri Distributors",
    "phone": "9876543210",
    "address": "Plot 14, Industrial Area",
    "city": "Pune",
    "state": "Maharashtra",
    "pincode": "411018",
}


class _Row(msgspec.Struct):
    """A line of an answer to a bulk upload; the last one has no result."""

    result: str = ""
    id: int | None = None
    number: str = ""
    type: str = ""


class _One(msgspec.Struct):
    id: int


_ROWS, _ONE = msgspec.json.Decoder(_Row), msgspec.json.Decoder(_One)


class Unwanted(Exception):  # noqa: N818 - a fault of this run's own, not of what it tests
    """Bilty refuses what was posted."""


def invoice_of(number: str) -> str:
    """By which the sandbox's truth names the shipment, whatever Bilty's books say."""
    return f"INV-{number}"


def document(number: str, seed: int) -> dict[str, object]:
    """The same for the same number, however often it is posted."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311 - not for secrets
    count = dice.choice(SIZES)
    size = {"count": 1, "length_cm": 40, "breadth_cm": 30, "weight_g": 5_000}
    boxes = [{**size, "height_cm": 20 + nth} for nth in range(count)]
    return {
        "number": number,
        "facility": dice.choice(FACILITIES),
        "shipping_provider": PROVIDER,
        "consignee": PARTY,
        "payment": {"mode": "prepaid"},
        "invoices": [{"number": invoice_of(number), "date": DAY, "value": "23600.00"}],
        "boxes": boxes,
        "schedule": True,
    }


async def furnish(caller: Caller, username: str, key: str, endpoint: str) -> None:
    """What is there before anything is posted. Raises Unwanted."""
    connector = {"username": username, "key": key, "pickup_after_minutes": 30, "appointment_after_days": 2}
    kinds = ["label_requested", "label_ready", "courier_changed", "needs_attention", "failed", "cancelled"]
    wanted: list[tuple[str, object]] = [
        (f"/shipping-providers/{PROVIDER}", {"kind": "clickpost_b2b", "name": "ClickPost B2B"}),
        (f"/shipping-providers/{PROVIDER}/connector", connector),
        *((f"/facilities/{code}", {**PARTY, "gstin": "27AAGCB7383J1Z8"}) for code in FACILITIES),
    ]
    for code in FACILITIES:
        # One each, as at most so many messages of an endpoint are out at once, those of the dead among them.
        told = {"url": f"{endpoint}{code}", "facilities": [code], "events": [f"shipment.{kind}" for kind in kinds]}
        wanted.append((f"/hand-off-endpoints/{code.lower()}", told))
    for path, what in wanted:
        answer = await caller.ask("PUT", f"{API}{path}", what)
        if answer.status not in TAKEN:
            raise Unwanted(f"PUT {path}: {answer.status} {answer.body.decode(errors='replace')}")


@dataclass(slots=True)
class Flow:
    """`taken`: what Bilty has said it has, by number: the ids that it gave, which must be one.

    Whoever of `callers` reaches nobody is followed by the next, as behind a load balancer.
    """

    callers: Sequence[Caller]
    seed: int
    has_room: asyncio.Event = field(default_factory=asyncio.Event)
    taken: dict[str, set[int]] = field(default_factory=dict)
    broken: int = 0
    """Requests that got no whole answer, or were to come again."""
    _next: int = 0
    _ending: bool = False

    @property
    def caller(self) -> Caller:
        return self.callers[self.broken % len(self.callers)]

    async def run(self) -> None:
        """Until `end` is called; then until everything that was begun to be posted is taken."""
        async with asyncio.TaskGroup() as group:
            for _ in range(BULK_POSTERS):
                group.create_task(self._post_in_bulk())
            for nth in range(SINGLE_POSTERS):
                group.create_task(self._post_singly(random.Random(f"{self.seed} poster {nth}")))  # noqa: S311

    def end(self) -> None:
        self._ending = True
        self.has_room.set()

    async def _numbers(self, count: int) -> AsyncIterator[list[str]]:
        """New ones, whenever there is room, until the end."""
        while True:
            await self.has_room.wait()
            if self._ending:
                return
            first, self._next = self._next, self._next + count
            yield [f"C{nth:07}" for nth in range(first, first + count)]

    async def _post_in_bulk(self) -> None:
        async for numbers in self._numbers(CHUNK):
            untold = numbers
            while untold:
                body = b"\n".join(msgspec.json.encode(document(number, self.seed)) for number in untold)
                try:
                    answer = await self.caller.send("POST", f"{API}/shipments/bulk", body, "application/x-ndjson")
                    self._expect(answer)
                    told = answer.body
                except Broken as broken:
                    told = broken.begun
                self._note_rows(told)
                untold = [number for number in numbers if number not in self.taken]
                await self._pause(untold)

    def _note_rows(self, told: bytes) -> None:
        """Also of an answer that breaks off: what it said is said."""
        for line in told.split(b"\n")[:-1]:
            row = _ROWS.decode(line)
            if row.result == "refused" and not row.type.endswith(OUR_FAULT):
                raise Unwanted(line.decode())
            if row.result in ("new", "same") and row.id is not None:
                self.taken.setdefault(row.number, set()).add(row.id)

    async def _post_singly(self, dice: random.Random) -> None:
        async for (number,) in self._numbers(1):
            headers = {"Prefer": "wait=3"} if dice.randrange(WAITED_FOR_ONE_IN) == 0 else {}
            if dice.randrange(KEYED_ONE_IN) == 0:
                # A request that died with its process keeps its key busy for a while: few may be held up by that.
                headers["Idempotency_Key"] = number
            twice = dice.randrange(TWICE_ONE_IN) == 0
            await asyncio.gather(*(self._post_one(number, dict(headers)) for _ in range(2 if twice else 1)))

    async def _post_one(self, number: str, headers: dict[str, str]) -> None:
        what, done = document(number, self.seed), False
        while not done:
            with contextlib.suppress(Broken):
                answer = await self.caller.ask("POST", f"{API}/shipments", what, **headers)
                done = self._expect(answer)
                if done:
                    self.taken.setdefault(number, set()).add(_ONE.decode(answer.body).id)
            if self._ending:
                # Whoever died with it keeps the key busy for a while, and the order is the same without.
                headers.pop("Idempotency_Key", None)
            await self._pause(not done)

    def _expect(self, answer: Answer) -> bool:
        """Whether it was done; else it is to come again. Raises Unwanted."""
        if answer.status not in TAKEN and answer.status < 500 and answer.status not in COME_AGAIN:
            raise Unwanted(f"{answer.status} {answer.body.decode(errors='replace')}")
        return answer.status in TAKEN

    async def _pause(self, again: object) -> None:
        if again:
            self.broken += 1
            await asyncio.sleep(AGAIN_AFTER_S)
