"""What ClickPost is told once there is an AWB, and what its answers mean."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from aggregator.samples import ADDRESS, FACILITY, NOW, SHIPMENT, booking, envelope, received
from bilty.aggregator import EwaybillTold, PickupBooked, Said
from bilty.aggregator.clickpost import answer, request
from bilty.aggregator.confirming import confirmed
from bilty.aggregator.scripted import Scripted
from bilty.reply import Busy, Denied, Refusal, Refused, Unclear

AT = datetime(2026, 3, 2, 18, 40, tzinfo=UTC)  # ten past midnight in India


def test_an_ewaybill_is_told_by_awb_and_invoice() -> None:
    bill = SHIPMENT.invoices[0]
    said = request.tell_ewaybill(booking(awb="784512"), bill)
    assert (said.method, said.path) == ("POST", "v1/edit-order/")
    assert json.loads(said.body) == {
        "awb_number": "784512",
        "courier_partner": 129,
        "edit_order_service": 2,
        "ewaybill_serial_number": "181234567890",
        "invoice_number": "INV-1",
        "invoice_date": "2026-03-01",
    }


def test_a_pickup_is_asked_for_at_the_facilitys_clock_and_names_the_awb() -> None:
    said = request.ask_pickup(booking(awb="784512"), AT)
    assert (said.method, said.path) == ("POST", "v1/create-pickup/")
    assert json.loads(said.body) == {
        "pickup_date": "2026-03-03T00:10:00+0530",
        "courier_partner": 129,
        "account_code": "Bluedart-Surface",
        "items": "3 boxes, AWB 784512",
        "pickup_name": "Asha",
        "pickup_phone": "9876543210",
        "pickup_email": "",
        "pickup_address": ADDRESS,
        "pickup_city": "Mumbai",
        "pickup_state": "Maharashtra",
        "pickup_pincode": "400001",
        "pickup_country": "IN",
    }


def test_a_saved_place_is_written_out_for_a_pickup() -> None:
    saved = booking(facility=replace(FACILITY, location_code="WH-7"))
    assert json.loads(request.ask_pickup(saved, AT).body)["pickup_address"] == ADDRESS


@pytest.mark.parametrize("code", [200, 202, 102, 323])
def test_what_is_taken_in_is_told(code: int) -> None:
    assert answer.tell_ewaybill(received(envelope(code)), NOW) == EwaybillTold("said")


@pytest.mark.parametrize(
    ("result", "booked"),
    [
        ({"location": "DELKL", "confirmation_number": "6"}, PickupBooked("6", "said")),
        ({"location": None, "confirmation_number": 77}, PickupBooked("77", "said")),
        ({}, PickupBooked("", "said")),
        (None, PickupBooked("", "said")),
        (["6"], PickupBooked("", "said")),
    ],
)
def test_a_pickup_is_booked_with_or_without_its_number(result: object, booked: PickupBooked) -> None:
    assert answer.ask_pickup(received(envelope(200, result)), NOW) == booked


@pytest.mark.parametrize("read", [answer.tell_ewaybill, answer.ask_pickup])
@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (321, Refusal.COURIER),
        (330, Refusal.COURIER),
        (319, Refusal.COURIER),
        (422, Refusal.DATA),
        (400, Refusal.DATA),
        (301, Refusal.ACCOUNT),
        (351, Refusal.COURIER_ACCOUNT),
    ],
)
def test_a_definite_no(read: object, code: int, refusal: Refusal) -> None:
    assert callable(read)
    assert read(received(envelope(code)), NOW) == Refused(refusal, code, "said")


@pytest.mark.parametrize("read", [answer.tell_ewaybill, answer.ask_pickup])
@pytest.mark.parametrize(
    "unclear",
    [
        received(envelope(500)),
        received(envelope(329)),
        received(envelope(777)),
        received(b"<html>", 502),
        received(b"{", 200),
        received(b'{"message": "not found"}', 404),
        received(envelope(319, message="pickup already exists")),
    ],
)
def test_whatever_else_is_unclear(read: object, unclear: object) -> None:
    assert callable(read)
    assert isinstance(read(unclear, NOW), Unclear)


def test_too_many_is_busy() -> None:
    heard = answer.ask_pickup(received(envelope(429), 429, retry_after="30"), NOW)
    assert heard == Busy("said", 30.0)


NO = Refused(Refusal.ACCOUNT, 301, "who are you")


@pytest.mark.parametrize(
    ("accounts", "reply"), [(None, NO), (NO, Denied("who are you")), (Unclear("HTTP 502"), Busy("who are you"))]
)
async def test_an_answer_about_our_account_is_checked_once(accounts: object, reply: object) -> None:
    aggregator = Scripted()
    if accounts is not None:
        aggregator.say("accounts", accounts)
    assert (await confirmed(aggregator, Said(NO))).reply == reply
    assert aggregator.calls == {"accounts": 1}


async def test_any_other_answer_is_taken_as_it_is() -> None:
    aggregator = Scripted()
    other = Said(Refused(Refusal.COURIER, 319, "no van"))
    assert await confirmed(aggregator, other) == other
    assert aggregator.calls == {}
