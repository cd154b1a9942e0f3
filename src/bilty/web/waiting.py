"""Callers who would wait until a shipment is no longer under way: woken by changes, and looked for together.

A waiter costs an entry in a dict and a timer: neither a thread nor a connection. Whatever changes while the database is
looked at waits for the next look, so that there is one look at a time for all who wait in this process, however many
shipments change and however many wait for the same one.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog

from bilty.store import showing
from bilty.store.database import UNAVAILABLE, Pool
from bilty.store.showing import Seen
from bilty.web.changes import Changes, Watch
from bilty.workflow import Status, status

UNDER_WAY = frozenset({Status.SCHEDULING, Status.LABEL_REQUESTED})
"""Its label may come of itself."""
CHANGING = UNDER_WAY | {Status.CANCELLING}
AWAY_PAUSE_S = 1.0
"""When the database was away."""
_HOUR_S = 3_600

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class _Waiter:
    under_way: frozenset[Status]
    seen: "asyncio.Future[Seen | None]"


class Waiters:
    """Those of this process, at `most` so many: each is an entry in a dict, beside what its connection weighs."""

    def __init__(self, pool: Pool, changes: Changes, most: int) -> None:
        self._pool, self._changes, self._most = pool, changes, most
        self._of: dict[int, list[_Waiter]] = {}
        self._count = 0
        self._watch: Watch | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return self._count >= self._most

    async def settled(self, shipment_id: int, wait_s: float, under_way: frozenset[Status] = UNDER_WAY) -> Seen | None:
        """The shipment as soon as its status is none of `under_way`.

        None when that did not come in time, when the process is about to end, or when too many wait: whoever asked
        looks for himself and answers with what is.
        """
        if wait_s <= 0 or self.is_full or self._changes.closed:
            return None
        waiter = _Waiter(under_way, asyncio.get_running_loop().create_future())
        self._of.setdefault(shipment_id, []).append(waiter)
        self._count += 1
        self._look_at(shipment_id)
        try:
            async with asyncio.timeout(wait_s):
                return await waiter.seen
        except TimeoutError:
            return None
        finally:
            self._leave(shipment_id, waiter)

    def _leave(self, shipment_id: int, waiter: _Waiter) -> None:
        self._count -= 1
        waiters = self._of[shipment_id]
        waiters.remove(waiter)
        if not waiters:
            del self._of[shipment_id]

    def _look_at(self, shipment_id: int) -> None:
        """It may have changed before anybody listened for it."""
        if self._watch is not None:
            self._watch.tell(frozenset({shipment_id}))
        elif self._looking is None:
            self._looking = asyncio.create_task(self._look_while_any_wait())

    async def _look_while_any_wait(self) -> None:
        try:
            with self._changes.watch() as self._watch:
                self._watch.tell(frozenset())  # those who came before it could hear
                while self._of and not self._changes.closed:
                    changed = await self._watch.next_change(_HOUR_S)
                    await self._look(self._of.keys() & changed if changed else list(self._of))
        finally:
            self._watch = self._looking = None
            for waiter in [each for waiters in self._of.values() for each in waiters]:
                _answer(waiter, None)

    async def _look(self, shipment_ids: Collection[int]) -> None:
        if not shipment_ids:
            return
        try:
            async with self._pool.acquire() as connection:
                # Those that are under way for whoever waits are not even read.
                self._tell(await showing.see(connection, list(shipment_ids), passing_over=UNDER_WAY))
        except UNAVAILABLE as trouble:
            log.warning("database.away", during="waiting", why=type(trouble).__name__)
            await asyncio.sleep(AWAY_PAUSE_S)
            if self._watch:
                self._watch.tell(frozenset())
        except Exception:
            log.exception("waiting.failed")
            for shipment_id in shipment_ids:
                for waiter in self._of.get(shipment_id, ()):
                    _answer(waiter, None)  # each looks for itself then, and hears why

    def _tell(self, found: Mapping[int, Seen]) -> None:
        for shipment_id, seen in found.items():
            for waiter in self._of.get(shipment_id, ()):
                if status(seen.progress) not in waiter.under_way:
                    _answer(waiter, seen)


def _answer(waiter: _Waiter, seen: Seen | None) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # whose time was over just now
        waiter.seen.set_result(seen)
