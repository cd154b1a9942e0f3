"""The pages of one PDF after the other: `python -P -m bilty.documents.count`, started by `bilty.documents.counting`.

    in   8 bytes, the length of a PDF; the PDF; and so on
    out  READY, once it is
         4 bytes, how many pages it has, 0 where it cannot be read

It ends when nothing more comes in, or by itself when one takes too long, lest it outlive who started it. It asks for
little memory: what swells dies here, where nothing else is lost with it.
"""

import resource
import signal
import struct
import sys
from typing import BinaryIO

from bilty.documents.reading import STUMBLES, readable

MEMORY_BYTES_MAX = 1 << 30
WITHIN_S = 5
"""An ordinary label takes some milliseconds. Few hundred bytes can be made to take minutes."""
READY = b"ready"
LENGTH, COUNT = struct.Struct(">Q"), struct.Struct(">I")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    for asked in (signal.SIGINT, signal.SIGTERM):  # whoever ends us with the rest waits for what is being counted
        signal.signal(asked, signal.SIG_IGN)
    count_all(sys.stdin.buffer, sys.stdout.buffer)


def count_all(given: BinaryIO, told: BinaryIO) -> None:
    told.write(READY)
    told.flush()
    while len(head := given.read(LENGTH.size)) == LENGTH.size:
        pdf = given.read(LENGTH.unpack(head)[0])
        signal.alarm(WITHIN_S + 1)  # the signal kills, as nobody catches it
        counted = pages_in(pdf)
        signal.alarm(0)
        told.write(COUNT.pack(counted))
        told.flush()


def pages_in(pdf: bytes) -> int:
    """0 where it cannot be read. May take any time, and any memory."""
    try:
        return len(readable(pdf).pages)
    except (*STUMBLES, MemoryError):
        return 0


if __name__ == "__main__":
    main()
