"""The shipments of an import as its file has them: looked at, mended, and handed back where they are faulty."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import asyncpg
import msgspec

from bilty.intake import IntakeRules
from bilty.order_changes import Change
from bilty.order_columns import REASON
from bilty.order_file import OrderFault, OrderRows, OrderTable
from bilty.order_header import Header, as_theirs
from bilty.order_rows import RawRow
from bilty.order_text import TextRow
from bilty.store import consignees
from bilty.store.database import Connection
from bilty.store.imports import PAGE_MAX, Import, ImportState, count_anew, import_of
from bilty.store.judging import Bench, Judged, Verdict, judged, parsed
from bilty.words import harmless

PAGE_OF_A_FILE = 200
_SELECT = """SELECT position, number, verdict, rows, faults, warnings, changes, hold, shipment_id FROM import_rows"""
MENDABLE = frozenset({Verdict.NEW, Verdict.FAULTY, Verdict.DIFFERS, Verdict.SAME})
USED_BEFORE = (
    "number {number} stands on line {line} of the file, too: give this one another, or put it right in the file."
)


class Told(msgspec.Struct, frozen=True):
    """A fault or a warning as it is kept. `field` is our column, `header` theirs."""

    line: int
    field: str
    header: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """`rows`: line and cells, the cells in the order of the import's headers."""

    position: int
    number: str
    verdict: Verdict
    rows: tuple[RawRow, ...]
    faults: tuple[Told, ...]
    warnings: tuple[Told, ...]
    changes: tuple[Change, ...]
    hold: str
    shipment_id: int


async def entries(
    connection: Connection, import_id: int, verdict: Verdict | None = None, *, after: int = 0, limit: int = 50
) -> list[Entry]:
    """In the order of the file, from behind position `after`."""
    rows = await connection.fetch(
        f"""{_SELECT}
            WHERE import_id = $1 AND ($2::text IS NULL OR verdict = $2) AND position > $3 ORDER BY position LIMIT $4""",
        import_id,
        verdict,
        after,
        min(limit, PAGE_MAX),
    )
    return [_entry(row) for row in rows]


async def mend(
    connection: Connection, import_id: int, line: int, header: str, value: str, rules: IntakeRules, today: date
) -> Entry | None:
    """One cell put right, and its shipment checked at once. None where there is no such cell, or it is in already.

    The caller holds a transaction.
    """
    found = await import_of(connection, import_id, lock=True)
    if found is None or found.state not in (ImportState.CHECKED, ImportState.TAKEN) or header not in found.headers:
        return None
    entry = await _around(connection, import_id, line)
    if entry is None or entry.verdict not in MENDABLE or line not in dict(entry.rows):
        return None
    at = found.headers.index(header)
    mended = tuple(
        (each, _with(cells, at, value, len(found.headers)) if each == line else cells) for each, cells in entry.rows
    )
    bench = Bench(rules, today, await consignees.every_one(connection), found.facilities)
    after = await _judge_again(connection, found, mended, bench)
    await write(
        connection, import_id, [replace(after, rows=_at(after.rows, entry.position))], mended={entry.position: mended}
    )
    if entry.number != _number(after.rows):
        await _judge_namesakes(connection, found, entry, bench)
    await count_anew(connection, import_id)
    return await _around(connection, import_id, line)


async def write(
    connection: Connection,
    import_id: int,
    all_judged: Sequence[Judged],
    *,
    mended: dict[int, tuple[RawRow, ...]] | None = None,
) -> None:
    """What was found of each; what was written of it before is written over."""
    given = mended or {}
    await connection.executemany(
        """INSERT INTO import_rows (import_id, position, number, verdict, rows, faults, warnings, changes, hold,
                                    shipment_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (import_id, position) DO UPDATE SET
               number = excluded.number, verdict = excluded.verdict, rows = excluded.rows, faults = excluded.faults,
               warnings = excluded.warnings, changes = excluded.changes, hold = excluded.hold,
               shipment_id = excluded.shipment_id""",
        [
            (
                import_id,
                position_of(each.rows),
                _number(each.rows),
                each.verdict,
                _json(given.get(position_of(each.rows), _raw(each.rows))),
                _json([_told(fault) for fault in each.faults]),
                _json([_told(warning) for warning in each.warnings]),
                _json(each.changes),
                each.hold.replace("\0", ""),
                each.shipment_id or None,
            )
            for each in all_judged
        ],
    )


def read_again(found: Import, all_rows: Sequence[Sequence[RawRow]]) -> list[OrderRows | OrderFault]:
    """The rows of each shipment as the file's reading had them, or as they were mended."""
    header = as_theirs(found.mapping)(found.headers)
    return [_read_again(found, header, rows) for rows in all_rows]


def _read_again(found: Import, header: Header, rows: Sequence[RawRow]) -> OrderRows | OrderFault:
    table = OrderTable(place=lambda _names: header, unsure=found.unsure)
    given = [TextRow(1, found.headers), *(TextRow(line, tuple(cells)) for line, cells in rows)]
    made = [each for row in given for each in table.take(row)] + table.finish()
    return made[0] if len(made) == 1 else _several(made, rows)


async def faulty_csv(connection: Connection, found: Import) -> AsyncIterator[bytes]:
    """The rows that did not go in, as the file had them or as they were mended, each with what is wrong in a last cell.

    Taken as it is, it may be brought in again: the column of reasons is passed over.
    """
    yield b"\xef\xbb\xbf" + _line([*found.headers, REASON])
    after = 0
    while some := await entries(connection, found.id, Verdict.FAULTY, after=after, limit=PAGE_OF_A_FILE):
        for each in some:
            yield b"".join(rows_with_reasons(each.rows, each.faults, len(found.headers)))
        after = some[-1].position


def rows_with_reasons(rows: Sequence[RawRow], faults: Sequence[OrderFault | Told], width: int) -> list[bytes]:
    """A reason stands beside the row that it is about; one that is about no row of these, beside the first."""
    lines = {line for line, _ in rows}
    told = []
    for nth, (line, cells) in enumerate(rows):
        of_row = [f.message for f in faults if f.line == line or (nth == 0 and f.line not in lines)]
        kept = [harmless(cell) for cell in (*cells, *[""] * (width - len(cells)))]
        told.append(_line([*kept, harmless(" ".join(of_row))]))
    return told


def position_of(rows: OrderRows | OrderFault) -> int:
    return rows.first_line if isinstance(rows, OrderRows) else rows.line


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode(errors="replace")


async def _judge_again(connection: Connection, found: Import, rows: tuple[RawRow, ...], bench: Bench) -> Judged:
    (after,) = await judged(connection, parsed(read_again(found, [rows]), bench))
    number = _number(after.rows)
    if after.verdict is Verdict.FAULTY or not number:
        return after
    other: int | None = await connection.fetchval(
        """SELECT position FROM import_rows WHERE import_id = $1 AND number = $2 AND position <> $3 LIMIT 1""",
        found.id,
        number,
        rows[0][0],
    )
    if other is None:
        return after
    told = namesake(rows[0][0], number, other)
    fault = OrderFault(told.line, told.field, told.value, told.message)
    return replace(after, verdict=Verdict.FAULTY, arrival=None, faults=(fault,), changes=(), shipment_id=0)


def namesake(line: int, number: str, other: int) -> Told:
    """Two shipments of a file with one number: nobody knows whether they are one, torn apart."""
    return Told(line, "number", "number", number, USED_BEFORE.format(number=number, line=other))


async def _judge_namesakes(connection: Connection, found: Import, entry: Entry, bench: Bench) -> None:
    """Those that had the same number, and were faulty for that alone perhaps."""
    rows = await connection.fetch(
        f"""{_SELECT} WHERE import_id = $1 AND number = $2 AND position <> $3 AND verdict = 'faulty' LIMIT 10""",
        found.id,
        entry.number,
        entry.position,
    )
    for other in map(_entry, rows):
        if other.number and other.rows:
            after = await _judge_again(connection, found, other.rows, bench)
            await write(
                connection,
                found.id,
                [replace(after, rows=_at(after.rows, other.position))],
                mended={other.position: other.rows},
            )


def _several(made: Sequence[OrderRows | OrderFault], rows: Sequence[RawRow]) -> OrderFault:
    """A number was mended on one of its rows alone, and now they are of two."""
    faults = [each for each in made if isinstance(each, OrderFault)]
    message = (
        faults[0].message if faults else "number differs between these rows: they are one shipment, so write it alike."
    )
    line = faults[0].line if faults else rows[-1][0]
    return OrderFault(line, "number", "", message, rows=tuple(rows))


def _at(rows: OrderRows | OrderFault, position: int) -> OrderRows | OrderFault:
    return rows if isinstance(rows, OrderRows) else replace(rows, line=position)


async def _around(connection: Connection, import_id: int, line: int) -> Entry | None:
    row = await connection.fetchrow(
        f"""{_SELECT}
            WHERE import_id = $1 AND position <= $2 ORDER BY position DESC LIMIT 1""",
        import_id,
        line,
    )
    return _entry(row) if row else None


def _with(cells: tuple[str, ...], at: int, value: str, width: int) -> tuple[str, ...]:
    filled = [*cells, *[""] * (width - len(cells))]
    filled[at] = value.replace("\0", "")
    return tuple(filled)


def _raw(rows: OrderRows | OrderFault) -> tuple[RawRow, ...]:
    return rows.raw if isinstance(rows, OrderRows) else rows.rows


def _number(rows: OrderRows | OrderFault) -> str:
    return rows.number.replace("\0", "")[:100] if isinstance(rows, OrderRows) else ""


def _told(fault: OrderFault) -> Told:
    return Told(fault.line, fault.field, fault.header or fault.field, fault.value, fault.message)


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        position=row["position"],
        number=row["number"],
        verdict=Verdict(row["verdict"]),
        rows=msgspec.json.decode(row["rows"], type=tuple[tuple[int, tuple[str, ...]], ...]),
        faults=msgspec.json.decode(row["faults"], type=tuple[Told, ...]),
        warnings=msgspec.json.decode(row["warnings"], type=tuple[Told, ...]),
        changes=msgspec.json.decode(row["changes"], type=tuple[Change, ...]),
        hold=row["hold"],
        shipment_id=row["shipment_id"] or 0,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
