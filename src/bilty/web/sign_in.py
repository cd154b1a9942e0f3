"""Signing in: by a link that works once, or by e-mail address and password. And signing out.

Looking at the link's page does not use it up, since mail scanners look too; pressing its button does. On that page a
person may choose a password or go on without one: whoever has none asks for a link the next time.

Whatever does not work is said in the same words, after the same time, whether the address is known here or not.
"""

import math
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.store import audit, sessions, sign_in, tries
from bilty.store.audit import BILTY, Actor, ActorKind
from bilty.store.database import Connection
from bilty.store.showing import clock
from bilty.store.sign_in import Known, Link
from bilty.store.tries import MOST, TooMany, Try, Whose
from bilty.web import passwords
from bilty.web.forms import STRANGERS_BYTES_MAX, by_field, form_of
from bilty.web.people import new_password_faults, peer_of, read_email, too_many
from bilty.web.sessions import cookie, find_user, from_our_pages, session_of
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of

START = "/shipments"
TOKEN_CHARS_MAX = 100
WRONG = (
    "This e-mail address and password do not go together here. Try again, or ask an admin for a sign-in link: "
    "it works without a password."
)


@get("/", include_in_schema=False)
async def home(request: AnyRequest) -> Redirect:
    return Redirect(START if await find_user(request) else "/sign-in", status_code=303)


def way_to(request: AnyRequest) -> str:
    """To the sign-in page, and from there to the page that was asked for: a link that was mailed, a code scanned."""
    asked = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
    looked = request.method == "GET" and request.headers.get("sec-fetch-dest", "document") == "document"
    to = back_of(asked, START) if looked else START
    return "/sign-in" if to == START else f"/sign-in?{urlencode({'to': to})}"


@get("/sign-in", include_in_schema=False)
async def ask(request: AnyRequest) -> Template | Redirect:
    to = back_of(request.query_params.get("to", ""), START)
    return Redirect(to, status_code=303) if await find_user(request) else _asked(to, "", [])


@post("/sign-in", guards=[from_our_pages], include_in_schema=False)
async def by_password(request: AnyRequest) -> Template | Redirect:
    form, pool, peer = await form_of(request, STRANGERS_BYTES_MAX), tools_of(request).pool, peer_of(request)
    email, faults = read_email(form)
    to, password = back_of(form.get("to", ""), START), form.get("password", "")
    if not password:
        faults.append(Fault("password", "", "Password is missing: give the one you chose, or use a sign-in link."))
    if faults:
        return _asked(to, email, faults)
    async with pool.acquire() as connection, connection.transaction():
        now = await clock(connection)
        tried = await tries.begin(connection, email, peer, now)
    if isinstance(tried, TooMany):
        wait_s = math.ceil((tried.until - now).total_seconds())
        return _asked(to, email, [Fault("", "", too_many(tried, email, now))], 429, {"Retry-After": str(wait_s)})
    async with pool.acquire() as connection:
        known = await sign_in.known_by(connection, email)
    checked = await passwords.check(known.password_hash if known else "", password)
    async with pool.acquire() as connection, connection.transaction():
        if known and checked.right and await sign_in.still_so(connection, known):
            await tries.forgive(connection, tried, email, peer)
            if checked.anew:
                await sign_in.keep_password(connection, known.user_id, checked.anew)
            return await _come_in(request, connection, known, "password", to)
        await _note_try(connection, known, tried, peer)
    return _asked(to, email, [Fault("", "", WRONG)])


async def _note_try(connection: Connection, known: Known | None, tried: Try, peer: str) -> None:
    """The first of a row and the last, of people who are known: the trail is for good, and others may fill it."""
    stopped = tried.of_email_here == MOST[Whose.EMAIL_HERE] or tried.of_email == MOST[Whose.EMAIL]
    if known and (stopped or tried.of_email == 1):
        action = "sign-in stopped" if stopped else "sign-in failed"
        await audit.note(connection, BILTY, action, known.email, after={"from": tries.network(peer)})
    if tried.of_network == MOST[Whose.NETWORK]:
        await audit.note(connection, BILTY, "sign-in stopped", tries.network(peer))


async def _come_in(request: AnyRequest, connection: Connection, known: Known, by: str, to: str) -> Redirect:
    now = await clock(connection)
    session = await sessions.begin(
        connection,
        known.user_id,
        now,
        agent=request.headers.get("user-agent", ""),
        instead_of=session_of(request),
    )
    await audit.note(connection, Actor(ActorKind.USER, known.email), "signed in", known.email, after={"by": by})
    return Redirect(to, status_code=303, cookies=[cookie(request, session)])


def _asked(
    to: str, email: str, faults: Sequence[Fault], status_code: int | None = None, headers: dict[str, str] | None = None
) -> Template:
    context = {"user": None, "to": to, "email": email, "faults": faults, "wrong": by_field(faults)}
    status_code = status_code or (422 if faults else 200)
    return Template("sign_in.html", context=context, status_code=status_code, headers=headers or {})


@get("/sign-in/{token:str}", include_in_schema=False)
async def offer(request: AnyRequest, token: FromPath[str]) -> Template:
    link, to = await _link_of(request, token), back_of(request.query_params.get("to", ""), START)
    return _used_up() if link is None else _offered(token, link, to, link.email, [])


@post("/sign-in/{token:str}", guards=[from_our_pages], include_in_schema=False)
async def by_link(request: AnyRequest, token: FromPath[str]) -> Redirect | Template:
    """With the field `password` it is kept, and ends the person's other sessions; without, only the link is used."""
    form, link = await form_of(request, STRANGERS_BYTES_MAX), await _link_of(request, token)
    if link is None:
        return _used_up()
    to = back_of(form.get("to", ""), START)
    email, faults = (link.email, []) if link.email else read_email(form)
    chooses = "password" in form or link.user_id is None
    if chooses:
        faults += new_password_faults(form, email)
    if faults:
        return _offered(token, link, to, email, faults)
    kept = await passwords.hashed(form["password"]) if chooses else ""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        known = await sign_in.use_link(connection, token, await clock(connection), email)
        if known is None:
            return _used_up()
        if link.user_id is None:
            await audit.note(connection, BILTY, "first admin added", known.email)
        if kept:
            await sign_in.choose_password(connection, known, kept)
        return await _come_in(request, connection, known, "link", to)


async def _link_of(request: AnyRequest, token: str) -> Link | None:
    if len(token) > TOKEN_CHARS_MAX:
        return None
    async with tools_of(request).pool.acquire() as connection:
        return await sign_in.link_of(connection, token, await clock(connection))


def _offered(token: str, link: Link, to: str, email: str, faults: Sequence[Fault]) -> Template:
    context = {
        "user": None,
        "token": token,
        "to": to,
        "is_first": link.user_id is None,
        "has_password": link.has_password,
        "email": email,
        "faults": faults,
        "wrong": by_field(faults),
        "chars_min": passwords.CHARS_MIN,
        "chars_max": passwords.CHARS_MAX,
    }
    return Template("sign_in_link.html", context=context, status_code=422 if faults else 200)


def _used_up() -> Template:
    context = {
        "heading": "This link is used up",
        "detail": "A sign-in link works once, for 24 hours, and only until the next one is made. "
        "Ask an admin for another: bilty user add EMAIL prints one.",
        "user": None,
    }
    return Template("problem.html", context=context, status_code=403)


@post("/sign-out", guards=[from_our_pages], include_in_schema=False)
async def sign_out(request: AnyRequest) -> Redirect:
    async with tools_of(request).pool.acquire() as connection:
        await sessions.end(connection, session_of(request))
    return Redirect("/sign-in", status_code=303, cookies=[cookie(request, "")])


ROUTES = [home, ask, by_password, offer, by_link, sign_out]
