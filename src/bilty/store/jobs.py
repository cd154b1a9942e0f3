"""Jobs: what a person starts and does not wait for. Begun in the transaction of their cause, done by `bilty.jobs`.

A job is safe to run twice and to break off anywhere: each step of it locks the job's row, works on items that have no
outcome yet, and writes their outcome in the same transaction as what it did to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg
import msgspec

from bilty.store import job_queue
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import JOBS_CHANNEL, Connection
from bilty.words import grouped

ITEMS_MAX, SHEETS_MAX = 10_000, 2_000
"""Shipments a job takes at most, and labels a PDF does: a printer, and its reader, must swallow it."""
PAGE_MAX = 500


class JobKind(StrEnum):
    SCHEDULE = "schedule"
    SCHEDULE_AGAIN = "schedule_again"
    CANCEL = "cancel"
    DISPATCH = "dispatch"
    PRINT = "print"
    PRINT_NEW = "print_new"
    EXPORT = "export"
    TEST_CONNECTION = "test_connection"
    PRIORITIES = "priorities"
    TEST_EVENT = "test_event"
    IMPORT_CHECK = "import_check"
    IMPORT_TAKE = "import_take"


URGENT = frozenset({JobKind.TEST_CONNECTION, JobKind.PRIORITIES, JobKind.TEST_EVENT, JobKind.PRINT, JobKind.PRINT_NEW})
"""Somebody looks at the screen until these are done: they go before what is queued."""


PRINTS = frozenset({JobKind.PRINT, JobKind.PRINT_NEW})


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Job:
    """`total` is how many items it has; `done` and `refused` how many of them have that outcome."""

    id: int
    kind: JobKind
    input: Mapping[str, Any]
    actor: Actor
    facilities: frozenset[int] | None
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    total: int
    done: int
    refused: int
    result: Mapping[str, Any] | None
    problem: str

    @property
    def state(self) -> JobState:
        if self.ended_at is not None:
            return JobState.FAILED if self.problem else JobState.DONE
        return JobState.RUNNING if self.started_at is not None else JobState.QUEUED


@dataclass(frozen=True, slots=True)
class Item:
    """`reason` says why it was refused, or what there is to know of one that is done. `number` is blank if unknown."""

    position: int
    shipment_id: int
    number: str
    outcome: Outcome | None
    reason: str


class TooManyItemsError(ValueError):
    """One sentence for the person who chose them."""


def check_count(kind: JobKind, count: int) -> None:
    """Raises TooManyItemsError."""
    at_most, what = (SHEETS_MAX, "print") if kind in PRINTS else (ITEMS_MAX, "job")
    if count > at_most:
        raise TooManyItemsError(
            f"More than {grouped(at_most)} shipments are chosen, and one {what} takes no more. "
            "Narrow the list with a filter, and do the rest after it."
        )


async def begin(
    connection: Connection,
    kind: JobKind,
    input: Mapping[str, Any],  # noqa: A002 - the word of the table
    actor: Actor,
    *,
    shipment_ids: Sequence[int] = (),
    facilities: frozenset[int] | None = None,
) -> int:
    """The job's id. The caller holds the transaction of what causes it, and has checked that `actor` may start it.

    Shipments are worked on in the order given, each once. Those outside `facilities` will be refused as if they were
    not there. No secret belongs into `input`. Raises TooManyItemsError.
    """
    chosen = list(dict.fromkeys(shipment_ids))
    check_count(kind, len(chosen))
    job_id: int = await connection.fetchval(
        """INSERT INTO jobs (kind, input, actor_kind, actor, facilities, total)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
        kind,
        msgspec.json.encode(input).decode(),
        actor.kind,
        actor.name,
        None if facilities is None else sorted(facilities),
        len(chosen),
    )
    await connection.execute(
        """INSERT INTO job_items (job_id, position, shipment_id)
           SELECT $1, nth, shipment_id FROM unnest($2::bigint[]) WITH ORDINALITY AS chosen(shipment_id, nth)""",
        job_id,
        chosen,
    )
    await job_queue.put(connection, [job_id], urgent=kind in URGENT)
    return job_id


@dataclass(frozen=True, slots=True)
class Risks:
    """Of how many shipments the label may be on paper, and for how many a courier's turn is over who may still book."""

    printed: int
    late: int


async def risks_of(connection: Connection, shipment_ids: Sequence[int], facilities: frozenset[int] | None) -> Risks:
    """Of those that may still be cancelled or scheduled, within these facilities."""
    row = await connection.fetchrow(
        """SELECT count(*) FILTER (WHERE s.printed_at IS NOT NULL) AS printed,
                  count(*) FILTER (WHERE EXISTS (
                      SELECT FROM turns t WHERE t.shipment_id = s.id AND t.state = 'lapsed')) AS late
             FROM shipments s WHERE s.id = ANY($1) AND NOT s.dispatched AND NOT s.cancel_asked
              AND ($2::integer[] IS NULL OR s.facility_id = ANY($2))""",
        shipment_ids,
        None if facilities is None else list(facilities),
    )
    assert row is not None, "an aggregate has a row"
    return Risks(row["printed"], row["late"])


async def unconfirmed(connection: Connection, job_id: int) -> int:
    """How many of those that a job has cancelled are not so yet, as far as their couriers have said."""
    count: int = await connection.fetchval(
        """SELECT count(*) FROM job_items i JOIN shipments s ON s.id = i.shipment_id
            WHERE i.job_id = $1 AND i.outcome = 'done' AND s.status <> 'cancelled'""",
        job_id,
    )
    return count


_JOB_COLUMNS = """id, kind, input, actor_kind, actor, facilities, asked_at, started_at, ended_at, total, done, refused,
    result, problem"""


async def job_of(connection: Connection, job_id: int, *, lock: bool = False) -> Job | None:
    row = await connection.fetchrow(
        f"SELECT {_JOB_COLUMNS} FROM jobs WHERE id = $1 {'FOR UPDATE' if lock else ''}",  # noqa: S608 - constants
        job_id,
    )
    return _job(row) if row else None


async def open_of(
    connection: Connection,
    kind: JobKind,
    actor: Actor,
    shipment_id: int,
    input: Mapping[str, Any],  # noqa: A002 - the word of the table
) -> int | None:
    """The job that this person has begun for this one shipment alone and that has not ended. Locks the shipment.

    Whoever presses a button twice means it once.
    """
    await connection.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", shipment_id)
    found: int | None = await connection.fetchval(
        """SELECT j.id FROM jobs j JOIN job_items i ON i.job_id = j.id
            WHERE j.ended_at IS NULL AND j.kind = $1 AND j.actor_kind = $2 AND j.actor = $3 AND j.total = 1
              AND i.shipment_id = $4 AND j.input = $5 ORDER BY j.id LIMIT 1""",
        kind,
        actor.kind,
        actor.name,
        shipment_id,
        msgspec.json.encode(input).decode(),
    )
    return found


async def recent(connection: Connection, actor: Actor | None, *, before_id: int | None, limit: int) -> list[Job]:
    """The newest first, of one asker or, with None, of all."""
    rows = await connection.fetch(
        f"""SELECT {_JOB_COLUMNS} FROM jobs
             WHERE ($1::text IS NULL OR (actor_kind = $1 AND actor = $2)) AND ($3::bigint IS NULL OR id < $3)
             ORDER BY id DESC LIMIT $4""",  # noqa: S608 - constants
        actor and actor.kind,
        actor and actor.name,
        before_id,
        min(limit, PAGE_MAX),
    )
    return [_job(row) for row in rows]


async def items_of(
    connection: Connection,
    job_id: int,
    outcome: Outcome | None,
    *,
    noted: bool = False,
    after: int = 0,
    limit: int = PAGE_MAX,
) -> list[Item]:
    """Those with this outcome, or without one yet; in their order, beginning behind position `after`.

    `noted`: those alone of which there is something to know.
    """
    rows = await connection.fetch(
        """SELECT i.position, i.shipment_id, i.outcome, i.reason, coalesce(s.number, '') AS number
             FROM job_items i
             JOIN jobs j ON j.id = i.job_id
             LEFT JOIN shipments s
               ON s.id = i.shipment_id AND (j.facilities IS NULL OR s.facility_id = ANY(j.facilities))
            WHERE i.job_id = $1 AND i.outcome = $2 AND i.position > $3 AND (i.reason <> '' OR NOT $5)
            ORDER BY i.position LIMIT $4""",
        job_id,
        outcome or "",
        after,
        min(limit, PAGE_MAX),
        noted,
    )
    return [
        Item(
            position=row["position"],
            shipment_id=row["shipment_id"],
            number=row["number"],
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            reason=row["reason"],
        )
        for row in rows
    ]


def _job(row: asyncpg.Record) -> Job:
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        input=msgspec.json.decode(row["input"], type=dict[str, Any]),
        actor=Actor(ActorKind(row["actor_kind"]), row["actor"]),
        facilities=None if row["facilities"] is None else frozenset(row["facilities"]),
        asked_at=row["asked_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        total=row["total"],
        done=row["done"],
        refused=row["refused"],
        result=msgspec.json.decode(row["result"], type=dict[str, Any]) if row["result"] else None,
        problem=row["problem"],
    )


async def notify(connection: Connection, job_id: int) -> None:
    await connection.execute("SELECT pg_notify($1, $2)", JOBS_CHANNEL, str(job_id))
