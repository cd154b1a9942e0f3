"""Today: what is under way now, and how the day went so far. Every figure leads to the shipments behind it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import get
from litestar.response import Template

from bilty.reply import Courier
from bilty.store import listing, places, showing
from bilty.store import today as figures
from bilty.store.database import Connection
from bilty.store.listing import Filter, Listed, Tab
from bilty.store.places import Place
from bilty.store.today import Behind
from bilty.store.turn_ends import End
from bilty.telling import charts
from bilty.telling.charts import Scale
from bilty.web import day, rows
from bilty.web.asking import choice, only
from bilty.web.page import page
from bilty.web.problems import ProblemError
from bilty.web.sessions import signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA
from bilty.words import day as written

BEHIND_MAX = 200
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_COURIER = re.compile(r"([0-9]{1,9}):(.{0,200})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose day it is: of one facility, or of all that this person works for, by the clock there."""

    places: Sequence[Place]
    chosen: Place | None
    facility_ids: list[int] | None
    zone: ZoneInfo
    now: datetime

    @property
    def since(self) -> datetime:
        return datetime.combine(self.now.astimezone(self.zone).date(), time(), self.zone)

    @property
    def hour(self) -> int:
        return self.now.astimezone(self.zone).hour

    def query(self, **more: object) -> str:
        given = {name: value for name, value in more.items() if value is not None}
        return urlencode({"facility": self.chosen.facility.code, **given} if self.chosen else given)

    def listed(self, tab: Tab, courier: Courier | None) -> str:
        facility = self.chosen.facility.code if self.chosen else ""
        return f"/shipments?{Filter(tab=tab, facility=facility, courier=courier.name if courier else '').query()}"

    def behind(
        self,
        *,
        ended: End | None = None,
        courier: Courier | None = None,
        hour: int | None = None,
        step: int | None = None,
    ) -> str:
        asked = self.query(ended=ended, courier=courier and day.key_of(courier), hour=hour, step=step)
        return f"/today/shipments?{asked}"


async def _desk(request: AnyRequest, connection: Connection) -> Desk:
    allowed = user(request).facilities
    found = await places.places(connection, allowed)
    code = choice(request, "facility", tuple(each.facility.code for each in found))
    chosen = next((each for each in found if each.facility.code == code), None)
    return Desk(
        places=found,
        chosen=chosen,
        facility_ids=[chosen.id] if chosen else None if allowed is None else sorted(allowed),
        zone=ZoneInfo(chosen.facility.time_zone) if chosen else INDIA,
        now=await showing.clock(connection),
    )


@get("/today", guards=[signed_in], include_in_schema=False)
async def today(request: AnyRequest) -> Template:
    only(request, "facility")
    tools, rules = tools_of(request), tools_of(request).settings.rules
    scale = charts.scale(rules.poll_interval, rules.polls_max)
    async with tools.pool.acquire() as connection:
        desk = await _desk(request, connection)
        ids, since = desk.facility_ids, desk.since
        waiting = await figures.in_flight(connection, ids, rules)
        oldest = await figures.oldest(connection, ids)
        seen = {each.id: each for each in await listing.see(connection, [shipment_id for shipment_id, _ in oldest])}
        records, took = await figures.records(connection, since, ids)
        labels = await figures.labels_by_hour(connection, since, ids, desk.zone.key)
        by_wait = await figures.labels_by_wait(connection, since, ids, scale.step, scale.steps)
        is_empty = not (waiting or records) and not await figures.anything(connection, ids)
    return await page(
        request,
        "today.html",
        nav="today",
        desk=desk,
        told_day=_told_day(desk),
        is_empty=is_empty,
        flights=day.flights(waiting, desk.now, desk.zone, desk.listed),
        all_flights=day.all_flights(waiting, desk.listed),
        oldest=[
            (rows.line(seen[each], rules, desk.now, desk.zone), charts.short(desk.now - at))
            for each, at in oldest
            if each in seen
        ],
        hours=day.hours(labels, desk.hour, desk.behind) if took.labels else [],
        waits=day.waits(by_wait, took, scale, lambda step: desk.behind(ended=End.LABEL, step=step)),
        standings=day.standings(records, desk.behind),
    )


def _told_day(desk: Desk) -> str:
    local = desk.now.astimezone(desk.zone)
    return f"{WEEKDAYS[local.weekday()]} {written(local.date())}, {local:%H:%M}"


@get("/today/shipments", guards=[signed_in], include_in_schema=False)
async def shipments(request: AnyRequest) -> Template:
    """The shipments behind one of Today's figures."""
    only(request, "facility", "ended", "courier", "hour", "step")
    tools, rules = tools_of(request), tools_of(request).settings.rules
    scale = charts.scale(rules.poll_interval, rules.polls_max)
    which = _which(request, scale)
    async with tools.pool.acquire() as connection:
        desk = await _desk(request, connection)
        ids = await figures.behind(connection, desk.since, desk.facility_ids, desk.zone.key, which, BEHIND_MAX + 1)
        shown = await listing.see(connection, ids[:BEHIND_MAX])
    took = (which.took_from, which.took_to) if which.took_from is not None else None
    return await page(
        request,
        "today_shipments.html",
        nav="today",
        heading=day.heading(which.ended, _name(which.courier, shown), which.hour, took),
        back=f"/today?{desk.query()}",
        rows=[rows.line(each, rules, desk.now, rows.zone_of(each.time_zone)) for each in shown],
        more=BEHIND_MAX if len(ids) > BEHIND_MAX else None,
    )


def _which(request: AnyRequest, scale: Scale) -> Behind:
    ended = choice(request, "ended", tuple(End))
    hour = choice(request, "hour", tuple(str(each) for each in range(day.HOURS)))
    step = choice(request, "step", tuple(str(each) for each in range(scale.steps + 1)))
    given = request.query_params.get("courier", "")
    courier = _COURIER.fullmatch(given)
    if given and not courier:
        raise ProblemError(400, "query", f"courier is {given[:40]!r}: follow a link of the page Today.")
    return Behind(
        ended=End(ended) if ended else None,
        courier=(int(courier[1]), courier[2]) if courier else None,
        hour=int(hour) if hour else None,
        took_from=int(step) * scale.step if step else None,
        took_to=(int(step) + 1) * scale.step if step and int(step) < scale.steps else None,
    )


def _name(courier: tuple[int, str] | None, shown: Sequence[Listed]) -> str:
    if courier is None:
        return ""
    turns = (turn.courier for each in shown for turn in each.progress.turns if turn.courier)
    return next((each.name for each in turns if each.identity == courier), courier[1])


ROUTES = [today, shipments]
