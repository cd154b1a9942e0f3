"""Work that a person starts and does not wait for: begun by a form, watched on a page, left and come back to."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, ServerSentEvent, Template

from bilty.store import jobs, showing
from bilty.store.access import Role
from bilty.store.jobs import ITEMS_MAX, PRINTS, SHEETS_MAX, Item, Job, JobKind, Outcome, TooManyItemsError
from bilty.store.labels import Shelf
from bilty.store.listing import Filter, FilterError, Sort, ids_matching
from bilty.store.on_paper import told_printed
from bilty.store.to_print import first_to_print
from bilty.store.void_prints import void_in
from bilty.web import job_words, live
from bilty.web.asking import ID_MAX, whole
from bilty.web.forms import Form, form_of
from bilty.web.job_sure import CHANGED, Question, question
from bilty.web.page import clock_of, page, shipment_of, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, check_role, dispatching, from_our_pages, signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of
from bilty.words import counted

ROLES = {
    JobKind.SCHEDULE: Role.DISPATCHER,
    JobKind.SCHEDULE_AGAIN: Role.DISPATCHER,
    JobKind.CANCEL: Role.DISPATCHER,
    JobKind.DISPATCH: Role.DISPATCHER,
    JobKind.PRINT: Role.DISPATCHER,
    JobKind.PRINT_NEW: Role.DISPATCHER,
    JobKind.EXPORT: Role.VIEWER,
}
"""What may be done to many shipments, and by whom."""
ASKED_ABOUT = {JobKind.CANCEL, JobKind.DISPATCH, JobKind.SCHEDULE_AGAIN}
BESIDE = ("stickers", "slips", "documents")
ITEMS_SHOWN, JOBS_SHOWN = 100, 50
START = "/shipments"


@post("/jobs", guards=[signed_in, from_our_pages], include_in_schema=False)
async def begin(request: AnyRequest) -> Redirect | Template:
    """Fields: kind; id for each shipment, or `matching`, the list's query. `back` is where a refusal is told.

    Of a print besides: `pile=chosen`, and then beside (stickers, slips, documents), order=courier, separators.
    """
    form = await form_of(request)
    kind = _kind(form)
    check_role(user(request), ROLES[kind])
    try:
        chosen, given = await _within(request, kind, await _chosen(request, form))
        jobs.check_count(kind, len(chosen))
        asked = await _question(request, kind, chosen)
        if asked and form.get("sure") != asked.sure:
            return await _ask_first(request, form, asked)
        job_id = await _begin(request, kind, chosen, given | _matching(form) | (_pile(form) if kind in PRINTS else {}))
    except TooManyItemsError as trouble:
        return told(request, _back(form), str(trouble), well=False)
    except FilterError as trouble:
        return told(request, _back(form), trouble.faults[0].message, well=False)
    if job_id is None:
        return told(request, _back(form), "No shipment was chosen. Tick some, then choose again.", well=False)
    return Redirect(f"/jobs/{job_id}", status_code=303)


def _kind(form: Form) -> JobKind:
    given = form.get("kind", "")
    if given not in ROLES:
        raise ProblemError(422, "kind", f"kind is {given[:40]!r}: give one of {', '.join(ROLES)}.")
    return JobKind(given)


def _back(form: Form) -> str:
    return back_of(form.get("back", ""), START)


async def _chosen(request: AnyRequest, form: Form) -> list[int]:
    """In the order of the list. Raises FilterError."""
    if "matching" in form:
        wanted, sort = Filter.read(form["matching"], user(request).facilities), _sort(form["matching"])
        async with tools_of(request).pool.acquire() as connection:
            return await ids_matching(connection, wanted, ITEMS_MAX + 1, sort)
    ids = [int(each) for each in form.all("id") if each.isascii() and each.isdigit() and int(each) <= ID_MAX]
    return list(dict.fromkeys(ids))


def _sort(matching: str) -> Sort:
    given = dict(parse_qsl(matching)).get("sort", "")
    return Sort(given) if given in tuple(Sort) else Sort.NEWEST


async def _within(request: AnyRequest, kind: JobKind, chosen: list[int]) -> tuple[list[int], dict[str, object]]:
    """What one job takes of them, and what it is told besides: *Print new* prints as much as one PDF takes."""
    if kind is not JobKind.PRINT_NEW or len(chosen) <= SHEETS_MAX:
        return chosen, {}
    async with tools_of(request).pool.acquire() as connection:
        first, left = await first_to_print(connection, chosen, SHEETS_MAX)
    return first, {"left": left}


def _matching(form: Form) -> dict[str, object]:
    return {"matching": form["matching"]} if form.get("matching") else {}


def _pile(form: Form) -> dict[str, object]:
    """What is printed with the labels and in which order, as `bilty.jobs.pile` reads it; nothing where it is not said.

    Only what is known there is taken over: a form may send anything.
    """
    if form.get("pile") != "chosen":
        return {}
    beside = [each for each in BESIDE if each in form.all("beside")]
    order = {"order": "courier"} if form.get("order") == "courier" else {}
    return {"beside": beside, **order, **({"separators": True} if form.ticked("separators") else {})}


async def _begin(request: AnyRequest, kind: JobKind, chosen: Sequence[int], given: Mapping[str, object]) -> int | None:
    """None when there is nothing to do. Raises TooManyItemsError."""
    if not chosen:
        return None
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        return await jobs.begin(
            connection, kind, given, actor(request), shipment_ids=chosen, facilities=user(request).facilities
        )


async def _question(request: AnyRequest, kind: JobKind, chosen: Sequence[int]) -> Question | None:
    """Asked of exactly these: what the list shows may be other shipments when the answer comes."""
    if kind not in ASKED_ABOUT or not chosen:
        return None
    async with tools_of(request).pool.acquire() as connection:
        whose = user(request).facilities
        risks = await jobs.risks_of(connection, chosen, whose)
        printed = await told_printed(connection, chosen, await showing.clock(connection), whose)
    return question(kind, chosen, risks, printed)


async def _ask_first(request: AnyRequest, form: Form, asked: Question) -> Template:
    matching = form.get("matching")
    return await page(
        request,
        "job_sure.html",
        nav="shipments",
        question=asked,
        changed=CHANGED if form.get("sure") else "",
        kind=form["kind"],
        ids=() if matching is not None else form.all("id"),
        matching=matching,
        back=_back(form),
    )


@post("/shipments/{shipment_id:int}/print", guards=[dispatching, from_our_pages], include_in_schema=False)
async def print_one(request: AnyRequest, shipment_id: FromPath[int]) -> Redirect:
    """A job like any other, so that every copy is numbered and recorded in one way.

    Fields: as of a print of many; or `box`, the one that is printed again.
    """
    found, viewer, form = await shipment_of(request, shipment_id), user(request), await form_of(request)
    box = form.get("box", "")
    if box and not (box.isascii() and box.isdigit() and len(box) <= 4 and 1 <= int(box) <= len(found.shipment.boxes)):
        boxes = counted(len(found.shipment.boxes), "box", "boxes")
        return told(request, f"/shipments/{found.id}", f"The shipment has {boxes}, and no box {box[:10]}.", well=False)
    given = {"box": int(box)} if box else _pile(form)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        job_id = await jobs.open_of(connection, JobKind.PRINT, actor(request), found.id, given)
        if job_id is None:
            job_id = await jobs.begin(
                connection, JobKind.PRINT, given, actor(request), shipment_ids=[found.id], facilities=viewer.facilities
            )
    return Redirect(f"/jobs/{job_id}", status_code=303)


@get("/jobs", guards=[signed_in], include_in_schema=False)
async def recent(request: AnyRequest) -> Template:
    """One's own; an admin sees everybody's."""
    before = whole(request, "before", None, ID_MAX)
    everybody = user(request).may(Role.ADMIN)
    async with tools_of(request).pool.acquire() as connection:
        found = await jobs.recent(
            connection, None if everybody else actor(request), before_id=before, limit=JOBS_SHOWN + 1
        )
    now = await clock_of(request)
    shown = [job_words.job_row(each, now) for each in found[:JOBS_SHOWN] if _may_see(request, each)]
    older = found[JOBS_SHOWN - 1].id if len(found) > JOBS_SHOWN else None
    return await page(
        request, "jobs.html", nav="shipments", rows=shown, older=older, before=before, everybody=everybody
    )


@get("/jobs/{job_id:int}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, job_id: FromPath[int]) -> Template:
    job = await _job_of(request, job_id)
    refused_after = whole(request, "refused_after", 0, ID_MAX) or 0
    done_after = whole(request, "done_after", 0, ID_MAX) or 0
    noted_after = whole(request, "noted_after", 0, ID_MAX) or 0
    async with tools_of(request).pool.acquire() as connection:
        unconfirmed = await jobs.unconfirmed(connection, job_id) if job.kind is JobKind.CANCEL else 0
        refused = await jobs.items_of(connection, job_id, Outcome.REFUSED, after=refused_after, limit=ITEMS_SHOWN + 1)
        noted = await jobs.items_of(
            connection, job_id, Outcome.DONE, noted=True, after=noted_after, limit=ITEMS_SHOWN + 1
        )
        done = await jobs.items_of(connection, job_id, Outcome.DONE, after=done_after, limit=ITEMS_SHOWN + 1)
    return await page(
        request,
        "job.html",
        nav="shipments",
        job=job_words.job_row(job, await clock_of(request), unconfirmed=unconfirmed),
        refused=refused[:ITEMS_SHOWN],
        refused_next=_next(refused),
        noted=noted[:ITEMS_SHOWN],
        noted_next=_next(noted),
        done=done[:ITEMS_SHOWN],
        done_next=_next(done),
    )


def _next(items: Sequence[Item]) -> int | None:
    """Behind which position the next page begins, if there is one."""
    return items[ITEMS_SHOWN - 1].position if len(items) > ITEMS_SHOWN else None


@get("/jobs/{job_id:int}/live", guards=[signed_in], include_in_schema=False)
async def live_job(request: AnyRequest, job_id: FromPath[int]) -> ServerSentEvent:
    await _job_of(request, job_id)
    return ServerSentEvent(live.events(tools_of(request).changes, job_id=job_id))


@get("/jobs/{job_id:int}/result", guards=[signed_in], include_in_schema=False)
async def result(request: AnyRequest, job_id: FromPath[int]) -> Response[bytes]:
    """The file that was made. Looking at it records nothing: a PDF of labels was recorded when it was made."""
    job = await _job_of(request, job_id)
    made = job_words.file_of(job)
    if made is None:
        raise ProblemError(404, "no_result", f"Job {job_id} has made no file. Open its page to see what came of it.")
    async with tools_of(request).pool.acquire() as connection:
        void = await void_in(connection, job_id)
    if void:
        raise ProblemError(410, "label_void", job_words.told_void(void))
    try:
        content = await tools_of(request).labels.get(made.sha256, made.shelf)
    except FileNotFoundError:
        detail = "The label store no longer has this file: see BILTY_LABEL_STORE, or start the work once more."
        raise ProblemError(404, "result_lost", detail) from None
    except ValueError as damaged:
        raise ProblemError(500, "result_damaged", f"{damaged} It is not handed out.") from None
    shown = "inline" if made.shelf is Shelf.PRINTS else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{made.name}"', "ETag": f'"{made.sha256}"'}
    return Response(content, media_type=made.media_type, headers=headers)


async def _job_of(request: AnyRequest, job_id: int) -> Job:
    """Whoever asked for it, or an admin; to everybody else it is not there."""
    job = None
    if 0 < job_id <= ID_MAX:
        async with tools_of(request).pool.acquire() as connection:
            job = await jobs.job_of(connection, job_id)
    if job is None or not _may_see(request, job):
        raise ProblemError(404, "not_found", f"There is no job {job_id}.")
    return job


def _may_see(request: AnyRequest, job: Job) -> bool:
    """What it touched must be within the facilities that this person works for now."""
    viewer = user(request)
    within = viewer.facilities is None or (job.facilities is not None and job.facilities <= viewer.facilities)
    return within and (viewer.may(Role.ADMIN) or job.actor == actor(request))


ROUTES = [begin, print_one, recent, one, live_job, result]
