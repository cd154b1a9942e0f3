"""A page of the panel: what every one of them shows around its own, and the sentence that a form leaves behind."""

from datetime import datetime
from itertools import accumulate
from urllib.parse import quote, unquote

from litestar.datastructures import Cookie
from litestar.response import Redirect, Template

from bilty import telling
from bilty.store import attention, providers, showing
from bilty.store.access import User
from bilty.store.database import Connection
from bilty.store.showing import Seen
from bilty.web.asking import ID_MAX
from bilty.web.problems import ProblemError
from bilty.web.sessions import cookie_name, is_https, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

SAID_LIVES_S = 60
SAID_BYTES_MAX = 3_400
"""Quoted. Browsers drop a cookie of 4,096 with its name and all else that is said of it."""


async def page(
    request: AnyRequest, template: str, *, nav: str = "", status_code: int = 200, **context: object
) -> Template:
    """A signed-in person's page. `nav` names the place in the rail, as `page.html` has it."""
    viewer = user(request)
    async with tools_of(request).pool.acquire() as connection:
        around = {
            "user": viewer,
            "nav": nav,
            "banners": await _banners(connection),
            "attention": await attention.attention_count(
                connection, viewer.facilities, endpoints=viewer.administers_all
            ),
            "attention_max": attention.COUNT_MAX,
            "said": _said(request),
        }
    taken = [_said_cookie(request, "")] if around["said"] else []
    return Template(template, context={**around, **context}, status_code=status_code, cookies=taken)


def told(request: AnyRequest, where: str, sentence: str, *, well: bool = True) -> Redirect:
    """After a form: on to the page at `where`, which shows the sentence once. `well`: what was asked for is done."""
    kept = _said_cookie(request, ("done:" if well else "refused:") + fitting(sentence))
    return Redirect(where, status_code=303, cookies=[kept])


def _said(request: AnyRequest) -> tuple[bool, str] | None:
    """Whether it went well, and the sentence. The cookie is SameSite, and its text is escaped as any other."""
    kind, _, sentence = unquote(request.cookies.get(_said_name(request), "")).partition(":")
    return (kind == "done", fitting(sentence)) if sentence and kind in ("done", "refused") else None


def fitting(sentence: str) -> str:
    """As much of it as a cookie holds, whole characters only: quoted, one outside ASCII takes up to 12 bytes."""
    ends = accumulate(len(quote(each)) for each in sentence)
    return sentence[: sum(end <= SAID_BYTES_MAX for end in ends)]


def _said_name(request: AnyRequest) -> str:
    return f"{cookie_name(request)}_said"


def _said_cookie(request: AnyRequest, value: str) -> Cookie:
    """With a blank value: the cookie that takes the other away."""
    return Cookie(
        key=_said_name(request),
        value=quote(value),
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(request),
        max_age=SAID_LIVES_S if value else 0,
    )


def _is_troubled(standing: providers.Standing) -> bool:
    return any((standing.paused_at, standing.alarmed_at, standing.silent_since, standing.quiet_until))


async def _banners(connection: Connection) -> list[str]:
    """What is everybody's trouble, once on each page and not once a shipment."""
    standings = await providers.standings(connection)
    troubled = [each for each in standings if _is_troubled(each)]
    told: list[str] = []
    if troubled:
        now = await showing.clock(connection)
        for each in troubled:
            waiting = await showing.waiting_count(connection, each.id)
            told += telling.told_provider(each.provider.name, each, now, INDIA, waiting=waiting)
    enabled = [each for each in standings if each.provider.enabled]
    for each in enabled:
        # One that is only being set up beside another is nobody's trouble yet: it stands in Needs attention.
        wanted = each.connector is None and (len(enabled) == 1 or await showing.waiting_count(connection, each.id))
        if wanted:
            name = each.provider.name
            told.append(f"{name} has no username and key yet: nothing is booked before Update Connector.")
    return told


async def shipment_of(request: AnyRequest, shipment_id: int) -> Seen:
    """The shipment, or 404: also where it is of a facility that this person does not work for."""
    viewer: User = user(request)
    found: dict[int, Seen] = {}
    if 0 < shipment_id <= ID_MAX:
        async with tools_of(request).pool.acquire() as connection:
            found = await showing.see(connection, [shipment_id], viewer.facilities)
    if shipment_id not in found:
        raise ProblemError(404, "not_found", f"There is no shipment {shipment_id}.")
    return found[shipment_id]


async def clock_of(request: AnyRequest) -> datetime:
    """Now, by the clock that due times go by."""
    async with tools_of(request).pool.acquire() as connection:
        return await showing.clock(connection)
