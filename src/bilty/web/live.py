"""Server-sent events: which shipments changed. A page that hears of one it shows asks for itself anew.

A stream costs an entry in a set and a task that sleeps. It ends by itself now and then, so that a session that has
ended stops listening too; browsers come back by themselves.
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar import get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from bilty.web.changes import Changes
from bilty.web.sessions import signed_in, user
from bilty.web.tools import AnyRequest, tools_of

STREAM_LIVES_S = 600
KEEP_ALIVE_S = 15
EVENT_GAP_S = 0.5
"""Changes that come closer together go out as one event."""
RETRY_MS = 2_000


@get("/shipments/live", guards=[signed_in], include_in_schema=False)
async def live(request: AnyRequest) -> ServerSentEvent:
    return ServerSentEvent(events(tools_of(request).changes, names=user(request).facilities is None))


async def events(
    changes: Changes, *, job_id: int | None = None, names: bool = True
) -> AsyncIterator[ServerSentEventMessage]:
    """Of all shipments, or of one job. Without `names` it says only that something changed.

    Who works for some facilities is not told which shipments of the others there are.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + STREAM_LIVES_S
    with changes.watch(job_id=job_id) as watch:
        yield ServerSentEventMessage(event="hello", data="", retry=RETRY_MS)
        while clock() < ends_at and not changes.closed:
            changed = await watch.next_change(KEEP_ALIVE_S)
            if changed is None:
                yield ServerSentEventMessage(comment="still here", data=None)
                continue
            ids = sorted(changed) if names else []
            yield ServerSentEventMessage(event="changed", data=msgspec.json.encode(ids).decode())
            await asyncio.sleep(EVENT_GAP_S)
