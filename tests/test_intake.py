"""Intake as a specification: one good shipment, small changes to it, and what is said of each."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilty.intake import (
    Accepted,
    Fault,
    IntakeRules,
    Rejected,
    facility_warnings,
    parse_connector,
    parse_facility,
    parse_provider,
    parse_shipment,
)
from bilty.intake.limits import FAULTS_MAX
from bilty.shipment import Facility, PaymentMode, Weekday, decode, digest, encode
from bilty.shipping_provider import Connector, Kind, ShippingProvider

TODAY = date(2026, 11, 25)
RULES = IntakeRules()
SECRET = "k-7f3a-do-not-tell"

Document = dict[str, Any]


def good() -> Document:
    return {
        "number": "SO-1001",
        "order_number": "PO/26-27/88",
        "facility": "BLR-1",
        "shipping_provider": "clickpost-b2b",
        "consignee": {
            "name": "Receiving desk",
            "organisation": "Sahyadri Distributors",
            "phone": "9876543210",
            "email": "receiving@example.com",
            "address": "Plot 14, Industrial Area",
            "city": "Pune",
            "state": "Maharashtra",
            "pincode": "411018",
            "country": "IN",
            "gstin": "27AAPFU0939F1ZV",
        },
        "payment": {"mode": "prepaid", "cod_amount": "0.00"},
        "invoices": [{"number": "INV-1", "date": "2026-11-20", "value": "23600.00"}],
        "purchase_orders": [{"number": "PO-1", "expires_on": "2030-03-31"}],
        "boxes": [
            {
                "count": 2,
                "length_cm": 50,
                "breadth_cm": 40,
                "height_cm": 30,
                "weight_g": 12500,
                "invoice": "INV-1",
                "purchase_order": "PO-1",
                "items": [
                    {"sku": "K-15", "description": "Kettle", "hsn": "851610", "quantity": 4, "unit_price": "740"}
                ],
            },
            {"length_cm": 20, "breadth_cm": 20, "height_cm": 20, "weight_g": 2000},
        ],
        "appointment": {"starts_at": "2026-11-28T10:00:00+05:30", "ends_at": "2026-11-28T12:00:00+05:30", "id": "A1"},
        "pickup_at": "2026-11-26T11:30:00Z",
        "schedule": True,
    }


def put(document: Document, path: str, value: object) -> Document:
    """`document` with `value` at a path such as `boxes.0.weight_g`."""
    changed = deepcopy(document)
    *outer, last = path.split(".")
    at: Any = changed
    for step in outer:
        at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
    if last.isdigit():
        at[int(last)] = value
    else:
        at[last] = value
    return changed


def without(document: Document, path: str) -> Document:
    changed = put(document, path, None)
    *outer, last = path.split(".")
    at: Any = changed
    for step in outer:
        at = at[int(step)] if step.isdigit() else at[step]
    del at[last]
    return changed


def taken(document: object, rules: IntakeRules = RULES) -> Accepted:
    verdict = parse_shipment(document, rules, TODAY)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def refused(document: object) -> tuple[Fault, ...]:
    verdict = parse_shipment(document, RULES, TODAY)
    assert isinstance(verdict, Rejected), verdict
    return verdict.faults


def refused_for(document: object, field: str) -> str:
    (fault,) = refused(document)
    assert fault.field == field
    return fault.message


def warned(document: object) -> dict[str, str]:
    return {warning.field: warning.message for warning in taken(document).warnings}


# What is taken, and as what


def test_a_good_shipment_is_taken_without_a_word() -> None:
    verdict = taken(good())
    assert (verdict.schedule, verdict.warnings, verdict.hold) == (True, (), None)
    shipment = verdict.shipment
    assert [box.weight_g for box in shipment.boxes] == [12500, 12500, 2000]
    assert shipment.boxes[0].items[0].unit_price == Decimal("740.00")
    assert shipment.pickup_at == datetime(2026, 11, 26, 11, 30, tzinfo=UTC)
    assert decode(encode(shipment)) == shipment


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("consignee.country", None),
        ("consignee.country", "India"),
        ("consignee.email", "  receiving@example.com "),
        ("consignee.phone", "+91 98765-43210"),
        ("consignee.phone", 9876543210),
        ("consignee.phone", "09876543210"),
        ("consignee.pincode", 411018),
        ("consignee.gstin", " 27aapfu0939f1zv"),
        ("payment.cod_amount", 0),
        ("payment.cod_amount", None),
        ("payment.mode", "PREPAID"),
        ("invoices.0.value", 23600),
        ("invoices.0.value", 23600.0),
        ("invoices.0.value", "23600.0"),
        ("boxes.0.weight_g", "12500"),
        ("boxes.0.weight_g", 12500.0),
        ("boxes.0.items.0.unit_price", "740.00"),
        ("pickup_at", "2026-11-26T17:00:00+0530"),
        ("delivery_type", "FORWARD"),
        ("reverse", False),
        ("freight", None),
    ],
)
def test_one_meaning_has_one_digest_however_it_is_written(path: str, value: object) -> None:
    assert digest(taken(put(good(), path, value)).shipment) == digest(taken(good()).shipment)


def test_an_address_is_kept_byte_for_byte() -> None:
    address = "  Plot 14,\r\n\tIndustrial Area  "
    assert taken(put(good(), "consignee.address", address)).shipment.consignee.address == address


def test_other_text_is_trimmed() -> None:
    assert taken(put(good(), "consignee.city", "  Pune ")).shipment.consignee.city == "Pune"


@pytest.mark.parametrize(
    "path",
    [
        "order_number",
        "consignee.email",
        "consignee.country",
        "consignee.gstin",
        "payment.cod_amount",
        "appointment",
        "appointment.id",
        "pickup_at",
        "schedule",
        "boxes.0.count",
        "boxes.0.invoice",
        "boxes.0.purchase_order",
        "boxes.0.items",
    ],
)
def test_what_may_be_left_out(path: str) -> None:
    assert taken(without(good(), path)).warnings == ()


def test_without_an_order_number_it_is_the_shipments_number() -> None:
    assert taken(without(good(), "order_number")).shipment.order_number == "SO-1001"


def test_nothing_is_scheduled_unasked() -> None:
    assert taken(without(good(), "schedule")).schedule is False


def test_cash_on_delivery() -> None:
    payment = taken(put(good(), "payment", {"mode": "cod", "cod_amount": "23600.00"})).shipment.payment
    assert (payment.mode, payment.cod_amount) == (PaymentMode.COD, Decimal("23600.00"))


def test_999_boxes_are_taken_and_1000_are_not() -> None:
    assert len(taken(put(good(), "boxes.0.count", 998)).shipment.boxes) == 999
    message = refused_for(put(good(), "boxes.0.count", 999), "boxes")
    assert message == "The counts of boxes add up to 1,000: divide the shipment, 999 boxes at most."


# What is refused, and in which words

ONE_LINE = "2026-11-25T10:00:00+05:30"


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        ("boxes.0.weight_g", 0, "boxes[0].weight_g", "weight_g is 0: give whole grams from 1 to 10,00,000 (1,000 kg)."),
        (
            "boxes.1.weight_g",
            1_000_001,
            "boxes[1].weight_g",
            "weight_g is 1000001: give whole grams from 1 to 10,00,000 (1,000 kg).",
        ),
        ("boxes.0.length_cm", 601, "boxes[0].length_cm", "length_cm is 601: give whole centimetres from 1 to 600."),
        ("boxes.0.length_cm", 1.5, "boxes[0].length_cm", "length_cm is 1.5: give whole centimetres from 1 to 600."),
        ("boxes.0.length_cm", True, "boxes[0].length_cm", "length_cm is true: give whole centimetres from 1 to 600."),
        (
            "boxes.0.height_cm",
            None,
            "boxes[0].height_cm",
            "height_cm is missing: give whole centimetres from 1 to 600.",
        ),
        ("boxes.0.count", 0, "boxes[0].count", "count is 0: give a whole number of boxes from 1 to 999."),
        (
            "boxes.0.invoice",
            "INV-9",
            "boxes[0].invoice",
            'invoice "INV-9" is not among the shipment\'s invoices: add it there, or name one that is.',
        ),
        (
            "boxes.0.purchase_order",
            "PO-9",
            "boxes[0].purchase_order",
            'purchase_order "PO-9" is not among the shipment\'s purchase_orders: add it there, or name one that is.',
        ),
        (
            "boxes.0.items.0.quantity",
            0,
            "boxes[0].items[0].quantity",
            "quantity is 0: give a whole number of pieces from 1 to 10,00,000.",
        ),
        (
            "boxes.0.items.0.hsn",
            "123",
            "boxes[0].items[0].hsn",
            'hsn is "123": give an HSN code of 2, 4, 6 or 8 digits, as in 61091000.',
        ),
        (
            "boxes.0.wieght_g",
            1,
            "boxes[0].wieght_g",
            "wieght_g is not a field here: did you mean weight_g?",
        ),
        (
            "payment.currency",
            "INR",
            "payment.currency",
            "currency is not a field here: the fields here are cod_amount, mode.",
        ),
        (
            "number",
            "SO 1001",
            "number",
            'number is "SO 1001": give 1 to 30 letters, digits or the signs / _ . and -.',
        ),
        (
            "number",
            "x" * 31,
            "number",
            f'number is "{"x" * 31}": give 1 to 30 letters, digits or the signs / _ . and -.',
        ),
        (
            "consignee.pincode",
            "012345",
            "consignee.pincode",
            'pincode is "012345": no PIN code begins with 0; copy it again from the purchase order.',
        ),
        (
            "consignee.pincode",
            "41101",
            "consignee.pincode",
            'pincode is "41101": give a PIN code of 6 digits, as in 560001.',
        ),
        (
            "consignee.gstin",
            "27AAPFU0939F1ZO",
            "consignee.gstin",
            (
                'gstin is "27AAPFU0939F1ZO": its last character does not fit the others; '
                "copy it again from the registration certificate."
            ),
        ),
        (
            "consignee.gstin",
            "27AAPFU0939F1Z",
            "consignee.gstin",
            'gstin is "27AAPFU0939F1Z": give the 15 characters of the registration certificate, as in 27AAPFU0939F1ZV.',
        ),
        (
            "consignee.phone",
            "98765",
            "consignee.phone",
            'phone is "98765": give one Indian number of 10 to 12 digits, as in 9876543210 or 080 2222 1111.',
        ),
        (
            "consignee.phone",
            "+1 415 555 2671",
            "consignee.phone",
            'phone is "+1 415 555 2671": couriers in India call only numbers of India, and this one begins with +1.',
        ),
        (
            "consignee.email",
            "stores at example.com",
            "consignee.email",
            'email is "stores at example.com": give one address of at most 100 characters, as in "stores@example.com".',
        ),
        (
            "consignee.country",
            "NP",
            "consignee.country",
            'country is "NP": give "IN" or leave it out, because ClickPost B2B carries within India only.',
        ),
        ("consignee.name", "", "consignee.name", "name is missing: give 1 to 100 characters."),
        ("consignee.city", "x" * 51, "consignee.city", f'city is "{"x" * 51}": give 1 to 50 characters.'),
        (
            "consignee.name",
            "A\x00B",
            "consignee.name",
            'name is "A\\x00B": take out the control character U+0000 at position 2.',
        ),
        (
            "consignee.name",
            "A\ud800",
            "consignee.name",
            'name is "A\\ud800": take out the control character U+D800 at position 2.',
        ),
        (
            "consignee.name",
            "A\u202eB",
            "consignee.name",
            'name is "A\\u202eB": take out the control character U+202E at position 2.',
        ),
        (
            "consignee",
            "Pune",
            "consignee",
            (
                'consignee is "Pune": give an object with address, city, code, country, email, gstin, name, '
                "organisation, phone, pincode, state."
            ),
        ),
        ("payment.mode", "later", "payment.mode", 'mode is "later": give "prepaid" or "cod".'),
        (
            "payment.cod_amount",
            "5",
            "payment.cod_amount",
            "cod_amount is given for a prepaid shipment: leave it out, or give mode cod.",
        ),
        (
            "payment",
            {"mode": "cod"},
            "payment.cod_amount",
            "cod_amount is 0 or missing: give the rupees to collect, or give mode prepaid.",
        ),
        (
            "invoices.0.value",
            "1,25,000",
            "invoices[0].value",
            'value is "1,25,000": write the rupees without commas or ₹, as in "125000.00".',
        ),
        (
            "invoices.0.value",
            "-1",
            "invoices[0].value",
            'value is "-1": give rupees from 0.00 to 99,99,99,999.99 with at most 2 decimals, as in "1250.00".',
        ),
        (
            "invoices.0.value",
            0.125,
            "invoices[0].value",
            'value is 0.125: give rupees from 0.00 to 99,99,99,999.99 with at most 2 decimals, as in "1250.00".',
        ),
        (
            "invoices.0.value",
            1_000_000_000,
            "invoices[0].value",
            'value is 1000000000: give rupees from 0.00 to 99,99,99,999.99 with at most 2 decimals, as in "1250.00".',
        ),
        (
            "invoices.0.date",
            "2026-11-27",
            "invoices[0].date",
            "date is in the future: give the day of the invoice, 25 Nov 2026 at the latest.",
        ),
        (
            "invoices.0.date",
            "25/11/2026",
            "invoices[0].date",
            'date is "25/11/2026": give a date as year-month-day, as in 2026-11-25.',
        ),
        (
            "invoices.0.date",
            "2026-02-30",
            "invoices[0].date",
            'date is "2026-02-30": there is no such day in the calendar.',
        ),
        (
            "invoices.0.ewaybill_number",
            "18100012",
            "invoices[0].ewaybill_number",
            'ewaybill_number is "18100012": give an e-way bill number of 12 digits.',
        ),
        (
            "invoices.0.ewaybill_expires_on",
            "2026-12-01",
            "invoices[0].ewaybill_expires_on",
            "ewaybill_expires_on is given without ewaybill_number: give the number too, or leave both out.",
        ),
        (
            "invoices",
            [],
            "invoices",
            (
                "invoices is a list of 0: give a list of 1 to 100 objects, each with cgst, date, ewaybill_expires_on, "
                "ewaybill_number, igst, number, sgst, taxable_value, value."
            ),
        ),
        (
            "pickup_at",
            "2026-11-26T10:00:00",
            "pickup_at",
            (
                'pickup_at is "2026-11-26T10:00:00": it does not say its offset from UTC; '
                "for Indian time write 2026-11-26T10:00:00+05:30."
            ),
        ),
        (
            "pickup_at",
            "tomorrow",
            "pickup_at",
            f'pickup_at is "tomorrow": give a time with its offset, as in {ONE_LINE}.',
        ),
        (
            "appointment.ends_at",
            "2026-11-28T10:00:00+05:30",
            "appointment.ends_at",
            "ends_at is not after starts_at: give the hour at which the consignee's slot closes.",
        ),
        (
            "appointment.ends_at",
            "2026-11-29T10:00:01+05:30",
            "appointment.ends_at",
            "ends_at is more than 24 hours after starts_at: give the slot of one day.",
        ),
        (
            "appointment",
            {"starts_at": "2026-11-24T10:00:00+05:30", "ends_at": "2026-11-24T23:59:00+05:30"},
            "appointment.ends_at",
            "The appointment was over on 24 Nov 2026: give one of today or later, or leave it out.",
        ),
        (
            "appointment.id",
            "A" * 51,
            "appointment.id",
            f'id is "{"A" * 51}": give 1 to 50 characters.',
        ),
        ("schedule", "yes", "schedule", 'schedule is "yes": give true or false.'),
    ],
)
def test_a_fault_says_where_what_and_the_remedy(path: str, value: object, field: str, message: str) -> None:
    assert refused_for(put(good(), path, value), field) == message


FREIGHT = "ClickPost's B2B payload cannot carry freight that the consignee pays"
RISK = "ClickPost's B2B payload cannot carry risk cover (ROV)"
REVERSE = "ClickPost's B2B payload cannot carry what a reverse pickup needs"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("freight", "to_pay", FREIGHT),
        ("to_pay", True, FREIGHT),
        ("payment.to_pay", True, FREIGHT),
        ("payment.mode", "to_pay", FREIGHT),
        ("payment.mode", "ToPay", FREIGHT),
        ("payment.mode", "fod", FREIGHT),
        ("rov", True, RISK),
        ("rov_insurance", 500, RISK),
        ("risk", "carrier", RISK),
        ("delivery_type", "rvp", REVERSE),
        ("delivery_type", "REVERSE", REVERSE),
        ("reverse_pickup", True, REVERSE),
    ],
)
def test_what_the_payload_cannot_carry_is_refused_by_name(path: str, value: object, reason: str) -> None:
    name = path.rpartition(".")[2]
    assert refused_for(put(good(), path, value), path).startswith(f"{name} is {json.dumps(value)}: {reason}")


@pytest.mark.parametrize(("tax", "named"), [("cgst", "cgst"), ("sgst", "sgst")])
def test_a_sale_is_within_a_state_or_across_states(tax: str, named: str) -> None:
    document = put(put(good(), "invoices.0.igst", "1.00"), f"invoices.0.{tax}", "1.00")
    assert refused_for(document, "invoices[0].igst").startswith(f"{named} and igst are both given: a sale within")


def test_an_appointment_behind_a_purchase_orders_last_day_is_held() -> None:
    document = put(good(), "purchase_orders.0.expires_on", "2026-11-27")
    held = taken(document).hold
    assert held == (
        "Its days do not fit: Purchase order PO-1 expires on 27 Nov 2026, and the appointment is on 28 Nov 2026: "
        "give another appointment, or ask the buyer for a longer purchase order and enter its last day."
    )
    assert taken(put(document, "purchase_orders.0.expires_on", "2026-11-28")).hold is None
    assert taken(without(document, "appointment")).hold is None  # what the connector will promise is not known yet
    both = taken(put(document, "invoices.0.value", "59000.00")).hold or ""
    assert both.endswith(held)
    assert "has no e-way bill" in both
    sent = taken(put(document, "invoices.0.value", "59000.00"), replace(RULES, ewaybill_missing="send")).hold
    assert sent == held


def test_an_expired_ewaybill_is_refused() -> None:
    document = put(good(), "invoices.0.ewaybill_number", "181000000001")
    message = refused_for(
        put(document, "invoices.0.ewaybill_expires_on", "2026-11-24"), "invoices[0].ewaybill_expires_on"
    )
    assert message == "The e-way bill expired on 24 Nov 2026: extend it or make a new one, and give its last day."
    today = put(document, "invoices.0.ewaybill_expires_on", "2026-11-25")
    assert "before the pickup on 26 Nov 2026" in (taken(today).hold or "")
    assert taken(without(today, "pickup_at")).hold is None


def test_an_invoice_may_be_dated_a_day_ahead() -> None:
    assert taken(put(good(), "invoices.0.date", "2026-11-26")).warnings == ()


@pytest.mark.parametrize(("name", "first"), [("invoices", "INV-1"), ("purchase_orders", "PO-1")])
def test_numbers_of_papers_are_unique(name: str, first: str) -> None:
    papers = good()[name]
    message = refused_for(put(good(), name, papers * 2), f"{name}[1].number")
    assert message == f'number "{first}" is also {name}[0]: each may stand in the list once, so leave one out.'


def test_a_sale_is_within_a_state_or_across() -> None:
    document = put(put(good(), "invoices.0.cgst", "1800"), "invoices.0.igst", "1800")
    assert refused_for(document, "invoices[0].igst").startswith("cgst and igst are both given:")


def test_all_faults_are_told_at_once() -> None:
    document = good()
    for path, value in [
        ("number", "?"),
        ("consignee.pincode", "0"),
        ("consignee.phone", "1"),
        ("invoices.0.number", ""),
        ("boxes.0.weight_g", -1),
        ("boxes.1.height_cm", "tall"),
        ("pickup_at", 7),
    ]:
        document = put(document, path, value)
    assert {fault.field for fault in refused(document)} == {
        "number",
        "consignee.pincode",
        "consignee.phone",
        "invoices[0].number",
        "boxes[0].weight_g",
        "boxes[1].height_cm",
        "pickup_at",
    }


@pytest.mark.parametrize("document", [None, [], "x", 7, True, 1.5])
def test_what_is_no_object_is_one_fault(document: object) -> None:
    (fault,) = refused(document)
    assert fault.field == ""
    assert fault.message.startswith("The shipment is ")


def test_nonsense_is_told_to_a_bound() -> None:
    faults = refused(good() | {f"x{n}": n for n in range(10_000)})
    assert len(faults) == FAULTS_MAX + 1
    assert faults[-1].message == "There are more than 200 faults: put these right first."


def test_a_long_value_is_shown_short() -> None:
    (fault,) = refused(put(good(), "consignee.city", "x" * 1_000_000))
    assert len(fault.value) == 80


# What is taken with a warning, or on hold


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        (
            "consignee.pincode",
            "999999",
            "consignee.pincode",
            "PIN 999999 is not in the postal directory that comes with Bilty: check it before booking.",
        ),
        (
            "consignee.pincode",
            "560001",
            "consignee.pincode",
            "PIN 560001 lies in Karnataka, but the state is Maharashtra: check both.",
        ),
        (
            "consignee.gstin",
            "29AAPFU0939F1ZR",
            "consignee.gstin",
            "GSTIN 29AAPFU0939F1ZR is registered in Karnataka, but the state is Maharashtra: check both.",
        ),
        (
            "consignee.phone",
            "9876543210 ext. 12",
            "consignee.phone",
            "Extension 12 is left out: couriers are given 9876543210.",
        ),
        (
            "consignee.phone",
            "1111111111",
            "consignee.phone",
            "No operator in India is known to use 1111111111: check the number.",
        ),
        (
            "payment",
            {"mode": "cod", "cod_amount": "23600.01"},
            "payment.cod_amount",
            "₹23,600.01 is to be collected for invoices of ₹23,600.00: check the amount.",
        ),
        (
            "invoices.0.cgst",
            "1800.00",
            "invoices[0].sgst",
            ("Invoice INV-1 has ₹1,800.00 cgst and ₹0.00 sgst, which are halves of one tax and alike: check them."),
        ),
        (
            "invoices.0.taxable_value",
            "20000",
            "invoices[0].value",
            "taxable_value and taxes of invoice INV-1 add up to ₹20,000.00, but its value is ₹23,600.00: check them.",
        ),
        (
            "invoices.0.value",
            "50000.00",
            "invoices[0].value",
            (
                "Invoice INV-1 is worth exactly ₹50,000.00 and has no e-way bill: "
                "the law wants one only above that, but a courier may want it from there on."
            ),
        ),
        (
            "purchase_orders.0.expires_on",
            "2026-11-24",
            "purchase_orders[0].expires_on",
            "Purchase order PO-1 expired on 24 Nov 2026: a fulfilment centre may refuse it.",
        ),
        (
            "pickup_at",
            "2026-11-24T10:00:00+05:30",
            "pickup_at",
            "The pickup is on 24 Nov 2026, which is past: check it.",
        ),
    ],
)
def test_a_warning_never_refuses(path: str, value: object, field: str, message: str) -> None:
    assert warned(put(good(), path, value)) == {field: message}


@pytest.mark.parametrize("state", ["Maharashtra", "MAHARASHTRA", " maharashtra ", "MH"])
def test_a_state_is_known_by_all_its_names(state: str) -> None:
    assert warned(put(good(), "consignee.state", state)) == {}


def test_rounding_to_a_rupee_is_no_mismatch() -> None:
    invoice = good()["invoices"][0] | {"taxable_value": "20000.40", "igst": "3600.07"}
    assert warned(put(good(), "invoices.0", invoice)) == {}


def test_without_an_ewaybill_it_is_taken_and_waits() -> None:
    verdict = taken(put(good(), "invoices.0.value", "50000.01"))
    assert verdict.warnings == ()
    assert verdict.hold == (
        "Invoice INV-1 of ₹50,000.01 has no e-way bill, which goods above ₹50,000.00 may not move without: "
        "give its number of 12 digits with the order, or schedule it without one."
    )


def test_a_hold_names_every_invoice() -> None:
    document = put(good(), "invoices.0.value", "60000")
    document["invoices"].append({"number": "INV-2", "date": "2026-11-20", "value": 125000})
    hold = taken(document).hold
    assert hold is not None
    assert hold.startswith("Invoices INV-1 of ₹60,000.00 and INV-2 of ₹1,25,000.00 have no e-way bill")


def test_a_shipper_may_choose_to_send_without() -> None:
    verdict = taken(put(good(), "invoices.0.value", "60000"), IntakeRules(ewaybill_missing="send"))
    assert verdict.hold is None
    assert [warning.field for warning in verdict.warnings] == ["invoices"]


def test_the_threshold_is_a_setting() -> None:
    rules = IntakeRules(ewaybill_threshold=Decimal(100_000))
    assert taken(put(good(), "invoices.0.value", "60000"), rules).hold is None


def test_with_an_ewaybill_nothing_waits() -> None:
    document = put(put(good(), "invoices.0.value", "60000"), "invoices.0.ewaybill_number", "1810 0000 0001")
    verdict = taken(document)
    assert (verdict.hold, verdict.warnings) == (None, ())
    assert verdict.shipment.invoices[0].ewaybill_number == "181000000001"


# Facilities, shipping providers, connectors


def good_facility() -> Document:
    return {
        "name": "Bengaluru warehouse",
        "organisation": "Kaveri Home Products",
        "address": "Warehouse 4, Phase 1 ",
        "city": "Bengaluru",
        "state": "Karnataka",
        "pincode": "560058",
        "country": "IN",
        "phone": "080 2222 1111",
        "email": "blr1@example.com",
        "gstin": "29AAPFU0939F1ZR",
        "location_code": "LOC-7",
        "time_zone": "Asia/Kolkata",
    }


def test_a_facility_is_taken() -> None:
    facility = parse_facility("BLR-1", good_facility())
    assert isinstance(facility, Facility)
    assert (facility.code, facility.location_code, facility.time_zone) == ("BLR-1", "LOC-7", "Asia/Kolkata")
    assert (facility.pickup.phone, facility.pickup.address) == ("8022221111", "Warehouse 4, Phase 1 ")
    assert facility_warnings(facility) == ()


def test_a_facility_is_warned_about_as_a_consignee_is() -> None:
    facility = parse_facility("BLR-1", good_facility() | {"state": "Kerala"})
    assert isinstance(facility, Facility)
    assert [warning.field for warning in facility_warnings(facility)] == ["pincode", "gstin"]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (
            {"time_zone": "India"},
            "time_zone",
            'time_zone is "India": give a time zone by its name, as in "Asia/Kolkata".',
        ),
        (
            {"time_zone": "../etc/passwd"},
            "time_zone",
            'time_zone is "../etc/passwd": give a time zone by its name, as in "Asia/Kolkata".',
        ),
        (
            {"time_zone": "Asia"},
            "time_zone",
            'time_zone is "Asia": give a time zone by its name, as in "Asia/Kolkata".',
        ),
        (
            {"gstin": ""},
            "gstin",
            "gstin is missing: give the 15 characters of the registration certificate, as in 27AAPFU0939F1ZV.",
        ),
        ({"pin": "560058"}, "pin", "pin is not a field here: did you mean pincode?"),
        (
            {"opens_at": "09:00"},
            "closes_at",
            "closes_at is missing, and an hour of opening is given: give both, or leave both out.",
        ),
        (
            {"closes_at": "18:00"},
            "opens_at",
            "opens_at is missing, and an hour of closing is given: give both, or leave both out.",
        ),
        (
            {"opens_at": "09:00", "closes_at": "09:00"},
            "closes_at",
            "closes_at is not after the hour of opening: give when it closes on the same day, 00:00 for midnight.",
        ),
        (
            {"opens_at": "9 am", "closes_at": "18:00"},
            "opens_at",
            'opens_at is "9 am": give a time of day as hours and minutes, as in "09:30" (24 hours).',
        ),
        (
            {"opens_at": "09:00", "closes_at": "24:00"},
            "closes_at",
            'closes_at is "24:00": give a time of day as hours and minutes, as in "09:30" (24 hours).',
        ),
        (
            {"days_off": ["sunday", "Holi"]},
            "days_off",
            'days_off is a list of 2: "Holi" in it is no day of the week: write it out, as in "sunday".',
        ),
        (
            {"days_off": list(Weekday)},
            "days_off",
            "days_off is a list of 7: leave out those on which boxes are fetched, one day a week at least.",
        ),
        (
            {"holidays": ["2027-01-26", "26-01-2027"]},
            "holidays",
            (
                'holidays is a list of 2: "26-01-2027" in it is no day that can be taken: '
                "give a date as year-month-day, as in 2026-11-25."
            ),
        ),
        (
            {"holidays": ["2027-02-30"]},
            "holidays",
            (
                'holidays is a list of 1: "2027-02-30" in it is no day that can be taken: '
                "there is no such day in the calendar."
            ),
        ),
        ({"holidays": ["2027-01-26"] * 101}, "holidays", "holidays is a list of 101: give 100 at most."),
        (
            {"holidays": 26},
            "holidays",
            'holidays is 26: give a list of at most 100 dates, as in ["2027-01-26", "2027-03-22"].',
        ),
    ],
)
def test_a_facility_is_refused(change: Document, field: str, message: str) -> None:
    verdict = parse_facility("BLR-1", without(good_facility(), "pincode") | {"pincode": "560058"} | change)
    assert isinstance(verdict, Rejected)
    assert [(fault.field, fault.message) for fault in verdict.faults] == [(field, message)]


@pytest.mark.parametrize(
    ("given", "works"),
    [
        ({}, (None, None, (), ())),
        ({"opens_at": "", "closes_at": None, "days_off": [], "holidays": ""}, (None, None, (), ())),
        ({"opens_at": " 09:00", "closes_at": "18:30"}, (time(9), time(18, 30), (), ())),
        ({"opens_at": "08:00", "closes_at": "00:00"}, (time(8), time(0), (), ())),
        ({"opens_at": "00:00", "closes_at": "00:00"}, (time(0), time(0), (), ())),
        (
            {"days_off": ["Sunday", "saturday", "sunday"], "holidays": ["2027-03-22", "2027-01-26", "2027-01-26"]},
            (None, None, (Weekday.SATURDAY, Weekday.SUNDAY), (date(2027, 1, 26), date(2027, 3, 22))),
        ),
    ],
)
def test_when_a_facility_works(given: Document, works: tuple[object, ...]) -> None:
    facility = parse_facility("BLR-1", good_facility() | given)
    assert isinstance(facility, Facility), facility
    assert (facility.opens_at, facility.closes_at, facility.days_off, facility.holidays) == works


@pytest.mark.parametrize("code", ["", "a b", "x" * 41, "a/b", "ü"])
def test_a_code_is_plain(code: str) -> None:
    for verdict in (parse_facility(code, good_facility()), parse_provider(code, good_provider())):
        assert isinstance(verdict, Rejected)
        assert [fault.field for fault in verdict.faults] == ["code"]


def good_provider() -> Document:
    return {"kind": "clickpost_b2b", "name": "ClickPost B2B", "enabled": True}


def test_a_shipping_provider_is_taken() -> None:
    expected = ShippingProvider(code="clickpost-b2b", kind=Kind.CLICKPOST_B2B, name="ClickPost B2B")
    assert parse_provider("clickpost-b2b", good_provider()) == expected


def test_a_shipping_provider_of_another_kind_is_refused() -> None:
    verdict = parse_provider("x", good_provider() | {"kind": "shiprocket"})
    assert isinstance(verdict, Rejected)
    assert verdict.faults[0].message == 'kind is "shiprocket": give "clickpost_b2b".'


def good_connector() -> Document:
    return {"username": "kaveri", "key": SECRET}


def test_a_connector_has_the_briefs_defaults() -> None:
    assert parse_connector(good_connector(), None) == Connector(
        username="kaveri", key=SECRET, packslip_required=False, pickup_after_minutes=30, appointment_after_days=None
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"packslip_required": "True"}, Connector("kaveri", SECRET, packslip_required=True)),
        ({"packslip_required": "False"}, Connector("kaveri", SECRET)),
        ({"pickup_after_minutes": "0"}, Connector("kaveri", SECRET, pickup_after_minutes=0)),
        ({"pickup_after_minutes": 10_080}, Connector("kaveri", SECRET, pickup_after_minutes=10_080)),
        ({"appointment_after_days": "2"}, Connector("kaveri", SECRET, appointment_after_days=2)),
        ({"appointment_after_days": 0}, Connector("kaveri", SECRET, appointment_after_days=0)),
        ({"appointment_after_days": " "}, Connector("kaveri", SECRET)),
        ({"key": f" {SECRET}\n"}, Connector("kaveri", SECRET)),
    ],
)
def test_a_connector_is_taken(change: Document, expected: Connector) -> None:
    assert parse_connector(good_connector() | change, None) == expected


@pytest.mark.parametrize("change", [{}, {"key": ""}, {"key": None}])
def test_a_key_left_out_is_kept(change: Document) -> None:
    connector = parse_connector({"username": "kaveri"} | change, SECRET)
    assert isinstance(connector, Connector)
    assert connector.key == SECRET


@pytest.mark.parametrize("value", [-1, 1.5, "two"])
@pytest.mark.parametrize(
    ("name", "wants"),
    [
        ("pickup_after_minutes", "whole minutes from 0 to 10,080 (7 days)"),
        ("appointment_after_days", "whole days from 0 to 90 (blank for no appointment)"),
    ],
)
def test_a_time_of_the_connector_is_in_range(name: str, wants: str, value: object) -> None:
    verdict = parse_connector(good_connector() | {name: value}, None)
    assert isinstance(verdict, Rejected)
    assert verdict.faults[0].message == f"{name} is {json.dumps(value)}: give {wants}."


def test_a_first_connector_needs_its_key() -> None:
    verdict = parse_connector({"username": "kaveri"}, None)
    assert isinstance(verdict, Rejected)
    (fault,) = verdict.faults
    assert fault.message == "key is missing: give the API key of 1 to 100 printable characters that ClickPost gave."


@pytest.mark.parametrize(
    "document",
    [
        good_connector() | {"key": SECRET * 20},
        good_connector() | {"key": f"{SECRET}\x07{SECRET}"},
        good_connector() | {"key": [SECRET]},
        good_connector() | {"key": {"key": SECRET}},
        {"username": "kaveri", "api_key": SECRET},
        SECRET,
        [SECRET],
    ],
)
def test_no_fault_tells_a_key(document: object) -> None:
    verdict = parse_connector(document, None)
    assert isinstance(verdict, Rejected)
    assert SECRET not in repr(verdict)
    assert all(fault.value in {"(hidden)", "null"} for fault in verdict.faults)


# Whatever comes

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=60)
    | st.sampled_from(["2026-11-25", ONE_LINE, "0001-01-01T00:00:00+14:00", "9" * 5000, "IN", "cod", 10**400, 1e300])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


def paths(at: object, prefix: str = "") -> list[str]:
    """Every place of the good shipment."""
    inner = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    found = []
    for name, value in inner:
        path = f"{prefix}{name}"
        found += [path, *paths(value, f"{path}.")]
    return found


def outcome_is_sound(document: object) -> None:
    verdict = parse_shipment(document, RULES, TODAY)
    if isinstance(verdict, Accepted):
        assert decode(encode(verdict.shipment)) == verdict.shipment
        told = verdict.warnings
    else:
        told = verdict.faults
        assert told
    for fault in told:
        assert len(fault.value) <= 80
        assert not re.search("[\x00-\x1f\ud800-\udfff]", fault.field + fault.value + fault.message)


@settings(deadline=None)
@given(anything)
def test_nothing_raises(document: object) -> None:
    outcome_is_sound(document)
    for verdict in (parse_facility("x", document), parse_provider("x", document), parse_connector(document, None)):
        assert isinstance(verdict, Rejected)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(paths(good())), anything), min_size=1, max_size=3))
def test_nothing_raises_inside_a_good_shipment(changes: list[tuple[str, object]]) -> None:
    document = good()
    for path, value in sorted(changes, key=lambda change: -change[0].count(".")):
        document = put(document, path, value)
    outcome_is_sound(document)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*good_facility(), "key", "username"]), anything))
def test_nothing_raises_in_settings(change: Document) -> None:
    facility = parse_facility("x", good_facility() | change)
    assert isinstance(facility, Facility | Rejected)
    assert isinstance(parse_connector(good_connector() | change, "k"), Connector | Rejected)
    if isinstance(facility, Facility):
        facility_warnings(facility)


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2))
def test_money_keeps_every_paisa(amount: Decimal) -> None:
    forms: list[Callable[[Decimal], object]] = [str, float]
    for form in forms:
        document = put(good(), "boxes.0.items.0.unit_price", form(amount))
        assert taken(document).shipment.boxes[0].items[0].unit_price == amount


@settings(deadline=None)
@given(st.datetimes(datetime(2026, 12, 1), datetime(2029, 1, 1)), st.integers(-14 * 4, 14 * 4))  # noqa: DTZ001 - the offset is drawn beside
def test_a_moment_keeps_its_instant(naive: datetime, quarters: int) -> None:
    offset = timedelta(minutes=15 * quarters)
    sign, total = ("-", -offset) if quarters < 0 else ("+", offset)
    hours, minutes = divmod(int(total.total_seconds()) // 60, 60)
    text = f"{naive.isoformat()}{sign}{hours:02}:{minutes:02}"
    assert taken(put(good(), "pickup_at", text)).shipment.pickup_at == naive.replace(tzinfo=UTC) - offset
