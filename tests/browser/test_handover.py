"""A scanner at a truck: faster than the network, with boxes that do not go, and at a browser without script."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from bilty.store.access import Role
from bilty.store.database import Pool
from browser.chromium import Visitor, visiting
from browser.morning import morning_of
from browser.panel import panel_at, running
from browser.scanning import loads_a_truck, scans

NUMBERS = ("SO-1", "SO-2", "SO-3")


@asynccontextmanager
async def at_the_dock(
    chromium: Browser, dsn: str, folder: Path, *, script: bool = True
) -> AsyncIterator[tuple[Visitor, Pool]]:
    """A dispatcher at a panel where three shipments have their labels."""
    async with panel_at(dsn, folder, hours_ago=1) as panel:
        async with morning_of(panel) as morning:
            await morning.furnish()
            for number in NUMBERS:
                await morning.takes_in(number=number)
            await morning.until_now()
        async with running(panel, work=False), visiting(chromium, panel.url, script=script) as visitor:
            await visitor.signs_in(await panel.sign_in_link(Role.DISPATCHER))
            yield visitor, panel.state.pool


async def codes_of(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        """SELECT coalesce(nullif(b.awb, ''), b.reference) AS code FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE s.status = 'label_ready' ORDER BY s.id, b.number"""
    )
    return [row["code"] for row in rows]


async def begins(page: Page) -> None:
    await page.goto("/handovers")
    await page.get_by_role("button", name="Begin").first.click()
    await expect(page.get_by_label("Scan a box")).to_be_focused()


async def test_scans_that_are_faster_than_the_network_are_all_heard(
    chromium: Browser, dsn: str, tmp_path: Path
) -> None:
    """What was refused among them stays to be read, until that box goes."""
    answering, cut = asyncio.Event(), asyncio.Event()
    cut.set()

    async def slowly(route: Route) -> None:
        await answering.wait()
        if cut.is_set():
            cut.clear()
            await route.abort()
        else:
            await route.continue_()

    async with at_the_dock(chromium, dsn, tmp_path) as (visitor, pool):
        page, codes = visitor.page, await codes_of(pool)
        await begins(page)
        await page.route("**/scan", slowly)
        for code in (codes[0], "4711", *codes[1:]):
            await scans(page, code)
        assert await pool.fetchval("SELECT count(*) FROM handover_boxes") == 0
        answering.set()
        ticked = f"{len(NUMBERS) - 1} of {len(NUMBERS)} shipments complete, {len(codes) - 1} of {len(codes)} boxes"
        await expect(page.locator(".on-truck")).to_contain_text(ticked)
        aside = page.get_by_role("region", name="Put aside").get_by_role("listitem")
        await expect(aside).to_have_text(
            [
                "4711 is no box of this facility's. Put it aside; look it up in Shipments.",
                f"{codes[0]} was not sent: Bilty cannot be reached. Scan it again.",
            ]
        )
        assert len(visitor.complained(but="ERR_FAILED")) == 0
        await expect(page.get_by_label("Scan a box")).to_be_focused()
        await scans(page, codes[0])
        await expect(page.locator(".on-truck")).to_contain_text(f"{len(NUMBERS)} of {len(NUMBERS)} shipments complete")
        await expect(aside).to_have_count(1)


async def test_a_truck_is_loaded_and_closed_without_script(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with at_the_dock(chromium, dsn, tmp_path, script=False) as (visitor, pool):
        page = visitor.page
        await begins(page)
        await page.get_by_label("Scan a box").fill("4711")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").first).to_contain_text("Put it aside")
        for code in await codes_of(pool):
            await expect(page.get_by_label("Scan a box")).to_be_focused()
            await page.get_by_label("Scan a box").fill(code)
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
        await expect(page.locator(".on-truck")).to_contain_text(f"{len(NUMBERS)} of {len(NUMBERS)} shipments complete")
        await page.get_by_role("link", name="Close…").click()
        await page.get_by_role("button", name="Close and make the manifest").click()
        await expect(page.get_by_role("link", name="Open the manifest")).to_be_visible()
        assert await pool.fetchval("SELECT count(*) FROM shipments WHERE status = 'dispatched'") == len(NUMBERS)


async def test_a_truck_is_loaded_and_closed_with_a_scanner(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with at_the_dock(chromium, dsn, tmp_path) as (visitor, pool):
        assert await loads_a_truck(visitor.page, pool) == len(NUMBERS)
