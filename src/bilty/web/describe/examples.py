"""One shipment, as it is sent and as it is answered from booking to label: the example of many operations."""

from bilty.web.describe.shapes import Schema

NEW_SHIPMENT: Schema = {
    "number": "SO-1001",
    "order_number": "PO/26-27/88",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "consignee": {
        "name": "Receiving desk",
        "organisation": "Sahyadri Distributors",
        "phone": "9876543210",
        "address": "Plot 14, Industrial Area",
        "city": "Pune",
        "state": "Maharashtra",
        "pincode": "411018",
    },
    "payment": {"mode": "prepaid"},
    "invoices": [{"number": "INV-1", "date": "2026-11-20", "value": "23600.00"}],
    "boxes": [
        {
            "count": 2,
            "length_cm": 40,
            "breadth_cm": 30,
            "height_cm": 25,
            "weight_g": 12500,
            "invoice": "INV-1",
            "items": [{"sku": "TEA-500", "quantity": 24, "unit_price": "410.00"}],
        }
    ],
    "schedule": True,
}
"""The least of optional fields that an order system usually has."""

SCHEDULING: Schema = {
    **{name: value for name, value in NEW_SHIPMENT.items() if name != "schedule"},
    "consignee": {**NEW_SHIPMENT["consignee"], "email": "", "country": "IN", "gstin": ""},
    "payment": {"mode": "prepaid", "cod_amount": "0.00"},
    "invoices": [
        {
            **NEW_SHIPMENT["invoices"][0],
            "taxable_value": None,
            "cgst": None,
            "sgst": None,
            "igst": None,
            "ewaybill_number": "",
            "ewaybill_expires_on": None,
        }
    ],
    "purchase_orders": [],
    "boxes": [
        {
            **NEW_SHIPMENT["boxes"][0],
            "purchase_order": "",
            "items": [{**NEW_SHIPMENT["boxes"][0]["items"][0], "description": "", "hsn": ""}],
        }
    ],
    "appointment": None,
    "pickup_at": None,
    "id": 1041,
    "status": "scheduling",
    "courier": None,
    "awb": None,
    "label_url": None,
    "papers_url": None,
    "run": 1,
    "version": 1,
    "polls_done": 0,
    "next_poll_at": None,
    "window_ends_at": None,
    "problem": None,
    "warnings": [],
    "pickup": None,
    "created_at": "2026-11-25T04:31:07.120000Z",
}
READY: Schema = {
    **SCHEDULING,
    "status": "label_ready",
    "courier": {"cp_id": 4, "account_code": "main", "name": "Delhivery B2B", "priority": 1},
    "awb": "1490810000017",
    "label_url": "https://bilty.example.com/api/v1/shipments/1041/label.pdf",
}
BOXES: Schema = {
    "items": [
        {"number": 1, "reference": "SO-1001-1", "awb": "1490810000018"},
        {"number": 2, "reference": "SO-1001-2", "awb": "1490810000019"},
    ]
}
TIMELINE: Schema = {
    "items": [
        {
            "at": "2026-11-25T04:31:07.120000Z",
            "run": 1,
            "priority": 1,
            "courier": "Delhivery B2B",
            "reference": "SO-1001",
            "state": "waiting",
            "polls_done": 0,
            "message": "",
            "told": "Delhivery B2B was asked.",
        }
    ],
    "next": None,
}
