"""What was changed about a shipment, named as a person would."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bilty import telling
from bilty.shipment import Appointment, Box, Payment, PaymentMode, PurchaseOrder, Shipment
from dispatch.bench import shipment

WAS = shipment("S1", boxes=7)
NOON = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
INVOICE = WAS.invoices[0]
MOVED = replace(WAS.consignee, address="Godown 9", pincode="560059")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (WAS, ""),
        (replace(WAS, boxes=(*WAS.boxes, Box(1, 1, 1, 1))), "the boxes (7 → 8)"),
        (replace(WAS, boxes=(*WAS.boxes[1:], Box(1, 1, 1, 1))), "the boxes"),
        (replace(WAS, consignee=MOVED), "the consignee's address and PIN code"),
        (replace(WAS, invoices=(replace(INVOICE, ewaybill_number="123456789012"),)), "the e-way bills"),
        (
            replace(WAS, invoices=(replace(INVOICE, value=Decimal(1), ewaybill_number="123456789012"),)),
            "the invoices",
        ),
        (
            replace(WAS, order_number="X", payment=Payment(PaymentMode.COD, Decimal(5)), pickup_at=NOON),
            "the order number, the payment and the pickup time",
        ),
        (
            replace(WAS, purchase_orders=(PurchaseOrder("P"),), appointment=Appointment(NOON, NOON)),
            "the purchase orders and the appointment",
        ),
        (replace(WAS, shipping_provider="second"), "the Shipping Provider"),
    ],
)
def test_each_change_has_its_words(now: Shipment, told: str) -> None:
    assert telling.told_changes(WAS, now) == told


def test_no_field_of_a_shipment_is_forgotten() -> None:
    names = set(Shipment.__struct_fields__) - {"number", "facility"}  # it is known by these
    other = replace(
        shipment("S1", boxes=8),
        order_number="X",
        shipping_provider="second",
        consignee=MOVED,
        payment=Payment(PaymentMode.COD, Decimal(5)),
        invoices=(replace(INVOICE, value=Decimal(1)),),
        purchase_orders=(PurchaseOrder("P"),),
        appointment=Appointment(NOON, NOON),
        pickup_at=NOON,
    )
    assert set(telling.changed_fields(WAS, other)) == names
    for name in type(WAS.consignee).__struct_fields__:
        consignee = replace(WAS.consignee, **{name: "another"})
        assert telling.told_changes(WAS, replace(WAS, consignee=consignee)).startswith("the consignee's "), name
