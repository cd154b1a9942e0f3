"""`POST /uniware/cancel`: by the AWB that Uniware was told."""

from litestar import Response, post

from bilty import telling
from bilty.deciding import Cancel, No
from bilty.intake.reader import is_blank, show
from bilty.store import acting, showing, uniware
from bilty.store.showing import Seen
from bilty.turn import State, Turn
from bilty.web.api.answering import after_waiting
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.uniware.answers import FAILED, SUCCESS, Body, is_awb
from bilty.web.uniware.coming_in import with_token
from bilty.web.waiting import CHANGING
from bilty.workflow import Status, status

UNKNOWN = "AWB {awb} is not known in Bilty, or is not of a facility of this key's."
AMBIGUOUS = "AWB {awb} is of more than one shipment, of different couriers: cancel it in Bilty."
CANCELLING = "The courier has yet to confirm it. Cancel it again in a few minutes: the answer then says whether it has."


@post("/cancel", guards=[with_token], include_in_schema=False, status_code=200)
async def cancel(request: AnyRequest) -> Response[Body]:
    """Again is the same: whoever repeats it is told how far it is."""
    document, tools = await document_of(request), tools_of(request)
    given = document.get("waybill") if isinstance(document, dict) else None
    if not isinstance(given, str) or is_blank(given) or not is_awb(given.strip()):
        named = "is missing" if is_blank(given) else f"is {show(given)}"
        return _failed("", f"waybill {named}: give the AWB that /waybill answered.")
    awb = given.strip()
    async with tools.pool.acquire() as connection:
        owners = await uniware.by_awb(connection, [awb], caller(request).facilities)
    if len(owners) != 1:
        return _failed(awb, (AMBIGUOUS if owners else UNKNOWN).format(awb=awb))
    shipment_id = owners[0].shipment_id
    refusal = await _cancel(request, shipment_id, awb)
    if refusal:
        return _failed(awb, refusal)
    wait_s = tools.settings.uniware_wait_seconds
    seen, _ = await after_waiting(request, shipment_id, wait_s, CHANGING)
    return _answer(request, seen, awb)


async def _cancel(request: AnyRequest, shipment_id: int, awb: str) -> str:
    """Blank where it is being cancelled, or void, which the AWB of a shipment may be without it."""
    tools = tools_of(request)
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        seen = await showing.locked(connection, shipment_id, caller(request).facilities)
        if seen is None:
            return UNKNOWN.format(awb=awb)
        holder = seen.progress.holder
        if seen.progress.cancel_asked or holder is None or holder.awb != awb:
            return ""
        wish = {shipment_id: Cancel()}
        answer = (await acting.act(connection, wish, actor_of(request), now, tools.settings.rules))[shipment_id]
    return answer.reason if isinstance(answer, No) else ""


def _answer(request: AnyRequest, seen: Seen, awb: str) -> Response[Body]:
    turn = next(turn for turn in reversed(seen.progress.turns) if turn.awb == awb)
    if turn.state is State.CANCELLED or status(seen.progress) is Status.CANCELLED:
        return Response({"status": SUCCESS, "waybill": awb, "errorMessage": ""}, status_code=200)
    if turn.state is State.SURPLUS:
        return _failed(awb, CANCELLING)
    return _failed(awb, _why_not(request, seen, turn))


def _why_not(request: AnyRequest, seen: Seen, turn: Turn) -> str:
    problem = telling.problem(seen.progress, tools_of(request).settings.rules)
    words = f" {problem.message}" if problem else ""
    return f"AWB {turn.awb} is not cancelled.{words} See to it in Bilty."


def _failed(awb: str, why: str) -> Response[Body]:
    return Response({"status": FAILED, "waybill": awb, "errorMessage": why}, status_code=200)
