"""A cancellation: the wish that a shipment not be sent. What couriers gave is cancelled with them by the dispatcher."""

from litestar import Response, post
from litestar.params import FromPath

from bilty.deciding import Cancel
from bilty.intake import Fault
from bilty.store import acting, showing
from bilty.store.access import Scope
from bilty.web.api.answering import after_waiting, answer_of, answered, seen
from bilty.web.asking import document_of, wait_s
from bilty.web.documents import ShipmentAnswer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of
from bilty.workflow import Status

CANCELLING = frozenset({Status.CANCELLING})


@post("/shipments/{shipment_id:int}/cancellation", guards=[needs(Scope.DISPATCH)], summary="Cancel a shipment")
async def create(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """Again: the one that is there. The body is empty, or {}."""
    tools, waits_s = tools_of(request), wait_s(request)
    if await document_of(request, required=False) not in (None, {}):
        raise rejected([Fault("", "", "A cancellation takes no fields: send no body, or {}.")])
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        answers = await acting.act(connection, {shipment_id: Cancel()}, actor_of(request), now, tools.settings.rules)
    found, waited_s = await after_waiting(request, shipment_id, waits_s, CANCELLING)
    if (refused := answers[shipment_id]) and not found.progress.cancel_asked:
        raise ProblemError(409, "not_cancellable", refused.reason)
    answer = answer_of(request, found)
    return answered(answer, 200 if answer.status is Status.CANCELLED else 202, waited_s)
