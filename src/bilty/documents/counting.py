"""How many pages a stranger's PDF has, counted in a process of its own (`bilty.documents.count`).

A few kilobytes can keep the library that reads PDFs busy for minutes and take gigabytes. In the dispatcher's process
that would be every booking's time and memory; there it is one label's. The process is kept: labels come by the
thousand, and to start one takes longer than to read a hundred. Another is started when it dies.
"""

import asyncio
import atexit
import contextlib
import os
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from bilty.documents.apart import PASSED_ON
from bilty.documents.count import COUNT, LENGTH, READY, WITHIN_S

STARTED_WITHIN_S = 30
TRIES_MAX = 2
"""One that dies may have been killed from outside; that the next dies too is the PDF's doing."""


class Counter:
    """Counts one PDF at a time, in a thread: whoever comes meanwhile waits, and nothing else does."""

    def __init__(self, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pages")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that counts, None while there is none."""
        return self._process.pid if self._process else None

    async def pages_of(self, pdf: bytes) -> int:
        """0 where it cannot be read in time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._count, pdf)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None, "it was started with both"
            with contextlib.suppress(OSError):  # what it was told last and did not read
                pipe.close()
        process.wait()

    def _count(self, pdf: bytes) -> int:
        for _ in range(TRIES_MAX):
            try:
                return self._ask(pdf)
            except TimeoutError:
                self.close()
                return 0
            except (OSError, EOFError):
                self.close()
        return 0

    def _ask(self, pdf: bytes) -> int:
        """Raises TimeoutError; OSError or EOFError where the process has died."""
        process = self._process or self._started()
        assert process.stdin is not None, "it was started with a pipe"
        assert process.stdout is not None, "it was started with a pipe"
        process.stdin.write(LENGTH.pack(len(pdf)))
        process.stdin.write(pdf)
        process.stdin.flush()
        return int(COUNT.unpack(_read(process.stdout, COUNT.size, self._within_s))[0])

    def _started(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bilty.documents.count"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            start_new_session=True,
        )
        assert self._process.stdout is not None, "it was started with a pipe"
        _read(self._process.stdout, len(READY), STARTED_WITHIN_S)
        return self._process


def _read(told: IO[bytes], length: int, within_s: float) -> bytes:
    """Exactly so many bytes. Raises TimeoutError, and EOFError."""
    deadline, content = time.monotonic() + within_s, b""
    while len(content) < length:
        if not select.select([told], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError
        chunk = os.read(told.fileno(), length - len(content))
        if not chunk:
            raise EOFError
        content += chunk
    return content


_counter = Counter()
atexit.register(_counter.close)
pages_of = _counter.pages_of
"""Of this process's own counter."""
