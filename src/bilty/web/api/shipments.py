"""Shipments: taken in once, however often they are sent; read one by one and by the page."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath

from bilty.intake import Fault, Rejected, parse_shipment
from bilty.shipment import Shipment
from bilty.store import showing
from bilty.store.access import Scope
from bilty.store.shipments import Intake
from bilty.store.showing import Seen
from bilty.web.asking import ID_MAX, LIMIT_DEFAULT, LIMIT_MAX, choice, document_of, only, wait_s, whole
from bilty.web.documents import ShipmentAnswer, ShipmentPage, shipment_answer
from bilty.web.keys import actor_of, caller, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, arrivals_of, base_url, tools_of
from bilty.web.waiting import settled
from bilty.words import INDIA
from bilty.workflow import Status


@post("/shipments", guards=[needs(Scope.DISPATCH)], summary="Take a shipment in, and book it if it says so")
async def create(request: AnyRequest) -> Response[ShipmentAnswer]:
    """The same again changes nothing and answers with the shipment as it is: a number is unique in its facility."""
    document, tools, waits_s = await document_of(request), tools_of(request), wait_s(request)
    parsed = parse_shipment(document, tools.settings.intake_rules, datetime.now(INDIA).date())
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    taken = await arrivals_of(request).take(parsed, actor_of(request))
    if taken.seen is None or taken.intake is Intake.DIFFERS:
        raise _refusal(taken.intake, taken.shipment_id, parsed.shipment)
    found, waited_s = taken.seen, waits_s if parsed.schedule else 0
    if waited_s:
        await settled(tools, taken.shipment_id, waited_s)
        found = await seen(request, taken.shipment_id)
    answer = shipment_answer(found, tools.settings.rules, base_url(request))
    is_new = taken.intake is Intake.NEW
    status = 200 if answer.status is Status.LABEL_READY else 202 if taken.scheduled else 201 if is_new else 200
    return answered(answer, status, waited_s)


def answered(answer: ShipmentAnswer, status: int, waited_s: float) -> Response[ShipmentAnswer]:
    headers = {"Location": f"/api/v1/shipments/{answer.id}"}
    if waited_s:
        headers["Preference-Applied"] = f"wait={waited_s:.0f}"
    return Response(answer, status_code=status, headers=headers)


def _refusal(intake: Intake, shipment_id: int, shipment: Shipment) -> ProblemError:
    if intake is Intake.DIFFERS:
        detail = (
            f"Shipment {shipment.number} of facility {shipment.facility} is known with other content "
            f"(/api/v1/shipments/{shipment_id}), and nothing was changed. Send it as before, or under another number."
        )
        return ProblemError(409, "number_taken", detail, faults=[Fault("number", shipment.number, detail)])
    if intake is Intake.NO_FACILITY:
        message = f"There is no facility {shipment.facility!r}: PUT /api/v1/facilities/{shipment.facility} first."
        return rejected([Fault("facility", shipment.facility, message)])
    code = shipment.shipping_provider
    message = f"There is no shipping provider {code!r}: PUT /api/v1/shipping-providers/{code} first."
    return rejected([Fault("shipping_provider", code, message)])


@get("/shipments", guards=[needs(Scope.READ)], summary="Shipments, newest first, by the page")
async def listed(request: AnyRequest) -> ShipmentPage:
    tools = tools_of(request)
    only(request, "status", "limit", "after")
    chosen = choice(request, "status", tuple(Status))
    limit = whole(request, "limit", LIMIT_DEFAULT, LIMIT_MAX) or LIMIT_DEFAULT
    after = whole(request, "after", None, ID_MAX)
    async with tools.pool.acquire() as connection:
        status = Status(chosen) if chosen else None
        ids = await showing.page(connection, before_id=after, status=status, limit=limit + 1)
        found = await showing.see(connection, ids[:limit])
    base, rules = base_url(request), tools.settings.rules
    items = tuple(shipment_answer(found[each], rules, base) for each in ids[:limit] if each in found)
    following = None
    if len(ids) > limit:
        following = f"{base}/api/v1/shipments?limit={limit}&after={ids[limit - 1]}"
        following += f"&status={chosen}" if chosen else ""
    return ShipmentPage(items=items, next=following)


@get("/shipments/{shipment_id:int}", guards=[needs(Scope.READ)], summary="One shipment")
async def one(request: AnyRequest, shipment_id: FromPath[int]) -> ShipmentAnswer:
    tools = tools_of(request)
    return shipment_answer(await seen(request, shipment_id), tools.settings.rules, base_url(request))


async def seen(request: AnyRequest, shipment_id: int) -> Seen:
    """The shipment, or 404: the same words for one that is not there and for one that is not this key's."""
    found: dict[int, Seen] = {}
    if 0 < shipment_id <= ID_MAX:
        async with tools_of(request).pool.acquire() as connection:
            found = await showing.see(connection, [shipment_id])
    if shipment_id not in found or not caller(request).sees(found[shipment_id].facility_id):
        raise ProblemError(404, "not_found", f"There is no shipment {shipment_id}.")
    return found[shipment_id]
