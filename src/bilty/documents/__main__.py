"""Papers in, one PDF out: `python -P -m bilty.documents`, started by `bilty.documents.press`.

A program of its own: the labels come from outside, and whatever they do to the library that reads them, they do here,
with limited memory, and with no other work of Bilty's waiting for it. What Bilty draws itself is drawn here, too.

    in   for each paper: 4 bytes, the length of its mark; the mark; a byte, what it is: LABEL, VOID or DRAWN;
         4 bytes and 4 bytes: of a label that is printed for one box the box's number, and of how many it is, else 0;
         8 bytes, the length of the PDF; the PDF, or JSON of what is to be drawn (`drawn`)
         at the end: END in place of the first length
    out  for each paper: a line of JSON, `{"pages": 2}` or `{"fault": "its PDF is damaged"}`
         at the end: the PDF
"""

import json
import resource
import signal
import struct
import sys
from typing import BinaryIO

import msgspec

from bilty.documents.drawn import Drawings
from bilty.documents.labels import Merge
from bilty.documents.reading import UnreadablePdfError

MEMORY_BYTES_MAX = 3 << 30
ALONE_S = 150
"""Longer than the press waits for anything: a program that takes longer has nobody left who would end it."""
END = 0xFFFF_FFFF
LABEL, VOID, DRAWN = range(3)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    merge_all(sys.stdin.buffer, sys.stdout.buffer)


def merge_all(given: BinaryIO, made: BinaryIO, alone_s: float = ALONE_S) -> None:
    merge = Merge()
    while (length := _number(given, ">I")) != END:
        mark = given.read(length).decode()
        what, box, of = _number(given, ">B"), _number(given, ">I"), _number(given, ">I")
        told = given.read(_number(given, ">Q"))
        signal.setitimer(signal.ITIMER_REAL, alone_s)  # the signal kills, as nobody catches it
        answer: dict[str, int | str]
        try:
            if what == DRAWN:
                answer = {"pages": merge.draw(msgspec.json.decode(told, type=Drawings))}
            else:
                answer = {"pages": merge.add(told, mark=mark, void=what == VOID, box=(box, of) if box else None)}
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
