"""Appointments and the last days of papers: in the panel's forms and pages, and over the wire."""

import html
import re
from datetime import datetime, timedelta

import pytest

from bilty.deciding import ActKind
from bilty.shipment import Weekday
from bilty.store.access import Role
from bilty.words import INDIA, day
from web.house import FACILITY, House
from web.test_acting import does
from web.test_new_shipment import form, pressed, said, text_of

CONNECTOR = "/settings/shipping-providers/clickpost-b2b/connector"
SLOT = {"starts_at": "2030-01-15T10:00:00+05:30", "ends_at": "2030-01-15T13:00:00+05:30", "id": "APT-7"}
EXPIRED = [{"number": "PO-7", "expires_on": "2030-01-14"}]
SENTENCE = (
    "Its days do not fit: Purchase order PO-7 expires on 14 Jan 2030, and the appointment is on 15 Jan 2030: "
    "give another appointment, or ask the buyer for a longer purchase order and enter its last day."
)


async def held(house: House) -> int:
    return await house.takes_in(appointment=SLOT, purchase_orders=EXPIRED, schedule=True)


async def test_over_the_wire_it_is_held_and_not_booked(furnished: House) -> None:
    shipment_id = await held(furnished)
    shown = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert (shown["status"], shown["run"], shown["problem"]["message"]) == ("on_hold", 0, SENTENCE)
    for body in ({}, {"without_ewaybill": True}):
        answer = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", body)
        assert (answer.status_code, answer.json()["detail"]) == (409, SENTENCE)


async def test_a_longer_order_by_patch_lets_it_go(furnished: House) -> None:
    shipment_id = await held(furnished)
    shown = await furnished.call("GET", f"/shipments/{shipment_id}")
    longer = {"purchase_orders": [{"number": "PO-7", "expires_on": "2030-01-15"}]}
    answer = await furnished.call("PATCH", f"/shipments/{shipment_id}", longer, If_Match=shown.headers["etag"])
    assert (answer.status_code, answer.json()["status"]) == (200, "created")
    answer = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {})
    assert answer.json()["run"] == 1


async def test_at_the_desk_it_is_said_before_it_is_saved(furnished: House) -> None:
    await furnished.sign_in()
    typed = form(
        **{
            "purchase_orders[0].number": "PO-7",
            "purchase_orders[0].expires_on": "2030-01-14",
            "appointment.starts_at": "2030-01-15T10:00",
            "appointment.ends_at": "2030-01-15T13:00",
        }
    )
    answer = await pressed(furnished, "check", typed)
    assert SENTENCE in text_of(answer.text)
    assert re.search(r'<a href="#purchase_orders">Its days do not fit', answer.text)
    assert 'id="purchase_orders"' in answer.text


async def test_its_page_says_why_it_is_held_and_looks_anew_when_it_is_scheduled(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await held(furnished)
    page = text_of(await furnished.page(f"/shipments/{shipment_id}"))
    assert SENTENCE in page
    assert "Then schedule it: its days are looked at anew." in page
    assert "Schedule without e-way bill" not in page
    assert SENTENCE in text_of(await does(furnished, shipment_id, ActKind.SCHEDULE))
    await furnished.tools.pool.execute(
        """UPDATE shipment_versions
              SET content = jsonb_set(content, '{purchase_orders,0,expires_on}', '"2030-01-15"')"""
    )
    await does(furnished, shipment_id, ActKind.SCHEDULE)
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["run"] == 1


async def test_slot_and_number_are_shown_by_the_clocks_of_the_facility(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(appointment=SLOT, pickup_at="2030-01-13T11:10:00Z")
    written = await furnished.page(f"/shipments/{shipment_id}")
    assert 'data-copy="APT-7"' in written
    page = text_of(written)
    assert "Pickup Sun 13 Jan 2030, 16:40" in page
    assert "Appointment Tue 15 Jan 2030, 10:00 to 13:00, number APT" in page
    bare = text_of(await furnished.page(f"/shipments/{await furnished.takes_in(number='SO-2')}"))
    assert "Appointment" not in bare


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("2030-01-15T09:00", "Appointment until is not after appointment from: give the hour"),
        ("2030-01-16T10:01", "Appointment until is more than 24 hours after appointment from: give the slot"),
    ],
)
async def test_a_slot_that_cannot_be_meant_is_said_at_its_field(furnished: House, until: str, message: str) -> None:
    await furnished.sign_in()
    slot = {"appointment.starts_at": "2030-01-15T10:00", "appointment.ends_at": until, "appointment.id": "A" * 50}
    answer = await pressed(furnished, "save", form(**slot))
    assert answer.status_code == 422
    assert message in text_of(answer.text)
    assert '<a href="#appointment.ends_at">' in answer.text


async def test_a_slot_that_is_past_and_a_number_over_its_limit_are_said(furnished: House) -> None:
    await furnished.sign_in()
    past = {"appointment.starts_at": "2020-01-15T10:00", "appointment.ends_at": "2020-01-15T13:00"}
    told = text_of((await pressed(furnished, "save", form(**past))).text)
    assert "The appointment was over on 15 Jan 2020: give one of today or later, or leave it out." in told
    slot = {"appointment.starts_at": "2030-01-15T10:00", "appointment.ends_at": "2030-01-15T13:00"}
    told = text_of((await pressed(furnished, "save", form(**slot, **{"appointment.id": "A" * 51}))).text)
    assert f'Appointment number is "{"A" * 51}": give 1 to 50 characters.' in told
    assert said(await pressed(furnished, "save", form(**slot, **{"appointment.id": "A" * 50}))).endswith("is taken in.")


async def test_the_preview_honours_each_facilitys_calendar_and_says_which(furnished: House) -> None:
    await furnished.sign_in(role=Role.ADMIN)
    path = f"{CONNECTOR}/preview?pickup_after_minutes=30&appointment_after_days="
    assert "(" not in text_of((await furnished.browser.get(path)).text), "one facility that is always open: no doubt"
    works_on = datetime.now(INDIA) + timedelta(days=3)
    resting = [day for day in Weekday if day != works_on.strftime("%A").lower()]
    hours = {"days_off": resting, "opens_at": "09:00", "closes_at": "18:00"}
    await furnished.call("PUT", "/facilities/BWD-1", {**FACILITY, **hours})
    told = html.unescape((await furnished.browser.get(path)).text)
    assert told.count("A shipment booked now:") == 2
    assert "(BLR-1)" in told
    assert "(BWD-1, when it is open)" in told
    resting_line = next(line for line in told.splitlines() if "BWD-1" in line)
    assert f"pickup {works_on:%a} {day(works_on.date())}, 09:00, no appointment" in resting_line
