"""Labels on paper that must be destroyed if their shipments are cancelled: one sentence, with who printed them when."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bilty.store import prints
from bilty.store.database import Connection
from bilty.telling.printed import told_destroy
from bilty.words import INDIA


async def told_printed(
    connection: Connection, shipment_ids: Sequence[int], now: datetime, facilities: Collection[int] | None = None
) -> str:
    """Of those that can still be cancelled, within these facilities, None for all. Blank where nothing is on paper."""
    rows = await connection.fetch(
        """SELECT s.id, coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS zone
             FROM shipments s JOIN facilities f ON f.id = s.facility_id
            WHERE s.id = ANY($1) AND s.printed_at IS NOT NULL AND NOT s.dispatched AND NOT s.cancel_asked
              AND ($2::integer[] IS NULL OR s.facility_id = ANY($2))""",
        shipment_ids,
        None if facilities is None else list(facilities),
    )
    zones = {row["zone"] for row in rows}
    printed = await prints.printed_now(connection, [row["id"] for row in rows])
    labels = [label for each in printed.values() for label in each]
    return told_destroy(labels, now, ZoneInfo(zones.pop()) if len(zones) == 1 else INDIA)
