"""A page of a PDF as a grey PNG: `python -P draw_page.py PAGE WIDTH < label.pdf > page.png`.

A program of its own, started by `bilty.web.pictures`: the PDF comes from outside, and whatever it does to the library
that draws it, it does here, with little memory and little time. It imports nothing of Bilty.
"""

import resource
import struct
import sys
import zlib

import pypdfium2

HEIGHT_MAX = 3_000
MEMORY_BYTES_MAX = 1 << 30
CPU_S_MAX = 10
PNG = b"\x89PNG\r\n\x1a\n"
GREY_8_BIT = (8, 0, 0, 0, 0)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    page, width = int(sys.argv[1]), int(sys.argv[2])
    sys.stdout.buffer.write(drawn(sys.stdin.buffer.read(), page, width))


def drawn(pdf: bytes, page: int, width: int) -> bytes:
    """`page` counts from 1. Raises IndexError or pypdfium2.PdfiumError where there is none."""
    document = pypdfium2.PdfDocument(pdf)
    if not 1 <= page <= len(document):
        raise IndexError(page)
    shown = document[page - 1]
    page_width, page_height = shown.get_size()
    bitmap = shown.render(min(width / page_width, HEIGHT_MAX / page_height), grayscale=True)
    pixels = bytes(bitmap.buffer)
    lines = (pixels[y * bitmap.stride : y * bitmap.stride + bitmap.width] for y in range(bitmap.height))
    unfiltered = b"".join(b"\0" + line for line in lines)
    header = struct.pack(">2I5B", bitmap.width, bitmap.height, *GREY_8_BIT)
    return PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(unfiltered)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    main()
