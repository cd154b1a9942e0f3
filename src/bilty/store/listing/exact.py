"""Pages for programs: what is asked for is exact, where the list for people looks for beginnings and for days.

A number, an order number or an AWB names a few shipments, which their index finds, and whatever else is asked is held
against each. Otherwise the list's own statements find the page.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from bilty.store.database import Connection
from bilty.store.listing.filters import Filter, Sort, Tab
from bilty.store.listing.pages import planned
from bilty.store.listing.scope import SLACK, Scope, first_id_at, resolve
from bilty.store.listing.statements import Arguments, ids_from, where
from bilty.workflow import Status


@dataclass(frozen=True, slots=True)
class Asked:
    """Blank fields narrow nothing. `facility_ids` are those that the caller may see, None for all.

    `created_after` is inclusive, `created_before` is not: two spans that meet have no shipment in common.
    """

    facility_ids: frozenset[int] | None = None
    facility: str = ""
    status: Status | None = None
    number: str = ""
    order_number: str = ""
    awb: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def names_some(self) -> bool:
        return bool(self.number or self.order_number or self.awb)


async def ids_asked(connection: Connection, asked: Asked, before_id: int | None, limit: int) -> list[int]:
    """The newest first, from below `before_id`."""
    async with planned(connection):
        scope = await _scope(connection, asked)
        if not asked.names_some:
            return await ids_from(connection, scope, Sort.NEWEST, before_id, limit)
        given = Arguments()
        parts = [*_names(asked, given), where(scope, given)]
        if before_id is not None:
            parts.append(f"k.shipment_id < {given(before_id)}")
        sql = f"""SELECT s.id FROM {_source(asked)} JOIN shipments s ON s.id = k.shipment_id
                   WHERE {" AND ".join(parts)} ORDER BY k.shipment_id DESC LIMIT {given(limit)}"""  # noqa: S608 - constants
        return [row["id"] for row in await connection.fetch(sql, *given)]


def _source(asked: Asked) -> str:
    """Rows `k`, by the index that names the fewest."""
    return "shipment_keys k" if asked.number or not asked.awb else "shipment_codes k"


def _names(asked: Asked, given: Arguments) -> list[str]:
    """Indexes have names in lower case; what decides is the name as it was given."""
    parts = []
    if asked.number:
        parts.append(f"k.number = lower({given(asked.number)}) AND s.number = ${len(given)}")
    if asked.order_number:
        ours = "" if asked.awb and not asked.number else f"k.order_number = lower(${len(given) + 1}) AND "
        parts.append(f"{ours}s.order_number = {given(asked.order_number)}")
    if asked.awb:
        ours = "" if asked.number else f"k.code = lower(${len(given) + 1}) AND "
        awb = given(asked.awb)
        parts.append(
            f"""{ours}(EXISTS (SELECT FROM turns t WHERE t.shipment_id = s.id AND t.awb = {awb})
                    OR EXISTS (SELECT FROM boxes b WHERE b.shipment_id = s.id AND b.awb = {awb}))"""  # noqa: S608
        )
    return parts


async def _scope(connection: Connection, asked: Asked) -> Scope:
    wanted = Filter(tab=_tab(asked.status), facility_ids=asked.facility_ids, facility=asked.facility)
    scope = await resolve(connection, wanted)
    after, before = asked.created_after, asked.created_before
    return replace(
        scope,
        since=after,
        until=before,
        first_id=await first_id_at(connection, after - SLACK) if after else None,
        end_id=await first_id_at(connection, before + SLACK) if before else None,
    )


def _tab(status: Status | None) -> Tab:
    """Where the list shows what has this status."""
    if status is None:
        return Tab.ALL
    return Tab.TO_SCHEDULE if status is Status.CREATED else Tab(status)
