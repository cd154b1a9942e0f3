"""Settings, Facilities: where boxes are fetched from, as an admin sets it up."""

import json
import re

import pytest

from bilty.store.access import Role
from web.house import FACILITY, House
from web.page import check_page

LIST = "/settings/facilities"
ONE = f"{LIST}/BLR-1"
WHOLE_WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ADDRESS = " Shed 4,  Plot 7/2\nOpp. Lal Darwaza "
"""Blanks, two of them running, and a line's end: couriers know a warehouse by its exact text."""


def fields(**changed: str) -> dict[str, str]:
    return {**{name: str(value) for name, value in FACILITY.items()}, "code": "BLR-1", **changed}


@pytest.fixture
async def admin(house: House) -> House:
    await house.sign_in(role=Role.ADMIN)
    return house


@pytest.fixture
async def placed(furnished: House) -> House:
    """An admin, where BLR-1 is set up."""
    await furnished.sign_in(role=Role.ADMIN)
    return furnished


async def known(house: House, code: str = "BLR-1") -> dict[str, str]:
    answer = await house.call("GET", f"/facilities/{code}")
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_the_first_facility_is_added_and_listed(admin: House) -> None:
    empty = await admin.page(LIST)
    assert "None is set up yet." in empty
    assert 'href="/settings/facilities/new"' in empty
    form = await admin.page(f"{LIST}/new")
    assert 'value="Asia/Kolkata"' in form
    assert "then it is sent instead of the address" in form
    assert "Sent byte for byte" in form
    added = await admin.told(await admin.send(f"{LIST}/new", fields(location_code="LOC9", email="a@example.com")))
    assert "Facility BLR-1 is added." in added
    listed = await admin.page(LIST)
    for words in ("BLR-1", "Malnad Traders", "560058", "29AAGCB7383J1Z4", "LOC9"):
        assert words in listed
    assert (await known(admin))["email"] == "a@example.com"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"code": ""}, "Code is missing"),
        ({"code": "BLR 1"}, "Code is &#34;BLR 1&#34;: give 1 to 40 letters, digits, hyphens or underscores."),
        ({"code": "new"}, "the panel&#39;s page that adds one has this name"),
        ({"code": "TAKEN-1"}, "Code is &#34;TAKEN-1&#34;, which another facility has: choose one of its own."),
        ({"name": ""}, "Contact name is missing"),
        ({"organisation": "x" * 101}, "give 1 to 100 characters"),
        ({"phone": "12"}, "Phone is &#34;12&#34;"),
        ({"email": "nobody"}, "E-mail is &#34;nobody&#34;"),
        ({"address": ""}, "Address is missing"),
        ({"city": ""}, "City is missing"),
        ({"state": ""}, "State is missing"),
        ({"pincode": "12"}, "PIN is &#34;12&#34;: give a PIN code of 6 digits"),
        ({"gstin": "29AAGCB7383J1Z5"}, "GSTIN is &#34;29AAGCB7383J1Z5&#34;"),
        ({"gstin": ""}, "GSTIN is missing"),
        ({"time_zone": "Mars/Olympus"}, "Time zone is &#34;Mars/Olympus&#34;: give a time zone by its name"),
    ],
)
async def test_what_cannot_be_taken_is_said_and_stays_in_the_form(
    admin: House, changed: dict[str, str], message: str
) -> None:
    await admin.call("PUT", "/facilities/TAKEN-1", FACILITY)
    given = fields(**changed)
    answer = await admin.send(f"{LIST}/new", given)
    assert answer.status_code == 422
    assert message in answer.text
    for name in sorted(given.keys() - {"address"}):
        assert f'value="{given[name]}"' in answer.text
    assert (await admin.call("GET", "/facilities/BLR-1")).status_code == 404


async def test_every_fault_is_told_at_once_and_leads_to_its_field(admin: House) -> None:
    answer = await admin.send(f"{LIST}/new", fields(pincode="1", gstin="x", phone=""))
    assert "3 things to put right" in answer.text
    for name in ("pincode", "gstin", "phone"):
        assert f'<a href="#{name}">' in answer.text
        assert f'id="{name}-fault"' in answer.text


HOURS = {"opens_at": "09:00", "closes_at": "18:30", "days_off": ["sunday"], "holidays": "2027-03-22,\r\n2027-01-26,"}


async def test_when_boxes_are_fetched_is_set_shown_and_taken_back(placed: House) -> None:
    for words in ("Opens at", "Closes at", "Days off", "Holidays", "Left blank, a pickup is Pickup After"):
        assert words in await placed.page(ONE)
    saved = await placed.told(await placed.send(ONE, fields() | HOURS))
    assert re.search(r'name="opens_at" type="time" value="09:00"', saved)
    assert re.search(r'value="sunday" checked', saved)
    assert 'value="monday" checked' not in saved
    assert ">2027-01-26\n2027-03-22</textarea>" in saved
    stored = await known(placed)
    assert [stored[name] for name in HOURS] == ["09:00", "18:30", ["sunday"], ["2027-01-26", "2027-03-22"]]
    trail = await placed.page("/settings/audit")
    for words in ("opens at: none → 09:00", "days off: none → sunday", "holidays: none → 2027-01-26 and 2027-03-22"):
        assert words in trail
    await placed.send(ONE, fields())
    assert [(await known(placed))[name] for name in HOURS] == ["", "", [], []]
    assert "days off: sunday → none" in await placed.page("/settings/audit")
    assert "opens_at" not in await placed.tools.pool.fetchval("SELECT content::text FROM facilities")


async def test_viewers_read_when_boxes_are_fetched(placed: House) -> None:
    await placed.send(ONE, fields() | HOURS)
    await placed.sign_in("vik@example.com", role=Role.VIEWER)
    assert "09:00 to 18:30, not on Sundays, not on 26 Jan 2027 and 22 Mar 2027" in await placed.page(ONE)


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"closes_at": ""}, "closes_at", "Closes at is missing, and an hour of opening is given: give both"),
        ({"opens_at": "19:00"}, "closes_at", "Closes at is not after the hour of opening: give when it closes"),
        ({"days_off": WHOLE_WEEK}, "days_off", "Days off is a list of 7: leave out those on which boxes are fetched"),
        (
            {"holidays": "26 January"},
            "holidays",
            "Holidays is a list of 2: &#34;26&#34; in it is no day that can be taken",
        ),
    ],
)
async def test_hours_that_cannot_be_meant_are_said_at_their_field(
    admin: House, changed: dict[str, str | list[str]], field: str, message: str
) -> None:
    answer = await admin.send(f"{LIST}/new", fields() | HOURS | changed)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    assert f'id="{field}-fault"' in answer.text
    days_off = changed.get("days_off", HOURS["days_off"])
    assert len(re.findall(r'name="days_off" [^>]* checked', answer.text)) == len(days_off)


async def test_a_facility_in_use_is_edited_and_its_code_stays(placed: House) -> None:
    await placed.takes_in()
    form = await placed.page(ONE)
    assert "1 shipment leaves from here." in form
    assert 'name="code"' not in form
    saved = await placed.told(await placed.send(ONE, fields(code="OTHER-1", city="Mysuru")))
    assert "Facility BLR-1 is saved." in saved
    assert (await known(placed))["city"] == "Mysuru"
    assert (await placed.call("GET", "/facilities/OTHER-1")).status_code == 404


async def test_an_address_that_nobody_touched_stays_byte_for_byte(placed: House) -> None:
    await placed.call("PUT", "/facilities/BLR-1", {**FACILITY, "address": ADDRESS})
    assert f">{ADDRESS}</textarea>" in await placed.page(ONE)
    as_browsers_send_it = ADDRESS.replace("\n", "\r\n")
    await placed.send(ONE, fields(address=as_browsers_send_it, city="Mysuru"))
    assert ((await known(placed))["address"], (await known(placed))["city"]) == (ADDRESS, "Mysuru")
    await placed.send(ONE, fields(address="Shed 5\r\nGate 2"))
    assert (await known(placed))["address"] == "Shed 5\nGate 2"


async def test_warnings_are_shown_and_do_not_stop_anybody(placed: House) -> None:
    saved = await placed.told(await placed.send(ONE, fields(state="Kerala")))
    assert "Facility BLR-1 is saved." in saved
    assert "Karnataka" in saved
    assert "2 to check" in await placed.page(LIST)


async def test_changes_are_in_the_trail_and_the_last_one_wins_knowingly(placed: House) -> None:
    await placed.send(ONE, fields(city="Mysuru"))
    await placed.send(ONE, fields(city="Mysuru"))
    (row,) = await placed.tools.pool.fetch(
        "SELECT action, facility_id, before, after FROM audit WHERE actor = 'asha@example.com' AND subject = 'BLR-1'"
    )
    assert row["action"] == "facility changed"
    assert row["facility_id"]
    assert json.loads(row["before"])["pickup"]["city"] == "Bengaluru"
    assert json.loads(row["after"])["pickup"]["city"] == "Mysuru"
    seen = re.search(r'name="seen" value="([0-9]+)"', await placed.page(ONE))
    assert seen
    await placed.call("PUT", "/facilities/BLR-1", FACILITY)
    told = await placed.told(await placed.send(ONE, fields(seen=seen[1], city="Hubballi")))
    assert "admin key had changed it at" in told
    assert "Changed last by asha@example.com" in told


GETS, POSTS = (LIST, ONE), (f"{LIST}/new", ONE)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DISPATCHER])
async def test_others_than_admins_read_and_change_nothing(furnished: House, role: Role) -> None:
    await furnished.sign_in(role=role)
    for path in GETS:
        page = await furnished.page(path)
        assert "29AAGCB7383J1Z4" in page
        assert page.count("<form") == 1, "signing out only"
    await furnished.page(f"{LIST}/new", 403)
    for path in POSTS:
        assert (await furnished.send(path, fields(city="Mysuru"))).status_code == 403
    assert (await known(furnished))["city"] == "Bengaluru"


async def test_who_works_for_another_facility_neither_sees_nor_adds_one(furnished: House) -> None:
    await furnished.call("PUT", "/facilities/BWD-1", FACILITY)
    await furnished.sign_in(role=Role.ADMIN, facilities=["BWD-1"])
    listed = await furnished.page(LIST)
    assert "BWD-1" in listed
    assert "BLR-1" not in listed
    assert "Add facility" not in listed
    await furnished.page(ONE, 404)
    assert (await furnished.send(ONE, fields())).status_code == 404
    await furnished.page(f"{LIST}/new", 403)
    assert (await furnished.send(f"{LIST}/new", fields(code="NEW-1"))).status_code == 403
    assert (await furnished.send(f"{LIST}/BWD-1", fields(city="Bhiwandi"))).status_code == 303


async def test_strangers_see_nothing(furnished: House) -> None:
    for path in (*GETS, f"{LIST}/new"):
        assert (await furnished.browser.get(path)).headers["location"].startswith("/sign-in?to=")


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_from_elsewhere_changes_nothing(placed: House, path: str) -> None:
    answer = await placed.send_form(path, Origin="https://elsewhere.example")
    assert answer.status_code == 403
    check_page(answer)
