"""A job's steps as they are written down. Everything here runs under the lock on the job's row, taken by `take`.

Two workers may have the same job in hand, when one of them was thought dead. The lock makes their steps follow each
other, and each step looks anew at what is left, so nothing is done twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from bilty.store.database import Connection, Pool
from bilty.store.jobs import Job, Outcome, job_of, notify


@dataclass(frozen=True, slots=True)
class Open:
    """An item that has no outcome yet. `there`: it is a shipment that the asker may see."""

    position: int
    shipment_id: int
    there: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an item; `reason` is one sentence, blank where there is nothing to say."""

    position: int
    outcome: Outcome
    reason: str = ""


@asynccontextmanager
async def take(pool: Pool, job_id: int) -> AsyncIterator[tuple[Connection, Job] | None]:
    """One step of a job, in a transaction of its own; None when nothing is left to do, as it is gone or has ended."""
    async with pool.acquire() as connection, connection.transaction():
        job = await job_of(connection, job_id, lock=True)
        if job is None or job.ended_at is not None:
            yield None
            return
        if job.started_at is None:
            await connection.execute("UPDATE jobs SET started_at = clock_timestamp() WHERE id = $1", job_id)
            await notify(connection, job_id)
        yield connection, job


async def count_start(connection: Connection, job_id: int) -> int:
    """Which start it is since it last came forward: a job that ends the process it runs in must not do so for ever."""
    starts: int = await connection.fetchval(
        "UPDATE jobs SET starts = starts + 1 WHERE id = $1 RETURNING starts", job_id
    )
    return starts


async def take_back_start(connection: Connection, job_id: int) -> None:
    """It was broken off in order, and no fault of its own."""
    await connection.execute("UPDATE jobs SET starts = greatest(starts - 1, 0) WHERE id = $1", job_id)


async def open_items(connection: Connection, job: Job, limit: int, *, after: int = 0) -> list[Open]:
    rows = await connection.fetch(
        """SELECT i.position, i.shipment_id, s.id IS NOT NULL AS there FROM job_items i
             LEFT JOIN shipments s
               ON s.id = i.shipment_id AND ($2::integer[] IS NULL OR s.facility_id = ANY($2))
            WHERE i.job_id = $1 AND i.outcome = '' AND i.position > $3 ORDER BY i.position LIMIT $4""",
        job.id,
        None if job.facilities is None else list(job.facilities),
        after,
        limit,
    )
    return [Open(row["position"], row["shipment_id"], row["there"]) for row in rows]


async def settle(connection: Connection, job_id: int, settled: Sequence[Settled]) -> None:
    await connection.execute(
        """UPDATE job_items i SET outcome = s.outcome, reason = s.reason
             FROM unnest($2::integer[], $3::text[], $4::text[]) AS s(position, outcome, reason)
            WHERE i.job_id = $1 AND i.position = s.position""",
        job_id,
        [each.position for each in settled],
        [each.outcome for each in settled],
        [each.reason for each in settled],
    )
    refused = sum(each.outcome is Outcome.REFUSED for each in settled)
    await connection.execute(
        """UPDATE jobs SET done = done + $2, refused = refused + $3,
                  starts = CASE WHEN $2 + $3 > 0 THEN 0 ELSE starts END WHERE id = $1""",
        job_id,
        len(settled) - refused,
        refused,
    )
    await notify(connection, job_id)


async def show_done(connection: Connection, job_id: int, done: int) -> None:
    """For a job whose items are done all at once, at its end: how far it is."""
    await connection.execute("UPDATE jobs SET done = $2 WHERE id = $1", job_id, done)
    await notify(connection, job_id)


async def show_total(connection: Connection, job_id: int, total: int) -> None:
    """For a job without items: of how many its `done` is told."""
    await connection.execute("UPDATE jobs SET total = $2 WHERE id = $1", job_id, total)
    await notify(connection, job_id)


async def end(
    connection: Connection, job_id: int, *, result: Mapping[str, Any] | None = None, problem: str = ""
) -> None:
    """For good: with a result, or with the sentence that says why there is none."""
    await connection.execute(
        "UPDATE jobs SET ended_at = clock_timestamp(), result = $2, problem = $3 WHERE id = $1",
        job_id,
        None if result is None else msgspec.json.encode(result).decode(),
        problem,
    )
    await notify(connection, job_id)
