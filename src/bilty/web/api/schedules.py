"""A schedule: the wish that a shipment be booked now. It writes a row; a dispatcher takes it within milliseconds."""

from litestar import Response, post
from litestar.params import FromPath

from bilty.deciding import ActKind, why_not_now
from bilty.intake import Fault
from bilty.store import shipments, showing
from bilty.store.access import Scope
from bilty.web.api.answering import after_waiting, answer_of, answered, seen
from bilty.web.asking import document_of, wait_s
from bilty.web.documents import ShipmentAnswer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of
from bilty.workflow import Progress, Status


@post("/shipments/{shipment_id:int}/schedules", guards=[needs(Scope.DISPATCH)], summary="Book a shipment")
async def create(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """Again while one is open: that one. The body is empty, or {"without_ewaybill": true} for a shipment on hold."""
    tools, waits_s = tools_of(request), wait_s(request)
    without_ewaybill = _without_ewaybill(await document_of(request, required=False))
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        begun = await shipments.schedule_all(
            connection, [shipment_id], now, actor=actor_of(request), without_ewaybill=without_ewaybill
        )
    _refuse_idle(begun[shipment_id])
    found, waited_s = await after_waiting(request, shipment_id, waits_s)
    answer = answer_of(request, found)
    return answered(answer, 200 if answer.status is Status.LABEL_READY else 202, waited_s)


def _without_ewaybill(document: object) -> bool:
    if document in (None, {}, {"without_ewaybill": False}):
        return False
    if document != {"without_ewaybill": True}:
        raise rejected([Fault("", "", 'A schedule takes one field: send no body, or {"without_ewaybill": true}.')])
    return True


def _refuse_idle(progress: Progress) -> None:
    """Says why nothing was begun."""
    if progress.open_turn or progress.holder:
        return
    if progress.hold:
        raise ProblemError(409, "on_hold", progress.hold)
    if progress.cancel_asked:
        raise ProblemError(409, "cancelled", "This shipment is cancelled: send it anew under another number.")
    if progress.extras:
        raise ProblemError(409, "unsettled", why_not_now(progress, ActKind.SCHEDULE, ""))
