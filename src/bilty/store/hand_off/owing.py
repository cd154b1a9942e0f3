"""Owing: an event becomes a delivery to each endpoint that is to have it, in the lane of its shipment."""

from collections.abc import Sequence
from datetime import datetime

from bilty.hand_off import EventKind
from bilty.store.database import HAND_OFF_CHANNEL, Connection

WANTED = "e.kind = ANY(p.events) AND (p.facilities IS NULL OR s.facility_id = ANY(p.facilities))"
"""Whether endpoint p is to be told of event e of shipment s."""

_TAKEN = """taken AS (
    INSERT INTO lanes (endpoint_id, shipment_id, due_at)
    SELECT DISTINCT endpoint_id, shipment_id, $2::timestamptz FROM owed ORDER BY endpoint_id, shipment_id
    ON CONFLICT (endpoint_id, shipment_id) DO UPDATE SET due_at = excluded.due_at WHERE lanes.due_at IS NULL)"""
"""The lanes of what `owed` has inserted, due at $2 where they are not due as it is.

A lane that has a time keeps it, and its row is locked all the same: where one is being settled this waits for it, and
then finds whether it still has something to tell; see `settling.settle`. All take lanes in this one order.
"""


async def owe_to_all(connection: Connection, event_ids: Sequence[int], now: datetime) -> None:
    """To each endpoint that wants them; to one that Bilty disabled, too: it has them when it is enabled again.

    An endpoint that is told of a failure makes that final: a label that comes after it is offered to a person, and
    does not win by itself.
    """
    owed = await connection.fetch(
        f"""WITH owed AS (
               INSERT INTO deliveries (endpoint_id, shipment_id, event_id)
               SELECT p.id, e.shipment_id, e.id
                 FROM events e JOIN shipments s ON s.id = e.shipment_id
                 JOIN endpoints p ON p.enabled AND {WANTED}
                WHERE e.id = ANY($1) ORDER BY p.id, e.id
               RETURNING endpoint_id, shipment_id, event_id),
           {_TAKEN}
           SELECT shipment_id, kind FROM events WHERE id IN (SELECT event_id FROM owed)""",  # noqa: S608 - constants
        event_ids,
        now,
    )
    if failed := [row["shipment_id"] for row in owed if row["kind"] == EventKind.FAILED]:
        await connection.execute("UPDATE shipments SET failed_told = true WHERE id = ANY($1)", failed)
    if owed:
        await connection.execute("SELECT pg_notify($1, '')", HAND_OFF_CHANNEL)


async def owe_once_more(connection: Connection, endpoint_id: int, event_ids: Sequence[int], now: datetime) -> int:
    """To one endpoint, behind what it is owed already: how many. The caller holds a transaction."""
    owed = await connection.fetchval(
        f"""WITH owed AS (
               INSERT INTO deliveries (endpoint_id, shipment_id, event_id)
               SELECT $3, shipment_id, id FROM events WHERE id = ANY($1) ORDER BY shipment_id, id
               RETURNING endpoint_id, shipment_id),
           {_TAKEN}
           SELECT count(*) FROM owed""",  # noqa: S608 - a constant
        event_ids,
        now,
        endpoint_id,
    )
    await connection.execute("SELECT pg_notify($1, '')", HAND_OFF_CHANNEL)
    return int(owed)
