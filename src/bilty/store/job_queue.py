"""PgQueuer as Bilty uses it: an entrypoint whose payload is the id of a row in `jobs`, and one for what follows AWBs.

A job is in the queue at most once (its id is the key that PgQueuer tells duplicates by), so that whoever is in doubt
may put it there again: see `put_back`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.queries import Queries

from bilty.store.database import Connection

if TYPE_CHECKING:
    import asyncpg

ENTRYPOINT = "job"
AFTERWARDS = "afterwards"
"""What nobody has asked for has no row in `jobs`: its payload is the id of a row in `afterwards`."""
NOT_BEFORE = timedelta(seconds=1)
"""The queue's clock is the transaction's beginning: whoever comes a little early finds nothing due."""
CHANNEL = Channel("ch_pgqueuer")
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel=CHANNEL,
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
"""Every name is given: PgQueuer would take one that is not from the environment, even from a bare CHANNEL or FUNCTION
that was meant for another program."""


def queries(connection: Connection) -> Queries:
    """PgQueuer's statements on this very connection, in whatever transaction it is in."""
    return Queries(
        AsyncpgDriver(cast("asyncpg.Connection[asyncpg.Record]", connection)),
        QueryBuilderEnvironment(SETTINGS),
        QueryQueueBuilder(SETTINGS),
        QuerySchedulerBuilder(SETTINGS),
    )


async def put(connection: Connection, job_ids: Sequence[int], *, urgent: bool = False) -> None:
    """Those that are in the queue already stay as they are."""
    count = len(job_ids)
    if count:
        await queries(connection).enqueue(
            [ENTRYPOINT] * count,
            [str(each).encode() for each in job_ids],
            [int(urgent)] * count,
            dedupe_key=[str(each) for each in job_ids],
            on_conflict="skip",
        )


async def put_afterwards(connection: Connection, owed: Sequence[tuple[int, datetime]], now: datetime) -> None:
    """Each at its time. The time is in its key: what is said again later is another entry than the one in hand."""
    count = len(owed)
    if count:
        await queries(connection).enqueue(
            [AFTERWARDS] * count,
            [str(owed_id).encode() for owed_id, _ in owed],
            [0] * count,
            [due_at - now + NOT_BEFORE if due_at > now else timedelta(0) for _, due_at in owed],
            dedupe_key=[f"{AFTERWARDS} {owed_id} {due_at.timestamp()}" for owed_id, due_at in owed],
            on_conflict="skip",
        )


async def put_back(connection: Connection, urgent: Collection[str]) -> None:
    """Every job that has not ended, should it be in the queue no more; those of the kinds `urgent` before the others.

    PgQueuer strikes a job off when its worker is cancelled, or cannot write down that it wants to try again.
    """
    rows = await connection.fetch(
        "SELECT id, kind = ANY($1) AS urgent FROM jobs WHERE ended_at IS NULL ORDER BY id LIMIT 10000", list(urgent)
    )
    for is_urgent in (True, False):
        await put(connection, [row["id"] for row in rows if row["urgent"] is is_urgent], urgent=is_urgent)
