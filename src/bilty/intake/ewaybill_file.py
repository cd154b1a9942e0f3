"""A CSV of e-way bills: one row an invoice. Every row is read for itself, so that one that is wrong stops no other."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bilty.intake.boxes import INVOICE
from bilty.intake.ewaybills import ewaybill
from bilty.intake.parties import CODE
from bilty.intake.reader import Findings, Reader, printable
from bilty.intake.shipments import NUMBER
from bilty.shipment import Ewaybill
from bilty.words import grouped, listed, without_guard

FILE_BYTES_MAX = 1024 * 1024
ROWS_MAX = 5_000
NEEDED = ("number", "invoice_number", "ewaybill_number")
COLUMNS = ("number", "facility", "invoice_number", "ewaybill_number", "ewaybill_expires_on")
"""Named as in an order file. `facility` only matters where two of them have a shipment of that number."""
SAVE_AS_UTF_8 = 'save it from the spreadsheet as "CSV UTF-8 (comma delimited)"'


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is counted from 1, the header's. `facility` may be blank."""

    line: int
    number: str
    facility: str
    invoice: str
    bill: Ewaybill


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that says nothing that can be done, with the reason; line 1 is the whole file's."""

    line: int
    number: str
    invoice: str
    why: str


def parse_file(content: bytes) -> list[Row | Unread]:
    """Each row in turn. Nothing is raised, whatever the file holds."""
    text, problem = _text(content)
    if problem:
        return [Unread(1, "", "", problem)]
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Row | Unread] = []
    try:
        names = [cell.strip().lower() for cell in next(rows, [])]
        if problem := _header_problem(names):
            return [Unread(1, "", "", problem)]
        line = rows.line_num
        for cells in rows:
            first, line = line + 1, rows.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(found) == ROWS_MAX:
                why = f"A file has at most {grouped(ROWS_MAX)} rows: this and all below were left out. Load them apart."
                return [*found, Unread(first, "", "", why)]
            found.append(_row(first, names, cells))
    except csv.Error:
        why = (
            "From this line on the file cannot be read: perhaps a quote opens and is never closed, or text follows one."
        )
        found.append(Unread(rows.line_num, "", "", why))
    return found or [Unread(1, "", "", "The file has a header and no rows: give each invoice a row.")]


def _text(content: bytes) -> tuple[str, str]:
    if len(content) > FILE_BYTES_MAX:
        return "", f"The file is larger than {FILE_BYTES_MAX // 1024**2} MB: load it in parts."
    if not content.strip():
        return "", f"The file is empty: its first line names the columns, {listed(list(NEEDED))} at least."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", f"The file is UTF-16: {SAVE_AS_UTF_8}."
    try:
        return content.decode("utf-8-sig").replace("\0", "\N{REPLACEMENT CHARACTER}"), ""
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", f"Line {grouped(line)} is not UTF-8 text: {SAVE_AS_UTF_8}."


def _header_problem(names: list[str]) -> str:
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            return f"The header separates its columns by {word}: {SAVE_AS_UTF_8}."
    missing = [name for name in NEEDED if name not in names]
    unknown = [printable(name, 40) for name in dict.fromkeys(names) if name and name not in COLUMNS]
    twice = [name for name in COLUMNS if names.count(name) > 1]
    told = [
        f"{what} {listed(wrong)}"
        for what, wrong in (("lacks", missing), ("has no use for", unknown[:5]), ("names twice", twice))
        if wrong
    ]
    return f"The header {listed(told)}: its columns are {listed(list(COLUMNS))}." if told else ""


def _row(line: int, names: list[str], cells: list[str]) -> Row | Unread:
    given = {name: without_guard(cell) for name, cell in zip(names, cells, strict=False) if name}
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return _unread(line, given, f"The row has {len(cells)} cells and the header {len(names)}: leave none out.")
    findings = Findings()
    reader = Reader(given, frozenset(COLUMNS), findings)
    row = Row(
        line,
        reader.need("number", NUMBER),
        reader.take("facility", CODE, ""),
        reader.need("invoice_number", INVOICE),
        ewaybill(reader, "ewaybill_number", "ewaybill_expires_on"),
    )
    if not row.bill.number and not findings.faults:
        return _unread(line, given, "ewaybill_number is blank: the row was passed over.")
    return _unread(line, given, " ".join(fault.message for fault in findings.faults)) if findings.faults else row


def _unread(line: int, given: Mapping[str, str], why: str) -> Unread:
    return Unread(
        line,
        printable(given.get("number", "").strip(), 60),
        printable(given.get("invoice_number", "").strip(), 60),
        why,
    )


def lines_of(rows: list[Row], ids: Mapping[tuple[str, str], int]) -> Iterator[tuple[Row, str]]:
    """Each with why it cannot be done beside the others, blank where it can: an earlier row has named its invoice.

    `ids` are of the shipments that are known, by facility and number: one that is named with its facility and without
    is the same.
    """
    first: dict[tuple[object, str], int] = {}
    for row in rows:
        key = row.facility, row.number
        named = (ids.get(key, key), row.invoice)
        before = first.setdefault(named, row.line)
        yield row, "" if before == row.line else f"Line {before} has this invoice already: leave one out."
