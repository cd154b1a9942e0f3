"""File locks between programs that share one folder.

`flock`, because the kernel gives it back whenever its last holder is gone, however that ended, and because it is
inherited: a server that was started with a lock's descriptor holds the lock until its very last process is gone. No
process number read from a file, which may by now be another program's or a zombie's, can say as much.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


def open_own(path: Path, flags: int) -> int:
    """Opens a file that is for its folder's owner alone, makes it if need be, and follows no symbolic link."""
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    if os.geteuid() == 0:
        # One `sudo bilty doctor` must not lock an ordinary user out of that user's own folder.
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Closing gives the lock back, unless a program that was started with the descriptor still holds it."""
    descriptor = open_own(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def share(lock: int) -> None:
    fcntl.flock(lock, fcntl.LOCK_SH)


def taken(lock: int, seconds: float = 0) -> bool:
    """True once the lock is held by this descriptor alone, False when others keep it for longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        else:
            return True
