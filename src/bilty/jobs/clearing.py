"""Old jobs go, and what was made of them: see `bilty.store.old_jobs`."""

import structlog
from obstore.exceptions import BaseError

from bilty.jobs.tools import Tools
from bilty.store import old_jobs
from bilty.store.showing import clock

BATCH = 100

log = structlog.get_logger()


async def clear_out(tools: Tools) -> None:
    """Files first: should it be broken off between, the next time finds them gone, and none stays for ever."""
    more = True
    while more:
        async with tools.pool.acquire() as connection:
            now = await clock(connection)
            found = await old_jobs.find(connection, now, BATCH)
            more = len(found) == BATCH
        try:
            for each in found:
                if each.sha256:
                    await tools.labels.remove(each.sha256, each.shelf)
        except (OSError, BaseError) as trouble:
            log.warning("jobs.not_cleared", why=type(trouble).__name__)
            return
        async with tools.pool.acquire() as connection, connection.transaction():
            await old_jobs.drop(connection, [each.job_id for each in found], now)
