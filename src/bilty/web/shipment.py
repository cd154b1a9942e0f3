"""The page of one shipment: why it is where it is, what it is, its label. HTML first; the script keeps it fresh."""

import re
from datetime import datetime, tzinfo

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from bilty import telling
from bilty.store import acting, attachments, exchanges, prints, providers, showing, transporters
from bilty.store.access import Role
from bilty.store.database import Connection
from bilty.store.hand_off.deliveries import of_shipment
from bilty.store.prints import Copy
from bilty.store.showing import Seen
from bilty.telling.printed import told_destroy
from bilty.turn import Turn
from bilty.web import deliveries, history, rows
from bilty.web.acting import acts_of
from bilty.web.api.parts import asked_turn, label_of, label_pdf
from bilty.web.asking import ID_MAX, choice, whole
from bilty.web.attachments import KIND_WORDS, document_row
from bilty.web.blames import mending
from bilty.web.books import otherwise
from bilty.web.carried import carried
from bilty.web.page import page, shipment_of
from bilty.web.pictures import Undrawable
from bilty.web.problems import ProblemError
from bilty.web.sessions import dispatching, signed_in, user
from bilty.web.tools import AnyRequest, pictures_of, tools_of
from bilty.web.waiting import UNDER_WAY
from bilty.words import day
from bilty.workflow import Status, status

PAGES_SHOWN = 1
"""Of a label; the others on demand."""
PAGES_MAX = 40
EXCHANGES = 20
_PICTURE = re.compile("([0-9]{1,3})[.]png", re.ASCII)


@get("/shipments/{shipment_id:int}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, shipment_id: FromPath[int]) -> Template:
    tools, rules = tools_of(request), tools_of(request).settings.rules
    found = await shipment_of(request, shipment_id)
    progress, may_act = found.progress, user(request).may(Role.DISPATCHER)
    all_boxes, all_pages = choice(request, "boxes", ("shown",)), choice(request, "label", ("all",))
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        zone = await _zone_of(connection, found)
        moments = await showing.timeline_of(connection, shipment_id)
        talks = {each.reference: each.turn_id for each in await exchanges.talks_of(connection, shipment_id)}
        call_out = (await acting.calls_out(connection, [shipment_id], now)).get(shipment_id, frozenset())
        copies = await prints.copies_of(connection, shipment_id)
        void = (await prints.void_of(connection, [shipment_id])).get(shipment_id, ())
        opened = await showing.versions_of(connection, shipment_id)
        to_change = await transporters.of_shipment(connection, shipment_id)
        said_otherwise = await otherwise(connection, shipment_id)
        boxes = await showing.boxes_of(connection, shipment_id) if all_boxes else []
        told = deliveries.by_day(await of_shipment(connection, shipment_id), now, zone)
        attached = (await attachments.of_shipments(connection, [shipment_id])).get(shipment_id, ())
    return await page(
        request,
        "shipment.html",
        nav="shipments",
        row=rows.row(found, rules, now, zone),
        standing=_pieces(telling.told_standing(progress, moments, rules, now, zone), now),
        problem=telling.problem(progress, rules),
        warnings=(*found.to_look_at, *said_otherwise),
        today=now.astimezone(zone).date(),
        to_change=to_change,
        may_bill=may_act and not progress.cancel_asked,
        pickup=_pickup(found, zone),
        runs=history.runs(found, moments, talks, opened, rules, now, zone),
        lines=history.lines(moments, rules, zone),
        handed_off=told,
        carried=carried(found.shipment, zone),
        taken_in=rows.moment(found.created_at, zone),
        provider=found.shipment.shipping_provider,
        boxes=boxes,
        label=_label(found, copies, zone, all_pages=bool(all_pages)),
        may_reprint=may_act and any(not each.void for each in copies),
        documents=[document_row(each, zone) for each in attached],
        document_kinds=list(KIND_WORDS.items()),
        destroy=told_destroy(void, now, zone),
        edition=history.edition(progress, moments, now, zone),
        edit=_edit(found) if may_act else "",
        mending=mending(found.id, progress) if may_act else "",
        may_act=may_act,
        acts=acts_of(progress, call_out=call_out, admin=user(request).may(Role.ADMIN)) if may_act else (),
        under_way=status(progress) in (*UNDER_WAY, Status.CANCELLING),
        zone=str(zone),
    )


async def _zone_of(connection: Connection, found: Seen) -> tzinfo:
    facility = await providers.facility_of(connection, found.shipment.facility)
    return rows.zone_of(facility.time_zone if facility else None)


def _pickup(found: Seen, zone: tzinfo) -> str:
    """The new one that was asked for, as the label came after the first; blank for none."""
    if found.pickup is None:
        return ""
    number = f", number {found.pickup.confirmation}" if found.pickup.confirmation else ""
    at = found.pickup.at.astimezone(zone)
    return f"New pickup asked for: {day(at)}, {at:%H:%M}{number}."


def _edit(found: Seen) -> str:
    """Where it is changed; blank where it no longer can be."""
    is_over = found.progress.dispatched or found.progress.cancel_asked
    return "" if is_over else f"/shipments/{found.id}/edit"


def _pieces(pieces: tuple[telling.Piece, ...], now: datetime) -> list[tuple[str, int | None]]:
    """Each with the seconds until its moment, for the script that counts them down."""
    return [(each.words, round((each.due - now).total_seconds()) if each.due else None) for each in pieces]


def _holder_with_label(found: Seen) -> Turn | None:
    holder = found.progress.holder
    return holder if holder and holder.label_sha256 else None


def _label(found: Seen, copies: list[Copy], zone: tzinfo, *, all_pages: bool) -> dict[str, object] | None:
    """None while there is none. `copies`: who printed it when, a reprint by its number."""
    holder = _holder_with_label(found)
    if holder is None:
        return None
    return {
        "count": holder.label_pages,
        "pages": range(1, min(holder.label_pages, PAGES_MAX if all_pages else PAGES_SHOWN) + 1),
        "sha256": holder.label_sha256[:12],
        "printed": [
            (rows.moment(each.at, zone), each.actor.name, each.copy)
            for each in copies
            if each.sha256 == holder.label_sha256
        ],
    }


@get(
    "/shipments/{shipment_id:int}/label.pdf",
    guards=[dispatching],
    include_in_schema=False,
    media_type="application/pdf",
)
async def label(request: AnyRequest, shipment_id: FromPath[int]) -> Response[bytes]:
    """As it came: without the mark of a reprint, and counted nowhere. Whoever only looks has the pictures.

    With `reference` that turn's, which is void unless it is the shipment's.
    """
    return await label_of(tools_of(request), await shipment_of(request, shipment_id), asked_turn(request))


@get("/shipments/{shipment_id:int}/label/{picture:str}", guards=[signed_in], include_in_schema=False)
async def label_page(request: AnyRequest, shipment_id: FromPath[int], picture: FromPath[str]) -> Response[bytes]:
    """A page of the label as a picture: 1.png is the first."""
    tools, pictures = tools_of(request), pictures_of(request)
    found = await shipment_of(request, shipment_id)
    holder, named = _holder_with_label(found), _PICTURE.fullmatch(picture)
    number = int(named[1]) if named else 0
    if holder is None or not 1 <= number <= min(holder.label_pages, PAGES_MAX):
        raise ProblemError(404, "not_found", "The label has no such page.")

    async def read() -> bytes:
        return (await label_pdf(tools, found))[0]

    try:
        png = await pictures.page(holder.label_sha256, number, read)
    except Undrawable as trouble:
        raise ProblemError(422, "undrawable", f"Page {number} cannot be drawn. {trouble} Open the PDF.") from None
    return Response(png, media_type="image/png")


@get("/shipments/{shipment_id:int}/turns/{turn_id:int}/exchanges", guards=[signed_in], include_in_schema=False)
async def said(request: AnyRequest, shipment_id: FromPath[int], turn_id: FromPath[int]) -> Template:
    """What was said to ClickPost in one turn, and what it answered; secrets were taken out before it was kept."""
    found = await shipment_of(request, shipment_id)
    after = whole(request, "after", 0, ID_MAX) or 0
    async with tools_of(request).pool.acquire() as connection:
        talk = {each.turn_id: each for each in await exchanges.talks_of(connection, shipment_id)}.get(turn_id)
        if talk is None:
            raise ProblemError(404, "not_found", f"Nothing is kept of what was said in turn {turn_id}.")
        kept = await exchanges.page(connection, turn_id, after_id=after, limit=EXCHANGES + 1)
        zone = await _zone_of(connection, found)
    return await page(
        request,
        "exchanges.html",
        nav="shipments",
        shipment=found,
        talk=talk,
        exchanges=history.exchange_rows(kept[:EXCHANGES], zone),
        after=after,
        older=kept[EXCHANGES - 1].id if len(kept) > EXCHANGES else None,
        zone=str(zone),
    )


ROUTES = [one, label, label_page, said]
