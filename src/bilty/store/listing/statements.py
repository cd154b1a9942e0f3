"""The statements that find a page's shipments. Which one is said depends on how many match: no way is quick for all.

- By age: the runs of an index that the scope names (`bilty.store.listing.scope`), each in the order of ids, are merged.
- By something else, when few match, or all of them stand close together: these, sorted.
- By something else, when many match: the index of what is sorted by is walked, and most of what it meets fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from bilty.store.database import Connection
from bilty.store.listing.filters import STANDINGS, Sort
from bilty.store.listing.scope import Scope

ALL_STANDINGS = tuple(dict.fromkeys(each for group in STANDINGS.values() for each in group))
_COLUMNS = {
    "number": "number",
    "consignee": "consignee",
    "boxes": "box_count",
    "weight": "weight_g",
    "value": "value",
}


@dataclass(frozen=True, slots=True)
class Ways:
    """Up to where each way is the quick one. Whichever is taken, the answer is the same.

    `close` is for numbers, which go up as ids do: walked from the wrong end, all others would be met first.
    """

    few: int = 10_000
    close: int = 120_000
    runs: int = 5_000


WAYS = Ways()


class Arguments(list[object]):
    """Of a statement: called with a value, the name under which it stands there."""

    def __call__(self, value: object) -> str:
        self.append(value)
        return f"${len(self)}"


async def ids_from(
    connection: Connection,
    scope: Scope,
    sort: Sort,
    edge: int | None,
    limit: int,
    *,
    back: bool = False,
    ways: Ways = WAYS,
) -> list[int]:
    """The ids behind the shipment `edge`, from the beginning without one; `back`: before it, and in that direction."""
    down = sort.down != back
    given = Arguments()
    if sort in (Sort.NEWEST, Sort.OLDEST):
        sql = _by_age(scope, given, ways, edge, limit, down=down)
    else:
        column = _COLUMNS[sort.removeprefix("-")]
        source = "shipment_keys k WHERE true" if scope.is_all else await _source(connection, scope, given, ways, column)
        sql = _by_key(source, given, column, edge, limit, down=down)
    return [row[0] for row in await connection.fetch(sql, *given)]


def where(scope: Scope, given: Arguments, *, every_courier: bool = False) -> str:
    """What a row `s` of shipments must fulfil. `every_courier`: even if none is asked for, for the index's sake."""
    parts = _where_still(scope, given, "s", "id")
    if every_courier or not scope.any_courier:
        parts.append(f"s.courier_id = ANY({given(scope.courier_ids)}::int[])")
    if scope.standings is not None:
        parts.append(f"s.standing = ANY({given(scope.standings)}::text[])")
    if scope.found is not None:
        parts.append(f"s.id = ANY({given(scope.found.ids)}::bigint[])")
    return " AND ".join(parts) or "true"


def _where_still(scope: Scope, given: Arguments, table: str, id_column: str) -> list[str]:
    """What does not move while a shipment is on its way: the same of shipments and of shipment_keys."""
    parts = _where_when(scope, given, table, id_column)
    if scope.facility_ids is not None:
        parts.append(f"{table}.facility_id = ANY({given(scope.facility_ids)}::int[])")
    if scope.import_id is not None:
        rows = f"import_rows r WHERE r.import_id = {given(scope.import_id)} AND r.shipment_id = {table}.{id_column}"
        parts.append(f"EXISTS (SELECT FROM {rows})")
    return parts


def _where_when(scope: Scope, given: Arguments, table: str, id_column: str) -> list[str]:
    parts = []
    if scope.since is not None:
        parts.append(f"{table}.{id_column} >= {given(scope.first_id)} AND {table}.created_at >= {given(scope.since)}")
    if scope.until is not None:
        parts.append(f"{table}.{id_column} < {given(scope.end_id)} AND {table}.created_at < {given(scope.until)}")
    return parts


def _by_age(scope: Scope, given: Arguments, ways: Ways, edge: int | None, limit: int, *, down: bool) -> str:
    direction, beyond = ("DESC", "<") if down else ("ASC", ">")
    behind = [] if edge is None else [f"s.id {beyond} {given(edge)}"]
    runs = _runs(scope, ways)
    if runs is None:
        parts = " AND ".join([*behind, where(scope, given)])
        return f"SELECT s.id FROM shipments s WHERE {parts} ORDER BY s.id {direction} LIMIT {given(limit)}"  # noqa: S608
    when = _where_when(scope, given, "s", "id")
    values = ", ".join(f"unnest({given(values)}::{kind}[]) AS {name}" for name, kind, values in runs)
    parts = " AND ".join([*(f"s.{name} = runs.{name}" for name, _, _ in runs), *behind, *when])
    return f"""SELECT found.id FROM (SELECT * FROM {values}) AS runs
                CROSS JOIN LATERAL (SELECT s.id FROM shipments s WHERE {parts}
                                     ORDER BY s.id {direction} LIMIT {given(limit)}) AS found
                ORDER BY found.id {direction} LIMIT {given(limit)}"""  # noqa: S608 - constants


def _runs(scope: Scope, ways: Ways) -> list[tuple[str, str, Sequence[object]]] | None:
    """The values that each run of an index has in its first columns; None where that would not be the quick way."""
    if scope.found is not None or scope.import_id is not None:
        return None
    if scope.facility_ids is None and scope.any_courier and scope.standings is None:
        return None
    runs: list[tuple[str, str, Sequence[object]]] = [
        ("courier_id", "int", scope.courier_ids),
        ("standing", "text", scope.standings or ALL_STANDINGS),
    ]
    if scope.facility_ids is not None:
        runs.insert(0, ("facility_id", "int", scope.facility_ids))
    return runs if prod(len(values) for _, _, values in runs) <= ways.runs else None


def _by_key(source: str, given: Arguments, column: str, edge: int | None, limit: int, *, down: bool) -> str:
    direction, beyond = ("DESC", "<") if down else ("ASC", ">")
    behind = ""
    if edge is not None:
        at = given(edge)
        key = f"(SELECT e.{column} FROM shipment_keys e WHERE e.shipment_id = {at})"  # noqa: S608 - a constant
        behind = f"AND (k.{column}, k.shipment_id) {beyond} ({key}, {at})"
    return f"""SELECT k.shipment_id FROM {source} {behind}
                ORDER BY k.{column} {direction}, k.shipment_id {direction} LIMIT {given(limit)}"""  # noqa: S608


async def _source(connection: Connection, scope: Scope, given: Arguments, ways: Ways, column: str) -> str:
    """Where rows `k` of shipment_keys that match come from. OFFSET 0: in this way, whatever the planner believes."""
    count, first, last = await _extent(connection, scope, ways)
    if count < ways.few:
        found = _by_age(scope, given, ways, None, ways.few, down=True)
        return f"""({found}) AS f CROSS JOIN LATERAL (SELECT k.{column}, k.shipment_id FROM shipment_keys k
                      WHERE k.shipment_id = f.id OFFSET 0) AS k WHERE true"""  # noqa: S608 - constants
    parts = [f"k.shipment_id BETWEEN {given(first)} AND {given(last)}", *_where_still(scope, given, "k", "shipment_id")]
    table, near = "shipment_keys k", column == "number" and last - first < ways.close
    if not scope.is_still:
        row = f"shipments s WHERE s.id = k.shipment_id AND {where(scope, given)}"
        table += f" CROSS JOIN LATERAL (SELECT FROM {row} {'' if near else 'OFFSET 0'}) AS fits"
    matching = f"{table} WHERE {' AND '.join(parts)}"
    return f"(SELECT k.{column}, k.shipment_id FROM {matching} OFFSET 0) AS k WHERE true" if near else matching  # noqa: S608


async def _extent(connection: Connection, scope: Scope, ways: Ways) -> tuple[int, int, int]:
    """How many match, counted up to `few`, and the ids of the first and the last of all."""
    given = Arguments()
    oldest, newest = (_by_age(scope, given, ways, None, 1, down=down) for down in (False, True))
    every_courier = scope.found is None and _runs(scope, ways) is not None
    counted = f"SELECT FROM shipments s WHERE {where(scope, given, every_courier=every_courier)} LIMIT {ways.few}"
    row = await connection.fetchrow(
        f"""SELECT (SELECT count(*) FROM ({counted}) AS c),
                   coalesce((SELECT id FROM ({oldest}) AS o), 0), coalesce((SELECT id FROM ({newest}) AS n), 0)""",  # noqa: S608
        *given,
    )
    assert row is not None
    return row[0], row[1], row[2]
