"""Who waits for a shipment or a job to change, and how they hear of it: at the cost of one entry in a dict.

The process has one connection that listens (`bilty.store.database.listening`); it calls `Changes.heard`, which wakes
those whom it concerns. A watch begins before the database is read, so that nothing falls between.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from bilty.store.database import CHANGED_CHANNEL, JOBS_CHANNEL


class Watch:
    """One waiter's ear. What it is told while nobody listens is kept until the next time."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._ids: set[int] = set()
        self._all = False

    def tell(self, ids: frozenset[int]) -> None:
        self._ids |= ids
        self._all = self._all or not ids
        self._told.set()

    async def next_change(self, timeout_s: float) -> frozenset[int] | None:
        """What changed of its own since the last time, by id; empty: look at all. None when nothing did in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), max(0.0, timeout_s))
        if not self._told.is_set():
            return None
        ids = frozenset() if self._all else frozenset(self._ids)
        self._told.clear()
        self._ids.clear()
        self._all = False
        return ids


class Changes:
    def __init__(self) -> None:
        self._of: dict[tuple[str, int], set[Watch]] = {}
        self._of_all: set[Watch] = set()
        self.closed = False
        self.ended = asyncio.Event()

    def heard(self, channel: str, payload: str) -> None:
        """A NOTIFY: ids with commas between; blank where there are too many to list, or some may have been missed."""
        if channel not in (CHANGED_CHANNEL, JOBS_CHANNEL):
            return
        ids = frozenset(int(each) for each in payload.split(",") if each)
        keys = [(channel, each) for each in ids] if ids else [key for key in self._of if key[0] == channel]
        for key in keys:
            for watch in self._of.get(key, ()):
                watch.tell(frozenset({key[1]}) if ids else ids)
        for watch in self._of_all if channel == CHANGED_CHANNEL else ():
            watch.tell(ids)

    def close(self) -> None:
        """The process is about to end: whoever waits is answered as things are, and streams end."""
        self.closed = True
        self.ended.set()
        for channel in (CHANGED_CHANNEL, JOBS_CHANNEL):
            self.heard(channel, "")

    @contextlib.contextmanager
    def watch(self, shipment_id: int | None = None, *, job_id: int | None = None) -> Iterator[Watch]:
        """Of one shipment, or of one job, or of all shipments."""
        key = (JOBS_CHANNEL, job_id) if job_id is not None else (CHANGED_CHANNEL, shipment_id or 0)
        watch = Watch()
        watchers = self._of.setdefault(key, set()) if key[1] else self._of_all
        watchers.add(watch)
        try:
            yield watch
        finally:
            watchers.discard(watch)
            if not watchers:
                self._of.pop(key, None)
