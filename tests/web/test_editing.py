"""A shipment is changed by hand: filled with what it is, told what saving does, and nothing of it lost."""

import html
import re

import httpx
import pytest

from bilty.reply import Accepted, Cancelled, Refusal, Refused
from bilty.store.access import Role
from bilty.store.jobs import JobKind
from web.house import FACILITY, RANKED, Document, House
from web.test_new_shipment import fields_of, said
from web.test_shipment_page import CLOCK, label_pdf, labelled, words

FAULTY = Refused(Refusal.DATA, 422, "drop_info.drop_phone must be 10 to 13 digits")
EXTRAS = {
    "purchase_orders": [{"number": "PO-7", "expires_on": "2030-12-01"}],
    "pickup_at": "2030-01-02T16:40:30+05:30",
    "appointment": {"starts_at": "2030-01-04T10:00:00+05:30", "ends_at": "2030-01-04T12:00:00+05:30", "id": "SLOT-7"},
    "payment": {"mode": "cod", "cod_amount": "23600.00"},
}


async def opened(house: House, shipment_id: int) -> dict[str, str]:
    """What a browser would send of the form as it stands, with the boxes for booking it as they are ticked."""
    page = await house.page(f"/shipments/{shipment_id}/edit")
    fields = fields_of(page)
    for name in ("book", "destroyed"):
        if f'name="{name}"' in page and not ticked(page, name):
            del fields[name]
    return fields


def ticked(page: str, name: str) -> bool:
    tag = page.partition(f'name="{name}"')[2].partition(">")[0]
    return " checked" in tag


async def saved(house: House, shipment_id: int, fields: dict[str, str], button: str = "save") -> httpx.Response:
    return await house.send(f"/shipments/{shipment_id}/edit", {**fields, "do": button})


async def document(house: House, shipment_id: int) -> Document:
    answer = await house.call("GET", f"/shipments/{shipment_id}")
    found: Document = answer.json()
    return found


async def boxes(house: House, shipment_id: int) -> int:
    count: int = await house.tools.pool.fetchval("SELECT box_count FROM shipments WHERE id = $1", shipment_id)
    return count


async def printed(house: House, shipment_id: int, by: str = "ravi@example.com") -> None:
    """Somebody has its label on paper."""
    pool = house.tools.pool
    job_id = await pool.fetchval(
        "INSERT INTO jobs (kind, input, actor_kind, actor, total, ended_at) VALUES ($1, '{}', 'user', $2, 1, now()) "
        "RETURNING id",
        JobKind.PRINT,
        by,
    )
    await pool.execute(
        """INSERT INTO prints (shipment_id, turn_id, sha256, copy, job_id, actor_kind, actor, at)
           SELECT shipment_id, id, label_sha256, 1, $2, 'user', $3, clock_timestamp() FROM turns
            WHERE shipment_id = $1 AND state = 'won'""",
        shipment_id,
        job_id,
        by,
    )
    await pool.execute("UPDATE shipments SET printed_at = clock_timestamp() WHERE id = $1", shipment_id)


# --- before anybody was asked


@pytest.mark.parametrize("changed", [{}, EXTRAS])
async def test_sent_as_it_is_it_changes_nothing(furnished: House, changed: dict[str, object]) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(**changed)
    before = await document(furnished, shipment_id)
    answer = await saved(furnished, shipment_id, await opened(furnished, shipment_id))
    assert said(answer) == "Shipment SO-1001 is as it was."
    assert await document(furnished, shipment_id) == before


async def test_before_the_first_turn_it_is_simply_saved(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    page = await furnished.page(f"/shipments/{shipment_id}/edit")
    assert "No courier was asked yet: it is simply saved." in page
    fields = await opened(furnished, shipment_id)
    fields |= {"consignee.phone": "9123456780", "boxes[0].count": "5"}
    answer = await saved(furnished, shipment_id, fields)
    assert said(answer) == "Shipment SO-1001 is changed. It is booked when you schedule it."
    found = await document(furnished, shipment_id)
    assert found["consignee"]["phone"] == "9123456780"
    assert await boxes(furnished, shipment_id) == 6


async def test_it_is_saved_and_scheduled_in_one_press(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = await opened(furnished, shipment_id)
    answer = await saved(furnished, shipment_id, {**fields, "consignee.city": "Pimpri"}, "schedule")
    assert said(answer) == "Shipment SO-1001 is changed. It is being booked."
    assert (await document(furnished, shipment_id))["status"] == "scheduling"


async def test_what_is_as_it_was_is_scheduled_all_the_same(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    await saved(furnished, shipment_id, await opened(furnished, shipment_id), "schedule")
    assert (await document(furnished, shipment_id))["status"] == "scheduling"


async def test_faults_stand_at_their_fields_with_all_that_was_typed(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = await opened(furnished, shipment_id)
    answer = await saved(furnished, shipment_id, {**fields, "consignee.pincode": "4110", "consignee.name": "Desk 2"})
    assert answer.status_code == 422
    assert 'id="consignee.pincode-fault"' in answer.text
    assert fields_of(answer.text)["consignee.name"] == "Desk 2"
    redrawn = await saved(furnished, shipment_id, fields, "copy-box:0")
    assert fields_of(redrawn.text)["boxes[2].count"] == "1"
    assert fields_of(redrawn.text)["boxes[1].count"] == "2"


async def test_only_what_is_new_is_to_be_looked_at(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = await opened(furnished, shipment_id) | {"invoices[0].value": "93600.00"}
    answer = await saved(furnished, shipment_id, fields)
    assert "Save as it is" in answer.text
    answer = await saved(furnished, shipment_id, {**fields, "looked_at": fields_of(answer.text)["looked_at"]})
    assert "It is on hold:" in said(answer)
    fields = await opened(furnished, shipment_id) | {"consignee.name": "Desk 2"}
    assert "It is on hold:" in said(await saved(furnished, shipment_id, fields))


async def test_its_number_and_facility_are_no_fields(furnished: House) -> None:
    assert (await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = await opened(furnished, shipment_id)
    assert not {"number", "facility"} & set(fields)
    answer = await saved(furnished, shipment_id, {**fields, "number": "SO-9", "facility": "PNQ-1"})
    assert said(answer) == "Shipment SO-1001 is as it was."


# --- two at one shipment


async def test_whoever_comes_second_is_told_by_whom_and_loses_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in("ravi@example.com")
    ravis = await opened(furnished, shipment_id) | {"consignee.phone": "9123456780"}
    await furnished.sign_in("asha@example.com")
    ashas = await opened(furnished, shipment_id) | {"boxes[0].count": "3", "consignee.name": "Desk 2"}
    await furnished.sign_in("ravi@example.com")
    assert (await saved(furnished, shipment_id, ravis)).status_code == 303
    await furnished.sign_in("asha@example.com")
    answer = await saved(furnished, shipment_id, ashas)
    assert answer.status_code == 409
    assert "ravi@example.com changed the shipment at " in answer.text
    assert "telephone number" in answer.text
    kept = fields_of(answer.text)
    assert (kept["boxes[0].count"], kept["consignee.name"]) == ("3", "Desk 2")
    assert await boxes(furnished, shipment_id) == 3
    assert (await saved(furnished, shipment_id, kept)).status_code == 303
    assert await boxes(furnished, shipment_id) == 4


# --- once couriers were asked


async def test_with_a_label_the_page_says_what_saving_does(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    await printed(furnished, shipment_id)
    told = words(await furnished.page(f"/shipments/{shipment_id}/edit"))
    assert "AWB 133499120042 at Blue Dart is cancelled." in told
    assert "Destroy 3 printed labels: ravi@example.com printed them at " in told
    assert "Book it at once when the old is over" in told


async def test_printed_labels_must_be_ticked(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    await printed(furnished, shipment_id)
    fields = await opened(furnished, shipment_id) | {"boxes[0].count": "3"}
    assert fields["book"] == "yes"
    answer = await saved(furnished, shipment_id, fields)
    assert answer.status_code == 422
    assert 'id="destroyed-fault"' in answer.text
    assert (await document(furnished, shipment_id))["status"] == "label_ready"
    answer = await saved(furnished, shipment_id, {**fields, "destroyed": "yes"})
    assert said(answer) == (
        "Shipment SO-1001 is changed: it is version 2 now. AWB 133499120042 is being cancelled. "
        "It is booked anew when the old is over."
    )
    await furnished.hears(Cancelled())
    assert (await document(furnished, shipment_id))["status"] == "scheduling"


async def test_it_is_not_booked_where_that_is_not_ticked(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    fields = await opened(furnished, shipment_id) | {"boxes[0].count": "3"}
    del fields["book"]
    assert said(await saved(furnished, shipment_id, fields)).endswith("It is booked when you schedule it.")
    assert "book" not in await opened(furnished, shipment_id), "nor is a later change, unless it is ticked"
    await furnished.hears(Cancelled())
    assert (await document(furnished, shipment_id))["status"] == "created"


async def test_an_order_number_is_on_the_label_too(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    await printed(furnished, shipment_id)
    fields = await opened(furnished, shipment_id) | {"order_number": "PO/26-27/89"}
    assert (await saved(furnished, shipment_id, fields)).status_code == 422
    answer = await saved(furnished, shipment_id, {**fields, "destroyed": "yes"})
    assert said(answer).startswith("Shipment SO-1001 is changed: it is version 2 now. ")
    assert (await document(furnished, shipment_id))["status"] == "scheduling"


async def test_what_went_on_meanwhile_is_told_before_it_is_saved(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted())
    fields = await opened(furnished, shipment_id) | {"boxes[0].count": "3"}
    await furnished.labels("AWB-1")
    answer = await saved(furnished, shipment_id, fields)
    assert answer.status_code == 409
    assert "it has gone on since you opened this page" in answer.text
    assert "AWB AWB-1 at Delhivery B2B is cancelled." in answer.text
    assert (await saved(furnished, shipment_id, fields_of(answer.text))).status_code == 303


async def test_while_a_call_is_out_it_says_when_to_try_again(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted())
    await furnished.tools.pool.execute("UPDATE turns SET claimed_at = clock_timestamp() WHERE priority = 1")
    assert "its answer comes within two minutes." in await furnished.page(f"/shipments/{shipment_id}/edit")
    fields = await opened(furnished, shipment_id) | {"boxes[0].count": "3"}
    answer = await saved(furnished, shipment_id, fields)
    assert answer.status_code == 409
    assert "Nothing was changed: save again in " in answer.text
    assert fields_of(answer.text)["boxes[0].count"] == "3"


async def test_what_is_cancelled_is_not_edited(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    fields = await opened(furnished, shipment_id)
    await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    assert "Nothing can be changed." in await furnished.told(
        await furnished.browser.get(f"/shipments/{shipment_id}/edit")
    )
    answer = await saved(furnished, shipment_id, {**fields, "boxes[0].count": "3"})
    assert answer.status_code == 409
    assert "Nothing was changed." in answer.text


# --- what a courier refused


async def test_what_a_courier_refused_stands_at_its_field(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, FAULTY, FAULTY, FAULTY)
    assert f'href="/shipments/{shipment_id}/edit#consignee.phone">Put it right' in await furnished.page(
        f"/shipments/{shipment_id}"
    )
    page = await furnished.page(f"/shipments/{shipment_id}/edit")
    fault = page.partition('id="consignee.phone-fault"')[2].partition("</p>")[0]
    assert "refused: drop_info.drop_phone must be 10 to 13 digits." in html.unescape(fault)
    fields = await opened(furnished, shipment_id) | {"consignee.phone": "9123456780"}
    answer = await saved(furnished, shipment_id, fields)
    assert said(answer) == "Shipment SO-1001 is changed: it is version 2 now. It is being booked."
    assert "Put it right" not in await furnished.page(f"/shipments/{shipment_id}")


async def test_a_viewer_is_offered_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, FAULTY, FAULTY, FAULTY)
    await furnished.sign_in("vik@example.com", role=Role.VIEWER)
    assert f"/shipments/{shipment_id}/edit" not in await furnished.page(f"/shipments/{shipment_id}")
    await furnished.page(f"/shipments/{shipment_id}/edit", 403)


async def test_a_refusal_that_no_data_mends_is_not_put_right(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    no = Refused(Refusal.COURIER, 319, "capacity is full today")
    await furnished.hears(RANKED, no, no, no)
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "Put it right" not in page
    assert f"/shipments/{shipment_id}/edit" in page


async def test_what_stops_it_is_put_right_from_the_list(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, FAULTY)
    await furnished.tools.pool.execute("UPDATE turns SET state = 'stopped', due_at = NULL WHERE state = 'refused'")
    await furnished.tools.pool.execute("UPDATE turns SET state = 'withdrawn', due_at = NULL WHERE state = 'asking'")
    await furnished.tools.pool.execute(
        "UPDATE shipments SET status = 'needs_attention', concerned_at = now(), concerns = '{stopped}'"
    )
    page = await furnished.page("/attention")
    assert f'href="/shipments/{shipment_id}/edit#consignee.phone">Put it right' in page


# --- the page of a shipment that was changed


async def test_after_a_change_the_page_says_what_was_and_what_is(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished, label_pdf(3), 3)
    await printed(furnished, shipment_id)
    fields = await opened(furnished, shipment_id) | {"boxes[0].count": "3", "destroyed": "yes"}
    await saved(furnished, shipment_id, fields)
    page = await furnished.page(f"/shipments/{shipment_id}")
    told = words(page)
    assert "Destroy 3 printed labels: ravi@example.com printed them at " in told
    assert re.search(rf"Version 2, since {CLOCK} by asha@example.com", told), told
    assert re.search(rf"Turns for what it was before {CLOCK}", told), told
    assert "asha@example.com changed it. Changed: the boxes (3 → 4)." in told
    assert "No label yet." in told
    assert 'class="turns was"' in page
    [void] = re.findall(r'href="(/shipments/[0-9]+/label.pdf\?reference=[^"]+)"', page)
    assert (await furnished.browser.get(void)).status_code == 200


async def test_a_new_run_stands_before_what_was(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    await saved(furnished, shipment_id, await opened(furnished, shipment_id) | {"boxes[0].count": "3"})
    await furnished.hears(Cancelled())
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "Turns of run 2" in page
    assert re.search(rf"<summary>Run 1, for what it was before {CLOCK}</summary>", page)
    assert page.count('class="turns was"') == 1
