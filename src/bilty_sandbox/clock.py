"""The sandbox's one clock. Everything that takes time asks it, so a test can be its own time.

Seconds here are the sandbox's seconds: `FastClock` makes sixty of them pass in a real one, `ManualClock` makes them
pass when it is told to.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

REAL_WAIT_SECONDS_MAX = 60.0
"""No answer is held longer than this, however slowly the sandbox's time goes."""

Cancel = Callable[[], None]


class Clock(Protocol):
    """`now` is in seconds since 1970; `call_later` answers with the function that calls it off."""

    @property
    def speed(self) -> float: ...

    def now(self) -> float: ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel: ...


class FastClock:
    """Real time, `speed` times as fast, starting from the true time of day, or from `start` if that is later."""

    def __init__(self, speed: float = 1.0, start: float = 0.0) -> None:
        self.speed = speed
        self._started_at = max(start, time.time())
        self._started = time.monotonic()

    def now(self) -> float:
        return self._started_at + (time.monotonic() - self._started) * self.speed

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        real = min(seconds / self.speed, REAL_WAIT_SECONDS_MAX)
        return asyncio.get_running_loop().call_later(real, callback).cancel


class ManualClock:
    """Stands still until `advance`, which also does what was put off until then, in order."""

    speed = 1.0

    def __init__(self, now: float = 1_760_000_000.0) -> None:
        self._now = now
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._called_off: set[int] = set()
        self.held = asyncio.Event()
        """Set when something has been put off since time last went on."""

    def now(self) -> float:
        return self._now

    @property
    def waiting(self) -> int:
        """How many answers are being held back."""
        return len(self._waiting) - len(self._called_off)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        ticket = next(self._order)
        self.held.set()
        heapq.heappush(self._waiting, (self._now + seconds, ticket, callback))

        def call_off() -> None:
            if any(ticket == waiting for _, waiting, _ in self._waiting):
                self._called_off.add(ticket)

        return call_off

    def advance(self, seconds: float) -> None:
        until = self._now + seconds
        self.held.clear()
        while self._waiting and self._waiting[0][0] <= until:
            self._now, ticket, callback = heapq.heappop(self._waiting)
            if ticket in self._called_off:
                self._called_off.discard(ticket)
            else:
                callback()
        self._now = until


def iso(seconds: float | None) -> str | None:
    """RFC 3339 in UTC, as the sandbox's own endpoints write times."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
