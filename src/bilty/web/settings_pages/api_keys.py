"""Settings, API keys: which programs may call the API. A key is shown once; what is kept of it is a hash.

A key may open every facility, so only an admin of all facilities makes and revokes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.store import api_keys
from bilty.store.access import Scope
from bilty.store.api_keys import LAST_DAY_MAX, NAME_CHARS_MAX, ApiKey, Wish, last_day
from bilty.store.users import facility_codes
from bilty.web.asking import ID_MAX
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.people import facilities_in_words
from bilty.web.sessions import actor, administering_all, from_our_pages
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, day

LIST = "/settings/api-keys"
SCOPES = (
    (Scope.DISPATCH, "Dispatch: takes shipments in and books them"),
    (Scope.READ, "Read: looks, and changes nothing"),
    (Scope.ADMIN, "Admin: changes shipping providers and facilities too"),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: int
    name: str
    scope: str
    facilities: str
    begins: str
    created: str
    used: str
    expires: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds."""

    name: str = ""
    scope: str = Scope.DISPATCH
    for_all: bool = True
    codes: frozenset[str] = field(default_factory=frozenset)
    expires: str = ""


@get(LIST, guards=[administering_all], include_in_schema=False)
async def listed(request: AnyRequest) -> Template:
    return await _shown(request)


@post(LIST, guards=[administering_all, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template:
    typed = _typed(await form_of(request))
    wish = Wish(typed.name, typed.scope, None if typed.for_all else sorted(typed.codes), typed.expires)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        key = await api_keys.add(connection, actor(request), wish, datetime.now(INDIA).date())
    if not isinstance(key, str):
        return await _shown(request, typed, key, 422)
    return await page(
        request, "settings/api_key.html", nav="settings", section="keys", status_code=201, name=wish.name, key=key
    )


def _typed(form: Form) -> Typed:
    """Whoever says nothing of facilities means all: so it was before keys had limits."""
    return Typed(
        name=form.get("name", ""),
        scope=form.get("scope", ""),
        for_all=form.get("works_for", "all") == "all",
        codes=frozenset(form.all("facility")),
        expires=form.get("expires", ""),
    )


@post(LIST + "/{key_id:int}/revoke", guards=[administering_all, from_our_pages], include_in_schema=False)
async def revoke(request: AnyRequest, key_id: FromPath[int]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        revoked = await api_keys.revoke(connection, actor(request), key_id) if 0 < key_id <= ID_MAX else None
    if revoked is None:
        return told(request, LIST, "That key was revoked already.")
    return told(request, LIST, f"{revoked.name} is revoked: whoever holds it is refused from now on.")


async def _shown(
    request: AnyRequest, typed: Typed | None = None, faults: Sequence[Fault] = (), status_code: int = 200
) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        keys, codes = await api_keys.keys(connection), await facility_codes(connection)
    return await page(
        request,
        "settings/api_keys.html",
        nav="settings",
        section="keys",
        status_code=status_code,
        rows=[_row(each, codes) for each in keys],
        typed=typed or Typed(),
        scopes=SCOPES,
        offered=list(codes.values()),
        first_day=str(datetime.now(INDIA).date()),
        last_day=str(LAST_DAY_MAX),
        name_chars_max=NAME_CHARS_MAX,
        faults=faults,
        wrong=by_field(faults),
    )


def _row(key: ApiKey, codes: Mapping[int, str]) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        scope=key.scope.capitalize(),
        facilities=facilities_in_words(key.facilities, codes),
        begins=f"{key.begins_with}…" if key.begins_with else "",
        created=moment(key.created_at),
        used=moment(key.used_at) if key.used_at else "never",
        expires=day(last_day(key.expires_at)) if key.expires_at else "never",
        is_over=key.is_over,
    )


ROUTES = [listed, add, revoke]
