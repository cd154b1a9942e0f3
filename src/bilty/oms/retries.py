"""How long an order system is tried, and how often. Pure.

A delivery is tried for three days from its first try, at most an hour between two; then it is given up, and what
comes after it in its lane goes on. An endpoint by which nothing at all was received for so long is disabled instead,
with all that is owed to it kept: its receiver is broken, not the message.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

WAITS = tuple(timedelta(seconds=each) for each in (5, 30, 120, 300, 900, 1800, 3600))
"""After the first failure, the second, and so on; the last from then on."""
TRIED_FOR = timedelta(days=3)
TRIES_MIN = 10
"""Nothing is given up after fewer, however long they took: Bilty itself may have been down for days."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No more tries."""


def next_try(failures: int, first_at: datetime, now: datetime, retry_after_s: float | None = None) -> datetime | GiveUp:
    """When it is tried again after so many failures, the last of them just now. One try is at the very end.

    `retry_after_s` is the receiver's own wish, cut to an hour where it is read. It makes a wait longer, never shorter.
    """
    ends_at = first_at + TRIED_FOR
    if now >= ends_at and failures >= TRIES_MIN:
        return GiveUp()
    due = now + max(WAITS[min(failures, len(WAITS)) - 1], timedelta(seconds=retry_after_s or 0))
    return min(due, ends_at) if now < ends_at else due
