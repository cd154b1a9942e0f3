"""A filter as the database takes it: ids instead of codes and names, moments instead of days.

A day is cut twice. Ids are given in the order of arrival, so that a day is also a run of ids, and no index need
begin with `created_at`; the run is found by halving, and is a little too long rather than too short (`SLACK`). What
decides is `created_at`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bilty.store.database import Connection
from bilty.store.listing.filters import STANDINGS, Filter, Tab
from bilty.store.listing.search import Found, find
from bilty.words import INDIA

SLACK = timedelta(minutes=10)
"""An id is given at most this long after the moment that is written as `created_at`: no transaction lasts longer."""


@dataclass(frozen=True, slots=True)
class Scope:
    """None narrows nothing. `courier_ids` are those asked for, or else all there are; blank names are among them."""

    facility_ids: tuple[int, ...] | None
    courier_ids: tuple[int, ...]
    any_courier: bool
    standings: tuple[str, ...] | None
    since: datetime | None
    until: datetime | None
    first_id: int | None
    end_id: int | None
    found: Found | None
    import_id: int | None = None

    @property
    def is_all(self) -> bool:
        """Every shipment there is."""
        narrowed = (self.facility_ids, self.standings, self.since, self.until, self.found, self.import_id)
        return self.any_courier and all(each is None for each in narrowed)

    @property
    def is_still(self) -> bool:
        """Narrowed by nothing that moves while a shipment is on its way."""
        return self.any_courier and self.standings is None and self.found is None


async def resolve(connection: Connection, wanted: Filter) -> Scope:
    facilities = await _facilities(connection, wanted)
    couriers = await _couriers(connection, wanted)
    zone = await _zone(connection, wanted.facility)
    since = _begin(wanted.created_from, zone)
    until = _begin(wanted.created_to + timedelta(days=1), zone) if wanted.created_to else None
    first_id = await first_id_at(connection, since - SLACK) if since else None
    end_id = await first_id_at(connection, until + SLACK) if until else None
    return Scope(
        facility_ids=facilities,
        courier_ids=couriers,
        any_courier=not (wanted.courier or wanted.provider),
        standings=None if wanted.tab is Tab.ALL else STANDINGS[wanted.tab],
        since=since,
        until=until,
        first_id=first_id,
        end_id=end_id,
        found=await find(connection, wanted.words, facilities, first_id, end_id) if wanted.words else None,
        import_id=wanted.import_id,
    )


def _begin(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day else None


async def _facilities(connection: Connection, wanted: Filter) -> tuple[int, ...] | None:
    if not wanted.facility:
        return None if wanted.facility_ids is None else tuple(sorted(wanted.facility_ids))
    found = await connection.fetchval("SELECT id FROM facilities WHERE code = $1", wanted.facility)
    seen = found is not None and (wanted.facility_ids is None or found in wanted.facility_ids)
    return (found,) if seen else ()


async def _zone(connection: Connection, facility: str) -> ZoneInfo:
    """Whose days are meant: the facility's, India's where there are several."""
    name = await connection.fetchval("SELECT content ->> 'time_zone' FROM facilities WHERE code = $1", facility)
    return ZoneInfo(name) if name else INDIA


async def _couriers(connection: Connection, wanted: Filter) -> tuple[int, ...]:
    rows = await connection.fetch(
        """SELECT c.id FROM couriers c JOIN shipping_providers p ON p.id = c.provider_id
            WHERE ($1 = '' OR c.name = $1) AND ($2 = '' OR p.code = $2) ORDER BY c.id""",
        wanted.courier,
        wanted.provider,
    )
    return tuple(row[0] for row in rows)


async def first_id_at(connection: Connection, at: datetime) -> int:
    """Shipments before this id are from before `at`, in the order of ids; those from it on are not. 20 looks at 1 M."""
    first: int = await connection.fetchval(
        """WITH RECURSIVE halving(low, high) AS (
               SELECT coalesce(min(id), 0), coalesce(max(id), 0) + 1 FROM shipments
                UNION ALL
               SELECT CASE WHEN middle.created_at < $1 THEN middle.id + 1 ELSE h.low END,
                      CASE WHEN middle.created_at < $1 THEN h.high ELSE (h.low + h.high) / 2 END
                 FROM halving h
                 LEFT JOIN LATERAL (SELECT s.id, s.created_at FROM shipments s
                                     WHERE s.id >= (h.low + h.high) / 2 AND s.id < h.high
                                     ORDER BY s.id LIMIT 1) AS middle ON true
                WHERE h.low < h.high)
           SELECT low FROM halving WHERE low >= high""",
        at,
    )
    return first
