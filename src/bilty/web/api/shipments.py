"""Shipments: taken in once, however often they are sent; read one by one."""

from datetime import datetime

from litestar import Response, get, post
from litestar.params import FromPath

from bilty.intake import Rejected, parse_shipment
from bilty.store.access import Scope
from bilty.store.shipments import Intake
from bilty.web.api.answering import after_waiting, answer_of, answered, seen
from bilty.web.asking import document_of, wait_s
from bilty.web.documents import ShipmentAnswer
from bilty.web.etags import etag_of, is_known
from bilty.web.keys import actor_of, caller, needs
from bilty.web.problems import rejected
from bilty.web.refusing import refused
from bilty.web.saved_consignees import saved_for
from bilty.web.tools import AnyRequest, arrivals_of, tools_of
from bilty.web.waiting import CHANGING
from bilty.words import INDIA
from bilty.workflow import Status


@post("/shipments", guards=[needs(Scope.DISPATCH)], summary="Take a shipment in, and book it if it says so")
async def create(request: AnyRequest) -> Response[ShipmentAnswer]:
    """The same again changes nothing and answers with the shipment as it is: a number is unique in its facility."""
    document, tools, waits_s = await document_of(request), tools_of(request), wait_s(request)
    saved = await saved_for(request, document)
    parsed = parse_shipment(document, tools.settings.intake_rules, datetime.now(INDIA).date(), saved)
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    taken = await arrivals_of(request).take(parsed, actor_of(request), caller(request).facilities)
    if problem := refused(taken, parsed.shipment, caller(request)):
        raise problem
    assert taken.seen is not None
    found, waited_s = taken.seen, 0.0
    if parsed.schedule and waits_s:
        found, waited_s = await after_waiting(request, taken.seen.id, waits_s)
    answer = answer_of(request, found)
    # Of the shipment, not of this request: whoever repeats it because an answer was lost reads the same.
    is_new = taken.intake is Intake.NEW and answer.status is not Status.LABEL_READY
    return answered(answer, 202 if answer.status in CHANGING else 201 if is_new else 200, waited_s)


@get("/shipments/{shipment_id:int}", guards=[needs(Scope.READ)], summary="One shipment")
async def one(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer | None]:
    """With `Prefer: wait` it is answered when it is no longer under way, or when the wait is over."""
    found, waited_s = await seen(request, shipment_id), 0.0
    if waits_s := wait_s(request):
        found, waited_s = await after_waiting(request, shipment_id, waits_s, CHANGING)
    answer = answer_of(request, found)
    headers = {"ETag": etag_of(answer)} | ({"Preference-Applied": f"wait={waited_s:.0f}"} if waited_s else {})
    if is_known(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    return Response(answer, headers=headers)
