"""What the streams of a process share, so that they leave room for everybody else."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STREAMS_MAX = 8
"""Each may fill a file of `spool.FILE_BYTES_MAX`."""
STREAMS_PER_KEY_MAX = 2
"""So that one key, of one facility perhaps, does not take everybody's."""
SETS_AT_ONCE_MAX = 2
"""The other connections of the pool are for everybody else."""
COME_AGAIN_AFTER_S = 30
"""`Retry-After` of what ends a stream, or keeps it out, for a reason that passes."""


class TooManyStreams(Exception):  # noqa: N818 - a fact about the process
    """There are STREAMS_MAX already."""


class TooManyOfThisKey(TooManyStreams):
    """There are STREAMS_PER_KEY_MAX already."""


@dataclass(slots=True)
class Gate:
    """`streams`: how many there are, by the id of the API key."""

    streams: Counter[int] = field(default_factory=Counter)
    sets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SETS_AT_ONCE_MAX))

    @contextmanager
    def entered(self, key_id: int) -> Iterator[None]:
        """Raises TooManyStreams."""
        if self.streams[key_id] >= STREAMS_PER_KEY_MAX:
            raise TooManyOfThisKey
        if self.streams.total() >= STREAMS_MAX:
            raise TooManyStreams
        self.streams[key_id] += 1
        try:
            yield
        finally:
            self.streams[key_id] -= 1
            self.streams += Counter()  # forgets who has none
