"""Going on: what an endpoint is owed goes out soon after it was put right, and not each message at its own hour.

It may be owed millions, and those who write events need the lanes: what waits is hastened in batches, and a lane that
somebody holds is passed over. Nothing is written to deliveries: tries from before `begun_anew_at` do not count.
"""

from datetime import datetime, timedelta

from bilty.store.database import HAND_OFF_CHANNEL, Connection

HASTENED_MAX = 10_000
"""Lanes of a batch; the next one is hastened when these are through."""
WAIT_MAX = timedelta(hours=1)
"""No lane waits longer for its next try, so by then all have come by themselves."""


async def begin_anew(connection: Connection, endpoint_id: int, now: datetime) -> None:
    """An endpoint is on again, or put right: what it is owed has its three days anew, as it has itself."""
    await connection.execute(
        """UPDATE endpoints SET disabled_at = NULL, disabled_why = '', failing_since = NULL, begun_anew_at = $2
            WHERE id = $1""",
        endpoint_id,
        now,
    )
    await hasten(connection, endpoint_id, now)


async def hasten(connection: Connection, endpoint_id: int, now: datetime) -> None:
    """What waits is due now: a first batch, and the others by and by; see `hasten_more`."""
    full = await _hasten(connection, endpoint_id, now, now + WAIT_MAX) == HASTENED_MAX
    until = now + WAIT_MAX if full else None
    await connection.execute("UPDATE endpoints SET hasten_until = $2 WHERE id = $1", endpoint_id, until)
    await connection.execute("SELECT pg_notify($1, '')", HAND_OFF_CHANNEL)


async def hasten_more(connection: Connection, endpoint_id: int, now: datetime, until: datetime) -> None:
    """It receives: the next batch of what waits until then, where nothing is due any more."""
    due = await connection.fetchval(
        "SELECT due_at FROM lanes WHERE endpoint_id = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1", endpoint_id
    )
    if due is not None and due <= now:
        return
    if await _hasten(connection, endpoint_id, now, until) < HASTENED_MAX:
        await connection.execute("UPDATE endpoints SET hasten_until = NULL WHERE id = $1", endpoint_id)


async def _hasten(connection: Connection, endpoint_id: int, now: datetime, until: datetime) -> int:
    done = await connection.execute(
        """UPDATE lanes l SET due_at = $2
             FROM (SELECT endpoint_id, shipment_id FROM lanes
                    WHERE endpoint_id = $1 AND due_at > $2 AND due_at <= $3 AND claimed_at IS NULL
                    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS waiting
            WHERE l.endpoint_id = waiting.endpoint_id AND l.shipment_id = waiting.shipment_id""",
        endpoint_id,
        now,
        until,
        HASTENED_MAX,
    )
    return int(done.rpartition(" ")[2])
