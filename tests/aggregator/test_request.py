"""What ClickPost is told: the facts of both payload styles, one by one."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from aggregator.samples import ADDRESS, COURIER, FACILITY, GSTIN, KEY, SHIPMENT, booking
from bilty.aggregator.clickpost import CreateStyle, Endpoints, StatusStyle, request
from bilty.aggregator.clickpost.wire import Request
from bilty.shipment import Payment, PaymentMode, Shipment
from bilty.shipping_provider import Terms

B2B = Endpoints()
MPS = Endpoints(create_style=CreateStyle.MPS_V3)


def sent(said: Request) -> Any:
    return json.loads(said.body, parse_float=Decimal)


def b2b(shipment: Shipment = SHIPMENT) -> Any:
    return sent(request.create(booking(shipment), B2B))


def mps(shipment: Shipment = SHIPMENT) -> Any:
    return sent(request.create(booking(shipment), MPS))


def test_b2b_says_who_books_what_with_whom() -> None:
    said = request.create(booking(), B2B)
    assert (said.method, said.path) == ("POST", "v1/create-b2b-order/")
    info = sent(said)["shipment_info"]
    assert info["reference_number"] == "SHP-1-ABCDEFGHIJK"
    assert (info["courier_partner"], info["account_code"]) == (129, "Bluedart-Surface")
    assert (info["order_type"], info["delivery_type"], info["cod_value"]) == ("PREPAID", "FORWARD", 0)
    assert info["weight"] == 8001


def test_every_box_is_an_object_of_its_own_so_that_its_waybill_can_be_told() -> None:
    alike = replace(SHIPMENT, boxes=SHIPMENT.boxes[2:] * 7)
    boxes = b2b(alike)["shipment_info"]["box_info"]
    assert [box["count"] for box in boxes] == [1] * 7
    assert [box["reference_number_prefix"] for box in boxes] == [f"SHP-1-{n}" for n in range(1, 8)]
    assert boxes[2]["description"] == "Box 3 of 7"


def test_b2b_box_has_whole_centimetres_and_grams_and_its_own_papers() -> None:
    box = b2b()["shipment_info"]["box_info"][0]
    assert [box[name] for name in ("length", "breadth", "height", "weight")] == [30, 20, 10, 2500]
    assert box["invoice_info"] == [{"number": "INV-1"}]
    assert box["purchase_order_info"] == [{"number": "PO-1"}]
    assert box["product_info"] == [{"sku": "SHIRT-L", "sku_count": 10, "price": Decimal("99.99")}]


def test_a_box_without_papers_links_to_none() -> None:
    bare = replace(SHIPMENT, boxes=(replace(SHIPMENT.boxes[2], invoice=""),))
    box = b2b(bare)["shipment_info"]["box_info"][0]
    assert not box.keys() & {"invoice_info", "purchase_order_info", "product_info"}


def test_money_goes_out_as_numbers_digit_by_digit() -> None:
    said = request.create(booking(), B2B).body
    assert b'"value":60000.10' in said
    assert b'"taxable_value":50847.71' in said
    assert b'"gst_total_tax":9152.59' in said
    assert b'"cod_value":0,' in said


def test_b2b_invoices_orders_and_taxes() -> None:
    info = b2b()["shipment_info"]
    first, second = info["invoice_info"]
    assert (first["number"], first["date"], first["ewaybill_serial_number"]) == ("INV-1", "2026-03-01", "181234567890")
    assert "ewaybill_serial_number" not in second
    assert info["purchase_order_info"] == [{"number": "PO-1", "expiry_date": "2026-04-01"}, {"number": "PO-2"}]
    assert (info["gst_info"]["enterprise_gstin"], info["gst_info"]["consignee_gstin"]) == (GSTIN, "07AAPFU0939F1ZX")


def test_totals_are_left_out_where_one_invoice_does_not_tell_its_part() -> None:
    untold = (SHIPMENT.invoices[0], replace(SHIPMENT.invoices[1], taxable_value=None, igst=None))
    gst = b2b(replace(SHIPMENT, invoices=untold))["shipment_info"]["gst_info"]
    assert gst.keys() == {"enterprise_gstin", "consignee_gstin"}


def test_an_unregistered_consignee_and_an_unregistered_sender() -> None:
    to_nobody = replace(SHIPMENT, consignee=replace(SHIPMENT.consignee, gstin=""))
    assert b2b(to_nobody)["shipment_info"]["gst_info"]["consignee_gstin"] == "URP"
    told = [item["gst_info"]["consignee_gstin"] for item in mps(to_nobody)["shipment_details"]["items"]]
    assert told == ["URP"] * 3
    blank = sent(request.create(booking(to_nobody), Endpoints(unregistered_gstin="")))
    assert blank["shipment_info"]["gst_info"]["consignee_gstin"] == ""
    unregistered = replace(FACILITY, pickup=replace(FACILITY.pickup, gstin=""))
    assert "gst_info" not in sent(request.create(booking(facility=unregistered), B2B))["shipment_info"]


def test_cash_on_delivery() -> None:
    cod = replace(SHIPMENT, payment=Payment(mode=PaymentMode.COD, cod_amount=Decimal("1999.90")))
    info = b2b(cod)["shipment_info"]
    assert (info["order_type"], info["cod_value"]) == ("COD", Decimal("1999.90"))


def test_the_address_goes_out_byte_for_byte() -> None:
    pickup = b2b()["pickup_info"]
    assert pickup["address"] == ADDRESS
    assert (pickup["country"], pickup["tin"]) == ("India", GSTIN)
    assert mps()["pickup_info"]["pickup_address"] == ADDRESS


def test_a_saved_location_goes_instead_of_the_address() -> None:
    saved = replace(FACILITY, location_code="WH-7")
    pickup = sent(request.create(booking(facility=saved), B2B))["pickup_info"]
    assert pickup["location_code"] == "WH-7"
    assert [pickup[name] for name in ("address", "city", "state", "pincode")] == [""] * 4
    assert pickup["phone"] == "9876543210"


@pytest.mark.parametrize(
    ("zone", "time"), [("Asia/Kolkata", "2026-03-02T12:00:00+0530"), ("UTC", "2026-03-02T06:30:00+0000")]
)
def test_b2b_times_are_the_facilitys(zone: str, time: str) -> None:
    said = sent(request.create(booking(facility=replace(FACILITY, time_zone=zone)), B2B))
    assert said["pickup_info"]["time"] == time


def test_the_appointment_goes_out_or_is_left_out() -> None:
    assert b2b()["appointment_info"] == {
        "start_time": "2026-03-04T10:00:00+0530",
        "end_time": "2026-03-04T18:00:00+0530",
        "id": "SLOT-1",
    }
    plain = Terms(pickup_at=datetime(2026, 3, 2, 6, 30, tzinfo=UTC), appointment=None)
    assert "appointment_info" not in sent(request.create(booking(terms=plain), B2B))


def test_what_is_wanted_beside_the_order() -> None:
    wanted = {"is_async": True, "is_label_required": True, "is_box_sticker_required": False}
    assert b2b()["additional_info"] == wanted
    stickers = sent(request.create(booking(), Endpoints(box_stickers=True)))
    assert stickers["additional_info"] == wanted | {"is_box_sticker_required": True}


def test_mps_has_one_item_a_carton() -> None:
    said = mps()
    details = said["shipment_details"]
    assert (details["shipment_type"], details["weight"], len(details["items"])) == ("MPS", 8001, 3)
    assert [item["description"] for item in details["items"]] == ["Box 1 of 3", "Box 2 of 3", "Box 3 of 3"]
    assert [item["sku"] for item in details["items"]] == ["SHP-1-1", "SHP-1-2", "SHP-1-3"]
    assert details["items"][0]["additional"] == {"length": 30, "breadth": 20, "height": 10, "weight": 2500}
    assert (details["length"], details["breadth"], details["height"]) == (40, 30, 20)
    assert said["pickup_info"]["pickup_time"] == "2026-03-02T06:30:00Z"


def test_mps_settles_who_and_how() -> None:
    said = mps()
    assert said["shipment_details"]["courier_partner"] == COURIER.cp_id
    told = said["additional"]
    assert (told["label"], told["async"], told["account_code"], told["delivery_type"]) == (
        True,
        True,
        "Bluedart-Surface",
        "FORWARD",
    )


def test_mps_money_and_papers_by_carton() -> None:
    details = mps()["shipment_details"]
    assert details["invoice_value"] == Decimal("60000.30")
    assert [item["price"] for item in details["items"]] == [Decimal("999.90"), 10, Decimal("20000.10")]
    gst = [item["gst_info"] for item in details["items"]]
    assert [told["invoice_number"] for told in gst] == ["INV-1", "INV-1", "INV-2"]
    assert [told.get("ewaybill_serial_number") for told in gst] == ["181234567890"] * 2 + [None]
    assert [told.get("taxable_value") for told in gst] == [Decimal("50847.54"), None, Decimal("0.17")]
    assert [told.get("igst_amount") for told in gst] == [Decimal("9152.56"), None, Decimal("0.03")]
    assert [told["invoice_reference"] for told in gst] == ["INV-1", "INV-1", "INV-2"]
    assert gst[0]["hsn_code"] == "6205"
    place = gst[0]["place_of_supply"], gst[0]["seller_state"], gst[0]["seller_pincode"]
    assert place == (SHIPMENT.consignee.state, FACILITY.pickup.state, FACILITY.pickup.pincode)


@pytest.mark.parametrize(
    ("endpoints", "path"),
    [
        (B2B, "v1/create-b2b-order/"),
        (MPS, "v3/create-order/"),
        (Endpoints(status_style=StatusStyle.GET_V3), "v3/create-order/"),
        (Endpoints(create_style=CreateStyle.MPS_V3, status_style=StatusStyle.GET_B2B), "v1/create-b2b-order/"),
    ],
)
def test_inquiring_never_posts(endpoints: Endpoints, path: str) -> None:
    said = request.inquire(booking(), endpoints)
    assert said == Request("GET", path, (("reference_number", "SHP-1-ABCDEFGHIJK"),))


def test_the_recommendation_asks_about_one_lane() -> None:
    said = request.recommend(booking())
    assert (said.method, said.path) == ("POST", "v1/recommendation_api/")
    (lane,) = sent(said)
    assert (lane["pickup_pincode"], lane["drop_pincode"], lane["order_type"]) == ("400001", "110001", "PREPAID")
    assert (lane["weight"], lane["invoice_value"], lane["item"]) == (8001, Decimal("60000.30"), "SHIRT-L")


def test_the_other_calls() -> None:
    booked = booking(awb="AWB 1/2")
    waybill, cp_id = ("waybill", "AWB 1/2"), ("cp_id", "129")
    assert request.label(booked) == Request("GET", "v1/fetch/shippinglabel/", (waybill, cp_id, ("regenerate", "false")))
    account = ("account_code", "Bluedart-Surface")
    assert request.cancel(booked) == Request("GET", "v1/cancel-order/", (waybill, cp_id, account))
    assert request.track(booked) == Request("GET", "v2/track-order/", (waybill, cp_id), tracking=True)
    assert request.accounts() == Request("GET", "v1/fetch-accounts", (("active", "true"),))


@pytest.mark.parametrize(
    ("endpoints", "orders", "tracking"),
    [
        (Endpoints(), "https://www.clickpost.in/api", "https://api.clickpost.in/api"),
        (Endpoints("http://127.0.0.1:9/api/"), "http://127.0.0.1:9/api", "http://127.0.0.1:9/api"),
        (Endpoints("http://a.example/api", "http://b.example/api"), "http://a.example/api", "http://b.example/api"),
    ],
)
def test_tracking_has_a_host_of_its_own_at_clickpost_only(endpoints: Endpoints, orders: str, tracking: str) -> None:
    assert endpoints.url(request.cancel(booking())) == f"{orders}/v1/cancel-order/"
    assert endpoints.url(request.track(booking())) == f"{tracking}/v2/track-order/"


def test_no_request_holds_credentials() -> None:
    assert KEY not in repr(request.create(booking(), B2B))
