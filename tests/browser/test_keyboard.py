"""The main path without a mouse: choose in the list, schedule, find, open, print."""

from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from bilty.store.access import Role
from browser.chromium import visiting
from browser.morning import morning_of
from browser.panel import panel_at, running

STOPS_MAX = 80
NUMBERS = ("SO-10001", "SO-10002", "SO-10003")


async def tab_to(page: Page, wanted: Locator) -> None:
    """By the Tab key alone, past nothing that cannot be seen. Behind the last stop of a page is its first."""
    await expect(wanted).to_be_visible()
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        if await page.locator(":focus").count():
            await expect(page.locator(":focus")).to_be_visible()
        if await wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not among the first {STOPS_MAX} stops of the Tab key")


async def enter(page: Page) -> None:
    """And wait for the page that this leads to: keys that are pressed before are lost."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def press(page: Page, words: str) -> None:
    await tab_to(page, page.get_by_role("main").get_by_role("button", name=words, exact=True))
    await enter(page)


async def follow(page: Page, words: str) -> None:
    await tab_to(page, page.get_by_role("link", name=words, exact=True).first)
    await enter(page)


async def in_row(page: Page, number: str) -> None:
    await expect(page.get_by_role("link", name=number)).to_be_focused()


async def test_the_main_path_without_a_mouse(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with panel_at(dsn, tmp_path) as panel:
        async with morning_of(panel) as morning:
            await morning.furnish()
            for number in NUMBERS:
                await morning.takes_in(number=number, schedule=False)
        async with running(panel, work=True), visiting(chromium, panel.url) as visitor:
            page = visitor.page
            await page.goto(await panel.sign_in_link(Role.DISPATCHER))
            await press(page, "Sign in without a password")
            await follow(page, "Shipments")
            await chooses_and_schedules(page)
            await finds_and_prints(page)
            await asks_for_the_keys(page)


async def chooses_and_schedules(page: Page) -> None:
    """Newest first, so SO-10003 stands at the top."""
    for key, number in (("j", "SO-10003"), ("j", "SO-10002"), ("k", "SO-10003")):
        await page.keyboard.press(key)
        await in_row(page, number)
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_text("2 selected")).to_be_visible()
    await page.keyboard.press("x")
    await expect(page.get_by_text("1 selected")).to_be_visible()
    await page.keyboard.press("x")
    await press(page, "Schedule")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("2 shipments")
    await expect(page.locator(".headline")).to_contain_text("Done")
    await follow(page, "Shipments")
    await expect(page.get_by_role("row", name="SO-10003")).to_contain_text("Success: label ready")
    await expect(page.get_by_role("row", name="SO-10001")).to_contain_text("Created")


async def finds_and_prints(page: Page) -> None:
    await page.keyboard.press("/")
    await expect(page.get_by_label("Find or scan")).to_be_focused()
    await page.keyboard.type("SO-10002")
    await enter(page)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("SO-10002")
    await press(page, "Print")
    await expect(page.locator(".headline")).to_contain_text("Done")
    await expect(page.get_by_role("link", name="Open the PDF")).to_be_visible()


async def asks_for_the_keys(page: Page) -> None:
    """And opens a row by Enter."""
    await follow(page, "Shipments")
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    await expect(keys).to_contain_text("Next row, previous row")
    await page.keyboard.press("Escape")
    await expect(keys).to_be_hidden()
    await page.keyboard.press("j")
    await in_row(page, "SO-10003")
    await enter(page)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("SO-10003")
