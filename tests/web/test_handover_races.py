"""A truck that is closed while somebody scans, or while a shipment on it is cancelled: one of the two is first."""

from collections.abc import Awaitable

import httpx
import pytest

from racing import in_order
from web.house import House
from web.test_handover import BOXES, begun, ready, scan

LOCKED = "SELECT FROM {table} ORDER BY id FOR UPDATE"


@pytest.fixture
async def desk(furnished: House) -> House:
    await furnished.sign_in()
    return furnished


async def on_the_truck(desk: House, *codes: str) -> tuple[int, str]:
    """A shipment of three boxes, some of them scanned, and the handover's address."""
    shipment_id = await ready(desk, "SO-1001")
    handover = await begun(desk)
    for code in codes:
        assert (await scan(desk, handover, code)).startswith("●")
    return shipment_id, handover


def cancelled(desk: House, shipment_id: int) -> Awaitable[httpx.Response]:
    return desk.call("POST", f"/shipments/{shipment_id}/cancellation")


async def status_of(desk: House, shipment_id: int) -> str:
    return str(await desk.tools.pool.fetchval("SELECT status FROM shipments WHERE id = $1", shipment_id))


async def test_a_cancellation_that_is_first_keeps_it_off_the_manifest(desk: House) -> None:
    shipment_id, handover = await on_the_truck(desk, *BOXES)
    _, answer = await in_order(
        desk.tools.pool, LOCKED.format(table="turns"), cancelled(desk, shipment_id), desk.send(f"{handover}/close")
    )
    assert "Take off the truck, because they may not go any more: SO-1001 (boxes 1, 2 and 3)." in await desk.told(
        answer
    )
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM manifests") == 0
    assert await status_of(desk, shipment_id) != "dispatched"


async def test_a_closing_that_is_first_leaves_nothing_to_cancel(desk: House) -> None:
    shipment_id, handover = await on_the_truck(desk, *BOXES)
    answer, refused = await in_order(
        desk.tools.pool, LOCKED.format(table="turns"), desk.send(f"{handover}/close"), cancelled(desk, shipment_id)
    )
    assert "1 shipment, 3 boxes dispatched." in await desk.told(answer)
    assert refused.status_code == 409, refused.text
    assert await status_of(desk, shipment_id) == "dispatched"


async def test_a_scan_that_is_first_is_on_the_manifest(desk: House) -> None:
    shipment_id, handover = await on_the_truck(desk, *BOXES[:2])
    _, answer = await in_order(
        desk.tools.pool,
        LOCKED.format(table="shipments"),
        desk.send(f"{handover}/scan", {"code": BOXES[2]}),
        desk.send(f"{handover}/close"),
    )
    assert "1 shipment, 3 boxes dispatched." in await desk.told(answer)
    assert await status_of(desk, shipment_id) == "dispatched"


async def test_a_scan_that_is_second_is_told_that_the_truck_has_gone(desk: House) -> None:
    shipment_id, handover = await on_the_truck(desk, *BOXES[:2])
    _, answer = await in_order(
        desk.tools.pool,
        LOCKED.format(table="shipments"),
        desk.send(f"{handover}/close"),
        desk.send(f"{handover}/scan", {"code": BOXES[2]}),
    )
    assert "nothing more goes with it. Begin the next one." in await desk.told(answer)
    assert await status_of(desk, shipment_id) == "label_ready"
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM handover_boxes") == 2
