"""The rows of one shipment in an order file: gathered into the API's document, faults led back to line and column."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bilty.intake.reader import Fault, show
from bilty.order_columns import NAMES, OF_LEVEL, Column, Level, column_of
from bilty.words import grouped

ROWS_PER_SHIPMENT_MAX = 5_000
CHARS_PER_SHIPMENT_MAX = 2_000_000
FAULTS_PER_SHIPMENT_MAX = 100
_NAMES_OF_WORDS = re.compile(rf"\b(?:{'|'.join(name for name in NAMES if '_' in name)})\b")

Document = dict[str, object]
Row = dict[str, str]
RawRow = tuple[int, tuple[str, ...]]
"""A row's line, and its cells as the file has them."""


@dataclass(frozen=True, slots=True)
class OrderFault:
    """What is wrong and where: line 1 is the header, `field` a column's name or "", `value` the cell, cut short.

    `header`: the column as the file calls it, blank where that is as we do. `rows`: that row, where it is nobody's.
    """

    line: int
    field: str
    value: str
    message: str
    header: str = ""
    rows: tuple[RawRow, ...] = dataclasses.field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        column = self.header or self.field
        return f"line {self.line}{', ' + column if column else ''}: {self.message}"


@dataclass(frozen=True, slots=True)
class OrderRows:
    """The rows of one shipment. `document` is as the API takes it, and empty if a row could not be read at all.

    With `faults`, of the rows themselves, the shipment must not be booked: `parse_order` sees to that.
    `chars` is what all its cells hold. `called`: columns as the file calls them. `raw`: the rows as the file has them,
    or nothing where there are too many.
    """

    number: str
    lines: tuple[int, ...]
    document: Document
    faults: tuple[OrderFault, ...]
    places: dict[str, int]
    chars: int
    called: Mapping[str, str] = dataclasses.field(default_factory=dict)
    raw: tuple[RawRow, ...] = ()

    @property
    def first_line(self) -> int:
        return self.lines[0]

    @property
    def last_line(self) -> int:
        return self.lines[-1]

    def locate(self, fault: Fault) -> OrderFault:
        """A fault or warning of the document, told at the line and column where a person puts it right."""
        column = column_of(fault.field)
        leaf = re.sub(r"\[[0-9]+\]$", "", fault.field.rsplit(".", 1)[-1])
        message = fault.message
        if message.startswith(f"{leaf} "):
            message = column + message.removeprefix(leaf)
        return OrderFault(self._line_of(fault.field), column, fault.value, message)

    def _line_of(self, path: str) -> int:
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path, self.first_line)

    def as_called(self, fault: OrderFault) -> OrderFault:
        """By the names of the file's own header. A name of one word may be a word of the sentence, too, so it stays."""
        others = {ours: theirs for ours, theirs in self.called.items() if theirs.lower() != ours}
        if not others:
            return fault
        message = fault.message
        theirs = others.get(fault.field, "")
        if theirs and message.startswith(f"{fault.field} "):
            message = theirs + message.removeprefix(fault.field)
        message = _NAMES_OF_WORDS.sub(lambda found: others.get(found[0], found[0]), message)
        return replace(fault, message=message, header=theirs)


class Gathering:
    """A shipment while its rows come in. A cell may be blank where an earlier row has said it, and never differ.

    `called`: the columns that the file has, as it calls them.
    """

    def __init__(self, number: str, called: Mapping[str, str] | None = None) -> None:
        self.number = number
        self._called = called or {}
        self._raw: list[RawRow] = []
        self.lines: list[int] = []
        self._chars = 0
        self._is_full = False
        self._faults: list[OrderFault] = []
        self._places: dict[str, int] = {}
        self._readable = True
        self._document: Document = {"consignee": {}, "payment": {}}
        self._papers: dict[Level, dict[str, Document]] = {"invoice": {}, "purchase_order": {}}
        self._groups: list[Document] = []

    def fault(self, line: int, column: str, value: str, message: str) -> None:
        if len(self._faults) < FAULTS_PER_SHIPMENT_MAX:
            self._faults.append(OrderFault(line, column, value, message))

    def refuse(self, line: int, message: str) -> None:
        self._readable = False
        self.fault(line, "number", show(self.number), message)

    def unreadable(
        self, line: int, message: str, column: str = "", value: str = "", cells: tuple[str, ...] = ()
    ) -> None:
        """The row belongs to the shipment and its cells cannot be trusted: nothing more is asked of the document."""
        self._count(line, cells)
        self._readable = False
        self.fault(line, column, value, message)

    def add(self, line: int, row: Row, cells: tuple[str, ...] = ()) -> None:
        self._count(line, cells)
        self._chars += sum(map(len, row.values()))
        if len(self.lines) > ROWS_PER_SHIPMENT_MAX or self._chars > CHARS_PER_SHIPMENT_MAX:
            self._fill(line)
            return
        for column in OF_LEVEL["shipment"]:
            outer, _, leaf = column.path.rpartition(".")
            if cell := row.get(column.name):
                within = self._document.setdefault(outer, {}) if outer else self._document
                self._places.setdefault(outer, line)
                assert isinstance(within, dict)
                self._say(within, leaf, column.path, cell, line, column.name)
        self._add_paper("invoice", "invoices", line, row)
        self._add_paper("purchase_order", "purchase_orders", line, row)
        self._add_box(line, row)

    def _count(self, line: int, cells: tuple[str, ...]) -> None:
        """The first lines and the last: a shipment may have a million rows, and is not to be remembered by them."""
        if not self._is_full and len(self._raw) < ROWS_PER_SHIPMENT_MAX:
            self._raw.append((line, cells))
        if len(self.lines) > ROWS_PER_SHIPMENT_MAX:
            self.lines.pop()
        self.lines.append(line)

    def _fill(self, line: int) -> None:
        """What was gathered is let go: more rows may come than there is memory."""
        if not self._is_full:
            many = self._chars <= CHARS_PER_SHIPMENT_MAX
            most = f"{grouped(ROWS_PER_SHIPMENT_MAX)} rows" if many else f"{grouped(CHARS_PER_SHIPMENT_MAX)} characters"
            self.fault(line, "number", show(self.number), f"A shipment may have {most}: divide this one.")
        self._is_full, self._readable = True, False
        self._groups.clear()
        self._raw.clear()

    def finish(self) -> OrderRows:
        invoices, orders = (list(self._papers[level].values()) for level in ("invoice", "purchase_order"))
        for group in self._groups:
            _link_only(group, "invoice", invoices)
            _link_only(group, "purchase_order", orders)
        self._document |= {"invoices": invoices or [{}], "purchase_orders": orders, "boxes": self._groups or [{}]}
        document = self._document if self._readable else {}
        return OrderRows(
            number=self.number,
            lines=tuple(self.lines),
            document=document,
            faults=tuple(self._faults),
            places=self._places,
            chars=self._chars,
            called=self._called,
            raw=tuple(self._raw),
        )

    def _say(self, within: Document, leaf: str, path: str, cell: str, line: int, column: str) -> None:
        """Once said, a value stays: another one on a later row is a slip of somebody's pen, and nobody knows whose."""
        said = within.setdefault(leaf, cell)
        first_line = self._places.setdefault(path, line)
        if said != cell:
            message = f"{column} is {show(cell)}, but line {first_line} says {show(said)}"
            self.fault(line, column, show(cell), f"{message}: make the two alike, or leave one blank.")

    def _add_paper(self, level: Level, where: str, line: int, row: Row) -> None:
        """An invoice or purchase order: a new one, or more about one that an earlier row named."""
        cells = _cells(level, row)
        if not cells:
            return
        number = cells[0][1] if cells[0][0].path == "number" else ""
        if not number:
            name = OF_LEVEL[level][0].name
            message = f"{name} is blank although {cells[0][0].name} is given: name the number, or leave both blank."
            self.fault(line, name, '""', message)
            return
        papers = self._papers[level]
        paper = papers.setdefault(number, {})
        path = f"{where}[{list(papers).index(number)}]"
        self._places.setdefault(path, line)
        for column, cell in cells:
            self._say(paper, column.path, f"{path}.{column.path}", cell, line, column.name)

    def _add_box(self, line: int, row: Row) -> None:
        """A new box group, or, where the five columns of boxes are blank, one more item for the group above."""
        box = _cells("boxes", row)
        item = {column.path: cell for column, cell in _cells("item", row)}
        if box:
            group: Document = {column.path: cell for column, cell in box}
            group |= {"items": []}
            for name, column_name in (("invoice", "invoice_number"), ("purchase_order", "po_number")):
                if row.get(column_name):
                    group[name] = row[column_name]
            self._groups.append(group)
            self._places[f"boxes[{len(self._groups) - 1}]"] = line
        if not item:
            return
        if not self._groups:
            self.fault(
                line, "sku", "", "The row has an item and no box above to put it in: give the box's size and weight."
            )
            return
        items = self._groups[-1]["items"]
        assert isinstance(items, list)
        items.append(item)
        self._places[f"boxes[{len(self._groups) - 1}].items[{len(items) - 1}]"] = line


def _cells(level: Level, row: Row) -> list[tuple[Column, str]]:
    return [(column, cell) for column in OF_LEVEL[level] if (cell := row.get(column.name))]


def _link_only(group: Document, name: str, papers: list[Document]) -> None:
    """With a single invoice (or purchase order) there is no doubt which one a box belongs to."""
    if len(papers) == 1:
        group.setdefault(name, papers[0]["number"])
