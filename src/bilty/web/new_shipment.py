"""A new shipment by hand. Intake's rules are the API's; what is wrong is told at its field, with all that was typed."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.response import Redirect, Template

from bilty.intake import Accepted, Fault, Rejected, parse_shipment
from bilty.intake.india import STATES
from bilty.store import places, providers
from bilty.store.audit import Note, note_many
from bilty.store.places import Place
from bilty.store.shipments import Intake
from bilty.web import arriving
from bilty.web.arriving import Brought, Taken
from bilty.web.asking import ID_MAX, only, whole
from bilty.web.forms import by_field, form_of
from bilty.web.page import page, shipment_of, told
from bilty.web.sessions import actor, dispatching, from_our_pages, user
from bilty.web.shipment_document import document, in_the_form, is_due, like, totals
from bilty.web.shipment_form import Typed, change, read, tidy
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, grouped, kilograms, rupees

SAVE, SCHEDULE, CHECK = "save", "schedule", "check"
PATH = "/shipments/new"


@dataclass(frozen=True, slots=True)
class Choices:
    """Where a shipment may leave from, and by whom it may be booked."""

    places: Sequence[Place]
    providers: Sequence[tuple[str, str]]

    def place_of(self, code: str) -> Place | None:
        return next((each for each in self.places if each.facility.code == code), None)

    def zone_of(self, typed: Typed) -> ZoneInfo:
        place = self.place_of(typed.fields["facility"])
        return ZoneInfo(place.facility.time_zone) if place else INDIA


async def _choices(request: AnyRequest) -> Choices:
    async with tools_of(request).pool.acquire() as connection:
        found = await places.places(connection, user(request).facilities)
        standings = await providers.standings(connection)
    return Choices(found, [(each.provider.code, each.provider.name) for each in standings if each.provider.enabled])


@get(PATH, guards=[dispatching], include_in_schema=False)
async def offer(request: AnyRequest) -> Template:
    only(request, "like")
    other = whole(request, "like", None, ID_MAX)
    typed = like((await shipment_of(request, other)).shipment) if other else Typed()
    return await _show(request, await _choices(request), typed)


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False, status_code=200)
async def take(request: AnyRequest) -> Template | Redirect:
    form, choices = await form_of(request), await _choices(request)
    typed, order = read(form), form.get("do", CHECK)
    if order not in (SAVE, SCHEDULE, CHECK):
        typed, onward = change(typed, order)
        return await _show(request, choices, typed, onward=onward)
    typed = tidy(typed)
    parsed = _parse(request, choices, typed, schedule=order == SCHEDULE)
    if isinstance(parsed, Rejected):
        return await _show(request, choices, typed, in_the_form(parsed.faults), status_code=422)
    concerns = _concerns(parsed)
    if order == CHECK or (concerns and form.get("looked_at") != _seal(concerns)):
        return await _show(request, choices, typed, concerns=concerns, is_checked=True)
    taken = await _keep(request, parsed)
    if taken.intake in (Intake.NEW, Intake.SAME):
        return told(request, f"/shipments/{taken.shipment_id}", _told(taken, parsed))
    return await _show(request, choices, typed, [_refusal(taken, parsed)], known=taken.shipment_id, status_code=409)


def _parse(request: AnyRequest, choices: Choices, typed: Typed, *, schedule: bool) -> Accepted | Rejected:
    """As the API does, and a facility must be one that this person works for."""
    made = document(typed, choices.zone_of(typed)) | {"schedule": schedule}
    parsed = parse_shipment(made, tools_of(request).settings.intake_rules, datetime.now(INDIA).date())
    code = typed.fields["facility"]
    if not code or choices.place_of(code):
        return parsed
    fault = Fault("facility", code, f'facility is "{code[:40]}", which is not one of yours: choose another.')
    others = parsed.faults if isinstance(parsed, Rejected) else ()
    return Rejected((fault, *(each for each in others if each.field != "facility")))


def _concerns(parsed: Accepted) -> list[Fault]:
    """What a person should look at before it is kept: at a desk a wrong PIN is put right in a moment."""
    hold = [Fault("invoices", "", parsed.hold)] if parsed.hold else []
    return in_the_form([*parsed.warnings, *hold])


def _seal(concerns: Sequence[Fault]) -> str:
    """What was shown, so that saving again means: I have looked at these."""
    return hashlib.sha256("\n".join(each.message for each in concerns).encode()).hexdigest()[:16]


async def _keep(request: AnyRequest, parsed: Accepted) -> Taken:
    """Taken in first and scheduled then, so that the audit trail tells it in this order."""
    who, facilities = actor(request), user(request).facilities
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        [taken] = await arriving.keep(connection, [Brought(replace(parsed, schedule=False), who, facilities)])
        if taken.intake is Intake.NEW and taken.seen:
            number = parsed.shipment.number
            await note_many(connection, who, [Note("take in", number, taken.shipment_id, taken.seen.facility_id)])
        if not parsed.schedule:
            return taken
        [scheduled] = await arriving.keep(connection, [Brought(parsed, who, facilities)])
        return replace(scheduled, intake=taken.intake)


def _told(taken: Taken, parsed: Accepted) -> str:
    number = parsed.shipment.number
    if taken.intake is Intake.SAME:
        begun = " It is being scheduled." if taken.scheduled else ""
        return f"Shipment {number} was there already, just as it is here. Nothing was taken in twice.{begun}"
    if parsed.hold:
        return f"Shipment {number} is taken in, and on hold: {parsed.hold}"
    return f"Shipment {number} is taken in{' and being scheduled' if taken.scheduled else ''}."


def _refusal(taken: Taken, parsed: Accepted) -> Fault:
    shipment = parsed.shipment
    if taken.intake is Intake.DIFFERS:
        return Fault(
            "number",
            shipment.number,
            f"Shipment {shipment.number} of facility {shipment.facility} is known with other content, and nothing was "
            "changed: give this one another number.",
        )
    if taken.intake is Intake.NO_FACILITY:
        return Fault(
            "facility", shipment.facility, f"There is no facility {shipment.facility} any more: choose another."
        )
    code = shipment.shipping_provider
    return Fault("shipping_provider", code, f"There is no Shipping Provider {code}: choose another.")


async def _show(
    request: AnyRequest,
    choices: Choices,
    typed: Typed,
    faults: Sequence[Fault] = (),
    *,
    concerns: Sequence[Fault] = (),
    is_checked: bool = False,
    known: int = 0,
    onward: str = "",
    status_code: int = 200,
) -> Template:
    """The form, with all that was typed. `onward` is the field in which typing goes on."""
    threshold = tools_of(request).settings.intake_rules.ewaybill_threshold
    sums = totals(typed)
    return await page(
        request,
        "new_shipment.html",
        nav="shipments",
        status_code=status_code,
        typed=_with_defaults(typed, choices),
        choices=choices,
        states=sorted({name for name in STATES.values() if name}),
        faults=faults,
        fault_of=defaultdict(str, by_field(faults)),
        concerns=concerns,
        looked_at=_seal(concerns) if concerns else "",
        is_checked=is_checked,
        known=known,
        onward=onward,
        due=[is_due(row, threshold) for row in typed.invoices],
        threshold=threshold,
        threshold_words=rupees(threshold),
        holds=tools_of(request).settings.intake_rules.ewaybill_missing == "hold",
        totals=(grouped(sums.boxes), kilograms(sums.weight_g), rupees(sums.value)),
    )


def _with_defaults(typed: Typed, choices: Choices) -> Typed:
    """Where there is one to choose, it is chosen."""
    fields = dict(typed.fields)
    if len(choices.places) == 1:
        fields["facility"] = fields["facility"] or choices.places[0].facility.code
    if len(choices.providers) == 1:
        fields["shipping_provider"] = fields["shipping_provider"] or choices.providers[0][0]
    return replace(typed, fields=fields)


ROUTES = [offer, take]
