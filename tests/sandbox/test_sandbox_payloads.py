"""What the create calls accept, and the code with which they turn down what they do not."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sandbox_caller import b2b_order, mps_order

from bilty_sandbox import payload_b2b, payload_mps
from bilty_sandbox.order import Order, RefusedError

BOX = "shipment_info__box_info__0__"
INVOICE = "shipment_info__invoice_info__0__"
ITEM = "shipment_details__items__0__"
GST = "shipment_info__gst_info__"


def read(reader: Callable[..., Order], order: Any, **options: bool) -> Order:
    return reader(msgspec.json.encode(order), **options)


def code_of(reader: Callable[..., Order], order: Any, **options: bool) -> int:
    with pytest.raises(RefusedError) as refused:
        read(reader, order, **options)
    assert refused.value.message
    return refused.value.code


def test_an_order_in_order_is_read_whole() -> None:
    order = read(payload_b2b.read, b2b_order(boxes=2))
    assert (order.reference, order.cp_id, order.weight_g) == ("ORDER001-P1", 129, 4000)
    assert [box.reference for box in order.boxes] == ["ORDER001-1.001", "ORDER001-2.001"]
    assert (order.boxes[0].description, order.boxes[0].sku, order.boxes[0].length_cm) == ("Shirts 1", "SH-1", 40)
    assert order.appointment == {
        "start_time": "2025-10-13T10:00:00+0530",
        "end_time": "2025-10-13T18:00:00+0530",
        "id": "",
    }


def test_a_count_stands_for_as_many_boxes_each_with_its_number_behind_the_prefix() -> None:
    order = read(payload_b2b.read, b2b_order(boxes=1, changed={f"{BOX}count": 3, "shipment_info__weight": 6000}))
    assert [box.reference for box in order.boxes] == ["ORDER001-1.001", "ORDER001-1.002", "ORDER001-1.003"]
    assert [box.number for box in order.boxes] == [1, 2, 3]


def test_a_location_code_stands_in_for_the_whole_address() -> None:
    blank = {f"pickup_info__{name}": "" for name in ("address", "city", "state", "pincode")}
    order = read(payload_b2b.read, b2b_order(changed={"pickup_info__location_code": "PUNE-1", **blank}))
    assert order.pickup_pincode == ""


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (312, {"shipment_info__box_info": None}),
        (312, {"shipment_info__box_info": []}),
        (314, {"pickup_info__time": None}),
        (314, {"drop_info__organisation": None}),
        (314, {"drop_info__organisation": " "}),
        (314, {"drop_info__city": ""}),
        (314, {"shipment_info__account_code": None}),
        (314, {"shipment_info__invoice_info": []}),
        (314, {f"{BOX}length": None}),
        (313, {"drop_info__pincode": 201301}),
        (313, {f"{BOX}weight": 2000.5}),
        (307, {"shipment_info__order_type": "prepaid"}),
        (309, {"shipment_info__delivery_type": "SURFACE"}),
        (311, {"shipment_info__delivery_type": "RVP"}),
        (315, {"shipment_info__cod_value": 10}),
        (315, {"shipment_info__order_type": "COD"}),
        (422, {"shipment_info__reference_number": "R" * 21}),
        (422, {"shipment_info__weight": 5999}),
        (422, {"drop_info__pincode": "20130"}),
        (422, {"drop_info__phone": "+919810098765"}),
        (422, {"drop_info__phone": "981009876"}),
        (422, {"drop_info__phone": "9198100987651"}),
        (422, {"drop_info__country": "Nepal"}),
        (422, {"pickup_info__location_code": "PUNE-1"}),
        (422, {"pickup_info__time": "2025-10-09T15:30:00+05:30"}),
        (422, {"pickup_info__time": "2025-10-09T15:30:00Z"}),
        (422, {"pickup_info__time": "2025-02-30T15:30:00+0530"}),
        (422, {"appointment_info__end_time": "2025-10-13T10:00:00+0530"}),
        (422, {f"{INVOICE}date": "08-10-2025"}),
        (422, {"shipment_info__gst_info__enterprise_gstin": "27AAPFU"}),
        (314, {"shipment_info__gst_info__consignee_gstin": ""}),
        (422, {"shipment_info__gst_info__consignee_gstin": "NONE"}),
        (422, {f"{GST}igst_amount": 18, f"{GST}cgst_amount": 9, f"{GST}gst_total_tax": 27}),
        (422, {f"{GST}sgst_amount": 9, f"{GST}cgst_amount": 9, f"{GST}gst_total_tax": 18.01}),
        (422, {f"{BOX}invoice_info": [{"number": "DG/78"}]}),
        (422, {f"{BOX}purchase_order_info": [{"number": "BR-10"}]}),
        (422, {f"{BOX}box_master_code": "CARTON-L"}),
        (422, {f"{BOX}reference_number_prefix": None}),
        (422, {f"{BOX}reference_number_prefix": "ORDER001-2"}),
        (422, {f"{BOX}count": 0}),
    ],
)
def test_a_faulty_b2b_order_is_turned_down_by_code(code: int, changed: dict[str, object]) -> None:
    assert code_of(payload_b2b.read, b2b_order(changed=changed)) == code


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (312, {"shipment_details__items": []}),
        (314, {"pickup_info__pickup_time": None}),
        (314, {"drop_info__drop_city": ""}),
        (313, {"shipment_details__shipment_type": "SPS"}),
        (307, {"shipment_details__order_type": "CASH"}),
        (315, {"shipment_details__cod_value": 1}),
        (422, {"shipment_details__reference_number": "R" * 21}),
        (422, {"drop_info__drop_phone": "919810098765"}),
        (422, {"drop_info__drop_address": "x" * 501}),
        (422, {"drop_info__drop_country": "India"}),
        (422, {"pickup_info__pickup_time": "tomorrow"}),
        (422, {f"{ITEM}quantity": 0}),
        (314, {f"{ITEM}gst_info__consignee_gstin": ""}),
        (422, {f"{ITEM}gst_info__consignee_gstin": "urp"}),
        (422, {f"{ITEM}gst_info__igst_amount": 18, f"{ITEM}gst_info__gst_total_tax": 17}),
    ],
)
def test_a_faulty_mps_order_is_turned_down_by_code(code: int, changed: dict[str, object]) -> None:
    assert code_of(payload_mps.read, mps_order(changed=changed)) == code


def test_whom_the_papers_name_and_their_taxes_are_kept() -> None:
    taxes = {f"{GST}sgst_amount": 900.45, f"{GST}cgst_amount": 900.45, f"{GST}gst_total_tax": 1800.9}
    b2b = read(payload_b2b.read, b2b_order(changed={"shipment_info__gst_info__consignee_gstin": "URP", **taxes}))
    assert (b2b.consignee_gstin, b2b.gst_total_tax) == ("URP", 1800.9)
    mps = read(payload_mps.read, mps_order(changed={f"{ITEM}gst_info__consignee_gstin": "URP"}))
    assert (mps.consignee_gstin, mps.gst_total_tax) == ("URP", 0)


def test_each_item_of_an_mps_order_is_a_carton() -> None:
    order = read(payload_mps.read, mps_order(boxes=2))
    assert [(box.description, box.sku, box.weight_g) for box in order.boxes] == [
        ("Carton 1", "SH-1", 2000),
        ("Carton 2", "SH-2", 2000),
    ]


@pytest.mark.parametrize(
    ("reader", "due", "given"),
    [
        (
            payload_b2b.read,
            b2b_order(changed={f"{INVOICE}value": 50000}),
            b2b_order(changed={f"{INVOICE}value": 50000, f"{INVOICE}ewaybill_serial_number": "181000609282"}),
        ),
        (
            payload_mps.read,
            mps_order(changed={"shipment_details__invoice_value": 50000}),
            mps_order(
                changed={
                    "shipment_details__invoice_value": 50000,
                    f"{ITEM}gst_info__ewaybill_serial_number": "181000609282",
                }
            ),
        ),
    ],
)
def test_an_ewaybill_is_missed_only_where_it_is_required(reader: Callable[..., Order], due: Any, given: Any) -> None:
    assert read(reader, due).ewaybills == {}
    assert code_of(reader, due, ewaybill_required=True) == 422
    assert read(reader, given, ewaybill_required=True).ewaybills == {"DG/77": "181000609282"}


@pytest.mark.parametrize("reader", [payload_b2b.read, payload_mps.read])
@pytest.mark.parametrize(("code", "body"), [(328, b"order=1"), (328, b'{"pickup_info":'), (313, b"[]"), (314, b"{}")])
def test_a_body_of_another_shape_is_turned_down(reader: Callable[..., Order], code: int, body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        reader(body)
    assert refused.value.code == code
