"""A new shipment by hand: the form keeps what was typed, intake judges it, and it is taken in once."""

import html
import re
from collections.abc import Mapping
from urllib.parse import unquote

import httpx

from bilty.store.access import Role
from web.house import FACILITY, PROVIDER, House
from web.page import check_page

FIELDS: Mapping[str, str] = {
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "number": "SO-1001",
    "order_number": "PO/26-27/88",
    "consignee.organisation": "Sahyadri Distributors",
    "consignee.name": "Receiving desk",
    "consignee.phone": "9876543210",
    "consignee.address": "Plot 14,\r\nIndustrial Area",
    "consignee.city": "Pune",
    "consignee.state": "Maharashtra",
    "consignee.pincode": "411018",
    "payment.mode": "prepaid",
    "invoices[0].number": "INV-1",
    "invoices[0].date": "2026-11-20",
    "invoices[0].value": "23600.00",
    "boxes[0].count": "12",
    "boxes[0].length_cm": "40",
    "boxes[0].breadth_cm": "30",
    "boxes[0].height_cm": "25",
    "boxes[0].weight_kg": "12.5",
}


def form(**changed: str) -> dict[str, str]:
    return {**FIELDS, **changed}


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of this page, without its button."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", page):
        given = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if given.get("name") and (given.get("type") != "radio" or " checked" in tag):
            found[given["name"]] = html.unescape(given.get("value", ""))
    for name, text in re.findall(r'<textarea id="[^"]*" name="([^"]*)"[^>]*>([^<]*)</textarea>', page):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected>', options)
        found[name] = chosen[0] if chosen else re.findall(r'<option value="([^"]*)"', options)[0]
    return found


async def pressed(house: House, button: str, fields: Mapping[str, str]) -> httpx.Response:
    return await house.send("/shipments/new", {**fields, "do": button})


async def redrawn(house: House, button: str, fields: Mapping[str, str]) -> dict[str, str]:
    answer = await pressed(house, button, fields)
    assert answer.status_code == 200
    return fields_of(answer.text)


def said(answer: httpx.Response) -> str:
    """The sentence that the next page will show."""
    assert answer.status_code == 303, answer.text
    return unquote(answer.cookies["bilty_said"]).removeprefix("done:")


def text_of(page: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


async def test_saved_it_is_a_shipment_like_any_other(furnished: House) -> None:
    await furnished.sign_in()
    assert said(await pressed(furnished, "save", form())) == "Shipment SO-1001 is taken in."
    document = (await furnished.call("GET", "/shipments")).json()["items"][0]
    assert document["status"] == "created"
    shipment = await furnished.tools.pool.fetchval("SELECT content::text FROM shipment_versions")
    assert '"weight_g": 12500' in shipment
    assert '"address": "Plot 14,\\nIndustrial Area"' in shipment
    assert shipment.count('"invoice": "INV-1"') == 12
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM boxes") == 12
    assert await _trail(furnished) == [("asha@example.com", "take in", "SO-1001")]


async def test_saved_and_scheduled_in_one_go(furnished: House) -> None:
    await furnished.sign_in()
    answer = await pressed(furnished, "schedule", form())
    assert said(answer) == "Shipment SO-1001 is taken in and being scheduled."
    assert (await furnished.call("GET", "/shipments")).json()["items"][0]["run"] == 1
    assert [action for _, action, _ in await _trail(furnished)] == ["take in", "schedule"]


async def test_pressed_twice_it_is_one_shipment(furnished: House) -> None:
    await furnished.sign_in()
    first, second = [await pressed(furnished, "schedule", form()) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert "was there already, just as it is here" in said(second)
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 1
    assert len(await _trail(furnished)) == 2


async def test_a_number_that_is_taken_leads_to_its_shipment(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    answer = await pressed(furnished, "save", form())
    assert answer.status_code == 409
    assert "is known with other content, and nothing was changed: give this one another number." in answer.text
    assert f'<a href="/shipments/{shipment_id}">Open the one that is known</a>' in answer.text
    assert fields_of(answer.text)["boxes[0].weight_kg"] == "12.5"


async def test_what_is_wrong_is_told_at_its_field_with_all_that_was_typed(furnished: House) -> None:
    await furnished.sign_in()
    typed = form(
        **{
            "number": "SO 1001",
            "consignee.gstin": "27AAPFU0939F1ZX",
            "consignee.phone": "",
            "boxes[0].weight_kg": "12,5",
            "boxes[0].length_cm": "4o",
            "boxes[1].count": "2",
            "boxes[1].height_cm": "",
            "boxes[1].weight_kg": "0.0005",
        }
    )
    answer = await pressed(furnished, "save", typed)
    assert answer.status_code == 422
    told = {
        html.unescape(m): html.unescape(f)
        for f, m in re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', answer.text)
    }
    assert told['Shipment number is "SO 1001": give 1 to 30 letters, digits or the signs / _ . and -.'] == "number"
    assert told['Box row 1: Weight is "12,5": give kilograms from 0.001 to 1000, as in 12.5.'] == "boxes[0].weight_kg"
    assert told['Box row 2: Weight is "0.0005": give kilograms from 0.001 to 1000, as in 12.5.'] == "boxes[1].weight_kg"
    assert told["Box row 2: Height is missing: give whole centimetres from 1 to 600."] == "boxes[1].height_cm"
    assert any(message.startswith("GSTIN is ") for message in told)
    assert any(message.startswith("Phone is missing") for message in told)
    assert all(f'id="{field}"' in answer.text for field in told.values())
    kept = fields_of(answer.text)
    assert {name: kept[name] for name in typed} == {**typed, "consignee.address": "Plot 14,\nIndustrial Area"}
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0


async def test_a_blank_form_names_each_field_that_is_needed(furnished: House) -> None:
    await furnished.sign_in()
    answer = await pressed(furnished, "save", fields_of(await furnished.page("/shipments/new")))
    text = text_of(answer.text)
    for words in ("Shipment number", "Organisation", "Address", "Invoice date", "Invoice value", "Box row 1: Length"):
        assert f"{words} is missing: " in text
    assert "Facility is missing" not in text  # there is one alone, and it is chosen
    assert "_" not in "".join(re.findall(r'<li><a href="#[^"]+">([^<]+)', answer.text)).replace("/ _ .", "")


async def test_what_stands_out_is_looked_at_once(furnished: House) -> None:
    await furnished.sign_in()
    typed = form(**{"consignee.state": "Kerala", "invoices[0].value": "125000.00"})
    answer = await pressed(furnished, "schedule", typed)
    assert answer.status_code == 200
    text = text_of(answer.text)
    assert "To look at before it is saved" in text
    assert "411018" in text
    assert "INV-1 of ₹1,25,000.00 has no e-way bill" in text
    assert "Due: this invoice is above ₹50,000.00." in text
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0
    again = await pressed(furnished, "schedule", fields_of(answer.text))
    assert "is taken in, and on hold: Invoice INV-1" in said(again)
    assert (await furnished.call("GET", "/shipments")).json()["items"][0]["status"] == "on_hold"


async def test_other_concerns_are_looked_at_anew(furnished: House) -> None:
    await furnished.sign_in()
    seen = await redrawn(furnished, "save", form(**{"consignee.state": "Kerala"}))
    answer = await pressed(furnished, "save", {**seen, "consignee.state": "Goa"})
    assert "To look at before it is saved" in answer.text


async def test_checking_takes_nothing_in(furnished: House) -> None:
    await furnished.sign_in()
    answer = await pressed(furnished, "check", form())
    assert "Everything can be read, and nothing stands out." in answer.text
    assert "In all: 12 boxes, 150 kg , ₹23,600.00" in text_of(answer.text)
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0


async def test_rows_come_and_go_without_a_script(furnished: House) -> None:
    await furnished.sign_in()
    fields = await redrawn(furnished, "copy-box:0", form())
    assert fields["boxes[1].weight_kg"] == "12.5"
    fields = await redrawn(furnished, "add-box", {**fields, "boxes[1].weight_kg": "8"})
    assert (fields["boxes[2].count"], fields["boxes[2].weight_kg"]) == ("1", "")
    fields = await redrawn(furnished, "drop-box:0", fields)
    assert [fields[f"boxes[{n}].weight_kg"] for n in (0, 1)] == ["8", ""]
    assert "boxes[2].weight_kg" not in fields
    fields = await redrawn(furnished, "add-item:0", fields)
    fields = await redrawn(furnished, "add-item:0", {**fields, "boxes[0].items[0].sku": "TEA-1"})
    fields = await redrawn(furnished, "drop-item:0.1", fields)
    assert fields["boxes[0].items[0].sku"] == "TEA-1"
    fields = await redrawn(furnished, "add-invoice", fields)
    assert fields["boxes[0].invoice"] == ""  # now there is a doubt which one it belongs to
    fields = await redrawn(furnished, "drop-invoice:1", fields)
    assert "boxes[0].invoice" not in fields
    fields = await redrawn(furnished, "add-order", fields)
    assert fields["purchase_orders[0].number"] == ""
    assert fields["consignee.organisation"] == "Sahyadri Distributors"
    assert fields["consignee.address"] == "Plot 14,\nIndustrial Area"
    last = await redrawn(furnished, "drop-box:0", await redrawn(furnished, "drop-box:0", fields))
    assert last["boxes[0].count"] == "1"
    assert await redrawn(furnished, "copy-box:77", fields) == await redrawn(furnished, "nonsense", fields)


async def test_typing_goes_on_in_the_new_row(furnished: House) -> None:
    await furnished.sign_in()
    answer = await pressed(furnished, "add-box", form())
    assert re.search(r'<input id="boxes\[1\]\.count" [^>]*autofocus', answer.text)


async def test_rows_in_which_nothing_stands_are_passed_over(furnished: House) -> None:
    await furnished.sign_in()
    blank = {
        "boxes[1].count": "1",
        "invoices[1].number": "",
        "purchase_orders[0].number": "",
        "boxes[0].items[0].sku": "",
    }
    assert (await pressed(furnished, "save", form(**blank))).status_code == 303


async def test_times_are_those_of_the_facility(furnished: House) -> None:
    await furnished.sign_in()
    times = {
        "pickup_at": "2030-01-02T16:40",
        "appointment.starts_at": "2030-01-04T10:00",
        "appointment.ends_at": "2030-01-04T12:00",
        "appointment.id": "SLOT-7",
    }
    assert (await pressed(furnished, "save", form(**times))).status_code == 303
    shipment = await furnished.tools.pool.fetchval("SELECT content::text FROM shipment_versions")
    assert '"pickup_at": "2030-01-02T11:10:00Z"' in shipment
    assert '"id": "SLOT-7"' in shipment
    answer = await pressed(
        furnished, "save", form(**{**times, "number": "SO-2", "appointment.ends_at": "2030-01-04T09:00"})
    )
    assert "Appointment until is not after appointment from" in html.unescape(answer.text)


async def test_another_like_this_one(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = fields_of(await furnished.page(f"/shipments/new?like={shipment_id}"))
    assert fields["consignee.organisation"] == "Sahyadri Distributors"
    assert (fields["boxes[0].count"], fields["boxes[0].weight_kg"]) == ("2", "12.5")
    assert (fields["boxes[1].count"], fields["boxes[1].weight_kg"]) == ("1", "8")
    assert (fields["number"], fields["invoices[0].number"]) == ("", "")
    assert "There is no shipment 777." in await furnished.page("/shipments/new?like=777", 404)


async def test_only_those_who_dispatch_may(furnished: House) -> None:
    answer = await furnished.browser.get("/shipments/new")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=%2Fshipments%2Fnew")
    await furnished.sign_in("vik@example.com", role=Role.VIEWER)
    assert "this needs a dispatcher" in await furnished.page("/shipments/new", 403)
    assert (await pressed(furnished, "save", form())).status_code == 403
    await furnished.sign_in("root@example.com", role=Role.ADMIN)
    assert (await pressed(furnished, "save", form())).status_code == 303


async def test_a_form_from_elsewhere_does_nothing(furnished: House) -> None:
    await furnished.sign_in()
    headers = {"Origin": "https://elsewhere.example"}
    answer = await furnished.browser.post("/shipments/new", data={**form(), "do": "save"}, headers=headers)
    assert answer.status_code == 403
    check_page(answer)


async def test_nobody_sends_from_a_facility_that_is_not_theirs(furnished: House) -> None:
    assert (await furnished.call("PUT", "/facilities/BOM-1", FACILITY)).status_code == 201
    await furnished.sign_in("bina@example.com", facilities=["BOM-1"])
    assert "BLR-1" not in await furnished.page("/shipments/new")
    answer = await pressed(furnished, "save", form())
    assert answer.status_code == 422
    assert 'Facility is "BLR-1", which is not one of yours: choose another.' in html.unescape(answer.text)
    assert (await pressed(furnished, "save", form(facility="BOM-1"))).status_code == 303
    other = await furnished.takes_in()
    assert f"There is no shipment {other}." in await furnished.page(f"/shipments/new?like={other}", 404)


async def test_without_facility_or_provider_it_says_what_is_missing(house: House) -> None:
    await house.sign_in(role=Role.ADMIN)
    assert '<a class="button main" href="/settings/shipping-providers">Add Shipping Provider</a>' in await house.page(
        "/shipments/new"
    )
    assert (await house.call("PUT", "/shipping-providers/clickpost-b2b", PROVIDER)).status_code == 201
    assert '<a class="button main" href="/settings/facilities">Add a facility</a>' in await house.page("/shipments/new")
    await house.sign_in("asha@example.com")
    assert "Ask an admin to add it under Settings." in await house.page("/shipments/new")


async def test_text_from_outside_is_text(furnished: House) -> None:
    await furnished.sign_in()
    name = '"><script>alert(1)</script>'
    answer = await pressed(furnished, "check", form(**{"consignee.name": name, "number": name}))
    assert "<script>alert" not in answer.text
    assert fields_of(answer.text)["consignee.name"] == name


async def _trail(house: House) -> list[tuple[str, str, str]]:
    rows = await house.tools.pool.fetch(
        "SELECT actor, action, subject FROM audit WHERE shipment_id IS NOT NULL AND actor_kind = 'user' ORDER BY id"
    )
    return [(row["actor"], row["action"], row["subject"]) for row in rows]
