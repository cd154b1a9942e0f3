"""A caller who would wait for the label: woken by changes, holding no connection meanwhile."""

import asyncio

from bilty.store import showing
from bilty.web.tools import WebTools
from bilty.workflow import Status

UNDER_WAY = frozenset({Status.SCHEDULING, Status.LABEL_REQUESTED})
LOOK_AT_ALL_REST_S = 0.1
"""When changes come too thick to be listed, each waiter looks for itself, but not for each of them."""


async def settled(tools: WebTools, shipment_id: int, wait_s: float) -> None:
    """Returns when the shipment is no longer under way, or `wait_s` is over, or the process ends."""
    if wait_s <= 0:
        return
    clock = asyncio.get_running_loop().time
    until = clock() + wait_s
    with tools.changes.watch(shipment_id) as watch:
        while not tools.changes.closed:
            async with tools.pool.acquire() as connection:
                found = await showing.statuses_of(connection, [shipment_id])
            if found.get(shipment_id) not in UNDER_WAY:
                return
            changed = await watch.next_change(until - clock())
            if changed is None:
                return
            if not changed:
                await asyncio.sleep(LOOK_AT_ALL_REST_S)
