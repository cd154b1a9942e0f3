"""Shipments by the page, newest first, narrowed to what an order system asks for: each question is exact."""

from collections.abc import Mapping
from datetime import datetime

from litestar import get

from bilty.intake import Fault, limits
from bilty.intake.reader import Wrong
from bilty.intake.values import MOMENT
from bilty.reply import AWB_CHARS_MAX
from bilty.store import listing, showing
from bilty.store.access import Scope
from bilty.store.listing import Asked
from bilty.web.api.answering import answer_of
from bilty.web.asking import ID_MAX, choice, following, limit_of, only, whole
from bilty.web.documents import ShipmentPage
from bilty.web.keys import caller, needs
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, tools_of
from bilty.workflow import Status

CHARS_MAX: Mapping[str, int] = {
    "facility": limits.CODE_CHARS_MAX,
    "number": limits.NUMBER_CHARS_MAX,
    "order_number": limits.ORDER_NUMBER_CHARS_MAX,
    "awb": AWB_CHARS_MAX,
}
MOMENTS = ("created_after", "created_before")
PARAMETERS = ("status", *CHARS_MAX, *MOMENTS, "limit", "after")


@get("/shipments", guards=[needs(Scope.READ)], summary="Shipments, newest first, by the page")
async def listed(request: AnyRequest) -> ShipmentPage:
    only(request, *PARAMETERS)
    asked = _asked(request)
    limit = limit_of(request)
    after = whole(request, "after", None, ID_MAX)
    async with tools_of(request).pool.acquire() as connection:
        ids = await listing.ids_asked(connection, asked, after, limit + 1)
        found = await showing.see(connection, ids[:limit], asked.facility_ids)
    items = tuple(answer_of(request, found[each]) for each in ids[:limit] if each in found)
    return ShipmentPage(items=items, next=_next(request, ids[limit - 1]) if len(ids) > limit else None)


def _asked(request: AnyRequest) -> Asked:
    status = choice(request, "status", tuple(Status))
    after, before = (_moment(request, name) for name in MOMENTS)
    names = {name: _name(request, name, chars_max) for name, chars_max in CHARS_MAX.items()}
    return Asked(
        facility_ids=caller(request).facilities,
        status=Status(status) if status else None,
        created_after=after,
        created_before=before,
        **names,
    )


def _name(request: AnyRequest, name: str, chars_max: int) -> str:
    given = request.query_params.get(name, "")
    if len(given) > chars_max or not given.isprintable():
        raise _unreadable(name, given, f"give at most {chars_max} printable characters")
    return given


def _moment(request: AnyRequest, name: str) -> datetime | None:
    given = request.query_params.get(name, "")
    if not given:
        return None
    try:
        return MOMENT.parse(given)
    except Wrong as wrong:
        remedy = str(wrong) or f"give {MOMENT.wants}"
        plus = "; in an address a + is written %2B" if " " in given else ""
        raise _unreadable(name, given, f"{remedy}{plus}") from None


def _unreadable(name: str, given: str, remedy: str) -> ProblemError:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in given[:40])
    message = f"{name} is {shown!r}: {remedy}."
    return ProblemError(400, "query", message, faults=[Fault(name, shown, message)])


def _next(request: AnyRequest, last: int) -> str:
    """The same question, from behind the last that was shown."""
    asked = {name: value for name, value in request.query_params.items() if name != "after"}
    return following(request, "/shipments", **asked, after=last)
