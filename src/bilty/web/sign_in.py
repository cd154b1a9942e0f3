"""Signing in by a link that `bilty user add` prints: no password to choose, to forget or to leak.

Looking at the link's page does not use it up, since mail scanners look too; pressing its button does.
"""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.store import access
from bilty.store.showing import clock
from bilty.web.sessions import cookie, find_user, from_our_pages, session_of
from bilty.web.tools import AnyRequest, tools_of

TOKEN_CHARS_MAX = 100


@get("/", include_in_schema=False)
async def home(request: AnyRequest) -> Redirect:
    return Redirect("/shipments" if await find_user(request) else "/sign-in", status_code=303)


@get("/sign-in", include_in_schema=False)
async def explain() -> Template:
    return Template("sign_in.html", context={"user": None})


@get("/sign-in/{token:str}", include_in_schema=False)
async def offer(request: AnyRequest, token: FromPath[str]) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        is_good = len(token) <= TOKEN_CHARS_MAX and await access.link_is_good(
            connection, token, await clock(connection)
        )
    return _used_up() if not is_good else Template("sign_in_link.html", context={"token": token, "user": None})


@post("/sign-in/{token:str}", guards=[from_our_pages], include_in_schema=False)
async def sign_in(request: AnyRequest, token: FromPath[str]) -> Redirect | Template:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        session = await access.sign_in(connection, token[:TOKEN_CHARS_MAX], await clock(connection))
    if session is None:
        return _used_up()
    return Redirect("/shipments", status_code=303, cookies=[cookie(request, session)])


@post("/sign-out", guards=[from_our_pages], include_in_schema=False)
async def sign_out(request: AnyRequest) -> Redirect:
    async with tools_of(request).pool.acquire() as connection:
        await access.sign_out(connection, session_of(request))
    return Redirect("/sign-in", status_code=303, cookies=[cookie(request, "")])


def _used_up() -> Template:
    context = {
        "heading": "This link is used up",
        "detail": "A sign-in link works once, for 24 hours. Ask an admin for another: bilty user add EMAIL prints one.",
        "user": None,
    }
    return Template("problem.html", context=context, status_code=403)
