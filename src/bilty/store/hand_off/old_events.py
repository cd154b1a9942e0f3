"""Events so old that nobody asks for them any more: they go, with what was owed and told of them.

What happened to a shipment stands in its timeline, for good.
"""

from datetime import datetime, timedelta

from bilty.store.database import Connection

KEPT_FOR = timedelta(days=90)
"""Also where they were never received: an endpoint that was disabled for so long is told what is newer."""


async def drop(connection: Connection, now: datetime, limit: int) -> int:
    """The oldest of them: how many there were. The caller holds a transaction.

    One that is being replayed at this moment is left for the next time. A lane goes when nothing is known of it any
    more, and it is nobody's at this moment; should an event come then, it waits for us and makes the lane anew.
    """
    rows = await connection.fetch(
        "SELECT id, shipment_id FROM events WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now - KEPT_FOR,
        limit,
    )
    ids = [row["id"] for row in rows]
    await connection.execute("DELETE FROM deliveries WHERE event_id = ANY($1)", ids)
    await connection.execute("DELETE FROM events WHERE id = ANY($1)", ids)
    await connection.execute(
        """DELETE FROM lanes WHERE (endpoint_id, shipment_id) IN (
               SELECT l.endpoint_id, l.shipment_id FROM endpoints p JOIN lanes l ON l.endpoint_id = p.id
                WHERE l.shipment_id = ANY($1) AND l.due_at IS NULL
                  AND NOT EXISTS (SELECT FROM events e WHERE e.shipment_id = l.shipment_id)
                  FOR UPDATE OF l SKIP LOCKED)""",
        list({row["shipment_id"] for row in rows}),
    )
    return len(ids)
