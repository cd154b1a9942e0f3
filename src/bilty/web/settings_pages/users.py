"""Settings, Users: who may sign in, what they may do, and for which facilities.

An admin who is limited to some facilities sees and changes only people who are limited to those, and gives no more.
A sign-in link is shown once, to be copied: Bilty mails nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.intake.reader import show
from bilty.store import users
from bilty.store.access import Role
from bilty.store.database import Connection
from bilty.store.showing import clock
from bilty.store.users import Account, Rights
from bilty.web.asking import ID_MAX
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, told
from bilty.web.people import facilities_in_words, read_email
from bilty.web.problems import ProblemError
from bilty.web.sessions import A_ROLE, actor, administering, from_our_pages, user
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, base_url, tools_of

LIST = "/settings/users"
ROLES = (
    (Role.ADMIN, "Admin: changes settings and lets people in"),
    (Role.DISPATCHER, "Dispatcher: schedules, prints and cancels"),
    (Role.VIEWER, "Viewer: looks, and changes nothing"),
)


@dataclass(frozen=True, slots=True)
class UserRow:
    id: int
    email: str
    role: str
    facilities: str
    seen: str
    has_password: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds: as it is kept, or as it was sent."""

    email: str = ""
    role: str = Role.DISPATCHER
    for_all: bool = True
    codes: frozenset[str] = field(default_factory=frozenset)


@get(LIST, guards=[administering], include_in_schema=False)
async def listed(request: AnyRequest) -> Template:
    me = user(request)
    async with tools_of(request).pool.acquire() as connection:
        found = [each for each in await users.accounts(connection) if each.rights.within(me.facilities)]
        codes = await users.facility_codes(connection)
    return await page(
        request,
        "settings/users.html",
        nav="settings",
        section="users",
        rows=[
            UserRow(
                id=each.id,
                email=each.email,
                role=each.rights.role.capitalize(),
                facilities=facilities_in_words(each.rights.facilities, codes),
                seen=moment(each.seen_at) if each.seen_at else "never",
                has_password=each.has_password,
                is_disabled=each.disabled_at is not None,
            )
            for each in found
        ],
    )


@get(f"{LIST}/new", guards=[administering], include_in_schema=False)
async def new(request: AnyRequest) -> Template:
    return await _form(request, "settings/user_new.html", Typed(for_all=user(request).facilities is None), [])


@post(LIST, guards=[administering, from_our_pages], include_in_schema=False)
async def add(request: AnyRequest) -> Template:
    form, pool = await form_of(request), tools_of(request).pool
    email, faults = read_email(form)
    async with pool.acquire() as connection, connection.transaction():
        rights, more = _read_rights(form, await _offered(request, connection), user(request).facilities)
        faults += more
        token = None
        if not faults:
            token = await users.add(connection, actor(request), email, rights, await clock(connection))
            if token is None:
                taken = f"E-mail {email} is a user already: open it in the list of users to change it."
                faults.append(Fault("email", email, taken))
    if token is None:
        return await _form(request, "settings/user_new.html", _typed(form), faults)
    return await _told_link(request, email, token, f"{email} is added")


@get(LIST + "/{user_id:int}", guards=[administering], include_in_schema=False)
async def one(request: AnyRequest, user_id: FromPath[int]) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        account = await _account(request, connection, user_id)
        codes = await users.facility_codes(connection)
    return await _one(request, account, _kept(account, codes), [])


@post(LIST + "/{user_id:int}", guards=[administering, from_our_pages], include_in_schema=False)
async def change(request: AnyRequest, user_id: FromPath[int]) -> Template | Redirect:
    form, me = await form_of(request), user(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await users.lock(connection)
        account = await _account(request, connection, user_id)
        rights, faults = _read_rights(form, await _offered(request, connection), me.facilities)
        if not faults and not await users.change(connection, actor(request), account, rights):
            faults.append(Fault("role", rights.role, users.last_admin(account)))
        codes = await users.facility_codes(connection)
    if faults:
        return await _one(request, account, _typed(form), faults)
    where = "/account" if account.id == me.id and rights.role is not Role.ADMIN else LIST
    words = facilities_in_words(rights.facilities, codes)
    return told(request, where, f"{account.email} is {A_ROLE[rights.role]} for {words} now.")


@post(LIST + "/{user_id:int}/link", guards=[administering, from_our_pages], include_in_schema=False)
async def link(request: AnyRequest, user_id: FromPath[int]) -> Template | Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        account = await _account(request, connection, user_id)
        if account.disabled_at:
            return told(request, _at(account), f"{account.email} is disabled: enable before a link.", well=False)
        token = await users.make_link(connection, actor(request), account, await clock(connection))
    return await _told_link(request, account.email, token, f"A sign-in link for {account.email}")


@post(LIST + "/{user_id:int}/sign-out", guards=[administering, from_our_pages], include_in_schema=False)
async def sign_out(request: AnyRequest, user_id: FromPath[int]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        account = await _account(request, connection, user_id)
        ended = await users.sign_out_everywhere(connection, actor(request), account)
    browsers = f"{ended} browser{'' if ended == 1 else 's'}"
    return told(request, _at(account), f"{account.email} is signed out everywhere: it was {browsers}.")


@post(LIST + "/{user_id:int}/disable", guards=[administering, from_our_pages], include_in_schema=False)
async def disable(request: AnyRequest, user_id: FromPath[int]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await users.lock(connection)
        account = await _account(request, connection, user_id)
        if account.id == user(request).id:
            return told(request, _at(account), "You cannot disable yourself: ask another admin.", well=False)
        done = await users.disable(connection, actor(request), account, await clock(connection))
    if not done:
        return told(request, _at(account), users.last_admin(account), well=False)
    return told(request, _at(account), f"{account.email} is disabled and signed out everywhere.")


@post(LIST + "/{user_id:int}/enable", guards=[administering, from_our_pages], include_in_schema=False)
async def enable(request: AnyRequest, user_id: FromPath[int]) -> Redirect:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await users.lock(connection)
        account = await _account(request, connection, user_id)
        await users.enable(connection, actor(request), account)
    return told(request, _at(account), f"{account.email} may sign in again.")


def _at(account: Account) -> str:
    return f"{LIST}/{account.id}"


async def _account(request: AnyRequest, connection: Connection, user_id: int) -> Account:
    """404 also for people whom this admin may not change."""
    found = await users.account_of(connection, user_id) if 0 < user_id <= ID_MAX else None
    if found is None or not found.rights.within(user(request).facilities):
        raise ProblemError(404, "not_found", f"There is no user {user_id}.")
    return found


async def _offered(request: AnyRequest, connection: Connection) -> dict[str, int]:
    """The facilities that this admin may give, by code."""
    mine = user(request)
    return {code: each for each, code in (await users.facility_codes(connection)).items() if mine.sees(each)}


def _read_rights(form: Form, offered: Mapping[str, int], limited: frozenset[int] | None) -> tuple[Rights, list[Fault]]:
    faults, role, chosen = [], form.get("role", ""), form.all("facility")
    if role not in list(Role):
        faults.append(Fault("role", role, f"Role is {show(role)}: give admin, dispatcher or viewer."))
    if form.get("works_for") == "all":
        if limited is not None:
            faults.append(Fault("facility", "all", "Facilities are all: you work for some only, and can give no more."))
        return Rights(Role(role) if not faults else Role.VIEWER), faults
    if strange := [code for code in chosen if code not in offered]:
        faults.append(Fault("facility", strange[0], f"Facility {show(strange[0])} is not known: choose from the list."))
    elif not chosen:
        faults.append(Fault("facility", "", "No facility is chosen: tick those this person works for, or choose all."))
    facilities = frozenset(offered[code] for code in chosen if code in offered)
    return Rights(Role.VIEWER if faults else Role(role), facilities), faults


def _typed(form: Form) -> Typed:
    for_all = form.get("works_for") == "all"
    return Typed(form.get("email", ""), form.get("role", ""), for_all, frozenset(form.all("facility")))


def _kept(account: Account, codes: Mapping[int, str]) -> Typed:
    rights = account.rights
    chosen = frozenset(codes[each] for each in rights.facilities or () if each in codes)
    return Typed(account.email, rights.role, rights.facilities is None, chosen)


async def _one(request: AnyRequest, account: Account, typed: Typed, faults: Sequence[Fault]) -> Template:
    return await _form(
        request,
        "settings/user.html",
        typed,
        faults,
        account=account,
        seen=moment(account.seen_at) if account.seen_at else "never",
        is_me=account.id == user(request).id,
    )


async def _form(
    request: AnyRequest, template: str, typed: Typed, faults: Sequence[Fault], **context: object
) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        offered = await _offered(request, connection)
    return await page(
        request,
        template,
        nav="settings",
        section="users",
        status_code=422 if faults else 200,
        typed=typed,
        roles=ROLES,
        offered=list(offered),
        may_give_all=user(request).facilities is None,
        faults=faults,
        wrong=by_field(faults),
        **context,
    )


async def _told_link(request: AnyRequest, email: str, token: str, heading: str) -> Template:
    link = f"{base_url(request)}/sign-in/{token}"
    context = {"email": email, "link": link, "heading": heading}
    return await page(request, "settings/user_link.html", nav="settings", section="users", status_code=201, **context)


ROUTES = [listed, new, add, one, change, link, sign_out, disable, enable]
