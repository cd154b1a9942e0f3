"""Your account: your password, and where you are signed in. Everybody has one, whatever the role."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.store import audit, sessions, sign_in, tries, users
from bilty.store.showing import clock
from bilty.store.sign_in import Known
from bilty.store.tries import TooMany
from bilty.web import passwords
from bilty.web.asking import ID_MAX
from bilty.web.forms import by_field, form_of
from bilty.web.page import page, told
from bilty.web.people import browser, facilities_in_words, new_password_faults, peer_of, too_many
from bilty.web.sessions import actor, cookie, from_our_pages, session_of, signed_in, user
from bilty.web.settings_pages.wording import moment
from bilty.web.tools import AnyRequest, tools_of

WHERE = "/account"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser in which this person is signed in."""

    id: int
    browser: str
    since: str
    seen: str
    is_this: bool


@get(WHERE, guards=[signed_in], include_in_schema=False)
async def account(request: AnyRequest) -> Template:
    return await _shown(request, [])


async def _shown(request: AnyRequest, faults: Sequence[Fault], status_code: int = 200) -> Template:
    me = user(request)
    async with tools_of(request).pool.acquire() as connection:
        known = await sign_in.known_by(connection, me.email)
        mine = await sessions.sessions_of(connection, me.id, session_of(request), await clock(connection))
        codes = await users.facility_codes(connection)
    return await page(
        request,
        "account.html",
        status_code=status_code,
        facilities=facilities_in_words(me.facilities, codes),
        has_password=bool(known and known.password_hash),
        rows=[
            SessionRow(each.id, browser(each.agent), moment(each.created_at), moment(each.seen_at), each.is_this)
            for each in mine
        ],
        faults=faults,
        wrong=by_field(faults),
        chars_min=passwords.CHARS_MIN,
        chars_max=passwords.CHARS_MAX,
    )


@post("/account/password", guards=[signed_in, from_our_pages], include_in_schema=False)
async def password(request: AnyRequest) -> Template | Redirect:
    """Ends every other session: whoever knew the old password may have one."""
    form, me, pool = await form_of(request), user(request), tools_of(request).pool
    async with pool.acquire() as connection:
        known = await sign_in.known_by(connection, me.email)
    if known is None:
        return Redirect("/sign-in", status_code=303)
    faults = new_password_faults(form, me.email)
    if not faults and known.password_hash:
        faults = await _current_faults(request, known, form.get("current", ""))
    if faults:
        return await _shown(request, faults, 422)
    kept = await passwords.hashed(form["password"])
    async with pool.acquire() as connection, connection.transaction():
        if not await sign_in.still_so(connection, known):
            return told(
                request, WHERE, "The password was changed elsewhere meanwhile: nothing was done here.", well=False
            )
        await sign_in.choose_password(connection, known, kept, but=session_of(request))
    return told(request, WHERE, "Your password is kept. You are signed out in every other browser.")


async def _current_faults(request: AnyRequest, known: Known, current: str) -> list[Fault]:
    """Counted as signing in is: a browser that was left open is no place to guess at."""
    pool, peer = tools_of(request).pool, peer_of(request)
    async with pool.acquire() as connection, connection.transaction():
        now = await clock(connection)
        tried = await tries.begin(connection, known.email, peer, now)
    if isinstance(tried, TooMany):
        return [Fault("current", "", too_many(tried, known.email, now))]
    if not (await passwords.check(known.password_hash, current)).right:
        return [Fault("current", "", "This is not your current password: type it again, or ask for a sign-in link.")]
    async with pool.acquire() as connection:
        await tries.forgive(connection, tried, known.email, peer)
    return []


@post("/account/sessions/{session_id:int}/sign-out", guards=[signed_in, from_our_pages], include_in_schema=False)
async def sign_out_one(request: AnyRequest, session_id: FromPath[int]) -> Redirect:
    me = user(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        ended = await sessions.end_one(connection, me.id, session_id) if 0 < session_id <= ID_MAX else None
        if ended:
            what = {"browser": browser(ended.agent), "since": moment(ended.created_at)}
            await audit.note(connection, actor(request), "session ended", me.email, before=what)
    if ended is None:
        return told(request, WHERE, "That session had ended already.")
    return told(request, WHERE, f"{browser(ended.agent)} is signed out.")


@post("/account/sign-out-everywhere", guards=[signed_in, from_our_pages], include_in_schema=False)
async def sign_out_everywhere(request: AnyRequest) -> Redirect:
    """Here too."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await users.sign_out_everywhere(connection, actor(request), user(request))
    return Redirect("/sign-in", status_code=303, cookies=[cookie(request, "")])


ROUTES = [account, password, sign_out_one, sign_out_everywhere]
