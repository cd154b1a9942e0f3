"""Settings, Shipping Provider: the list, Add Shipping Provider, one provider's details. Its Connector: `connector`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault, Rejected, parse_provider
from bilty.intake.limits import CODE_CHARS_MAX
from bilty.shipping_provider import Kind
from bilty.store import setting_up
from bilty.store.setting_up import PROVIDER_ADDED, PROVIDER_CHANGED
from bilty.web.forms import by_field, form_of
from bilty.web.page import page, told
from bilty.web.sessions import actor, administering_all, from_our_pages, signed_in, user
from bilty.web.settings_pages import standings, wording
from bilty.web.settings_pages.standings import KINDS, Row
from bilty.web.tools import AnyRequest, tools_of

PATH = "/settings/shipping-providers"
LABELS = {"name": "Name", "code": "Code", "enabled": "Enabled", "kind": "Shipping provider"}
CODES_TRIED_MAX = 100
CHANGES = (PROVIDER_ADDED, PROVIDER_CHANGED)


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of shipping provider that can be selected, with the sentence that says what it does."""

    kind: Kind
    name: str
    about: str


KIND_ROWS = (
    KindRow(
        Kind.CLICKPOST_B2B,
        KINDS[Kind.CLICKPOST_B2B],
        "Multi-box B2B shipments with the couriers that your ClickPost B2B account ranks: P1, then P2, then P3.",
    ),
)


@get(PATH, guards=[signed_in], include_in_schema=False)
async def listing(request: AnyRequest) -> Template:
    return await page(
        request, "settings/providers.html", nav="settings", section="providers", rows=await _rows(request)
    )


@get(f"{PATH}/new", guards=[administering_all], include_in_schema=False)
async def choose(request: AnyRequest) -> Template:
    """Search and select; with `kind` the form of that one."""
    words, kind = request.query_params.get("q", "").strip()[:100], request.query_params.get("kind", "")
    if kind in set(Kind):
        rows = await _rows(request)
        codes, names = {row.code for row in rows}, {row.name for row in rows}
        name = free_name(KINDS[Kind(kind)], names)
        return await _adding(request, {"kind": kind, "name": name, "code": free_code(name, codes), "enabled": "true"})
    found = [row for row in KIND_ROWS if words.casefold() in row.name.casefold()]
    return await page(
        request, "settings/provider_choose.html", nav="settings", section="providers", words=words, kinds=found
    )


@post(f"{PATH}/new", guards=[administering_all, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template | Redirect:
    form = await form_of(request)
    given = {name: form.get(name, "") for name in ("kind", "name", "code")}
    given["enabled"] = "true" if form.ticked("enabled") else "false"
    given["code"] = given["code"] or code_from(given["name"])
    parsed = parse_provider(given["code"], {name: given[name] for name in ("kind", "name", "enabled")})
    if isinstance(parsed, Rejected):
        return await _adding(request, given, parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        added = await setting_up.add_provider(connection, parsed, actor(request))
    if not added:
        message = f'Code is "{parsed.code}", which another shipping provider has: choose one of its own.'
        return await _adding(request, given, [Fault("code", parsed.code, message)])
    where = f"{PATH}/{parsed.code}/connector"
    return told(request, where, f"{parsed.name} is added. Give its credentials here and choose Update Connector.")


@get(f"{PATH}/{{code:str}}", guards=[signed_in], include_in_schema=False)
async def details(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _details(request, await _row(request, code))


@post(f"{PATH}/{{code:str}}", guards=[administering_all, from_our_pages], include_in_schema=False)
async def save(request: AnyRequest, code: FromPath[str]) -> Template | Redirect:
    form, row = await form_of(request), await _row(request, code)
    given = {"name": form.get("name", ""), "enabled": "true" if form.ticked("enabled") else "false"}
    parsed = parse_provider(row.code, {**given, "kind": row.kind.value})
    if isinstance(parsed, Rejected):
        return await _details(request, row, given, parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        before = await setting_up.last_change(connection, row.code, CHANGES)
        await setting_up.save_provider(connection, parsed, actor(request))
    off = row.enabled and not parsed.enabled
    sentence = f"{parsed.name} is {'switched off: it begins nothing new' if off else 'saved'}."
    return told(request, f"{PATH}/{row.code}", sentence + wording.overtaken(form, before))


async def _adding(request: AnyRequest, given: Mapping[str, str], faults: Sequence[Fault] = ()) -> Template:
    shown = wording.labelled(faults, LABELS)
    return await page(
        request,
        "settings/provider_new.html",
        nav="settings",
        section="providers",
        status_code=422 if shown else 200,
        kind_name=KINDS.get(Kind(given["kind"]), "") if given["kind"] in set(Kind) else "",
        given=given,
        faults=shown,
        fault=by_field(shown),
    )


async def _details(
    request: AnyRequest, row: Row, given: Mapping[str, str] | None = None, faults: Sequence[Fault] = ()
) -> Template:
    shown = wording.labelled(faults, LABELS)
    async with tools_of(request).pool.acquire() as connection:
        change = await setting_up.last_change(connection, row.code, CHANGES)
    return await page(
        request,
        "settings/provider.html",
        nav="settings",
        section="providers",
        status_code=422 if shown else 200,
        tab="details",
        row=row,
        given=given or {"name": row.name, "enabled": "true" if row.enabled else "false"},
        faults=shown,
        fault=by_field(shown),
        changed_last=wording.changed_last(change),
        seen=wording.seen_mark(change),
    )


def code_from(name: str) -> str:
    """`ClickPost B2B, Pune` is `clickpost-b2b-pune`; blank where the name has no letter of a code."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:CODE_CHARS_MAX].rstrip("-")


def free_name(name: str, taken: set[str]) -> str:
    """Two of one name could not be told apart where a shipment is written."""
    numbered = [name, *(f"{name} {n}" for n in range(2, CODES_TRIED_MAX))]
    return next((each for each in numbered if each not in taken), name)


def free_code(name: str, taken: set[str]) -> str:
    code = code_from(name)
    numbered = [code, *(f"{code}-{n}" for n in range(2, CODES_TRIED_MAX))]
    return next((each for each in numbered if each not in taken), "")


async def _rows(request: AnyRequest) -> list[Row]:
    tools = tools_of(request)
    async with tools.pool.acquire() as connection:
        return await standings.rows(connection, tools.vault, user(request).facilities)


async def _row(request: AnyRequest, code: str) -> Row:
    tools = tools_of(request)
    async with tools.pool.acquire() as connection:
        return await standings.row(connection, tools.vault, code, user(request).facilities)


ROUTES = [listing, choose, add, details, save]
