"""Settings, Uniware: what each facility sets down for what Uniware's contract has no place for."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bilty.store.access import Role
from bilty.store.database import Pool
from bilty.words import INDIA
from web.house import PROVIDER, House
from web.uniware import Uniware, another, asked, opened_uniware, with_customs

LIST = "/settings/uniware"
ONE = f"{LIST}/BLR-1"


@pytest.fixture
async def uniware(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Uniware]:
    async with opened_uniware(pool, dsn, tmp_path) as uniware:
        yield uniware


@pytest.fixture
async def admin(uniware: Uniware) -> House:
    await uniware.house.sign_in(role=Role.ADMIN)
    return uniware.house


async def test_before_there_is_a_facility_nothing_is_set_down(house: House) -> None:
    await house.sign_in(role=Role.ADMIN)
    assert "before there is a facility" in await house.page(LIST)


async def test_what_is_set_down_is_saved_shown_and_in_the_trail(admin: House) -> None:
    await admin.call("PUT", "/shipping-providers/second", PROVIDER)
    form = await admin.page(ONE)
    assert "None set: Uniware names one, or it is held" in form
    given = {
        "shipping_provider": "second",
        "invoice_of_the_day": "yes",
        "box_length_cm": "40",
        "box_breadth_cm": "30",
        "box_height_cm": "25",
        "gstin": "yes",
        "purchase_order": "yes",
    }
    saved = await admin.told(await admin.send(ONE, given))
    assert "What Uniware lacks is saved for BLR-1." in saved
    assert '<option value="second" selected>' in saved
    assert saved.count(" checked") == 3
    listed = await admin.page(LIST)
    assert "40 × 30 × 25 cm" in listed  # noqa: RUF001 - as the page writes it
    assert "Consignee&#39;s GSTIN, Purchase order" in listed
    assert f"{admin.url}/uniware" in listed
    await admin.send(ONE, given)
    rows = await admin.tools.pool.fetch("SELECT subject, facility_id, after FROM audit WHERE action ILIKE 'uniware%'")
    assert [(row["subject"], bool(row["facility_id"])) for row in rows] == [("BLR-1", True)]
    assert json.loads(rows[0]["after"])["box_cm"] == [40, 30, 25]
    assert "Uniware&#39;s defaults changed" in await admin.page("/settings/audit")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"box_length_cm": "40"}, "Breadth is missing: give all three sides of the box, or none."),
        ({"box_length_cm": "4 0", "box_breadth_cm": "1", "box_height_cm": "1"}, "Length is &#34;4 0&#34;: give whole"),
        ({"box_length_cm": "601", "box_breadth_cm": "1", "box_height_cm": "1"}, "Length is &#34;601&#34;: give whole"),
        ({"pickup_address_id": "7" * 61}, "Pickup Address Id in Uniware is &#34;777"),
        ({"shipping_provider": "nobody"}, "Shipping Provider is &#34;nobody&#34;, which is not set up"),
        ({"shipping_provider": "no body"}, "Shipping Provider is &#34;no body&#34;: give 1 to 40 letters"),
    ],
)
async def test_what_cannot_be_taken_is_said_and_stays_in_the_form(
    admin: House, given: dict[str, str], message: str
) -> None:
    answer = await admin.send(ONE, given)
    assert answer.status_code == 422
    assert message in answer.text
    assert await admin.tools.pool.fetchval("SELECT count(*) FROM uniware_defaults") == 0


async def test_the_last_one_wins_knowingly(admin: House) -> None:
    seen = re.search(r'name="seen" value="([0-9]+)"', await admin.page(ONE))
    assert seen
    await admin.send(ONE, {"gstin": "yes"})
    await admin.sign_in("ravi@example.com", role=Role.ADMIN)
    told = await admin.told(await admin.send(ONE, {"seen": seen[1]}))
    assert "asha@example.com had changed it at" in told


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DISPATCHER])
async def test_others_read_it(uniware: Uniware, role: Role) -> None:
    house = uniware.house
    await house.sign_in(role=role)
    assert "Nothing is set down here." in await house.page(ONE)
    assert (await house.send(ONE, {"gstin": "yes"})).status_code == 403
    await house.sign_in("boss@example.com", role=Role.ADMIN)
    await house.send(ONE, {"gstin": "yes", "invoice_of_the_day": "yes"})
    await house.sign_in("other@example.com", role=role)
    page = await house.page(ONE)
    assert "Day of the first request" in page
    assert "<select" not in page


# What they do


async def test_an_id_of_uniwares_own_is_the_facility_that_set_it_down(uniware: Uniware, admin: House) -> None:
    assert (await uniware.told("/waybill", asked(pickupAddressId=77)))["status"] == "FAILED"
    assert 'value="77"' in await admin.told(await admin.send(ONE, {"pickup_address_id": " 77 "}))
    told = await uniware.told("/waybill", asked(pickupAddressId=77))
    assert told["message"].startswith("It is being booked.")
    assert (await admin.call("GET", "/shipments/1")).json()["facility"] == "BLR-1"
    other = await another(uniware.house, "Uniware of PNQ-1", facilities=("PNQ-1",))
    assert "no facility of this key's" in (await other.told("/waybill", asked(pickupAddressId="77")))["message"]


async def test_an_id_that_two_set_down_is_each_keys_own(uniware: Uniware, admin: House) -> None:
    for code in ("BLR-1", "PNQ-1"):
        await admin.send(f"{LIST}/{code}", {"pickup_address_id": "1"})
    both = await another(uniware.house, "both")
    told = await both.told("/waybill", asked(pickupAddressId="1"))
    assert "pickupAddressId is \"1\", which is Uniware's id of more than one facility of this key's" in told["message"]
    await uniware.told("/waybill", asked(pickupAddressId="1"))
    assert (await admin.call("GET", "/shipments/1")).json()["facility"] == "BLR-1"


async def test_the_provider_of_the_facility_is_asked(uniware: Uniware, admin: House) -> None:
    await admin.call("PUT", "/shipping-providers/second", PROVIDER)
    await admin.send(ONE, {"shipping_provider": "second"})
    assert (await uniware.told("/waybill", asked()))["message"].startswith("It is being booked.")
    assert (await admin.call("GET", "/shipments/1")).json()["shipping_provider"] == "second"


async def test_an_invoice_of_no_date_is_of_the_day_on_which_uniware_first_asked(uniware: Uniware, admin: House) -> None:
    await uniware.told("/waybill", with_customs(asked(totalAmount="60000")))
    await admin.tools.pool.execute("UPDATE shipments SET created_at = created_at - interval '3 days'")
    await admin.send(ONE, {"invoice_of_the_day": "yes"})
    told = await uniware.told("/waybill", with_customs(asked(totalAmount="60000")))
    assert "has no e-way bill" in told["message"]
    assert "Data is missing" not in told["message"]
    shipment = (await admin.call("GET", "/shipments/1")).json()
    first_asked = datetime.fromisoformat(shipment["created_at"]).astimezone(INDIA).date()
    assert shipment["invoices"][0]["date"] == first_asked.isoformat()


async def test_a_box_of_no_size_is_the_facilitys(uniware: Uniware, admin: House) -> None:
    await admin.send(ONE, {"box_length_cm": "40", "box_breadth_cm": "30", "box_height_cm": "25"})
    await uniware.told("/waybill", asked(Shipment__length="", Shipment__breadth="0"))
    box = (await admin.call("GET", "/shipments/1")).json()["boxes"][0]
    assert (box["length_cm"], box["breadth_cm"], box["height_cm"]) == (40, 30, 25)


async def test_what_the_facility_never_sends_without_holds_it(uniware: Uniware, admin: House) -> None:
    await admin.send(ONE, {"gstin": "yes", "purchase_order": "yes", "gst_split": "yes"})
    told = await uniware.told("/waybill", asked())
    for words in ("consignee's GSTIN", "purchase order", "value before taxes and its taxes"):
        assert words in told["message"]
    full = with_customs(
        asked(),
        invoice_date="2026-11-20",
        gstin="27AAPFU0939F1ZV",
        purchase_order="PO-7",
        taxable_value="10000",
        igst="1800",
    )
    assert (await uniware.told("/waybill", full))["message"].startswith("It is being booked.")
    shipment = (await admin.call("GET", "/shipments/1")).json()
    assert shipment["consignee"]["gstin"] == "27AAPFU0939F1ZV"
    assert shipment["boxes"][0]["purchase_order"] == "PO-7"


async def test_what_is_booked_stays_so_whatever_is_set_down_since(uniware: Uniware, admin: House) -> None:
    await uniware.books()
    await admin.call("PUT", "/shipping-providers/second", PROVIDER)
    await admin.send(ONE, {"shipping_provider": "second", "gstin": "yes"})
    assert (await uniware.told("/waybill", asked()))["waybill"] == "AWB1"
