"""What comes in as bytes, cut anywhere, read into rows: documents a line, or an order file.

A row that cannot be read is told and the next is read. What makes the rest unreadable is an `End`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol, TypeAlias

import msgspec

from bilty.intake import NOBODY, Accepted, Fault, IntakeRules, Rejected, parse_shipment
from bilty.intake.reader import printable
from bilty.order_file import OrderFault, OrderFile, OrderRows, parse_order
from bilty.shipment import Party
from bilty.web.asking import BODY_BYTES_MAX
from bilty.web.bulk.numbers import Numbers
from bilty.web.problems import ProblemError, rejected
from bilty.words import grouped

LINE_BYTES_MAX = BODY_BYTES_MAX
"""What may be posted alone may be posted in a line."""
NUMBER_CHARS_SHOWN = 40
EMPTY = "The body holds no document: send one a line, as POST /api/v1/shipments takes it."
BOM = b"\xef\xbb\xbf"

Today: TypeAlias = Callable[[], date]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`lines`: on which each of the problem's faults stands; empty: on the row's first."""

    problem: ProblemError
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment as it was read, from line `first` to line `last` of what was sent. `size`: bytes, more or less."""

    first: int
    last: int
    number: str
    size: int
    verdict: Accepted | Refusal


@dataclass(frozen=True, slots=True)
class End:
    """Why nothing more is read. `resume`: the line to go on from, where that is not the next behind what was told."""

    problem: ProblemError
    resume: int | None = None


class Reading(Protocol):
    def feed(self, piece: bytes) -> Iterator[Row | End]: ...

    def close(self) -> Iterator[Row | End]:
        """What can only be said at the end."""

    def release(self) -> None: ...


class Documents:
    """A document a line. Lines that are blank are counted and passed over."""

    def __init__(self, rules: IntakeRules, today: Today, saved: Mapping[str, Party] = NOBODY) -> None:
        self._rules, self._today, self._saved = rules, today, saved
        self._pending = b""
        self._is_too_long = False
        self._line = 0
        self._has_rows = False

    def feed(self, piece: bytes) -> Iterator[Row]:
        *lines, self._pending = (self._pending + piece).split(b"\n")
        for line in lines:
            yield from self._take(line)
        if len(self._pending) > LINE_BYTES_MAX:
            self._pending, self._is_too_long = b"", True

    def close(self) -> Iterator[Row | End]:
        if self._pending or self._is_too_long:
            yield from self._take(self._pending)
        if not self._has_rows:
            yield End(ProblemError(400, "empty", EMPTY))

    def release(self) -> None:
        self._pending = b""

    def _take(self, line: bytes) -> Iterator[Row]:
        self._line += 1
        is_too_long = self._is_too_long or len(line) > LINE_BYTES_MAX
        self._is_too_long = False
        line = line.removeprefix(BOM) if self._line == 1 else line
        if not is_too_long and not line.strip():
            return
        self._has_rows = True
        if is_too_long:
            detail = f"Line {grouped(self._line)} is longer than 2 MB: divide this shipment."
            yield self._row(b"", "", Refusal(ProblemError(413, "too_large", detail)))
            return
        try:
            document: object = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
            yield self._row(line, "", Refusal(self._not_json(trouble)))
            return
        parsed = parse_shipment(document, self._rules, self._today(), self._saved)
        verdict = Refusal(rejected(parsed.faults)) if isinstance(parsed, Rejected) else parsed
        yield self._row(line, _number(document), verdict)

    def _row(self, line: bytes, number: str, verdict: Accepted | Refusal) -> Row:
        return Row(self._line, self._line, number, len(line), verdict)

    def _not_json(self, trouble: Exception) -> ProblemError:
        why = str(trouble)
        if isinstance(trouble, RecursionError):
            why = "it is nested too deeply"
        elif isinstance(trouble, UnicodeDecodeError):
            why = f"it is not UTF-8 text (byte 0x{trouble.object[trouble.start]:02X})"
        detail = f"Line {grouped(self._line)} is not JSON: {why}. A line is one whole document, without line breaks."
        return ProblemError(400, "not_json", detail)


class Orders:
    """An order file: one row a box group, the rows of one shipment one after the other."""

    def __init__(
        self, rules: IntakeRules, today: Today, saved: Mapping[str, Party] = NOBODY, *, schedule: bool
    ) -> None:
        self._rules, self._today, self._saved, self._schedule = rules, today, saved, schedule
        self._numbers = Numbers()
        self._file = OrderFile(self._numbers)

    def feed(self, piece: bytes) -> Iterator[Row | End]:
        return self._told(self._file.feed(piece))

    def close(self) -> Iterator[Row | End]:
        return self._told(self._file.close())

    def release(self) -> None:
        self._numbers.close()

    def _told(self, found: Sequence[OrderRows | OrderFault]) -> Iterator[Row | End]:
        """A fault that ends the reading is the last, and stands behind the shipment that it stops."""
        lost_from = 0
        for each in found:
            if isinstance(each, OrderRows):
                lost_from = each.first_line
                yield self._row(each)
            elif self._file.ended and each is found[-1]:
                yield End(_problem([each]), lost_from or each.line)
            else:
                yield Row(each.line, each.line, "", 0, _refusal([each]))

    def _row(self, rows: OrderRows) -> Row:
        taken = parse_order(rows, self._rules, self._today(), self._saved)
        verdict = replace(taken, schedule=self._schedule) if isinstance(taken, Accepted) else _refusal(taken)
        return Row(rows.first_line, rows.last_line, printable(rows.number, NUMBER_CHARS_SHOWN), rows.chars, verdict)


def _refusal(faults: Sequence[OrderFault]) -> Refusal:
    return Refusal(_problem(faults), tuple(fault.line for fault in faults))


def _problem(faults: Sequence[OrderFault]) -> ProblemError:
    return rejected([Fault(fault.field, fault.value, fault.message) for fault in faults])


def _number(document: object) -> str:
    number = document.get("number") if isinstance(document, dict) else None
    return printable(number, NUMBER_CHARS_SHOWN) if isinstance(number, str) else ""
