"""Reading orders from CSV: one row a box group, the rows of one shipment one after the other.

`OrderFile` is fed bytes and hands back shipments, so a file on disk, an upload and a network stream are read alike and
none is held in memory: what is kept is the rows of the shipment being read, and each number seen with its line.

What is wrong with a row stops its shipment only. What makes the rest unreadable (the header, a quote that is never
closed) is told as one OrderFault, and ends the reading. Nothing here raises on a file's content.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from bilty.intake import Accepted, IntakeRules, Rejected, parse_shipment
from bilty.intake.reader import printable, show
from bilty.order_columns import COLUMNS, NAMES
from bilty.order_rows import Gathering, OrderFault, OrderRows
from bilty.words import grouped, listed

__all__ = ["OrderFault", "OrderFile", "OrderRows", "parse_order", "read_orders"]

LINE_BYTES_MAX = 1_000_000
CHUNK_BYTES = 65_536
BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
COLUMNS_TOLD_MAX = 20

SAVE_AS_UTF_8 = 'save it from the spreadsheet as "CSV UTF-8 (comma delimited)"'
TOO_LONG = (
    f"The row is longer than {grouped(LINE_BYTES_MAX)} bytes: perhaps a quote opens in it and is never closed. "
    "Put it right, and load the file from this row on."
)
TEXT_AFTER_QUOTE = 'Text follows a closing quote: write a quote inside a quoted cell twice, as in "5"" pipe".'
KEPT_AS_IS = frozenset({"consignee_address"})


def read_orders(source: Path | Iterable[bytes] | Iterable[str]) -> Iterator[OrderRows | OrderFault]:
    """Each shipment as soon as its last row is read. An OrderFault is of the file or of a row that has no number."""
    order_file = OrderFile()
    for chunk in _chunks(source):
        yield from order_file.feed(chunk)
    yield from order_file.close()


def parse_order(rows: OrderRows, rules: IntakeRules, today: date) -> Accepted | tuple[OrderFault, ...]:
    """The shipment, or every fault of its rows and of what they say, in the order of lines."""
    faults = list(rows.faults)
    if rows.document:
        verdict = parse_shipment(rows.document, rules, today)
        if isinstance(verdict, Accepted) and not faults:
            return verdict
        if isinstance(verdict, Rejected):
            faults += [rows.locate(fault) for fault in verdict.faults]
    return tuple(sorted(faults, key=_reading_order))


class Numbers(Protocol):
    """Each number with the line of its first use: a dict, or for files of millions something on disk."""

    def setdefault(self, number: str, line: int, /) -> int: ...


class OrderFile:
    """An order file as it comes in: `feed` it bytes cut anywhere, then `close` it.

    `ended`: the last fault made the rest unreadable, and whatever else comes is passed over.
    """

    def __init__(self, numbers: Numbers | None = None) -> None:
        self._pending = b""
        self._record = bytearray()
        self._in_quotes = False
        self._line = 0
        self._first_line = 1
        self._columns: list[str] | None = None
        self._width = 0
        self._gathering: Gathering | None = None
        no_numbers: dict[str, int] = {}
        self._numbers = no_numbers if numbers is None else numbers
        self._has_rows = False
        self.ended = False

    def feed(self, chunk: bytes) -> list[OrderRows | OrderFault]:
        """The shipments that `chunk` completes."""
        if self.ended:
            return []
        found: list[OrderRows | OrderFault] = []
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            found += self._take_line(line + b"\n")
        if len(self._pending) > LINE_BYTES_MAX and not self.ended:
            self._line += 1
            self._first_line = self._first_line if self._record else self._line
            found += self._end(TOO_LONG)
        return found

    def close(self) -> list[OrderRows | OrderFault]:
        """The last shipment, and what can only be said at the end."""
        found = self._take_line(self._pending) if self._pending else []
        if self._record:
            found += self._end("A quote that opens in this row is never closed: close it, or take it out.")
        if self.ended:
            return found
        if self._columns is None:
            return found + self._end(f"The file is empty: its first line names the columns, {NAMES[0]} and so on.")
        if not self._has_rows:
            return found + self._end("The file has a header and no orders: give each box group a row.")
        return found + self._finish()

    def _take_line(self, line: bytes) -> list[OrderRows | OrderFault]:
        if self.ended:
            return []
        self._line += 1
        if not self._record:
            self._first_line = self._line
        self._record += line
        self._in_quotes = _in_quotes_after(line, self._in_quotes)
        if len(self._record) > LINE_BYTES_MAX:
            return self._end(TOO_LONG)
        if self._in_quotes:
            return []
        record = bytes(self._record)
        self._record.clear()
        return self._take_header(record) if self._columns is None else self._take_row(record)

    def _take_header(self, record: bytes) -> list[OrderRows | OrderFault]:
        text, problem = _decoded(record.removeprefix(BOM))
        if record.startswith(UTF_16_BOMS):
            problem = f"The file is UTF-16: {SAVE_AS_UTF_8}."
        names = [cell.strip().lower() for cell in _cells(text) or []]
        self._width = len(names)
        while names and not names[-1]:
            names.pop()
        problem = problem or _header_problem(names)
        if problem:
            return self._end(problem)
        self._columns = names
        return []

    def _take_row(self, record: bytes) -> list[OrderRows | OrderFault]:
        """A row that cannot be trusted still says, by its number, whose row it is: that shipment must not be booked.

        Unless it runs over several lines. Then a quote was perhaps left open, and rows of others are swallowed in it.
        """
        assert self._columns is not None
        text, problem = _decoded(record)
        cells = _cells(text)
        misshapen = None if cells is not None else TEXT_AFTER_QUOTE
        if cells is None:
            cells = _cells(text, strict=False)
        if cells is None:
            return self._end("A cell is longer than any column may be: shorten it, or close the quote that opens it.")
        if not any(cell.strip() for cell in cells):
            return []
        self._has_rows = True
        misshapen = misshapen or self._misfit(cells)
        if misshapen and "\n" in text.rstrip("\r\n"):
            return self._end(f"The row runs over several lines, perhaps by a quote that is never closed. {misshapen}")
        row = {
            name: cell if name in KEPT_AS_IS and cell.strip() else cell.strip()
            for name, cell in zip(self._columns, cells, strict=False)
        }
        return self._take_cells(row, problem or misshapen)

    def _misfit(self, cells: list[str]) -> str | None:
        """Spreadsheets end each line, header and rows alike, in the commas of columns that were emptied: those fit."""
        assert self._columns is not None
        named = len(self._columns)
        if len(cells) == named or (len(cells) == self._width and not any(cell.strip() for cell in cells[named:])):
            return None
        return (
            f"The row has {len(cells)} cells and the header {named}: "
            "put quotes around a cell that holds a comma or a line break, and leave no cell out."
        )

    def _take_cells(self, row: dict[str, str], problem: str | None) -> list[OrderRows | OrderFault]:
        number = row.get("number", "")
        if not number:
            message = "number is blank: repeat the shipment's number on each of its rows."
            if self._gathering is None:
                return [OrderFault(self._first_line, "number", '""', problem or message)]
            self._gathering.unreadable(self._first_line, problem or message, "number", '""')
            return []
        found = self._begin(number) if self._gathering is None or self._gathering.number != number else []
        assert self._gathering is not None
        if problem:
            self._gathering.unreadable(self._first_line, problem)
        else:
            self._gathering.add(self._first_line, row)
        return found

    def _begin(self, number: str) -> list[OrderRows | OrderFault]:
        """A number that comes again after others is told: its first rows are gone, and perhaps booked already."""
        found = self._finish()
        self._gathering = Gathering(number)
        first_line = self._numbers.setdefault(number, self._first_line)
        if first_line != self._first_line:
            self._gathering.refuse(
                self._first_line,
                f"number {show(number)} was used before, on line {first_line}: put all rows of a shipment one after "
                "the other, and look whether the shipment of the first rows is to be changed or cancelled.",
            )
        return found

    def _finish(self) -> list[OrderRows | OrderFault]:
        done, self._gathering = self._gathering, None
        return [done.finish()] if done else []

    def _end(self, message: str) -> list[OrderRows | OrderFault]:
        if self._gathering:
            self._gathering.unreadable(
                self._first_line,
                "From this line on the file cannot be read, so the shipment may lack rows: see the next fault.",
            )
        found = self._finish()
        found.append(OrderFault(self._first_line, "", "", message))
        self.ended = True
        self._record.clear()
        return found


def _reading_order(fault: OrderFault) -> tuple[int, int]:
    return fault.line, NAMES.index(fault.field) if fault.field in NAMES else -1


def _chunks(source: Path | Iterable[bytes] | Iterable[str]) -> Iterator[bytes]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        return
    for chunk in source:
        yield chunk.encode(errors="surrogatepass") if isinstance(chunk, str) else chunk


def _in_quotes_after(line: bytes, in_quotes: bool) -> bool:
    """Whether a quoted cell goes on in the next line. A quote opens a cell only at its start: 5" pipe opens none."""
    at = 0
    while (quote := line.find(b'"', at)) >= 0:
        at = quote + 1
        if not in_quotes:
            in_quotes = quote == 0 or line[quote - 1 : quote] == b","
        elif line[at : at + 1] == b'"':
            at += 1
        else:
            in_quotes = False
    return in_quotes


def _decoded(record: bytes) -> tuple[str, str | None]:
    """The text, readable at least in its plain letters, and what is wrong with its bytes."""
    if b"\0" in record:
        return record.decode(errors="replace").replace("\0", ""), "The row holds a NUL byte: take it out."
    try:
        return record.decode(), None
    except UnicodeDecodeError as error:
        found = f"byte 0x{record[error.start]:02X}"
        return record.decode(errors="replace"), f"The row is not UTF-8 text ({found}): {SAVE_AS_UTF_8}."


def _cells(text: str, *, strict: bool = True) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=strict), [])
    except csv.Error:
        return None


def _header_problem(names: list[str]) -> str | None:
    """One sentence for all that is wrong with the header, or None."""
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            return f"The header separates its columns by {word}: {SAVE_AS_UTF_8}."
    missing = [column.name for column in COLUMNS if column.required and column.name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in NAMES]
    twice = [name for name in dict.fromkeys(names) if name in NAMES and names.count(name) > 1]
    problems = []
    if missing:
        problems.append(f"lacks {listed(missing)}")
    if unknown:
        told = [_unknown(name) for name in unknown[:COLUMNS_TOLD_MAX]]
        more = len(unknown) - len(told)
        problems.append(f"has {listed(told + [f'{grouped(more)} more'] * bool(more))}, which no order file has")
    if twice:
        problems.append(f"names {listed(twice)} twice")
    return f"The header {listed(problems)}: its columns are described in docs/order-file.md." if problems else None


def _unknown(name: str) -> str:
    near = get_close_matches(name[:40], NAMES, n=1)
    return f"{printable(name, 40) or 'a column without a name'}{f' (did you mean {near[0]}?)' if near else ''}"
