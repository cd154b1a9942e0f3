"""What removed endpoints leave behind: their deliveries and lanes, perhaps millions, go in short transactions."""

from datetime import datetime, timedelta

from bilty.store.database import Connection

RESTS_FOR = timedelta(hours=1)
"""Longer than any transaction that still knew of the endpoint, and longer than any call to it that was out."""


async def drop(connection: Connection, now: datetime, limit: int) -> int:
    """So many rows are gone; 0 when there is no more. What somebody holds is left for the next time."""
    endpoint_id = await connection.fetchval(
        "SELECT id FROM endpoints WHERE removed_at < $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED", now - RESTS_FOR
    )
    if endpoint_id is None:
        return 0
    counts = [await connection.execute(sql, endpoint_id, limit) for sql in (_DELIVERIES, _LANES)]
    gone = sum(int(count.rpartition(" ")[2]) for count in counts)
    if gone == 0:
        row = await connection.execute(_ENDPOINT, endpoint_id)
        gone = int(row.rpartition(" ")[2])
    return gone


_DELIVERIES = """DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE endpoint_id = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)"""
_LANES = """DELETE FROM lanes WHERE endpoint_id = $1 AND shipment_id IN (
    SELECT shipment_id FROM lanes WHERE endpoint_id = $1 ORDER BY shipment_id LIMIT $2 FOR UPDATE SKIP LOCKED)"""
_ENDPOINT = """DELETE FROM endpoints p WHERE id = $1
    AND NOT EXISTS (SELECT FROM deliveries WHERE endpoint_id = p.id)
    AND NOT EXISTS (SELECT FROM lanes WHERE endpoint_id = p.id)"""
