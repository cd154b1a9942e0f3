"""What only a browser shows of Settings: the preview while numbers are typed, and ClickPost's answers as they come."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser import steps
from browser.chromium import NARROW, visiting
from browser.panel import panel_at, running

CONNECTOR = "/settings/shipping-providers/clickpost-b2b/connector"


@pytest.mark.parametrize("script", [True, False])
async def test_a_connector_is_tried_before_anything_is_booked(
    chromium: Browser, dsn: str, tmp_path: Path, script: bool
) -> None:
    """Test connection and Show priorities, asked of the sandbox by a job; with script the page is not loaded again."""
    async with (
        panel_at(dsn, tmp_path) as panel,
        running(panel, work=True),
        visiting(chromium, panel.url, script=script) as visitor,
    ):
        page = visitor.page
        await steps.becomes_the_first_admin(page, panel)
        await steps.adds_the_shipping_provider(page)
        await steps.updates_its_connector(page, panel.sandbox)
        await steps.adds_a_facility(page)
        await page.goto(CONNECTOR)
        await steps.press(page, "Test connection")
        await expect(page.locator("#test-result .done")).to_contain_text("ClickPost accepts this key and lists")
        await steps.fill(page, {"Destination PIN": "411018"})
        await steps.press(page, "Show priorities")
        await expect(page.get_by_role("list", name="Priorities from BLR-1 to 411018")).to_contain_text("P1")
        assert await panel.state.pool.fetchval("SELECT count(*) FROM turns") == 0
        await steps.fill(page, {"Key": "nobodys-key-0123456789"})
        await steps.press(page, "Update Connector")
        await steps.press(page, "Test connection")
        await expect(page.locator("#test-result .bad")).to_contain_text("ClickPost rejects the username and key")


async def test_the_preview_follows_what_is_typed(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with (
        panel_at(dsn, tmp_path) as panel,
        running(panel, work=False),
        visiting(chromium, panel.url) as visitor,
    ):
        page = visitor.page
        await steps.becomes_the_first_admin(page, panel)
        await steps.adds_the_shipping_provider(page)
        preview = page.locator("#preview")
        await expect(preview).to_contain_text("no appointment")
        await expect(page.get_by_role("button", name="Preview")).to_be_hidden()
        await steps.fill(page, {"Key": "typed-and-not-sent", "Appointment After (Days)": "1"})
        await expect(preview).to_contain_text("appointment tomorrow, 10:00 to 18:00")
        await steps.fill(page, {"Pickup After (Minute)": "4320"})
        await expect(preview).to_contain_text("The appointment is over before the boxes are fetched")
        await steps.fill(page, {"Pickup After (Minute)": "soon"})
        await expect(preview).to_contain_text('Pickup After (Minute) is "soon": give whole minutes')
        await expect(steps.named(page, "Key")).to_have_value("typed-and-not-sent")


async def test_a_code_follows_its_name_until_it_is_given(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    async with (
        panel_at(dsn, tmp_path) as panel,
        running(panel, work=False),
        visiting(chromium, panel.url) as visitor,
    ):
        page = visitor.page
        await steps.becomes_the_first_admin(page, panel)
        await page.goto("/settings/shipping-providers/new?kind=clickpost_b2b")
        await steps.fill(page, {"Name": "ClickPost B2B, Pune"})
        await expect(steps.named(page, "Code")).to_have_value("clickpost-b2b-pune")
        await steps.fill(page, {"Code": "west"})
        await steps.fill(page, {"Name": "ClickPost B2B, West"})
        await expect(steps.named(page, "Code")).to_have_value("west")


async def test_on_a_small_screen_nothing_lies_beside_it(chromium: Browser, dsn: str, tmp_path: Path) -> None:
    """Without script: where one is among the sections, and all that a facility has set down for Uniware."""
    async with (
        panel_at(dsn, tmp_path) as panel,
        running(panel, work=False),
        visiting(chromium, panel.url, script=False) as visitor,
    ):
        page = visitor.page
        await steps.becomes_the_first_admin(page, panel)
        await steps.adds_the_shipping_provider(page)
        await steps.adds_a_facility(page)
        await page.set_viewport_size(NARROW)
        for path, section in (("hand-off-endpoints", "Hand-off endpoints"), ("uniware", "Uniware")):
            await page.goto(f"/settings/{path}")
            current = page.get_by_role("navigation", name="Settings").get_by_role("link", name=section)
            await expect(current).to_have_attribute("aria-current", "page")
            await expect(current).to_be_in_viewport(ratio=1)
        for value in ("BLR-1", "Custom field", "—"):
            await expect(page.locator(".defaults").get_by_text(value, exact=True).last).to_be_in_viewport(ratio=1)
