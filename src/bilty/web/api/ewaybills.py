"""E-way bills of a shipment: added, replaced and taken away at any time; the courier that has it is told by a job."""

from datetime import datetime

from litestar import Response, get, put
from litestar.params import FromPath

from bilty.intake import Fault, Rejected
from bilty.intake.ewaybills import Given, parse_ewaybills
from bilty.store import ewaybill_rows, ewaybills, shipments, showing, transporters
from bilty.store.access import Scope
from bilty.web.api.answering import answer_of, answered, seen
from bilty.web.asking import document_of
from bilty.web.documents import ShipmentAnswer
from bilty.web.ewaybill_documents import EwaybillsAnswer, ewaybills_answer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.waiting import CHANGING
from bilty.words import INDIA

PATH = "/shipments/{shipment_id:int}/ewaybills"


@get(PATH, guards=[needs(Scope.READ)], summary="Its e-way bills")
async def listed(request: AnyRequest, shipment_id: FromPath[int]) -> EwaybillsAnswer:
    """One of each invoice, also where there is none."""
    found, tools = await seen(request, shipment_id), tools_of(request)
    async with tools.pool.acquire() as connection:
        known = await ewaybill_rows.known_to_courier(connection, shipment_id)
        changes = await transporters.of_shipment(connection, shipment_id)
    threshold = tools.settings.intake_rules.ewaybill_threshold
    return ewaybills_answer(found, known, changes, threshold, datetime.now(INDIA).date())


@put(PATH, guards=[needs(Scope.DISPATCH)], status_code=200, summary="Give e-way bills")
async def given(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """Of the invoices that are named, all or none. Again: nothing is changed."""
    tools = tools_of(request)
    wish = parse_ewaybills(await document_of(request))
    if isinstance(wish, Rejected):
        raise rejected(wish.faults)
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection, connection.transaction():
        now, rules = await showing.clock(connection), tools.settings.intake_rules
        added = await ewaybills.add(connection, {shipment_id: wish.bills}, rules, actor_of(request), now, whole=True)
        _refuse(added[shipment_id].refused, wish)
        if wish.schedule:
            # The first booking alone: whoever repeats the request does not book anew what has failed since.
            await shipments.schedule_all(connection, [shipment_id], now, actor=actor_of(request), run=1)
        found = (await showing.see(connection, [shipment_id]))[shipment_id]
    answer = answer_of(request, found)
    return answered(answer, 202 if wish.schedule and answer.status in CHANGING else 200)


def _refuse(refused: dict[str, str], wish: Given) -> None:
    if not refused:
        return
    if ewaybills.CANCELLED in refused.values():
        raise ProblemError(409, "cancelled", ewaybills.CANCELLED)
    places = {invoice: index for index, invoice in enumerate(wish.bills)}
    raise rejected([Fault(f"items[{places[name]}].invoice", name, why) for name, why in refused.items()])


ROUTES = [listed, given]
