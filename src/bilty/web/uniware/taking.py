"""`POST /uniware/waybill`: taken in once, put right while nobody was asked, booked once however often it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, post

from bilty.intake import Fault, Rejected
from bilty.intake.shipments import Accepted
from bilty.intake.uniware import About, Defaults, asked, code_of, facilities_named, parse_waybill
from bilty.shipment import lacks_data
from bilty.store import amending, shipments, showing, uniware
from bilty.store.amending import Amending
from bilty.store.database import Connection
from bilty.store.places import Place, places
from bilty.store.shipments import Arrival, Intake, Kept
from bilty.store.showing import Seen
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.tools import AnyRequest, arrivals_of, tools_of, waiters_of
from bilty.web.uniware.answers import Body, failed
from bilty.web.uniware.coming_in import with_token
from bilty.web.uniware.told import told
from bilty.words import INDIA
from bilty.workflow import Status, status

FAULTS_TOLD = 40
NO_PROVIDER = "There is no shipping provider {code!r} in Bilty: name another in custom field shipping_provider."
NO_PROVIDERS = "Bilty has no shipping provider yet: add one in Settings."
OTHER_CONTENT = (
    "Shipment {number} is known in Bilty with other content, and nothing was changed. {why} "
    "Ask for its waybill as before, or send it under another code."
)
BEGUN = "Couriers have been asked to carry it as it was."
NOT_OURS = "It did not come from Uniware."


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
    waited = await waiters_of(request).settled(found, tools.settings.uniware_wait_seconds)
    return told(request, waited or await _seen(request, found))


def sentences(faults: Sequence[Fault]) -> str:
    more = len(faults) - FAULTS_TOLD
    said = [fault.message for fault in faults[:FAULTS_TOLD]] + ([f"And {more} more."] if more > 0 else [])
    return " ".join(said)


async def _about(request: AnyRequest, document: object) -> About:
    """The facility: the only one that the key sees, else the one that the document names."""
    facilities, code = caller(request).facilities, code_of(document)
    async with tools_of(request).pool.acquire() as connection:
        place = _chosen(await places(connection, facilities), document)
        defaults = await uniware.defaults_of(connection, place.id) if place else Defaults()
        provider = await uniware.only_provider(connection)
        first = await uniware.asked_on(connection, place.id, code) if place and code.isprintable() else None
    asked_at = first or datetime.now(INDIA)
    return About(place.facility.code if place else "", provider, defaults, asked_at.astimezone(INDIA).date())


def _chosen(found: Sequence[Place], document: object) -> Place | None:
    if len(found) == 1:
        return found[0]
    by_code = {place.facility.code: place for place in found}
    return next((by_code[code] for code in facilities_named(document) if code in by_code), None)


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
            return f"There is no facility {shipment.facility!r} for this key any more."
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        if kept.intake is Intake.NEW:
            await uniware.write_asked(connection, kept.shipment_id, wanted.asked)
            return kept.shipment_id
        return await _asked_again(request, connection, kept, wanted)


async def _keep_without_provider(request: AnyRequest, wanted: Request) -> Kept:
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        return await uniware.keep_without_provider(connection, wanted.arrival, await showing.clock(connection))


async def _asked_again(request: AnyRequest, connection: Connection, kept: Kept, wanted: Request) -> int | str:
    """What is held is put right; what nobody took is tried again; what is booked or under way stays as it is."""
    shipment_id, now = kept.shipment_id, await showing.clock(connection)
    await connection.execute("SELECT FROM shipments WHERE id = $1 FOR UPDATE", shipment_id)
    seen = (await showing.see(connection, [shipment_id]))[shipment_id]
    last = await uniware.asked_last(connection, shipment_id)
    if seen.progress.run == 0:
        why = await _put_right(request, connection, seen, wanted, last, now)
        if why:
            return why
    elif seen.shipment != wanted.parsed.shipment and last != wanted.asked:
        return OTHER_CONTENT.format(number=seen.shipment.number, why=BEGUN if last else NOT_OURS)
    if _goes_on(seen):
        await shipments.schedule_all(connection, [shipment_id], now, actor=actor_of(request))
    return shipment_id


def _goes_on(seen: Seen) -> bool:
    return seen.progress.run == 0 or status(seen.progress) in (Status.FAILED, Status.NOT_SERVICEABLE)


async def _put_right(
    request: AnyRequest, connection: Connection, seen: Seen, wanted: Request, last: bytes, now: datetime
) -> str:
    """Blank where it is now as Uniware has it, or cannot be: then it says itself why.

    Who says the same again takes nothing back of what a person, or an update, has put right since.
    """
    arrival, hold = wanted.arrival, seen.progress.hold
    if (seen.shipment, hold) == (arrival.shipment, arrival.hold):
        return ""
    if last == wanted.asked and hold in ("", arrival.hold):
        return ""
    if seen.shipment != arrival.shipment and not last and not lacks_data(hold):
        return OTHER_CONTENT.format(number=seen.shipment.number, why=NOT_OURS)
    done = await amending.amend(connection, seen.id, arrival, actor_of(request), now)
    if done is Amending.NO_PROVIDER:
        code = arrival.shipment.shipping_provider
        return NO_PROVIDER.format(code=code) if code else arrival.hold
    await uniware.write_asked(connection, seen.id, wanted.asked)
    return ""


async def _seen(request: AnyRequest, shipment_id: int) -> Seen:
    async with tools_of(request).pool.acquire() as connection:
        return (await showing.see(connection, [shipment_id]))[shipment_id]
