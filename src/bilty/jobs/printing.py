"""One PDF of many labels: each shipment's copy is numbered, its label read from the store, and all are put together.

See `bilty.store.prints` for what *printed* means. A job that is taken up again makes its PDF anew from the copies that
it has numbered before, so nobody gets a second copy of anything because a process died.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from obstore.exceptions import BaseError

from bilty import telling
from bilty.documents import UnreadablePdfError
from bilty.documents.press import BYTES_MAX, Press, PressStopped, TooLargeError, press
from bilty.jobs.bulk import NOT_THERE
from bilty.jobs.tools import CannotFinish, Stopping, Tools, stop_here
from bilty.store import job_steps, lost_labels, prints
from bilty.store.database import Connection
from bilty.store.job_steps import Open, Settled
from bilty.store.jobs import Job, JobKind, Outcome
from bilty.store.labels import LabelStore, Shelf
from bilty.store.prints import Printable, Sheet
from bilty.store.showing import clock
from bilty.words import day

BATCH = 100
CHUNK = 20
"""Labels that are in memory beside the PDF that grows of them."""
TOO_LARGE = (
    "These labels are more than 256 MB together, too much for one PDF. Nothing was printed: choose fewer shipments."
)
NO_STORE = "Bilty's label store cannot be {done} ({why}). Nothing was printed: run `bilty doctor`, then print again."
TOO_MUCH = "These labels are too much for one PDF. Nothing was printed: choose fewer shipments."
NO_LABEL = "It has no label to print. It stands at: {status}."
LABEL_CHANGED = "Its label changed while it was being printed. Print it again to have the present one."
STOPS_THE_PRESS = "its PDF takes more time or memory than a label may"
UNPRINTABLE = "Not printed: {fault}. Fetch the label again on the shipment's page, or open it there by itself."


async def print_all(tools: Tools, job: Job, stopping: Stopping) -> None:
    await _number(tools, job, stopping)
    ended = False
    while not ended:  # a label that stopped the press, or that is void by now, was refused: once more, without it
        result = await _made(tools, job, stopping)
        ended = result is not None and await _finish(tools, job.id, result)


async def _made(tools: Tools, job: Job, stopping: Stopping) -> dict[str, int | str] | None:
    """The result; None when a label stopped the press."""
    async with tools.pool.acquire() as connection:
        sheets, now = await prints.sheets(connection, job.id), await clock(connection)
    size = 0
    async with press() as running:
        for start in range(0, len(sheets), CHUNK):
            stop_here(stopping)
            chunk = sheets[start : start + CHUNK]
            leaves = await asyncio.gather(*(_leaf(tools, job, each, now) for each in chunk))
            size += sum(len(each.pdf) for each in leaves)
            if size > BYTES_MAX:
                raise CannotFinish(TOO_LARGE)
            faults, stopped = await _put_through(running, leaves)
            await _note_chunk(tools, job.id, faults, running.labels)
            if stopped:
                return None
        stop_here(stopping)
        told: dict[str, int | str] = {"labels": running.labels, "pages": running.pages}
        if running.labels:
            told["sha256"] = await _kept(tools.labels, running)
        return told


async def _number(tools: Tools, job: Job, stopping: Stopping) -> None:
    """Which shipments are printed, each as which copy; the others are refused."""
    position = 0
    while True:
        stop_here(stopping)
        async with job_steps.take(tools.pool, job.id) as taken:
            if taken is None:
                return
            connection, job = taken
            items = await job_steps.open_items(connection, job, BATCH, after=position)
            if not items:
                return
            await _number_batch(connection, job, items)
            position = items[-1].position


async def _number_batch(connection: Connection, job: Job, items: Sequence[Open]) -> None:
    found = await prints.find(connection, job.id, [each.shipment_id for each in items if each.there])
    now = await clock(connection)
    reasons = {each.position: _refusal(job.kind, found.get(each.shipment_id), now) for each in items}
    printed = [found[each.shipment_id] for each in items if not reasons[each.position]]
    await prints.number(connection, job, printed)
    await prints.drop(connection, job.id, [each.shipment_id for each in items if reasons[each.position]])
    refused = [Settled(position, Outcome.REFUSED, reason) for position, reason in reasons.items() if reason]
    await job_steps.settle(connection, job.id, refused)


def _refusal(kind: JobKind, found: Printable | None, now: datetime) -> str:
    """Why it is not printed, blank if it is."""
    if found is None:
        return NOT_THERE
    if found.turn_id is None:
        return NO_LABEL.format(status=telling.STATUS_WORDS[found.status])
    if kind is not JobKind.PRINT_NEW:
        return ""
    if found.printing_job:
        return f"{found.printing_by} is printing it just now."
    if found.printed_at is not None:
        at = telling.clock(found.printed_at, now, ZoneInfo(found.time_zone))
        return f"It was printed already, at {at}. To have it once more, choose Print: it will be marked as a reprint."
    return ""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A label as it was read from the store, blank where `fault` says what ails it, and the line to stand below it."""

    sheet: Sheet
    pdf: bytes
    fault: str
    mark: str


async def _leaf(tools: Tools, job: Job, sheet: Sheet, now: datetime) -> _Leaf:
    try:
        return _Leaf(sheet, await tools.labels.get(sheet.sha256), "", _mark(job, sheet, now))
    except FileNotFoundError:
        fault = "its PDF is no longer in the label store"
    except ValueError:
        fault = "its PDF was changed in the label store, behind Bilty's back"
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(done="read", why=type(trouble).__name__)) from trouble
    async with tools.pool.acquire() as connection, connection.transaction():
        again = await lost_labels.fetch_again(connection, sheet.shipment_id, sheet.sha256, now)
    return _Leaf(sheet, b"", f"{fault}, and is fetched again" if again else fault, "")


def _mark(job: Job, sheet: Sheet, now: datetime) -> str:
    if sheet.copy == 1:
        return ""
    at = now.astimezone(ZoneInfo(sheet.time_zone))
    return f"Reprint {sheet.copy - 1} · {day(at)}, {at:%H:%M} · {job.actor.name}"


async def _put_through(running: Press, leaves: Sequence[_Leaf]) -> tuple[list[tuple[Sheet, str]], bool]:
    """The faulty ones, and whether the last of them has stopped the press."""
    faults: list[tuple[Sheet, str]] = []
    for leaf in leaves:
        fault = leaf.fault
        if not fault:
            try:
                await running.add(leaf.pdf, leaf.mark)
            except UnreadablePdfError as trouble:
                fault = str(trouble)
            except PressStopped:
                return [*faults, (leaf.sheet, STOPS_THE_PRESS)], True
        if fault:
            faults.append((leaf.sheet, fault))
    return faults, False


async def _note_chunk(tools: Tools, job_id: int, faults: Sequence[tuple[Sheet, str]], made: int) -> None:
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is not None:
            connection, job = taken
            await prints.drop(connection, job.id, [sheet.shipment_id for sheet, _ in faults])
            settled = [
                Settled(sheet.position, Outcome.REFUSED, UNPRINTABLE.format(fault=fault)) for sheet, fault in faults
            ]
            await job_steps.settle(connection, job.id, settled)
            await job_steps.show_done(connection, job.id, made)


async def _kept(labels: LabelStore, running: Press) -> str:
    try:
        pdf = await running.finish()
    except PressStopped:
        raise CannotFinish(TOO_MUCH) from None
    except TooLargeError:
        raise CannotFinish(TOO_LARGE) from None
    try:
        return await labels.put(pdf, Shelf.PRINTS)
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(done="written", why=type(trouble).__name__)) from trouble


async def _finish(tools: Tools, job_id: int, result: dict[str, int | str]) -> bool:
    """The PDF is in the store: what is in it is printed, all at once. False when something in it is void by now."""
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is None:
            return True
        connection, job = taken
        sheets = await prints.sheets(connection, job.id)
        found = await prints.find(connection, job.id, [each.shipment_id for each in sheets])
        changed = {each.shipment_id: why for each in sheets if (why := _change(each, found.get(each.shipment_id)))}
        await prints.drop(connection, job.id, list(changed))
        settled = [_settled(each, changed.get(each.shipment_id, "")) for each in sheets]
        await job_steps.show_done(connection, job.id, 0)
        if changed:
            await job_steps.settle(connection, job.id, [each for each in settled if each.reason])
            return False
        await job_steps.settle(connection, job.id, settled)
        await prints.record(connection, job, await clock(connection))
        await job_steps.end(connection, job.id, result=result)
        return True


def _change(sheet: Sheet, found: Printable | None) -> str:
    """What has become of its label since its copy was numbered, blank where it is as it was."""
    if found is None:
        return NOT_THERE
    if found.turn_id is None:
        return NO_LABEL.format(status=telling.STATUS_WORDS[found.status])
    return "" if (found.turn_id, found.sha256) == (sheet.turn_id, sheet.sha256) else LABEL_CHANGED


def _settled(sheet: Sheet, reason: str) -> Settled:
    return Settled(sheet.position, Outcome.REFUSED if reason else Outcome.DONE, reason)
