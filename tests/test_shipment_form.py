"""The form of a new shipment: its rows, and the document that it becomes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilty.intake import Accepted, Fault, IntakeRules, Rejected, parse_shipment
from bilty.shipment import decode, encode
from bilty.web.shipment_document import LABELS, document, in_the_form, is_due, totals
from bilty.web.shipment_form import BOX, FIELDS, INVOICE, ITEM, ORDER, BoxRow, Typed, blank, change, read, tidy
from bilty.web.shipment_typed import filled, like, named_as_before
from bilty.words import INDIA
from web.house import SHIPMENT
from web.test_new_shipment import FIELDS as SENT

TODAY = date(2026, 11, 26)
NAMES = [f"boxes[{n}].{name}" for n in (0, 1, 7) for name in BOX] + [
    f"boxes[1].items[{n}].{x}" for n in (0, 9) for x in ITEM
]
NAMES += [f"invoices[{n}].{name}" for n in (0, 2) for name in INVOICE] + [f"purchase_orders[3].{x}" for x in ORDER]
ORDERS = [
    "add-invoice",
    "drop-invoice:0",
    "add-order",
    "drop-order:0",
    "add-box",
    "copy-box:0",
    "copy-box:1",
    "drop-box:0",
]
ORDERS += [
    "add-item:0",
    "add-item:1",
    "drop-item:0.0",
    "drop-item:1.1",
    "drop-item:0",
    "copy-box:",
    "add-item:-1",
    "drop-",
    "",
]


def sent_of(typed: Typed) -> dict[str, str]:
    """As a browser would send it."""
    rows = [(f"invoices[{n}]", row) for n, row in enumerate(typed.invoices)]
    rows += [(f"purchase_orders[{n}]", row) for n, row in enumerate(typed.orders)]
    rows += [(f"boxes[{n}]", box.fields) for n, box in enumerate(typed.boxes)]
    rows += [(f"boxes[{n}].items[{m}]", i) for n, box in enumerate(typed.boxes) for m, i in enumerate(box.items)]
    return dict(typed.fields) | {f"{at}.{name}": value for at, row in rows for name, value in row.items()}


@given(
    st.dictionaries(st.sampled_from([*NAMES, *FIELDS]), st.text("12.x", max_size=4)), st.lists(st.sampled_from(ORDERS))
)
def test_nothing_that_was_typed_is_lost_between_two_pages(form: dict[str, str], orders: list[str]) -> None:
    typed = read(form)
    for order in orders:
        typed, _ = change(typed, order)
        assert read(sent_of(typed)) == typed
        assert typed.boxes
        assert typed.invoices
    assert tidy(tidy(typed)) == tidy(typed)


@given(st.dictionaries(st.text(max_size=20) | st.sampled_from(NAMES), st.text(max_size=20), max_size=40))
def test_whatever_is_sent_the_form_can_be_read_and_judged(form: dict[str, str]) -> None:
    typed = tidy(read(form))
    parsed = parse_shipment(document(typed, INDIA), IntakeRules(), TODAY)
    assert isinstance(parsed, Rejected)
    fields = set(sent_of(typed))
    for fault in in_the_form(parsed.faults):
        assert fault.field in fields | {"boxes", "invoices", "purchase_orders"}
    totals(typed)


def test_rows_keep_their_order_whatever_their_numbers() -> None:
    typed = read({"boxes[12].weight_kg": "2", "boxes[3].weight_kg": "1", "boxes[3].items[7].sku": "A"})
    assert [box.fields["weight_kg"] for box in typed.boxes] == ["1", "2"]
    assert typed.boxes[0].items[0]["sku"] == "A"


def test_typing_goes_on_where_a_row_was_added() -> None:
    assert change(Typed(), "add-box")[1] == "boxes[1].count"
    assert change(Typed(), "copy-box:0")[1] == "boxes[1].count"
    assert change(Typed(), "add-item:0")[1] == "boxes[0].items[0].sku"
    assert change(Typed(), "add-order")[1] == "purchase_orders[0].number"
    assert change(Typed(), "drop-box:0")[1] == ""


@pytest.mark.parametrize(
    ("kilograms", "grams"),
    [("12.5", "12500"), ("8", "8000"), ("0.001", "1"), ("", ""), ("12,5", "12,5 kg"), ("1e3", "1e3 kg")],
)
def test_kilograms_become_grams_exactly_or_not_at_all(kilograms: str, grams: str) -> None:
    typed = Typed(boxes=(BoxRow({**blank(BOX), "weight_kg": kilograms}),))
    [box] = _list(document(typed, INDIA)["boxes"])
    assert box["weight_g"] == grams


def test_a_box_belongs_to_the_only_invoice_and_among_two_to_the_one_named() -> None:
    typed = read({**SENT, "boxes[0].invoice": "INV-2"})
    assert _list(document(typed, INDIA)["boxes"])[0]["invoice"] == "INV-1"
    two = replace(typed, invoices=(*typed.invoices, {**blank(INVOICE), "number": "INV-2"}))
    assert _list(document(two, INDIA)["boxes"])[0]["invoice"] == "INV-2"


def test_times_are_of_the_zone_and_what_is_no_time_is_left_for_intake_to_refuse() -> None:
    fields = {**Typed().fields, "pickup_at": "2026-11-27T16:40"}
    made = document(replace(Typed(), fields=fields), ZoneInfo("Asia/Dubai"))
    assert made["pickup_at"] == "2026-11-27T16:40:00+04:00"
    assert "appointment" not in made
    assert document(replace(Typed(), fields={**fields, "pickup_at": "soon"}), INDIA)["pickup_at"] == "soon"


def test_totals_are_of_what_can_be_read() -> None:
    rows = (
        {"count": "12", "weight_kg": "12.5"},
        {"count": "", "weight_kg": "8"},
        {"count": "x", "weight_kg": "9"},
        {"count": "1"},
    )
    boxes = tuple(BoxRow({**blank(BOX), **row}) for row in rows)
    invoices = tuple({**blank(INVOICE), "value": value} for value in ("100.50", "1,000", ""))
    found = totals(Typed(boxes=boxes, invoices=invoices))
    assert (found.boxes, found.weight_g, found.value) == (13, 158_000, Decimal("100.50"))


def test_an_ewaybill_is_due_above_the_threshold() -> None:
    row = blank(INVOICE)
    assert [is_due({**row, "value": v}, Decimal(50_000)) for v in ("50000", "50000.01", "", "much")] == [
        False,
        True,
        False,
        False,
    ]


def test_every_field_of_the_form_has_a_name_for_people() -> None:
    paths = {*FIELDS, *(f"invoices[].{n}" for n in INVOICE), *(f"purchase_orders[].{n}" for n in ORDER)}
    paths |= {f"boxes[].{name}" for name in BOX} | {f"boxes[].items[].{name}" for name in ITEM}
    assert {path.replace("weight_kg", "weight_g") for path in paths} == set(LABELS)


@pytest.mark.parametrize(
    ("field", "message", "told"),
    [
        (
            "boxes[1].weight_g",
            "weight_g is missing: give whole grams.",
            "Box row 2: Weight is missing: give kilograms from 0.001 to 1000, as in 12.5.",
        ),
        (
            "boxes[0].items[2].unit_price",
            "unit_price is missing: give rupees.",
            "Box row 1, item 3: Unit price is missing: give rupees.",
        ),
        (
            "invoices[1].number",
            'number "A" is also invoices[0]: leave one out.',
            'Invoice row 2: Invoice number "A" is also in row 1: leave one out.',
        ),
        ("invoices[0].igst", "cgst and igst are both given.", "CGST and IGST are both given."),
        (
            "payment.cod_amount",
            "cod_amount is 0: give rupees, or give mode prepaid.",
            "Amount to collect is 0: give rupees, or give the payment Prepaid.",
        ),
        (
            "number",
            'number is "a cgst length_cm b": give letters.',
            'Shipment number is "a cgst length_cm b": give letters.',
        ),
        ("facility", "facility is missing: give 1 to 40 letters.", "Facility is missing: choose one."),
        ("boxes", "The counts of boxes add up to 1,200.", "The counts of boxes add up to 1,200."),
    ],
)
def test_intakes_words_in_the_words_of_the_form(field: str, message: str, told: str) -> None:
    [found] = in_the_form([Fault(field, '"x"', message)])
    assert found.message == told


def test_another_like_it_has_its_boxes_and_papers_of_its_own() -> None:
    parsed = parse_shipment(
        document(
            read(
                {
                    **SENT,
                    "boxes[1].count": "1",
                    **{f"boxes[1].{n}": "9" for n in ("length_cm", "breadth_cm", "height_cm", "weight_kg")},
                }
            ),
            INDIA,
        ),
        IntakeRules(),
        TODAY,
    )
    assert not isinstance(parsed, Rejected)
    copy = like(decode(encode(parsed.shipment)))
    assert [(box.fields["count"], box.fields["weight_kg"]) for box in copy.boxes] == [("12", "12.5"), ("1", "9")]
    assert copy.fields["consignee.address"] == "Plot 14,\nIndustrial Area"
    assert copy.fields["number"] == ""
    assert copy.invoices == (blank(INVOICE),)


WHOLE = {
    "purchase_orders": [{"number": "PO-7", "expires_on": "2030-12-01"}, {"number": "PO-8"}],
    "pickup_at": "2030-01-02T16:40:30+05:30",
    "appointment": {"starts_at": "2030-01-04T10:00:00+05:30", "ends_at": "2030-01-04T12:00:00+05:30", "id": "SLOT-7"},
    "payment": {"mode": "cod", "cod_amount": "23600.00"},
    "invoices": [
        {
            "number": "INV-1",
            "date": "2026-11-20",
            "value": "123600.00",
            "taxable_value": "104745.76",
            "igst": "18854.24",
            "ewaybill_number": "331001234567",
            "ewaybill_expires_on": "2026-11-30",
        },
        {"number": "INV-2", "date": "2026-11-21", "value": "10.50"},
    ],
}
BOXES: list[dict[str, object]] = [
    {"length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 12500},
    {"length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 1, "invoice": "INV-1"},
    {
        "length_cm": 60,
        "breadth_cm": 1,
        "height_cm": 600,
        "weight_g": 1_000_000,
        "items": [{"sku": "TEA-1", "description": "Tea", "hsn": "0902", "quantity": 12, "unit_price": "10.50"}],
    },
]


@given(st.sets(st.sampled_from(sorted(WHOLE))), st.lists(st.sampled_from(BOXES), min_size=1, max_size=5))
def test_what_is_filled_in_and_sent_is_the_shipment_itself(also: set[str], boxes: list[dict[str, object]]) -> None:
    made = SHIPMENT | {name: WHOLE[name] for name in also} | {"boxes": boxes}
    parsed = parse_shipment(made, IntakeRules(), TODAY)
    assert isinstance(parsed, Accepted), parsed
    before = parsed.shipment
    again = parse_shipment(document(read(sent_of(filled(before, INDIA))), INDIA), IntakeRules(), TODAY)
    assert isinstance(again, Accepted), again
    assert named_as_before(before, again.shipment) == before


def _list(found: object) -> list[dict[str, object]]:
    assert isinstance(found, list)
    return found
