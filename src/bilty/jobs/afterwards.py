"""What is said to ClickPost once there is an AWB: an e-way bill that its courier lacks, a pickup after a late label.

Nobody asked for it, so it is no job of anybody's: what came of it stands on the shipment, as a line of its timeline,
and as a warning where a person must see to it. What may be repeated is, in growing pauses for a day. A pickup may not:
one of which nobody knows whether it was booked is said to be so, and left.
"""

import asyncio
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

import structlog

from bilty.aggregator import Booking, EwaybillTold, PickupBooked, Said
from bilty.aggregator.confirming import confirmed
from bilty.jobs.tools import Tools
from bilty.outgoing.redaction import hide
from bilty.reply import Busy, Denied, Refused, Unclear
from bilty.shipment import Invoice
from bilty.shipping_provider import Connector, own_terms
from bilty.shipping_provider.opening import calendar_of
from bilty.store import afterwards, afterwards_said, health, limits, providers
from bilty.store.afterwards import TO_BE_TOLD, Kind, Owed, State
from bilty.store.database import UNAVAILABLE, Connection
from bilty.store.limits import Place
from bilty.store.progress import notify_changed
from bilty.store.showing import clock
from bilty.telling.afterwards import Ewaybill, Pickup, told_number
from bilty.turn import State as TurnState

WITHIN_S = 45
PAUSE_MAX_MINUTES = 60
TRIES_MAX = 29
"""A day of them: after 1, 2, 4, 8, 16, 32 minutes, then every hour."""
PROVIDER_PAUSE = timedelta(minutes=5)
"""Between two looks at a provider that is paused, or not to be opened here.

One that is switched off is told all the same: what was begun is heard to its end."""
NO_PLACE_PAUSE = timedelta(seconds=5)
"""Where as much is said to the provider as may be."""

Answer: TypeAlias = EwaybillTold | PickupBooked | Refused | Unclear | Busy | Denied

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """What is written down as said. `what` is the invoice whose e-way bill is told, or when a van is to come.

    `place` is its own among the calls that are out. `words` tell what came of it.
    """

    owed: Owed
    place: Place
    fence: int
    connector: Connector
    what: Invoice | datetime
    words: Ewaybill | Pickup


async def say_afterwards(tools: Tools, owed_id: int, now: datetime | None = None) -> None:
    """Says what is owed, where it still is and is due. Safe to run twice, at once or one after the other.

    Raises what the database raises while it is away: then it is to be taken up again.
    """
    try:
        await _say_owed(tools, owed_id, now)
    except UNAVAILABLE:
        raise
    except Exception:
        # One row that cannot be worked on, as a newer version may have written it, must not come back every moment.
        log.exception("afterwards.failed", id=owed_id)
        async with tools.pool.acquire() as connection:
            await afterwards.put_off(connection, owed_id, now or await clock(connection))


async def _say_owed(tools: Tools, owed_id: int, now: datetime | None) -> None:
    async with tools.pool.acquire() as connection, connection.transaction():
        owed = await afterwards.take(connection, owed_id, now)
        call = await _begin(tools, connection, owed) if owed else None
    if call is None:
        return
    said = await _say(tools, call)
    async with tools.pool.acquire() as connection, connection.transaction():
        counts = await afterwards_said.may_settle(connection, call.owed, call.fence)
        await limits.leave(connection, call.place)
        await afterwards_said.write_exchanges(connection, call.owed, said.exchanges)
        at = now or await clock(connection)
        if counts:
            await _settle(connection, call, said.reply, at)
        if call.owed.kind is Kind.EWAYBILL:
            await afterwards.owe_ewaybills(connection, [call.owed.shipment_id], at)
        if counts:
            await notify_changed(connection, [call.owed.shipment_id])


async def _begin(tools: Tools, connection: Connection, owed: Owed) -> Call | None:
    """Written down before it is said. None where nothing is to be said, or not now."""
    if owed.kind is Kind.PICKUP and owed.state is State.SAYING:
        await _end(connection, owed, State.UNKNOWN, _pickup(owed, owed.pickup_at).unknown, owed.now)
        return None
    what = _what(owed)
    if what is None:
        await afterwards_said.end(connection, owed, State.LEFT)
        return None
    if isinstance(what, Kind) and not tools.pickup_again:
        await _end(connection, owed, State.NOT_ASKED, _pickup(owed, None).not_asked, owed.now)
        return None
    connector = await _connector(tools, connection, owed)
    if connector is None:
        await afterwards.wait(connection, owed, owed.now, PROVIDER_PAUSE)
        return None
    place = await limits.enter(connection, owed.provider_id, tools.calls_max, now=owed.now)
    if not isinstance(place, Place):
        await afterwards.wait(connection, owed, owed.now, max(timedelta(seconds=place), NO_PLACE_PAUSE))
        return None
    if isinstance(what, Invoice):
        fence = await afterwards.claim(connection, owed, ewaybill=what.ewaybill_number)
        bill = Ewaybill(owed.courier.name, what.ewaybill_number, what.number)
        return Call(owed, place, fence, connector, what, bill)
    at = _pickup_at(owed, connector)
    fence = await afterwards.claim(connection, owed, pickup_at=at)
    return Call(owed, place, fence, connector, at, _pickup(owed, at))


def _what(owed: Owed) -> Invoice | Kind | None:
    """The invoice, or that it is a pickup; None where this turn's courier is no longer to be told."""
    if owed.kind is Kind.PICKUP:
        return owed.kind if owed.turn_state is TurnState.WON and not owed.dispatched else None
    if owed.turn_state not in TO_BE_TOLD:
        return None
    invoice = next((each for each in owed.shipment.invoices if each.number == owed.invoice), None)
    if invoice is None or not invoice.ewaybill_number:
        return None
    return None if (owed.told or {}).get(invoice.number) == invoice.ewaybill_number else invoice


async def _connector(tools: Tools, connection: Connection, owed: Owed) -> Connector | None:
    if owed.provider_waits:
        return None
    try:
        return await providers.connector_of(connection, tools.vault, owed.provider)
    except ValueError as trouble:
        log.warning("connector.sealed", provider=owed.provider, why=str(trouble))
        return None


def _pickup_at(owed: Owed, connector: Connector) -> datetime:
    """So long after the label came, in the facility's hours; after now where that is past."""
    calendar = calendar_of(owed.facility_now)
    at = own_terms(connector, owed.owed_at, calendar).pickup_at
    return at if at > owed.now else own_terms(connector, owed.now, calendar).pickup_at


async def _say(tools: Tools, call: Call) -> Said[Answer]:
    """With no connection held."""
    owed, aggregator = call.owed, tools.aggregator(call.connector)
    booking = Booking(owed.shipment, owed.facility, owed.reference, owed.courier, awb=owed.awb)
    try:
        async with asyncio.timeout(WITHIN_S):
            if isinstance(call.what, Invoice):
                told = await confirmed(aggregator, await aggregator.tell_ewaybill(booking, call.what))
                return Said(told.reply, told.exchanges)
            asked = await confirmed(aggregator, await aggregator.ask_pickup(booking, call.what))
            return Said(asked.reply, asked.exchanges)
    except TimeoutError:
        return Said(Unclear(f"no answer within {WITHIN_S} s", silent=True))
    except Exception:  # noqa: BLE001 - a connector does not raise; should it, what was said may have been heard
        trace = hide(traceback.format_exc(), call.connector.key)
        log.error("afterwards.call_failed", id=owed.id, trace=trace)  # noqa: TRY400 - a plain one may quote the key
        return Said(Unclear("Bilty could not read the answer."))


async def _settle(connection: Connection, call: Call, reply: Answer, at: datetime) -> None:
    owed, words = call.owed, call.words
    match reply:
        case EwaybillTold():
            await afterwards_said.note_told(connection, owed)
            await _end(connection, owed, State.DONE, words.done, at)
        case PickupBooked():
            sentence = f"{words.done} {told_number(reply.confirmation)}"
            await _end(connection, owed, State.DONE, sentence, at, confirmation=reply.confirmation)
        case Refused():
            await _end(connection, owed, State.REFUSED, words.refused(reply.message, reply.code), at)
        case Unclear() if isinstance(words, Pickup):
            await _end(connection, owed, State.UNKNOWN, words.unknown, at)
        case Unclear() | Busy():
            if isinstance(reply, Busy) and reply.retry_after_s:
                await health.quiet(connection, owed.provider_id, owed.provider_revision, reply.retry_after_s, at)
            await _again(connection, call, reply, at)
        case Denied():
            await health.pause(connection, owed.provider_id, owed.provider_revision, reply.message, at)
            await afterwards.wait(connection, owed, at, PROVIDER_PAUSE)
        case _:
            assert_never(reply)


async def _again(connection: Connection, call: Call, reply: Unclear | Busy, at: datetime) -> None:
    owed = call.owed
    if owed.tries + 1 >= TRIES_MAX:
        await _end(connection, owed, State.GIVEN_UP, call.words.given_up(reply.message), at)
        return
    pause = timedelta(minutes=min(2**owed.tries, PAUSE_MAX_MINUTES))
    asked = timedelta(seconds=reply.retry_after_s if isinstance(reply, Busy) else 0)
    await afterwards.wait(connection, owed, at, max(pause, asked), tried=True)


async def _end(
    connection: Connection, owed: Owed, state: State, sentence: str, at: datetime, *, confirmation: str = ""
) -> None:
    """In the timeline; and unless all is well, before the eyes of whoever looks at the shipment."""
    warning = "" if state is State.DONE else sentence
    await afterwards_said.end(connection, owed, state, warning=warning, confirmation=confirmation)
    await afterwards_said.write_line(connection, owed, state, sentence, at)
    if owed.kind is Kind.PICKUP:
        await afterwards.call_off(connection, [owed.turn_id], at)  # it may be void since it was asked for


def _pickup(owed: Owed, at: datetime | None) -> Pickup:
    zone = ZoneInfo(owed.facility_now.time_zone)
    return Pickup(owed.courier.name, owed.promised_at or owed.owed_at, at, zone)
