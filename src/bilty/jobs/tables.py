"""Tables as files, written a row at a time in little memory, however long they are: CSV, and workbooks (XLSX).

A workbook's rows go to a file of their own at once and are packed at the end. Nothing in a table is computed when it
is opened: text that a spreadsheet would take for a formula is made harmless, in both kinds alike, because workbooks
are saved as CSV by whoever likes.
"""

import csv
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TextIO, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from bilty.words import harmless

Cell: TypeAlias = str | int | Decimal | datetime
"""A moment is without a zone: as the clocks of its place show it."""

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # without it Excel takes UTF-8 for the machine's own encoding
SHEET_ROWS_MAX = 1_000_000
"""Excel's own limit is 1,048,576: what comes after these goes to another sheet."""
CELL_CHARS_MAX = 32_767
CUT = " … (cut)"
MOMENT, WIDTH_MIN, WIDTH_MAX = "%Y-%m-%d %H:%M", 9.0, 40.0


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in characters, where the head is not wide enough."""

    head: str
    width: float = 0.0


class Table(Protocol):
    """What is written to, and closed once. Raises OSError where the disk has no room."""

    def write(self, rows: Iterable[Sequence[Cell]]) -> None: ...

    def close(self) -> None: ...

    def drop(self) -> None:
        """It is not wanted any more: leaves nothing open."""


class Csv:
    def __init__(self, file: TextIO, columns: Sequence[Column]) -> None:
        self._file = file
        self._rows = csv.writer(file)
        file.write(BYTE_ORDER_MARK)
        self._rows.writerow([each.head for each in columns])

    @classmethod
    def at(cls, path: Path, columns: Sequence[Column]) -> "Csv":
        return cls(path.open("w", encoding="utf-8", newline=""), columns)

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        self._rows.writerows([_told(cell) for cell in row] for row in rows)

    def close(self) -> None:
        self._file.close()

    def drop(self) -> None:
        with suppress(OSError):
            self._file.close()


class Xlsx:
    """`name` is the sheet's; its head stays in sight and can be filtered by."""

    def __init__(self, path: Path, columns: Sequence[Column], name: str, *, rows_max: int = SHEET_ROWS_MAX) -> None:
        self._book = Workbook(path, {"constant_memory": True, "tmpdir": os.fspath(path.parent)})
        self._book.use_zip64()
        self._head = self._book.add_format({"bold": True})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._columns, self._name, self._rows_max = columns, name, rows_max
        self._sheets = 0
        self._sheet, self._at = self._another(), 1

    def _another(self) -> Worksheet:
        """Those behind the first are numbered."""
        self._sheets += 1
        sheet = self._book.add_worksheet(self._name if self._sheets == 1 else f"{self._name} {self._sheets}")
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(self._columns):
            sheet.set_column(at, at, min(max(column.width, len(column.head) + 2.0, WIDTH_MIN), WIDTH_MAX))
            sheet.write_string(0, at, column.head, self._head)
        return sheet

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            if self._at > self._rows_max:
                self._filterable()
                self._sheet, self._at = self._another(), 1
            for at, cell in enumerate(row):
                self._put(at, cell)
            self._at += 1

    def _put(self, at: int, cell: Cell) -> None:
        match cell:
            case "":
                return
            case str():
                text = harmless(cell)
                if len(text) > CELL_CHARS_MAX:
                    text = text[: CELL_CHARS_MAX - len(CUT)] + CUT
                self._sheet.write_string(self._at, at, text)
            case datetime():
                self._sheet.write_datetime(self._at, at, cell, self._moment)
            case _:
                self._sheet.write_number(self._at, at, float(cell))

    def _filterable(self) -> None:
        self._sheet.autofilter(0, 0, self._at - 1, len(self._columns) - 1)

    def close(self) -> None:
        self._filterable()
        try:
            self._book.close()
        except FileCreateError as trouble:
            raise OSError(str(trouble)) from trouble

    def drop(self) -> None:
        """The file itself is made by `close` alone; what was laid aside is beside it."""
        for sheet in self._book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()


def _told(cell: Cell) -> str:
    match cell:
        case str():
            return harmless(cell)
        case datetime():
            return cell.strftime(MOMENT)
        case _:
            return str(cell)
