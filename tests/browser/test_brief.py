"""The brief, walked in a browser: its steps 1 to 5, then a shipment of many boxes from LABEL REQUESTED to its label."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from bilty_sandbox import Policy
from browser import steps
from browser.chromium import visiting
from browser.panel import MINUTE, Panel, panel_at, running
from browser.states import story

NUMBER = "SO-47110"
P1_LAPSES = Policy(enabled=False, rules=story(NUMBER, p1="never", p2="async"))
P1_REFUSES = Policy(enabled=False, rules=story(NUMBER, p1="refuse_319", p2="async"))


async def courier_of(panel: Panel, priority: int) -> str:
    """As ClickPost names it, once its turn has begun."""
    name: str = await panel.state.pool.fetchval(
        "SELECT courier_name FROM turns WHERE priority = $1 ORDER BY id DESC LIMIT 1", priority
    )
    return name


async def sets_up(page: Page, panel: Panel) -> None:
    await steps.becomes_the_first_admin(page, panel)
    await steps.adds_the_shipping_provider(page)
    await steps.updates_its_connector(page, panel.sandbox)
    await steps.adds_a_facility(page)


async def test_the_brief(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    """P1 accepts and gives no label within its window; P2's comes. The page is never loaded again."""
    async with (
        panel_at(dsn, tmp_path, policy=P1_LAPSES, poll_interval_s=1) as panel,
        running(panel, work=True),
        visiting(chromium, panel.url) as visitor,
    ):
        page, standing = visitor.page, steps.standing(visitor.page)
        await sets_up(page, panel)
        await steps.takes_a_shipment_in(page, NUMBER)
        await page.evaluate("window.isTheSamePage = true")
        await expect(standing).to_contain_text("LABEL REQUESTED")
        first = f"{await courier_of(panel, 1)} accepted"
        await expect(standing).to_contain_text(first)
        await expect(standing).not_to_contain_text(first)
        await expect(standing).to_contain_text(f"{await courier_of(panel, 2)} accepted")
        await expect(standing).to_contain_text("LABEL REQUESTED")
        panel.time.advance(4 * MINUTE)
        await expect(standing).to_contain_text("Success: label ready")
        label = page.get_by_role("img", name="Label, page 1")
        await expect(label).to_be_visible()
        await expect(label).not_to_have_js_property("naturalWidth", 0)
        assert await page.evaluate("window.isTheSamePage")


async def test_the_brief_without_script(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    """P1 refuses at once; P2's label comes. The page loads itself again while something is under way."""
    async with (
        panel_at(dsn, tmp_path, policy=P1_REFUSES, poll_interval_s=5) as panel,
        running(panel, work=True),
        visiting(chromium, panel.url, script=False) as visitor,
    ):
        page, standing = visitor.page, steps.standing(visitor.page)
        await sets_up(page, panel)
        await steps.takes_a_shipment_in(page, NUMBER)
        await expect(standing).to_contain_text("LABEL REQUESTED")
        await expect(standing).to_contain_text(f"{await courier_of(panel, 2)} accepted")
        panel.time.advance(4 * MINUTE)
        await expect(standing).to_contain_text("Success: label ready")
        await expect(page.get_by_role("img", name="Label, page 1")).to_be_visible()
