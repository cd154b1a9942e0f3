"""The sample files do what the demo and the documentation promise of them."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bilty.intake import Accepted, IntakeRules, facility_warnings, parse_facility
from bilty.order_file import OrderRows, parse_order, read_orders
from bilty.shipment import EWAYBILL_THRESHOLD, Facility, PaymentMode

EXAMPLES = Path(__file__).parents[1] / "examples"
WRITTEN_ON = date(2026, 8, 1)
EXACTLY_50_000 = "SO-10018"
NANCOWRY = "744301"


def rows_in(name: str) -> list[OrderRows]:
    found = list(read_orders(EXAMPLES / name))
    rows = [one for one in found if isinstance(one, OrderRows)]
    assert rows == found
    return rows


def taken(name: str) -> list[Accepted]:
    verdicts = [parse_order(rows, IntakeRules(), WRITTEN_ON) for rows in rows_in(name)]
    return [verdict for verdict in verdicts if isinstance(verdict, Accepted)]


@pytest.fixture(scope="module")
def orders() -> list[Accepted]:
    return taken("orders.csv")


def test_sixty_shipments_of_1_to_40_boxes(orders: list[Accepted]) -> None:
    sizes = [len(order.shipment.boxes) for order in orders]
    assert (len(rows_in("orders.csv")), len(sizes), min(sizes), max(sizes)) == (60, 60, 1, 40)


def test_references_can_be_told_apart_by_their_first_8_characters(orders: list[Accepted]) -> None:
    assert len({order.shipment.number[:8] for order in orders}) == 60


def test_nothing_waits_and_one_warning_is_told(orders: list[Accepted]) -> None:
    assert [order.hold for order in orders if order.hold] == []
    warned = [
        (order.shipment.number, [warning.field for warning in order.warnings]) for order in orders if order.warnings
    ]
    assert warned == [(EXACTLY_50_000, ["invoices[0].value"])]


def test_values_lie_around_the_ewaybill_threshold(orders: list[Accepted]) -> None:
    invoices = [invoice for order in orders for invoice in order.shipment.invoices]
    assert [invoice.value for invoice in invoices].count(EWAYBILL_THRESHOLD) == 1
    above = [invoice for invoice in invoices if invoice.value > EWAYBILL_THRESHOLD]
    assert len(above) >= 10
    assert all(invoice.ewaybill_number and invoice.ewaybill_expires_on for invoice in above)
    assert sum(Decimal(30_000) < invoice.value < Decimal(70_000) for invoice in invoices) >= 15


def test_every_kind_of_shipment_is_there(orders: list[Accepted]) -> None:
    shipments = [order.shipment for order in orders]
    assert sum(len(shipment.invoices) == 2 for shipment in shipments) >= 5
    assert sum(len(shipment.purchase_orders) == 2 for shipment in shipments) >= 3
    assert sum(shipment.payment.mode is PaymentMode.COD for shipment in shipments) >= 5
    assert sum(not shipment.consignee.gstin for shipment in shipments) >= 3
    assert sum(shipment.appointment is not None for shipment in shipments) >= 1
    assert sum(len(box.items) > 1 for shipment in shipments for box in shipment.boxes) >= 1
    assert [shipment.consignee.city for shipment in shipments if shipment.consignee.pincode == NANCOWRY] == ["Nancowry"]


def test_both_facilities_send(orders: list[Accepted]) -> None:
    documents = json.loads((EXAMPLES / "facilities.json").read_text(encoding="utf-8"))
    facilities = [parse_facility(document.pop("code"), document) for document in documents]
    assert [facility.code for facility in facilities if isinstance(facility, Facility)] == ["BLR-1", "BWD-1"]
    assert [
        warning for facility in facilities if isinstance(facility, Facility) for warning in facility_warnings(facility)
    ] == []
    assert Counter(order.shipment.facility for order in orders) == {"BLR-1": 30, "BWD-1": 30}
    assert {order.shipment.shipping_provider for order in orders} == {"clickpost-b2b"}


def test_invoices_are_past_and_papers_are_good_for_years(orders: list[Accepted]) -> None:
    for order in orders:
        assert all(invoice.date < WRITTEN_ON for invoice in order.shipment.invoices)
        expiries = [str(i.ewaybill_expires_on) for i in order.shipment.invoices if i.ewaybill_number]
        expiries += [str(p.expires_on) for p in order.shipment.purchase_orders]
        assert all(expiry >= "2030" for expiry in expiries)


def test_two_shipments_wait_for_their_ewaybill() -> None:
    held = taken("orders-on-hold.csv")
    assert len(rows_in("orders-on-hold.csv")) == len(held) == 2
    assert all(order.hold and "no e-way bill" in order.hold for order in held)


def test_ten_faults_in_ten_shipments_and_three_good_ones() -> None:
    verdicts = [parse_order(rows, IntakeRules(), WRITTEN_ON) for rows in rows_in("orders-with-faults.csv")]
    faults = [(fault.line, fault.field) for verdict in verdicts if isinstance(verdict, tuple) for fault in verdict]
    assert faults == [
        (3, "consignee_pincode"),
        (4, "consignee_gstin"),
        (5, "consignee_phone"),
        (6, "weight_g"),
        (7, "invoice_value"),
        (9, "payment_mode"),
        (10, "invoice_date"),
        (11, "cod_amount"),
        (14, "consignee_city"),
        (15, "consignee_email"),
    ]
    assert sum(isinstance(verdict, Accepted) for verdict in verdicts) == 3
