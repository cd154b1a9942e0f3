"""One shipment of three boxes, and the little that tests change about it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from bilty.aggregator import Booking
from bilty.outgoing.outcome import Received
from bilty.reply import Courier
from bilty.shipment import (
    Appointment,
    Box,
    Facility,
    Invoice,
    Item,
    Party,
    Payment,
    PaymentMode,
    PurchaseOrder,
    Shipment,
)
from bilty.shipping_provider import Connector, Terms

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
GSTIN = "27AAPFU0939F1ZV"
KEY = "b1171e00-5a2d-4b0c-8d3e-5ec2e7000001"
CONNECTOR = Connector(username="acme", key=KEY)
COURIER = Courier(cp_id=129, account_code="Bluedart-Surface", name="Bluedart")
ADDRESS = "Plot 7,  Gala No. 3\nMIDC Road "

FACILITY = Facility(
    code="BOM1",
    pickup=Party(
        name="Asha",
        organisation="Acme Mills",
        phone="9876543210",
        address=ADDRESS,
        city="Mumbai",
        state="Maharashtra",
        pincode="400001",
        gstin=GSTIN,
    ),
)

SHIPMENT = Shipment(
    number="SHP-1",
    order_number="SO-9",
    facility="BOM1",
    shipping_provider="clickpost",
    consignee=Party(
        name="Ravi",
        organisation="Big Retail",
        phone="9123456780",
        address="12 Ring Road",
        city="New Delhi",
        state="Delhi",
        pincode="110001",
        email="ravi@retail.example",
        gstin="07AAPFU0939F1ZX",
    ),
    payment=Payment(mode=PaymentMode.PREPAID),
    invoices=(
        Invoice(
            number="INV-1",
            date=date(2026, 3, 1),
            value=Decimal("60000.10"),
            taxable_value=Decimal("50847.54"),
            igst=Decimal("9152.56"),
            ewaybill_number="181234567890",
        ),
        Invoice(
            number="INV-2",
            date=date(2026, 3, 1),
            value=Decimal("0.20"),
            taxable_value=Decimal("0.17"),
            igst=Decimal("0.03"),
        ),
    ),
    purchase_orders=(PurchaseOrder(number="PO-1", expires_on=date(2026, 4, 1)), PurchaseOrder(number="PO-2")),
    boxes=(
        Box(
            30,
            20,
            10,
            2500,
            "INV-1",
            "PO-1",
            (Item(sku="SHIRT-L", quantity=10, unit_price=Decimal("99.99"), hsn="6205"),),
        ),
        Box(40, 30, 20, 5000, "INV-1", "PO-1", (Item(sku="SHIRT-M", quantity=2, unit_price=Decimal(5)),)),
        Box(10, 10, 10, 501, "INV-2"),
    ),
)

TERMS = Terms(
    pickup_at=NOW,
    appointment=Appointment(
        starts_at=datetime(2026, 3, 4, 4, 30, tzinfo=UTC), ends_at=datetime(2026, 3, 4, 12, 30, tzinfo=UTC), id="SLOT-1"
    ),
)


def booking(
    shipment: Shipment = SHIPMENT,
    facility: Facility = FACILITY,
    *,
    reference: str = "SHP-1-ABCDEFGHIJK",
    courier: Courier = COURIER,
    terms: Terms = TERMS,
    awb: str = "",
    label_url: str = "",
) -> Booking:
    return Booking(shipment, facility, reference, courier, terms, awb, label_url)


def envelope(code: object, result: object = None, message: str = "said", *, success: bool = True) -> bytes:
    meta = {"status": code, "message": message, "success": success}
    return msgspec.json.encode({"meta": meta, "result": result})


def received(body: bytes, status: int = 200, content_type: str = "application/json", retry_after: str = "") -> Received:
    return Received(status, content_type, body, retry_after)
