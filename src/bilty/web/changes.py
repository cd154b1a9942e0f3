"""Who waits for a shipment to change, and how they hear of it: no thread, no connection, one entry in a dict each.

The process has one connection that listens (`bilty.store.database.listening`); it calls `Changes.heard`, which wakes
those whom it concerns. A watch begins before the database is read, so that nothing falls between.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from bilty.store.database import CHANGED_CHANNEL


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
        """The shipments that changed since the last time; empty: look at all. None when nothing did in time."""
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
        self._of: dict[int, set[Watch]] = {}
        self._of_all: set[Watch] = set()
        self.closed = False

    def heard(self, channel: str, payload: str) -> None:
        """A NOTIFY: ids with commas between; blank where there are too many to list, or some may have been missed."""
        if channel != CHANGED_CHANNEL:
            return
        ids = frozenset(int(each) for each in payload.split(",") if each)
        concerned = [self._of.get(each, ()) for each in ids] if ids else self._of.values()
        for watch in set(self._of_all).union(*concerned):
            watch.tell(ids)

    def close(self) -> None:
        """The process is about to end: whoever waits is answered as things are, and streams end."""
        self.closed = True
        self.heard(CHANGED_CHANNEL, "")

    @contextlib.contextmanager
    def watch(self, shipment_id: int | None = None) -> Iterator[Watch]:
        """Of one shipment, or of all."""
        watch = Watch()
        watchers = self._of_all if shipment_id is None else self._of.setdefault(shipment_id, set())
        watchers.add(watch)
        try:
            yield watch
        finally:
            watchers.discard(watch)
            if shipment_id is not None and not watchers:
                self._of.pop(shipment_id, None)
