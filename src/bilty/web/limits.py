"""How often a key may ask: a bucket of tokens each, in this process's memory.

What it is for: one program that repeats itself without a pause must not take this process from the others. That is a
matter of this process alone, so nothing is written or asked of the database for it (docs/decisions/0015-keys.md).
"""

from dataclasses import dataclass

BUCKETS_MAX = 10_000
BURST_S = 2
"""A bucket that was left alone is full again after so long, and holds what that brings: a morning begins at once."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`left` tokens at the time `at`. A request takes one."""

    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float

    @property
    def burst(self) -> float:
        return max(1.0, self.per_second * BURST_S)

    def take(self, bucket: Bucket | None, now: float) -> tuple[Bucket, float]:
        """The bucket from now on, and for how many seconds to wait; 0: the request may come in. None: a full one.

        Whoever has to wait takes nothing, so that asking again does not make the wait longer.
        """
        left = self.burst if bucket is None else min(self.burst, bucket.left + (now - bucket.at) * self.per_second)
        if left < 1:
            return Bucket(left, now), (1 - left) / self.per_second
        return Bucket(left - 1, now), 0.0


class Limits:
    """The buckets of those who asked last. One that is forgotten counts as full, so to be forgotten must be dear.

    It takes BUCKETS_MAX requests of as many others.
    """

    def __init__(self, rate: Rate, buckets_max: int = BUCKETS_MAX) -> None:
        self.rate = rate
        self._buckets_max = buckets_max
        self._buckets: dict[bytes, Bucket] = {}  # whoever asked last stands last

    def wait_s(self, who: bytes, now: float) -> float:
        """0, and a token is taken, or for how long this one has to wait."""
        bucket, wait_s = self.rate.take(self._buckets.pop(who, None), now)
        self._buckets[who] = bucket
        if len(self._buckets) > self._buckets_max:
            del self._buckets[next(iter(self._buckets))]
        return wait_s
