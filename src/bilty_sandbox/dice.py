"""Chance that repeats: every throw is a hash of what it is about, so the order of calls changes nothing."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import TypeVar

Choice = TypeVar("Choice")


class Dice:
    """Thrown by name: a kind of throw added later leaves the others as they were."""

    __slots__ = ("_about",)

    def __init__(self, *about: object) -> None:
        self._about = "\x1f".join(map(str, about)).encode()

    def share(self, name: str) -> float:
        """From 0 up to, never reaching, 1."""
        return self.whole(name, 1 << 52) / (1 << 52)

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.share(name)

    def whole(self, name: str, below: int) -> int:
        return int.from_bytes(blake2b(name.encode(), key=self._digest(), digest_size=8).digest()) % below

    def weighted(self, name: str, weights: Mapping[Choice, int]) -> Choice:
        """One of the keys, as often as its weight says. At least one weight must be above 0."""
        left = self.whole(name, sum(weights.values()))
        for choice, weight in weights.items():
            left -= weight
            if left < 0:
                return choice
        raise AssertionError("the weights add up")

    def hex(self, name: str, digits: int) -> str:
        return blake2b(name.encode(), key=self._digest(), digest_size=(digits + 1) // 2).hexdigest()[:digits]

    def _digest(self) -> bytes:
        # blake2b takes a key of 64 bytes at most; what the dice are about may be longer.
        return self._about if len(self._about) <= 64 else blake2b(self._about, digest_size=32).digest()
