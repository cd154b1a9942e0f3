"""Bilty as a courier inside Uniware: who comes in, and a waybill that is asked for until it is there."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bilty.oms import label_link
from bilty.reply import Accepted, Ranking
from bilty.store.access import Scope
from bilty.store.database import Pool
from bilty.web.uniware import coming_in
from web.house import FACILITY, NO, P1, PROVIDER, RANKED
from web.uniware import NAME, Uniware, another, asked, blank, opened_uniware, with_customs


@pytest.fixture
async def uniware(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Uniware]:
    """Nobody is kept waiting."""
    async with opened_uniware(pool, dsn, tmp_path) as uniware:
        yield uniware


@pytest.fixture
async def patient(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Uniware]:
    """Uniware is kept waiting for as long as it may be."""
    async with opened_uniware(pool, dsn, tmp_path, uniware_wait_seconds=60) as uniware:
        yield uniware


# Coming in


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        {"username": NAME},
        {"username": NAME, "password": ""},
        {"username": NAME, "password": 5},
        {"username": NAME, "password": "bilty_nobodys"},
        {"username": NAME, "password": "x" * 500},
        {"username": "Somebody", "password": "{key}"},
    ],
)
async def test_wrong_credentials_are_told_as_the_contract_has_it(uniware: Uniware, given: object) -> None:
    if isinstance(given, dict) and given.get("password") == "{key}":
        given = {**given, "password": uniware.key}
    answer = await uniware.house.api.post("/uniware/authToken", json=given)
    assert (answer.status_code, answer.json()) == (200, {"status": "INVALID_CREDENTIALS", "token": ""})


async def test_a_key_that_may_only_read_is_no_credential(uniware: Uniware) -> None:
    reader = await another(uniware.house, "reader", Scope.READ)
    answer = await uniware.house.api.post("/uniware/authToken", json={"username": "reader", "password": reader.key})
    assert answer.json()["status"] == "INVALID_CREDENTIALS"


CALLS = (
    ("POST", "/waybill"),
    ("POST", "/waybill/update"),
    ("POST", "/cancel"),
    ("GET", "/waybillDetails"),
    ("POST", "/manifest"),
)


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_without_a_good_token_nothing_is_done(uniware: Uniware, method: str, path: str) -> None:
    good = await uniware.token()
    connectors_key = await uniware.house.tools.pool.fetchval("SELECT sealed_key FROM shipping_providers")
    bad = ("", "Bearer", "nonsense", uniware.key, good[:-4] + "AAAA", good * 9, connectors_key.decode(), "\u00e9")
    for token in bad:
        headers = {b"Authorization": token.encode()}
        answer = await uniware.house.api.request(method, f"/uniware{path}", json=asked(), headers=headers)
        assert answer.status_code == 401, token
        assert answer.json()["status"] == "FAILED"
        assert "/uniware/authToken" in answer.json()["message"]
    assert await uniware.count("shipments") == 0


async def test_a_token_dies_with_its_key(uniware: Uniware) -> None:
    headers = {"Authorization": await uniware.token()}
    await uniware.house.tools.pool.execute("DELETE FROM api_keys WHERE name = $1", NAME)
    answer = await uniware.house.api.post("/uniware/waybill", json=asked(), headers=headers)
    assert answer.status_code == 401
    assert "revoked" in answer.json()["message"]


@pytest.mark.parametrize(("age_s", "status"), [(0, 200), (86_000, 200), (86_500, 401), (-500, 401)])
async def test_a_token_is_good_for_a_day(uniware: Uniware, age_s: int, status: int) -> None:
    key_id = await uniware.house.tools.pool.fetchval("SELECT id FROM api_keys WHERE name = $1", NAME)
    headers = {"Authorization": coming_in.token_for(uniware.house.tools.vault, key_id, time.time() - age_s)}
    answer = await uniware.house.api.post("/uniware/cancel", json={}, headers=headers)
    assert answer.status_code == status


async def test_a_token_may_stand_behind_bearer(uniware: Uniware) -> None:
    headers = {"Authorization": f"Bearer {await uniware.token()}"}
    answer = await uniware.house.api.post("/uniware/waybill", json=asked(), headers=headers)
    assert answer.status_code == 200


async def test_what_cannot_be_read_is_told_in_uniwares_shape(uniware: Uniware) -> None:
    headers = {"Authorization": await uniware.token(), "Content-Type": "application/json"}
    answer = await uniware.house.api.post("/uniware/waybill", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (400, "FAILED")
    assert answer.json()["reason"].startswith("The body is not JSON")
    answer = await uniware.house.api.post("/uniware/waybill", content=b" " * 3_000_000, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (413, "FAILED")
    answer = await uniware.house.browser.post("/uniware/waybill", content=b"{", headers=headers)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("path", "status"), [("waybill", 405), ("nothing", 404), ("waybill/", 405)])
async def test_an_address_that_is_none_is_told_in_uniwares_shape(uniware: Uniware, path: str, status: int) -> None:
    answer = await uniware.house.api.get(f"/uniware/{path}")
    assert (answer.status_code, answer.json()["status"]) == (status, "FAILED")
    assert answer.json()["reason"] == answer.json()["message"] != ""
    assert answer.headers["content-type"] == "application/json"
    assert ("POST" in answer.headers.get("allow", "")) is (status == 405)
    ours = await uniware.house.api.get("/api/v1/nothing")
    assert ours.headers["content-type"] == "application/problem+json"


async def test_who_asks_too_often_is_told_when_to_come_again(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with opened_uniware(pool, dsn, tmp_path, key_requests_per_second=3) as uniware:
        token = await uniware.token()
        headers = {"Authorization": token}
        sent = [uniware.house.api.post("/uniware/cancel", json={}, headers=headers) for _ in range(30)]
        refused = max(await asyncio.gather(*sent), key=lambda answer: answer.status_code)
        assert (refused.status_code, refused.json()["status"]) == (429, "FAILED")
        assert int(refused.headers["retry-after"]) >= 1


# A waybill


async def test_the_documented_shape_with_a_real_address_is_booked_and_answered_in_its_shape(patient: Uniware) -> None:
    with patient.house.tools.changes.watch() as watch:
        waiting = asyncio.create_task(patient.sends("POST", "/waybill", asked()))
        while await patient.count("turns") == 0:
            assert await watch.next_change(60) is not None
    await patient.house.hears(RANKED)
    await patient.house.labels("AWB1")
    answer = await waiting
    assert answer.status_code == 200
    told = answer.json()
    link = told.pop("shippingLabel")
    assert told == {"status": "SUCCESS", "waybill": "AWB1", "courierName": "Delhivery B2B"}
    token = urlsplit(link).path.rpartition("/")[2]
    found = label_link.read(patient.house.tools.vault, token)
    assert found is not None
    assert (found.expires_at - await patient.house.now()).days in {29, 30}
    assert link.startswith(f"{patient.house.url}/labels/")


async def test_what_was_asked_for_is_what_is_booked(uniware: Uniware) -> None:
    await uniware.told("/waybill", asked())
    shipment = (await uniware.house.call("GET", "/shipments/1")).json()
    assert (shipment["number"], shipment["order_number"]) == ("SP-1001", "SO-88")
    assert (shipment["facility"], shipment["shipping_provider"]) == ("BLR-1", "clickpost-b2b")
    assert shipment["consignee"]["address"] == "Plot 14, Industrial Area, Chinchwad"
    assert shipment["invoices"][0]["value"] == "11800.00"
    assert [(b["count"], b["length_cm"], b["weight_g"]) for b in shipment["boxes"]] == [(1, 41, 10251), (1, 41, 10250)]
    assert shipment["boxes"][0]["items"][0]["quantity"] == 10


async def test_with_blank_fields_it_is_failed_and_names_each(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", blank(asked()))
    assert told["status"] == "FAILED"
    assert told["reason"] == told["message"]
    for name in ("code", "invoiceCode", "weight", "length", "breadth", "height", "numberOfBoxes", "items[0].skuCode"):
        assert f"Shipment.{name} is missing" in told["message"]
    for name in ("name", "phone", "address1", "pincode", "city", "state"):
        assert f"deliveryAddressDetails.{name} is missing" in told["message"]
    for name in ("paymentMode", "totalAmount"):
        assert f"{name} is missing" in told["message"]
    assert await uniware.count("shipments") == 0


async def test_returns_are_not_booked(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", asked(returnShipmentFlag="true"))
    assert told["status"] == "FAILED"
    assert "Bilty books no returns" in told["message"]
    assert await uniware.count("shipments") == 0


async def test_while_it_is_booked_it_is_failed_and_the_same_code_gets_the_awb_later(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", asked())
    assert told["status"] == "FAILED"
    assert told["message"].startswith("It is being booked.")
    assert "the same code again" in told["message"]
    await uniware.house.hears(RANKED, Accepted())
    told = await uniware.told("/waybill", asked())
    assert "Delhivery B2B" in told["message"]
    await uniware.house.labels("AWB1")
    for _ in range(2):
        told = await uniware.told("/waybill", asked())
        assert (told["status"], told["waybill"]) == ("SUCCESS", "AWB1")
    assert (await uniware.count("shipments"), await uniware.count("turns")) == (1, 2)


async def test_many_at_once_are_one_booking(uniware: Uniware) -> None:
    token = {"Authorization": await uniware.token()}
    sent = [uniware.house.api.post("/uniware/waybill", json=asked(), headers=token) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    assert {answer.json()["message"].partition(".")[0] for answer in answers} == {"It is being booked"}
    assert (await uniware.count("shipments"), await uniware.count("turns")) == (1, 1)


async def test_many_who_put_a_held_one_right_at_once_are_one_booking(uniware: Uniware) -> None:
    await uniware.told("/waybill", with_customs(asked()))
    token = {"Authorization": await uniware.token()}
    sent = [uniware.house.api.post("/uniware/waybill", json=asked(), headers=token) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    assert {answer.json()["message"].partition(".")[0] for answer in answers} == {"It is being booked"}
    assert await uniware.count("turns") == 1


async def test_what_nobody_took_is_tried_anew_when_it_is_asked_for_again(uniware: Uniware) -> None:
    await uniware.told("/waybill", asked())
    await uniware.house.hears(Ranking((P1,)), NO)
    assert (await uniware.told("/waybill", asked()))["message"].startswith("It is being booked.")
    assert await uniware.house.tools.pool.fetchval("SELECT run FROM shipments") == 2


async def test_what_failed_while_uniware_waited_is_told(patient: Uniware) -> None:
    with patient.house.tools.changes.watch() as watch:
        waiting = asyncio.create_task(patient.told("/waybill", asked()))
        while await patient.count("turns") == 0:
            assert await watch.next_change(60) is not None
    await patient.house.hears(RANKED, NO, NO, NO)
    told = await waiting
    assert told["status"] == "FAILED"
    for name in ("Delhivery B2B", "Blue Dart", "DTDC"):
        assert f"{name}: " in told["message"]
    assert told["message"].count("pin not in lane") == 3
    assert "asks the couriers anew" in told["message"]


async def test_a_lane_that_nobody_serves_is_told(patient: Uniware) -> None:
    with patient.house.tools.changes.watch() as watch:
        waiting = asyncio.create_task(patient.told("/waybill", asked()))
        while await patient.count("turns") == 0:
            assert await watch.next_change(60) is not None
    await patient.house.hears(Ranking(()))
    assert "ClickPost names no courier for this lane." in (await waiting)["message"]


async def test_other_content_is_refused_once_couriers_were_asked(uniware: Uniware) -> None:
    await uniware.told("/waybill", asked())
    told = await uniware.told("/waybill", asked(totalAmount="99.00"))
    assert "known in Bilty with other content" in told["message"]
    told = await uniware.told("/waybill", asked(orderDate="17-Nov-2026 00:00:00", handOverMode="Drop"))
    assert told["message"].startswith("It is being booked."), "what Bilty does not carry makes no difference"


async def test_what_came_by_another_way_is_not_changed(uniware: Uniware) -> None:
    await uniware.house.takes_in(number="SP-1001")
    told = await uniware.told("/waybill", asked())
    assert "It did not come from Uniware." in told["message"]
    assert await uniware.count("turns") == 0


async def test_a_cancelled_one_is_not_booked_again(uniware: Uniware) -> None:
    await uniware.books()
    await uniware.told("/cancel", {"waybill": "AWB1"})
    told = await uniware.told("/waybill", asked())
    assert "cancelled" in told["message"]
    assert await uniware.house.tools.pool.fetchval("SELECT run FROM shipments") == 1


# Facilities


@pytest.mark.parametrize("blank", [None, "", " "])
async def test_the_only_facility_of_a_key_needs_no_name(uniware: Uniware, blank: str | None) -> None:
    await uniware.told("/waybill", asked(pickupAddressId=blank))
    assert (await uniware.house.call("GET", "/shipments/1")).json()["facility"] == "BLR-1"


@pytest.mark.parametrize("named", ["PNQ-1", "NOT-1", "blr-1", "77", 77, ["BLR-1"], 1.5, "PNQ\0"])
async def test_what_names_another_facility_is_never_booked_from_the_keys_only_one(
    uniware: Uniware, named: object
) -> None:
    told = await uniware.told("/waybill", asked(pickupAddressId=named))
    assert told["status"] == "FAILED"
    assert told["message"].startswith("pickupAddressId is ")
    assert "which is no facility of this key's: give a facility's code in Bilty there" in told["message"]
    told = await uniware.told("/waybill", with_customs(asked(), facility="PNQ-1", invoice_date="2026-11-20"))
    assert told["message"] == (
        'custom field facility is "PNQ-1", which is no facility of this key\'s: give one that is, or leave it out.'
    )
    assert await uniware.count("shipments") == 0


async def test_what_names_two_facilities_is_booked_from_neither(uniware: Uniware) -> None:
    everywhere = await another(uniware.house, "everywhere")
    told = await everywhere.told("/waybill", with_customs(asked(), facility="PNQ-1", invoice_date="2026-11-20"))
    assert told["message"] == (
        'custom field facility is "PNQ-1", and pickupAddressId names BLR-1: leave one out, or name the same in both.'
    )
    assert await uniware.count("shipments") == 0


async def test_a_key_of_all_facilities_needs_one_by_name(uniware: Uniware) -> None:
    everywhere = await another(uniware.house, "everywhere")
    await everywhere.told("/waybill", asked(pickupAddressId="PNQ-1"))
    assert (await uniware.house.call("GET", "/shipments/1")).json()["facility"] == "PNQ-1"
    named = with_customs(asked(pickupAddressId="77"), facility="BLR-1", invoice_date="2026-11-20")
    await everywhere.told("/waybill", named)
    assert (await uniware.house.call("GET", "/shipments/2")).json()["facility"] == "BLR-1"
    told = await everywhere.told("/waybill", asked(pickupAddressId="77", Shipment__weight=""))
    assert 'pickupAddressId is "77", which is no facility of this key' in told["message"]
    assert "Shipment.weight is missing" in told["message"], "all is told at once"


async def test_of_thousands_of_facilities_the_one_that_is_named_is_found(uniware: Uniware) -> None:
    await uniware.house.tools.pool.execute(
        """INSERT INTO facilities (code, content)
           SELECT 'AAA-' || n, f.content || jsonb_build_object('code', 'AAA-' || n)
             FROM facilities f, generate_series(1, 1001) n WHERE f.code = 'BLR-1'"""
    )
    everywhere = await another(uniware.house, "everywhere")
    for place in ("PNQ-1", "pnq-1", "NOT-1", "PNQ\0", "\u0085"):
        told = await everywhere.told("/waybill", asked(pickupAddressId=place, Shipment__code=f"SP-{len(place)}"))
        assert told["message"].startswith("It is being booked.") is (place == "PNQ-1"), place
    assert (await uniware.house.call("GET", "/shipments/1")).json()["facility"] == "PNQ-1"


async def test_another_facility_is_as_if_there_were_none(uniware: Uniware) -> None:
    await uniware.house.call("PUT", "/facilities/DEL-1", FACILITY)
    two = await another(uniware.house, "two", facilities=("BLR-1", "PNQ-1"))
    others = await two.told("/waybill", asked(pickupAddressId="DEL-1"))
    nobodys = await two.told("/waybill", asked(pickupAddressId="NOT-1"))
    assert others["message"].replace("DEL-1", "NOT-1") == nobodys["message"]


# What the contract lacks


async def test_what_is_missing_holds_it_and_is_named(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", with_customs(asked()))
    assert told["status"] == "FAILED"
    assert "the day of the invoice (custom field invoice_date)" in told["message"]
    shipment = (await uniware.house.call("GET", "/shipments/1")).json()
    assert (shipment["status"], shipment["invoices"]) == ("on_hold", [])
    assert shipment["problem"]["message"] in told["message"]
    assert "without e-way bill" not in shipment["problem"]["remedy"]
    assert (await uniware.told("/waybill", with_customs(asked())))["message"] == told["message"]


async def test_the_data_completes_it_and_it_goes_on(uniware: Uniware) -> None:
    await uniware.told("/waybill", with_customs(asked()))
    told = await uniware.told("/waybill", asked())
    assert told["message"].startswith("It is being booked.")
    shipment = (await uniware.house.call("GET", "/shipments/1")).json()
    assert (shipment["status"], shipment["invoices"][0]["number"]) == ("scheduling", "INV-1")
    assert {box["invoice"] for box in shipment["boxes"]} == {"INV-1"}
    assert await uniware.count("shipments") == 1


async def test_nobodys_word_books_what_lacks_data(uniware: Uniware) -> None:
    await uniware.told("/waybill", with_customs(asked()))
    answer = await uniware.house.call("POST", "/shipments/1/schedules", {"without_ewaybill": True})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:on_hold")
    await uniware.house.sign_in()
    page = await uniware.house.page("/shipments/1")
    assert "Data is missing: the day of the invoice" in page
    assert "Schedule without" not in page
    assert "acts/schedule" not in page
    refused = await uniware.house.told(await uniware.house.send("/shipments/1/acts/schedule"))
    assert "Nothing was changed. Data is missing" in refused
    assert await uniware.count("turns") == 0


async def test_what_a_person_has_put_right_is_not_taken_back(uniware: Uniware) -> None:
    """Uniware says the same again, and still lacks the day of the invoice."""
    await uniware.told("/waybill", with_customs(asked()))
    etag = (await uniware.house.call("GET", "/shipments/1")).headers["etag"]
    invoice = {"number": "INV-1", "date": "2026-11-19", "value": "11800.00"}
    answer = await uniware.house.call("PATCH", "/shipments/1", {"invoices": [invoice]}, If_Match=etag)
    assert answer.json()["status"] == "created", answer.text
    told = await uniware.told("/waybill", with_customs(asked()))
    assert told["message"].startswith("It is being booked.")
    assert (await uniware.house.call("GET", "/shipments/1")).json()["invoices"][0]["date"] == "2026-11-19"


async def test_an_ewaybill_that_is_missing_holds_it_and_a_word_lifts_that(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", asked(totalAmount="60000.0000"))
    assert "has no e-way bill" in told["message"]
    assert "custom field ewaybill_number" in told["message"]
    await uniware.house.call("POST", "/shipments/1/schedules", {"without_ewaybill": True})
    told = await uniware.told("/waybill", asked(totalAmount="60000.0000"))
    assert told["message"].startswith("It is being booked.")


async def test_the_ewaybill_comes_later(uniware: Uniware) -> None:
    dear = asked(totalAmount="60000.0000")
    await uniware.told("/waybill", dear)
    full = with_customs(
        dear, invoice_date="2026-11-20", ewaybill_number="1234 5678 9012", ewaybill_expires_on="31-Dec-2098"
    )
    assert (await uniware.told("/waybill", full))["message"].startswith("It is being booked.")
    invoice = (await uniware.house.call("GET", "/shipments/1")).json()["invoices"][0]
    assert (invoice["ewaybill_number"], invoice["ewaybill_expires_on"]) == ("123456789012", "2098-12-31")


async def test_an_ewaybill_that_was_entered_in_bilty_stays_when_uniware_sends_what_else_was_missing(
    uniware: Uniware,
) -> None:
    sql = """INSERT INTO uniware_defaults SELECT id, '{"needs": ["gstin"]}' FROM facilities"""
    await uniware.house.tools.pool.execute(sql)
    dear = asked(totalAmount="60000.0000")
    held = await uniware.told("/waybill", with_customs(dear, invoice_date="2026-11-20"))
    assert [words in held["message"] for words in ("GSTIN", "no e-way bill")] == [True, True]
    given = {"items": [{"invoice": "INV-1", "number": "123456789012"}]}
    assert (await uniware.house.call("PUT", "/shipments/1/ewaybills", given)).json()["status"] == "on_hold"
    told = await uniware.told("/waybill", with_customs(dear, invoice_date="2026-11-20", gstin="27AAPFU0939F1ZV"))
    assert told["message"].startswith("It is being booked."), told
    invoice = (await uniware.house.call("GET", "/shipments/1")).json()["invoices"][0]
    assert invoice["ewaybill_number"] == "123456789012"


async def test_the_ewaybill_comes_after_the_label(uniware: Uniware) -> None:
    plain = with_customs(asked(), invoice_date="2026-11-20")
    await uniware.told("/waybill", plain)
    await uniware.house.hears(RANKED)
    await uniware.house.labels("AWB1")
    billed = with_customs(asked(), invoice_date="2026-11-20", ewaybill_number="123456789012")
    for document in (billed, billed, plain):
        told = await uniware.told("/waybill", document)
        assert (told["status"], told["waybill"]) == ("SUCCESS", "AWB1")
        invoice = (await uniware.house.call("GET", "/shipments/1")).json()["invoices"][0]
        assert invoice["ewaybill_number"] == "123456789012"
    assert await uniware.count("audit WHERE action = 'e-way bill'") == 1
    wrong = with_customs(
        asked(), invoice_date="2026-11-20", ewaybill_number="123456789099", ewaybill_expires_on="2026-01-01"
    )
    assert (await uniware.told("/waybill", wrong))["status"] == "FAILED"


async def test_of_several_providers_one_must_be_named(uniware: Uniware) -> None:
    await uniware.house.call("PUT", "/shipping-providers/second", PROVIDER)
    told = await uniware.told("/waybill", asked())
    assert "the shipping provider (custom field shipping_provider)" in told["message"]
    shipment = (await uniware.house.call("GET", "/shipments/1")).json()
    assert (shipment["status"], shipment["shipping_provider"]) == ("on_hold", "")
    assert (await uniware.told("/waybill", with_customs(asked(Shipment__code="SP-2"))))["status"] == "FAILED"
    await uniware.house.sign_in()
    for path in (
        "/shipments",
        "/shipments/1",
        "/shipments/2",
        "/shipments/new?like=1",
        "/shipments/new?like=2",
        "/today",
    ):
        await uniware.house.page(path)
    assert (await uniware.told("/waybill", asked()))["message"] == told["message"]
    named = with_customs(asked(), invoice_date="2026-11-20", shipping_provider="second")
    assert (await uniware.told("/waybill", named))["message"].startswith("It is being booked.")
    provider = await uniware.house.tools.pool.fetchval(
        "SELECT p.code FROM turns t JOIN shipping_providers p ON p.id = t.provider_id"
    )
    assert provider == "second"


async def test_a_provider_that_is_not_there_is_told(uniware: Uniware) -> None:
    told = await uniware.told("/waybill", with_customs(asked(), shipping_provider="none", invoice_date="2026-11-20"))
    assert "There is no shipping provider 'none' in Bilty" in told["message"]
    assert await uniware.count("shipments") == 0
    await uniware.told("/waybill", with_customs(asked()))
    told = await uniware.told("/waybill", with_customs(asked(), shipping_provider="none", invoice_date="2026-11-20"))
    assert "There is no shipping provider 'none' in Bilty" in told["message"]
    assert (await uniware.house.call("GET", "/shipments/1")).json()["status"] == "on_hold"
