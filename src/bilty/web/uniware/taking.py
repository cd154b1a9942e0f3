"""`POST /uniware/waybill`: taken in once, put right while nobody was asked, booked once however often it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from litestar import Response, post

from bilty.intake import Fault, IntakeRules, Rejected
from bilty.intake.ewaybills import held_anew
from bilty.intake.shipments import Accepted
from bilty.intake.uniware import About, Defaults, asked, code_of, facility_named, parse_waybill
from bilty.shipment import ewaybills_of, with_ewaybills
from bilty.store import amending, ewaybills, shipments, showing, uniware
from bilty.store.amending import Amending
from bilty.store.database import Connection
from bilty.store.shipments import Arrival, Intake, Kept
from bilty.store.showing import Seen
from bilty.web.api.answering import after_waiting
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.tools import AnyRequest, arrivals_of, tools_of
from bilty.web.uniware.again import ENDED, Again, decide
from bilty.web.uniware.answers import Body, failed
from bilty.web.uniware.coming_in import with_token
from bilty.web.uniware.placing import place_for
from bilty.web.uniware.told import told
from bilty.words import INDIA
from bilty.workflow import status

FAULTS_TOLD = 40
NO_PROVIDER = "There is no shipping provider {code!r} in Bilty: name another in custom field shipping_provider."
NO_PROVIDERS = "Bilty has no shipping provider yet: add one in Settings."
OTHER_CONTENT = (
    "Shipment {number} is known in Bilty with other content, and nothing was changed. {why} "
    "Ask for its waybill as before, or send it under another code."
)
WHY: Mapping[Again, str] = {
    Again.BEGUN: "Couriers have been asked to carry it as it was.",
    Again.NOT_OURS: "It did not come from Uniware.",
}
NO_FACILITY = "There is no facility {code!r} for this key any more."


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as it was read."""

    parsed: Accepted
    asked: bytes

    @property
    def arrival(self) -> Arrival:
        warnings = tuple(warning.message for warning in self.parsed.warnings)
        return Arrival(self.parsed.shipment, hold=self.parsed.hold or "", warnings=warnings)


@post("/waybill", guards=[with_token], include_in_schema=False, status_code=200)
async def waybill(request: AnyRequest) -> Response[Body]:
    document, tools = await document_of(request), tools_of(request)
    about = await _about(request, document)
    parsed = parse_waybill(document, about, tools.settings.intake_rules, datetime.now(INDIA).date())
    if isinstance(parsed, Rejected):
        return failed(sentences(parsed.faults))
    wanted = Request(parsed, asked(document))
    found = await _kept(request, wanted)
    if isinstance(found, str):
        return failed(found)
    seen, _ = await after_waiting(request, found, tools.settings.uniware_wait_seconds)
    return told(request, seen)


def sentences(faults: Sequence[Fault]) -> str:
    more = len(faults) - FAULTS_TOLD
    said = [fault.message for fault in faults[:FAULTS_TOLD]] + ([f"And {more} more."] if more > 0 else [])
    return " ".join(said)


async def _about(request: AnyRequest, document: object) -> About:
    facilities, code = caller(request).facilities, code_of(document)
    async with tools_of(request).pool.acquire() as connection:
        place = await place_for(connection, facilities, facility_named(document))
        provider = await uniware.only_provider(connection)
        if isinstance(place, Fault):
            return About(place, provider, Defaults(), datetime.now(INDIA).date())
        defaults = await uniware.defaults_of(connection, place.id)
        first = await uniware.asked_on(connection, place.id, code) if code.isprintable() else None
    asked_at = first or datetime.now(INDIA)
    return About(place.facility.code, provider, defaults, asked_at.astimezone(INDIA).date())


async def _kept(request: AnyRequest, wanted: Request) -> int | str:
    """The shipment that there is now, or why there is none. It is being booked unless something is in the way."""
    shipment = wanted.parsed.shipment
    if not shipment.shipping_provider:
        kept = await _keep_without_provider(request, wanted)
    else:
        taken = await arrivals_of(request).take(wanted.parsed, actor_of(request), caller(request).facilities)
        kept = Kept(taken.intake, taken.shipment_id)
    match kept.intake:
        case Intake.NO_PROVIDER if shipment.shipping_provider:
            return NO_PROVIDER.format(code=shipment.shipping_provider)
        case Intake.NO_PROVIDER:
            return NO_PROVIDERS
        case Intake.NO_FACILITY:
            return NO_FACILITY.format(code=shipment.facility)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        if kept.intake is Intake.NEW:
            await uniware.write_asked(connection, kept.shipment_id, wanted.asked)
            return kept.shipment_id
        return await _asked_again(request, connection, kept, wanted)


async def _keep_without_provider(request: AnyRequest, wanted: Request) -> Kept:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        return await uniware.keep_without_provider(connection, wanted.arrival, await showing.clock(connection))


async def _asked_again(request: AnyRequest, connection: Connection, kept: Kept, wanted: Request) -> int | str:
    shipment_id, now = kept.shipment_id, await showing.clock(connection)
    seen = await showing.locked(connection, shipment_id, caller(request).facilities)
    if seen is None:
        return NO_FACILITY.format(code=wanted.parsed.shipment.facility)
    last = await uniware.asked_last(connection, shipment_id)
    match decide(seen, wanted.arrival, asked=wanted.asked, last=last):
        case Again.BEGUN | Again.NOT_OURS as refused:
            return OTHER_CONTENT.format(number=seen.shipment.number, why=WHY[refused])
        case Again.LEAVE:
            return shipment_id
        case Again.BILLED:
            why = await _billed(request, connection, shipment_id, wanted, now)
            if why or status(seen.progress) not in ENDED:
                return why or shipment_id
        case Again.PUT_RIGHT if why := await _put_right(request, connection, seen, wanted, now):
            return why
    await shipments.schedule_all(connection, [shipment_id], now, actor=actor_of(request))
    return shipment_id


async def _put_right(request: AnyRequest, connection: Connection, seen: Seen, wanted: Request, now: datetime) -> str:
    """Blank where it is now as Uniware has it, or cannot be: then it says itself why."""
    arrival = _with_bills(wanted.arrival, seen, tools_of(request).settings.intake_rules)
    done = await amending.amend(connection, seen.id, arrival, actor_of(request), now)
    if done.outcome is Amending.NO_PROVIDER:
        code = arrival.shipment.shipping_provider
        return NO_PROVIDER.format(code=code) if code else arrival.hold
    await uniware.write_asked(connection, seen.id, wanted.asked)
    return ""


async def _billed(request: AnyRequest, connection: Connection, shipment_id: int, wanted: Request, now: datetime) -> str:
    """E-way bills that came since couriers were asked. Why not, blank where the shipment has them now."""
    rules, bills = tools_of(request).settings.intake_rules, ewaybills_of(wanted.arrival.shipment)
    added = await ewaybills.add(connection, {shipment_id: bills}, rules, actor_of(request), now, whole=True)
    if refused := added[shipment_id].refused:
        return " ".join(dict.fromkeys(refused.values()))
    await uniware.write_asked(connection, shipment_id, wanted.asked)
    return ""


def _with_bills(arrival: Arrival, seen: Seen, rules: IntakeRules) -> Arrival:
    """E-way bills that Uniware leaves out may have been entered in Bilty, and stay."""
    bills = {**ewaybills_of(seen.shipment), **ewaybills_of(arrival.shipment)}
    shipment = with_ewaybills(arrival.shipment, bills)
    if shipment == arrival.shipment:
        return arrival
    return replace(arrival, shipment=shipment, hold=held_anew(arrival.hold, arrival.shipment, shipment, rules))
