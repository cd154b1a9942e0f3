"""An import as its jobs write it down. Everything here runs under the lock on the job's row, see `store.job_steps`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from bilty.order_header import Header
from bilty.store import imports
from bilty.store.database import Connection
from bilty.store.import_entries import Entry, entries, namesake
from bilty.store.imports import Import, ImportState
from bilty.store.jobs import notify
from bilty.store.judging import Verdict

KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Old:
    """`sha256` is blank where another import that stays is of the same file."""

    id: int
    sha256: str


async def mapped(connection: Connection, import_id: int, header: Header) -> None:
    """Its header is read, and every column has its place: it is being checked."""
    await _write_header(connection, import_id, header, ImportState.CHECKING)


async def wants_mapping(connection: Connection, import_id: int, header: Header) -> None:
    """A person has to say which column is which."""
    await _write_header(connection, import_id, header, ImportState.MAPPING)


async def _write_header(connection: Connection, import_id: int, header: Header, state: ImportState) -> None:
    placed = dict(zip((name.strip() for name in header.names), header.columns, strict=True))
    await connection.execute(
        """UPDATE imports SET headers = $2, mapping = $3, mapping_problem = $4, state = $5,
                  ended_at = CASE WHEN $5 = 'mapping' THEN clock_timestamp() END WHERE id = $1""",
        import_id,
        _json([name.strip() for name in header.names]),
        _json(placed),
        header.problem,
        state,
    )


async def last_position(connection: Connection, import_id: int) -> int:
    """Up to where the file has been checked, before this job was broken off."""
    found: int = await connection.fetchval(
        "SELECT coalesce(max(position), 0) FROM import_rows WHERE import_id = $1", import_id
    )
    return found


async def start_anew(connection: Connection, import_id: int, unsure: frozenset[str]) -> None:
    """What was read of these columns is not sure: the file is read once more."""
    await connection.execute("DELETE FROM import_rows WHERE import_id = $1", import_id)
    await connection.execute("UPDATE imports SET unsure = $2 WHERE id = $1", import_id, sorted(unsure))


async def show(connection: Connection, job_id: int, import_id: int, done: int, total: int) -> None:
    """How far it is. Whatever ended the process before was not of this job's doing, as it has come further."""
    await connection.execute(
        """UPDATE imports SET done = $2::integer, total = greatest($2::integer, $3::integer),
                  began_at = coalesce(began_at, clock_timestamp()) WHERE id = $1""",
        import_id,
        done,
        total,
    )
    await connection.execute(
        "UPDATE jobs SET done = $2::integer, total = greatest($2::integer, $3::integer), starts = 0 WHERE id = $1",
        job_id,
        done,
        total,
    )
    await notify(connection, job_id)


async def checked(connection: Connection, import_id: int, notes: Sequence[str]) -> None:
    await connection.execute(
        "UPDATE imports SET state = $2, notes = $3, ended_at = clock_timestamp() WHERE id = $1",
        import_id,
        ImportState.CHECKED,
        _json(list(notes)),
    )
    await _refuse_namesakes(connection, import_id)
    await imports.count_anew(connection, import_id)


async def _refuse_namesakes(connection: Connection, import_id: int) -> None:
    """The first rows of a number that comes again after others: they may be half a shipment."""
    rows = await connection.fetch(
        """SELECT r.position, r.number, min(o.position) AS other FROM import_rows r
             JOIN import_rows o ON o.import_id = r.import_id AND o.number = r.number AND o.position > r.position
            WHERE r.import_id = $1 AND r.verdict <> 'faulty' AND r.number <> '' AND o.verdict = 'faulty'
            GROUP BY r.position, r.number""",
        import_id,
    )
    faults = [namesake(row["position"], row["number"], row["other"]) for row in rows]
    await connection.executemany(
        """UPDATE import_rows SET verdict = 'faulty', shipment_id = NULL, changes = '[]', faults = $3
            WHERE import_id = $1 AND position = $2""",
        [(import_id, fault.line, _json([fault])) for fault in faults],
    )


async def taken(connection: Connection, import_id: int) -> None:
    await connection.execute(
        "UPDATE imports SET state = $2, ended_at = clock_timestamp() WHERE id = $1", import_id, ImportState.TAKEN
    )
    await imports.count_anew(connection, import_id)


async def fail(connection: Connection, job_id: int, problem: str) -> None:
    """What is in stays in; what was checked may be taken in again."""
    import_id: int | None = await connection.fetchval(
        """UPDATE imports SET problem = $2, ended_at = clock_timestamp(),
                  state = CASE WHEN state = 'taking' THEN 'checked' ELSE 'failed' END
            WHERE job_id = $1 AND state IN ('reading', 'checking', 'taking') RETURNING id""",
        job_id,
        problem,
    )
    if import_id is not None:
        await imports.count_anew(connection, import_id)


async def next_new(connection: Connection, import_id: int, limit: int, *, after: int = 0) -> list[Entry]:
    """`after`: up to where the caller knows of none, so that what was new is not looked through again."""
    return await entries(connection, import_id, Verdict.NEW, after=after, limit=limit)


async def take(connection: Connection, import_id: int, shipment_ids: Mapping[int, int]) -> None:
    """By their positions: these are in."""
    await connection.execute(
        """UPDATE import_rows r SET verdict = 'taken', shipment_id = t.shipment_id
             FROM unnest($2::integer[], $3::bigint[]) AS t(position, shipment_id)
            WHERE r.import_id = $1 AND r.position = t.position""",
        import_id,
        list(shipment_ids),
        list(shipment_ids.values()),
    )


async def add_counts(connection: Connection, found: Import, *, held: int, scheduled: int) -> None:
    await connection.execute(
        "UPDATE imports SET held = held + $2, scheduled = scheduled + $3 WHERE id = $1", found.id, held, scheduled
    )


async def find_old(connection: Connection, now: datetime, limit: int) -> list[Old]:
    rows = await connection.fetch(
        """WITH old AS (SELECT id, sha256 FROM imports WHERE asked_at < $1 ORDER BY id LIMIT $2)
           SELECT o.id, CASE WHEN EXISTS (SELECT FROM imports i WHERE i.sha256 = o.sha256
                    AND NOT i.id IN (SELECT id FROM old)) THEN '' ELSE o.sha256 END AS sha256 FROM old o""",
        now - KEPT_FOR,
        limit,
    )
    return [Old(row["id"], row["sha256"]) for row in rows]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
