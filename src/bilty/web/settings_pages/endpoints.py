"""Settings, Hand-off endpoints: the list, one that is added, one that is changed. What is done to it: `endpoint_acts`.

An endpoint is told of every facility's shipments, or of those it is given, so an admin of all facilities sets it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.hand_off import EventKind
from bilty.intake import Fault, Rejected
from bilty.intake.endpoints import NewEndpoint
from bilty.store import setting_up, users
from bilty.store.database import Connection
from bilty.store.hand_off import endpoints
from bilty.store.hand_off.endpoints import Endpoint, Manner, NoSuchFacilitiesError, TooManyEndpointsError
from bilty.store.hand_off.signing import ROTATED
from bilty.store.jobs import JobKind
from bilty.telling.endpoints import EVENT_HELP, EVENT_WORDS
from bilty.web.forms import Form, by_field, form_of
from bilty.web.handing_off import KINDS, read_endpoint, unknown_facilities
from bilty.web.page import page, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, administering_all, from_our_pages
from bilty.web.settings_pages import asked, endpoint_rows, wording
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, tools_of

PATH = "/settings/hand-off-endpoints"
LABELS = {"code": "Code", "url": "Address", "facility": "Facilities"}
CHANGES = (endpoints.ADDED, endpoints.CHANGED, endpoints.ENABLED, endpoints.DISABLED, ROTATED)
EVENTS = tuple((kind.value, EVENT_WORDS[kind], EVENT_HELP[kind]) for kind in EventKind)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds."""

    code: str = ""
    url: str = ""
    events: frozenset[str] = frozenset(KINDS)
    for_all: bool = True
    codes: frozenset[str] = frozenset()
    enabled: bool = True


@get(PATH, guards=[administering_all], include_in_schema=False)
async def listing(request: AnyRequest) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        rows = await endpoint_rows.rows(connection, await endpoints.all_of(connection))
    return await shown(request, "settings/endpoints.html", rows=rows)


@get(f"{PATH}/new", guards=[administering_all], include_in_schema=False)
async def fresh(request: AnyRequest) -> Template:
    return await _form(request, "settings/endpoint_new.html", Typed())


@post(f"{PATH}/new", guards=[administering_all, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template:
    form, tools = await form_of(request), tools_of(request)
    parsed, faults = _read(request, form, form.get("code", ""))
    added = None
    if parsed is not None:
        try:
            async with tools.pool.acquire() as connection, connection.transaction():
                added = await endpoints.add(connection, tools.vault, parsed, actor(request))
            if added is None:
                message = f'code is "{parsed.code}", which another endpoint has: choose one of its own.'
                faults = [Fault("code", parsed.code, message)]
        except NoSuchFacilitiesError as trouble:
            faults = [_of_facility(unknown_facilities(trouble))]
        except TooManyEndpointsError as trouble:
            faults = [Fault("", "", str(trouble))]
    if added is None or added.secret is None:
        return await _form(request, "settings/endpoint_new.html", _typed(form, form.get("code", "")), faults)
    return await secret_shown(request, added.endpoint, added.secret, is_new=True)


@get(f"{PATH}/{{code:str}}", guards=[administering_all], include_in_schema=False)
async def one(request: AnyRequest, code: FromPath[str]) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        endpoint = await there(connection, code)
    return await _one(request, endpoint, _stored(endpoint))


@post(f"{PATH}/{{code:str}}", guards=[administering_all, from_our_pages], include_in_schema=False)
async def save(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    """The code stays: programs name the endpoint by it. Its secret does, too: there is a button to exchange it."""
    form, tools = await form_of(request), tools_of(request)
    async with tools.pool.acquire() as connection:
        endpoint = await there(connection, code)
    parsed, faults = _read(request, form, code)
    before = None
    if parsed is not None:
        try:
            async with tools.pool.acquire() as connection, connection.transaction():
                before = await setting_up.last_change(connection, code, CHANGES)
                await endpoints.put(connection, tools.vault, parsed, actor(request))
        except NoSuchFacilitiesError as trouble:
            faults = [_of_facility(unknown_facilities(trouble))]
    if parsed is None or faults:
        return await _one(request, endpoint, _typed(form, code), faults)
    sentence = f"{code} is {_became(endpoint, parsed)}."
    return told(request, f"{PATH}/{code}", sentence + wording.overtaken(form, before))


def _became(before: Endpoint, after: NewEndpoint) -> str:
    if before.enabled and not after.enabled:
        return "switched off: it is told nothing from now on"
    if after.enabled and before.manner is Manner.FAILING and before.url != after.url:
        return "saved: what waits for its next try goes out now, to the new address"
    goes_on = after.enabled and before.manner in (Manner.OFF, Manner.DISABLED)
    return "saved and enabled: what it is owed goes out now" if goes_on else "saved"


async def there(connection: Connection, code: str) -> Endpoint:
    found = await endpoints.one(connection, code)
    if found is None:
        raise ProblemError(404, "not_found", f"There is no hand-off endpoint {code[:40]!r}.")
    return found


async def shown(request: AnyRequest, template: str, *, status_code: int = 200, **context: object) -> Template:
    return await page(request, template, nav="settings", section="endpoints", status_code=status_code, **context)


async def secret_shown(request: AnyRequest, endpoint: Endpoint, secret: str, *, is_new: bool) -> Template:
    """This once."""
    until = moment(endpoint.old_secret_until) if endpoint.old_secret_until else ""
    return await shown(
        request,
        "settings/endpoint_secret.html",
        status_code=201,
        code=endpoint.code,
        secret=secret,
        is_new=is_new,
        old_until=until,
    )


async def _one(request: AnyRequest, endpoint: Endpoint, typed: Typed, faults: Sequence[Fault] = ()) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        row = (await endpoint_rows.rows(connection, [endpoint]))[0]
        change = await setting_up.last_change(connection, endpoint.code, CHANGES)
        test = await asked.test_of(connection, request, endpoint.code, JobKind.TEST_EVENT)
    return await _form(
        request,
        "settings/endpoint.html",
        typed,
        faults,
        tab="details",
        row=row,
        test=test,
        again=f"{request.url.path}?{request.url.query}",
        old_until=moment(endpoint.old_secret_until) if endpoint.old_secret_until else "",
        changed_last=wording.changed_last(change),
        seen=wording.seen_mark(change),
    )


async def _form(
    request: AnyRequest, template: str, typed: Typed, faults: Sequence[Fault] = (), **context: object
) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        offered = await users.facility_codes(connection)
    told_faults = wording.labelled(faults, LABELS)
    return await shown(
        request,
        template,
        status_code=422 if faults else 200,
        typed=typed,
        events=EVENTS,
        offered=list(offered.values()),
        faults=told_faults,
        wrong=by_field(told_faults),
        **context,
    )


def _read(request: AnyRequest, form: Form, code: str) -> tuple[NewEndpoint | None, list[Fault]]:
    for_all, chosen, events = form.get("works_for") != "some", form.all("facility"), form.all("events")
    document: Mapping[str, Any] = {
        "url": form.get("url", ""),
        "events": list(events) or list(KINDS),
        "facilities": None if for_all or not chosen else list(chosen),
        "enabled": form.ticked("enabled"),
    }
    parsed = read_endpoint(request, code, document)
    faults = [_of_facility(each) for each in parsed.faults] if isinstance(parsed, Rejected) else []
    if not events:
        faults.append(Fault("events", "", "No event is chosen: tick at least one."))
    if not for_all and not chosen:
        faults.append(Fault("facility", "", "No facility is chosen: tick those it is told of, or choose all."))
    return (None, faults) if faults or isinstance(parsed, Rejected) else (parsed, [])


def _of_facility(fault: Fault) -> Fault:
    """The form's field for them is named in the singular, as it is there once for each."""
    if fault.field != "facilities":
        return fault
    return Fault("facility", fault.value, fault.message.replace("facilities", "facility", 1))


def _typed(form: Form, code: str) -> Typed:
    return Typed(
        code=code,
        url=form.get("url", ""),
        events=frozenset(form.all("events")),
        for_all=form.get("works_for") != "some",
        codes=frozenset(form.all("facility")),
        enabled=form.ticked("enabled"),
    )


def _stored(endpoint: Endpoint) -> Typed:
    return Typed(
        code=endpoint.code,
        url=endpoint.url,
        events=frozenset(endpoint.events),
        for_all=endpoint.facilities is None,
        codes=frozenset(endpoint.facilities or ()),
        enabled=endpoint.enabled,
    )


ROUTES = [listing, fresh, add, one, save]
