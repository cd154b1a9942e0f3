"""Text of comma separated values cut into rows of cells, whatever separates them and wherever the bytes are cut.

A row that cannot be trusted is told with as much of it as can be read. What makes the rest unreadable ends it.
"""

import csv
from dataclasses import dataclass

from bilty.words import grouped

LINE_BYTES_MAX = 1_000_000
BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = (b",", b";", b"\t")

SAVE_AS_UTF_8 = 'save it from the spreadsheet as "CSV UTF-8 (comma delimited)"'
TOO_LONG = (
    f"The row is longer than {grouped(LINE_BYTES_MAX)} bytes: perhaps a quote opens in it and is never closed. "
    "Put it right, and load the file from this row on."
)
TEXT_AFTER_QUOTE = 'Text follows a closing quote: write a quote inside a quoted cell twice, as in "5"" pipe".'
NEVER_CLOSED = "A quote that opens in this row is never closed: close it, or take it out."
CELL_TOO_LONG = "A cell is longer than any column may be: shorten it, or close the quote that opens it."


@dataclass(frozen=True, slots=True)
class TextRow:
    """From line `line` on. `problem`: why its cells cannot be trusted. `ends`: neither can anything after it."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""
    runs_on: bool = False
    ends: bool = False


class TextRows:
    """`feed` it bytes cut anywhere, then `close` it. After a row that `ends`, whatever else comes is passed over.

    `separator`: known from the first line on.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._record = bytearray()
        self._in_quotes = False
        self._line = 0
        self._first_line = 1
        self._is_first = True
        self._ended = False
        self.separator = b""

    @property
    def line(self) -> int:
        """How many lines were read."""
        return self._line

    def feed(self, chunk: bytes) -> list[TextRow]:
        """The rows that `chunk` completes."""
        if self._ended:
            return []
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        found = [row for line in lines for row in self._take(line + b"\n")]
        if len(self._pending) > LINE_BYTES_MAX and not self._ended:
            self._line += 1
            self._first_line = self._first_line if self._record else self._line
            found.append(self._end(TOO_LONG))
        return found

    def close(self) -> list[TextRow]:
        found = self._take(self._pending) if self._pending else []
        self._pending = b""
        if self._record and not self._ended:
            found.append(self._end(NEVER_CLOSED))
        return found

    def _take(self, line: bytes) -> list[TextRow]:
        if self._ended:
            return []
        self._line += 1
        if not self._record:
            self._first_line = self._line
        if not self.separator:
            line = line if line.startswith(UTF_16_BOMS) else line.removeprefix(BOM)
            self.separator = separator_of(line)
            if line.strip(b" \r\n").lower() == b"sep=" + self.separator:  # Excel's own line, which names no column
                return []
        self._record += line
        self._in_quotes = _in_quotes_after(line, self.separator, in_quotes=self._in_quotes)
        if len(self._record) > LINE_BYTES_MAX:
            return [self._end(TOO_LONG)]
        if self._in_quotes:
            return []
        record = bytes(self._record)
        self._record.clear()
        return [self._row(record)]

    def _row(self, record: bytes) -> TextRow:
        is_first, self._is_first = self._is_first, False
        text, problem = _decoded(record)
        if is_first and record.startswith(UTF_16_BOMS):
            problem = f"The file is UTF-16: {SAVE_AS_UTF_8}."
        separator = self.separator.decode()
        cells = _cells(text, separator)
        if cells is None:
            problem = problem or TEXT_AFTER_QUOTE
            cells = _cells(text, separator, strict=False)
        if cells is None:
            return self._end(CELL_TOO_LONG)
        return TextRow(self._first_line, tuple(cells), problem, runs_on="\n" in text.rstrip("\r\n"))

    def _end(self, problem: str) -> TextRow:
        self._ended = True
        self._record.clear()
        return TextRow(self._first_line, (), problem, ends=True)


def separator_of(line: bytes) -> bytes:
    """Whichever cuts the first line into the most cells; a comma where none does."""
    named = line.strip().lower().removeprefix(b"sep=")
    if len(named) <= 1 and line.strip():
        return named if named in SEPARATORS else b"\t" if b"\t" in line else b","
    bare = b"".join(line.split(b'"')[::2])
    return max(SEPARATORS, key=bare.count)


def _in_quotes_after(line: bytes, separator: bytes, *, in_quotes: bool) -> bool:
    """Whether a quoted cell goes on in the next line. A quote opens a cell only at its start: 5" pipe opens none."""
    at = 0
    while (quote := line.find(b'"', at)) >= 0:
        at = quote + 1
        if not in_quotes:
            in_quotes = quote == 0 or line[quote - 1 : quote] == separator
        elif line[at : at + 1] == b'"':
            at += 1
        else:
            in_quotes = False
    return in_quotes


def _decoded(record: bytes) -> tuple[str, str]:
    """The text, readable at least in its plain letters, and what is wrong with its bytes."""
    if b"\0" in record:
        return record.decode(errors="replace").replace("\0", ""), "The row holds a NUL byte: take it out."
    try:
        return record.decode(), ""
    except UnicodeDecodeError as error:
        found = f"byte 0x{record[error.start]:02X}"
        return record.decode(errors="replace"), f"The row is not UTF-8 text ({found}): {SAVE_AS_UTF_8}."


def _cells(text: str, separator: str, *, strict: bool = True) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=strict, delimiter=separator), [])
    except csv.Error:
        return None
