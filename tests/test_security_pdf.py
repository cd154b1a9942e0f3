"""PDFs that are made to keep whoever reads them busy: they cost one process of its own, and nobody's booking."""

import asyncio
import os
import resource
import signal
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bilty.documents.counting import Counter
from test_documents import WHOLE

ENTRIES = 2_000_000
"""As many as pypdf takes of one table; it needs some seconds for them."""
TABLES = 5


def of_many_entries() -> bytes:
    """One page, and tables of references, one behind the other, that unpack to ten million: itself a few kilobytes."""
    pdf = bytearray(b"%PDF-1.5\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
    pdf += b"2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n"
    pdf += b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
    at, packed = 0, zlib.compress(b"\1" * ENTRIES, 9)
    for number in range(4, 4 + TABLES):
        before, at = b"/Prev %d " % at if at else b"", len(pdf)
        pdf += b"%d 0 obj\n<< /Type /XRef /Size %d /Root 1 0 R %s" % (number, ENTRIES, before)
        pdf += b"/W [1 0 0] /Index [0 %d] /Filter /FlateDecode /Length %d >>\n" % (ENTRIES, len(packed))
        pdf += b"stream\n%s\nendstream\nendobj\n" % packed
    return bytes(pdf + b"startxref\n%d\n%%%%EOF\n" % at)


def of_nested_pages(levels: int = 6, wide: int = 20) -> bytes:
    """Each level of its page tree names the next one so many times: 64 million pages in a kilobyte."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    for level in range(levels):
        kids = (b"%d 0 R " % (level + 3)) * wide
        objects.append(b"<< /Type /Pages /Count %d /Kids [ %s] >>" % (wide ** (levels - level), kids))
    objects.append(b"<< /Type /Page /MediaBox [0 0 200 200] >>")
    pdf, at = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        at.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % each for each in at)
    size = len(at) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\n" % (size, table, size)
    return bytes(pdf + end + b"startxref\n%d\n%%%%EOF\n" % len(pdf))


@pytest.fixture
def counter() -> Iterator[Counter]:
    counter = Counter(within_s=1)
    yield counter
    counter.close()


async def test_a_bomb_ends_in_time_and_the_next_label_is_counted(counter: Counter) -> None:
    assert await counter.pages_of(WHOLE) == 2, "its process has been started"
    bomb, before = of_many_entries(), resource.getrusage(resource.RUSAGE_SELF)
    assert len(bomb) < 30_000
    assert await counter.pages_of(bomb) == 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert used.ru_utime - before.ru_utime < 0.4, "this process has other work to do"
    assert used.ru_maxrss - before.ru_maxrss < 50 * 1024, "and other use for its memory"
    assert counter.pid is None
    assert [await counter.pages_of(each) for each in (WHOLE, of_nested_pages(3), b"%PDF-1.4 torn", b"")] == [2, 0, 0, 0]


async def test_it_is_one_process_for_all_and_who_comes_meanwhile_waits(counter: Counter) -> None:
    assert await asyncio.gather(*[counter.pages_of(WHOLE) for _ in range(9)]) == [2] * 9
    first = counter.pid
    assert await counter.pages_of(WHOLE) == 2
    assert counter.pid == first


async def test_one_that_was_killed_is_replaced(counter: Counter) -> None:
    assert await counter.pages_of(WHOLE) == 2
    assert counter.pid is not None
    os.kill(counter.pid, signal.SIGKILL)
    assert await counter.pages_of(WHOLE) == 2


async def test_it_holds_no_secret_of_ours(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILTY_SECRET_KEY", "the secret")
    assert await counter.pages_of(WHOLE) == 2
    told = await asyncio.to_thread(Path(f"/proc/{counter.pid}/environ").read_bytes)
    assert b"PATH=" in told
    assert b"BILTY" not in told
