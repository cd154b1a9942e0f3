"""Settings, Facilities: where boxes are fetched from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty import telling
from bilty.intake import Fault, Rejected, facility_warnings, parse_facility
from bilty.intake.india import STATES
from bilty.shipment import Facility, Weekday
from bilty.store import providers, setting_up
from bilty.store.places import Place, places
from bilty.store.providers import COUNTED_MAX
from bilty.store.setting_up import FACILITY_ADDED, FACILITY_CHANGED
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, administering, from_our_pages, signed_in, user
from bilty.web.settings_pages import wording
from bilty.web.tools import AnyRequest, tools_of

PATH = "/settings/facilities"
LABELS = {
    "code": "Code",
    "name": "Contact name",
    "organisation": "Organisation",
    "phone": "Phone",
    "email": "E-mail",
    "address": "Address",
    "city": "City",
    "state": "State",
    "pincode": "PIN",
    "gstin": "GSTIN",
    "location_code": "Location code",
    "time_zone": "Time zone",
    "opens_at": "Opens at",
    "closes_at": "Closes at",
    "days_off": "Days off",
    "holidays": "Holidays",
}
LISTS = ("days_off", "holidays")
FRESH = {**dict.fromkeys(LABELS, ""), "time_zone": "Asia/Kolkata"}
STATE_NAMES = sorted({name for name in STATES.values() if name})
CHANGES = (FACILITY_ADDED, FACILITY_CHANGED)


@dataclass(frozen=True, slots=True)
class Row:
    """A facility as pages show it; `shipments` leave from there."""

    facility: Facility
    shipments: str
    is_used: bool
    warnings: tuple[str, ...]


@get(PATH, guards=[signed_in], include_in_schema=False)
async def listing(request: AnyRequest) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        found = await places(connection, user(request).facilities)
        used = await providers.used(connection, user(request).facilities)
    rows = [_row(place.facility, used.get(place.facility.code, 0)) for place in found]
    return await page(
        request,
        "settings/facilities.html",
        nav="settings",
        section="facilities",
        rows=rows,
        may_add=_may_add(request),
    )


@get(f"{PATH}/new", guards=[administering], include_in_schema=False)
async def fresh(request: AnyRequest) -> Template:
    _needs_all(request)
    return await _form(request, None, FRESH)


@post(f"{PATH}/new", guards=[administering, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template | Redirect:
    _needs_all(request)
    given = _given(await form_of(request))
    parsed = parse_facility(given["code"], _document(given, None))
    if isinstance(parsed, Rejected):
        return await _form(request, None, given, parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        added = await setting_up.add_facility(connection, parsed, actor(request))
    if not added:
        message = f'code is "{parsed.code}", which another facility has: choose one of its own.'
        return await _form(request, None, given, [Fault("code", parsed.code, message)])
    return told(request, f"{PATH}/{parsed.code}", f"Facility {parsed.code} is added.")


@get(f"{PATH}/{{code:str}}", guards=[signed_in], include_in_schema=False)
async def one(request: AnyRequest, code: FromPath[str]) -> Template:
    place = await _place(request, code)
    return await _form(request, place, _shown(place.facility))


@post(f"{PATH}/{{code:str}}", guards=[administering, from_our_pages], include_in_schema=False)
async def save(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    """The code stays: shipments and order systems name the facility by it."""
    place, form = await _place(request, code), await form_of(request)
    given = {**_given(form), "code": code}
    parsed = parse_facility(code, _document(given, place.facility))
    if isinstance(parsed, Rejected):
        return await _form(request, place, given, parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        before = await setting_up.last_change(connection, code, CHANGES)
        await setting_up.save_facility(connection, parsed, actor(request))
    return told(request, f"{PATH}/{code}", f"Facility {code} is saved." + wording.overtaken(form, before))


async def _form(
    request: AnyRequest, place: Place | None, given: Mapping[str, str], faults: Sequence[Fault] = ()
) -> Template:
    shown = wording.labelled(faults, LABELS)
    row, change = None, None
    if place is not None:
        async with tools_of(request).pool.acquire() as connection:
            used = await providers.used(connection, frozenset([place.id]))
            change = await setting_up.last_change(connection, place.facility.code, CHANGES)
        row = _row(place.facility, used.get(place.facility.code, 0))
    return await page(
        request,
        "settings/facility.html",
        nav="settings",
        section="facilities",
        status_code=422 if shown else 200,
        row=row,
        labels=LABELS,
        given=given,
        faults=shown,
        fault=by_field(shown),
        states=STATE_NAMES,
        week=[(day.value, day.capitalize()) for day in Weekday],
        works=telling.told_hours(row.facility) if row else "",
        changed_last=wording.changed_last(change),
        seen=wording.seen_mark(change),
    )


def _row(facility: Facility, used: int) -> Row:
    warnings = tuple(warning.message for warning in facility_warnings(facility))
    return Row(facility, wording.at_most(used, COUNTED_MAX), used > 0, warnings)


def _given(form: Form) -> dict[str, str]:
    return {name: form.get(name, "") for name in LABELS} | {"days_off": " ".join(form.all("days_off"))}


def _shown(facility: Facility) -> dict[str, str]:
    """As the form sends it: days off are ticked, and holidays stand a line each."""
    party = facility.pickup
    values = {
        **msgspec.structs.asdict(facility),
        **msgspec.structs.asdict(party),
        "opens_at": telling.hour_of(facility.opens_at),
        "closes_at": telling.hour_of(facility.closes_at),
        "days_off": " ".join(facility.days_off),
        "holidays": "\n".join(day.isoformat() for day in facility.holidays),
    }
    return {name: str(values[name]) for name in LABELS}


def _document(given: Mapping[str, str], stored: Facility | None) -> dict[str, object]:
    """Browsers end each line of an address with CR LF: that is one line's end, and no change of what is stored."""
    document: dict[str, object] = {name: value for name, value in given.items() if name != "code"}
    document["address"] = given["address"].replace("\r\n", "\n")
    if stored and stored.pickup.address.replace("\r\n", "\n").strip() == document["address"]:
        document["address"] = stored.pickup.address
    document |= {name: re.findall(r"[^\s,;]+", given[name]) for name in LISTS if given[name]}
    return document


def _may_add(request: AnyRequest) -> bool:
    """A new facility would be out of sight for an admin of some: they could neither see nor mend it."""
    return user(request).administers_all


def _needs_all(request: AnyRequest) -> None:
    if not _may_add(request):
        detail = "You work for some facilities only. An admin of all facilities adds a new one."
        raise ProblemError(403, "facilities_limited", detail)


async def _place(request: AnyRequest, code: str) -> Place:
    async with tools_of(request).pool.acquire() as connection:
        found = await places(connection, user(request).facilities)
    place = next((each for each in found if each.facility.code == code), None)
    if place is None:
        raise ProblemError(404, "not_found", f"There is no facility {code[:40]!r}.")
    return place


ROUTES = [listing, fresh, add, one, save]
