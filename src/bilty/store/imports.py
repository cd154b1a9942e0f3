"""Imports of the panel: an order file brought in, its columns mapped, checked, mended in place and taken in.

The file is read once, by a job, and each shipment of it is a row here with its verdict. Mending, looking and taking in
go by those rows: nothing of it needs the file again, and what broke off goes on with the rows that are left.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from bilty.order_header import as_theirs
from bilty.store import jobs
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Connection
from bilty.store.judging import Verdict

PAGE_MAX = 500
RATE_AFTER_S = 1.0
"""Before that, a rate says nothing."""
NOT_NOW = "This import is being worked on: wait until that is done."
NOTHING_NEW = "Nothing of this file is new: there is nothing to take in."
CHECK_FIRST = "This file is not checked yet: say which column is which, and let it be checked."


class ImportState(StrEnum):
    READING = "reading"  # the header
    MAPPING = "mapping"  # waits for a person, who says which column is which
    CHECKING = "checking"
    CHECKED = "checked"
    TAKING = "taking"
    TAKEN = "taken"
    FAILED = "failed"


AT_WORK = frozenset({ImportState.READING, ImportState.CHECKING, ImportState.TAKING})


@dataclass(frozen=True, slots=True)
class Counts:
    """Shipments by their verdict; `held` and `scheduled` are of those taken."""

    new: int = 0
    same: int = 0
    differs: int = 0
    faulty: int = 0
    taken: int = 0
    held: int = 0
    scheduled: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """`done` of `total` are lines read, or shipments taken in. `mapping` is theirs to ours, "" for left out."""

    id: int
    name: str
    sha256: str
    form: str
    size: int
    actor: Actor
    facilities: frozenset[int] | None
    asked_at: datetime
    state: ImportState
    headers: tuple[str, ...]
    mapping: Mapping[str, str]
    mapping_problem: str
    unsure: frozenset[str]
    notes: tuple[str, ...]
    problem: str
    schedule: bool
    job_id: int | None
    began_at: datetime | None
    ended_at: datetime | None
    done: int
    total: int
    counts: Counts

    def per_second(self, now: datetime) -> float | None:
        """Lines, or shipments. None while there is nothing to tell it from."""
        if self.began_at is None:
            return None
        seconds = ((self.ended_at or now) - self.began_at).total_seconds()
        return self.done / seconds if seconds >= RATE_AFTER_S and self.done else None

    def seconds_left(self, now: datetime) -> int | None:
        rate = self.per_second(now)
        return round(max(self.total - self.done, 0) / rate) if rate and self.ended_at is None else None


async def create(
    connection: Connection,
    name: str,
    sha256: str,
    form: str,
    size: int,
    actor: Actor,
    facilities: frozenset[int] | None,
) -> int:
    """Its id. The file is in the label store by then (`Shelf.IMPORTS`). It is read and checked by a job, begun here."""
    import_id: int = await connection.fetchval(
        """INSERT INTO imports (name, sha256, form, size, actor_kind, actor, facilities)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
        name,
        sha256,
        form,
        size,
        actor.kind,
        actor.name,
        None if facilities is None else sorted(facilities),
    )
    await _begin(connection, import_id, ImportState.READING, jobs.JobKind.IMPORT_CHECK, actor, facilities)
    return import_id


async def import_of(connection: Connection, import_id: int, *, lock: bool = False) -> Import | None:
    """While a job is at it, `counts` are those of before."""
    rows = await connection.fetch(
        f"SELECT * FROM imports WHERE id = $1 {'FOR UPDATE' if lock else ''}",  # noqa: S608 - constant
        import_id,
    )
    return _import(rows[0]) if rows else None


async def count_anew(connection: Connection, import_id: int) -> None:
    """When a job has ended, or a person has mended something: to count 1,00,000 rows at each look would be slow."""
    await connection.execute(
        """UPDATE imports SET counts = (SELECT coalesce(jsonb_object_agg(verdict, many), '{}') FROM (
                  SELECT verdict, count(*) AS many FROM import_rows WHERE import_id = $1 GROUP BY verdict) AS counted)
            WHERE id = $1""",
        import_id,
    )


async def recent(
    connection: Connection, actor: Actor | None, *, before_id: int | None = None, limit: int = 50
) -> list[Import]:
    """The newest first, of one person or, with None, of all."""
    rows = await connection.fetch(
        """SELECT * FROM imports
            WHERE ($1::text IS NULL OR (actor_kind = $1 AND actor = $2)) AND ($3::bigint IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $4""",
        actor and actor.kind,
        actor and actor.name,
        before_id,
        min(limit, PAGE_MAX),
    )
    return [_import(row) for row in rows]


async def map_columns(connection: Connection, import_id: int, mapping: Mapping[str, str], actor: Actor) -> str:
    """Which column is which, remembered for every file of this header; the file is checked anew.

    "" where that is so, else the sentence that says what is wrong. The caller holds a transaction.
    """
    found = await import_of(connection, import_id, lock=True)
    if found is None or found.state in AT_WORK | {ImportState.TAKEN}:
        return NOT_NOW
    if problem := as_theirs(mapping)(found.headers).problem:
        return problem
    await remember(connection, found.headers, mapping)
    return await _check(connection, found, mapping, actor)


async def check_again(connection: Connection, import_id: int, actor: Actor) -> str:
    """The whole file, as when something was set up since. What was mended is read from the file again."""
    found = await import_of(connection, import_id, lock=True)
    if found is None or found.state in AT_WORK | {ImportState.TAKEN}:
        return NOT_NOW
    return await _check(connection, found, found.mapping, actor)


async def _check(connection: Connection, found: Import, mapping: Mapping[str, str], actor: Actor) -> str:
    await connection.execute("DELETE FROM import_rows WHERE import_id = $1", found.id)
    await connection.execute(
        "UPDATE imports SET mapping = $2, unsure = '{}', counts = '{}' WHERE id = $1", found.id, _json(dict(mapping))
    )
    await _begin(connection, found.id, ImportState.CHECKING, jobs.JobKind.IMPORT_CHECK, actor, found.facilities)
    return ""


async def take_in(connection: Connection, import_id: int, actor: Actor, *, schedule: bool) -> str:
    """Begins it: "", or the sentence that says why not. The caller holds a transaction.

    What differs and what is faulty stays out. After mending, it may be begun again for what is new since.
    """
    found = await import_of(connection, import_id, lock=True)
    if found is None or found.state in AT_WORK:
        return NOT_NOW
    if found.state not in (ImportState.CHECKED, ImportState.TAKEN):
        return CHECK_FIRST
    if not found.counts.new:
        return NOTHING_NEW
    await connection.execute(
        "UPDATE imports SET schedule = $2, total = $3 WHERE id = $1", import_id, schedule, found.counts.new
    )
    await _begin(connection, import_id, ImportState.TAKING, jobs.JobKind.IMPORT_TAKE, actor, found.facilities)
    return ""


async def drop(connection: Connection, import_id: int) -> None:
    """With its rows; the shipments that came of it stay."""
    await connection.execute("DELETE FROM imports WHERE id = $1", import_id)


async def remember(connection: Connection, headers: Sequence[str], mapping: Mapping[str, str]) -> None:
    await connection.execute(
        """INSERT INTO import_mappings (headers, mapping) VALUES ($1, $2)
           ON CONFLICT (headers) DO UPDATE SET mapping = excluded.mapping""",
        _key(headers),
        _json(dict(mapping)),
    )


async def remembered(connection: Connection, headers: Sequence[str]) -> dict[str, str] | None:
    found = await connection.fetchval("SELECT mapping FROM import_mappings WHERE headers = $1", _key(headers))
    return msgspec.json.decode(found, type=dict[str, str]) if found else None


def _key(headers: Sequence[str]) -> str:
    return hashlib.sha256(_json([each.strip().lower() for each in headers]).encode()).hexdigest()


async def _begin(
    connection: Connection,
    import_id: int,
    state: ImportState,
    kind: jobs.JobKind,
    actor: Actor,
    facilities: frozenset[int] | None,
) -> None:
    job_id = await jobs.begin(connection, kind, {"import": import_id}, actor, facilities=facilities)
    await connection.execute(
        """UPDATE imports SET state = $2, job_id = $3, problem = '', done = 0, began_at = NULL, ended_at = NULL
            WHERE id = $1""",
        import_id,
        state,
        job_id,
    )


def _import(row: asyncpg.Record) -> Import:
    counts = msgspec.json.decode(row["counts"], type=dict[Verdict, int])
    return Import(
        id=row["id"],
        name=row["name"],
        sha256=row["sha256"],
        form=row["form"],
        size=row["size"],
        actor=Actor(ActorKind(row["actor_kind"]), row["actor"]),
        facilities=None if row["facilities"] is None else frozenset(row["facilities"]),
        asked_at=row["asked_at"],
        state=ImportState(row["state"]),
        headers=msgspec.json.decode(row["headers"], type=tuple[str, ...]),
        mapping=msgspec.json.decode(row["mapping"], type=dict[str, str]),
        mapping_problem=row["mapping_problem"],
        unsure=frozenset(row["unsure"]),
        notes=msgspec.json.decode(row["notes"], type=tuple[str, ...]),
        problem=row["problem"],
        schedule=row["schedule"],
        job_id=row["job_id"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        done=row["done"],
        total=row["total"],
        counts=Counts(
            new=counts.get(Verdict.NEW, 0),
            same=counts.get(Verdict.SAME, 0),
            differs=counts.get(Verdict.DIFFERS, 0),
            faulty=counts.get(Verdict.FAULTY, 0),
            taken=counts.get(Verdict.TAKEN, 0),
            held=row["held"],
            scheduled=row["scheduled"],
        ),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
