"""A workbook's rows as they come out of the process that reads it: see `bilty.sheets.__main__`."""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""All it gets of our environment."""
SILENT_S_MAX = 150.0
"""Longer than it may take to open a workbook."""
CHUNK_BYTES = 65_536
LOST = (
    "The workbook is damaged, or takes more memory or time than one may: save it as "
    '"CSV UTF-8 (comma delimited)", or divide it.'
)


class UnreadableWorkbookError(ValueError):
    """One sentence for the person who brought it."""


class _Begin(msgspec.Struct):
    rows: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows`: number and cells. They can be had once; reading them raises UnreadableWorkbookError."""

    height: int
    notes: tuple[str, ...]
    rows: Iterator[tuple[int, tuple[str, ...]]]


_row = msgspec.json.Decoder(tuple[int, tuple[str, ...]] | None)


@contextmanager
def opened(file: Path) -> Iterator[Sheet]:
    """Raises UnreadableWorkbookError. The process does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bilty.sheets"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        start_new_session=True,
    )
    try:
        assert process.stdin is not None, "it was started with a pipe"
        assert process.stdout is not None, "it was started with a pipe"
        with contextlib.suppress(OSError), process.stdin:  # it has died: that is told below
            process.stdin.write(os.fsencode(file))
        lines = _lines(process.stdout)
        begin = msgspec.json.decode(next(lines, b'{"problem":"-"}'), type=_Begin)
        if begin.problem:
            raise UnreadableWorkbookError(LOST if begin.problem == "-" else begin.problem)
        yield Sheet(begin.rows, begin.notes, _rows(lines))
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


def _rows(lines: Iterator[bytes]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for line in lines:
        row = _row.decode(line)
        if row is None:
            return
        yield row
    raise UnreadableWorkbookError(LOST)


def _lines(told: IO[bytes]) -> Iterator[bytes]:
    """Until it ends, or says nothing for too long."""
    pending = b""
    while True:
        if not select.select([told], [], [], SILENT_S_MAX)[0]:
            return
        chunk = os.read(told.fileno(), CHUNK_BYTES)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines
