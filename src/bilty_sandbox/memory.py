"""What the sandbox remembers over a restart: the book, and what time it was there.

Everything else follows from these two (`bilty_sandbox.book`), so nothing has to be replayed.
"""

import pickle
from pathlib import Path

from bilty_sandbox.book import Book
from bilty_sandbox.clock import FastClock
from bilty_sandbox.world import World


def remembered_clock(file: Path, speed: float) -> FastClock:
    """The sandbox's time goes on from where it stood."""
    return FastClock(speed, _read(file)[0]) if file.exists() else FastClock(speed)


def remember(file: Path, world: World) -> None:
    """Takes up the book that was written. Raises what pickle raises on a file that is none of ours."""
    if file.exists():
        world.book = _read(file)[1]


def write(file: Path, world: World) -> None:
    """Whole or not at all."""
    made = file.with_suffix(".new")
    made.write_bytes(pickle.dumps((world.clock.now(), world.book)))
    made.replace(file)


def _read(file: Path) -> tuple[float, Book]:
    now, book = pickle.loads(file.read_bytes())  # noqa: S301 - our own file, in our own folder
    assert isinstance(book, Book)
    return float(now), book
