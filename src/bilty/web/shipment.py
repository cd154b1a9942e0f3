"""The page of one shipment. HTML first; the script only makes it fresh."""

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from bilty import telling
from bilty.store import providers, showing
from bilty.web import rows
from bilty.web.api.parts import label_of
from bilty.web.page import page, shipment_of
from bilty.web.sessions import signed_in
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.waiting import UNDER_WAY
from bilty.workflow import Status, status


@get("/shipments/{shipment_id:int}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, shipment_id: FromPath[int]) -> Template:
    tools, rules = tools_of(request), tools_of(request).settings.rules
    found = await shipment_of(request, shipment_id)
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        facility = await providers.facility_of(connection, found.shipment.facility)
        moments = await showing.timeline_of(connection, shipment_id)
        boxes = await showing.boxes_of(connection, shipment_id)
    zone = rows.zone_of(facility.time_zone if facility else None)
    return await page(
        request,
        "shipment.html",
        nav="shipments",
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
    return await label_of(tools_of(request), await shipment_of(request, shipment_id))


ROUTES = [one, label]
