"""Who looks at the panel: a session cookie, and proof that a form is ours.

A form is believed if the browser says that it was sent by one of our own pages (Sec-Fetch-Site, else Origin); the
cookie is SameSite=Lax besides. No token is hidden in pages, so none is stale after a restart or in an older tab.
"""

from urllib.parse import urlsplit

from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from bilty.store import sessions
from bilty.store.access import Role, User
from bilty.store.audit import Actor, ActorKind
from bilty.store.sessions import SESSION_LIVES
from bilty.store.showing import clock
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyConnection, Asked, tools_of


class SignInNeeded(Exception):  # noqa: N818 - a turn in the road, not an error
    """Nobody is signed in: to the sign-in page."""


def is_https(connection: Asked) -> bool:
    return tools_of(connection).settings.address.startswith("https://")


def cookie_name(connection: Asked) -> str:
    # Under https the prefix makes browsers refuse one that a neighbouring host or plain http has set.
    return "__Host-bilty" if is_https(connection) else "bilty"


def cookie(connection: Asked, session: str) -> Cookie:
    """With a blank session: the cookie that takes the other away."""
    return Cookie(
        key=cookie_name(connection),
        value=session,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(connection),
        max_age=int(SESSION_LIVES.total_seconds()) if session else 0,
    )


def session_of(connection: Asked) -> str:
    return connection.cookies.get(cookie_name(connection), "")


async def find_user(connection: Asked) -> User | None:
    session = session_of(connection)
    if not session:
        return None
    async with tools_of(connection).pool.acquire() as database:
        return await sessions.user_of(database, session, await clock(database))


def _people(wanted: Role, *, of_all_facilities: bool = False) -> Guard:
    async def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        found = await find_user(connection)
        if found is None:
            raise SignInNeeded
        connection.state.user = found
        check_role(found, wanted)
        if of_all_facilities and found.facilities is not None:
            detail = "This concerns every facility, and you work for some only. Ask an admin of all facilities."
            raise ProblemError(403, "facilities_too_few", detail)

    return guard


def check_role(found: User, wanted: Role) -> None:
    """For what a form chooses, where a guard would come too soon."""
    if not found.may(wanted):
        detail = f"You are signed in as {found.email}, {A_ROLE[found.role]}; this needs {A_ROLE[wanted]}. Ask an admin."
        raise ProblemError(403, "role_too_small", detail)


A_ROLE = {Role.ADMIN: "an admin", Role.DISPATCHER: "a dispatcher", Role.VIEWER: "a viewer"}
signed_in, dispatching, administering = _people(Role.VIEWER), _people(Role.DISPATCHER), _people(Role.ADMIN)
"""Guards: whoever is signed in; those who may move shipments; those who may change settings."""
administering_all = _people(Role.ADMIN, of_all_facilities=True)
"""For what opens or changes every facility: an admin who is limited to some is not let in."""


def user(connection: Asked) -> User:
    """Whom the guard let in."""
    found = connection.state.user
    assert isinstance(found, User)
    return found


def actor(connection: Asked) -> Actor:
    """The signed-in person, for the audit trail."""
    return Actor(ActorKind.USER, user(connection).email)


async def from_our_pages(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """A guard for forms."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin", "")
    ours = {connection.headers.get("host", ""), urlsplit(tools_of(connection).settings.address).netloc}
    believed = site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc in ours
    if not believed:
        raise ProblemError(
            403, "cross_site", "This form was not sent from one of Bilty's own pages. Open the page and send it again."
        )
