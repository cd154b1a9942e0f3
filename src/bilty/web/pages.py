"""The pages: the list of shipments, and one shipment. HTML first; the script only makes them fresh."""

from collections.abc import Sequence
from datetime import datetime

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from bilty import telling
from bilty.store import providers, showing
from bilty.store.access import User
from bilty.store.providers import Standing
from bilty.web import rows
from bilty.web.api.parts import label_of
from bilty.web.api.shipments import seen
from bilty.web.asking import ID_MAX, choice, whole
from bilty.web.sessions import signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.waiting import UNDER_WAY
from bilty.workflow import Status, status

ROWS = 60


@get("/shipments", guards=[signed_in], include_in_schema=False)
async def listing(request: AnyRequest) -> Template:
    tools, rules = tools_of(request), tools_of(request).settings.rules
    chosen = choice(request, "status", tuple(Status))
    current, before = Status(chosen) if chosen else None, whole(request, "before", None, ID_MAX)
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        counts = await showing.counts(connection)
        ids = await showing.page(connection, before_id=before, status=current, limit=ROWS + 1)
        found = await showing.see(connection, ids[:ROWS])
        zones = await showing.time_zones(connection, list({each.shipment.facility for each in found.values()}))
        standings = await providers.standings(connection)
    shown = [found[each] for each in ids[:ROWS] if each in found]
    return _page(
        "shipments.html",
        user(request),
        rows=[rows.row(each, rules, now, rows.zone_of(zones.get(each.shipment.facility))) for each in shown],
        tabs=rows.tabs(counts, current),
        current=current,
        current_words=telling.STATUS_WORDS[current] if current else "",
        before=before,
        older=ids[ROWS - 1] if len(ids) > ROWS else None,
        banners=_banners(standings, now),
        under_way=any(counts.get(each) for each in (*UNDER_WAY, Status.CANCELLING)),
    )


def _banners(standings: Sequence[Standing], now: datetime) -> list[str]:
    zone = rows.zone_of(None)
    told = [sentence for each in standings for sentence in telling.told_provider(each.provider.name, each, now, zone)]
    unset = [each.provider.name for each in standings if each.connector is None]
    return told + [f"{name} has no username and key yet: nothing is booked before Update Connector." for name in unset]


@get("/shipments/{shipment_id:int}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, shipment_id: FromPath[int]) -> Template:
    tools, rules = tools_of(request), tools_of(request).settings.rules
    found = await seen(tools, shipment_id)
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        facility = await providers.facility_of(connection, found.shipment.facility)
        moments = await showing.timeline_of(connection, shipment_id)
        boxes = await showing.boxes_of(connection, shipment_id)
    zone = rows.zone_of(facility.time_zone if facility else None)
    return _page(
        "shipment.html",
        user(request),
        row=rows.row(found, rules, now, zone),
        facts=[(name, value) for name, value in rows.facts(found, zone) if value],
        warnings=found.warnings,
        turns=rows.turn_rows(found, rules, now, zone),
        lines=rows.lines(moments, rules, zone),
        boxes=boxes,
        problem=telling.problem(found.progress, rules),
        has_label=found.progress.holder is not None and found.progress.holder.label_sha256 != "",
        under_way=status(found.progress) in (*UNDER_WAY, Status.CANCELLING),
        zone=str(zone),
    )


@get(
    "/shipments/{shipment_id:int}/label.pdf", guards=[signed_in], include_in_schema=False, media_type="application/pdf"
)
async def label(request: AnyRequest, shipment_id: FromPath[int]) -> Response[bytes]:
    tools = tools_of(request)
    return await label_of(tools, await seen(tools, shipment_id))


def _page(template: str, viewer: User, **context: object) -> Template:
    return Template(template, context={"user": viewer, **context})
