"""Facilities: where boxes are fetched from."""

import msgspec
from litestar import Response, get, put
from litestar.params import FromPath

from bilty.intake import Rejected, facility_warnings, parse_facility
from bilty.shipment import Facility
from bilty.store import providers, setting_up
from bilty.store.access import Scope
from bilty.web.asking import document_of
from bilty.web.documents import FacilityAnswer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of


@get("/facilities/{code:str}", guards=[needs(Scope.READ)], summary="One facility")
async def one(request: AnyRequest, code: FromPath[str]) -> FacilityAnswer:
    async with tools_of(request).pool.acquire() as connection:
        facility = await providers.facility_of(connection, code)
    if facility is None:
        raise ProblemError(404, "not_found", f"There is no facility {code[:40]!r}: PUT it at this address first.")
    return _answer(facility)


@put("/facilities/{code:str}", guards=[needs(Scope.ADMIN)], summary="Add or change a facility")
async def put_facility(request: AnyRequest, code: FromPath[str]) -> Response[FacilityAnswer]:
    parsed = parse_facility(code, await document_of(request))
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        is_new = await setting_up.save_facility(connection, parsed, actor_of(request))
    return Response(_answer(parsed), status_code=201 if is_new else 200)


def _answer(facility: Facility) -> FacilityAnswer:
    return FacilityAnswer(
        **msgspec.structs.asdict(facility.pickup),
        code=facility.code,
        location_code=facility.location_code,
        time_zone=facility.time_zone,
        warnings=tuple(warning.message for warning in facility_warnings(facility)),
    )
