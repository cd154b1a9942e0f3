"""The rows of one workbook: `python -P -m bilty.sheets`, started by `bilty.sheets.reading`.

    in   the path of the file
    out  a line of JSON, {"rows": how many, "notes": [sentence, …]} or {"problem": sentence}
         for each row a line of JSON, [its number, [its cells as text]]
         at the end null

It asks for little memory and little time: what swells or hangs dies here, where nothing else is lost with it. It ends
when nobody listens any more.
"""

import datetime as dt
import json
import os
import resource
import signal
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import python_calamine as calamine

from bilty.sheets.errors import failed_cells

MEMORY_BYTES_MAX = 2 << 30
OPENED_WITHIN_S = 120
CPU_S_MAX = 600
UNPACKED_BYTES_MAX = 1 << 30
PARTS_MAX = 5_000
CELLS_MAX = 40_000_000
"""Of the rectangle that a sheet fills: the library holds a place for each."""
DIGITS_KEPT = 15
"""More than that a spreadsheet does not keep of a number."""

DAMAGED = "The file is no workbook that can be read: open it in the spreadsheet and save it anew as .xlsx, or as CSV."
LOCKED = "The workbook asks for a password: save it without one."
TOO_BIG = "The workbook unpacks to more than 1 GB: save it as CSV, or divide it."
TOO_WIDE = "The sheet reaches over more than 4,00,00,000 cells: delete the empty rows and columns behind the orders."
NO_SHEET = "The workbook has no sheet with anything on it: put the orders on its first sheet."

Cell: TypeAlias = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


class Unreadable(Exception):  # noqa: N818 - a fact about a file
    """One sentence for the person who brought it."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for asked in (signal.SIGINT, signal.SIGTERM):  # whoever ends us with the rest ends us by the pipe
        signal.signal(asked, signal.SIG_IGN)
    signal.alarm(OPENED_WITHIN_S)  # the signal kills, as nobody catches it
    tell(Path(os.fsdecode(sys.stdin.buffer.read())), sys.stdout.buffer)


def tell(file: Path, told: BinaryIO) -> None:
    try:
        _refuse_bombs(file)
        sheet, at, notes = _sheet_of(file)
        failed = failed_cells(file, at)
    except Unreadable as why:
        _line(told, {"problem": str(why)})
        return
    except calamine.PasswordError:
        _line(told, {"problem": LOCKED})
        return
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        _line(told, {"problem": DAMAGED})
        return
    signal.alarm(0)
    _line(told, {"rows": _height(sheet), "notes": notes})
    for row in _rows(sheet, failed):
        _line(told, row)
    _line(told, None)
    told.flush()


def _refuse_bombs(file: Path) -> None:
    """By what the file says of itself. One that lies is stopped by the limits of this process."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
            raise Unreadable(TOO_BIG)
        if any(part.flag_bits & 1 for part in parts):
            raise Unreadable(LOCKED)


def _sheet_of(file: Path) -> tuple[calamine.CalamineSheet, int, list[str]]:
    """The first that is shown and holds anything, where it stands, and what is to be said of the others."""
    workbook = calamine.CalamineWorkbook.from_path(str(file))
    shown = [
        (at, each.name)
        for at, each in enumerate(workbook.sheets_metadata)
        if each.typ == calamine.SheetTypeEnum.WorkSheet and each.visible == calamine.SheetVisibleEnum.Visible
    ]
    for nth, (at, name) in enumerate(shown):
        sheet = workbook.get_sheet_by_index(at)
        if _height(sheet) * sheet.width > CELLS_MAX:
            raise Unreadable(TOO_WIDE)
        if _height(sheet):
            others = [f'"{other}"' for _, other in shown[nth + 1 :]]
            return sheet, at, [f'Sheet "{name}" was read, and not {", ".join(others)}.'] if others else []
    raise Unreadable(NO_SHEET)


def _height(sheet: calamine.CalamineSheet) -> int:
    """The number of its last row that holds anything, 0 where none does. The library's own counts it from 0."""
    return sheet.end[0] + 1 if sheet.end else 0


def _rows(sheet: calamine.CalamineSheet, failed: dict[tuple[int, int], str]) -> Iterator[tuple[int, list[str]]]:
    """Numbered as the spreadsheet numbers them. Rows above the first that holds anything are left out."""
    start = sheet.start or (0, 0)
    rows_with_failures = {row for row, _ in failed}
    for row, values in enumerate(sheet.iter_rows()):
        if row < start[0]:
            continue
        cells = [value if isinstance(value, str) else _text(value) for value in values]
        if row in rows_with_failures:
            for column in range(len(cells)):
                cells[column] = cells[column] or failed.get((row, column + start[1]), "")
        yield row + 1, cells


def _text(value: Cell) -> str:
    """As a person would type it. A number that is longer than a spreadsheet can keep shows that it is."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return f"{value:.{DIGITS_KEPT}g}"
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _line(told: BinaryIO, value: object) -> None:
    told.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n")


if __name__ == "__main__":
    main()
