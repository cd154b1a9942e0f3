"""Settings, API keys: which programs may call the API. A key is shown once; what is kept of it is a hash.

A key opens every facility, so only an admin of all facilities makes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.intake.reader import printable, show
from bilty.store import api_keys
from bilty.store.access import Scope
from bilty.store.api_keys import ApiKey
from bilty.web.asking import ID_MAX
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.sessions import actor, administering_all, from_our_pages
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, tools_of

LIST = "/settings/api-keys"
NAME_CHARS_MAX = 80
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
    begins: str
    created: str
    used: str


@get(LIST, guards=[administering_all], include_in_schema=False)
async def listed(request: AnyRequest) -> Template:
    return await _shown(request)


@post(LIST, guards=[administering_all, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template:
    form = await form_of(request)
    name, scope = form.get("name", ""), form.get("scope", "")
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        faults = _faults(name, scope, await api_keys.keys(connection))
        key = "" if faults else await api_keys.add(connection, actor(request), name, Scope(scope))
    if faults:
        return await _shown(request, form, faults, 422)
    return await page(
        request, "settings/api_key.html", nav="settings", section="keys", status_code=201, name=name, key=key
    )


def _faults(name: str, scope: str, keys: Sequence[ApiKey]) -> list[Fault]:
    faults = []
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable():
        given = f"is {show(name)}" if name else "is missing"
        wants = f"give 1 to {NAME_CHARS_MAX} characters that say which program holds the key, like Uniware."
        faults.append(Fault("name", printable(name), f"Name {given}: {wants}"))
    elif name in {each.name for each in keys}:
        faults.append(Fault("name", name, f"Name {show(name)} is another key's: choose another, or revoke that first."))
    if scope not in list(Scope):
        faults.append(Fault("scope", scope, f"Scope is {show(scope)}: give read, dispatch or admin."))
    return faults


@post(LIST + "/{key_id:int}/revoke", guards=[administering_all, from_our_pages], include_in_schema=False)
async def revoke(request: AnyRequest, key_id: FromPath[int]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        revoked = await api_keys.revoke(connection, actor(request), key_id) if 0 < key_id <= ID_MAX else None
    if revoked is None:
        return told(request, LIST, "That key was revoked already.")
    return told(request, LIST, f"{revoked.name} is revoked: whoever holds it is refused from now on.")


async def _shown(
    request: AnyRequest, form: Form | None = None, faults: Sequence[Fault] = (), status_code: int = 200
) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        keys = await api_keys.keys(connection)
    return await page(
        request,
        "settings/api_keys.html",
        nav="settings",
        section="keys",
        status_code=status_code,
        rows=[
            KeyRow(
                id=each.id,
                name=each.name,
                scope=each.scope.capitalize(),
                begins=f"{each.begins_with}…" if each.begins_with else "",
                created=moment(each.created_at),
                used=moment(each.used_at) if each.used_at else "never",
            )
            for each in keys
        ],
        name=form.get("name", "") if form else "",
        scope=form.get("scope", "") if form else Scope.DISPATCH,
        scopes=SCOPES,
        faults=faults,
        wrong=by_field(faults),
    )


ROUTES = [listed, add, revoke]
