"""Workbooks as others send them, by the real process that reads them: hostile, damaged, huge, and odd but honest."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from bilty.order_file import OrderFault, OrderRows
from bilty.order_header import as_theirs
from bilty.order_sources import OrderSource, look_at
from bilty.sheets.reading import UnreadableWorkbookError, opened

Fill = Callable[[xlsxwriter.Workbook], object]


def workbook(tmp_path: Path, fill: Fill) -> Path:
    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        fill(made)
    return path


def rows_of(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    with opened(path) as sheet:
        return list(sheet.rows)


def repacked(path: Path, part: str, content: bytes) -> Path:
    """The same workbook with one part of it replaced."""
    other = path.with_name("repacked.xlsx")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as made:
        for each in given.namelist():
            made.writestr(each, content if each == part else given.read(each))
    return other


def one_cell(made: xlsxwriter.Workbook) -> None:
    made.add_worksheet().write(0, 0, "number")


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableWorkbookError) as refused:
        rows_of(path)
    return str(refused.value)


def test_cells_come_as_a_person_would_type_them_and_rows_as_the_spreadsheet_numbers_them(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        day = made.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(2, 1, ["text", 9876543210, 560001.0, 0.1 + 0.2, 1234567890123456789])
        sheet.write_datetime(2, 6, dt.datetime(2026, 7, 15), day)  # noqa: DTZ001 - a spreadsheet knows no zone
        sheet.write_datetime(2, 7, dt.datetime(2026, 7, 15, 10, 30), day)  # noqa: DTZ001 - as above
        sheet.write_boolean(2, 8, True)
        sheet.write_formula(4, 1, "=B3&1", None, "text1")
        sheet.write_formula(4, 2, "=1/0", None, "#DIV/0!")

    assert rows_of(workbook(tmp_path, fill)) == [
        (
            3,
            (
                "text",
                "9876543210",
                "560001",
                "0.3",
                "1.23456789012346e+18",
                "2026-07-15",
                "2026-07-15T10:30:00",
                "TRUE",
            ),
        ),
        (4, ("",) * 8),
        (5, ("text1", "#DIV/0!", *[""] * 6)),
    ]


def test_the_first_sheet_that_is_shown_and_holds_anything_is_read_and_others_are_named(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        made.add_worksheet("Cover")
        old = made.add_worksheet("Old")
        old.hide()
        old.write(0, 0, "not here either")
        made.add_worksheet("Orders").write(0, 0, "here")
        made.add_worksheet("Columns").write(0, 0, "not here")

    with opened(workbook(tmp_path, fill)) as sheet:
        assert sheet.notes == ('Sheet "Orders" was read, and not "Columns".',)
        assert list(sheet.rows) == [(1, ("here",))]


def test_a_workbook_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    assert refusal(workbook(tmp_path, lambda made: made.add_worksheet("Empty"))).startswith(
        "The workbook has no sheet with anything on it"
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"number,facility\n", b"PK\x03\x04" + b"\0" * 5_000])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(content)
    assert refusal(path).startswith("The file is no workbook that can be read")


def test_one_that_unpacks_to_more_than_it_may_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/worksheets/sheet1.xml", bytes(1 << 20))
        made.infolist()[0].file_size = (1 << 30) + 1  # what it would be, said where a reader looks first
    assert path.stat().st_size < 2 << 20
    assert refusal(path) == "The workbook unpacks to more than 1 GB: save it as CSV, or divide it."


def test_a_sheet_whose_last_cell_is_at_the_end_of_the_world_is_refused(tmp_path: Path) -> None:
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%b</sheetData></worksheet>'
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = repacked(workbook(tmp_path, one_cell), "xl/worksheets/sheet1.xml", sheet % cells)
    assert refusal(path).startswith(
        ("The workbook is damaged, or takes more memory", "The sheet reaches over more than")
    )


def test_a_sheet_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path, one_cell), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='1'><c ")
    assert refusal(path)


def test_no_process_outlives_a_reading_that_is_given_up(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        for row in range(2_000):
            sheet.write_row(row, 0, ["some text"] * 20)

    path = workbook(tmp_path, fill)
    with opened(path) as sheet:
        assert next(sheet.rows)[0] == 1
    source = OrderSource(path, look_at(path), as_theirs())
    (fault,) = source.found()
    assert isinstance(fault, OrderFault)
    assert fault.message.startswith("The header lacks number")


def test_an_error_in_a_cell_is_a_fault_of_its_shipment(tmp_path: Path) -> None:
    names = ["number", "facility", "consignee_city"]

    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, names)
        sheet.write_row(1, 0, ["A-1", "BLR-1"])
        sheet.write_formula(1, 2, "=VLOOKUP(1,Z1:Z2,3)", None, "#N/A")

    path = workbook(tmp_path, fill)
    header = as_theirs()(names)
    placed = type(header)(header.names, header.columns, header.called, (), (), "")
    (rows,) = OrderSource(path, look_at(path), lambda _names: placed).found()
    assert isinstance(rows, OrderRows)
    (fault,) = rows.faults
    assert str(fault) == (
        "line 2, consignee_city: consignee_city is #N/A, an error of the spreadsheet: put its formula right, or type "
        "the value."
    )
