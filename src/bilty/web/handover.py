"""Handover: the boxes that leave with one truck, scanned one by one. Made for a scanner that types and presses Enter.

Each action is a form; the script only takes the scans one after the other without a page in between, and sounds.
"""

import asyncio
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.documents import manifest as paper
from bilty.store import astray, handovers, manifests, scanning, showing
from bilty.store.access import Role
from bilty.store.astray import Astray
from bilty.store.database import Connection
from bilty.store.handovers import Handover, Load
from bilty.store.scanning import Ticked, Wrong
from bilty.telling import clock
from bilty.web.asking import ID_MAX
from bilty.web.forms import Form, form_of
from bilty.web.page import page, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, dispatching, from_our_pages, signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, counted, listed

PATH = "/handovers"
TRUCKS_SHOWN, CLOSED_SHOWN = 200, 20
CODE_CHARS_MAX = 100
MISSING_TOLD = 8
CLOSED = "This handover was closed by {by}, at {at}: nothing more goes with it. Begin the next one."


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment of the truck, in words."""

    load: Load
    told: str
    whole: bool


@get(PATH, guards=[signed_in], include_in_schema=False)
async def trucks(request: AnyRequest) -> Template:
    limits = user(request).facilities
    async with tools_of(request).pool.acquire() as connection:
        waiting = await handovers.waiting(connection, limits, TRUCKS_SHOWN)
        gone = await handovers.closed(connection, limits, CLOSED_SHOWN)
        now = await showing.clock(connection)
    return await page(
        request,
        "handovers.html",
        nav="handover",
        waiting=waiting,
        gone=[(each, clock(each.closed_at, now, INDIA)) for each in gone if each.closed_at],
        may_act=user(request).may(Role.DISPATCHER),
        counted=counted,
    )


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False)
async def begin(request: AnyRequest) -> Redirect:
    """Fields: facility and courier, by their ids."""
    form, limits = await form_of(request), user(request).facilities
    facility_id, courier_id = _id(form, "facility"), _id(form, "courier")
    if limits is not None and facility_id not in limits:
        raise ProblemError(404, "not_found", "There is no such facility.")
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        begun = await handovers.begin(connection, facility_id, courier_id, actor(request), now)
    if begun is None:
        raise ProblemError(404, "not_found", "There is no such courier or facility.")
    return Redirect(f"{PATH}/{begun[0]}", status_code=303)


@get(f"{PATH}/{{handover_id:int}}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, handover_id: FromPath[int]) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        handover = await _handover(request, connection, handover_id)
        loads = [] if handover.closed_at else await handovers.loads(connection, handover)
        stray = () if handover.closed_at else await astray.of(connection, handover.id, handovers.READY)
        now = await showing.clock(connection)
    rows = [_row(each) for each in loads]
    return await page(
        request,
        "handover.html",
        nav="handover",
        handover=handover,
        opened=clock(handover.opened_at, now, INDIA),
        closed=clock(handover.closed_at, now, INDIA) if handover.closed_at else "",
        astray=[(each, _why_off(each)) for each in stray],
        short=[row for row in rows if row.load.ticked and not row.whole],
        whole=[row for row in rows if row.whole],
        rest=[row for row in rows if not row.load.ticked],
        tally=_tally(loads),
        shown_max=handovers.SHOWN_MAX if len(loads) == handovers.SHOWN_MAX else 0,
        may_act=user(request).may(Role.DISPATCHER),
        counted=counted,
    )


def _tally(loads: list[Load]) -> str:
    whole = sum(not each.missing for each in loads)
    boxes, of = sum(len(each.ticked) for each in loads), sum(each.boxes for each in loads)
    return (
        f"{whole} of {counted(len(loads), 'shipment')} complete, {boxes} of {counted(of, 'box', 'boxes')} on the truck"
    )


def _row(load: Load) -> Row:
    if not load.missing:
        return Row(load, f"{load.boxes} of {load.boxes}", whole=True)
    if not load.ticked:
        return Row(load, counted(load.boxes, "box", "boxes"), whole=False)
    return Row(load, f"{len(load.ticked)} of {load.boxes}: {_missing(load.missing)}", whole=False)


def _missing(missing: tuple[int, ...]) -> str:
    """As people say it: box 4 missing, boxes 4 and 6 missing."""
    return f"{_named(missing)} missing"


def _named(boxes: tuple[int, ...]) -> str:
    more = len(boxes) - MISSING_TOLD
    named = listed([*(str(each) for each in boxes[:MISSING_TOLD]), *([f"{more} more"] if more > 0 else [])])
    return f"box {named}" if len(boxes) == 1 else f"boxes {named}"


def _why_off(stray: Astray) -> str:
    """Why boxes that were ticked off may not go, and what becomes of them."""
    which = f"{_named(stray.boxes)[0].upper()}{_named(stray.boxes)[1:]}"
    if stray.standing in ("cancelled", "cancelling"):
        return f"{which}: it was cancelled meanwhile. Keep it here, and take the label off."
    if stray.standing == "dispatched":
        return f"{which}: it was dispatched meanwhile, without this handover. Ask who did it."
    return f"{which}: it was changed or booked anew meanwhile, or waits for a person. Its page says what it needs."


@post(f"{PATH}/{{handover_id:int}}/scan", guards=[dispatching, from_our_pages], include_in_schema=False)
async def scan(request: AnyRequest, handover_id: FromPath[int]) -> Redirect | Response[dict[str, str | bool]]:
    """Field: code, what the scanner has typed. The script asks for JSON, and gets the sentence alone."""
    form, pool = await form_of(request), tools_of(request).pool
    code = form.get("code", "")[:CODE_CHARS_MAX]
    async with pool.acquire() as connection, connection.transaction():
        handover = await _handover(request, connection, handover_id, lock=True)
        now = await showing.clock(connection)
        if handover.closed_at:
            found: Ticked | Wrong = Wrong(_closed(handover))
        else:
            found = await scanning.scan(connection, handover, code, user(request).facilities, actor(request), now)
    well, sentence = isinstance(found, Ticked), _said(found)
    if "application/json" in request.headers.get("accept", ""):
        return Response({"well": well, "told": sentence}, status_code=200)
    return told(request, f"{PATH}/{handover_id}", sentence, well=well)


def _said(found: Ticked | Wrong) -> str:
    if isinstance(found, Wrong):
        return found.why
    which = f"{found.number}, box {found.box}"
    if found.again:
        which += " was on the truck already"
    left = f"{found.of - len(found.missing)} of {found.of}"
    return f"{which}: complete." if not found.missing else f"{which}. {left}: {_missing(found.missing)}."


def _closed(handover: Handover) -> str:
    assert handover.closed_at is not None, "asked of those that are closed"
    return CLOSED.format(by=handover.closed_by, at=f"{handover.closed_at.astimezone(INDIA):%H:%M}")


@post(f"{PATH}/{{handover_id:int}}/boxes", guards=[dispatching, from_our_pages], include_in_schema=False)
async def tick(request: AnyRequest, handover_id: FromPath[int]) -> Redirect:
    """By hand. Fields: shipment, its id; box; off, where it is not on the truck after all."""
    form, where = await form_of(request), f"{PATH}/{handover_id}"
    shipment_id, box = _id(form, "shipment"), _id(form, "box")
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        handover = await _handover(request, connection, handover_id, lock=True)
        if handover.closed_at:
            return told(request, where, _closed(handover), well=False)
        if form.ticked("off"):
            done = await handovers.untick(connection, handover, shipment_id, box)
            sentence = f"Box {box} was taken off." if done else f"Box {box} was not on the truck."
            return told(request, where, sentence, well=done)
        load = next(
            (each for each in await handovers.loads(connection, handover) if each.shipment_id == shipment_id), None
        )
        if load is None or not 1 <= box <= load.boxes:
            sentence = "This shipment does not go with this truck any more: look at its page."
            return told(request, where, sentence, well=False)
        now = await showing.clock(connection)
        new = await handovers.tick(connection, handover, load.turn_id, load.shipment_id, box, actor(request), now)
    missing = tuple(each for each in load.missing if each != box)
    return told(request, where, _said(Ticked(load.number, box, load.boxes, missing, again=not new)))


@get(f"{PATH}/{{handover_id:int}}/close", guards=[dispatching], include_in_schema=False)
async def ask_close(request: AnyRequest, handover_id: FromPath[int]) -> Template | Redirect:
    """What goes and what stays, before it goes."""
    async with tools_of(request).pool.acquire() as connection:
        handover = await _handover(request, connection, handover_id)
        if handover.closed_at:
            return told(request, f"{PATH}/{handover_id}", _closed(handover), well=False)
        loads = await handovers.loads(connection, handover)
        stray = await astray.of(connection, handover.id, handovers.READY)
    rows = [_row(each) for each in loads]
    return await page(
        request,
        "handover_close.html",
        nav="handover",
        handover=handover,
        goes=[row for row in rows if row.whole],
        boxes=sum(row.load.boxes for row in rows if row.whole),
        astray=[(each, _why_off(each)) for each in stray],
        short=[row for row in rows if row.load.ticked and not row.whole],
        counted=counted,
    )


@post(f"{PATH}/{{handover_id:int}}/close", guards=[dispatching, from_our_pages], include_in_schema=False)
async def close(request: AnyRequest, handover_id: FromPath[int]) -> Redirect:
    tools, where = tools_of(request), f"{PATH}/{handover_id}"
    async with tools.pool.acquire() as connection, connection.transaction():
        handover = await _handover(request, connection, handover_id, lock=True)
        if handover.closed_at:
            return told(request, where, _closed(handover), well=False)
        now = await showing.clock(connection)
        went = await handovers.close(connection, handover, actor(request), now, tools.settings.rules)
    stays = f" {counted(len(went.short), 'shipment')} stayed, because boxes were missing." if went.short else ""
    behind = f" Not on this manifest, because they are on another or may not go: {', '.join(went.left_behind)}."
    gone = f"{counted(went.shipments, 'shipment')}, {counted(went.boxes, 'box', 'boxes')} dispatched."
    sentence = gone if went.shipments else "Closed. Nothing was complete, so nothing was dispatched."
    well = not (went.left_behind or went.astray)
    sentence += stays + (behind if went.left_behind else "") + _off(went.astray)
    return told(request, where, sentence, well=well)


def _off(stray: tuple[Astray, ...]) -> str:
    boxes = [f"{each.number} ({_named(each.boxes)})" for each in stray]
    return f" Take off the truck, because they may not go any more: {listed(boxes)}." if boxes else ""


@get(f"{PATH}/{{handover_id:int}}/manifest.pdf", guards=[signed_in], include_in_schema=False)
async def manifest(request: AnyRequest, handover_id: FromPath[int]) -> Response[bytes]:
    async with tools_of(request).pool.acquire() as connection:
        handover = await _handover(request, connection, handover_id)
        found = await manifests.one(connection, handover.manifest_id) if handover.manifest_id else None
    if found is None:
        raise ProblemError(404, "no_manifest", "Nothing went with this handover: there is no manifest.")
    pdf = await asyncio.to_thread(paper.draw, found, INDIA)
    headers = {"Content-Disposition": f'inline; filename="{found.number}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


async def _handover(request: AnyRequest, connection: Connection, handover_id: int, *, lock: bool = False) -> Handover:
    found = None
    if 0 < handover_id <= ID_MAX:
        found = await handovers.one(connection, handover_id, user(request).facilities, lock=lock)
    if found is None:
        raise ProblemError(404, "not_found", f"There is no handover {handover_id}.")
    return found


def _id(form: Form, name: str) -> int:
    given = form.get(name, "")
    if not (given.isascii() and given.isdigit() and 0 < int(given[:10]) <= 2**31 - 1):
        raise ProblemError(422, name, f"{name} is {given[:20]!r}: choose it on the page.")
    return int(given)


ROUTES = [trucks, begin, one, scan, tick, ask_close, close, manifest]
