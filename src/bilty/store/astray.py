"""Boxes that were ticked off, and may not go any more: cancelled, changed or booked anew while they stood on the truck.

A tick is of the label that the box wore then. Where that label may not go, somebody has to fetch the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Astray:
    """A shipment with such boxes."""

    shipment_id: int
    number: str
    standing: str
    boxes: tuple[int, ...]


async def of(connection: Connection, handover_id: int, ready: Sequence[str]) -> tuple[Astray, ...]:
    """Of a handover that is open. A box that wears its new label, and was ticked off anew, is where it belongs."""
    rows = await connection.fetch(
        """WITH ticked AS (
               SELECT b.shipment_id, b.box FROM handover_boxes b JOIN handovers h ON h.id = b.handover_id
                 JOIN shipments s ON s.id = b.shipment_id LEFT JOIN turns t ON t.id = b.turn_id
                WHERE b.handover_id = $1
                GROUP BY b.shipment_id, b.box
               HAVING NOT bool_or(coalesce(t.state = 'won', false) AND s.standing = ANY($2)
                                  AND s.facility_id = h.facility_id AND s.courier_id = h.courier_id))
           SELECT s.id AS shipment_id, s.number, s.standing, array_agg(x.box ORDER BY x.box) AS boxes
             FROM ticked x JOIN shipments s ON s.id = x.shipment_id GROUP BY s.id ORDER BY s.number""",
        handover_id,
        ready,
    )
    return tuple(Astray(row["shipment_id"], row["number"], row["standing"], tuple(row["boxes"])) for row in rows)
