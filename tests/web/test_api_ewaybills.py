"""E-way bills over the wire: given at any time, told to whoever has the boxes, and never twice a booking."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from bilty.reply import Label, Paper
from bilty.store.access import Scope
from web.house import NO, PDF, RANKED, House

BILL, OTHER = "331001234567", "331007654321"
DEAR = [{"number": "INV-1", "date": "2026-11-20", "value": "60000.00"}]
BILLED = [{**DEAR[0], "ewaybill_number": BILL}]


async def gives(house: House, shipment_id: int, *items: dict[str, Any], **more: object) -> httpx.Response:
    return await house.call(
        "PUT", f"/shipments/{shipment_id}/ewaybills", {"items": items, **more}, scope=Scope.DISPATCH
    )


async def has(house: House, shipment_id: int) -> dict[str, Any]:
    """What the only invoice has."""
    answer = await house.call("GET", f"/shipments/{shipment_id}/ewaybills", scope=Scope.READ)
    assert answer.status_code == 200
    (item,) = answer.json()["items"]
    return dict(item)


async def test_one_that_comes_later_lifts_the_hold_and_books_where_that_is_wished(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    assert await has(furnished, shipment_id) == {
        "invoice": "INV-1",
        "value": "60000.00",
        "number": "",
        "expires_on": None,
        "required": True,
        "expired": False,
        "told": False,
        "transporter": None,
    }
    answer = await gives(furnished, shipment_id, {"invoice": "INV-1", "number": "3310 0123 4567"})
    assert (answer.status_code, answer.json()["status"]) == (200, "created")
    assert answer.json()["invoices"][0]["ewaybill_number"] == BILL
    item = {"invoice": "INV-1", "number": BILL, "expires_on": "2099-12-31"}
    booked = await gives(furnished, shipment_id, item, schedule=True)
    assert (booked.status_code, booked.json()["status"], booked.json()["run"]) == (202, "scheduling", 1)
    assert booked.headers["location"] == f"/api/v1/shipments/{shipment_id}"


async def test_a_repeated_wish_books_nothing_anew(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    item = {"invoice": "INV-1", "number": BILL}
    await gives(furnished, shipment_id, item, schedule=True)
    await furnished.hears(RANKED, NO, NO, NO)
    again = await gives(furnished, shipment_id, item, schedule=True)
    assert (again.status_code, again.json()["status"], again.json()["run"]) == (200, "failed", 1)


async def test_what_its_courier_was_not_told_is_said(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=BILLED, schedule=True)
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    assert (await has(furnished, shipment_id))["told"] is True
    version = await furnished.tools.pool.fetchval("SELECT version FROM shipments")
    answer = await gives(furnished, shipment_id, {"invoice": "INV-1", "number": OTHER})
    assert (answer.json()["status"], answer.json()["awb"]) == ("label_ready", "AWB1"), "no label becomes void by it"
    assert (await furnished.tools.pool.fetchval("SELECT version FROM shipments")) == version == 1
    item = await has(furnished, shipment_id)
    assert (item["number"], item["told"]) == (OTHER, False)


async def test_a_fall_over_says_what_must_change_at_the_portal(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=BILLED, schedule=True)
    sha256 = await furnished.tools.labels.put(PDF)
    await furnished.hears(RANKED, NO, Label("AWB2"), Paper(sha256, 3))
    told = f"E-way bill {BILL} of invoice INV-1 was given for Delhivery B2B: its transporter must change to Blue Dart."
    assert (await has(furnished, shipment_id))["transporter"] == told
    answer = await furnished.call("GET", f"/shipments/{shipment_id}")
    assert told in answer.json()["warnings"]
    lines = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    assert told in [line["told"] for line in lines]


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        (
            {"items": [{"invoice": "INV-9", "number": BILL}]},
            "items[0].invoice",
            "Shipment SO-1001 has no invoice INV-9: its invoices are INV-1.",
        ),
        (
            {"items": [{"invoice": "INV-1", "number": "33"}]},
            "items[0].number",
            'number is "33": give an e-way bill number of 12 digits.',
        ),
        (
            {"items": [{"invoice": "INV-1", "expires_on": "2099-12-31"}]},
            "items[0].expires_on",
            "expires_on is given without number: give the number too, or leave both out.",
        ),
        (
            {"items": [{"invoice": "INV-1", "number": BILL, "expires_on": "2020-12-31"}]},
            "items[0].invoice",
            "The e-way bill expired on 31 Dec 2020: extend it or make a new one, and give its last day.",
        ),
        (
            {"items": [{"invoice": "INV-1", "number": BILL}, {"invoice": "INV-1", "number": OTHER}]},
            "items[1].invoice",
            "invoice INV-1 is given twice: leave one out.",
        ),
        (
            {"items": []},
            "items",
            "items is a list of 0: give a list of 1 to 100 objects, each with expires_on, invoice, number.",
        ),
    ],
)
async def test_what_is_wrong_is_told_with_its_field(
    furnished: House, document: dict[str, Any], field: str, message: str
) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    answer = await furnished.call("PUT", f"/shipments/{shipment_id}/ewaybills", document)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["message"]) == (field, message)
    assert (await has(furnished, shipment_id))["number"] == ""


async def test_a_cancelled_shipment_takes_none(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    answer = await gives(furnished, shipment_id, {"invoice": "INV-1", "number": BILL})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:cancelled")


async def test_a_key_that_only_reads_gives_none(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    item = {"items": [{"invoice": "INV-1", "number": BILL}]}
    answer = await furnished.call("PUT", f"/shipments/{shipment_id}/ewaybills", item, scope=Scope.READ)
    assert answer.status_code == 403


async def test_one_that_a_change_brings_is_owed_to_its_courier_as_well(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    assert (await gives(furnished, shipment_id, {"invoice": "INV-1", "number": BILL}, schedule=True)).is_success
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    patch = {"invoices": [{**DEAR[0], "ewaybill_number": OTHER}]}
    changed = await furnished.call("PATCH", f"/shipments/{shipment_id}", patch, If_Match="*")
    assert (changed.status_code, changed.json()["awb"]) == (200, "AWB1")
    assert (await has(furnished, shipment_id))["told"] is False
    owed = await furnished.tools.pool.fetch("SELECT invoice, ewaybill FROM afterwards WHERE kind = 'ewaybill'")
    assert [tuple(row) for row in owed] == [("INV-1", OTHER)]


async def test_one_that_ends_before_the_pickup_that_was_sent_holds_the_shipment(furnished: House) -> None:
    billed = [{**BILLED[0], "ewaybill_expires_on": "2099-11-24"}]
    shipment_id = await furnished.takes_in(invoices=billed, pickup_at="2099-11-25T10:00:00+05:30", schedule=True)
    answer = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert answer["status"] == "on_hold"
    assert (
        f"E-way bill {BILL} of invoice INV-1 expires on 24 Nov 2099, before the pickup" in answer["problem"]["message"]
    )
    waived = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {"without_ewaybill": True})
    assert waived.status_code == 409, "nobody's word makes it good for that day"
    item = {"invoice": "INV-1", "number": BILL, "expires_on": "2099-11-25"}
    assert (await gives(furnished, shipment_id, item, schedule=True)).json()["status"] == "scheduling"


async def test_two_who_give_one_at_the_same_moment_come_one_after_the_other(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=DEAR)
    answers = await asyncio.gather(
        *(gives(furnished, shipment_id, {"invoice": "INV-1", "number": number}) for number in (BILL, OTHER))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    lines = await furnished.tools.pool.fetch("SELECT before, after FROM audit WHERE action = 'e-way bill' ORDER BY id")
    first, second = ((json.loads(line["before"]), json.loads(line["after"])) for line in lines)
    assert first[1]["e-way bills"] == second[0]["e-way bills"], "the second saw what the first had done"
    last = second[1]["e-way bills"]["INV-1"]["number"]
    assert (await has(furnished, shipment_id))["number"] == last
