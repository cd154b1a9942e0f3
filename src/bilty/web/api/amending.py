"""A shipment is put right before anybody is asked to carry it: a merge patch of the document as GET shows it."""

from datetime import datetime

import msgspec
from litestar import Response, patch
from litestar.params import FromPath

from bilty.intake import Accepted, Fault, Rejected, parse_shipment
from bilty.intake.uniware import still_held
from bilty.shipment import lacks_data
from bilty.store import amending, showing, uniware
from bilty.store.access import Scope
from bilty.store.amending import Amending
from bilty.store.database import Connection
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.web.api.answering import answer_of, answered, is_id, not_there
from bilty.web.asking import document_of
from bilty.web.documents import ShipmentAnswer, ShipmentDocument
from bilty.web.etags import check_match, etag_of, require_match
from bilty.web.keys import actor_of, caller, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.refusing import cancelled, no_provider
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

NAMES = ("number", "facility")
"""What a shipment is known by."""
BEGUN = (
    "A courier has been asked to carry this shipment as it is, and nothing was changed. "
    "Cancel it, and send it anew under another number."
)


@patch("/shipments/{shipment_id:int}", guards=[needs(Scope.DISPATCH)], summary="Put a shipment right")
async def amend(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """A merge patch (RFC 7396): a field that is named is replaced, a list as a whole; null takes it away.

    Until it is booked for the first time. `If-Match` says of which version it is a change.
    """
    expected, change = require_match(request), await document_of(request)
    if not isinstance(change, dict):
        raise rejected([Fault("", "", "A change is a JSON object with the fields that shall be others.")])
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        found = await _locked(request, connection, shipment_id)
        answer = answer_of(request, found)
        check_match(expected, etag_of(answer))
        if amending.begun(found.progress):
            raise ProblemError(409, "already_begun", BEGUN)
        parsed = _parsed(request, answer, change)
        hold = await _hold(connection, found, parsed)
        arrival = Arrival(parsed.shipment, hold, tuple(warning.message for warning in parsed.warnings))
        now = await showing.clock(connection)
        done = await amending.amend(connection, shipment_id, arrival, actor_of(request), now)
        _refuse(done, arrival)
        found = (await showing.see(connection, [shipment_id]))[shipment_id]
    return answered(answer_of(request, found), 200)


async def _hold(connection: Connection, found: Seen, parsed: Accepted) -> str:
    """A shipment that was held for want of data is held until all is there that its facility insists on."""
    still = ""
    if lacks_data(found.progress.hold):
        still = still_held(parsed.shipment, await uniware.defaults_of(connection, found.facility_id))
    return " ".join(filter(None, (still, parsed.hold)))


async def _locked(request: AnyRequest, connection: Connection, shipment_id: int) -> Seen:
    """What is not this key's is not even locked."""
    facilities = caller(request).facilities
    found = await showing.locked(connection, shipment_id, facilities) if is_id(request, shipment_id) else None
    if found is None:
        raise not_there(shipment_id)
    return found


def _parsed(request: AnyRequest, answer: ShipmentAnswer, change: dict[str, object]) -> Accepted:
    if "schedule" in change:
        message = f"schedule is no field of a change: POST /api/v1/shipments/{answer.id}/schedules books it."
        raise rejected([Fault("schedule", "", message)])
    shown = msgspec.json.decode(msgspec.json.encode(answer), type=dict[str, object])
    document = {name: shown[name] for name in ShipmentDocument.__struct_fields__}
    rules, today = tools_of(request).settings.intake_rules, datetime.now(INDIA).date()
    parsed = parse_shipment(merged(document, change), rules, today)
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    for name in NAMES:
        if getattr(parsed.shipment, name) != getattr(answer, name):
            given = str(getattr(parsed.shipment, name))
            message = (
                f"{name} is {given!r}, and was {getattr(answer, name)!r}: a shipment is known by it. "
                "Cancel this one, and send another."
            )
            raise rejected([Fault(name, given, message)])
    return parsed


def merged(target: object, change: object) -> object:
    """RFC 7396."""
    if not isinstance(change, dict):
        return change
    kept = {**target} if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def _refuse(done: Amending, arrival: Arrival) -> None:
    """What was looked at under the lock before cannot have changed: what is left is what only the database knows."""
    if done is Amending.CANCELLED:
        raise cancelled()
    if done is Amending.NO_PROVIDER:
        raise no_provider(arrival.shipment.shipping_provider)
    assert done in (Amending.DONE, Amending.SAME), done
