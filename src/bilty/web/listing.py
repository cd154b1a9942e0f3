"""The list of shipments. HTML first; the script only makes it fresh."""

from litestar import get
from litestar.response import Template

from bilty import telling
from bilty.store import showing
from bilty.web import rows
from bilty.web.asking import ID_MAX, choice, whole
from bilty.web.page import page
from bilty.web.sessions import signed_in
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.waiting import UNDER_WAY
from bilty.workflow import Status

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
    shown = [found[each] for each in ids[:ROWS] if each in found]
    return await page(
        request,
        "shipments.html",
        nav="shipments",
        rows=[rows.row(each, rules, now, rows.zone_of(zones.get(each.shipment.facility))) for each in shown],
        tabs=rows.tabs(counts, current),
        current=current,
        current_words=telling.STATUS_WORDS[current] if current else "",
        before=before,
        older=ids[ROWS - 1] if len(ids) > ROWS else None,
        under_way=any(counts.get(each) for each in (*UNDER_WAY, Status.CANCELLING)),
    )


ROUTES = [listing]
