"""Pages of labels as pictures: browsers on telephones show no PDF inside a page, and our own pages frame nothing.

Each is drawn in a process of its own (`bilty.web.draw_page`) that is killed when it takes too long; the last ones are
kept, by the label's hash, and so is that one cannot be drawn.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bilty.documents.apart import apart

DRAW_PAGE = Path(__file__).with_name("draw_page.py")
WIDTH = 640
DRAWN_WITHIN_S = 15
AT_ONCE = 2
KEPT_BYTES_MAX, KEPT_MAX = 16 * 1024 * 1024, 1_000

log = structlog.get_logger()


class Undrawable(Exception):  # noqa: N818 - the PDF's fault, and no error of ours
    """That page cannot be drawn."""


class Pictures:
    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], bytes | Undrawable] = OrderedDict()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def page(self, sha256: str, page: int, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The PNG of a page, counted from 1. Raises Undrawable.

        `read` gets the PDF of that hash, where it is needed and when its turn has come: those who wait hold none.
        """
        key = (sha256, page)
        if key not in self._kept:
            async with self._places:
                if key not in self._kept:
                    self._keep(key, await _drawn_or_not(await read(), page))
        self._kept.move_to_end(key)
        kept = self._kept[key]
        if isinstance(kept, Undrawable):
            raise Undrawable(*kept.args)
        return kept

    def _keep(self, key: tuple[str, int], drawn: bytes | Undrawable) -> None:
        while self._kept and (len(self._kept) >= KEPT_MAX or self._bytes() + _bytes_of(drawn) > KEPT_BYTES_MAX):
            self._kept.popitem(last=False)
        self._kept[key] = drawn

    def _bytes(self) -> int:
        return sum(map(_bytes_of, self._kept.values()))


def _bytes_of(drawn: bytes | Undrawable) -> int:
    return 0 if isinstance(drawn, Undrawable) else len(drawn)


async def _drawn_or_not(pdf: bytes, page: int) -> bytes | Undrawable:
    try:
        return await _drawn(pdf, page)
    except Undrawable as trouble:
        return trouble.with_traceback(None)


async def _drawn(pdf: bytes, page: int) -> bytes:
    async with apart(str(DRAW_PAGE), str(page), str(WIDTH), told=True) as process:
        try:
            async with asyncio.timeout(DRAWN_WITHIN_S):
                png, trouble = await process.communicate(pdf)
        except TimeoutError:
            raise Undrawable(f"It took longer than {DRAWN_WITHIN_S} s.") from None
    if process.returncode != 0:
        log.info("label.undrawable", page=page, exit=process.returncode, why=trouble.decode(errors="replace")[-400:])
        raise Undrawable("It cannot be read.")
    return png
