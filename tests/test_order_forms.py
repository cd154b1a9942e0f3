"""Order files as people's spreadsheets leave them: other names of columns, other days, digits lost, other encodings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bilty.order_cells import read_cell
from bilty.order_columns import COLUMNS, NAMES
from bilty.order_file import OrderFault, OrderRows
from bilty.order_header import SYNONYMS, as_ours, as_theirs, propose
from bilty.order_sources import OrderSource, look_at
from bilty.order_text import TextRow, TextRows

REQUIRED = [column.name for column in COLUMNS if column.required]


@pytest.mark.parametrize(
    ("column", "cell", "read"),
    [
        ("consignee_pincode", "560001.0", "560001"),
        ("consignee_pincode", '="560001"', "560001"),
        ("consignee_pincode", "'560001", "560001"),
        ("consignee_phone", "9.876543210E+9", "9876543210"),
        ("consignee_phone", "'+919876543210", "+919876543210"),
        ("weight_g", "5000.00", "5000"),
        ("number", "1.2E+1", "12"),
        ("number", "12E3", "12E3"),
        ("sku", "1E5", "1E5"),
        ("number", "12345.0", "12345.0"),
        ("invoice_value", "125000.00000000001", "125000.00"),
        ("invoice_value", "125000.0", "125000"),
        ("invoice_value", "125000.505", "125000.505"),
        ("invoice_date", "2026-07-15", "2026-07-15"),
        ("invoice_date", "2026/7/5", "2026-07-05"),
        ("invoice_date", "2026-07-15 00:00:00", "2026-07-15"),
        ("invoice_date", "15-07-2026", "2026-07-15"),
        ("invoice_date", "15.07.26", "2026-07-15"),
        ("invoice_date", "15 Jul 2026", "2026-07-15"),
        ("invoice_date", "15-July-2026", "2026-07-15"),
        ("invoice_date", "46218", "2026-07-15"),
        ("invoice_date", "46218.0", "2026-07-15"),
        ("invoice_date", "31/02/2026", "31/02/2026"),
        ("invoice_date", "tomorrow", "tomorrow"),
        ("pickup_at", "2026-11-24T17:00:00+05:30", "2026-11-24T17:00:00+05:30"),
        ("pickup_at", "24-11-2026 17:00", "2026-11-24T17:00:00+05:30"),
        ("pickup_at", "24/11/2026 5:00 PM", "2026-11-24T17:00:00+05:30"),
        ("pickup_at", "2026-11-24 00:00:00", "2026-11-24T00:00:00+05:30"),
        ("consignee_address", "'=Plot 4", "=Plot 4"),
        ("consignee_address", "- 4th floor", "- 4th floor"),
    ],
)
def test_what_can_be_undone_is_undone(column: str, cell: str, read: str) -> None:
    found = read_cell(column, cell)
    assert (found.text, found.fault) == (read, "")


@pytest.mark.parametrize(
    ("column", "cell", "fault"),
    [
        (
            "consignee_phone",
            "9.87654E+11",
            "is 9.87654E+11: a spreadsheet has cut off its last 6 digits. Format the column as text and give it anew.",
        ),
        (
            "invoice_number",
            "1.81E+11",
            "is 1.81E+11: a spreadsheet has cut off its last 9 digits. Format the column as text and give it anew.",
        ),
        ("invoice_value", "#REF!", "is #REF!, an error of the spreadsheet: put its formula right, or type the value."),
        ("sku", "=A1&B2", 'is a formula, "=A1&B2": save the file with values in place of formulas.'),
        (
            "invoice_date",
            "07/15/2026",
            "is 07/15/2026, with the month first: give the day first, or write 2026-07-15.",
        ),
    ],
)
def test_what_is_lost_is_told_with_the_remedy(column: str, cell: str, fault: str) -> None:
    assert read_cell(column, cell).fault == fault


def test_a_day_that_can_be_read_both_ways_has_the_day_first_and_says_the_other() -> None:
    assert (read_cell("invoice_date", "03/04/2026").text, read_cell("invoice_date", "03/04/2026").other) == (
        "2026-04-03",
        "4 Mar 2026",
    )
    assert read_cell("invoice_date", "04/04/2026").other == ""


# Headers


def test_no_other_name_means_two_columns_and_each_finds_its_own() -> None:
    others = [(other, ours) for ours, names in SYNONYMS.items() for other in names.split(", ")]
    assert len({other for other, _ in others}) == len(others)
    assert {ours for _, ours in others} <= set(NAMES)
    assert [(other, found) for other, ours in others if (found := propose([other]).get(other)) != ours] == []


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Consignee Pincode", "consignee_pincode"),
        ("PIN CODE", "consignee_pincode"),
        ("Mobile No.", "consignee_phone"),
        ("Consigne Adress", "consignee_address"),
        ("Invoice Nmber", "invoice_number"),
        ("No. of Boxes", "boxes"),
        ("Weight (g)", "weight_g"),
        ("Width (cm)", "breadth_cm"),
    ],
)
def test_common_and_near_names_are_known(theirs: str, ours: str) -> None:
    assert propose([theirs]) == {theirs: ours}


@pytest.mark.parametrize("theirs", ["Weight (kg)", "weight_kg", "Length (mm)", "height_in", "Weight", "Remarks", ""])
def test_a_unit_is_never_guessed_nor_a_column_of_nobody(theirs: str) -> None:
    assert propose([theirs]) == {}


def test_the_surest_name_takes_a_column_and_nobody_takes_it_twice() -> None:
    assert propose(["Phone", "consignee_phone"]) == {"consignee_phone": "consignee_phone"}


def test_what_a_person_says_goes_before_what_is_found() -> None:
    names = [*REQUIRED, "Phone", "Remarks"]
    names.remove("consignee_phone")
    header = as_theirs({"Remarks": ""})(names)
    assert (header.problem, header.called["consignee_phone"]) == ("", "Phone")
    assert as_theirs()(names).unknown == ("Remarks",)
    assert as_theirs({"Phone": ""})([*names[:-1], "consignee_phone"]).called["consignee_phone"] == "consignee_phone"
    assert "no column Fax" in as_theirs({"Fax": ""})(names).problem


def test_a_saved_consignee_makes_the_columns_of_its_place_needless() -> None:
    names = [name for name in REQUIRED if not name.startswith("consignee_")]
    assert as_ours([*names, "consignee_code"]).problem == ""
    assert "lacks consignee_name" in as_ours(names).problem


def test_the_column_of_reasons_is_passed_over() -> None:
    assert as_ours([*REQUIRED, "reason"]).problem == as_theirs()([*REQUIRED, "Reason"]).problem == ""


# Files


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    return path


def rows_of(content: bytes) -> list[TextRow]:
    text = TextRows()
    return text.feed(content) + text.close()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_separates_cells_is_found(separator: str) -> None:
    content = f'number{separator}city\nA-1{separator}"Pune{separator}\nWest"\nA-2{separator}5" pipe\n'
    assert [(row.line, row.cells) for row in rows_of(content.encode())] == [
        (1, ("number", "city")),
        (2, ("A-1", f"Pune{separator}\nWest")),
        (4, ("A-2", '5" pipe')),
    ]


@pytest.mark.parametrize("first", [b"sep=;\r\n", b"SEP=;\n"])
def test_excels_own_line_names_the_separator_and_is_no_header(first: bytes) -> None:
    assert [(row.line, row.cells) for row in rows_of(first + b"number;city\n")] == [(2, ("number", "city"))]


def header_and_row(city: str) -> str:
    return ",".join([*REQUIRED, "order_number"]) + "\nA-1," + "," * (len(REQUIRED) - 1) + city + "\n"


@pytest.mark.parametrize(
    ("encode", "encoding", "notes"),
    [
        (lambda text: text.encode(), "utf-8", 0),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "utf-8", 0),
        (lambda text: text.encode("utf-16"), "utf-16", 0),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "utf-16", 0),
        (lambda text: text.encode("cp1252"), "cp1252", 1),
    ],
)
def test_each_encoding_of_a_spreadsheet_is_read(
    tmp_path: Path, encode: Callable[[str], bytes], encoding: str, notes: int
) -> None:
    path = written(tmp_path, encode(header_and_row("Café £5")))
    looks = look_at(path)
    assert looks.encoding == encoding
    source = OrderSource(path, looks, as_theirs())
    (rows,) = source.found()
    assert isinstance(rows, OrderRows)
    assert rows.raw[0][1][-1] == "Café £5"
    assert len(source.notes) == notes


def test_bytes_of_no_single_encoding_are_faults_of_their_rows(tmp_path: Path) -> None:
    path = written(tmp_path, header_and_row("Café").encode() + b"A-2" + b"," * (len(REQUIRED)) + b"Caf\xe9\n")
    assert look_at(path).encoding == "utf-8"
    first, second = OrderSource(path, look_at(path), as_theirs()).found()
    assert isinstance(first, OrderRows)
    assert first.faults == ()
    assert isinstance(second, OrderRows)
    assert "is not UTF-8 text (byte 0xE9)" in second.faults[0].message


def test_an_old_workbook_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xd0\xcf\x11\xe0 and so on")
    (fault,) = OrderSource(path, look_at(path), as_theirs()).found()
    assert isinstance(fault, OrderFault)
    assert fault.message.endswith("save it as .xlsx, without a password.")
