"""A shipment, locked for a change: by whom it may be seen, and by nobody else."""

import asyncpg
import pytest

from bilty.store import showing
from web.house import House

NOWAIT = "SELECT FROM shipments WHERE id = $1 FOR UPDATE NOWAIT"


async def test_it_is_locked_until_the_transaction_ends(furnished: House) -> None:
    shipment_id, pool = await furnished.takes_in(), furnished.tools.pool
    async with pool.acquire() as connection, connection.transaction():
        found = await showing.locked(connection, shipment_id)
        assert found is not None
        assert found.shipment.number == "SO-1001"
        with pytest.raises(asyncpg.LockNotAvailableError):
            await pool.execute(NOWAIT, shipment_id)
    await pool.execute(NOWAIT, shipment_id)


async def test_another_facilitys_is_neither_seen_nor_locked(furnished: House) -> None:
    shipment_id, pool = await furnished.takes_in(), furnished.tools.pool
    facility_id = await pool.fetchval("SELECT facility_id FROM shipments")
    async with pool.acquire() as connection, connection.transaction():
        assert await showing.locked(connection, shipment_id, frozenset({facility_id + 1})) is None
        assert await showing.locked(connection, shipment_id + 1) is None
        await pool.execute(NOWAIT, shipment_id)
        assert await showing.locked(connection, shipment_id, frozenset({facility_id})) is not None
