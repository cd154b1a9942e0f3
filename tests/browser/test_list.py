"""The list under quick hands: what is selected lasts, what changes moves nothing from under the pointer."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from bilty.store.access import Role
from bilty.store.database import Pool
from bilty.store.progress import notify_changed
from browser.chromium import visiting
from browser.panel import panel_at, running
from listing.shelf import Article, Shelf


@asynccontextmanager
async def looking(
    chromium: Browser, dsn: str, folder: Path, *articles: Article, but: str = ""
) -> AsyncIterator[tuple[Page, Pool]]:
    """A dispatcher before the list, with nobody at work behind it. `but`: what the browser may complain of."""
    async with panel_at(dsn, folder) as panel:
        async with panel.state.pool.acquire() as connection:
            await Shelf().put(connection, *articles)
        async with running(panel, work=False), visiting(chromium, panel.url) as visitor:
            await visitor.signs_in(await panel.sign_in_link(Role.DISPATCHER))
            await visitor.page.goto("/shipments")
            yield visitor.page, panel.state.pool
            visitor.complaints = visitor.complained(but=but)


def box(number: str) -> str:
    return f'[aria-label="Select {number}"]'


async def test_a_selection_lasts_over_pages_and_is_sent_whole(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    articles = [Article(f"SO-{n:02}") for n in range(65)]
    async with looking(chromium, dsn, tmp_path, *articles) as (page, pool):
        await page.locator(box("SO-64")).check()
        await page.locator(box("SO-62")).click(modifiers=["Shift"])
        await expect(page.get_by_text("3 selected")).to_be_visible()
        await page.get_by_role("link", name="Next").click()
        await page.locator(box("SO-04")).check()
        await expect(page.get_by_text("4 selected")).to_be_visible()
        await expect(page.get_by_text("3 on other pages")).to_be_visible()
        await page.get_by_role("button", name="Export CSV").click()
        await page.wait_for_url(re.compile("/jobs/"))
        chosen = await pool.fetch("SELECT number FROM job_items i JOIN shipments s ON s.id = i.shipment_id ORDER BY 1")
        assert [row["number"] for row in chosen] == ["SO-04", "SO-62", "SO-63", "SO-64"]
        await page.goto("/shipments")
        await expect(page.get_by_text("4 selected")).to_be_visible()
        await page.goto("/shipments?tab=to_schedule")
        await expect(page.locator(box("SO-64"))).not_to_be_checked()  # another list, nothing selected


async def test_all_that_match_goes_beyond_the_page(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with looking(chromium, dsn, tmp_path, *(Article(f"SO-{n:02}") for n in range(65))) as (page, pool):
        await page.get_by_label("Select the shipments of this page").check()
        await expect(page.get_by_text("60 selected")).to_be_visible()
        await page.get_by_label("All 65 that match").check()
        await page.get_by_role("button", name="Schedule", exact=True).click()
        await page.wait_for_url(re.compile("/jobs/"))
        assert await pool.fetchval("SELECT total FROM jobs") == 65


async def test_a_cancel_is_asked_about_once(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with looking(chromium, dsn, tmp_path, Article("SO-1"), Article("SO-2")) as (page, pool):
        await page.locator(box("SO-1")).check()
        bar = page.get_by_role("group", name="What to do with the selected shipments")
        await bar.get_by_role("button", name="Cancel").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Cancel 1 shipment?")
        await dialog.get_by_role("button", name="Keep it").click()
        await expect(dialog).to_be_hidden()
        await expect(page.get_by_text("1 selected")).to_be_visible()
        await bar.get_by_role("button", name="Cancel").click()
        await dialog.get_by_role("button", name="Cancel it").click()
        await page.wait_for_url(re.compile("/jobs/"))
        assert await pool.fetchval("SELECT kind || ' ' || total FROM jobs") == "cancel 1"


async def test_news_changes_rows_in_place_and_the_order_waits(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with looking(chromium, dsn, tmp_path, Article("SO-1"), Article("SO-2")) as (page, pool):
        await page.locator(box("SO-1")).check()
        await page.get_by_role("row", name="SO-1").hover()
        async with pool.acquire() as connection:
            changed = await connection.fetchval(
                "UPDATE shipments SET hold = 'No e-way bill.', status = 'on_hold' WHERE number = 'SO-1' RETURNING id"
            )
            [new] = await Shelf().put(connection, Article("SO-3"))
            await notify_changed(connection, [changed, new])
        await expect(page.get_by_role("row", name="SO-1")).to_contain_text("On hold")
        await expect(page.locator("#line")).to_contain_text("1 update.")
        await expect(page.get_by_role("row", name="SO-3")).to_have_count(0)
        await expect(page.get_by_role("navigation", name="By status")).to_contain_text("All 3")
        await page.get_by_role("button", name="Show", exact=True).first.click()
        await expect(page.locator("tbody tr").first).to_contain_text("SO-3")
        await expect(page.locator(box("SO-1"))).to_be_checked()
        await expect(page.get_by_text("1 selected")).to_be_visible()


async def test_a_page_that_cannot_be_renewed_asks_less_and_less(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with looking(chromium, dsn, tmp_path, Article("SO-1")) as (page, pool):
        await page.clock.install()
        await page.add_init_script(AWAY)
        await page.goto("/shipments")
        await expect(page.locator("[data-fresh]")).to_be_attached()
        await page.evaluate("away = true; looksAgain()")
        await page.clock.run_for(10 * 60_000)
        assert 8 < await page.evaluate("failed") < 20
        await page.evaluate("away = false; looksAgain()")
        await expect(page.locator("[data-fresh]")).to_be_attached()
        async with pool.acquire() as connection:
            [new] = await Shelf().put(connection, Article("SO-2"))
            await notify_changed(connection, [new])
        await expect(page.get_by_role("row", name="SO-2")).to_be_visible()


AWAY = """
Object.assign(window, { away: false, failed: 0 });
const ask = window.fetch;
window.fetch = async (...given) => {
  if (away) { failed += 1; throw new TypeError("the server is away"); }
  return ask(...given);
};
window.looksAgain = () => {
  delete document.body.dataset.fresh;
  document.dispatchEvent(new Event("visibilitychange"));
};
document.addEventListener("bilty:fresh", () => { document.body.dataset.fresh = "yes"; });
"""
"""For as long as the server is said to be away, what a page asks for fails and is counted."""


async def test_a_stream_that_was_refused_is_begun_anew(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with looking(chromium, dsn, tmp_path, Article("SO-1")) as (page, pool):
        refused = 0

        async def refuse_once(route: Route) -> None:
            nonlocal refused
            refused += 1
            await (route.fulfill(status=204) if refused == 1 else route.continue_())

        await page.route("**/shipments/live", refuse_once)
        await page.reload()
        await expect(page.get_by_role("row", name="SO-1")).to_be_visible()
        async with pool.acquire() as connection:
            [new] = await Shelf().put(connection, Article("SO-2"))
            await notify_changed(connection, [new])
        await expect(page.get_by_role("row", name="SO-2")).to_be_visible()
        assert refused == 2


async def test_a_reader_is_not_carried_off(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    """The second page is empty by now, and its address leads to the first."""
    async with looking(chromium, dsn, tmp_path, *(Article(f"SO-{n:02}") for n in range(62))) as (page, pool):
        await page.goto("/shipments?tab=to_schedule")
        await page.get_by_role("link", name="Next").click()
        await expect(page.locator("tbody tr")).to_have_count(2)
        here = page.url
        async with pool.acquire() as connection:
            moved = await connection.fetch("UPDATE shipments SET status = 'failed' WHERE number < 'SO-02' RETURNING id")
            await notify_changed(connection, [row["id"] for row in moved])
        line = page.locator("#line")
        await expect(line).to_contain_text("This page has moved on.")
        assert page.url == here
        await expect(page.locator("tbody tr")).to_have_count(2)
        await line.get_by_role("button", name="Show", exact=True).click()
        await page.wait_for_url(re.compile(r"/shipments\?tab=to_schedule$"))


async def test_who_is_no_longer_signed_in_is_shown_the_way_in(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    refused = "EventSource's response"  # of a stream that is asked for when the session has gone
    async with looking(chromium, dsn, tmp_path, Article("SO-1"), but=refused) as (page, pool):
        await pool.execute("DELETE FROM sessions")
        async with pool.acquire() as connection:
            await notify_changed(connection, [1])
        await page.wait_for_url(re.compile("/sign-in$"))


async def test_a_choice_narrows_at_once_and_leaves_no_blanks(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    articles = (Article("SO-1", courier="DTDC", status="label_requested"), Article("SO-2"))
    async with looking(chromium, dsn, tmp_path, *articles) as (page, _):
        await page.get_by_label("Courier", exact=True).select_option("DTDC")
        await page.wait_for_url(re.compile(r"/shipments\?courier=DTDC$"))
        await expect(page.locator("tbody tr")).to_have_count(1)
        consignee = await page.get_by_role("cell", name="Sahyadri Distributors").bounding_box()
        assert consignee is not None
        pointed_at = "([x, y]) => document.elementFromPoint(x, y).closest('a')?.pathname"
        link = await page.evaluate(pointed_at, [consignee["x"] + 9, consignee["y"] + 9])
        assert re.fullmatch(r"/shipments/\d+", link), "the whole row is a link"
