"""A desk for tests of jobs: the dispatcher's bench, and a worker's tools beside it."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
from reportlab.pdfgen.canvas import Canvas

from bilty.jobs import Tools, Worker, work
from bilty.store import jobs
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import JOBS_CHANNEL, Connection, listening
from bilty.store.jobs import Item, Job, JobKind, Outcome
from bilty.store.shipments import Arrival, keep
from bilty.workflow import Status
from dispatch.bench import Bench, shipment

WITHIN_S = 60
WAITS = """SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                           WHERE NOT l.granted AND a.datname = current_database())"""
BEAT = timedelta(seconds=1)
ASHA, RAVI = Actor(ActorKind.USER, "asha@example.com"), Actor(ActorKind.USER, "ravi@example.com")


def never() -> bool:
    return False


def label_pdf(words: str, *, pages: int = 1) -> bytes:
    """A label as couriers send them: 4 by 6 inches, `words` on each page."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(288, 432))
    for page in range(1, pages + 1):
        canvas.drawString(20, 400, f"{words}, page {page} of {pages}")
        canvas.showPage()
    canvas.save()
    return made.getvalue()


@dataclass(slots=True)
class Desk:
    bench: Bench
    tools: Tools
    dsn: str
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def created(self, *numbers: str) -> list[int]:
        """Shipments that nobody has scheduled."""
        async with self.tools.pool.acquire() as connection, connection.transaction():
            arrivals = [Arrival(shipment(each, boxes=1)) for each in numbers]
            kept = await keep(connection, arrivals, self.bench.now)
        self.bench.ids.update({n: k.shipment_id for n, k in zip(numbers, kept, strict=True)})
        return [each.shipment_id for each in kept]

    async def labelled(self, *numbers: str) -> list[int]:
        """Shipments whose label is here, each a PDF that says its number."""
        await self.bench.schedule(*(shipment(each, boxes=1) for each in numbers))
        await self.bench.work()
        for each in numbers:
            assert await self.bench.status(each) is Status.LABEL_READY
            sha256 = await self.tools.labels.put(label_pdf(each))
            await self.put_label(each, sha256)
        return [self.bench.ids[each] for each in numbers]

    async def put_label(self, number: str, sha256: str) -> None:
        await self.tools.pool.execute(
            "UPDATE turns SET label_sha256 = $2 WHERE shipment_id = $1 AND state = 'won'",
            self.bench.ids[number],
            sha256,
        )

    async def begin(
        self,
        kind: JobKind,
        shipment_ids: Sequence[int] = (),
        *,
        actor: Actor = ASHA,
        facilities: frozenset[int] | None = None,
        given: Mapping[str, object] | None = None,
    ) -> int:
        async with self.tools.pool.acquire() as connection, connection.transaction():
            return await jobs.begin(
                connection, kind, given or {}, actor, shipment_ids=shipment_ids, facilities=facilities
            )

    async def do(
        self,
        kind: JobKind,
        shipment_ids: Sequence[int] = (),
        *,
        actor: Actor = ASHA,
        facilities: frozenset[int] | None = None,
        given: Mapping[str, object] | None = None,
    ) -> Job:
        """Begun and worked on here and now, without a queue."""
        job_id = await self.begin(kind, shipment_ids, actor=actor, facilities=facilities, given=given)
        await work(self.tools, job_id, never)
        return await self.job(job_id)

    async def job(self, job_id: int) -> Job:
        connection = await asyncpg.connect(self.dsn)  # of its own: a test may just have cut all those of the pool
        try:
            job = await jobs.job_of(connection, job_id)
        finally:
            await connection.close()
        assert job is not None
        return job

    async def items(self, job_id: int, outcome: Outcome | None) -> list[Item]:
        async with self.tools.pool.acquire() as connection:
            return await jobs.items_of(connection, job_id, outcome)

    async def refused(self, job_id: int) -> Mapping[int, str]:
        return {each.shipment_id: each.reason for each in await self.items(job_id, Outcome.REFUSED)}

    @asynccontextmanager
    async def working(self, tools: Tools | None = None) -> AsyncIterator[Worker]:
        """A worker as it runs in a process."""
        worker = Worker(tools or self.tools, self.dsn, beat=BEAT)
        async with listening(self.dsn, self.heard):
            running = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                worker.stop()
                await asyncio.wait_for(running, WITHIN_S)

    async def until_one_waits(self, connection: Connection) -> None:
        """For a lock that somebody holds. A transaction knows of who connected after its first look when told to."""
        async with asyncio.timeout(WITHIN_S):
            while not await connection.fetchval(WAITS):
                await connection.execute("SELECT pg_stat_clear_snapshot()")

    def heard(self, channel: str, _payload: str) -> None:
        if channel == JOBS_CHANNEL:
            self.told.set()

    async def until(self, job_id: int, reached: Callable[[Job], bool]) -> Job:
        async with asyncio.timeout(WITHIN_S):
            while not reached(job := await self.job(job_id)):
                await self.told.wait()
                self.told.clear()
        return job

    async def ended(self, job_id: int) -> Job:
        return await self.until(job_id, lambda job: job.ended_at is not None)
