"""A label in a print job's pile: read from the store, with what is printed along, and put through the press."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from obstore.exceptions import BaseError

from bilty.documents import UnreadablePdfError
from bilty.documents.drawn import Drawing
from bilty.documents.press import Press, PressStopped
from bilty.documents.separators import Separator
from bilty.jobs.courier_papers import bring
from bilty.jobs.pile import Beside, Wanted, beside_of, drawings, wanted
from bilty.jobs.tools import NO_STORE, CannotFinish, Tools
from bilty.reply import PaperKind
from bilty.store import attachments, lost_labels, papers
from bilty.store.attachments import Attachment
from bilty.store.jobs import Job
from bilty.store.labels import LabelStore, Shelf
from bilty.store.papers import Source
from bilty.store.prints import Sheet
from bilty.words import counted, day

UNPRINTABLE = "Not printed: {fault}. Fetch the label again on the shipment's page, or open it there by itself."
NO_SUCH_BOX = "It has {boxes} now: there is no box {box} to print."
THEIRS_NOT_ALONG = "{name} was not printed: {fault}. Open Box stickers and packing slips on the shipment's page."
BESIDE = {PaperKind.STICKER: Beside.STICKERS, PaperKind.SLIP: Beside.SLIPS}
NOT_ALONG = "{name} was not printed along: {fault}. Open it on the shipment's page, or attach it anew."
NOT_IN_STORE = "it is no longer in the label store as it was"
ONE_STOPS_THE_PRESS = "its PDF or one of its documents takes more time or memory than a paper may"
STOPS_THE_PRESS = "its PDF takes more time or memory than a label may"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A label as it was read from the store, blank where `fault` says why it is not printed; `mark` stands below it.

    With what is printed along: what the courier made for it (`theirs`), what is drawn by Bilty, and documents; by
    their names, with None for one that is not there. `notes` say what is missing.
    """

    sheet: Sheet
    pdf: bytes
    fault: str
    mark: str
    box: tuple[int, int] | None = None
    drawn: tuple[Drawing, ...] = ()
    documents: tuple[tuple[str, bytes | None], ...] = ()
    theirs: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.pdf) + sum(len(each or b"") for _, each in (*self.theirs, *self.documents))


async def leaves_of(tools: Tools, job: Job, sheets: Sequence[Sheet], now: datetime) -> list[Leaf]:
    wish, ids = wanted(job.input), [each.shipment_id for each in sheets]
    async with tools.pool.acquire() as connection:
        sources = await papers.sources(connection, ids)
        attached = await attachments.of_shipments(connection, ids)
    leaves = await asyncio.gather(*(_leaf(tools, job, each, now) for each in sheets))
    return [
        await _with_all(tools, each, sources.get(shipment_id), attached.get(shipment_id, ()), wish)
        for shipment_id, each in zip(ids, leaves, strict=True)
    ]


async def _with_all(
    tools: Tools, leaf: Leaf, source: Source | None, attached: Sequence[Attachment], wish: Wanted
) -> Leaf:
    """With what is printed along. Of a label that is not printed nothing else is.

    Where the courier made stickers or slips itself, Bilty's are not. Of one box Bilty's is: whose page is whose in the
    courier's is not known.
    """
    if leaf.fault or source is None:
        return leaf
    if wish.box > leaf.sheet.boxes:
        boxes = counted(leaf.sheet.boxes, "box", "boxes")
        return replace(leaf, fault=NO_SUCH_BOX.format(boxes=boxes, box=wish.box))
    beside = beside_of(source, wish)
    documents = attached if Beside.DOCUMENTS in beside else ()
    kinds = [] if wish.box else [kind for kind, each in BESIDE.items() if each in beside]
    brought = await bring(tools, leaf.sheet.turn_id, kinds)
    return replace(
        leaf,
        box=(wish.box, leaf.sheet.boxes) if wish.box else None,
        drawn=drawings(source, beside - {BESIDE[kind] for kind in brought.pdfs}, wish, leaf.mark),
        theirs=tuple((f"The courier's own {kind}", pdf) for kind, pdfs in brought.pdfs.items() for pdf in pdfs),
        notes=brought.notes,
        documents=tuple([(each.name, await _document(tools.labels, each)) for each in documents]),
    )


async def _document(labels: LabelStore, attached: Attachment) -> bytes | None:
    """None where it is not there any more, or not as it was."""
    try:
        return await labels.get(attached.sha256, Shelf.DOCUMENTS)
    except (FileNotFoundError, ValueError):
        return None
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(done="read", why=type(trouble).__name__)) from trouble


async def _leaf(tools: Tools, job: Job, sheet: Sheet, now: datetime) -> Leaf:
    try:
        return Leaf(sheet, await tools.labels.get(sheet.sha256), "", _mark(job, sheet, now))
    except FileNotFoundError:
        fault = "its PDF is no longer in the label store"
    except ValueError:
        fault = "its PDF was changed in the label store, behind Bilty's back"
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(done="read", why=type(trouble).__name__)) from trouble
    async with tools.pool.acquire() as connection, connection.transaction():
        again = await lost_labels.fetch_again(connection, sheet.shipment_id, sheet.sha256, now)
    told = f"{fault}, and is fetched again" if again else fault
    return Leaf(sheet, b"", UNPRINTABLE.format(fault=told), "")


def _mark(job: Job, sheet: Sheet, now: datetime) -> str:
    if sheet.copy == 1:
        return ""
    at = now.astimezone(ZoneInfo(sheet.time_zone))
    box = wanted(job.input).box
    which = f" · box {box} of {sheet.boxes}" if box else ""
    return f"Reprint {sheet.copy - 1}{which} · {day(at)}, {at:%H:%M} · {job.actor.name}"


@dataclass(slots=True)
class Through:
    """What ails labels, what could not be printed along with others, and whether the last has stopped the press."""

    faults: list[tuple[Sheet, str]] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)
    stopped: bool = False


async def put_through(running: Press, leaves: Sequence[Leaf], between: Mapping[int, Separator]) -> Through:
    done = Through()
    for leaf in leaves:
        if leaf.fault:
            done.faults.append((leaf.sheet, leaf.fault))
            continue
        try:
            note = await _put(running, leaf, between.get(leaf.sheet.position))
        except UnreadablePdfError as trouble:
            done.faults.append((leaf.sheet, UNPRINTABLE.format(fault=trouble)))
        except PressStopped:
            done.faults.append((leaf.sheet, UNPRINTABLE.format(fault=_stopper(leaf))))
            done.stopped = True
            return done
        else:
            done.notes |= {leaf.sheet.position: note} if note else {}
    return done


def _stopper(leaf: Leaf) -> str:
    return ONE_STOPS_THE_PRESS if leaf.documents else STOPS_THE_PRESS


async def _put(running: Press, leaf: Leaf, separator: Separator | None) -> str:
    """What could not be printed along, a sentence each. Raises UnreadablePdfError, and PressStopped."""
    if separator:
        await running.draw((separator,))
    await running.add(leaf.pdf, leaf.mark, box=leaf.box)
    told = [*leaf.notes, *(await _put_beside(running, leaf.theirs, THEIRS_NOT_ALONG))]
    await running.draw(leaf.drawn)
    told += await _put_beside(running, leaf.documents, NOT_ALONG)
    return " ".join(told)


async def _put_beside(running: Press, given: Sequence[tuple[str, bytes | None]], words: str) -> list[str]:
    """What could not be printed along, a sentence each. Raises PressStopped."""
    told: list[str] = []
    for name, pdf in given:
        if pdf is None:
            told.append(words.format(name=name, fault=NOT_IN_STORE))
            continue
        try:
            await running.add_beside(pdf)
        except UnreadablePdfError as trouble:
            told.append(words.format(name=name, fault=trouble))
    return told
