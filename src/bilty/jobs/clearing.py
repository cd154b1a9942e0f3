"""What nobody asks for any more goes: old jobs and what was made of them, old events, answers kept for repeats.

What hung on hand-off endpoints that were removed, too.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from obstore.exceptions import BaseError

from bilty.jobs.tools import Tools
from bilty.store import idempotency, import_steps, imports, old_jobs
from bilty.store.database import Connection
from bilty.store.hand_off import old_events, removed
from bilty.store.labels import Shelf
from bilty.store.showing import clock

BATCH = 100
EVENTS_BATCH = 1_000
REMOVED_BATCH = 10_000

log = structlog.get_logger()


async def clear_out(tools: Tools) -> None:
    await _clear_jobs(tools)
    await _clear_imports(tools)
    await _drop_all(tools, lambda connection, now: old_events.drop(connection, now, EVENTS_BATCH))
    await _drop_all(tools, lambda connection, now: removed.drop(connection, now, REMOVED_BATCH))
    await _drop_all(tools, idempotency.drop_old)


async def _clear_jobs(tools: Tools) -> None:
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


async def _clear_imports(tools: Tools) -> None:
    """As old jobs: files first. The shipments that came of them stay."""
    more = True
    while more:
        async with tools.pool.acquire() as connection:
            found = await import_steps.find_old(connection, await clock(connection), BATCH)
            more = len(found) == BATCH
        try:
            for each in found:
                if each.sha256:
                    await tools.labels.remove(each.sha256, Shelf.IMPORTS)
        except (OSError, BaseError) as trouble:
            log.warning("imports.not_cleared", why=type(trouble).__name__)
            return
        async with tools.pool.acquire() as connection, connection.transaction():
            for each in found:
                await imports.drop(connection, each.id)


async def _drop_all(tools: Tools, drop: Callable[[Connection, datetime], Awaitable[int]]) -> None:
    """In short transactions, until there is none."""
    dropped = 1
    while dropped:
        async with tools.pool.acquire() as connection, connection.transaction():
            dropped = await drop(connection, await clock(connection))
