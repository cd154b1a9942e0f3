"""What may be sent, true to the limits of `bilty.intake`; what a schema cannot say stands in the descriptions."""

from bilty.intake import limits
from bilty.intake.parties import INDIAN_TIME
from bilty.intake.providers import PICKUP_AFTER_MINUTES_DEFAULT
from bilty.shipment import BOX_SIDE_CM_MAX, BOX_WEIGHT_G_MAX, BOXES_MAX, PaymentMode
from bilty.shipping_provider import (
    APPOINTMENT_AFTER_DAYS_MAX,
    CALLS_AT_ONCE_MAX,
    CALLS_PER_SECOND_MAX,
    PICKUP_AFTER_MINUTES_MAX,
    Kind,
)
from bilty.web.describe import deciding, ewaybill_fields, hour_fields
from bilty.web.describe.schemas import (
    closed,
    day,
    formatted,
    many,
    moment,
    money,
    named,
    one_of,
    or_null,
    reference,
    text,
    whole,
    yes_or_no,
)
from bilty.web.describe.shapes import Schema

CODE = {
    **named("^[A-Za-z0-9_-]+$", "", "BLR-1", minLength=1, maxLength=limits.CODE_CHARS_MAX),
    "not": {"const": "new"},
}
NUMBER = "^[A-Za-z0-9/_.-]+$"
GSTIN = "^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3}$"


def code(about: str, example: str) -> Schema:
    return {**CODE, "description": about, "examples": [example]}


def _gstin(about: str, example: str) -> Schema:
    return formatted("gstin", f"{about} Its last character is checked.", example, pattern=GSTIN)


def _party(who: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    needed = {
        "name": text(limits.NAME_CHARS_MAX, f"The person or desk to ask for at {who}.", "Receiving desk"),
        "organisation": text(limits.ORGANISATION_CHARS_MAX, "The company.", "Sahyadri Distributors"),
        "phone": formatted(
            "phone",
            "One Indian number of 10 to 12 digits, with or without +91 or a leading 0.",
            "9876543210",
            minLength=10,
            maxLength=limits.PHONE_CHARS_MAX,
        ),
        "address": text(
            limits.ADDRESS_CHARS_MAX,
            "Street and place, kept as it is, line breaks and all.",
            "Plot 14, Industrial Area",
            of_lines=True,
        ),
        "city": text(limits.CITY_CHARS_MAX, "", "Pune"),
        "state": text(limits.STATE_CHARS_MAX, "State or union territory.", "Maharashtra"),
        "pincode": named("^[1-9][0-9]{5}$", "PIN code of 6 digits.", "411018"),
    }
    email = formatted("email", "", "stores@example.com", maxLength=limits.EMAIL_CHARS_MAX)
    return needed, {"email": email, "country": one_of(["IN"], "Carried within India only.", "IN")}


_TAKER, _TAKER_MORE = _party("the consignee's")
_GIVER, _GIVER_MORE = _party("the facility")
_INVOICE_NUMBER = text(limits.INVOICE_NUMBER_CHARS_MAX, "Once in the shipment.", "INV-1")
_ORDER_NUMBER = text(limits.PURCHASE_ORDER_NUMBER_CHARS_MAX, "Once in the shipment.", "PO-7781")

SCHEMAS: dict[str, Schema] = {
    "NewConsignee": closed(
        "Whom the boxes go to.",
        _TAKER,
        {**_TAKER_MORE, "gstin": _gstin("Left out where the consignee has none.", "27AAPFU0939F1ZV")},
    ),
    "NewPayment": {
        "description": "With mode cod the amount to collect is needed; with prepaid there is none.",
        "oneOf": [
            closed(
                "Paid already.",
                {"mode": one_of([PaymentMode.PREPAID], "", "prepaid")},
                {"cod_amount": named("^0(?:\\.00?)?$", "Nothing.", "0.00")},
            ),
            closed(
                "Cash on delivery.",
                {
                    "mode": one_of([PaymentMode.COD], "", "cod"),
                    "cod_amount": money("What the courier collects, more than 0.", "23600.00"),
                },
            ),
        ],
    },
    "NewInvoice": {
        **closed(
            "An invoice that travels with the boxes. Give cgst and sgst, which are alike, or igst alone.",
            {
                "number": _INVOICE_NUMBER,
                "date": day("Tomorrow in India at the latest.", "2026-11-20"),
                "value": money("The invoice's total.", "23600.00"),
            },
            {
                "taxable_value": money("Before taxes.", "20000.00"),
                "cgst": money("", "0.00"),
                "sgst": money("", "0.00"),
                "igst": money("", "3600.00"),
                "ewaybill_number": named("^[0-9]{12}$", "Of 12 digits.", "331001234567"),
                "ewaybill_expires_on": day("Its last day, today or later.", "2099-12-31"),
            },
        ),
        "dependentRequired": {"ewaybill_expires_on": ["ewaybill_number"]},
    },
    "NewPurchaseOrder": closed(
        "An order of the consignee's.",
        {"number": _ORDER_NUMBER},
        {
            "expires_on": day(
                "The last day on which the consignee takes it in. An appointment behind it holds the shipment.",
                "2099-12-31",
            )
        },
    ),
    "NewItem": closed(
        "What lies in a box, a line each.",
        {
            "sku": text(limits.SKU_CHARS_MAX, "", "TEA-500"),
            "quantity": whole(1, limits.QUANTITY_MAX, "Pieces in one box.", 24),
            "unit_price": money("", "410.00"),
        },
        {
            "description": text(limits.DESCRIPTION_CHARS_MAX, "", "Tea, 500 g"),
            "hsn": named("^(?:[0-9]{2}){1,4}$", "HSN code of 2, 4, 6 or 8 digits.", "09023020"),
        },
    ),
    "NewBoxes": closed(
        "`count` boxes that are alike.",
        {
            "length_cm": whole(1, BOX_SIDE_CM_MAX, "", 40),
            "breadth_cm": whole(1, BOX_SIDE_CM_MAX, "", 30),
            "height_cm": whole(1, BOX_SIDE_CM_MAX, "", 25),
            "weight_g": whole(1, BOX_WEIGHT_G_MAX, "Of one box, in grams.", 12500),
        },
        {
            "count": whole(1, BOXES_MAX, f"1 unless it is given. All counts together: {BOXES_MAX} at most.", 2),
            "invoice": text(limits.INVOICE_NUMBER_CHARS_MAX, "The number of one of the shipment's invoices.", "INV-1"),
            "purchase_order": text(
                limits.PURCHASE_ORDER_NUMBER_CHARS_MAX, "The number of one of its purchase orders.", "PO-7781"
            ),
            "items": many(
                reference("NewItem"),
                0,
                limits.ITEMS_PER_BOX_MAX,
                f"Counted box by box, {limits.ITEMS_PER_SHIPMENT_MAX} in a shipment at most.",
            ),
        },
    ),
    "NewAppointment": closed(
        "The hours at which the consignee takes delivery. It ends after it starts.",
        {
            "starts_at": moment("", "2099-11-27T10:00:00+05:30"),
            "ends_at": moment(
                "After `starts_at`, 24 hours later at most; today or later.", "2099-11-27T12:00:00+05:30"
            ),
        },
        {"id": text(limits.APPOINTMENT_ID_CHARS_MAX, "The slot's number at a fulfilment centre.", "FBA15G2X")},
    ),
    "NewShipment": closed(
        "One consignment of one or more boxes.",
        {
            "number": named(
                NUMBER,
                "Its number, once in its facility: letters, digits, slashes, underscores, dots and hyphens.",
                "SO-1001",
                minLength=1,
                maxLength=limits.NUMBER_CHARS_MAX,
            ),
            "facility": code("Where the boxes are: a facility that exists.", "BLR-1"),
            "shipping_provider": code("Who books them: a shipping provider that exists.", "clickpost-b2b"),
            "consignee": reference("NewConsignee"),
            "payment": reference("NewPayment"),
            "invoices": many(reference("NewInvoice"), 1, limits.INVOICES_MAX, ""),
            "boxes": many(reference("NewBoxes"), 1, BOXES_MAX, "In the order in which they are numbered."),
        },
        {
            "order_number": text(limits.ORDER_NUMBER_CHARS_MAX, "The order's number, if it has another.", "PO/88"),
            "purchase_orders": many(reference("NewPurchaseOrder"), 0, limits.PURCHASE_ORDERS_MAX, ""),
            "appointment": reference("NewAppointment"),
            "pickup_at": moment(
                "When the courier is to come; the connector's minutes from booking unless it is given.",
                "2099-11-26T16:00:00+05:30",
            ),
            "schedule": yes_or_no("Book it at once. false unless it is given.", example=True),
        },
    ),
    "NewSchedule": or_null(
        closed(
            "May be empty.",
            {},
            {
                "run": whole(
                    1,
                    limits.RUN_MAX,
                    "Which booking is begun, 1 unless it is given. One that has begun is not begun again; after it has "
                    "failed the next is `run` of the shipment and one.",
                    1,
                ),
                "without_ewaybill": yes_or_no("Book it though an e-way bill is missing.", example=True),
            },
        )
    ),
    "NewDecision": deciding.NEW_DECISION,
    "NewEwaybills": ewaybill_fields.NEW_EWAYBILLS,
    "NewCancellation": or_null(closed("Empty.", {})),
    "NewFacility": closed(
        f"Where boxes are fetched from. {hour_fields.TOGETHER}",
        {**_GIVER, "gstin": _gstin("Of the facility's registration.", "29AAGCB7383J1Z4")},
        {
            **_GIVER_MORE,
            "location_code": text(
                limits.LOCATION_CODE_CHARS_MAX, "Its code at ClickPost, sent instead of the address.", "LOC9"
            ),
            "time_zone": formatted(
                "time-zone", f"{INDIAN_TIME} unless it is given.", INDIAN_TIME, maxLength=limits.TIME_ZONE_CHARS_MAX
            ),
            **hour_fields.HOURS,
        },
    ),
    "NewProvider": closed(
        "",
        {
            "kind": one_of(list(Kind), "What it is connected to.", Kind.CLICKPOST_B2B),
            "name": text(limits.NAME_CHARS_MAX, "As the panel shows it.", "ClickPost B2B"),
        },
        {"enabled": yes_or_no("true unless it is given.", example=True)},
    ),
    "NewConnector": closed(
        "The key is needed the first time; left out later, the stored one stays. It is never told again.",
        {"username": text(limits.USERNAME_CHARS_MAX, "As ClickPost gave it.", "malnad")},
        {
            "key": text(limits.KEY_CHARS_MAX, "The API key as ClickPost gave it.", "copied-from-clickpost"),
            "packslip_required": yes_or_no("Print a packing slip with each label.", example=False),
            "pickup_after_minutes": whole(
                0,
                PICKUP_AFTER_MINUTES_MAX,
                f"Minutes from booking to pickup. {PICKUP_AFTER_MINUTES_DEFAULT} unless it is given.",
                30,
            ),
            "appointment_after_days": whole(
                0, APPOINTMENT_AFTER_DAYS_MAX, "Days from today to the appointment. None unless it is given.", 2
            ),
            "calls_at_once": whole(
                1,
                CALLS_AT_ONCE_MAX,
                "Calls out at once, of all programs together. BILTY_CALLS_MAX of each unless it is given.",
                50,
            ),
            "calls_per_second": whole(
                1, CALLS_PER_SECOND_MAX, "Calls in a second, of all programs together. No limit unless it is given.", 20
            ),
        },
    ),
}


def _change(name: str) -> Schema:
    """What a merge patch (RFC 7396) of that document may name: nothing has to be, and a part of a party is enough."""
    whole_of = SCHEMAS[name]
    return {
        **{key: value for key, value in whole_of.items() if key != "required"},
        "properties": {**whole_of["properties"]},
    }


SCHEMAS["ConsigneeChange"] = _change("NewConsignee")
SCHEMAS["PaymentChange"] = closed(
    "mode cod needs an amount, prepaid needs 0.00.",
    {},
    {"mode": one_of(list(PaymentMode), "", "cod"), "cod_amount": money("", "23600.00")},
)
SCHEMAS["ShipmentChange"] = {
    **_change("NewShipment"),
    "description": "The fields that shall be others. number and facility may be named, but not be others.",
}
SCHEMAS["ShipmentChange"]["properties"] |= {
    "consignee": reference("ConsigneeChange"),
    "payment": reference("PaymentChange"),
    "schedule": yes_or_no(
        "Book it as it is then, once nothing of what it was may be booked any more. Unless it is given it is true "
        "where it is booked as it was, or was to be, and else false. Where nothing is changed, nothing is booked.",
        example=True,
    ),
}
