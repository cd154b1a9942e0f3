"""Shipments as a table for a spreadsheet: chosen ones in their order, or all that a list shows, however many.

The table is written to a file beside the program, a portion at a time, and put into the label store when it is whole:
a process needs as much memory for 100,000 shipments as for 1,000.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qsl

from obstore.exceptions import BaseError

from bilty.jobs.bulk import NOT_THERE
from bilty.jobs.exported import COLUMNS, SHEETS, Rows, rows_of
from bilty.jobs.tables import Csv, Table, Xlsx
from bilty.jobs.tools import CannotFinish, Stopping, Tools, stop_here
from bilty.store import audit, exporting, job_steps
from bilty.store.database import Pool
from bilty.store.job_steps import Open, Settled
from bilty.store.jobs import Job, Outcome
from bilty.store.labels import Shelf
from bilty.store.listing import Filter, Sort
from bilty.words import grouped

T = TypeVar("T")

BATCH = 500
ROWS_MAX = 2_000_000
NO_STORE = "Bilty's label store cannot be written ({why}). Run `bilty doctor`, then export again."
NO_ROOM = "The table cannot be written ({why}): free some room where Bilty's TMPDIR is, then export again."
TOO_LONG = (
    f"This table has more than {grouped(ROWS_MAX)} rows. Narrow the list with a filter, for example to fewer days, "
    "and export the rest after it."
)

Told: TypeAlias = Callable[[int], Awaitable[None]]
"""After each portion: how many shipments are in the table."""


class Form(StrEnum):
    """What kind of file, and what a row is."""

    CSV = "csv"
    XLSX = "xlsx"
    CSV_BOXES = "csv-boxes"
    XLSX_BOXES = "xlsx-boxes"

    @property
    def rows(self) -> Rows:
        return Rows.BOXES if self in (Form.CSV_BOXES, Form.XLSX_BOXES) else Rows.SHIPMENTS

    @property
    def suffix(self) -> str:
        return "xlsx" if self in (Form.XLSX, Form.XLSX_BOXES) else "csv"

    @property
    def shelf(self) -> Shelf:
        return Shelf.WORKBOOKS if self.suffix == "xlsx" else Shelf.EXPORTS


@dataclass(slots=True)
class Writing:
    """A table that grows: how many shipments are in it, and how many rows."""

    table: Table
    form: Form
    shipments: int = 0
    rows: int = 0

    async def add(self, pool: Pool, ids: Sequence[int], facilities: frozenset[int] | None) -> set[int]:
        """The ids of those that are in it now. Raises CannotFinish when the table is too long."""
        boxes = self.form.rows is Rows.BOXES
        async with pool.acquire() as connection:
            found = await exporting.read(connection, ids, facilities, boxes=boxes)
        self.shipments += len(found.seen)
        self.rows += sum(len(each.shipment.boxes) for each in found.seen) if boxes else len(found.seen)
        if self.rows > ROWS_MAX:
            raise CannotFinish(TOO_LONG)
        await _put(lambda: self.table.write(rows_of(found, self.form.rows)))
        return {each.id for each in found.seen}


@asynccontextmanager
async def written(path: Path, form: Form) -> AsyncIterator[Writing]:
    """The file at `path` is whole at the end of the block, and must not be looked at before. Raises CannotFinish."""
    columns, is_whole = COLUMNS[form.rows], False
    table: Table = await _put(
        lambda: Xlsx(path, columns, SHEETS[form.rows]) if form.suffix == "xlsx" else Csv.at(path, columns)
    )
    try:
        yield Writing(table, form)
        await _put(table.close)
        is_whole = True
    finally:
        if not is_whole:
            table.drop()


async def _put(write: Callable[[], T]) -> T:
    """Beside whatever else the process does: a workbook of 100,000 rows is half a minute's work."""
    try:
        return await asyncio.to_thread(write)
    except OSError as trouble:
        raise CannotFinish(NO_ROOM.format(why=trouble.strerror or type(trouble).__name__)) from trouble


async def write_list(pool: Pool, wanted: Filter, sort: Sort, writing: Writing, told: Told) -> None:
    """Every shipment that the filter lets through, as the list sorts them."""
    async for ids in exporting.walk(pool, wanted, sort):
        async with pool.acquire() as connection:
            portions = await exporting.portions(connection, ids)
        for portion in portions:
            await writing.add(pool, portion, wanted.facility_ids)
            await told(writing.shipments)


def asked(matching: str, facilities: frozenset[int] | None) -> tuple[Filter, Sort]:
    """What a list's address says. Raises FilterError."""
    sort = dict(parse_qsl(matching.removeprefix("?"))).get("sort", "")
    return Filter.read(matching, facilities), Sort(sort) if sort in tuple(Sort) else Sort.NEWEST


async def export(tools: Tools, job: Job, stopping: Stopping) -> None:
    """Reads everything anew when it is taken up again: it changes nothing but the count that is shown."""
    form = Form(job.input.get("as", Form.CSV))
    with tempfile.TemporaryDirectory(prefix="bilty-export-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"table.{form.suffix}"
        settled: list[Settled] = []
        more = False
        async with written(path, form) as writing:
            if not _is_of_a_list(job):
                settled = await _chosen(tools, job, writing, stopping)
            else:
                more = await _matching(tools, job, writing, stopping)
        try:
            sha256 = await tools.labels.put_file(path, form.shelf)
        except (OSError, BaseError) as trouble:
            raise CannotFinish(NO_STORE.format(why=type(trouble).__name__)) from trouble
    made: dict[str, str | int] = {"sha256": sha256, "rows": writing.rows, "as": form.value, "more_found": more}
    await _finish(tools, job, settled, writing.shipments, made)


def _is_of_a_list(job: Job) -> bool:
    """Of all that a list shows. What an older program has begun names each shipment."""
    return "as" in job.input and "matching" in job.input


async def _chosen(tools: Tools, job: Job, writing: Writing, stopping: Stopping) -> list[Settled]:
    """Those that were ticked, one by one: each that is not there is refused at the end."""
    settled: list[Settled] = []
    while True:
        stop_here(stopping)
        async with tools.pool.acquire() as connection:
            items = await job_steps.open_items(connection, job, BATCH, after=settled[-1].position if settled else 0)
            portions = await exporting.portions(connection, [each.shipment_id for each in items if each.there])
        if not items:
            return settled
        found: set[int] = set()
        for portion in portions:
            found |= await writing.add(tools.pool, portion, job.facilities)
        settled += [_settled(each, there=each.shipment_id in found) for each in items]
        async with tools.pool.acquire() as connection:
            await job_steps.show_done(connection, job.id, len(settled))


def _settled(item: Open, *, there: bool) -> Settled:
    return Settled(item.position, Outcome.DONE) if there else Settled(item.position, Outcome.REFUSED, NOT_THERE)


async def _matching(tools: Tools, job: Job, writing: Writing, stopping: Stopping) -> bool:
    """All that the list shows. True when a search found more than it takes."""
    wanted, sort = asked(str(job.input["matching"]), job.facilities)
    async with tools.pool.acquire() as connection:
        extent = await exporting.extent_of(connection, wanted)
        await job_steps.show_total(connection, job.id, extent.count)

    async def told(shipments: int) -> None:
        stop_here(stopping)
        async with tools.pool.acquire() as connection:
            await job_steps.show_done(connection, job.id, min(shipments, extent.count))

    await write_list(tools.pool, wanted, sort, writing, told)
    return extent.more_found


async def _finish(
    tools: Tools, job: Job, settled: Sequence[Settled], shipments: int, made: dict[str, str | int]
) -> None:
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is None:
            return
        connection, job = taken
        if not _is_of_a_list(job):
            await job_steps.show_done(connection, job.id, 0)
            await job_steps.settle(connection, job.id, settled)
        else:
            await job_steps.show_total(connection, job.id, shipments)
            await job_steps.show_done(connection, job.id, shipments)
        after = {"rows": made["rows"], "as": made["as"]}
        if _is_of_a_list(job):
            after["matching"] = str(job.input["matching"])
        await audit.note(connection, job.actor, "shipments exported", f"job {job.id}", after=after)
        await job_steps.end(connection, job.id, result=made)
