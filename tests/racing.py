"""Two who move the same rows on connections of their own, one certainly ahead of the other: by locks, never by luck."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bilty.store.database import Connection, Pool

WITHIN_S = 60
WAITING = """SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
              WHERE NOT l.granted AND a.datname = current_database()"""
First = TypeVar("First")
Second = TypeVar("Second")


async def in_order(pool: Pool, brake: str, first: Awaitable[First], second: Awaitable[Second]) -> tuple[First, Second]:
    """What came of each, where `first` got as far as it could before `second` began.

    `brake` is a statement whose locks hold `first` up in the middle, with its own locks taken. `second` then does what
    it does against these: it waits for them, or passes over what is held and is done before `first`.
    """
    async with pool.acquire() as blocker, pool.acquire() as watcher:
        async with blocker.transaction():
            await blocker.execute(brake)
            one = asyncio.ensure_future(first)
            await _until_waiting(watcher, 1, one)
            assert not one.done(), f"the brake does not hold the first one: {one}"
            two = asyncio.ensure_future(second)
            await _until_waiting(watcher, 2, two)
        async with asyncio.timeout(WITHIN_S):
            return await one, await two


async def _until_waiting(watcher: Connection, count: int, other: asyncio.Future[First]) -> None:
    """Until so many wait for a lock, or that one is done."""
    async with asyncio.timeout(WITHIN_S):
        while await watcher.fetchval(WAITING) < count:
            if other.done():
                return
