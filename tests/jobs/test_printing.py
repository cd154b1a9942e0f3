"""Prints: one PDF, each label once as new, a reprint marked, and a book of who had which copy."""

import asyncio
import io
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from obstore.exceptions import BaseError

from bilty.deciding import Cancel
from bilty.documents.press import PressStopped, TooLargeError, press
from bilty.jobs import work
from bilty.jobs.printing import CHUNK
from bilty.jobs.tools import StoppedEarly
from bilty.store import prints
from bilty.store.acting import act
from bilty.store.jobs import Job, JobKind, JobState, Outcome
from bilty.store.labels import LabelStore, Shelf
from bilty.store.prints import Copy
from bilty.workflow import Status
from jobs.desk import ASHA, RAVI, Desk, label_pdf, never


async def texts(desk: Desk, job: Job) -> list[str]:
    """What stands on each page."""
    assert job.result is not None
    pdf = await desk.tools.labels.get(job.result["sha256"], Shelf.PRINTS)
    return [page.extract_text().strip() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


async def copies(desk: Desk, shipment_id: int) -> list[Copy]:
    async with desk.tools.pool.acquire() as connection:
        return await prints.copies_of(connection, shipment_id)


async def unprinted(desk: Desk) -> list[str]:
    rows = await desk.bench.rows("SELECT number FROM shipments WHERE printed_at IS NULL ORDER BY number")
    return [row["number"] for row in rows]


async def test_labels_come_in_the_order_chosen(desk: Desk) -> None:
    first, second = await desk.labelled("S1", "S2")
    job = await desk.do(JobKind.PRINT, [second, first])
    assert (job.state, job.done, job.refused) == (JobState.DONE, 2, 0)
    assert job.result is not None
    assert (job.result["labels"], job.result["pages"]) == (2, 2)
    assert await texts(desk, job) == ["S2, page 1 of 1", "S1, page 1 of 1"]
    assert await unprinted(desk) == []


async def test_who_printed_what_is_on_record(desk: Desk) -> None:
    (shipment_id,) = await desk.labelled("S1")
    job = await desk.do(JobKind.PRINT, [shipment_id])
    await desk.do(JobKind.PRINT, [shipment_id], actor=RAVI)
    told = [(each.actor, each.copy) for each in await copies(desk, shipment_id)]
    assert told == [(RAVI, 2), (ASHA, 1)]
    (row,) = await desk.bench.rows(
        "SELECT actor, subject, shipment_id, after FROM audit WHERE action = 'label printed' ORDER BY id LIMIT 1"
    )
    assert tuple(row) == ("asha@example.com", "S1", shipment_id, '{"copy": 1}')
    assert job.result is not None


async def test_what_is_new_is_printed_once_and_then_told_as_printed(desk: Desk) -> None:
    first, second = await desk.labelled("S1", "S2")
    await desk.do(JobKind.PRINT_NEW, [first])
    job = await desk.do(JobKind.PRINT_NEW, [first, second], actor=RAVI)
    assert await texts(desk, job) == ["S2, page 1 of 1"]
    (reason,) = (await desk.refused(job.id)).values()
    assert reason.startswith("It was printed already, at ")
    assert reason.endswith("To have it once more, choose Print: it will be marked as a reprint.")


async def test_a_reprint_is_marked_with_its_number_time_and_person(desk: Desk) -> None:
    (shipment_id,) = await desk.labelled("S1")
    for actor in (ASHA, ASHA):
        await desk.do(JobKind.PRINT, [shipment_id], actor=actor)
    job = await desk.do(JobKind.PRINT, [shipment_id], actor=RAVI)
    (text,) = await texts(desk, job)
    head, _, line = text.partition("\n")
    assert head == "S1, page 1 of 1"
    assert line.startswith("Reprint 2 · ")
    assert line.endswith(" · ravi@example.com")


async def test_two_who_print_what_is_new_at_once_never_get_the_same_label(desk: Desk) -> None:
    ids = await desk.labelled(*(f"S{n}" for n in range(12)))
    asha, ravi = [await desk.begin(JobKind.PRINT_NEW, ids, actor=actor) for actor in (ASHA, RAVI)]
    await asyncio.gather(work(desk.tools, asha, never), work(desk.tools, ravi, never))
    done = [[each.shipment_id for each in await desk.items(job, Outcome.DONE)] for job in (asha, ravi)]
    assert sorted(done[0] + done[1]) == ids
    assert {len(await copies(desk, each)) for each in ids} == {1}


async def test_one_that_another_has_in_hand_is_not_new_to_the_next(desk: Desk) -> None:
    (shipment_id,) = await desk.labelled("S1")
    held = await desk.begin(JobKind.PRINT_NEW, [shipment_id])
    asked = iter([False, False, True])
    with pytest.raises(StoppedEarly):
        await work(desk.tools, held, lambda: next(asked))
    job = await desk.do(JobKind.PRINT_NEW, [shipment_id], actor=RAVI)
    assert await desk.refused(job.id) == {shipment_id: "asha@example.com is printing it just now."}
    assert (job.state, job.result) == (JobState.DONE, {"labels": 0, "pages": 0})
    assert await unprinted(desk) == ["S1"], "nothing is printed before its PDF is there"
    await work(desk.tools, held, never)
    assert await texts(desk, await desk.job(held)) == ["S1, page 1 of 1"]


async def test_a_print_that_is_broken_off_is_made_anew_and_nobody_gets_a_second_copy(desk: Desk) -> None:
    ids = await desk.labelled(*(f"S{n}" for n in range(CHUNK + 3)))
    job_id = await desk.begin(JobKind.PRINT, ids)
    asked = iter([False] * 4 + [True])
    with pytest.raises(StoppedEarly):
        await work(desk.tools, job_id, lambda: next(asked))
    assert (await desk.job(job_id)).done == CHUNK
    assert await copies(desk, ids[0]) == []
    async with desk.working():
        job = await desk.ended(job_id)
    assert len(await texts(desk, job)) == job.done == len(ids)
    assert not any("Reprint" in text for text in await texts(desk, job))
    assert {each.copy for shipment_id in ids for each in await copies(desk, shipment_id)} == {1}


async def test_a_damaged_label_is_named_and_the_rest_is_printed(desk: Desk) -> None:
    ids = await desk.labelled("S1", "S2", "S3", "S4")
    await desk.put_label("S2", await desk.tools.labels.put(b"%PDF-1.4 torn"))
    await desk.put_label("S3", "0" * 64)
    job = await desk.do(JobKind.PRINT_NEW, ids)
    assert await texts(desk, job) == ["S1, page 1 of 1", "S4, page 1 of 1"]
    mend = "Fetch the label again on the shipment's page, or open it there by itself."
    assert await desk.refused(job.id) == {
        ids[1]: f"Not printed: its PDF is damaged. {mend}",
        ids[2]: f"Not printed: its PDF is no longer in the label store, and is fetched again. {mend}",
    }
    assert await unprinted(desk) == ["S2", "S3"]
    assert await desk.bench.status("S3") is Status.LABEL_REQUESTED
    assert (await copies(desk, ids[1]), (job.done, job.refused)) == ([], (2, 2))


class Fatal(LabelStore):
    """One label of it is the end of whoever reads it: while it is fetched, the press dies."""

    def __init__(self, store: LabelStore, sha256: str) -> None:
        self._inner, self._fatal = store, sha256

    async def get(self, sha256: str, shelf: Shelf = Shelf.LABELS) -> bytes:
        if sha256 == self._fatal:
            self._fatal = ""
            os.kill(await the_press(), signal.SIGKILL)
        return await self._inner.get(sha256, shelf)

    async def put(self, content: bytes, shelf: Shelf = Shelf.LABELS) -> str:
        return await self._inner.put(content, shelf)


def presses() -> list[int]:
    """The processes of ours that put labels together."""
    children = [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]
    return [pid for pid in children if b"\0bilty.documents\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def the_press() -> int:
    """The one that runs. A program that was started this moment may have no command line yet."""
    async with asyncio.timeout(10):
        found = presses()
        while not found:
            await asyncio.sleep(0)
            found = presses()
    (pid,) = found
    return pid


async def test_a_label_that_stops_the_press_is_left_out_and_the_rest_is_printed(desk: Desk) -> None:
    ids = await desk.labelled("S1", "S2", "S3")
    fatal = await desk.bench.pool.fetchval(
        "SELECT label_sha256 FROM turns WHERE shipment_id = $1 AND priority = 1", ids[0]
    )
    job_id = await desk.begin(JobKind.PRINT, ids)
    await work(replace(desk.tools, labels=Fatal(desk.tools.labels, fatal)), job_id, never)
    job = await desk.job(job_id)
    assert await texts(desk, job) == ["S2, page 1 of 1", "S3, page 1 of 1"]
    (reason,) = (await desk.refused(job_id)).values()
    assert reason.startswith("Not printed: its PDF takes more time or memory than a label may. ")
    assert (await copies(desk, ids[0]), presses()) == ([], [])


async def test_the_press_is_given_up_on_when_a_label_takes_too_long() -> None:
    async with press(label_within_s=0) as running:
        with pytest.raises(PressStopped):
            await running.add(label_pdf("S1"), "")
    assert presses() == []


async def test_only_the_label_of_the_present_holder_is_printed(desk: Desk) -> None:
    (labelled,) = await desk.labelled("S1")
    (created,) = await desk.created("S2")
    (cancelled,) = await desk.labelled("S3")
    await desk.do(JobKind.CANCEL, [cancelled])
    job = await desk.do(JobKind.PRINT, [created, labelled, cancelled])
    assert await texts(desk, job) == ["S1, page 1 of 1"]
    assert await desk.refused(job.id) == {
        created: "It has no label to print. It stands at: Created.",
        cancelled: "It has no label to print. It stands at: Cancelling.",
    }


@pytest.mark.parametrize("kind", [JobKind.PRINT, JobKind.PRINT_NEW])
async def test_a_cancel_that_a_print_had_to_wait_for_is_seen(desk: Desk, kind: JobKind) -> None:
    ids = await desk.labelled("S1", "S2")
    job_id = await desk.begin(kind, ids)
    async with desk.tools.pool.acquire() as held, held.transaction():
        await act(held, {ids[0]: Cancel()}, RAVI, desk.bench.now, desk.tools.rules)
        printing = asyncio.create_task(work(desk.tools, job_id, never))
        await desk.until_one_waits(held)
    await printing
    assert await desk.refused(job_id) == {ids[0]: "It has no label to print. It stands at: Cancelling."}
    assert await texts(desk, await desk.job(job_id)) == ["S2, page 1 of 1"]


class Interrupted(LabelStore):
    """Something happens while the PDF is on its way into the store."""

    def __init__(self, store: LabelStore, happens: Callable[[], Awaitable[object]]) -> None:
        self._inner, self._happens = store, [happens]

    async def get(self, sha256: str, shelf: Shelf = Shelf.LABELS) -> bytes:
        return await self._inner.get(sha256, shelf)

    async def put(self, content: bytes, shelf: Shelf = Shelf.LABELS) -> str:
        if self._happens:
            await self._happens.pop()()
        return await self._inner.put(content, shelf)


async def test_what_is_cancelled_while_the_pdf_is_made_is_taken_out_of_it(desk: Desk) -> None:
    ids = await desk.labelled("S1", "S2")
    job_id = await desk.begin(JobKind.PRINT, ids)
    store = Interrupted(desk.tools.labels, lambda: desk.do(JobKind.CANCEL, ids[:1], actor=RAVI))
    await work(replace(desk.tools, labels=store), job_id, never)
    job = await desk.job(job_id)
    assert await desk.refused(job_id) == {ids[0]: "It has no label to print. It stands at: Cancelling."}
    assert (job.done, job.refused, await texts(desk, job)) == (1, 1, ["S2, page 1 of 1"])
    assert (await copies(desk, ids[0]), len(await copies(desk, ids[1]))) == ([], 1)


async def test_a_label_that_changes_while_the_pdf_is_made_is_not_printed_as_it_was(desk: Desk) -> None:
    (shipment_id,) = await desk.labelled("S1")
    sha256 = await desk.tools.labels.put(label_pdf("S1 anew"))
    job_id = await desk.begin(JobKind.PRINT, [shipment_id])
    store = Interrupted(desk.tools.labels, lambda: desk.put_label("S1", sha256))
    await work(replace(desk.tools, labels=store), job_id, never)
    assert await desk.refused(job_id) == {
        shipment_id: "Its label changed while it was being printed. Print it again to have the present one."
    }
    assert ((await desk.job(job_id)).result, await unprinted(desk)) == ({"labels": 0, "pages": 0}, ["S1"])


async def test_no_more_is_taken_from_the_press_than_anybody_wants() -> None:
    async with press(bytes_max=100) as running:
        await running.add(label_pdf("S1"), "")
        with pytest.raises(TooLargeError):
            await running.finish()
    assert presses() == []


class Gone(LabelStore):
    """A store that does not answer."""

    def __init__(self, trouble: Exception) -> None:
        self._trouble = trouble

    async def get(self, sha256: str, shelf: Shelf = Shelf.LABELS) -> bytes:
        del sha256, shelf
        raise self._trouble


@pytest.mark.parametrize("trouble", [OSError("no"), BaseError("no")], ids=["OSError", "BaseError"])
async def test_without_the_label_store_nothing_is_printed_and_that_is_said(desk: Desk, trouble: Exception) -> None:
    ids = await desk.labelled("S1")
    job_id = await desk.begin(JobKind.PRINT_NEW, ids)
    await work(replace(desk.tools, labels=Gone(trouble)), job_id, never)
    job = await desk.job(job_id)
    assert job.state is JobState.FAILED
    assert job.problem == (
        f"Bilty's label store cannot be read ({type(trouble).__name__}). "
        "Nothing was printed: run `bilty doctor`, then print again."
    )
    assert await unprinted(desk) == ["S1"]
    assert (await desk.do(JobKind.PRINT_NEW, ids)).done == 1


async def test_a_new_label_is_on_no_paper_yet(desk: Desk) -> None:
    (shipment_id,) = await desk.labelled("S1")
    await desk.do(JobKind.PRINT, [shipment_id])
    await desk.put_label("S1", await desk.tools.labels.put(label_pdf("S1 anew")))
    job = await desk.do(JobKind.PRINT, [shipment_id])
    assert await texts(desk, job) == ["S1 anew, page 1 of 1"]
