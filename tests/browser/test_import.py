"""From a spreadsheet to the print job at a browser: in few actions, and with a fault mended on the way."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from bilty.store.access import Role
from bilty.store.database import Pool
from browser.chromium import visiting
from browser.morning import morning_of
from browser.panel import panel_at, running
from browser.scanning import loads_a_truck
from process.town import EXAMPLES
from web.orders import order, written

ACTIONS_MAX = 6
LONG_MS = 60_000


@dataclass(slots=True)
class Hands:
    """What a person does at the page, counted."""

    page: Page
    pool: Pool
    actions: int = 0

    async def follows(self, words: str) -> None:
        self.actions += 1
        await self.page.get_by_role("link", name=words).first.click()

    async def presses(self, words: str) -> None:
        self.actions += 1
        await self.page.get_by_role("button", name=words).first.click()

    async def chooses(self, path: Path) -> None:
        self.actions += 1
        await self.page.get_by_label("Orders, as CSV or as an Excel workbook").set_input_files(path)

    async def writes(self, label: str, value: str) -> None:
        """And leaves the field by Enter."""
        self.actions += 1
        await self.page.get_by_label(label).fill(value)
        await self.page.keyboard.press("Enter")


@asynccontextmanager
async def at_work(chromium: Browser, dsn: str, folder: Path, *, script: bool = True) -> AsyncIterator[Hands]:
    """A dispatcher before a panel that works, with the sample facilities."""
    async with panel_at(dsn, folder) as panel:
        async with morning_of(panel) as morning:
            await morning.furnish()
        async with running(panel, work=True), visiting(chromium, panel.url, script=script) as visitor:
            await visitor.signs_in(await panel.sign_in_link(Role.DISPATCHER))
            yield Hands(visitor.page, panel.state.pool)


async def prints_all(hands: Hands, count: int) -> None:
    """And opens what was made."""
    page = hands.page
    await expect(page.get_by_role("button", name=f"Print new {count}")).to_be_visible(timeout=LONG_MS)
    await hands.presses("Print new")
    await expect(page.locator(".headline")).to_contain_text("Done", timeout=LONG_MS)
    await expect(page.get_by_role("link", name="Open the PDF")).to_be_visible()
    made = json.loads(await hands.pool.fetchval("SELECT result FROM jobs WHERE kind = 'print_new'"))
    assert made["pages"] >= count


async def test_four_hundred_shipments_from_a_file_to_one_print_job(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_bytes(written(*(order(f"SO-{n:04}") for n in range(400))))
    async with at_work(chromium, dsn, tmp_path) as hands:
        await hands.follows("Import")
        await hands.chooses(orders)
        await hands.presses("Take in and schedule 400")
        await prints_all(hands, 400)
        assert await hands.pool.fetchval("SELECT count(*) FROM shipments WHERE printed_at IS NOT NULL") == 400
        assert hands.actions <= ACTIONS_MAX


async def test_the_sample_workbook_with_a_fault_mended_in_its_cell(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with at_work(chromium, dsn, tmp_path) as hands:
        page = hands.page
        await hands.follows("Import")
        await hands.chooses(EXAMPLES / "orders.xlsx")
        await expect(page.get_by_text("12 shipments in the file: 11 new and 1 with faults.")).to_be_visible()
        await hands.writes("PIN Code, line", "560100")
        await expect(page.get_by_role("status").first).to_contain_text("is without fault now")
        await hands.presses("Take in and schedule 12")
        await expect(page.get_by_text("12 shipments taken in, 12 scheduled of them.")).to_be_visible()
        await prints_all(hands, 12)
        went = await loads_a_truck(page, hands.pool)
        assert await hands.pool.fetchval("SELECT count(*) FROM shipments WHERE status = 'dispatched'") == went > 0


async def test_all_of_it_without_script(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    """The page comes again by itself while the file is worked on."""
    async with at_work(chromium, dsn, tmp_path, script=False) as hands:
        page = hands.page
        await hands.follows("Import")
        await hands.chooses(EXAMPLES / "orders.xlsx")
        await hands.presses("Check the file")
        await expect(page.get_by_text("12 shipments in the file")).to_be_visible()
        await hands.writes("PIN Code, line", "560100")
        await hands.presses("Take in only")
        await expect(page.get_by_text("12 shipments taken in.")).to_be_visible()


async def test_a_file_that_is_dropped_is_sent(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with at_work(chromium, dsn, tmp_path) as hands:
        page = hands.page
        await page.goto("/imports")
        content = written(order("SO-1")).decode()
        dropped = await page.evaluate_handle(
            """content => {
                const carried = new DataTransfer();
                carried.items.add(new File([content], "dropped.csv", { type: "text/csv" }));
                return carried;
            }""",
            content,
        )
        await page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
        await expect(page.get_by_role("heading", level=1)).to_have_text("dropped.csv")
        await expect(page.get_by_text("1 shipment in the file: 1 new.")).to_be_visible()
