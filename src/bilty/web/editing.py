"""A shipment is changed by hand: the form of a new one, filled with what it is, and what saving it means.

Two things may happen between the page and its button: somebody else changes the shipment, or its booking goes on. So
the form carries what it was made from and what it said that saving does; where either is no longer so, nothing is
changed, and the person sees what is, with all that they typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty import telling
from bilty.deciding import why_not_amend
from bilty.intake import Accepted, Fault, Rejected
from bilty.shipment import Shipment, encode
from bilty.store import acting, amending, prints, shipments, showing
from bilty.store.amended import AMENDED, CHANGED
from bilty.store.amending import Amended, Amending
from bilty.store.database import Connection
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.telling.changing import must_wait, told_changed, told_changing
from bilty.telling.printed import told_destroy
from bilty.web.api.amending import hold_of
from bilty.web.blames import blames
from bilty.web.filling_in import (
    CHECK,
    SAVE,
    SCHEDULE,
    Choices,
    Judged,
    choices_of,
    concerns_of,
    form_page,
    parsed_of,
    seal,
    seal_of,
)
from bilty.web.forms import Form, form_of
from bilty.web.page import shipment_of, told
from bilty.web.sessions import actor, dispatching, from_our_pages, user
from bilty.web.shipment_document import in_the_form
from bilty.web.shipment_form import Typed, change, read, tidy
from bilty.web.shipment_typed import filled, named_as_before
from bilty.web.tools import AnyRequest, tools_of

PATH, TEMPLATE = "/shipments/{shipment_id:int}/edit", "edit_shipment.html"
CHANGED_SINCE = "What you typed is still here, and nothing was saved. Save again, and it is as you have it here."
GONE_ON = "Nothing was saved: it has gone on since you opened this page. Look at what saving does now, and save again."


@dataclass(frozen=True, slots=True)
class Stakes:
    """What saving does: `told`, and which labels to `destroy`. `wait`: why not now. `sure` stands for what it does."""

    told: tuple[str, ...]
    destroy: str
    wait: str
    sure: str


@get(PATH, guards=[dispatching], include_in_schema=False)
async def offer(request: AnyRequest, shipment_id: FromPath[int]) -> Template | Redirect:
    found, choices = await shipment_of(request, shipment_id), await choices_of(request)
    if found.progress.dispatched or found.progress.cancel_asked:
        why = why_not_amend(found.progress, frozenset())
        return told(request, f"/shipments/{found.id}", f"Nothing can be changed. {why}", well=False)
    typed = filled(found.shipment, choices.zone_at(found.shipment.facility))
    return await _show(request, found, choices, typed, Judged(), book=amending.is_wanted(found.progress))


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False, status_code=200)
async def take(request: AnyRequest, shipment_id: FromPath[int]) -> Template | Redirect:
    """Fields: the form's; `made_from` and `sure`, which it carries; `destroyed` and `book`, which are ticked."""
    form, found, choices = await form_of(request), await shipment_of(request, shipment_id), await choices_of(request)
    typed, order = _of_this(read(form), found), form.get("do", CHECK)

    async def show(judged: Judged, news: str = "") -> Template:
        return await _show(request, found, choices, typed, judged, form=form, news=news, book=form.ticked("book"))

    if order not in (SAVE, SCHEDULE, CHECK):
        typed, onward = change(typed, order)
        return await show(Judged(onward=onward))
    typed = tidy(typed)
    parsed = parsed_of(request, choices, typed, schedule=False)
    if isinstance(parsed, Rejected):
        return await show(Judged(in_the_form(parsed.faults), status_code=422))
    parsed = replace(parsed, shipment=named_as_before(found.shipment, parsed.shipment))
    concerns = concerns_of(_what_is_new(parsed, found))
    if order == CHECK or (concerns and form.get("looked_at") != seal_of(concerns)):
        return await show(Judged(concerns=concerns, is_checked=True))
    done = await _save(request, found, parsed, form)
    if isinstance(done, str):
        return told(request, f"/shipments/{found.id}", done)
    found = await shipment_of(request, shipment_id)
    return await show(done.judged, done.news)


@dataclass(frozen=True, slots=True)
class _Refused:
    judged: Judged
    news: str = ""


async def _save(request: AnyRequest, found: Seen, parsed: Accepted, form: Form) -> str | _Refused:
    """What was done, as a sentence."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        seen = await showing.locked(connection, found.id, user(request).facilities)
        if seen is None:
            return _refused("This shipment is no longer one of yours.")
        if form.get("made_from") != _mark(seen.shipment):
            return _Refused(Judged(status_code=409), await _news(connection, seen, now))
        makes_version = amending.begun(seen.progress) and amending.makes_version(seen.shipment, parsed.shipment)
        stakes = await _stakes(connection, seen, now)
        if makes_version and form.get("sure") != stakes.sure:
            return _Refused(Judged(status_code=409), GONE_ON)
        if makes_version and stakes.destroy and not form.ticked("destroyed"):
            fault = Fault("destroyed", "", f"{stakes.destroy} Tick that this is done, or will be.")
            return _Refused(Judged([fault], status_code=422))
        done = await _amend(connection, request, seen, parsed, form, now)
        after = (await showing.see(connection, [seen.id]))[seen.id]
    return _told(done, after, parsed.shipment)


async def _amend(
    connection: Connection, request: AnyRequest, seen: Seen, parsed: Accepted, form: Form, now: datetime
) -> Amended:
    who, begun = actor(request), amending.begun(seen.progress)
    schedule = form.ticked("book") if begun else form.get("do") == SCHEDULE
    hold = await hold_of(connection, seen, parsed)
    arrival = Arrival(parsed.shipment, hold, tuple(each.message for each in parsed.warnings))
    done = await amending.amend(connection, seen.id, arrival, who, now, schedule=schedule)
    if done.outcome is Amending.SAME and schedule and not begun:
        await shipments.schedule_all(connection, [seen.id], now, actor=who, run=1)
    return done


def _told(done: Amended, after: Seen, wanted: Shipment) -> str | _Refused:
    number = after.shipment.number
    match done.outcome:
        case Amending.VERSION:
            version = f"Shipment {number} is changed: it is version {after.progress.version} now."
            return f"{version} {told_changed(after.progress, done.cancelling)}"
        case Amending.DONE:
            return f"Shipment {number} is changed. {told_changed(after.progress, ())}"
        case Amending.SAME:
            return f"Shipment {number} is as it was."
        case Amending.EWAYBILL:
            return _Refused(Judged([Fault("invoices[0].ewaybill_number", "", done.reason)], status_code=409))
        case Amending.CALL_OUT:
            return _refused(f"{done.reason} Nothing was changed: save again in {done.retry_after_s} seconds.")
        case Amending.NO_PROVIDER:
            why = f"There is no Shipping Provider {wanted.shipping_provider}: choose another."
            return _Refused(Judged([Fault("shipping_provider", "", why)], status_code=409))
        case Amending.CANCELLED | Amending.DISPATCHED:
            return _refused(f"Nothing was changed. {done.reason}")
        case Amending.OTHER_NAME | Amending.NOT_THERE:
            raise AssertionError(f"{done.outcome}: the form carries its name, and it is locked")
        case _:
            assert_never(done.outcome)


def _refused(why: str) -> _Refused:
    return _Refused(Judged(status_code=409), why)


async def _news(connection: Connection, seen: Seen, now: datetime) -> str:
    """Who changed it since the page was made, when, and what."""
    moments = await showing.timeline_of(connection, seen.id)
    last = next((each for each in reversed(moments) if each.state in (AMENDED, CHANGED)), None)
    if last is None:
        return f"The shipment was changed since you opened this page. {CHANGED_SINCE}"
    zone = await showing.time_zones(connection, [seen.shipment.facility])
    at = telling.clock(last.at, now, ZoneInfo(zone[seen.shipment.facility]))
    return f"{last.actor} changed the shipment at {at}, after you opened this page. {last.message} {CHANGED_SINCE}"


async def _stakes(connection: Connection, seen: Seen, now: datetime) -> Stakes:
    printed = (await prints.printed_now(connection, [seen.id])).get(seen.id, ())
    out = (await acting.calls_out(connection, [seen.id], now)).get(seen.id, frozenset())
    zone = ZoneInfo((await showing.time_zones(connection, [seen.shipment.facility]))[seen.shipment.facility])
    said = told_changing(seen.progress)
    facts = [*said, *(f"{each.turn_id} {each.by} {each.copies}" for each in printed)]
    return Stakes(
        told=said,
        destroy=told_destroy(printed, now, zone),
        wait=why_not_amend(seen.progress, out),
        sure=seal(facts),
    )


def _what_is_new(parsed: Accepted, found: Seen) -> Accepted:
    """Of what is to be looked at: the shipment was kept with the rest."""
    known = parsed.hold == found.progress.hold or parsed.shipment.invoices == found.shipment.invoices
    warnings = tuple(each for each in parsed.warnings if each.message not in found.warnings)
    return replace(parsed, warnings=warnings, hold=None if known else parsed.hold)


def _mark(shipment: Shipment) -> str:
    """Stands for all that the form was filled with."""
    return seal([encode(shipment).decode()])


def _of_this(typed: Typed, found: Seen) -> Typed:
    """By its number and its facility it is known: these cannot be others."""
    known = {"number": found.shipment.number, "facility": found.shipment.facility}
    return replace(typed, fields={**typed.fields, **known})


async def _show(
    request: AnyRequest,
    found: Seen,
    choices: Choices,
    typed: Typed,
    judged: Judged,
    *,
    form: Form | None = None,
    news: str = "",
    book: bool,
) -> Template:
    """`news`: what the person is told before all else. The form is from now on made from what is told with it."""
    async with tools_of(request).pool.acquire() as connection:
        stakes = await _stakes(connection, found, await showing.clock(connection))
    faults: Sequence[Fault] = judged.faults or (() if judged.concerns or news else blames(found.progress))
    onward = judged.onward or (faults[0].field if form is None and faults else "")
    return await form_page(
        request,
        TEMPLATE,
        _with_its_own(choices, found),
        typed,
        replace(judged, faults=faults, onward=onward),
        shipment=found,
        action=f"/shipments/{found.id}/edit",
        known=0,
        blamed=faults is not judged.faults and bool(faults),
        news=news,
        made_from=_mark(found.shipment) if form is None or news else form.get("made_from", ""),
        stakes=stakes,
        begun=amending.begun(found.progress),
        waits=must_wait(found.progress),
        book=book,
        destroyed=bool(form and not news and form.ticked("destroyed")),
    )


def _with_its_own(choices: Choices, found: Seen) -> Choices:
    """Its shipping provider stays, though no new shipment may choose it any more."""
    code = found.shipment.shipping_provider
    if code in dict(choices.providers):
        return choices
    return replace(choices, providers=[*choices.providers, (code, code)])


ROUTES = [offer, take]
