"""Rows that are read and not kept yet: so many that a set is full when it is wanted, and never more."""

import asyncio
from collections.abc import Sequence

from bilty.web.arriving import SET_MAX
from bilty.web.bulk.reading import Row

SET_BYTES_MAX = 2 * 1024 * 1024


class Waiting:
    """One puts in, and waits while there is no room; one takes out, as many as there are."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._bytes = 0
        self._ended = False
        self._put, self._taken = asyncio.Event(), asyncio.Event()

    async def put(self, row: Row) -> None:
        while self._rows and (len(self._rows) >= SET_MAX or self._bytes + row.size > SET_BYTES_MAX):
            self._taken.clear()
            await self._taken.wait()
        self._rows.append(row)
        self._bytes += row.size
        self._put.set()

    def end(self) -> None:
        self._ended = True
        self._put.set()

    async def take(self) -> Sequence[Row]:
        """Those that wait, as soon as one does; none when no more will come."""
        while not (self._rows or self._ended):
            self._put.clear()
            await self._put.wait()
        rows, self._rows, self._bytes = self._rows, [], 0
        self._taken.set()
        return rows
