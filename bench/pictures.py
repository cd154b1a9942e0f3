"""Pictures of the panel, taken in a real browser from made-up data: those of the README, or every screen there is.

./run pictures                 docs/pictures/*.png
./run pictures --all FOLDER    each screen of tests/browser/screens.py in all its states, and four looks
"""

import argparse
import asyncio
import itertools
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import asyncpg
from PIL import Image
from playwright.async_api import Browser, ViewportSize

from bilty import postgres
from browser.chromium import MISSING, NARROW, WIDE, Scheme, chromium_here, chromium_running, visiting
from browser.panel import Panel
from browser.screens import SCREENS, Screen, open_screen, shown
from browser.states import STATES, standing

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS = 256
"""Of a palette: enough for a panel of paper, ink and a stamp, and a third of the bytes."""
KB_MAX = 250


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    screen: str
    state: str
    scheme: Scheme = "light"


README = (
    Picture("shipments", "shipments", "full"),
    Picture("shipment", "shipment-third-waits", "full"),
    Picture("today", "today", "full"),
    Picture("attention", "attention", "failing", "dark"),
    Picture("connector", "connector-answers", "full"),
)


class Studio:
    """A server for the databases of all states, and a browser."""

    def __init__(self, chromium: Browser, server: str, folder: Path) -> None:
        self._chromium, self._server, self._folder = chromium, server, folder

    @asynccontextmanager
    async def state(self, name: str) -> AsyncIterator[Panel]:
        connection = await asyncpg.connect(self._server)
        await connection.execute(f"CREATE DATABASE state_{name}")
        await connection.close()
        address, _, options = self._server.partition("?")
        folder = self._folder / name
        folder.mkdir()
        async with standing(name, f"{address.rpartition('/')[0]}/state_{name}?{options}", folder) as panel:
            yield panel

    async def take(
        self, panel: Panel, screens: list[Screen], viewport: ViewportSize, scheme: Scheme, *, whole: bool
    ) -> AsyncIterator[tuple[Screen, bytes]]:
        async with AsyncExitStack() as kept:
            visitors = {}
            for signed_in in {screen.signed_in for screen in screens}:
                looks = visiting(self._chromium, panel.url, viewport=viewport, scheme=scheme)
                visitors[signed_in] = await kept.enter_async_context(looks)
            if True in visitors:
                await visitors[True].signs_in(await panel.sign_in_link())
            for screen in screens:
                visitor = visitors[screen.signed_in]
                await open_screen(visitor.page, screen, panel)
                yield screen, await visitor.page.screenshot(full_page=whole)
                visitor.complained(but=f"status of {screen.status}")


def smaller(png: bytes) -> bytes:
    made = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        made, "PNG", optimize=True
    )
    return made.getvalue()


async def take_all(studio: Studio, folder: Path) -> None:
    looks: tuple[tuple[str, ViewportSize], ...] = (("1440", WIDE), ("390", NARROW))
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for state in STATES:
        async with studio.state(state) as panel:
            for (width, viewport), scheme in itertools.product(looks, schemes):
                async for screen, png in studio.take(panel, shown(state), viewport, scheme, whole=True):
                    file = folder / f"{screen.name}-{state}-{width}-{scheme}.png"
                    file.write_bytes(png)
                    print(file)


async def take_those_of_the_readme(studio: Studio) -> None:
    screens = {screen.name: screen for screen in SCREENS}
    for state in dict.fromkeys(picture.state for picture in README):
        async with studio.state(state) as panel:
            for picture in (each for each in README if each.state == state):
                shots = studio.take(panel, [screens[picture.screen]], WIDE, picture.scheme, whole=False)
                async for _, png in shots:
                    file = FOLDER / f"{picture.name}.png"
                    file.write_bytes(smaller(png))
                    kb = file.stat().st_size / 1000
                    print(f"{file.relative_to(FOLDER.parents[1])}  {kb:.0f} kB")
                    if kb > KB_MAX:
                        sys.exit(f"{file.name} is larger than {KB_MAX} kB.")


async def main(all_in: Path | None) -> None:
    program = chromium_here()
    if program is None:
        sys.exit(f"No picture can be taken: {MISSING}.")
    data = Path(tempfile.mkdtemp())
    try:
        with postgres.running(data / "server", durable=False) as server:
            async with chromium_running(program) as chromium:
                studio = Studio(chromium, server, data)
                await (take_all(studio, all_in) if all_in else take_those_of_the_readme(studio))
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="./run pictures", description="Takes the README's pictures.")
    asked.add_argument("--all", type=Path, metavar="FOLDER", help="every screen, in all its states and looks")
    all_in: Path | None = asked.parse_args().all
    (all_in or FOLDER).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(all_in))
