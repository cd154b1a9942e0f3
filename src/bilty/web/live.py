"""Server-sent events: which shipments changed. A page that hears of it asks for itself anew.

A stream costs an entry in a set and a task that sleeps. It ends by itself now and then, so that a session that has
ended stops listening too; browsers come back by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import structlog
from litestar import get
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from bilty.store import showing
from bilty.store.database import UNAVAILABLE
from bilty.web.changes import Changes
from bilty.web.page import shipment_of
from bilty.web.sessions import signed_in, user
from bilty.web.tools import AnyRequest, WebTools, tools_of

STREAM_LIVES_S = 600
KEEP_ALIVE_S = 15
EVENT_GAP_S = 0.5
"""Changes that come closer together go out as one event."""
RETRY_MS = 2_000

log = structlog.get_logger()

Changed = frozenset[int]
"""Ids; none at all: everything may have changed."""


@get("/shipments/live", guards=[signed_in], include_in_schema=False)
async def live(request: AnyRequest) -> ServerSentEvent:
    """Of all shipments that this person may see."""
    tools, facilities = tools_of(request), user(request).facilities
    return ServerSentEvent(events(tools.changes, choose=None if facilities is None else _chosen(tools, facilities)))


@get("/shipments/{shipment_id:int}/live", guards=[signed_in], include_in_schema=False)
async def live_shipment(request: AnyRequest, shipment_id: FromPath[int]) -> ServerSentEvent:
    await shipment_of(request, shipment_id)
    return ServerSentEvent(events(tools_of(request).changes, shipment_id=shipment_id))


async def events(
    changes: Changes,
    *,
    shipment_id: int | None = None,
    job_id: int | None = None,
    choose: Callable[[Changed], Awaitable[Changed | None]] | None = None,
) -> AsyncIterator[ServerSentEventMessage]:
    """Of one shipment, of one job, or of all shipments, of which `choose` says what is told."""
    clock = asyncio.get_running_loop().time
    ends_at = clock() + STREAM_LIVES_S
    with changes.watch(shipment_id, job_id=job_id) as watch:
        yield ServerSentEventMessage(event="hello", data="", retry=RETRY_MS)
        while clock() < ends_at and not changes.closed:
            changed = await watch.next_change(KEEP_ALIVE_S)
            if changed and choose:
                changed = await choose(changed)
            yield _message(changed)
            await asyncio.sleep(EVENT_GAP_S)


def _message(changed: Changed | None) -> ServerSentEventMessage:
    if changed is None:
        return ServerSentEventMessage(comment="still here", data=None)
    return ServerSentEventMessage(event="changed", data=msgspec.json.encode(sorted(changed)).decode())


def _chosen(tools: WebTools, facilities: frozenset[int]) -> Callable[[Changed], Awaitable[Changed | None]]:
    """For who works for some facilities: neither told which shipments of others there are, nor woken by them."""

    async def theirs(changed: Changed) -> Changed | None:
        try:
            async with tools.pool.acquire() as connection:
                return await showing.within(connection, changed, facilities) or None
        except UNAVAILABLE as trouble:
            log.warning("database.away", during="events", why=type(trouble).__name__)
            return frozenset()

    return theirs


ROUTES = [live, live_shipment]
