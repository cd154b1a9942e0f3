"""Facilities: where boxes are fetched from. A key of some facilities sees, and as an admin's changes, those alone."""

import msgspec
from litestar import Response, get, put
from litestar.params import FromPath

from bilty import telling
from bilty.intake import Fault, Rejected, facility_warnings, parse_facility
from bilty.intake.limits import CODE_CHARS_MAX
from bilty.shipment import Facility
from bilty.store import places, setting_up
from bilty.store.access import Scope
from bilty.store.database import Connection
from bilty.web.asking import document_of, following, limit_of, only
from bilty.web.documents import FacilitiesAnswer, FacilityAnswer
from bilty.web.keys import actor_of, caller, needs, no_facility
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import listed as in_words


@get("/facilities", guards=[needs(Scope.READ)], summary="Facilities, by their codes, by the page")
async def listed(request: AnyRequest) -> FacilitiesAnswer:
    only(request, "limit", "after")
    limit = limit_of(request)
    after = _code_after(request.query_params.get("after", ""))
    async with tools_of(request).pool.acquire() as connection:
        found = await places.page(connection, caller(request).facilities, after=after, limit=limit + 1)
    more = len(found) > limit
    return FacilitiesAnswer(
        items=tuple(_answer(each.facility) for each in found[:limit]),
        next=following(request, "/facilities", limit=limit, after=found[limit - 1].facility.code) if more else None,
    )


def _code_after(given: str) -> str:
    if len(given) <= CODE_CHARS_MAX and given.isascii() and given.isprintable():
        return given
    message = "after is no code of a facility: follow the `next` of the page before."
    raise ProblemError(400, "query", message, faults=[Fault("after", "", message)])


@get("/facilities/{code:str}", guards=[needs(Scope.READ)], summary="One facility")
async def one(request: AnyRequest, code: FromPath[str]) -> FacilityAnswer:
    async with tools_of(request).pool.acquire() as connection:
        found = await places.place(connection, caller(request).facilities, code)
    if found is None:
        raise ProblemError(404, "not_found", no_facility(caller(request), code))
    return _answer(found.facility)


@put("/facilities/{code:str}", guards=[needs(Scope.ADMIN)], summary="Add or change a facility")
async def put_facility(request: AnyRequest, code: FromPath[str]) -> Response[FacilityAnswer]:
    """A key of some facilities changes those; any other code is refused alike, be there such a facility or not."""
    parsed = parse_facility(code, await document_of(request))
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        await _refuse_others(request, connection, parsed.code)
        is_new = await setting_up.save_facility(connection, parsed, actor_of(request))
    return Response(_answer(parsed), status_code=201 if is_new else 200)


async def _refuse_others(request: AnyRequest, connection: Connection, code: str) -> None:
    whose = caller(request)
    if whose.facilities is None:
        return
    own = await places.codes(connection, whose.facilities)
    if code not in own:
        raise not_its(whose.name, own)


def not_its(name: str, own: list[str]) -> ProblemError:
    """Why the key `name`, which is for the facilities `own`, does not change another."""
    changes = f"changes {in_words(own)} only" if own else "is for no facility"
    detail = f"The key {name!r} {changes}; to add or change another takes a key of all facilities."
    return ProblemError(403, "not_its_facility", detail)


def _answer(facility: Facility) -> FacilityAnswer:
    return FacilityAnswer(
        **msgspec.structs.asdict(facility.pickup),
        code=facility.code,
        location_code=facility.location_code,
        time_zone=facility.time_zone,
        opens_at=telling.hour_of(facility.opens_at),
        closes_at=telling.hour_of(facility.closes_at),
        days_off=facility.days_off,
        holidays=facility.holidays,
        warnings=tuple(warning.message for warning in facility_warnings(facility)),
    )
