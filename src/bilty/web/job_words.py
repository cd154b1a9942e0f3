"""A job in words: what it is, how far it is, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty import telling
from bilty.store.jobs import ITEMS_MAX, PRINTS, SHEETS_MAX, Job, JobKind, JobState
from bilty.store.labels import Shelf
from bilty.words import INDIA, day, grouped, listed

QUEUED_TOO_LONG = timedelta(seconds=15)
RATE_AFTER = timedelta(seconds=2)
"""A rate that is told sooner is a guess."""

_HEADINGS = {
    JobKind.SCHEDULE: "Schedule {shipments}",
    JobKind.SCHEDULE_AGAIN: "Schedule {shipments} again",
    JobKind.CANCEL: "Cancel {shipments}",
    JobKind.DISPATCH: "Mark {shipments} dispatched",
    JobKind.PRINT: "Print the labels of {shipments}",
    JobKind.PRINT_NEW: "Print what is new of {shipments}",
    JobKind.EXPORT: "Export {shipments}",
    JobKind.TEST_CONNECTION: "Test connection",
    JobKind.PRIORITIES: "Show priorities",
    JobKind.TEST_EVENT: "Send a test event",
    JobKind.IMPORT_CHECK: "Check an order file",
    JobKind.IMPORT_TAKE: "Take an order file in",
}
_DONE = {
    JobKind.SCHEDULE: "scheduled",
    JobKind.SCHEDULE_AGAIN: "scheduled again",
    JobKind.CANCEL: "cancelled",
    JobKind.DISPATCH: "marked dispatched",
    JobKind.PRINT: "printed",
    JobKind.PRINT_NEW: "printed",
    JobKind.EXPORT: "exported",
}
_AT_WORK = {
    JobKind.TEST_EVENT: "The order system is being told.",
    JobKind.IMPORT_CHECK: "The file is being read. Its page under Import says how far it is.",
    JobKind.IMPORT_TAKE: "The file is being taken in. Its page under Import says how far it is.",
}
"""Of what counts no shipments."""
TAKEN_BACK = "taken back"
_STATES = {
    JobState.QUEUED: ("waiting", "◑", "Queued"),
    JobState.RUNNING: ("waiting", "◑", "Under way"),
    JobState.DONE: ("done", "●", "Done"),
    JobState.FAILED: ("bad", "✕", "Failed"),
}


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    shelf: Shelf
    name: str
    media_type: str
    words: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as pages show it. `told` is where it stands, in sentences; `verb` what its items are when they are done.

    `became` is what those that are done are until their couriers have confirmed it, which `unconfirmed` have not.
    """

    id: int
    heading: str
    verb: str
    became: str
    unconfirmed: int
    left: str
    shape: str
    glyph: str
    state: str
    told: str
    actor: str
    asked: str
    asked_iso: str
    under_way: bool
    total: int
    handled: int
    done: str
    refused: str
    file: File | None


def job_row(job: Job, now: datetime, *, unconfirmed: int = 0) -> JobRow:
    shape, glyph, state = _STATES[job.state]
    if job.state is JobState.DONE and job.refused:
        shape, glyph = "person", "▲"
    return JobRow(
        id=job.id,
        heading=_heading(job),
        verb=_DONE.get(job.kind, "done"),
        became=TAKEN_BACK if unconfirmed else _DONE.get(job.kind, "done"),
        unconfirmed=unconfirmed,
        left=_left(job),
        shape=shape,
        glyph=glyph,
        state=state,
        told=_told(job, now, unconfirmed),
        actor=job.actor.name,
        asked=_moment(job.asked_at, now),
        asked_iso=job.asked_at.isoformat(),
        under_way=job.ended_at is None,
        total=job.total,
        handled=job.done + job.refused,
        done=grouped(job.done),
        refused=grouped(job.refused),
        file=file_of(job),
    )


def _heading(job: Job) -> str:
    if job.kind in PRINTS and job.input.get("box"):
        return f"Print box {job.input['box']} again"
    return _HEADINGS[job.kind].format(shipments=_shipments(job.total))


def _shipments(count: int) -> str:
    return "1 shipment" if count == 1 else f"{grouped(count)} shipments"


def _moment(at: datetime, now: datetime) -> str:
    return (
        f"{day(at.astimezone(INDIA))}, {at.astimezone(INDIA):%H:%M}"
        if now - at > timedelta(days=300)
        else (telling.clock(at, now, INDIA))
    )


def _left(job: Job) -> str:
    """Of what is new, what one PDF does not take."""
    left = int(job.input.get("left", 0))
    if not left or job.state is JobState.FAILED:
        return ""
    most = ITEMS_MAX - SHEETS_MAX
    count = f"More than {grouped(most)}" if left > most else grouped(left)
    return (
        f"One PDF takes {grouped(SHEETS_MAX)} labels. {count} more {'is' if left == 1 else 'are'} new: "
        "choose Print new again."
    )


def _told(job: Job, now: datetime, unconfirmed: int) -> str:
    match job.state:
        case JobState.QUEUED:
            if now - job.asked_at < QUEUED_TOO_LONG:
                return "It begins in a moment."
            waited = telling.span(now - job.asked_at)
            return f"It has waited for {waited}. Unless others are before it, start `bilty up` or `bilty work`."
        case JobState.RUNNING:
            return _told_progress(job, now)
        case JobState.FAILED:
            return job.problem
        case JobState.DONE:
            return _told_end(job, unconfirmed)


def _told_progress(job: Job, now: datetime) -> str:
    handled, ran = job.done + job.refused, now - (job.started_at or now)
    if not job.total:
        return _AT_WORK.get(job.kind, "ClickPost is being asked.")
    told = f"{grouped(handled)} of {grouped(job.total)}."
    if not handled or ran < RATE_AFTER:
        return told
    rate = handled / ran.total_seconds()
    left = telling.span(timedelta(seconds=(job.total - handled) / rate))
    pace = f"{rate:.0f} a second" if rate >= 2 else f"{rate * 60:.0f} a minute"
    return f"{told} {pace}, about {left} left."


def _told_end(job: Job, unconfirmed: int) -> str:
    if not job.total:
        return str((job.result or {}).get("message", "")) or "Done."
    verb = _DONE.get(job.kind, "done")
    if not job.done:
        return f"Nothing was {verb}; each shipment says below why not."
    ran = job.ended_at - job.started_at if job.ended_at and job.started_at else timedelta(0)
    refused = f", {grouped(job.refused)} not" if job.refused else ""
    took = f", in {telling.span(ran)}" if ran >= timedelta(seconds=1) else ""
    if not unconfirmed:
        return f"{_shipments(job.done)} {verb}{refused}{took}."
    return f"{_shipments(job.done)} {TAKEN_BACK}{refused}{took}; {_who_has_not(unconfirmed, job.done)}."


def _who_has_not(unconfirmed: int, done: int) -> str:
    """Has confirmed that it is cancelled."""
    if done == 1:
        return "its courier has yet to confirm"
    if unconfirmed == done:
        return "their couriers have yet to confirm"
    return f"for {grouped(unconfirmed)} of them the courier has yet to confirm"


VOID_TOLD = 5


def told_void(numbers: Sequence[str]) -> str:
    """Why a PDF of labels is not opened any more. Of many, the first."""
    more = len(numbers) - VOID_TOLD
    named = listed([*numbers[:VOID_TOLD], *([f"{more} more"] if more > 0 else [])])
    return (
        f"This PDF is not opened any more: what is in it of {named} is void, since that was changed, cancelled or "
        "booked anew after it was printed. Destroy what was printed of that, and print again what is still to go."
    )


def file_of(job: Job) -> File | None:
    made = job.result or {}
    if "sha256" not in made:
        return None
    sha256 = str(made["sha256"])
    if job.kind in PRINTS:
        pages = made["pages"]
        words = f"{'1 page' if pages == 1 else f'{grouped(pages)} pages'}"
        return File(sha256, Shelf.PRINTS, f"labels-{job.id}.pdf", "application/pdf", words)
    return File(sha256, Shelf.EXPORTS, f"shipments-{job.id}.csv", "text/csv", f"{grouped(made['rows'])} rows")
