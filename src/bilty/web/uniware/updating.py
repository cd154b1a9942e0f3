"""`POST /uniware/waybill/update`: measured and weighed again. While Uniware has no AWB of it, it is booked so.

The contract has no way to tell Uniware of another AWB than the one it has. So what it was given an AWB for is not
changed from there: in Bilty it may be, where a person sees which labels must be destroyed.
"""

from typing import assert_never

from litestar import Response, post

from bilty.intake import Rejected
from bilty.intake.reader import is_blank, show
from bilty.intake.uniware import code_of, parse_update, waybill_of
from bilty.store import amending, showing, uniware
from bilty.store.amending import Amended, Amending
from bilty.store.database import Connection
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.uniware.answers import SUCCESS, Body, failed
from bilty.web.uniware.coming_in import with_token
from bilty.web.uniware.taking import sentences

NO_NAME = "Shipment.code and Shipment.waybill are missing: give one of them."
UNKNOWN = "Shipment {code} is not known in Bilty, or is not of a facility of this key's: ask for its waybill first."
AMBIGUOUS = "Shipment {code} is of more than one facility of this key's: use a key of one facility."
OTHER_WAYBILL = "Shipment {code} has another AWB than {awb}, or none yet."
BOOKED = (
    "Shipment {code} is booked under AWB {awb}, whose label is for its boxes as they were: nothing was changed. "
    "Change it in Bilty, or cancel it and send it under another code."
)
CALL_OUT = "Shipment {code} is being booked this very moment: nothing was changed. Update it again in {seconds} s."
DISPATCHED = "Shipment {code} is with the courier: nothing was changed."
CANCELLED = "Shipment {code} is cancelled: send it under another code."


@post("/waybill/update", guards=[with_token], include_in_schema=False, status_code=200)
async def update(request: AnyRequest) -> Response[Body]:
    document = await document_of(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        found = await _shipment(request, connection, document)
        why = found if isinstance(found, str) else await _amended(request, connection, found, document)
    awb = "" if isinstance(found, str) or found.progress.holder is None else found.progress.holder.awb
    return failed(why) if why else Response({"status": SUCCESS, "waybill": awb, "message": ""}, status_code=200)


async def _shipment(request: AnyRequest, connection: Connection, document: object) -> Seen | str:
    """The one that is meant, locked, or why there is none."""
    code, awb, facilities = code_of(document), waybill_of(document), caller(request).facilities
    if is_blank(code) and is_blank(awb):
        return NO_NAME
    if not (code + awb).isprintable():
        return UNKNOWN.format(code=show(code or awb))
    if is_blank(code):
        ids = [each.shipment_id for each in await uniware.by_awb(connection, [awb], facilities)]
    else:
        ids = await uniware.numbered(connection, code, facilities)
    shown = show(code or awb)
    if len(ids) != 1:
        return (AMBIGUOUS if ids else UNKNOWN).format(code=shown)
    seen = await showing.locked(connection, ids[0], facilities)
    if seen is None:
        return UNKNOWN.format(code=shown)
    if awb and awb not in {turn.awb for turn in seen.progress.turns}:
        return OTHER_WAYBILL.format(code=shown, awb=show(awb))
    return seen


async def _amended(request: AnyRequest, connection: Connection, seen: Seen, document: object) -> str:
    """Blank where it is as Uniware has it now."""
    parsed = parse_update(document, seen.shipment)
    if isinstance(parsed, Rejected):
        return sentences(parsed.faults)
    if parsed == seen.shipment:
        return ""
    code, holder, booked = seen.shipment.number, seen.progress.holder, amending.begun(seen.progress)
    if holder and amending.makes_version(seen.shipment, parsed):
        return BOOKED.format(code=code, awb=holder.awb)
    arrival = Arrival(parsed, hold=seen.progress.hold, warnings=seen.warnings)
    now = await showing.clock(connection)
    done = await amending.amend(connection, seen.id, arrival, actor_of(request), now, schedule=booked)
    return _told(done).format(code=code, seconds=done.retry_after_s)


def _told(done: Amended) -> str:
    match done.outcome:
        case Amending.DONE | Amending.VERSION | Amending.SAME:
            return ""
        case Amending.CALL_OUT:
            return CALL_OUT
        case Amending.DISPATCHED:
            return DISPATCHED
        case Amending.CANCELLED:
            return CANCELLED
        case Amending.EWAYBILL | Amending.OTHER_NAME | Amending.NO_PROVIDER | Amending.NOT_THERE:
            raise AssertionError(f"{done.outcome}: an update names none of these, and the shipment is locked")
        case _:
            assert_never(done.outcome)
