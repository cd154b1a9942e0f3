"""An import of the panel: a job that checks its file, and one that takes in what is new of it.

Both go in sets of shipments, each in a transaction with the verdicts on it. Broken off, the first goes on behind the
last shipment that it has judged, the second with those that are still new.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import structlog
from obstore.exceptions import BaseError

from bilty.jobs.tools import CannotFinish, Stopping, Tools, stop_here
from bilty.order_file import OrderFault, OrderRows
from bilty.order_header import Header, as_theirs
from bilty.order_sources import OrderSource, look_at
from bilty.store import consignees, import_entries, import_steps, imports, job_steps
from bilty.store.database import UNAVAILABLE, Connection
from bilty.store.import_entries import Entry
from bilty.store.imports import Import, ImportState
from bilty.store.jobs import Job
from bilty.store.judging import Bench, Judged, Verdict, became, judged, parsed
from bilty.store.labels import Shelf
from bilty.store.shipments import keep, schedule_all
from bilty.store.showing import clock
from bilty.words import INDIA

BATCH = 200
FILE_GONE = "The file is not in the label store any more ({why}): bring it in again."
UNFORESEEN = "Something that Bilty did not foresee was in the way; it stands in the log."

_Found: TypeAlias = Generator[OrderRows | OrderFault, None, None]

log = structlog.get_logger()


async def check(tools: Tools, job: Job, stopping: Stopping) -> None:
    """To the end of the file, or to the question which column is which."""
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is None:
            return
        connection, _ = taken
        found = await imports.import_of(connection, int(job.input["import"]))
        if found is None:
            await job_steps.end(connection, job.id, result={})
            return
        bench = await _bench(connection, tools, found)
    async with _file(tools, found) as path:
        looks = await asyncio.to_thread(look_at, path)
        if found.state is ImportState.READING:
            header = await asyncio.to_thread(_header, OrderSource(path, looks, as_theirs()))
            found = await _placed(tools, job, found, header)
        while found is not None:
            source = OrderSource(path, looks, as_theirs(found.mapping), unsure=found.unsure)
            await _judge_all(tools, job, found, source, bench, stopping)
            found = await _ended(tools, job, found, source)


async def take_in(tools: Tools, job: Job, stopping: Stopping) -> None:
    """Should a set fail, its shipments are tried one by one: a single one that cannot be kept stops nobody else."""
    alone = 0
    behind: int | None = 0
    while behind is not None:
        stop_here(stopping)
        try:
            behind = await _take_some(tools, job, behind, 1 if alone else BATCH)
        except UNAVAILABLE:
            raise
        except Exception:
            log.exception("import.shipment_failed" if alone else "import.set_failed", job=job.id)
            if alone:
                await _refuse_next(tools, job)
            else:
                alone = BATCH + 1
        alone = max(0, alone - 1)


@asynccontextmanager
async def _file(tools: Tools, found: Import) -> AsyncIterator[Path]:
    """The file on this machine's disk, for as long as the block. Raises CannotFinish."""
    with tempfile.TemporaryDirectory(prefix="bilty-import-") as folder:
        path = Path(folder) / "orders"
        try:
            with path.open("wb") as file:
                async for chunk in tools.labels.stream(found.sha256, Shelf.IMPORTS):
                    await asyncio.to_thread(file.write, chunk)
        except (OSError, BaseError) as trouble:
            raise CannotFinish(FILE_GONE.format(why=type(trouble).__name__)) from trouble
        yield path


def _header(source: OrderSource) -> Header:
    """Raises CannotFinish where there is none to be mapped."""
    first = next(iter(source.found()), None)
    if source.header is not None and any(source.header.names):
        return source.header
    raise CannotFinish(first.message if isinstance(first, OrderFault) else UNFORESEEN)


async def _placed(tools: Tools, job: Job, found: Import, header: Header) -> Import | None:
    """The import as it goes on, None where a person has to be asked."""
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is None:
            return None
        connection, _ = taken
        if known := await imports.remembered(connection, header.names):
            header = as_theirs(known)(header.names)
        if header.problem:
            await import_steps.wants_mapping(connection, found.id, header)
            await job_steps.end(connection, job.id, result={})
            return None
        await import_steps.mapped(connection, found.id, header)
        return await imports.import_of(connection, found.id)


async def _judge_all(
    tools: Tools, job: Job, found: Import, source: OrderSource, bench: Bench, stopping: Stopping
) -> None:
    async with tools.pool.acquire() as looking:
        behind = await import_steps.last_position(looking, found.id)
    shipments = source.found()
    try:
        while batch := await asyncio.to_thread(_read, shipments, behind, bench):
            stop_here(stopping)
            async with job_steps.take(tools.pool, job.id) as taken:
                if taken is None:
                    return
                connection, _ = taken
                await import_entries.write(connection, found.id, await judged(connection, batch))
                await import_steps.show(connection, job.id, found.id, source.line, source.lines)
    finally:
        with contextlib.suppress(ValueError):  # cancelled, while a thread is at it: then the thread is its last user
            shipments.close()  # with the process that reads a workbook


def _read(shipments: _Found, behind: int, bench: Bench) -> list[Judged]:
    """The next set. In a thread: a set takes a tenth of a second, for which nobody else should wait."""
    rest = (each for each in shipments if import_entries.position_of(each) > behind)
    return parsed(list(islice(rest, BATCH)), bench)


async def _ended(tools: Tools, job: Job, found: Import, source: OrderSource) -> Import | None:
    """The import, where it has to be read once more."""
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is None:
            return None
        connection, _ = taken
        if source.unsure:
            await import_steps.start_anew(connection, found.id, found.unsure | source.unsure)
            return await imports.import_of(connection, found.id)
        await import_steps.checked(connection, found.id, source.notes)
        await job_steps.end(connection, job.id, result={})
        return None


async def _take_some(tools: Tools, job: Job, behind: int, size: int) -> int | None:
    """The last position that was taken in, None where nothing is left to do."""
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is None:
            return None
        connection, _ = taken
        found = await imports.import_of(connection, int(job.input["import"]))
        some = await import_steps.next_new(connection, found.id, size, after=behind) if found else []
        if found is None or not some:
            if found:
                await import_steps.taken(connection, found.id)
            await job_steps.end(connection, job.id, result={})
            return None
        bench = await _bench(connection, tools, found)
        again = await asyncio.to_thread(_read_again, found, some, bench)
        await _keep(connection, job, found, again)
        await import_steps.show(connection, job.id, found.id, found.done + len(some), found.total)
        return some[-1].position


def _read_again(found: Import, some: Sequence[Entry], bench: Bench) -> list[Judged]:
    return parsed(import_entries.read_again(found, [each.rows for each in some]), bench)


async def _keep(connection: Connection, job: Job, found: Import, again: Sequence[Judged]) -> None:
    now = await clock(connection)
    kept = iter(await keep(connection, [each.arrival for each in again if each.arrival], now))
    after = [became(each, next(kept)) if each.arrival else each for each in again]
    new = [each for each in after if each.verdict is Verdict.NEW]
    taken = {import_entries.position_of(each.rows): each.shipment_id for each in new}
    await import_steps.take(connection, found.id, taken)
    await import_entries.write(connection, found.id, [each for each in after if each.verdict is not Verdict.NEW])
    wanted = list(taken.values()) if found.schedule else []
    begun = await schedule_all(connection, wanted, now, actor=job.actor, run=1) if wanted else {}
    await import_steps.add_counts(
        connection,
        found,
        held=sum(bool(each.hold) for each in new),
        scheduled=sum(progress.run > 0 for progress in begun.values()),
    )


async def _refuse_next(tools: Tools, job: Job) -> None:
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is not None:
            connection, _ = taken
            for each in await import_steps.next_new(connection, int(job.input["import"]), 1):
                fault = OrderFault(each.position, "", "", UNFORESEEN, rows=each.rows)
                refused = Judged(fault, Verdict.FAULTY, faults=(fault,))
                await import_entries.write(connection, int(job.input["import"]), [refused])


async def _bench(connection: Connection, tools: Tools, found: Import) -> Bench:
    today = (await clock(connection)).astimezone(INDIA).date()
    return Bench(tools.intake, today, await consignees.every_one(connection), found.facilities)
