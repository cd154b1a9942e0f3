"""The form of a shipment, new or changed: what may be chosen in it, how it is judged, and the page that shows it."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from litestar.response import Template

from bilty.intake import Accepted, Fault, Rejected, parse_shipment
from bilty.intake.india import STATES
from bilty.shipment import standing
from bilty.store import places, providers
from bilty.store.places import Place
from bilty.web.forms import by_field
from bilty.web.page import page
from bilty.web.rows import zone_of
from bilty.web.sessions import user
from bilty.web.shipment_document import document, in_the_form, is_due, totals
from bilty.web.shipment_form import Typed
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA, grouped, kilograms, rupees

SAVE, SCHEDULE, CHECK = "save", "schedule", "check"


@dataclass(frozen=True, slots=True)
class Choices:
    """Where a shipment may leave from, and by whom it may be booked."""

    places: Sequence[Place]
    providers: Sequence[tuple[str, str]]

    def place_of(self, code: str) -> Place | None:
        return next((each for each in self.places if each.facility.code == code), None)

    def zone_at(self, code: str) -> ZoneInfo:
        """By whose clocks times are typed: the facility's, India's where none is chosen yet."""
        place = self.place_of(code)
        return zone_of(place.facility.time_zone if place else None)


async def choices_of(request: AnyRequest) -> Choices:
    async with tools_of(request).pool.acquire() as connection:
        found = await places.places(connection, user(request).facilities)
        standings = await providers.standings(connection)
    return Choices(found, [(each.provider.code, each.provider.name) for each in standings if each.provider.enabled])


def parsed_of(request: AnyRequest, choices: Choices, typed: Typed, *, schedule: bool) -> Accepted | Rejected:
    """As the API does, and a facility must be one that this person works for."""
    made = document(typed, choices.zone_at(typed.fields["facility"])) | {"schedule": schedule}
    parsed = parse_shipment(made, tools_of(request).settings.intake_rules, datetime.now(INDIA).date())
    code = typed.fields["facility"]
    if not code or choices.place_of(code):
        return parsed
    fault = Fault("facility", code, f'facility is "{code[:40]}", which is not one of yours: choose another.')
    others = parsed.faults if isinstance(parsed, Rejected) else ()
    return Rejected((fault, *(each for each in others if each.field != "facility")))


def concerns_of(parsed: Accepted) -> list[Fault]:
    """What a person should look at before it is kept: at a desk a wrong PIN is put right in a moment."""
    place = "invoices" if standing(parsed.hold or "") else "purchase_orders"
    hold = [Fault(place, "", parsed.hold)] if parsed.hold else []
    return in_the_form([*parsed.warnings, *hold])


def seal(told: Sequence[str]) -> str:
    """What was shown, so that saving again means: I have looked at these."""
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def seal_of(concerns: Sequence[Fault]) -> str:
    return seal([each.message for each in concerns])


@dataclass(frozen=True, slots=True)
class Judged:
    """What a form is shown with. `faults` are to be put right, `concerns` to be looked at; `is_checked`: both are told.

    `onward` is the field in which typing goes on.
    """

    faults: Sequence[Fault] = ()
    concerns: Sequence[Fault] = ()
    is_checked: bool = False
    onward: str = ""
    status_code: int = 200


async def form_page(
    request: AnyRequest, template: str, choices: Choices, typed: Typed, judged: Judged, **more: object
) -> Template:
    """The form, with all that was typed."""
    rules, sums = tools_of(request).settings.intake_rules, totals(typed)
    return await page(
        request,
        template,
        nav="shipments",
        status_code=judged.status_code,
        typed=_with_defaults(typed, choices),
        choices=choices,
        states=sorted({name for name in STATES.values() if name}),
        faults=judged.faults,
        fault_of=defaultdict(str, by_field(judged.faults)),
        concerns=judged.concerns,
        looked_at=seal_of(judged.concerns) if judged.concerns else "",
        is_checked=judged.is_checked,
        onward=judged.onward,
        due=[is_due(row, rules.ewaybill_threshold) for row in typed.invoices],
        threshold=rules.ewaybill_threshold,
        threshold_words=rupees(rules.ewaybill_threshold),
        holds=rules.ewaybill_missing == "hold",
        totals=(grouped(sums.boxes), kilograms(sums.weight_g), rupees(sums.value)),
        **more,
    )


def _with_defaults(typed: Typed, choices: Choices) -> Typed:
    """Where there is one to choose, it is chosen."""
    fields = dict(typed.fields)
    if len(choices.places) == 1:
        fields["facility"] = fields["facility"] or choices.places[0].facility.code
    if len(choices.providers) == 1:
        fields["shipping_provider"] = fields["shipping_provider"] or choices.providers[0][0]
    return replace(typed, fields=fields)
