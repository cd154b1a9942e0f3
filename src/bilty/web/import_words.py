"""An import in words: how far it is, what it would do, what came of it; and its rows as a page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty import telling
from bilty.store.import_entries import Entry, Told
from bilty.store.imports import AT_WORK, Import, ImportState
from bilty.store.judging import Verdict
from bilty.words import INDIA, counted, day, grouped, listed

ROWS_SHOWN = 40
"""Of one shipment, those with a fault first: one may have thousands."""
NUMBERS_TOLD = 5
_STATES = {
    ImportState.READING: ("waiting", "◑", "Being read"),
    ImportState.MAPPING: ("person", "▲", "Columns to name"),
    ImportState.CHECKING: ("waiting", "◑", "Being checked"),
    ImportState.CHECKED: ("idle", "○", "Checked"),
    ImportState.TAKING: ("waiting", "◑", "Being taken in"),
    ImportState.TAKEN: ("done", "●", "Taken in"),
    ImportState.FAILED: ("bad", "✕", "Failed"),
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import as pages show it. `told` is where it stands, in sentences."""

    id: int
    name: str
    shape: str
    glyph: str
    state: str
    told: str
    under_way: bool
    done: int
    total: int
    actor: str
    asked: str
    asked_iso: str
    new: str
    same: str
    differs: str
    faulty: str
    taken: str


def import_row(found: Import, now: datetime) -> ImportRow:
    shape, glyph, state = _STATES[found.state]
    counts = found.counts
    if found.state in (ImportState.CHECKED, ImportState.TAKEN) and counts.faulty:
        shape, glyph = "person", "▲"
    return ImportRow(
        id=found.id,
        name=found.name,
        shape=shape,
        glyph=glyph,
        state=state,
        told=_told(found, now),
        under_way=found.state in AT_WORK,
        done=found.done,
        total=found.total,
        actor=found.actor.name,
        asked=_moment(found.asked_at, now),
        asked_iso=found.asked_at.isoformat(),
        new=grouped(counts.new),
        same=grouped(counts.same),
        differs=grouped(counts.differs),
        faulty=grouped(counts.faulty),
        taken=grouped(counts.taken),
    )


def _moment(at: datetime, now: datetime) -> str:
    if now - at > timedelta(days=300):
        return f"{day(at.astimezone(INDIA))}, {at.astimezone(INDIA):%H:%M}"
    return telling.clock(at, now, INDIA)


def _told(found: Import, now: datetime) -> str:
    match found.state:
        case ImportState.READING:
            return "The first line is being read. It begins in a moment."
        case ImportState.MAPPING:
            return found.mapping_problem or "Say which column of the file is which."
        case ImportState.CHECKING | ImportState.TAKING:
            return _progress(found, now)
        case ImportState.CHECKED:
            return f"{_found(found)} Nothing is taken in yet."
        case ImportState.TAKEN:
            return _taken(found)
        case ImportState.FAILED:
            return found.problem or "It did not come to its end. Upload the file once more."


def _progress(found: Import, now: datetime) -> str:
    what = "shipments" if found.state is ImportState.TAKING else "rows"
    of = f" of {grouped(found.total)}" if found.total else ""
    told = f"{grouped(found.done)}{of} {what}."
    pace, left = found.per_second(now), found.seconds_left(now)
    if pace:
        told += f" {pace:,.0f} a second" if pace >= 2 else f" {pace * 60:.0f} a minute"
        told += f", about {telling.span(timedelta(seconds=left))} left." if left is not None else "."
    return told


def _found(found: Import) -> str:
    counts = found.counts
    parts = [
        (counts.new, "new"),
        (counts.same, "here already, just so"),
        (counts.differs, "here already, but different"),
        (counts.faulty, "with faults"),
    ]
    count = sum(number for number, _ in parts)
    told = [f"{grouped(number)} {words}" for number, words in parts if number]
    if not count:
        return "The file has no shipment."
    return f"{_shipments(count)} in the file: {listed(told)}."


def _taken(found: Import) -> str:
    counts = found.counts
    if not counts.taken:
        return "No shipment was taken in."
    told = f"{_shipments(counts.taken)} taken in"
    further = [(counts.scheduled, "scheduled"), (counts.held, "on hold")]
    also = [f"{grouped(number)} {words}" for number, words in further if number]
    told += f", {listed(also)} of them." if also else "."
    left = [(counts.faulty, "with faults"), (counts.differs, "that differ from what is here")]
    rest = [f"{grouped(number)} {words}" for number, words in left if number]
    return f"{told} Not taken in: {listed(rest)}." if rest else told


def _shipments(count: int) -> str:
    return "1 shipment" if count == 1 else f"{grouped(count)} shipments"


@dataclass(frozen=True, slots=True)
class Cell:
    """`at` is the place of its column in the file, by which a form names it. `is_open`: it may be written in."""

    at: int
    header: str
    value: str
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_open: bool = False

    @property
    def is_long(self) -> bool:
        """A field of one line would take its ends of line away."""
        return "\n" in self.value


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A shipment of the file. `besides`: what is wrong with it and stands in no cell of it."""

    number: str
    shipment_id: int
    lines: tuple[Line, ...]
    more: int
    besides: tuple[str, ...]
    hold: str


def columns_of(entries: Sequence[Entry], headers: Sequence[str]) -> list[int]:
    """The places of the columns in the order in which they are shown: those with a fault stand where the eye is."""
    faulty = {fault.header for entry in entries for fault in entry.faults}
    return sorted(range(len(headers)), key=lambda at: headers[at] not in faulty)


def shown(entry: Entry, headers: Sequence[str], columns: Sequence[int], open_line: int = 0) -> Shown:
    said, warned = _by_place(entry.faults), _by_place(entry.warnings)
    faulty = {line for line, _ in said}
    rows = sorted(entry.rows, key=lambda row: (row[0] not in faulty, row[0]))[:ROWS_SHOWN]
    lines = []
    for number, cells in sorted(rows):
        lines.append(
            Line(
                number,
                tuple(
                    Cell(
                        at,
                        headers[at],
                        cells[at] if at < len(cells) else "",
                        tuple(said.get((number, headers[at]), ())),
                        tuple(warned.get((number, headers[at]), ())),
                        is_open=number == open_line or (number, headers[at]) in said,
                    )
                    for at in columns
                ),
            )
        )
    in_cells = {(line.number, cell.header) for line in lines for cell in line.cells}
    besides = [
        message
        for told in (said, warned)
        for place, messages in told.items()
        if place not in in_cells
        for message in messages
    ]
    more = len(entry.rows) - len(lines)
    return Shown(entry.number, entry.shipment_id, tuple(lines), more, tuple(besides), entry.hold)


def _by_place(all_told: Sequence[Told]) -> dict[tuple[int, str], list[str]]:
    found: dict[tuple[int, str], list[str]] = {}
    for each in all_told:
        found.setdefault((each.line, each.header), []).append(each.message)
    return found


def changed_cells(form: Mapping[str, str], headers: Sequence[str]) -> list[tuple[int, str, str]]:
    """Line, column as the file calls it, and what it is to hold, of each cell that a person has written in."""
    found = []
    for name, value in form.items():
        kind, _, place = name.partition(".")
        line, _, at = place.partition(".")
        if kind != "cell" or not _is_whole(line) or not _is_whole(at) or int(at) >= len(headers):
            continue
        if value != form.get(f"was.{place}", ""):
            found.append((int(line), headers[int(at)], value))
    return sorted(found)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def told_mended(cells: int, entries: Sequence[Entry]) -> str:
    well = [entry.number for entry in entries if entry.verdict is not Verdict.FAULTY]
    told = f"{counted(cells, 'cell')} changed."
    if not well:
        return f"{told} There is more to put right: see below."
    more = len(well) - NUMBERS_TOLD
    first = listed([*well[:NUMBERS_TOLD], *([f"{more} more"] if more > 0 else [])])
    return f"{told} {first} {'is' if len(well) == 1 else 'are'} without fault now."
