"""Labels in, one PDF out: `python -P -m bilty.documents`, started by `bilty.documents.press`.

A program of its own: the labels come from outside, and whatever they do to the library that reads them, they do here,
with limited memory, and with no other work of Bilty's waiting for it.

    in   for each label: 4 bytes, the length of its mark; the mark; a byte, 1 where it is void;
         8 bytes, the length of the PDF; the PDF
         at the end: END in place of the first length
    out  for each label: a line of JSON, `{"pages": 2}` or `{"fault": "its PDF is damaged"}`
         at the end: the PDF
"""

import json
import resource
import signal
import struct
import sys
from typing import BinaryIO

from bilty.documents.labels import Merge
from bilty.documents.reading import UnreadablePdfError

MEMORY_BYTES_MAX = 3 << 30
ALONE_S = 150
"""Longer than the press waits for anything: a program that takes longer has nobody left who would end it."""
END = 0xFFFF_FFFF


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    merge_all(sys.stdin.buffer, sys.stdout.buffer)


def merge_all(given: BinaryIO, made: BinaryIO, alone_s: float = ALONE_S) -> None:
    merge = Merge()
    while (length := _number(given, ">I")) != END:
        mark = given.read(length).decode()
        void = _number(given, ">B") == 1
        pdf = given.read(_number(given, ">Q"))
        signal.setitimer(signal.ITIMER_REAL, alone_s)  # the signal kills, as nobody catches it
        try:
            answer: dict[str, int | str] = {"pages": merge.add(pdf, mark=mark, void=void)}
        except UnreadablePdfError as fault:
            answer = {"fault": str(fault)}
        made.write(json.dumps(answer).encode() + b"\n")
        made.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_REAL, alone_s)
    made.write(merge.finish())
    made.flush()


def _number(given: BinaryIO, form: str) -> int:
    """Raises struct.error when there is nothing more: whoever gave is gone."""
    number: int = struct.unpack(form, given.read(struct.calcsize(form)))[0]
    return number


if __name__ == "__main__":
    main()
