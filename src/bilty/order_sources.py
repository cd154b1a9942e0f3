"""Order files as they lie on disk, whatever wrote them: text in whichever encoding, or a workbook.

A source is read from its beginning as often as one likes. The bytes of text are looked through once before, to know in
which encoding they are and how many lines there are; a workbook is read by a process apart.
"""

import codecs
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bilty.order_file import CHUNK_BYTES, Doubts, Numbers, OrderFault, OrderRows, OrderTable
from bilty.order_header import Header, Placing
from bilty.order_text import UTF_16_BOMS, TextRow, TextRows
from bilty.sheets.reading import UnreadableWorkbookError, opened
from bilty.words import counted, day

WORKBOOK, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
WINDOWS = "cp1252"
FOLDED_BYTES = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
HIGH_BYTES = re.compile(rb"[\x80-\xff]")
NOT_IN_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")

NOT_OPENED = "The file is a workbook of the old kind (.xls), or has a password: save it as .xlsx, without a password."
READ_AS_WINDOWS = (
    "The file is not UTF-8 and was read as Windows-1252, as Excel saves plain CSV: look at names with accents, or save "
    'it as "CSV UTF-8 (comma delimited)".'
)


@dataclass(frozen=True, slots=True)
class Looks:
    """What a file looks like. `lines`: of text, more or less. With a `problem` it cannot be read."""

    form: str
    encoding: str = "utf-8"
    lines: int = 0
    problem: str = ""


def look_at(file: Path) -> Looks:
    """Reads the whole file when it is text. Raises OSError."""
    with file.open("rb") as stream:
        head = stream.read(len(WORKBOOK))
        if head == WORKBOOK:
            return Looks("xlsx")
        if head == OLD_WORKBOOK:
            return Looks("xlsx", problem=NOT_OPENED)
        stream.seek(0)
        return _look_at_text(iter(lambda: stream.read(CHUNK_BYTES), b""), is_utf_16=head.startswith(UTF_16_BOMS))


def _look_at_text(chunks: Iterator[bytes], *, is_utf_16: bool) -> Looks:
    lines, is_utf_8, could_be_windows = 0, True, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in chunks:
        lines += chunk.count(b"\n")
        if is_utf_8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf_8 = False
        if HIGH_BYTES.search(chunk) and (FOLDED_BYTES.search(chunk) or NOT_IN_WINDOWS.search(chunk)):
            could_be_windows = False
    if is_utf_16:
        return Looks("csv", "utf-16", lines)
    return Looks("csv", "utf-8" if is_utf_8 or not could_be_windows else WINDOWS, lines)


class OrderSource:
    """One reading of a file. `line` of `lines` are read; the last words are in `notes` once it is at its end."""

    def __init__(
        self,
        file: Path,
        looks: Looks,
        place: Placing,
        *,
        numbers: Numbers | None = None,
        unsure: frozenset[str] = frozenset(),
    ) -> None:
        self._file = file
        self._looks = looks
        self._table = OrderTable(numbers, place, unsure)
        self._notes = [READ_AS_WINDOWS] if looks.encoding == WINDOWS else []
        self.lines = looks.lines
        self.line = 0

    @property
    def header(self) -> Header | None:
        """None while it is not read."""
        return self._table.header

    @property
    def unsure(self) -> frozenset[str]:
        """Columns of days of which something was read that is not sure, as later cells have shown: read it again."""
        return self._table.doubts.columns

    @property
    def notes(self) -> list[str]:
        return self._notes + _told(self._table.doubts, self._table.header)

    def found(self) -> Generator[OrderRows | OrderFault, None, None]:
        """Each shipment as soon as its last row is read. Raises OSError."""
        if self._looks.problem:
            yield OrderFault(1, "", "", self._looks.problem)
            return
        try:
            for row in self._sheet_rows() if self._looks.form == "xlsx" else self._text_rows():
                self.line = row.line
                yield from self._table.take(row)
                if self._table.ended:
                    return
        except UnreadableWorkbookError as why:
            yield from self._table.end(self.line + 1, str(why))
            return
        yield from self._table.finish()

    def _sheet_rows(self) -> Iterator[TextRow]:
        """The header is the first row with anything in it."""
        with opened(self._file) as sheet:
            self.lines = sheet.height
            self._notes += sheet.notes
            for number, cells in sheet.rows:
                yield TextRow(number, cells)

    def _text_rows(self) -> Iterator[TextRow]:
        text = TextRows()
        decoder = (
            None if self._looks.encoding == "utf-8" else codecs.getincrementaldecoder(self._looks.encoding)("replace")
        )
        with self._file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield from text.feed(chunk if decoder is None else decoder.decode(chunk).encode(errors="replace"))
        yield from text.close()


def _told(doubts: Doubts, header: Header | None) -> list[str]:
    """Days that can be read both ways were read as India writes them: said once a column."""
    told = []
    for column, (line, cell, text, _) in doubts.first.items():
        if column in doubts.columns:
            continue
        called = header.called.get(column, column) if header else column
        many = doubts.counts[column] - 1
        more = f", and {counted(many, 'more cell')} likewise" if many else ""
        read = day(date.fromisoformat(text[:10]))
        told.append(f"{called} {cell} on line {line} is read as {read}, the day first{more}.")
    return told
