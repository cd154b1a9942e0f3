"""A shipping provider's Connector: Update Connector, what a shipment booked now would be promised.

The key goes in and never comes out: not stored, not as typed, not after a fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty import telling
from bilty.intake import Fault, Rejected, parse_buffers, parse_connector
from bilty.shipping_provider import Connector, own_terms
from bilty.shipping_provider.opening import Calendar, calendar_of
from bilty.store import providers, setting_up, showing
from bilty.store.database import Connection
from bilty.store.jobs import JobKind
from bilty.store.places import Place, places
from bilty.store.setting_up import CONNECTOR_UPDATED, Change
from bilty.web.asking import only
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.sessions import actor, administering_all, from_our_pages, signed_in, user
from bilty.web.settings_pages import asked, standings, wording
from bilty.web.settings_pages.asked import Asked
from bilty.web.settings_pages.providers import PATH
from bilty.web.settings_pages.standings import Row
from bilty.web.stored_key import end_of, stored_key
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

LABELS = {
    "username": "Username",
    "key": "Key",
    "packslip_required": "Packslip Required",
    "pickup_after_minutes": "Pickup After (Minute)",
    "appointment_after_days": "Appointment After (Days)",
    "calls_at_once": "Calls At Once",
    "calls_per_second": "Calls A Second",
}
BUFFERS = ("pickup_after_minutes", "appointment_after_days")
FRESH = {
    "username": "",
    "packslip_required": "false",
    "pickup_after_minutes": "30",
    "appointment_after_days": "",
    "calls_at_once": "",
    "calls_per_second": "",
}
"""What the form of a new connector holds: the brief's own defaults, no appointment, and no limits of its own."""
CALENDARS_MAX = 3
CODES_MAX = 3
CHANGES = (CONNECTOR_UPDATED,)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a shipment booked now would be promised; `where` is named where it is not the same everywhere."""

    told: str
    where: str
    doubt: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the Connector's page shows beside its form."""

    row: Row
    stored: Connector | None
    key: str | None
    change: Change | None
    places: Sequence[Place]
    now: datetime
    test: Asked | None
    priorities: Asked | None

    @property
    def key_end(self) -> str:
        return end_of(self.key)


@get(f"{PATH}/{{code:str}}/connector", guards=[signed_in], include_in_schema=False)
async def connector(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code)


@get(f"{PATH}/{{code:str}}/connector/preview", guards=[administering_all], include_in_schema=False)
async def preview(request: AnyRequest, code: FromPath[str]) -> Template:
    """The part of the page alone, for the script."""
    del code  # it depends on the two numbers only, which may not be stored yet
    only(request, *BUFFERS)
    async with tools_of(request).pool.acquire() as connection:
        now, found = await showing.clock(connection), await places(connection, user(request).facilities)
    given = {name: request.query_params.get(name, "") for name in BUFFERS}
    return Template("settings/preview.html", context={"promises": promises(given, found, now), "user": None})


@post(f"{PATH}/{{code:str}}/connector", guards=[administering_all, from_our_pages], include_in_schema=False)
async def update(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    """Update Connector."""
    form, tools = await form_of(request), tools_of(request)
    async with tools.pool.acquire() as connection:
        row = await standings.row(connection, tools.vault, code, user(request).facilities)
    done = await _update(request, code, form)
    if isinstance(done, Rejected):
        return await show(request, code, form, done.faults)
    sentence = f"The connector of {row.name} is updated, {done.key}."
    return told(request, f"{PATH}/{code}/connector", sentence + wording.overtaken(form, done.before))


@post(f"{PATH}/{{code:str}}/connector/preview", guards=[administering_all, from_our_pages], include_in_schema=False)
async def preview_without_script(request: AnyRequest, code: FromPath[str]) -> Template:
    """A POST, so that a key that was typed does not land in an address."""
    return await show(request, code, await form_of(request))


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of the key, in words, and who had changed the connector before."""

    key: str
    before: Change | None


async def _update(request: AnyRequest, code: str, form: Form) -> Updated | Rejected:
    """A key that was left empty stays what it is now, not what it was when the form was opened."""
    tools = tools_of(request)
    async with tools.pool.acquire() as connection, connection.transaction():
        await setting_up.lock_provider(connection, code)
        stored = await stored_key(connection, tools.vault, code)
        parsed = parse_connector({name: form.get(name) for name in LABELS}, stored)
        if isinstance(parsed, Rejected):
            return parsed
        before = await setting_up.last_change(connection, code, CHANGES)
        changed = parsed.key != stored
        await setting_up.update_connector(connection, tools.vault, code, parsed, actor(request), key_changed=changed)
    words = "with another key" if stored else "with its key"
    return Updated(words if changed else "the key is as it was", before)


async def show(
    request: AnyRequest, code: str, form: Form | None = None, faults: Sequence[Fault] = (), *, status_code: int = 200
) -> Template:
    """The page: with what is stored, or with what was typed, but for the key."""
    known = await _known(request, code)
    given = _given(known.stored, form)
    shown = wording.labelled(faults, LABELS)
    return await page(
        request,
        "settings/connector.html",
        nav="settings",
        section="providers",
        status_code=422 if shown else status_code,
        tab="connector",
        row=known.row,
        known=known,
        given=given,
        faults=shown,
        fault=by_field(shown),
        key_again=bool(form and form.get("key")),
        promises=promises(given, known.places, known.now),
        lanes=[(each.facility.code, _lane(each)) for each in known.places],
        lane={"facility": form.get("facility", "") if form else "", "pincode": form.get("pincode", "") if form else ""},
        changed_last=wording.changed_last(known.change),
        seen=wording.seen_mark(known.change),
        again=f"{request.url.path}?{request.url.query}",
        under_way=any(each and each.pending for each in (known.test, known.priorities)),
    )


async def _known(request: AnyRequest, code: str) -> Known:
    tools, facilities = tools_of(request), user(request).facilities
    async with tools.pool.acquire() as connection:
        return Known(
            row=await standings.row(connection, tools.vault, code, facilities),
            stored=await _stored(connection, code),
            key=await stored_key(connection, tools.vault, code),
            change=await setting_up.last_change(connection, code, CHANGES),
            places=await places(connection, facilities),
            now=await showing.clock(connection),
            test=await asked.test_of(connection, request, code, JobKind.TEST_CONNECTION),
            priorities=await asked.priorities_of(connection, request, code),
        )


def _lane(place: Place) -> str:
    return f"{place.facility.code}, {place.facility.pickup.city} {place.facility.pickup.pincode}"


async def _stored(connection: Connection, code: str) -> Connector | None:
    """Without its key, which may be unreadable here."""
    found = (each for each in await providers.standings(connection) if each.provider.code == code)
    return next((each.connector for each in found), None)


def _given(stored: Connector | None, form: Form | None) -> dict[str, str]:
    if form is not None and any(name in form for name in FRESH):
        return {name: form.get(name, "") for name in FRESH}
    if stored is None:
        return dict(FRESH)
    return {
        "username": stored.username,
        "packslip_required": "true" if stored.packslip_required else "false",
        "pickup_after_minutes": str(stored.pickup_after_minutes),
        "appointment_after_days": _blank_or(stored.appointment_after_days),
        "calls_at_once": _blank_or(stored.calls_at_once),
        "calls_per_second": _blank_or(stored.calls_per_second),
    }


def _blank_or(number: int | None) -> str:
    return "" if number is None else str(number)


def promises(given: Mapping[str, str], found: Sequence[Place], now: datetime) -> Sequence[Promise] | Sequence[Fault]:
    """One for each calendar that boxes leave by, those of most facilities first; or what is wrong with the numbers.

    Without a facility it is said for one in India that is always open.
    """
    parsed = parse_buffers({name: given[name] for name in BUFFERS})
    if isinstance(parsed, Rejected):
        return wording.labelled(parsed.faults, LABELS)
    codes: dict[Calendar, list[str]] = {}
    for place in found:
        codes.setdefault(calendar_of(place.facility), []).append(place.facility.code)
    calendars = sorted(codes, key=lambda each: -len(codes[each]))[:CALENDARS_MAX] or [Calendar(INDIA)]
    alone = len(codes) <= 1
    made = []
    for calendar in calendars:
        terms = own_terms(parsed, now, calendar)
        told = telling.told_terms(terms, now, calendar.zone)
        made.append(Promise(told, _where(calendar, codes.get(calendar, []), alone=alone), telling.doubt_of(terms)))
    return made


def _where(calendar: Calendar, codes: Sequence[str], *, alone: bool) -> str:
    """Blank where there is no doubt: every facility keeps India's time and is always open."""
    more = f" and {len(codes) - CODES_MAX} more" if len(codes) > CODES_MAX else ""
    named = "" if alone and calendar.is_always_open else ", ".join(codes[:CODES_MAX]) + more
    zone = "" if calendar.zone == INDIA else calendar.zone.key
    hours = "" if calendar.is_always_open else "when it is open"
    return ", ".join(filter(None, (named, zone, hours)))


ROUTES = [connector, preview, update, preview_without_script]
