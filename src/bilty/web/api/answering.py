"""What the operations on shipments have in common: who may see one, how it is answered, and how it is waited for."""

from datetime import UTC, datetime

from litestar import Response

from bilty.store import showing
from bilty.store.showing import Seen
from bilty.web.asking import ID_MAX
from bilty.web.documents import ShipmentAnswer, shipment_answer
from bilty.web.etags import etag_of
from bilty.web.keys import caller
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, base_url, tools_of, waiters_of
from bilty.web.waiting import UNDER_WAY
from bilty.workflow import Status

LOOK_AGAIN_S_MIN = 2
"""What is under way by itself is mostly over by then."""


async def seen(request: AnyRequest, shipment_id: int) -> Seen:
    """The shipment of the address, or 404: alike for one that is not there and for one that is not this key's."""
    if not is_id(request, shipment_id):
        raise not_there(shipment_id)
    return await _seen(request, shipment_id)


async def _seen(request: AnyRequest, shipment_id: int) -> Seen:
    async with tools_of(request).pool.acquire() as connection:
        found = await showing.see(connection, [shipment_id], caller(request).facilities)
    if shipment_id not in found:
        raise not_there(shipment_id)
    return found[shipment_id]


def is_id(request: AnyRequest, shipment_id: int) -> bool:
    """Whether it can be one's, and stands in the address as we write it: to Python +1 and 01 are 1, too."""
    return 0 < shipment_id <= ID_MAX and str(shipment_id) in request.scope["path"].split("/")


def not_there(shipment_id: int) -> ProblemError:
    return ProblemError(404, "not_found", f"There is no shipment {shipment_id}.")


async def after_waiting(
    request: AnyRequest, shipment_id: int, wait_s: float, under_way: frozenset[Status] = UNDER_WAY
) -> tuple[Seen, float]:
    """The shipment when it is no longer `under_way`, or as it is when the wait is over; and how long that might be.

    0 where too many wait already. The caller has seen to it that this key may see it.
    """
    waiters = waiters_of(request)
    granted_s = 0.0 if waiters.is_full else wait_s
    found = await waiters.settled(shipment_id, granted_s, under_way)
    return found or await _seen(request, shipment_id), granted_s


def answer_of(request: AnyRequest, found: Seen) -> ShipmentAnswer:
    return shipment_answer(found, tools_of(request).settings.rules, base_url(request))


def answered(answer: ShipmentAnswer, status: int, waited_s: float = 0) -> Response[ShipmentAnswer]:
    """202 says where to look, and when."""
    headers = {"Location": f"/api/v1/shipments/{answer.id}", "ETag": etag_of(answer)}
    if waited_s:
        headers["Preference-Applied"] = f"wait={waited_s:.0f}"
    if status == 202:
        headers["Retry-After"] = str(_look_again_after_s(answer))
    return Response(answer, status_code=status, headers=headers)


def _look_again_after_s(answer: ShipmentAnswer) -> int:
    """Behind the next poll, where one is waited for."""
    if answer.next_poll_at is None:
        return LOOK_AGAIN_S_MIN
    return max(LOOK_AGAIN_S_MIN, 1 + int((answer.next_poll_at - datetime.now(UTC)).total_seconds()))
