"""Pages of shipments, from a cursor on in either direction, and how many there are under each tab.

A cursor is the id of the shipment at a page's edge: what a list is sorted by does not move while a shipment is on its
way, so the edge's own row says where to go on, and addresses stay short.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bilty.store.database import Connection
from bilty.store.listing.filters import STANDINGS, Filter, Sort, Tab
from bilty.store.listing.rows import Listed, see
from bilty.store.listing.scope import Scope, resolve
from bilty.store.listing.statements import ALL_STANDINGS, Arguments, ids_from, where

COUNT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind this shipment or, `back`, the page that ends before it."""

    shipment_id: int
    back: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The ids in order, and the cursors of the pages on both sides, None where there is none."""

    ids: list[int]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True, slots=True)
class View:
    """All that a page of the list shows. `more_found`: the search found more than it takes."""

    page: Page
    rows: list[Listed]
    counts: dict[Tab, int]
    more_found: bool


@asynccontextmanager
async def planned(connection: Connection) -> AsyncIterator[None]:
    """Each statement is planned for its very values: a facility of ten shipments wants another way than a large one."""
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        yield


async def view(connection: Connection, wanted: Filter, sort: Sort, cursor: Cursor | None, limit: int) -> View:
    async with planned(connection):
        scope = await resolve(connection, wanted)
        found = await _page(connection, scope, sort, cursor, limit)
        return View(
            page=found,
            rows=await see(connection, found.ids),
            counts=await _counts(connection, scope),
            more_found=scope.found is not None and scope.found.more,
        )


async def page(connection: Connection, wanted: Filter, sort: Sort, cursor: Cursor | None, limit: int) -> Page:
    async with planned(connection):
        return await _page(connection, await resolve(connection, wanted), sort, cursor, limit)


async def ids_matching(connection: Connection, wanted: Filter, at_most: int, sort: Sort = Sort.NEWEST) -> list[int]:
    """All of them, as the list shows them, up to `at_most`."""
    async with planned(connection):
        return await ids_from(connection, await resolve(connection, wanted), sort, None, at_most)


async def counts(connection: Connection, wanted: Filter) -> dict[Tab, int]:
    """How many stand under each tab, counted up to COUNT_MAX. The tab that is asked for narrows nothing here."""
    async with planned(connection):
        return await _counts(connection, await resolve(connection, wanted))


async def _page(connection: Connection, scope: Scope, sort: Sort, cursor: Cursor | None, limit: int) -> Page:
    if cursor is None:
        ids = await ids_from(connection, scope, sort, None, limit + 1)
        return Page(ids[:limit], Cursor(ids[limit - 1]) if len(ids) > limit else None, None)
    ids = await ids_from(connection, scope, sort, cursor.shipment_id, limit + 1, back=cursor.back)
    if not cursor.back:
        ahead = Cursor(ids[limit - 1]) if len(ids) > limit else None
        return Page(ids[:limit], ahead, Cursor(ids[0] if ids else cursor.shipment_id, back=True))
    if len(ids) <= limit:
        return await _page(connection, scope, sort, None, limit)  # so near the beginning that this is the first page
    ids = ids[limit - 1 :: -1]
    return Page(ids, Cursor(ids[-1]), Cursor(ids[0], back=True))


async def _counts(connection: Connection, scope: Scope) -> dict[Tab, int]:
    scope = replace(scope, standings=None)
    given = Arguments()
    if scope.found is not None or scope.import_id is not None:
        sql = f"SELECT s.standing, count(*) FROM shipments s WHERE {where(scope, given)} GROUP BY s.standing"  # noqa: S608
    else:
        counted = f"SELECT FROM shipments s WHERE s.standing = a.standing AND {where(scope, given, every_courier=True)}"
        sql = f"""SELECT a.standing, c.count FROM unnest({given(ALL_STANDINGS)}::text[]) AS a(standing)
                   CROSS JOIN LATERAL (SELECT count(*) FROM ({counted} LIMIT {COUNT_MAX}) AS counted) AS c"""  # noqa: S608
    rows = await connection.fetch(sql, *given)
    by_standing = {str(row["standing"]): int(row["count"]) for row in rows}
    by_tab = {tab: sum(by_standing.get(each, 0) for each in STANDINGS[tab]) for tab in STANDINGS}
    by_tab[Tab.ALL] = sum(by_standing.values())
    return {tab: min(by_tab[tab], COUNT_MAX) for tab in Tab}
