"""A shipment over the wire, put right before anybody is asked to carry it; and which version of it is meant."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from bilty.shipment import decode
from bilty.store.access import Scope
from bilty.store.amending import Amending, amend
from bilty.store.audit import COMMAND
from bilty.store.shipments import Arrival
from web.house import PDF, RANKED, House, shipment
from web.uniware import another, asked

Document = dict[str, Any]
HELD = {"number": "INV-1", "date": "2026-11-20", "value": "60000.00"}
EWAYBILL = {**HELD, "ewaybill_number": "123456789012", "ewaybill_expires_on": "2099-01-01"}


async def read(house: House, shipment_id: int, **headers: str) -> httpx.Response:
    return await house.call("GET", f"/shipments/{shipment_id}", scope=Scope.ADMIN, **headers)


async def change(
    house: House, shipment_id: int, patch: object, if_match: str = "*", scope: Scope = Scope.ADMIN, **headers: str
) -> httpx.Response:
    return await house.call("PATCH", f"/shipments/{shipment_id}", patch, scope=scope, If_Match=if_match, **headers)


async def audit(house: House) -> list[tuple[str, str]]:
    rows = await house.tools.pool.fetch("SELECT actor, action FROM audit WHERE shipment_id IS NOT NULL ORDER BY id")
    return [(row["actor"], row["action"]) for row in rows]


async def test_a_version_that_is_known_is_not_sent_again(furnished: House) -> None:
    created = await furnished.call("POST", "/shipments", shipment())
    first = await read(furnished, created.json()["id"])
    etag = first.headers["etag"]
    assert etag == created.headers["etag"]
    assert etag.startswith('"')
    for known in (etag, f'"other", W/{etag}', "*", f'"a,b",{etag}'):
        again = await read(furnished, first.json()["id"], If_None_Match=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), known
    for other in ('"other"', etag.strip('"'), etag.replace('"', "'")):
        assert (await read(furnished, first.json()["id"], If_None_Match=other)).status_code == 200, other
    await furnished.call("POST", f"/shipments/{first.json()['id']}/schedules")
    moved = await read(furnished, first.json()["id"], If_None_Match=etag)
    assert (moved.status_code, moved.headers["etag"] != etag) == (200, True)


async def test_a_label_that_is_known_is_not_sent_again(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    path = f"/shipments/{shipment_id}/label.pdf"
    label = await furnished.call("GET", path)
    assert label.content == PDF
    again = await furnished.call("GET", path, If_None_Match=label.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", label.headers["etag"])


async def test_a_change_is_made_in_place_and_told(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    before = await read(furnished, shipment_id)
    boxes = [{"count": 5, "length_cm": 10, "breadth_cm": 10, "height_cm": 10, "weight_g": 1000, "invoice": "INV-1"}]
    patch = {
        "consignee": {"city": "Mumbai", "gstin": None},
        "boxes": boxes,
        "order_number": "PO-2",
        "appointment": None,
    }
    answer = await change(furnished, shipment_id, patch, before.headers["etag"])
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after == {
        **before.json(),
        "consignee": {**before.json()["consignee"], "city": "Mumbai"},
        "boxes": after["boxes"],
        "order_number": "PO-2",
        "warnings": after["warnings"],
    }
    assert [box["count"] for box in after["boxes"]] == [5]
    again = await read(furnished, shipment_id)
    assert (again.json(), again.headers["etag"]) == (after, answer.headers["etag"])
    assert len((await furnished.call("GET", f"/shipments/{shipment_id}/boxes")).json()["items"]) == 5
    lines = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    taken_in, changed = (line["told"] for line in lines)
    assert taken_in == "Taken in."
    what = "Changed: the order number, the consignee's city and the boxes (3 → 5)."
    assert changed == f"admin key put it right before anybody was asked. {what}"
    assert await audit(furnished) == [("admin key", "amend")]


async def test_what_is_looked_for_follows(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    assert (await change(furnished, shipment_id, {"order_number": "PO-NEW"})).status_code == 200
    await furnished.sign_in()
    assert "PO-NEW" in await furnished.page("/shipments?find=po-new")
    row = await furnished.tools.pool.fetchrow("SELECT order_number, box_count, weight_g FROM shipments")
    assert row is not None
    assert tuple(row) == ("PO-NEW", 3, 33_000)
    assert "put it right" in await furnished.page(f"/shipments/{shipment_id}")


async def test_what_was_changed_is_what_is_booked(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await change(furnished, shipment_id, {"consignee": {"city": "Mumbai"}})
    await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    assert (await read(furnished, shipment_id)).json()["status"] == "label_ready"
    row = await furnished.tools.pool.fetchrow(
        """SELECT v.content ->> 'consignee' AS consignee FROM turns
             JOIN shipment_versions v USING (shipment_id, version)"""
    )
    assert row is not None
    assert "Mumbai" in row["consignee"]


async def test_an_ewaybill_that_is_added_lifts_the_hold(furnished: House) -> None:
    shipment_id = await furnished.takes_in(invoices=[HELD])
    assert (await read(furnished, shipment_id)).json()["status"] == "on_hold"
    lifted = await change(furnished, shipment_id, {"invoices": [EWAYBILL]})
    assert (lifted.json()["status"], lifted.json()["problem"]) == ("created", None)
    held = await change(furnished, shipment_id, {"invoices": [HELD]})
    assert (held.json()["status"], held.json()["problem"]["code"]) == ("on_hold", "on_hold")
    told = [
        line["told"]
        for line in (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
        if line["state"] == "amended"
    ]
    assert told[0].endswith("Changed: the e-way bills. It is no longer held.")
    lines = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    assert [line["state"] for line in lines] == ["on_hold", "amended", "amended", "on_hold"]


async def test_the_same_again_changes_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    before = await read(furnished, shipment_id)
    answer = await change(furnished, shipment_id, {"order_number": before.json()["order_number"]})
    assert (answer.status_code, answer.headers["etag"]) == (200, before.headers["etag"])
    assert await audit(furnished) == []


async def test_which_version_is_meant_must_be_said(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    without = await furnished.call("PATCH", f"/shipments/{shipment_id}", {"order_number": "PO-2"})
    assert (without.status_code, without.json()["type"]) == (428, "urn:bilty:problem:if_match_missing")
    etag = (await read(furnished, shipment_id)).headers["etag"]
    for other in ('"other"', f"W/{etag}", etag.strip('"')):
        answer = await change(furnished, shipment_id, {"order_number": "PO-2"}, other)
        assert (answer.status_code, answer.json()["type"]) == (412, "urn:bilty:problem:changed_since"), other
    assert (await change(furnished, shipment_id, {"order_number": "PO-2"}, f'"other", {etag}')).status_code == 200
    assert (await change(furnished, shipment_id, {"order_number": "PO-3"}, etag)).status_code == 412


async def test_of_many_changes_to_one_version_one_is_made(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    etag = (await read(furnished, shipment_id)).headers["etag"]
    changes = [change(furnished, shipment_id, {"order_number": f"PO-{n}"}, etag) for n in range(8)]
    answers = await asyncio.gather(*changes)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert await audit(furnished) == [("admin key", "amend")]


async def test_what_is_cancelled_is_not_changed(furnished: House) -> None:
    cancelled = await furnished.takes_in(number="SO-2")
    await furnished.call("POST", f"/shipments/{cancelled}/cancellation")
    refused = await change(furnished, cancelled, {"order_number": "PO-2"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bilty:problem:cancelled")


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"number": "SO-2"}, "number"),
        ({"facility": "BLR-2"}, "facility"),
        ({"shipping_provider": "nowhere"}, "shipping_provider"),
        ({"schedule": "yes"}, "schedule"),
        ({"consignee": {"pincode": "1"}}, "consignee.pincode"),
        ({"consignee": None}, "consignee"),
        ({"boxes": []}, "boxes"),
        ({"status": "label_ready"}, "status"),
        ({"awb": "1"}, "awb"),
        ([], ""),
        ("x", ""),
    ],
)
async def test_a_change_that_cannot_be_made_names_its_field(furnished: House, patch: object, field: str) -> None:
    shipment_id = await furnished.takes_in()
    before = (await read(furnished, shipment_id)).json()
    answer = await change(furnished, shipment_id, patch)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert (await read(furnished, shipment_id)).json() == before


async def test_another_provider_takes_over(furnished: House) -> None:
    provider = {"kind": "clickpost_b2b", "name": "Second account"}
    await furnished.call("PUT", "/shipping-providers/second", provider)
    shipment_id = await furnished.takes_in()
    answer = await change(furnished, shipment_id, {"shipping_provider": "second"})
    assert (answer.status_code, answer.json()["shipping_provider"]) == (200, "second")
    code = await furnished.tools.pool.fetchval(
        """SELECT p.code FROM shipments s JOIN couriers c ON c.id = s.courier_id
             JOIN shipping_providers p ON p.id = s.provider_id AND p.id = c.provider_id"""
    )
    assert code == "second"


async def test_a_reader_changes_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    assert (await change(furnished, shipment_id, {}, scope=Scope.READ)).status_code == 403
    assert (await change(furnished, 999, {})).status_code == 404


async def test_a_merge_patch_by_its_own_name_is_taken(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    answer = await change(furnished, shipment_id, {"order_number": "N"}, Content_Type="application/merge-patch+json")
    assert (answer.status_code, answer.json()["order_number"]) == (200, "N")


async def test_what_is_not_there_is_not_amended(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    async with furnished.tools.pool.acquire() as connection, connection.transaction():
        now = await furnished.now()
        content = await connection.fetchval("SELECT content FROM shipment_versions")
        arrival = Arrival(decode(content))
        assert (await amend(connection, shipment_id + 1, arrival, COMMAND, now)).outcome is Amending.NOT_THERE
        assert (await amend(connection, shipment_id, arrival, COMMAND, now)).outcome is Amending.SAME


GSTIN = {"consignee": {"gstin": "27AAPFU0939F1ZV"}}
TAXED = {"invoices": [{**HELD, "value": "23600.00", "taxable_value": "20000.00", "igst": "3600.00"}]}
DUE = {"invoices": [{**TAXED["invoices"][0], "value": "60000.00", "taxable_value": "56400.00"}]}
ORDER = {"purchase_orders": [{"number": "PO-1"}]}


async def _held_for_data(house: House, *needs: str) -> int:
    """A shipment of Uniware's, which does not say what its facility never sends without."""
    sql = "INSERT INTO uniware_defaults SELECT id, $1 FROM facilities"
    await house.tools.pool.execute(sql, json.dumps({"needs": needs}))
    uniware = await another(house, "uw", facilities=("BLR-1",))
    assert "Data is missing" in str((await uniware.told("/waybill", asked()))["reason"])
    return int((await house.call("GET", "/shipments")).json()["items"][0]["id"])


@pytest.mark.parametrize(
    ("need", "right", "names"),
    [
        ("gstin", GSTIN, "the consignee's GSTIN"),
        ("purchase_order", ORDER, "the purchase order"),
        ("gst_split", TAXED, "its taxes"),
    ],
)
async def test_a_hold_for_want_of_data_is_lifted_by_that_data_alone(
    furnished: House, need: str, right: Document, names: str
) -> None:
    shipment_id = await _held_for_data(furnished, need)
    others = [each for each in (GSTIN, ORDER, TAXED) if each is not right]
    for patch in ({"order_number": "X"}, *others):
        held = (await change(furnished, shipment_id, patch)).json()
        assert (held["status"], names in held["problem"]["message"]) == ("on_hold", True), patch
    path = f"/shipments/{shipment_id}/schedules"
    assert (await furnished.call("POST", path, {"without_ewaybill": True})).status_code == 409
    lifted = await change(furnished, shipment_id, right)
    assert (lifted.status_code, lifted.json()["status"]) == (200, "created"), lifted.text
    assert (await furnished.call("POST", path)).status_code == 202


async def test_data_that_lacks_and_an_eway_bill_that_lacks_are_both_told(furnished: House) -> None:
    shipment_id = await _held_for_data(furnished, "gstin", "purchase_order")
    both = (await change(furnished, shipment_id, DUE)).json()["problem"]["message"]
    assert [words in both for words in ("GSTIN", "the purchase order", "e-way bill")] == [True] * 3
    await change(furnished, shipment_id, {**GSTIN, **ORDER})
    left = (await read(furnished, shipment_id)).json()
    assert (left["status"], "Data is missing" in left["problem"]["message"]) == ("on_hold", False)


async def test_what_was_not_held_for_want_of_data_is_not_held_by_a_change(furnished: House) -> None:
    sql = """INSERT INTO uniware_defaults SELECT id, '{"needs": ["gstin"]}' FROM facilities"""
    await furnished.tools.pool.execute(sql)
    shipment_id = await furnished.takes_in()
    assert (await change(furnished, shipment_id, {"order_number": "X"})).json()["status"] == "created"
