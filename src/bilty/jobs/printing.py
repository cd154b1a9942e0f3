"""One PDF of many labels: each shipment's copy is numbered, its label read from the store, and all are put together.

See `bilty.store.prints` for what *printed* means, `bilty.jobs.pile` for what is printed with labels. A job that is
taken up again makes its PDF anew from the copies that it has numbered before, so nobody gets a second copy of anything
because a process died.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from obstore.exceptions import BaseError

from bilty import telling
from bilty.documents.press import BYTES_MAX, Press, PressStopped, TooLargeError, press
from bilty.jobs.bulk import NOT_THERE
from bilty.jobs.leaves import leaves_of, put_through
from bilty.jobs.pile import in_order, separators, wanted
from bilty.jobs.tools import NO_STORE, CannotFinish, Stopping, Tools, stop_here
from bilty.store import job_steps, prints
from bilty.store.database import Connection
from bilty.store.job_steps import Open, Settled
from bilty.store.jobs import Job, JobKind, Outcome
from bilty.store.labels import LabelStore, Shelf
from bilty.store.prints import Printable, Sheet
from bilty.store.showing import clock

BATCH = 100
CHUNK = 20
"""Labels that are in memory beside the PDF that grows of them."""
TOO_LARGE = (
    "These labels are more than 256 MB together, too much for one PDF. Nothing was printed: choose fewer shipments."
)
TOO_MUCH = "These labels are too much for one PDF. Nothing was printed: choose fewer shipments."
NOT_PRINTED_YET = "It was not printed yet. Print all of it first; then one box of it can be printed again."
NO_LABEL = "It has no label to print. It stands at: {status}."
LABEL_CHANGED = "Its label changed while it was being printed. Print it again to have the present one."


async def print_all(tools: Tools, job: Job, stopping: Stopping) -> None:
    await _number(tools, job, stopping)
    ended = False
    while not ended:  # a label that stopped the press, or that is void by now, was refused: once more, without it
        made = await _made(tools, job, stopping)
        ended = made is not None and await _finish(tools, job.id, made)


@dataclass(frozen=True, slots=True)
class _Made:
    """`notes` by the sheets' positions: what could not be printed along with a label that was."""

    result: Mapping[str, int | str]
    notes: Mapping[int, str]


async def _made(tools: Tools, job: Job, stopping: Stopping) -> _Made | None:
    """None when a label stopped the press, or when a separator tells of one that cannot be printed."""
    wish = wanted(job.input)
    async with tools.pool.acquire() as connection:
        sheets, now = in_order(await prints.sheets(connection, job.id), wish), await clock(connection)
    between = separators(sheets, wish)
    size, notes = 0, dict[int, str]()
    async with press() as running:
        for start in range(0, len(sheets), CHUNK):
            stop_here(stopping)
            leaves = await leaves_of(tools, job, sheets[start : start + CHUNK], now)
            size += sum(each.size for each in leaves)
            if size > BYTES_MAX:
                raise CannotFinish(TOO_LARGE)
            done = await put_through(running, leaves, between)
            await _note_chunk(tools, job.id, done.faults, running.labels)
            notes |= done.notes
            if done.stopped or (done.faults and between):
                return None
        stop_here(stopping)
        told: dict[str, int | str] = {"labels": running.labels, "pages": running.pages}
        if running.labels:
            told["sha256"] = await _kept(tools.labels, running)
        return _Made(told, notes)


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
    reasons = {each.position: _refusal(job, found.get(each.shipment_id), now) for each in items}
    printed = [found[each.shipment_id] for each in items if not reasons[each.position]]
    await prints.number(connection, job, printed)
    await prints.drop(connection, job.id, [each.shipment_id for each in items if reasons[each.position]])
    refused = [Settled(position, Outcome.REFUSED, reason) for position, reason in reasons.items() if reason]
    await job_steps.settle(connection, job.id, refused)


def _refusal(job: Job, found: Printable | None, now: datetime) -> str:
    """Why it is not printed, blank if it is."""
    if found is None:
        return NOT_THERE
    if found.turn_id is None:
        return NO_LABEL.format(status=telling.STATUS_WORDS[found.status])
    if wanted(job.input).box and found.printed_at is None:
        return NOT_PRINTED_YET
    if job.kind is not JobKind.PRINT_NEW:
        return ""
    if found.printing_job:
        return f"{found.printing_by} is printing it just now."
    if found.printed_at is not None:
        at = telling.clock(found.printed_at, now, ZoneInfo(found.time_zone))
        return f"It was printed already, at {at}. To have it once more, choose Print: it will be marked as a reprint."
    return ""


async def _note_chunk(tools: Tools, job_id: int, faults: Sequence[tuple[Sheet, str]], made: int) -> None:
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is not None:
            connection, job = taken
            await prints.drop(connection, job.id, [sheet.shipment_id for sheet, _ in faults])
            settled = [Settled(sheet.position, Outcome.REFUSED, fault) for sheet, fault in faults]
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


async def _finish(tools: Tools, job_id: int, made: _Made) -> bool:
    """The PDF is in the store: what is in it is printed, all at once. False when something in it is void by now."""
    async with job_steps.take(tools.pool, job_id) as taken:
        if taken is None:
            return True
        connection, job = taken
        sheets = await prints.sheets(connection, job.id)
        found = await prints.find(connection, job.id, [each.shipment_id for each in sheets])
        changed = {each.shipment_id: why for each in sheets if (why := _change(each, found.get(each.shipment_id)))}
        await prints.drop(connection, job.id, list(changed))
        settled = [_settled(each, changed.get(each.shipment_id, ""), made.notes) for each in sheets]
        await job_steps.show_done(connection, job.id, 0)
        if changed:
            await job_steps.settle(connection, job.id, [each for each in settled if each.outcome is Outcome.REFUSED])
            return False
        await job_steps.settle(connection, job.id, settled)
        await prints.record(connection, job, await clock(connection))
        await job_steps.end(connection, job.id, result=made.result)
        return True


def _change(sheet: Sheet, found: Printable | None) -> str:
    """What has become of its label since its copy was numbered, blank where it is as it was."""
    if found is None:
        return NOT_THERE
    if found.turn_id is None:
        return NO_LABEL.format(status=telling.STATUS_WORDS[found.status])
    return "" if (found.turn_id, found.sha256) == (sheet.turn_id, sheet.sha256) else LABEL_CHANGED


def _settled(sheet: Sheet, reason: str, notes: Mapping[int, str]) -> Settled:
    if reason:
        return Settled(sheet.position, Outcome.REFUSED, reason)
    return Settled(sheet.position, Outcome.DONE, notes.get(sheet.position, ""))
