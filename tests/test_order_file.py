"""The order file as a specification: rows in, shipments and faults out."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilty.intake import Accepted, IntakeRules
from bilty.order_columns import COLUMNS, HEADER, NAMES
from bilty.order_file import LINE_BYTES_MAX, OrderFile, parse_order, read_orders
from bilty.order_rows import CHARS_PER_SHIPMENT_MAX, ROWS_PER_SHIPMENT_MAX, OrderFault, OrderRows
from bilty.shipment import Shipment

TODAY = date(2026, 11, 25)
RULES = IntakeRules()
DOCS = Path(__file__).parents[1] / "docs" / "order-file.md"

Cells = dict[str, str]

BOX: Cells = {"length_cm": "50", "breadth_cm": "40", "height_cm": "30", "weight_g": "12500"}
ITEM: Cells = {"sku": "K-15", "description": "Kettle", "hsn": "851610", "quantity": "4", "unit_price": "740.00"}


def first_row(number: str = "SO-1", **changes: str) -> Cells:
    return {
        "number": number,
        "facility": "BLR-1",
        "shipping_provider": "clickpost-b2b",
        "consignee_name": "Receiving desk",
        "consignee_organisation": "Sahyadri Distributors",
        "consignee_phone": "9876543210",
        "consignee_address": "Plot 14, Industrial Area",
        "consignee_city": "Pune",
        "consignee_state": "Maharashtra",
        "consignee_pincode": "411018",
        "payment_mode": "prepaid",
        "invoice_number": "INV-1",
        "invoice_date": "2026-11-20",
        "invoice_value": "23600.00",
        **BOX,
        **ITEM,
        **changes,
    }


def later_row(number: str = "SO-1", **changes: str) -> Cells:
    return {"number": number, **BOX, **changes}


def file(*rows: Cells, header: Iterable[str] = NAMES) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(header), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read(content: bytes) -> list[OrderRows | OrderFault]:
    return list(read_orders([content]))


def shipments(content: bytes) -> list[Shipment]:
    """What is taken; all else would fail the test."""
    found = []
    for rows in read(content):
        assert isinstance(rows, OrderRows)
        verdict = parse_order(rows, RULES, TODAY)
        assert isinstance(verdict, Accepted), verdict
        found.append(verdict.shipment)
    return found


def told(content: bytes) -> list[str]:
    """All faults, of the file and of its shipments, as sentences."""
    found = []
    for rows in read(content):
        verdict = (rows,) if isinstance(rows, OrderFault) else parse_order(rows, RULES, TODAY)
        found += [] if isinstance(verdict, Accepted) else [str(fault) for fault in verdict]
    return found


def numbers_taken(content: bytes) -> list[str]:
    rows = [rows for rows in read(content) if isinstance(rows, OrderRows)]
    verdicts = [parse_order(one, RULES, TODAY) for one in rows]
    return [verdict.shipment.number for verdict in verdicts if isinstance(verdict, Accepted)]


# What rows mean


def test_a_row_is_a_box_group() -> None:
    (shipment,) = shipments(file(first_row(boxes="3"), later_row(boxes="2", weight_g="900")))
    assert [box.weight_g for box in shipment.boxes] == [12500, 12500, 12500, 900, 900]
    assert shipment.boxes[0].items[0].sku == "K-15"


def test_without_a_count_it_is_one_box() -> None:
    (shipment,) = shipments(file(first_row()))
    assert len(shipment.boxes) == 1


def test_a_row_without_a_box_adds_its_item_to_the_box_above() -> None:
    (shipment,) = shipments(file(first_row(boxes="2"), {"number": "SO-1", **ITEM, "sku": "K-16"}))
    assert [[item.sku for item in box.items] for box in shipment.boxes] == [["K-15", "K-16"]] * 2


def test_boxes_belong_to_the_only_invoice_and_purchase_order() -> None:
    (shipment,) = shipments(file(first_row(po_number="PO-1"), later_row()))
    assert [(box.invoice, box.purchase_order) for box in shipment.boxes] == [("INV-1", "PO-1")] * 2


def test_of_several_invoices_boxes_belong_to_the_one_their_row_names() -> None:
    second = {"invoice_number": "INV-2", "invoice_date": "2026-11-21", "invoice_value": "100.00"}
    (shipment,) = shipments(file(first_row(), later_row(**second), later_row(invoice_number="INV-1"), later_row()))
    assert [box.invoice for box in shipment.boxes] == ["INV-1", "INV-2", "INV-1", ""]
    assert [invoice.number for invoice in shipment.invoices] == ["INV-1", "INV-2"]


def test_shipment_columns_may_be_repeated_or_come_late() -> None:
    (shipment,) = shipments(file(later_row(), first_row(), first_row()))
    assert shipment.consignee.city == "Pune"
    assert len(shipment.boxes) == 3


def test_an_address_keeps_its_blanks_and_lines() -> None:
    (shipment,) = shipments(file(first_row(consignee_address=" Plot 14,\n  Road 2 ")))
    assert shipment.consignee.address == " Plot 14,\n  Road 2 "


def test_another_number_is_another_shipment() -> None:
    found = read(file(first_row("A-1"), later_row("A-1"), first_row("A-2")))
    assert [(rows.number, rows.lines, rows.first_line) for rows in found if isinstance(rows, OrderRows)] == [
        ("A-1", (2, 3), 2),
        ("A-2", (4,), 4),
    ]


def test_a_shipment_comes_out_before_the_next_is_read() -> None:
    order_file = OrderFile()
    assert order_file.feed(file(first_row("A-1"))) == []
    rest = file(first_row("A-2"), first_row("A-3")).split(b"\n", 1)[1]
    assert [rows.number for rows in order_file.feed(rest) if isinstance(rows, OrderRows)] == ["A-1", "A-2"]
    assert [rows.number for rows in order_file.close() if isinstance(rows, OrderRows)] == ["A-3"]


# The file's form


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda content: b"\xef\xbb\xbf" + content, id="byte order mark"),
        pytest.param(lambda content: content.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda content: content.rstrip(b"\n"), id="no last line end"),
        pytest.param(lambda content: content + b"\n\n,,,\n", id="blank rows"),
        pytest.param(lambda content: content.replace(b"number", b" Number ", 1), id="header case and blanks"),
        pytest.param(lambda content: b"\n".join(line + b",," for line in content.split(b"\n")), id="blank columns"),
        pytest.param(lambda content: b"sep=,\n" + content, id="the separator named"),
    ],
)
def test_forms_that_spreadsheets_write(form: object) -> None:
    assert callable(form)
    assert [shipment.number for shipment in shipments(form(file(first_row("A-1"), first_row("A-2"))))] == ["A-1", "A-2"]


def test_columns_come_in_any_order_and_optional_ones_may_lack() -> None:
    needed = [column.name for column in COLUMNS if column.required]
    row = {name: cell for name, cell in first_row().items() if name in needed}
    assert len(shipments(file(row, header=reversed(needed)))) == 1


def test_an_inch_mark_opens_no_quote() -> None:
    content = file(first_row("A-1", description="MARK"), first_row("A-2")).replace(b"MARK", b'Pipe 5" wide')
    assert [shipment.boxes[0].items[0].description for shipment in shipments(content)] == ['Pipe 5" wide', "Kettle"]


def test_text_strings_and_paths_are_read_alike(tmp_path: Path) -> None:
    content = file(first_row("A-1"), first_row("A-2", consignee_city="पुणे"))
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    assert list(read_orders(path)) == read(content) == list(read_orders(content.decode().splitlines(keepends=True)))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(sizes: list[int]) -> None:
    content = file(first_row("A-1", consignee_address="Plot 1,\n2 Road"), later_row("A-1"), first_row("A-2"))
    chunks, at = [], 0
    for size in sizes:
        chunks.append(content[at : at + size])
        at += size
    assert list(read_orders([*chunks, content[at:]])) == read(content)


# Faults of rows: they stop their shipment only


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            later_row(weight_g="0"),
            'line 4, weight_g: weight_g is "0": give whole grams from 1 to 10,00,000 (1,000 kg).',
        ),
        (later_row(boxes="0"), 'line 4, boxes: boxes is "0": give a whole number of boxes from 1 to 999.'),
        (
            later_row(**ITEM | {"quantity": ""}),
            "line 4, quantity: quantity is missing: give a whole number of pieces from 1 to 10,00,000.",
        ),
        (
            later_row(consignee_pincode="560001"),
            (
                'line 4, consignee_pincode: consignee_pincode is "560001", but line 3 says "411018": '
                "make the two alike, or leave one blank."
            ),
        ),
        (
            later_row(invoice_number="INV-1", invoice_value="5"),
            (
                'line 4, invoice_value: invoice_value is "5", but line 3 says "23600.00": '
                "make the two alike, or leave one blank."
            ),
        ),
        (
            later_row(invoice_value="5"),
            (
                "line 4, invoice_number: invoice_number is blank although invoice_value is given: "
                "name the number, or leave both blank."
            ),
        ),
        (
            later_row(po_expires_on="2030-01-01"),
            (
                "line 4, po_number: po_number is blank although po_expires_on is given: "
                "name the number, or leave both blank."
            ),
        ),
        (
            later_row(invoice_number="INV-2", invoice_date="2026-11-20", invoice_value="1,000"),
            'line 4, invoice_value: invoice_value is "1,000": write the rupees without commas or ₹, as in "125000.00".',
        ),
        (
            later_row(cod_amount="5"),
            "line 4, cod_amount: cod_amount is given for a prepaid shipment: leave it out, or give mode cod.",
        ),
        (
            later_row(appointment_starts_at="2026-11-28T10:00:00+05:30"),
            (
                "line 4, appointment_ends_at: appointment_ends_at is missing: "
                "give a time with its offset, as in 2026-11-25T10:00:00+05:30."
            ),
        ),
        (
            later_row(number=""),
            "line 4, number: number is blank: repeat the shipment's number on each of its rows.",
        ),
    ],
)
def test_a_fault_is_told_by_line_and_column(row: Cells, message: str) -> None:
    content = file(first_row("A-1"), first_row("SO-1"), row, first_row("A-2"))
    assert told(content) == [message]
    assert numbers_taken(content) == ["A-1", "A-2"]


def test_a_column_left_blank_is_told_by_its_own_name() -> None:
    row = {"number": "SO-1", "facility": "BLR-1", "shipping_provider": "clickpost-b2b"}
    columns = [line.split(": ")[0].removeprefix("line 2, ") for line in told(file(row))]
    assert columns == [
        "consignee_name",
        "consignee_organisation",
        "consignee_phone",
        "consignee_address",
        "consignee_city",
        "consignee_state",
        "consignee_pincode",
        "payment_mode",
        "invoice_number",
        "invoice_date",
        "invoice_value",
        "length_cm",
        "breadth_cm",
        "height_cm",
        "weight_g",
    ]


def test_a_number_seen_again_is_told_with_its_first_line() -> None:
    content = file(first_row("A-1"), first_row("A-2"), later_row("A-1"), later_row("A-1"), first_row("A-3"))
    assert told(content) == [
        (
            'line 4, number: number "A-1" was used before, on line 2: put all rows of a shipment one after the other, '
            "and look whether the shipment of the first rows is to be changed or cancelled."
        )
    ]
    assert numbers_taken(content) == ["A-1", "A-2", "A-3"]


def test_a_comma_without_quotes_does_not_pass_for_a_blank_column() -> None:
    content = file(first_row("A-1", sku="MARK"), header=NAMES).replace(b"MARK", b"K,15")
    assert told(content)[0].startswith(f"line 2: The row has {len(NAMES) + 1} cells and the header {len(NAMES)}:")


def test_an_item_needs_a_box_above() -> None:
    row = {name: cell for name, cell in first_row().items() if name not in BOX}
    assert "line 2, sku: The row has an item and no box above to put it in: give the box's size and weight." in told(
        file(row)
    )


def bad_row(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            b"9,9",
            (
                f"line 3: The row has {len(NAMES) + 1} cells and the header {len(NAMES)}: "
                "put quotes around a cell that holds a comma or a line break, and leave no cell out."
            ),
        ),
        (
            b"Pun\xe9",
            (
                "line 3: The row is not UTF-8 text (byte 0xE9): "
                'save it from the spreadsheet as "CSV UTF-8 (comma delimited)".'
            ),
        ),
        (b"Pu\0ne", "line 3: The row holds a NUL byte: take it out."),
        (
            b'"5" pipe"',
            'line 3: Text follows a closing quote: write a quote inside a quoted cell twice, as in "5"" pipe".',
        ),
    ],
)
def test_a_row_that_cannot_be_trusted_stops_its_shipment(new: bytes, message: str) -> None:
    rows = [first_row("A-1"), first_row("SO-1", description="MARK"), later_row("SO-1"), first_row("A-2")]
    content = bad_row(file(*rows), b"MARK", new)
    assert told(content) == [message]
    assert numbers_taken(content) == ["A-1", "A-2"]


def test_a_row_too_short_stops_its_shipment() -> None:
    content = file(first_row("A-1")) + b"A-2,O-2\n" + file(first_row("A-3")).split(b"\n", 1)[1]
    assert told(content) == [
        (
            f"line 3: The row has 2 cells and the header {len(NAMES)}: "
            "put quotes around a cell that holds a comma or a line break, and leave no cell out."
        )
    ]
    assert numbers_taken(content) == ["A-1", "A-3"]


def test_a_shipment_of_too_many_rows_is_refused_and_not_kept() -> None:
    content = file(*[first_row()] * (ROWS_PER_SHIPMENT_MAX + 10), first_row("A-2"))
    assert told(content) == [
        f"line {ROWS_PER_SHIPMENT_MAX + 2}, number: A shipment may have 5,000 rows: divide this one."
    ]
    assert numbers_taken(content) == ["A-2"]


def test_a_shipment_of_too_many_characters_is_refused_and_not_kept() -> None:
    each = 100_000
    row = later_row(description="x" * each)
    content = file(first_row(), *[row] * (CHARS_PER_SHIPMENT_MAX // each + 5), first_row("A-2"))
    assert told(content) == [
        f"line {CHARS_PER_SHIPMENT_MAX // each + 2}, number: A shipment may have 20,00,000 characters: divide this one."
    ]
    assert numbers_taken(content) == ["A-2"]


def test_what_a_shipment_of_too_many_rows_remembers_does_not_grow() -> None:
    content = file(*[first_row()] * (ROWS_PER_SHIPMENT_MAX * 2), first_row("A-2"))
    whole = [rows for rows in read_orders([content]) if isinstance(rows, OrderRows)]
    assert len(whole[0].lines) == ROWS_PER_SHIPMENT_MAX + 1
    assert (whole[0].first_line, whole[0].last_line) == (2, ROWS_PER_SHIPMENT_MAX * 2 + 1)


# Faults of the file: they end the reading


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: The file is empty: its first line names the columns, number and so on."),
        (b"\xef\xbb\xbf", "line 1: The header lacks "),
        (HEADER.encode() + b"\n", "line 1: The file has a header and no orders: give each box group a row."),
        (HEADER.encode(), "line 1: The file has a header and no orders: give each box group a row."),
        (
            HEADER.replace("weight_g", "weight_kg").encode(),
            (
                "line 1: The header lacks weight_g and has weight_kg (did you mean weight_g?), "
                "which no order file has: "
                "its columns are described in docs/order-file.md."
            ),
        ),
        (
            (HEADER + ",number").encode(),
            "line 1: The header names number twice: its columns are described in docs/order-file.md.",
        ),
        (
            HEADER.encode("utf-16"),
            'line 1: The file is UTF-16: save it from the spreadsheet as "CSV UTF-8 (comma delimited)".',
        ),
        (b"\xff\x00\x01garbage", "line 1: The row holds a NUL byte: take it out."),
    ],
)
def test_a_faulty_file_is_one_fault(content: bytes, message: str) -> None:
    (sentence,) = told(content)
    assert sentence.startswith(message)


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (
            first_row("A-4", consignee_address="Plot 14"),
            "line 4: A quote that opens in this row is never closed: close it, or take it out.",
        ),
        (
            first_row("A-4"),
            (
                "line 4: The row runs over several lines, perhaps by a quote that is never closed. "
                'Text follows a closing quote: write a quote inside a quoted cell twice, as in "5"" pipe".'
            ),
        ),
    ],
)
def test_a_quote_never_closed_ends_the_file_and_stops_the_shipment_it_may_belong_to(last: Cells, sentence: str) -> None:
    rows = [first_row("A-1"), first_row("A-2"), first_row("A-3", description="MARK"), last]
    content = bad_row(file(*rows), b"MARK", b'"Kettle')
    assert told(content) == [
        "line 4: From this line on the file cannot be read, so the shipment may lack rows: see the next fault.",
        sentence,
    ]
    assert numbers_taken(content) == ["A-1"]


@pytest.mark.parametrize("filling", [b"x", b"x\n"])
def test_an_endless_row_ends_the_file(filling: bytes) -> None:
    order_file = OrderFile()
    found = order_file.feed(file(first_row("A-1")) + b'A-2,"')
    for _ in range(3 * LINE_BYTES_MAX // 60_000):
        found += order_file.feed(filling * (60_000 // len(filling)))
    found += order_file.close()
    last = found[-1]
    assert isinstance(last, OrderFault)
    assert last.line == 3
    assert len(found) == 2


def test_after_the_end_nothing_is_read() -> None:
    order_file = OrderFile()
    assert len(order_file.feed(b"what\n")) == 1
    assert order_file.feed(file(first_row())) == order_file.close() == []


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet='",\n\r;\tA1é\0', max_size=200).map(str.encode), st.booleans())
def test_nothing_raises(content: bytes, with_header: bool) -> None:
    told(HEADER.encode() + b"\n" + content if with_header else content)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=8) | st.sampled_from(["SO-1", "1", "INV-1"]))))
def test_nothing_raises_on_cells(rows: list[Cells]) -> None:
    told(file(*[{"number": "SO-1"} | row for row in rows]).replace(b"\r", b""))


# The page that describes it


def test_the_page_describes_each_column() -> None:
    described = [
        line.split("|")[1:4] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    words = {"boxes": "box group", "purchase_order": "purchase order"}
    assert [[cell.strip() for cell in cells] for cells in described] == [
        [f"`{column.name}`", words.get(column.level, column.level), "yes" if column.required else ""]
        for column in COLUMNS
    ]
