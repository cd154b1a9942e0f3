"""Reading orders from rows of cells: one row a box group, the rows of one shipment one after the other.

`OrderFile` is fed bytes and hands back shipments, so a file on disk, an upload and a network stream are read alike and
none is held in memory: what is kept is the rows of the shipment being read, and each number seen with its line.
`OrderTable` does the same from cells, wherever they come from.

What is wrong with a row stops its shipment only. What makes the rest unreadable (the header, a quote that is never
closed) is told as one OrderFault, and ends the reading. Nothing here raises on a file's content.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from bilty.intake import NOBODY, Accepted, IntakeRules, Rejected, parse_shipment
from bilty.intake.reader import show
from bilty.order_cells import read_cell
from bilty.order_columns import NAMES
from bilty.order_header import Header, Placing, as_ours
from bilty.order_rows import Gathering, OrderFault, OrderRows
from bilty.order_text import LINE_BYTES_MAX, TextRow, TextRows
from bilty.shipment import Party

__all__ = ["LINE_BYTES_MAX", "OrderFault", "OrderFile", "OrderRows", "OrderTable", "parse_order", "read_orders"]

CHUNK_BYTES = 65_536
KEPT_AS_IS = frozenset({"consignee_address"})

Found = list[OrderRows | OrderFault]


def read_orders(source: Path | Iterable[bytes] | Iterable[str]) -> Iterator[OrderRows | OrderFault]:
    """Each shipment as soon as its last row is read. An OrderFault is of the file or of a row that has no number."""
    order_file = OrderFile()
    for chunk in _chunks(source):
        yield from order_file.feed(chunk)
    yield from order_file.close()


def parse_order(
    rows: OrderRows, rules: IntakeRules, today: date, saved: Mapping[str, Party] = NOBODY
) -> Accepted | tuple[OrderFault, ...]:
    """The shipment, or every fault of its rows and of what they say, in the order of lines.

    `saved`: the consignees that rows may name by their codes.
    """
    faults = list(rows.faults)
    told = {(fault.line, fault.field) for fault in faults}
    if rows.document:
        verdict = parse_shipment(rows.document, rules, today, saved)
        if isinstance(verdict, Accepted) and not faults:
            return verdict
        if isinstance(verdict, Rejected):
            located = [rows.locate(fault) for fault in verdict.faults]
            faults += [fault for fault in located if (fault.line, fault.field) not in told]
    return tuple(sorted((rows.as_called(fault) for fault in faults), key=_reading_order))


class Numbers(Protocol):
    """Each number with the line of its first use: a dict, or for files of millions something on disk."""

    def setdefault(self, number: str, line: int, /) -> int: ...


class Doubts:
    """Days that could be read with the month first. Where a column has one that must be, none of its others is sure."""

    def __init__(self) -> None:
        self.first: dict[str, tuple[int, str, str, str]] = {}
        self.counts: dict[str, int] = {}
        self.month_first: set[str] = set()

    def add(self, column: str, line: int, cell: str, text: str, other: str) -> None:
        self.first.setdefault(column, (line, cell, text, other))
        self.counts[column] = self.counts.get(column, 0) + 1

    @property
    def columns(self) -> frozenset[str]:
        """Those of which cells were read in good faith that now is gone."""
        return frozenset(self.month_first & set(self.first))


class OrderTable:
    """Rows of cells as they come in: the header first, then `take` each, then `finish`.

    `unsure`: columns of days in which the month may stand first: what can be read both ways is a fault there.
    """

    def __init__(
        self, numbers: Numbers | None = None, place: Placing = as_ours, unsure: frozenset[str] = frozenset()
    ) -> None:
        no_numbers: dict[str, int] = {}
        self._numbers = no_numbers if numbers is None else numbers
        self._place = place
        self._unsure = unsure
        self._width = 0
        self._gathering: Gathering | None = None
        self._has_rows = False
        self.header: Header | None = None
        self.doubts = Doubts()
        self.ended = False

    def take(self, row: TextRow) -> Found:
        if self.ended:
            return []
        if row.ends:
            return self.end(row.line, row.problem)
        return self._take_header(row) if self.header is None else self._take_row(row)

    def finish(self) -> Found:
        """The last shipment, and what can only be said at the end."""
        if self.ended:
            return []
        if self.header is None:
            return self.end(1, f"The file is empty: its first line names the columns, {NAMES[0]} and so on.")
        if not self._has_rows:
            return self.end(1, "The file has a header and no orders: give each box group a row.")
        return self._finish()

    def end(self, line: int, message: str) -> Found:
        if self._gathering:
            self._gathering.unreadable(
                line, "From this line on the file cannot be read, so the shipment may lack rows: see the next fault."
            )
        found = self._finish()
        found.append(OrderFault(line, "", "", message))
        self.ended = True
        return found

    def _take_header(self, row: TextRow) -> Found:
        self._width = len(row.cells)
        header = self._place(row.cells)
        if problem := row.problem or header.problem:
            self.header = header
            return self.end(row.line, problem)
        self.header = header
        return []

    def _take_row(self, row: TextRow) -> Found:
        """A row that cannot be trusted still says, by its number, whose row it is: that shipment must not be booked.

        Unless it runs over several lines. Then a quote was perhaps left open, and rows of others are swallowed in it.
        """
        assert self.header is not None
        if not any(cell.strip() for cell in row.cells):
            return []
        self._has_rows = True
        misshapen = (row.problem if row.runs_on else "") or self._misfit(row.cells)
        if misshapen and row.runs_on:
            return self.end(
                row.line, f"The row runs over several lines, perhaps by a quote that is never closed. {misshapen}"
            )
        named = {
            name: cell if name in KEPT_AS_IS and cell.strip() else cell.strip()
            for name, cell in zip(self.header.columns, row.cells, strict=False)
            if name
        }
        return self._take_cells(row, named, row.problem or misshapen)

    def _misfit(self, cells: Sequence[str]) -> str:
        """Spreadsheets end each line, header and rows alike, in the commas of columns that were emptied: those fit."""
        assert self.header is not None
        named = len(self.header.columns)
        if len(cells) == named or (len(cells) == self._width and not any(cell.strip() for cell in cells[named:])):
            return ""
        return (
            f"The row has {len(cells)} cells and the header {named}: "
            "put quotes around a cell that holds a comma or a line break, and leave no cell out."
        )

    def _take_cells(self, row: TextRow, named: dict[str, str], problem: str) -> Found:
        number = read_cell("number", named["number"]).text if named.get("number") else ""
        if not number:
            message = problem or "number is blank: repeat the shipment's number on each of its rows."
            if self._gathering is None:
                return [OrderFault(row.line, "number", '""', message, rows=((row.line, row.cells),))]
            self._gathering.unreadable(row.line, message, "number", '""', row.cells)
            return []
        found = self._begin(number, row.line) if self._gathering is None or self._gathering.number != number else []
        assert self._gathering is not None
        if problem:
            self._gathering.unreadable(row.line, problem, cells=row.cells)
        else:
            self._read(row.line, named)
            self._gathering.add(row.line, named, row.cells)
        return found

    def _read(self, line: int, named: dict[str, str]) -> None:
        """Each cell as it was meant. One that lost what it meant stays as it is, with its fault."""
        assert self._gathering is not None
        for column, cell in named.items():
            if not cell:
                continue
            read = read_cell(column, cell)
            fault = read.fault
            if read.month_first:
                self.doubts.month_first.add(column)
            if read.other and column in self._unsure:
                fault = (
                    f"is {cell}, which may be {read.text} or {read.other}, as other cells of the column have the month "
                    f"first: write it as {read.text}, if that is meant."
                )
            elif read.other:
                self.doubts.add(column, line, cell, read.text, read.other)
            if fault:
                self._gathering.fault(line, column, show(cell), f"{column} {fault}")
            else:
                named[column] = read.text

    def _begin(self, number: str, line: int) -> Found:
        """A number that comes again after others is told: its first rows are gone, and perhaps booked already."""
        assert self.header is not None
        found = self._finish()
        self._gathering = Gathering(number, self.header.called)
        first_line = self._numbers.setdefault(number, line)
        if first_line != line:
            self._gathering.refuse(
                line,
                f"number {show(number)} was used before, on line {first_line}: put all rows of a shipment one after "
                "the other, and look whether the shipment of the first rows is to be changed or cancelled.",
            )
        return found

    def _finish(self) -> Found:
        done, self._gathering = self._gathering, None
        return [done.finish()] if done else []


class OrderFile:
    """An order file as it comes in: `feed` it bytes cut anywhere, then `close` it.

    `ended`: the last fault made the rest unreadable, and whatever else comes is passed over.
    """

    def __init__(self, numbers: Numbers | None = None, place: Placing = as_ours) -> None:
        self._text = TextRows()
        self._table = OrderTable(numbers, place)

    @property
    def ended(self) -> bool:
        return self._table.ended

    def feed(self, chunk: bytes) -> Found:
        """The shipments that `chunk` completes."""
        return [each for row in self._text.feed(chunk) for each in self._table.take(row)] if not self.ended else []

    def close(self) -> Found:
        """The last shipment, and what can only be said at the end."""
        if self.ended:
            return []
        found = [each for row in self._text.close() for each in self._table.take(row)]
        return found + self._table.finish()


def _reading_order(fault: OrderFault) -> tuple[int, int]:
    return fault.line, NAMES.index(fault.field) if fault.field in NAMES else -1


def _chunks(source: Path | Iterable[bytes] | Iterable[str]) -> Iterator[bytes]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        return
    for chunk in source:
        yield chunk.encode(errors="surrogatepass") if isinstance(chunk, str) else chunk
