"""Shipments for a table of any length, read in portions of bounded size.

A list is walked page by page in its own order, each page a short statement: nothing holds a transaction open for as
long as a long table takes. A shipment is met once, because what a list is sorted by does not move; one that comes
under the filter, or leaves it, while the table is written may be in it or not.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bilty.store import showing
from bilty.store.database import Connection, Pool
from bilty.store.listing.filters import Filter, Sort
from bilty.store.listing.pages import planned
from bilty.store.listing.scope import resolve
from bilty.store.listing.statements import Arguments, ids_from, where
from bilty.store.showing import Seen

PAGE_IDS = 2_000
PORTION_SHIPMENTS, PORTION_BYTES = 250, 1_000_000
"""Of contents as they are stored, mostly packed: a shipment may have 999 boxes of many items."""

BoxAwbs: TypeAlias = Mapping[tuple[int, int], str]
"""By the shipment's id and the box's number; boxes without one are not in it."""


@dataclass(frozen=True, slots=True)
class Portion:
    """In the order in which they were asked for; those that are not there, or not to be seen, are left out."""

    seen: list[Seen]
    zones: Mapping[str, str]
    awbs: BoxAwbs


@dataclass(frozen=True, slots=True)
class Extent:
    """How many match, and whether a search found more than it takes."""

    count: int
    more_found: bool


async def extent_of(connection: Connection, wanted: Filter) -> Extent:
    async with planned(connection):
        scope = await resolve(connection, wanted)
        given = Arguments()
        sql = f"SELECT count(*) FROM shipments s WHERE {where(scope, given)}"  # noqa: S608 - constants
        return Extent(await connection.fetchval(sql, *given), scope.found is not None and scope.found.more)


async def walk(pool: Pool, wanted: Filter, sort: Sort) -> AsyncIterator[list[int]]:
    """The ids of all that match, page by page. What is looked for is found once, before the first."""
    async with pool.acquire() as connection, planned(connection):
        scope = await resolve(connection, wanted)
    edge: int | None = None
    while True:
        async with pool.acquire() as connection, planned(connection):
            ids = await ids_from(connection, scope, sort, edge, PAGE_IDS)
        if ids:
            yield ids
        if len(ids) < PAGE_IDS:
            return
        edge = ids[-1]


async def portions(connection: Connection, shipment_ids: Sequence[int]) -> list[list[int]]:
    """The ids cut into what is read at a time."""
    rows = await connection.fetch(
        """SELECT s.id, pg_column_size(v.content) AS size FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = ANY($1)""",
        shipment_ids,
    )
    sizes = {row["id"]: row["size"] for row in rows}
    cut: list[list[int]] = []
    size = 0
    for each in shipment_ids:
        size += sizes.get(each, 0)
        if not cut or len(cut[-1]) == PORTION_SHIPMENTS or size > PORTION_BYTES:
            cut.append([])
            size = sizes.get(each, 0)
        cut[-1].append(each)
    return cut


async def read(
    connection: Connection, shipment_ids: Sequence[int], facilities: frozenset[int] | None, *, boxes: bool
) -> Portion:
    """`boxes`: with their waybills."""
    seen = await showing.see(connection, shipment_ids, facilities)
    found = [seen[each] for each in shipment_ids if each in seen]
    zones = await showing.time_zones(connection, list({each.shipment.facility for each in found}))
    return Portion(found, zones, await _awbs(connection, list(seen)) if boxes else {})


async def _awbs(connection: Connection, shipment_ids: Sequence[int]) -> BoxAwbs:
    rows = await connection.fetch(
        """SELECT b.shipment_id, b.number, b.awb FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE b.shipment_id = ANY($1) AND b.awb <> ''""",
        shipment_ids,
    )
    return {(row["shipment_id"], row["number"]): row["awb"] for row in rows}
