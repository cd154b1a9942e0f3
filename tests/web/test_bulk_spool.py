"""What a stream lays aside, in memory and on disk; and that docs/bulk.md has its bounds right."""

from pathlib import Path

import pytest

from bilty.web.api.bulk import FORMATS
from bilty.web.arriving import SET_MAX
from bilty.web.bulk import gate, keeping, reading, spool, stream
from bilty.web.bulk.numbers import Numbers
from bilty.web.bulk.spool import MEMORY_BYTES_MAX, Spool

DOCS = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text("utf-8")


async def test_a_spool_gives_back_what_was_put_in_whatever_the_pace() -> None:
    spool, put, taken = Spool(), bytearray(), bytearray()
    for size in [1, MEMORY_BYTES_MAX, 5, MEMORY_BYTES_MAX * 2, 7]:
        piece = bytes([size % 251]) * size
        await spool.put(piece)
        put += piece
        taken += await spool.take()
    spool.end(b"last")
    while piece := await spool.take():
        taken += piece
    assert taken == put + b"last"
    spool.close()


async def test_a_file_begins_anew_when_its_reader_has_caught_up() -> None:
    spool = Spool(file_bytes_max=MEMORY_BYTES_MAX * 2, pauses_s_max=0.05)
    piece = b"x" * (MEMORY_BYTES_MAX + 1)
    for _ in range(5):
        await spool.put(piece)
        taken = 0
        while taken < len(piece):
            taken += len(await spool.take())
    spool.close()


def test_numbers_know_where_each_was_used_first() -> None:
    numbers = Numbers()
    assert [numbers.setdefault(f"SO-{at % 3}", at) for at in range(1, 7)] == [1, 2, 3, 1, 2, 3]
    numbers.close()


@pytest.mark.parametrize("media", FORMATS)
def test_each_format_is_documented(media: str) -> None:
    assert f"`{media}`" in DOCS


@pytest.mark.parametrize(
    "words",
    [
        f"a document has at most {reading.LINE_BYTES_MAX >> 20} MB",
        f"fewer than {stream.SENDER_BYTES_MIN} bytes come in {stream.SENDER_PAUSES_S_MAX:g} s",
        f"tries for {keeping.DATABASE_AWAY_S_MAX:g} s",
        f"within {keeping.KEY_LOOKED_AT_EVERY_S:g} s",
        f"up to {spool.FILE_BYTES_MAX >> 20} MB a stream",
        f"it waits for you for {spool.READER_PAUSES_S_MAX / 60:g} minutes",
        f"reads nothing for {spool.READER_PAUSES_S_MAX / 60:g} minutes",
        f"A process takes {gate.STREAMS_MAX} streams at a time, {gate.STREAMS_PER_KEY_MAX} of one key",
        f"at most {SET_MAX} rows",
        f"{gate.SETS_AT_ONCE_MAX} of them together",
    ],
)
def test_each_bound_is_documented(words: str) -> None:
    assert words in " ".join(DOCS.split())
