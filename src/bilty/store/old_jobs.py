"""Jobs that are over for so long that nobody asks for them any more: they go, and the files that were made of them.

What was printed stays on record (`prints`), and so does every label.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store.database import Connection
from bilty.store.jobs import PRINTS
from bilty.store.labels import Shelf

KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Old:
    """Its file's hash is blank where it made none, or where another job that stays made the same."""

    job_id: int
    sha256: str
    shelf: Shelf


async def find(connection: Connection, now: datetime, limit: int) -> list[Old]:
    rows = await connection.fetch(
        """WITH old AS (SELECT id, kind, result ->> 'sha256' AS sha256, result ->> 'as' AS form FROM jobs
                         WHERE ended_at < $1 ORDER BY id LIMIT $2)
           SELECT o.id, o.kind, coalesce(o.form, '') AS form, CASE WHEN EXISTS (SELECT FROM jobs j
                      WHERE j.result ->> 'sha256' = o.sha256 AND NOT j.id IN (SELECT id FROM old))
                  THEN '' ELSE coalesce(o.sha256, '') END AS sha256
             FROM old o""",
        now - KEPT_FOR,
        limit,
    )
    return [Old(row["id"], row["sha256"], _shelf(row["kind"], row["form"])) for row in rows]


def _shelf(kind: str, form: str) -> Shelf:
    if kind in PRINTS:
        return Shelf.PRINTS
    return Shelf.WORKBOOKS if form.startswith("xlsx") else Shelf.EXPORTS


async def drop(connection: Connection, job_ids: list[int], now: datetime) -> None:
    """With what the queue has noted of their time."""
    await connection.execute("DELETE FROM jobs WHERE id = ANY($1)", job_ids)
    await connection.execute("DELETE FROM pgqueuer_log WHERE created < $1", now - KEPT_FOR)
