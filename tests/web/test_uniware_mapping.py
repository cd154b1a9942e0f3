"""Uniware's document read into Bilty's: exact to the gram, told in Uniware's names, and never an exception."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilty.intake import Accepted, IntakeRules, Rejected
from bilty.intake.uniware import (
    CUSTOM_FIELDS,
    About,
    Defaults,
    Need,
    code_of,
    facility_named,
    parse_update,
    parse_waybill,
    waybill_of,
)
from bilty.intake.uniware import (
    asked as hash_of,
)
from bilty.intake.uniware.boxes import split
from bilty.intake.uniware.facility import missing, name_of
from bilty.shipment import Shipment, lacks_data
from bilty.web.uniware.details import DISPATCHED, NOT_FOUND, STATUSES
from web.uniware import Document, asked, with_customs

TODAY = date(2026, 11, 23)
RULES = IntakeRules()
ABOUT = About("BLR-1", "clickpost-b2b", Defaults(), TODAY)


def taken(document: object, about: About = ABOUT) -> Accepted:
    found = parse_waybill(document, about, RULES, TODAY)
    assert isinstance(found, Accepted), found
    return found


def told(document: object, about: About = ABOUT) -> list[str]:
    found = parse_waybill(document, about, RULES, TODAY)
    assert isinstance(found, Rejected), found
    return [fault.message for fault in found.faults]


def test_millimetres_are_rounded_up_to_centimetres_and_weights_to_grams() -> None:
    boxes = taken(asked(Shipment__length="401.01", Shipment__height="9", Shipment__weight="1000.0001")).shipment.boxes
    assert [(box.length_cm, box.breadth_cm, box.height_cm) for box in boxes] == [(41, 30, 1)] * 2
    assert [box.weight_g for box in boxes] == [501, 500]


@given(grams=st.integers(1, 999_000_000), count=st.integers(1, 999))
def test_the_weight_is_split_evenly_and_exactly(grams: int, count: int) -> None:
    parts = split(max(grams, count), count)
    weights = [part.weight_g for part in parts for _ in range(part.count)]
    assert (sum(weights), len(weights)) == (max(grams, count), count)
    assert max(weights) - min(weights) <= 1


def test_strings_and_numbers_say_the_same() -> None:
    strings = asked(totalAmount="11800.0000", returnShipmentFlag="false", Shipment__numberOfBoxes="2")
    numbers = asked(totalAmount=11800.0, returnShipmentFlag=False, Shipment__numberOfBoxes=2, Shipment__length=401)
    assert taken(strings) == taken(numbers)


def test_cash_on_delivery_is_what_is_to_be_collected() -> None:
    payment = taken(asked(paymentMode="COD", collectableAmount="11800.5000")).shipment.payment
    assert (payment.mode, payment.cod_amount) == ("cod", Decimal("11800.50"))
    assert told(asked(paymentMode="COD", collectableAmount=""))[0].startswith("collectableAmount is 0 or missing")
    assert told(asked(collectableAmount="5"))[0].startswith("collectableAmount is given for a prepaid shipment")


def test_contents_are_told_alike_where_they_divide_and_not_at_all_where_they_do_not() -> None:
    items = asked()["Shipment"]["items"]
    boxes = taken(asked(Shipment__numberOfBoxes="4")).shipment.boxes
    assert [box.items[0].quantity for box in boxes] == [5] * 4
    assert all(not box.items for box in taken(asked(Shipment__numberOfBoxes="3")).shipment.boxes)
    one = taken(asked(Shipment__numberOfBoxes="1", Shipment__items=[{**items[0], "quantity": "7.0000"}])).shipment
    assert (one.boxes[0].items[0].quantity, one.boxes[0].items[0].unit_price) == (7, Decimal("590.00"))
    long = taken(asked(Shipment__numberOfBoxes="1", Shipment__items=[{**items[0], "name": "word\n " * 90}])).shipment
    assert len(long.boxes[0].items[0].description) <= 100
    many = asked(Shipment__numberOfBoxes="900", Shipment__items=[{**items[0], "quantity": 900}] * 6)
    assert all(not box.items for box in taken(many).shipment.boxes), "a shipment is not refused for its contents"


def test_boxes_that_differ_come_in_a_custom_field() -> None:
    apart = with_customs(asked(Shipment__numberOfBoxes="3"), boxes="2*40x30x25@12500; 60x30x25@8000")
    sizes = [(box.length_cm, box.weight_g) for box in taken(apart).shipment.boxes]
    assert sizes == [(40, 12500), (40, 12500), (60, 8000)]
    unweighed = with_customs(
        asked(Shipment__numberOfBoxes="3", Shipment__weight="100"), boxes="2*40x30x25;60 X 30 X 25"
    )
    assert [box.weight_g for box in taken(unweighed).shipment.boxes] == [34, 33, 33]
    counted = told(with_customs(asked(), boxes="3*40x30x25"))
    assert 'custom field boxes is "3*40x30x25": its counts add up to 3, and numberOfBoxes is 2.' in counted


@pytest.mark.parametrize(
    "boxes", ["40x30", "0*40x30x25", "2*0x30x25", "40x30x25@1;40x30x25", ";", "4x4x4@0", 5, "x" * 99]
)
def test_boxes_that_cannot_be_read_are_told(boxes: Any) -> None:
    assert any(message.startswith("custom field boxes is ") for message in told(with_customs(asked(), boxes=boxes)))


@pytest.mark.parametrize(
    "written", ["20-Nov-2026", "20-nov-2026 00:00:00", "2026-11-20", "2026-11-20 13:00:01", "20-NOV-2026"]
)
def test_days_are_read_as_uniware_writes_them(written: str) -> None:
    assert taken(with_customs(asked(), invoice_date=written)).shipment.invoices[0].date == date(2026, 11, 20)


@pytest.mark.parametrize("written", ["31-Feb-2026", "20/11/2026", "yesterday", "20-Nuv-2026", "99-Nov-2026"])
def test_days_that_are_none_are_told(written: str) -> None:
    (message,) = told(with_customs(asked(), invoice_date=written))
    assert message.startswith(f'custom field invoice_date is "{written}": ')


@pytest.mark.parametrize(
    "written", ["ewaybill_number", "E-Way Bill Number", "bilty_ewaybill_number", "EWayBill-number "]
)
def test_a_custom_field_is_known_however_its_name_is_written(written: str) -> None:
    document = with_customs(asked(totalAmount="60000"), **{written: "123456789012", "invoice_date": "2026-11-20"})
    assert taken(document).shipment.invoices[0].ewaybill_number == "123456789012"


def test_a_shipments_own_custom_field_goes_before_the_requests() -> None:
    document = with_customs(asked(), invoice_date="2026-11-20", purchase_order="PO-1")
    document["customField"] = [{"name": "purchase_order", "value": "PO-2"}, {"name": "organisation", "value": "Org"}]
    shipment = taken(document).shipment
    assert shipment.purchase_orders[0].number == "PO-1"
    assert (shipment.consignee.organisation, shipment.consignee.name) == ("Org", "Sahyadri Distributors")
    assert {box.purchase_order for box in shipment.boxes} == {"PO-1"}


def test_what_the_address_says_otherwise_is_found() -> None:
    to = asked()["deliveryAddressDetails"]
    other = {**to, "phone": "", "alternatePhone": "080 2222 1111", "state": "", "stateCode": "IN-MH", "country": ""}
    consignee = taken(asked(deliveryAddressDetails=other)).shipment.consignee
    assert (consignee.phone, consignee.state) == ("8022221111", "MH")
    abroad = told(asked(deliveryAddressDetails={**to, "country": "Nepal"}))
    assert abroad[0].startswith('deliveryAddressDetails.country is "Nepal"')


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"returnShipmentFlag": "perhaps"}, 'returnShipmentFlag is "perhaps": give true or false.'),
        ({"currencyCode": "USD"}, 'currencyCode is "USD": couriers in India are told rupees; give INR.'),
        ({"paymentMode": "CARD"}, 'paymentMode is "CARD": give "prepaid" or "cod".'),
        ({"totalAmount": "1,000"}, 'totalAmount is "1,000": write the rupees without commas'),
        ({"totalAmount": "-5"}, 'totalAmount is "-5": give rupees'),
        ({"Shipment__code": "SP 1"}, 'Shipment.code is "SP 1": give 1 to 30 letters'),
        ({"Shipment__weight": "0.0000"}, 'Shipment.weight is "0.0000": give grams above 0'),
        ({"Shipment__weight": "1"}, 'Shipment.weight is "1": that is too little for 2 boxes'),
        ({"Shipment__length": "7000"}, 'Shipment.length is "7000": give millimetres above 0 and up to 6,000'),
        ({"Shipment__numberOfBoxes": "0"}, 'Shipment.numberOfBoxes is "0": give a whole number of boxes'),
        (
            {"Shipment__numberOfBoxes": "1", "Shipment__weight": "2000000"},
            "Shipment.weight is 2000000: give whole grams",
        ),
        ({"Shipment__items": {}}, "Shipment.items is an object: give a list of objects."),
        ({"deliveryAddressDetails__pincode": "0"}, "deliveryAddressDetails.pincode is "),
        ({"deliveryAddressDetails__gstin": "29AAGCB7383J1Z5"}, "deliveryAddressDetails.gstin is "),
        ({"deliveryAddressDetails": "Pune"}, 'deliveryAddressDetails is "Pune": give an object'),
    ],
)
def test_faults_are_told_in_uniwares_names(changed: Document, message: str) -> None:
    (said,) = told(asked(**changed))
    assert said.startswith(message)


def test_an_expired_ewaybill_is_told_with_its_field() -> None:
    customs = {"invoice_date": "2026-11-20", "ewaybill_number": "123456789012", "ewaybill_expires_on": "20-Nov-2026"}
    (said,) = told(with_customs(asked(), **customs))
    assert said.startswith("custom field ewaybill_expires_on: The e-way bill expired on 20 Nov 2026")


def test_nothing_is_made_up_for_what_is_missing() -> None:
    held = taken(with_customs(asked(totalAmount="60000")), About("BLR-1", "", Defaults(), TODAY))
    assert (held.shipment.invoices, held.shipment.shipping_provider) == ((), "")
    assert {box.invoice for box in held.shipment.boxes} == {""}
    assert held.hold is not None
    assert lacks_data(held.hold)
    stored = msgspec.json.decode(msgspec.json.encode(held.shipment), type=Shipment)
    assert stored == held.shipment


def test_a_facility_may_never_send_without() -> None:
    held = taken(asked(), About("BLR-1", "clickpost-b2b", Defaults(needs=frozenset(Need)), TODAY))
    assert held.hold is not None
    assert held.shipment.invoices, "what is there stays"
    for words in ("GSTIN", "purchase order", "taxes"):
        assert words in held.hold


def test_what_is_the_same_has_the_same_hash_and_what_differs_another() -> None:
    assert hash_of(asked()) == hash_of(asked(handOverMode="Drop", fullFilllmentTat="", courierName="X"))
    changes: tuple[Document, ...] = (
        {"totalAmount": "1"},
        {"Shipment__weight": "9"},
        {"deliveryAddressDetails__city": "Mumbai"},
        {"Shipment__customField": []},
    )
    for changed in changes:
        assert hash_of(asked(**changed)) != hash_of(asked())


def test_the_page_tells_every_custom_field_and_every_status() -> None:
    told = (Path(__file__).parents[2] / "docs/uniware.md").read_text("utf-8")
    columns = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    names = {name for column in columns for name in re.findall(r"`([^`]+)`", column)}
    assert names == {*CUSTOM_FIELDS, *STATUSES.values(), DISPATCHED, NOT_FOUND}
    assert all(CUSTOM_FIELDS.values()), "each says what it holds"


# Never an exception

ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["", " ", "0", "1e5", "nan", "-1", "١٢", "53.4000", "\0", "\ud800", "9" * 400, "true"])
)
JSON = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def nearly(draw: st.DrawFn) -> object:
    """The documented shape with some of its values replaced by anything."""
    document = asked()
    parts = [document, document["Shipment"], document["deliveryAddressDetails"], document["Shipment"]["items"][0]]
    for _ in range(draw(st.integers(1, 5))):
        part = draw(st.sampled_from(parts))
        part[draw(st.sampled_from(sorted(part)))] = draw(JSON)
    if draw(st.booleans()):
        name, value = draw(st.sampled_from(sorted(CUSTOM_FIELDS))), draw(JSON)
        document["customField"] = [{"name": name, "value": value}, draw(JSON)]
    return document


ABOUTS = st.builds(
    About,
    facility=st.sampled_from([missing(), "BLR-1"]),
    provider=st.sampled_from(["", "clickpost-b2b"]),
    defaults=st.builds(
        Defaults,
        shipping_provider=st.just(""),
        invoice_of_the_day=st.booleans(),
        box_cm=st.none() | st.just((40, 30, 25)),
        needs=st.frozensets(st.sampled_from(Need)),
    ),
    asked_on=st.just(TODAY),
)


@settings(max_examples=300, deadline=None)
@given(document=JSON | nearly(), about=ABOUTS)
def test_whatever_is_sent_is_read_or_refused(document: object, about: About) -> None:
    found = parse_waybill(document, about, RULES, TODAY)
    if isinstance(found, Rejected):
        assert found.faults
        assert all(fault.message.isprintable() for fault in found.faults)
        return
    assert about.facility == "BLR-1"
    shipment = found.shipment
    assert 1 <= len(shipment.boxes) <= 999
    assert msgspec.json.decode(msgspec.json.encode(shipment), type=Shipment) == shipment
    whole = bool(shipment.invoices) and bool(shipment.shipping_provider)
    assert whole or lacks_data(found.hold or "")


@pytest.mark.parametrize("quantity", [False, True])
def test_a_quantity_that_is_no_number_is_not_divided(quantity: object) -> None:
    document = asked()
    document["Shipment"]["items"][0]["quantity"] = quantity
    assert len(hash_of(document)) == 32
    assert all(not box.items for box in taken(document).shipment.boxes)


@settings(max_examples=200, deadline=None)
@given(document=JSON | nearly())
def test_what_is_looked_up_beforehand_is_never_an_exception(document: object) -> None:
    assert isinstance(code_of(document), str)
    assert isinstance(waybill_of(document), str)
    named = facility_named(document)
    assert all(isinstance(name_of(given), str) for given in (named.custom, named.pickup_address_id))
    assert len(hash_of(document)) == 32
    stored = taken(asked()).shipment
    updated = parse_update(document, stored)
    assert isinstance(updated, Rejected) or updated.weight_g >= len(updated.boxes)
