"""Finding again, after a restore: asks ClickPost under which references a shipment is booked, and books nothing.

All of it is asked before anything is decided, since one AWB alone may be cancelled while the boxes bear another. An
answer that is missing rules nothing out: then the shipment stays where it is, and is looked for again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bilty.aggregator import AtRest, Booking, Exchange, Listed
from bilty.aggregator.confirming import confirmed
from bilty.deciding.found_again import Found, Place, is_to_be_awaited, last_run_of, places
from bilty.jobs.tools import Tools
from bilty.reply import Busy, Courier, Label, NotYet, PickedUp, Refusal, Refused, Reply, Unclear, Unknown
from bilty.store import finding, health, limits
from bilty.store.database import UNAVAILABLE
from bilty.store.finding import Heard, Sought
from bilty.store.providers import Keyring, Opened
from bilty.turn import Step

SHIPMENTS_AT_ONCE = 4
CALLS_AT_ONCE = 4
"""For each shipment: what is in flight besides waits for the same answers."""
WITHIN_S = 50
"""Each call: not the wait for it, nor all of a shipment's, which may be hundreds at a few a second."""
HOLD_EVERY_S = finding.LEASE.total_seconds() / 3

log = structlog.get_logger()


class NotFoundOut(Exception):  # noqa: N818 - nothing is wrong with the shipment
    """What is in the way, for the doctor to say; `reply` is the answer that told nothing."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        super().__init__(why)
        self.reply = reply


@dataclass(slots=True)
class _Look:
    """One shipment's, under way."""

    tools: Tools
    sought: Sought
    opened: Opened
    asked: dict[str, Found | None] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    exchanges: dict[str, tuple[Exchange, ...]] = field(default_factory=dict)

    @property
    def found(self) -> tuple[Found, ...]:
        return tuple(each for each in self.asked.values() if each)


async def find_due(tools: Tools, keyring: Keyring, now: datetime | None = None) -> int:
    """Everything that is to be found and due, a few at once. How many were looked for."""
    sought = await finding.take(tools.pool, SHIPMENTS_AT_ONCE, now)
    opened = await keyring.open(tools.pool) if sought else {}
    looks = (_find(tools, each, opened.get(each.provider_id), now) for each in sought)
    for said in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(said, BaseException):
            raise said
    return len(sought)


async def find_all_due(tools: Tools, keyring: Keyring) -> None:
    while await find_due(tools, keyring):
        pass


async def _find(tools: Tools, sought: Sought, opened: Opened | None, now: datetime | None) -> None:
    if opened is None:
        await finding.put_off(tools.pool, sought, "No worker has the key of its shipping provider.", now)
        return
    holding = asyncio.create_task(_hold(tools, sought))
    try:
        heard = await _look(_Look(tools, sought, opened))
        await finding.settle(tools.pool, sought, heard, tools.rules, now)
    except NotFoundOut as trouble:
        await _note(tools, sought, opened, trouble, now)
        await finding.put_off(tools.pool, sought, str(trouble), now)
    except UNAVAILABLE:
        raise
    except Exception:
        log.exception("finding.failed", shipment=sought.shipment_id)
        await finding.put_off(tools.pool, sought, "Bilty could not work on it: see the log.", now)
    finally:
        holding.cancel()


async def _hold(tools: Tools, sought: Sought) -> None:
    while True:
        await asyncio.sleep(HOLD_EVERY_S)
        with contextlib.suppress(*UNAVAILABLE):
            await finding.hold(tools.pool, sought)


async def _note(tools: Tools, sought: Sought, opened: Opened, trouble: NotFoundOut, now: datetime | None) -> None:
    if trouble.reply is None:
        return
    async with tools.pool.acquire() as connection:
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        said = (sought.provider_id, opened.revision, Step.INQUIRE, trouble.reply)
        await health.note(connection, [said], at)


async def _look(look: _Look) -> Heard:
    """Wave after wave, until the last run that anything was found in lies far enough behind."""
    couriers, progress = await _couriers(look), look.sought.progress
    while True:
        listed = places(progress, couriers, last_run_of(progress, look.found))
        new = [each for each in listed if each.reference not in look.asked]
        if not new:
            break
        await _inquire_all(look, new)
    if is_to_be_awaited(progress, look.found):
        raise NotFoundOut("ClickPost has not decided yet about one of its references.")
    return Heard(look.found, tuple(look.replies), look.exchanges, look.opened.revision)


async def _couriers(look: _Look) -> list[Courier]:
    """All with whom it may have been booked: those of the account today, and those that were ever ranked."""
    async with _place(look):
        said = await look.tools.aggregator(look.opened.connector).accounts()
    if not isinstance(said.reply, Listed):
        raise NotFoundOut(f"fetch-accounts: {said.reply.message}", said.reply)
    async with look.tools.pool.acquire() as connection:
        before = await finding.couriers_before(connection, look.sought.provider_id)
    return list({each.identity: each for each in (*before, *said.reply.couriers)}.values())


async def _inquire_all(look: _Look, asked: Sequence[Place]) -> None:
    """A few at once; the first that is not answered ends all."""
    turns = asyncio.Semaphore(CALLS_AT_ONCE)

    async def one(place: Place) -> None:
        async with turns:
            look.asked[place.reference] = await _inquire(look, place)

    try:
        async with asyncio.TaskGroup() as group:
            for place in asked:
                group.create_task(one(place))
    except* (NotFoundOut, *UNAVAILABLE) as troubles:
        raise _first(troubles) from None


def _first(troubles: BaseExceptionGroup[Exception]) -> Exception:
    first = troubles.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _inquire(look: _Look, place: Place) -> Found | None:
    aggregator = look.tools.aggregator(look.opened.connector)
    booking = Booking(look.sought.shipment, look.sought.facility, place.reference, place.courier)
    async with _place(look):
        said = await confirmed(aggregator, await aggregator.inquire(booking))
    reply = said.reply
    look.exchanges[place.reference] = said.exchanges
    if not isinstance(reply, Unknown | NotYet | Label | Refused) or _is_about_us(reply):
        raise NotFoundOut(f"{place.reference}: {reply.message}", reply)
    look.replies.append(reply)
    if isinstance(reply, Label):
        return Found(place, reply, void=await _is_void(look, place, reply))
    return Found(place, None) if isinstance(reply, NotYet) else None


@asynccontextmanager
async def _place(look: _Look) -> AsyncIterator[None]:
    """Around one call."""
    async with limits.place(look.tools.pool, look.sought.provider_id, look.tools.calls_max):
        try:
            async with asyncio.timeout(WITHIN_S):
                yield
        except TimeoutError:
            raise NotFoundOut(f"ClickPost took longer than {WITHIN_S} s.") from None


def _is_about_us(reply: Reply) -> bool:
    return isinstance(reply, Refused) and reply.refusal is Refusal.ACCOUNT


async def _is_void(look: _Look, place: Place, label: Label) -> bool:
    """An answer that cannot be read does not say that it is cancelled; silence says nothing at all."""
    booking = Booking(look.sought.shipment, look.sought.facility, place.reference, place.courier, awb=label.awb)
    async with _place(look):
        said = await look.tools.aggregator(look.opened.connector).track(booking)
    look.exchanges[place.reference] += said.exchanges
    reply = said.reply
    match reply:
        case AtRest():
            return reply.void
        case PickedUp() | Unknown() | Refused():
            return False
        case Unclear() if not reply.silent:
            return False
        case Unclear() | Busy():
            raise NotFoundOut(f"tracking of {label.awb}: {reply.message}", reply)
