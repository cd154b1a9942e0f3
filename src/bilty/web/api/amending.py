"""A shipment is changed, before it is booked or after: a merge patch of the document as GET shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

import msgspec
from litestar import Response, patch
from litestar.params import FromPath

from bilty.intake import Accepted, Fault, Rejected, code_named, parse_shipment
from bilty.intake.uniware import still_held
from bilty.shipment import Party, lacks_data
from bilty.store import amending, consignees, showing, uniware, whom
from bilty.store.access import Scope
from bilty.store.amending import Amended, Amending
from bilty.store.database import Connection
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.web.api.answering import answer_of, answered, is_id, not_there
from bilty.web.asking import document_of
from bilty.web.documents import ShipmentAnswer, ShipmentDocument
from bilty.web.etags import check_match, etag_of, require_match
from bilty.web.keys import actor_of, caller, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.refusing import no_provider
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

NAMES = ("number", "facility")
"""What a shipment is known by."""


@patch("/shipments/{shipment_id:int}", guards=[needs(Scope.DISPATCH)], summary="Change a shipment")
async def amend(request: AnyRequest, shipment_id: FromPath[int]) -> Response[ShipmentAnswer]:
    """A merge patch (RFC 7396): a field that is named is replaced, a list as a whole; null takes it away.

    Once a courier was asked to carry it, that opens a new version: what was booked of the old one is cancelled, and
    the new one is booked when nothing of the old may be any more, unless `schedule` is false. `If-Match` says of which
    version it is a change.
    """
    expected, change = require_match(request), await document_of(request)
    if not isinstance(change, dict):
        raise rejected([Fault("", "", "A change is a JSON object with the fields that shall be others.")])
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        found = await _locked(request, connection, shipment_id)
        answer = answer_of(request, found)
        try:
            check_match(expected, etag_of(answer))
        except ProblemError as stale:
            raise await _with_whom(connection, stale, shipment_id) from None
        schedule = _schedule(change, default=amending.is_wanted(found.progress))
        saved = await consignees.named(connection, [code_named(change)])
        parsed = _parsed(request, answer, change, saved)
        hold = await hold_of(connection, found, parsed)
        arrival = Arrival(parsed.shipment, hold, tuple(warning.message for warning in parsed.warnings))
        now = await showing.clock(connection)
        done = await amending.amend(connection, shipment_id, arrival, actor_of(request), now, schedule=schedule)
        _refuse(done, arrival)
        found = (await showing.see(connection, [shipment_id]))[shipment_id]
    return answered(answer_of(request, found), 200)


async def _with_whom(connection: Connection, stale: ProblemError, shipment_id: int) -> ProblemError:
    """Who has changed it since it was read, where a person has."""
    now = await showing.clock(connection)
    faster = (await whom.told(connection, {shipment_id: whom.Wanted(None, stale=True)}, now)).get(shipment_id, "")
    return ProblemError(stale.status, stale.code, f"{faster} {stale.detail}".lstrip(), headers=stale.headers)


async def hold_of(connection: Connection, found: Seen, parsed: Accepted) -> str:
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


def _schedule(change: dict[str, object], *, default: bool) -> bool:
    """Whether it is booked as it is then; taken out of the change, since it is none."""
    given = change.pop("schedule", default)
    if not isinstance(given, bool):
        raise rejected([Fault("schedule", str(given)[:40], "schedule is true or false.")])
    return given


def _parsed(
    request: AnyRequest, answer: ShipmentAnswer, change: dict[str, object], saved: Mapping[str, Party]
) -> Accepted:
    """A consignee that is named by its code takes the place of the one there: they are not mixed."""
    shown = msgspec.json.decode(msgspec.json.encode(answer), type=dict[str, object])
    document = {name: shown[name] for name in ShipmentDocument.__struct_fields__}
    if code_named(change):
        del document["consignee"]
    rules, today = tools_of(request).settings.intake_rules, datetime.now(INDIA).date()
    parsed = parse_shipment(merged(document, change), rules, today, saved)
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


def _refuse(done: Amended, arrival: Arrival) -> None:
    match done.outcome:
        case Amending.CALL_OUT:
            detail = f"{done.reason} Nothing was changed: send the change again in {done.retry_after_s} s."
            raise ProblemError(409, "call_out", detail, headers={"Retry-After": str(done.retry_after_s)})
        case Amending.DISPATCHED:
            raise ProblemError(409, "dispatched", done.reason)
        case Amending.CANCELLED:
            raise ProblemError(409, "cancelled", f"{done.reason} Send it anew under another number.")
        case Amending.EWAYBILL:
            raise rejected([Fault("invoices", "", done.reason)])
        case Amending.NO_PROVIDER:
            raise no_provider(arrival.shipment.shipping_provider)
        case Amending.OTHER_NAME | Amending.NOT_THERE:
            raise AssertionError(f"{done.outcome}: both were looked at under the lock")
        case Amending.DONE | Amending.VERSION | Amending.SAME:
            return
        case _:
            assert_never(done.outcome)
