"""What the streams of a process share, so that they leave room for everybody else."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STREAMS_MAX = 8
"""Each may fill a file of `spool.FILE_BYTES_MAX`."""
SETS_AT_ONCE_MAX = 2
"""The other connections of the pool are for everybody else."""


class TooManyStreams(Exception):  # noqa: N818 - a fact about the process
    """There are STREAMS_MAX already."""


@dataclass(slots=True)
class Gate:
    streams: int = 0
    sets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SETS_AT_ONCE_MAX))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Raises TooManyStreams."""
        if self.streams >= STREAMS_MAX:
            raise TooManyStreams
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1
