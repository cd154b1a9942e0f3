"""A new shipment by hand. Intake's rules are the API's; what is wrong is told at its field, with all that was typed."""

from dataclasses import replace

from litestar import get, post
from litestar.response import Redirect, Template

from bilty.intake import Accepted, Fault, Rejected
from bilty.store.audit import Note, note_many
from bilty.store.shipments import Intake
from bilty.web import arriving
from bilty.web.arriving import Brought, Taken
from bilty.web.asking import ID_MAX, only, whole
from bilty.web.filling_in import (
    CHECK,
    SAVE,
    SCHEDULE,
    Judged,
    choices_of,
    concerns_of,
    form_page,
    parsed_of,
    seal_of,
)
from bilty.web.forms import form_of
from bilty.web.page import shipment_of, told
from bilty.web.sessions import actor, dispatching, from_our_pages, user
from bilty.web.shipment_document import in_the_form
from bilty.web.shipment_form import Typed, change, read, tidy
from bilty.web.shipment_typed import like
from bilty.web.tools import AnyRequest, tools_of

PATH, TEMPLATE = "/shipments/new", "new_shipment.html"


@get(PATH, guards=[dispatching], include_in_schema=False)
async def offer(request: AnyRequest) -> Template:
    only(request, "like")
    other = whole(request, "like", None, ID_MAX)
    typed = like((await shipment_of(request, other)).shipment) if other else Typed()
    return await form_page(request, TEMPLATE, await choices_of(request), typed, Judged(), known=0)


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False, status_code=200)
async def take(request: AnyRequest) -> Template | Redirect:
    form, choices = await form_of(request), await choices_of(request)
    typed, order = read(form), form.get("do", CHECK)

    async def show(judged: Judged, known: int = 0) -> Template:
        return await form_page(request, TEMPLATE, choices, typed, judged, known=known)

    if order not in (SAVE, SCHEDULE, CHECK):
        typed, onward = change(typed, order)
        return await show(Judged(onward=onward))
    typed = tidy(typed)
    parsed = parsed_of(request, choices, typed, schedule=order == SCHEDULE)
    if isinstance(parsed, Rejected):
        return await show(Judged(in_the_form(parsed.faults), status_code=422))
    concerns = concerns_of(parsed)
    if order == CHECK or (concerns and form.get("looked_at") != seal_of(concerns)):
        return await show(Judged(concerns=concerns, is_checked=True))
    taken = await _keep(request, parsed)
    if taken.intake in (Intake.NEW, Intake.SAME):
        return told(request, f"/shipments/{taken.shipment_id}", _told(taken, parsed))
    return await show(Judged([_refusal(taken, parsed)], status_code=409), known=taken.shipment_id)


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


ROUTES = [offer, take]
