"""What people do at a browser, in the words that the pages have for it. Each step works with script and without."""

import re
from collections.abc import Mapping

from playwright.async_api import Locator, Page, expect

from bilty_sandbox import Sandbox
from browser.panel import Panel
from web.house import FACILITY, SHIPMENT

PASSWORD = "a few words in a row"
FACILITY_CODE = "BLR-1"


def named(place: Page | Locator, label: str) -> Locator:
    """The field of that name, of which the label may also say that it is optional."""
    return place.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))


async def fill(place: Page | Locator, fields: Mapping[str, str]) -> None:
    for label, value in fields.items():
        await named(place, label).fill(value)


async def press(place: Page | Locator, words: str) -> None:
    await place.get_by_role("button", name=words, exact=True).click()


async def follow(place: Page | Locator, words: str) -> None:
    await place.get_by_role("link", name=words).first.click()


async def becomes_the_first_admin(page: Page, panel: Panel) -> None:
    await page.goto(await panel.first_link())
    await fill(page, {"E-mail": "asha@example.com", "Password": PASSWORD, "The same password again": PASSWORD})
    await press(page, "Become admin")
    await expect(page.get_by_role("link", name="asha@example.com")).to_be_visible()


async def adds_the_shipping_provider(page: Page) -> None:
    """The brief's steps 1 to 4."""
    await follow(page, "Settings")
    await follow(page, "Shipping Provider")
    await follow(page, "Add Shipping Provider")
    await fill(page, {"Search and select a shipping provider": "clickpost"})
    await press(page, "Search")
    await follow(page, "Select ClickPost B2B")
    await expect(named(page, "Name")).to_have_value("ClickPost B2B")
    await press(page, "Save")


async def updates_its_connector(page: Page, sandbox: Sandbox) -> None:
    """The brief's step 5."""
    await follow(page, "Settings")
    await follow(page, "Shipping Provider")
    await page.get_by_role("table").get_by_role("link", name="ClickPost B2B").click()
    await follow(page.get_by_role("navigation", name="ClickPost B2B"), "Connector")
    await expect(named(page, "Packslip Required")).to_have_value("false")
    await named(page, "Packslip Required").select_option("True")
    await fill(
        page,
        {
            "Username": sandbox.username,
            "Key": sandbox.key,
            "Pickup After (Minute)": "90",
            "Appointment After (Days)": "2",
        },
    )
    await press(page, "Update Connector")
    await expect(page.get_by_role("status").first).to_be_visible()
    await expect(named(page, "Key")).to_have_value("")
    await expect(page.get_by_text(f"ending in {sandbox.key[-4:]}")).to_be_visible()


async def adds_a_facility(page: Page) -> None:
    await follow(page, "Settings")
    await follow(page, "Facilities")
    await follow(page, "Add facility")
    await fill(
        page,
        {
            "Code": FACILITY_CODE,
            "Organisation": FACILITY["organisation"],
            "Contact name": FACILITY["name"],
            "Phone": FACILITY["phone"],
            "Address": FACILITY["address"],
            "PIN": FACILITY["pincode"],
            "City": FACILITY["city"],
            "State": FACILITY["state"],
            "GSTIN": FACILITY["gstin"],
        },
    )
    await press(page, "Save")
    await expect(page.get_by_role("status").first).to_contain_text(FACILITY_CODE)


async def takes_a_shipment_in(page: Page, number: str) -> None:
    """Of eight boxes, in two rows; and schedules it."""
    consignee, [invoice] = SHIPMENT["consignee"], SHIPMENT["invoices"]
    await page.goto("/shipments/new")
    await fill(page, {"Shipment number": number, "Order number": "PO/26-27/88"})
    await fill(
        page.get_by_role("group", name="Consignee"),
        {
            "Organisation": consignee["organisation"],
            "Contact's name": consignee["name"],
            "Phone": consignee["phone"],
            "Address": consignee["address"],
            "PIN": consignee["pincode"],
            "City": consignee["city"],
            "State": consignee["state"],
        },
    )
    await fill(
        page.get_by_role("group", name="Invoice 1"),
        {"Invoice number": invoice["number"], "Date": invoice["date"], "Value, ₹": invoice["value"]},
    )
    sizes = {"Length, cm": "40", "Breadth, cm": "30", "Height, cm": "25", "Weight of one, kg": "12.5"}
    await fill(page.get_by_role("group", name="Box row 1"), {"Boxes": "6", **sizes})
    await press(page, "Add a row of boxes")
    await fill(page.get_by_role("group", name="Box row 2"), {"Boxes": "2", **sizes, "Weight of one, kg": "8"})
    await press(page, "Save and schedule")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Shipment {number}")


def standing(page: Page) -> Locator:
    """Where a shipment's page says how it stands."""
    return page.locator(".standing")
