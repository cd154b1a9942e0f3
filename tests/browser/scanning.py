"""A scanner at the truck: it types, presses Enter, and waits for nobody."""

from playwright.async_api import Page, expect

from bilty.store.database import Pool


async def loads_a_truck(page: Page, pool: Pool) -> int:
    """Begins the first handover, scans every box of it without a pause, and closes it. How many shipments went."""
    await page.get_by_role("link", name="Handover").click()
    await page.get_by_role("button", name="Begin").first.click()
    await expect(page.get_by_label("Scan a box")).to_be_focused()
    (handover,) = await pool.fetch("SELECT facility_id, courier_id FROM handovers")
    assert handover is not None
    codes = await pool.fetch(
        """SELECT coalesce(nullif(b.awb, ''), b.reference) AS code, s.courier_id = $2 AS its FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE s.status = 'label_ready' AND s.facility_id = $1 ORDER BY s.id, b.number""",
        handover["facility_id"],
        handover["courier_id"],
    )
    others = [row["code"] for row in codes if not row["its"]]
    for code in others[:1]:
        await scans(page, code)
        await expect(page.get_by_role("alert")).to_contain_text("Put it aside for that truck.")
    for row in codes:
        if row["its"]:
            await scans(page, row["code"])
    went: int = await pool.fetchval(
        "SELECT count(*) FROM shipments WHERE status = 'label_ready' AND facility_id = $1 AND courier_id = $2",
        handover["facility_id"],
        handover["courier_id"],
    )
    await expect(page.locator(".on-truck")).to_contain_text(f"{went} of {went} shipment")
    await page.get_by_role("link", name="Close…").click()
    await page.get_by_role("button", name="Close and make the manifest").click()
    await expect(page.get_by_role("link", name="Open the manifest")).to_be_visible()
    await expect(page.get_by_role("status").first).to_contain_text("dispatched.")
    return went


async def scans(page: Page, code: str) -> None:
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
