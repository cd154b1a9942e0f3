"""What waits for a person: shipments, newest trouble first, and how many.

`shipments.concerned_at` is since when, and null while a shipment waits for nobody. What failed, is held or has no
courier is not here: it waits in the list, where many are put right at once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bilty.concerns import Concern
from bilty.store import differences
from bilty.store.database import Connection

COUNT_MAX = 99
COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list begins: below this shipment."""

    concerned_at: datetime
    shipment_id: int


@dataclass(frozen=True, slots=True)
class Concerned:
    shipment_id: int
    concerned_at: datetime


async def page(
    connection: Connection, facilities: Collection[int] | None, concern: Concern | None, below: Place | None, limit: int
) -> list[Concerned]:
    """Shipments of `facilities` (None: of all) that wait for a person, for `concern` alone where it is given."""
    rows = await connection.fetch(
        """SELECT id, concerned_at FROM shipments
            WHERE concerned_at IS NOT NULL AND ($1::int[] IS NULL OR facility_id = ANY($1))
              AND ($2::text IS NULL OR $2 = ANY(concerns))
              AND ($3::timestamptz IS NULL OR (concerned_at, id) < ($3, $4))
            ORDER BY concerned_at DESC, id DESC LIMIT $5""",
        _ids(facilities),
        concern,
        below and below.concerned_at,
        below and below.shipment_id,
        limit,
    )
    return [Concerned(row["id"], row["concerned_at"]) for row in rows]


async def counts(connection: Connection, facilities: Collection[int] | None) -> dict[Concern, int]:
    """How many shipments wait for what, those that wait for anything. Of the newest COUNTED_MAX."""
    rows = await connection.fetch(
        """SELECT concern, count(*) AS shipments FROM (
                 SELECT id, concerns FROM shipments
                  WHERE concerned_at IS NOT NULL AND ($1::int[] IS NULL OR facility_id = ANY($1))
                  ORDER BY concerned_at DESC, id DESC LIMIT $2) AS waiting
            CROSS JOIN LATERAL (SELECT DISTINCT unnest(concerns) AS concern) AS c GROUP BY concern""",
        _ids(facilities),
        COUNTED_MAX,
    )
    found = {row["concern"]: row["shipments"] for row in rows}
    return {concern: found[concern] for concern in Concern if concern in found}


async def attention_count(
    connection: Connection, facilities: Collection[int] | None, *, endpoints: bool = False
) -> int:
    """How many matters there are: shipments, providers, courier accounts, e-way bills, books that differ.

    At most one more than COUNT_MAX.

    `endpoints`: those that Bilty disabled, too, for who can enable them.
    """
    count: int = await connection.fetchval(
        """SELECT (SELECT count(*) FROM (
                       SELECT FROM shipments WHERE concerned_at IS NOT NULL
                          AND ($1::int[] IS NULL OR facility_id = ANY($1)) LIMIT $2) AS waiting)
                + (SELECT count(*) FROM shipping_providers
                    WHERE paused_at IS NOT NULL OR alarmed_at IS NOT NULL OR (connector IS NULL AND enabled))
                + (SELECT count(*) FROM notices WHERE $1::int[] IS NULL OR facility_id = ANY($1))
                + (SELECT count(DISTINCT r.shipment_id) FROM transporters r JOIN shipments s ON s.id = r.shipment_id
                    WHERE r.settled_at IS NULL AND ($1::int[] IS NULL OR s.facility_id = ANY($1)))
                + (SELECT count(*) FROM endpoints WHERE $3 AND enabled AND disabled_at IS NOT NULL)""",
        _ids(facilities),
        COUNT_MAX + 1,
        endpoints,
    )
    count += await differences.count(connection, facilities, COUNT_MAX + 1)
    return min(count, COUNT_MAX + 1)


def _ids(facilities: Collection[int] | None) -> list[int] | None:
    return None if facilities is None else list(facilities)
