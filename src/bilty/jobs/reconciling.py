"""Reconciliation: ClickPost's books held against ours, a page of references at a time.

Nothing that is asked here books or cancels. An AWB that Bilty lacks is its turn's from then on, as if the dispatcher
had heard of it; what differs otherwise is shown, since only a person can know which of the two is right.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias, TypeVar

import structlog

from bilty.aggregator import AtRest, Booking, Exchange, Said, Trouble
from bilty.deciding.found import Difference
from bilty.jobs.tools import Stopping, Tools
from bilty.outgoing.redaction import hide
from bilty.reply import Busy, Label, NotYet, PickedUp, Refusal, Refused, Reply, Unclear, Unknown
from bilty.store import differences, health, limits, reconciling, settlements
from bilty.store.claims import Claim
from bilty.store.database import UNAVAILABLE, Connection
from bilty.store.differences import Found
from bilty.store.providers import Keyring
from bilty.store.reconciling import Page, Round
from bilty.store.settlements import Outcome
from bilty.store.showing import clock
from bilty.words import sentence

AT_ONCE = 4
CALLS_PER_SECOND = 10
"""Beside what the dispatcher says: a round is never in a hurry."""
WITHIN_S = 45
PATIENCE_S = 20
"""For a place among the calls that may be out at once: a page is not held for longer, it is come back to."""
TRIES_MAX = 3
"""A reference that was not answered for so often is left to the next round; a whole page, and the round ends."""
PAUSES_S = (20, 60)
SILENT = "ClickPost did not answer: {why} What was asked about before that stands; the next round asks about the rest."

log = structlog.get_logger()
Sleep: TypeAlias = Callable[[float], Awaitable[object]]
Inquired: TypeAlias = Label | NotYet | Unknown | Trouble
Tracked: TypeAlias = PickedUp | AtRest | Unknown | Trouble
Heard_co = TypeVar("Heard_co", bound=Inquired | Tracked, covariant=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one reference. `difference` None: nothing to tell, or nothing is known of it yet."""

    claim: Claim
    reply: Reply
    exchanges: tuple[Exchange, ...]
    is_answered: bool
    difference: Difference | None = None
    words: str = ""
    was_asked: bool = True

    @property
    def is_news(self) -> bool:
        """It moves its turn: an AWB that we lack, or the definite no of a courier that is merely watched."""
        if self.difference is Difference.TAKEN_IN:
            return True
        no = isinstance(self.reply, Refused) and self.is_answered
        return no and reconciling.is_watched(self.claim)

    @property
    def their_awb(self) -> str:
        return self.reply.awb if isinstance(self.reply, Label) else ""


class _NoAnswer(Exception):  # noqa: N818 - ClickPost's, not ours
    """A call that took too long; a TimeoutError may be the database's."""


@dataclass(slots=True)
class Pace:
    """One call after the other, so many a second."""

    sleep: Sleep = asyncio.sleep
    _free_at: float = field(default=0.0, init=False)

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + 1 / CALLS_PER_SECOND
        wait_s = self._free_at - 1 / CALLS_PER_SECOND - now
        if wait_s > 0:
            await self.sleep(wait_s)


async def reconcile_if_due(tools: Tools, stopping: Stopping) -> None:
    """By the calendar, and whatever round somebody else has begun. Any number of workers may: a page is one's alone."""
    if tools.reconcile_every:
        async with tools.pool.acquire() as connection:
            await reconciling.begin_if_due(connection, tools.reconcile_every)
    while not stopping() and await reconcile_page(tools):
        pass


async def reconcile_page(tools: Tools, pace: Pace | None = None) -> bool:
    """The next page of the round that is open; False where there is none to be had now.

    Raises what the database raises while it is away: then the page is somebody's again when its lease is over.
    """
    async with tools.pool.acquire() as connection, connection.transaction():
        taken = await reconciling.take(connection)
        if taken is None:
            return False
        page = await reconciling.page(connection, taken, await Keyring(tools.vault).open(connection))
    answered = await _ask_all(tools, page.claims, pace or Pace())
    try:
        async with tools.pool.acquire() as connection, connection.transaction():
            if await reconciling.is_still_ours(connection, taken):
                await _record(tools, connection, taken, answered, page)
    except UNAVAILABLE:
        raise
    except Exception:
        # What cannot be written, as a newer version may have left it, must not be asked about for ever.
        log.exception("reconciling.failed", after=taken.after_turn)
        async with tools.pool.acquire() as connection, connection.transaction():
            if await reconciling.is_still_ours(connection, taken):
                await _go_on(connection, taken, page.through, unanswered=len(answered))
    return True


async def _ask_all(tools: Tools, claims: Sequence[Claim], pace: Pace) -> list[Answered]:
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(claim: Claim) -> Answered:
        async with places:
            await pace.turn()
            return await _ask(tools, claim, pace)

    said = await asyncio.gather(*(ask(claim) for claim in claims), return_exceptions=True)
    for each in said:
        if isinstance(each, BaseException):
            raise each
    return [each for each in said if isinstance(each, Answered)]


async def _ask(tools: Tools, claim: Claim, pace: Pace) -> Answered:
    """With no connection held."""
    turn, aggregator = claim.turn, tools.aggregator(claim.connector)
    booking = Booking(claim.shipment, claim.facility, turn.reference, turn.courier, awb=turn.awb)
    try:
        said = await _call(tools, claim, lambda: aggregator.inquire(booking))
        if _is_to_be_tracked(claim, said.reply):
            await pace.turn()
            return _held_against(claim, said, await _call(tools, claim, lambda: aggregator.track(booking)))
    except limits.NoPlace as none:
        reply = Busy("Bilty has as many calls out as it may.", retry_after_s=none.wait_s)
        return Answered(claim, reply, (), is_answered=False, was_asked=False)
    except _NoAnswer:
        return Answered(claim, Unclear(f"no answer within {WITHIN_S} s", silent=True), (), is_answered=False)
    except UNAVAILABLE:
        raise
    except Exception:  # noqa: BLE001 - a connector does not raise
        trace = hide(traceback.format_exc(), claim.connector.key)
        log.error("reconciling.call_failed", reference=turn.reference, trace=trace)  # noqa: TRY400 - may quote the key
        return Answered(claim, Unclear("Bilty could not read the answer."), (), is_answered=False)
    difference = Difference.TAKEN_IN if isinstance(said.reply, Label) else None
    if difference and reconciling.has_shipment(claim):
        difference = Difference.ANOTHER_AWB
    return Answered(claim, said.reply, said.exchanges, is_answered=_is_answer(said.reply), difference=difference)


async def _call(tools: Tools, claim: Claim, say: Callable[[], Awaitable[Said[Heard_co]]]) -> Said[Heard_co]:
    """One call, when there is a place for it. Who asks us to come again later is left alone from that moment on."""
    async with limits.place(tools.pool, claim.provider_id, tools.calls_max, PATIENCE_S):
        try:
            async with asyncio.timeout(WITHIN_S):
                said = await say()
        except TimeoutError:
            raise _NoAnswer from None
    if isinstance(said.reply, Busy) and said.reply.retry_after_s:
        async with tools.pool.acquire() as connection:
            now, seconds = await clock(connection), said.reply.retry_after_s
            await health.quiet(connection, claim.provider_id, claim.provider_revision, seconds, now)
    return said


def _is_to_be_tracked(claim: Claim, reply: Reply) -> bool:
    """Of an AWB that we have: it is not enough that its reference is known."""
    is_another = isinstance(reply, Label) and reply.awb != claim.turn.awb
    return reconciling.has_shipment(claim) and _is_answer(reply) and not is_another


def _held_against(claim: Claim, said: Said[Inquired], tracked: Said[Tracked]) -> Answered:
    """What they say of its reference, and then of itself."""
    exchanges = said.exchanges + tracked.exchanges
    if isinstance(tracked.reply, AtRest) and tracked.reply.void:
        void = Difference.CANCELLED_THERE
        return Answered(claim, said.reply, exchanges, is_answered=True, difference=void, words=tracked.reply.message)
    if isinstance(tracked.reply, Unknown) and isinstance(said.reply, Unknown | Refused):
        unknown = Difference.UNKNOWN_THERE
        return Answered(claim, said.reply, exchanges, is_answered=True, difference=unknown, words=said.reply.message)
    is_answered = isinstance(tracked.reply, AtRest | PickedUp | Unknown)
    return Answered(claim, said.reply, exchanges, is_answered=is_answered)


def _is_answer(reply: Reply) -> bool:
    """About the reference. What is said of our account, or not at all, says nothing of it."""
    if isinstance(reply, Refused):
        return reply.refusal is not Refusal.ACCOUNT
    return not isinstance(reply, Unclear | Busy)


async def _record(tools: Tools, connection: Connection, taken: Round, answered: Sequence[Answered], page: Page) -> None:
    """What a page brought, all at once; and from where the round goes on."""
    now = await clock(connection)
    news = [each for each in answered if each.is_news]
    outcomes = [
        Outcome(each.claim, each.reply, each.exchanges, unclaimed=each.claim.turn_id not in page.abandoned)
        for each in news
    ]
    had = await differences.awbs_of(connection, [each.claim.turn_id for each in news])
    await settlements.settle_beside(connection, outcomes, tools.rules, now)
    spoken = [
        (a.claim.provider_id, a.claim.provider_revision, a.claim.step, a.reply)
        for a in answered
        if a.was_asked and a not in news
    ]
    await health.note(connection, spoken, now)
    taken_in = await _taken_in(connection, [each for each in news if not had.get(each.claim.turn_id)])
    differing = [each for each in answered if each.difference and each not in news]
    told = [each for each in taken_in if not _was_about_to_be_heard(each.claim)]
    await differences.write(connection, [_found(each) for each in (*differing, *told)], taken.id, now)
    held = [Outcome(each.claim, each.reply, each.exchanges, unclaimed=True) for each in differing]
    await settlements.write_exchanges(connection, held)
    well = [a.claim.turn_id for a in answered if a.is_answered and a not in differing]
    await differences.are_well(connection, well)
    await _come_on(connection, taken, answered, page.through, taken_in=len(taken_in))


async def _taken_in(connection: Connection, news: Sequence[Answered]) -> list[Answered]:
    """Those whose AWB their turn has now: while the dispatcher is asking, the answer is left to it."""
    has = await differences.awbs_of(connection, [each.claim.turn_id for each in news])
    return [each for each in news if each.their_awb and has.get(each.claim.turn_id) == each.their_awb]


def _was_about_to_be_heard(claim: Claim) -> bool:
    """A label that is waited for is no difference: it has come, and that is all."""
    return claim.turn.state in reconciling.WAITED_FOR


def _found(answered: Answered) -> Found:
    assert answered.difference is not None, "only what differs is found"
    turn = answered.claim.turn
    ours = answered.their_awb if answered.difference is Difference.TAKEN_IN else turn.awb
    return Found(
        turn_id=answered.claim.turn_id,
        kind=answered.difference,
        awb=ours,
        their_awb=answered.their_awb,
        message=answered.words,
    )


async def _come_on(
    connection: Connection, taken: Round, answered: Sequence[Answered], through: int | None, *, taken_in: int
) -> None:
    """Behind the page; or up to the first that was not answered, which is asked about again after a pause."""
    first = next((n for n, each in enumerate(answered) if not each.is_answered), len(answered))
    tries = 1 if first else taken.tries + 1
    if first < len(answered) and not answered[first].was_asked:
        tries -= 1  # it was not in vain: nobody was asked
    all_asked = all(each.was_asked for each in answered)
    if first == len(answered) or (tries >= TRIES_MAX and all_asked and any(each.is_answered for each in answered)):
        silent = sum(not each.is_answered for each in answered)
        await _go_on(connection, taken, through, asked=len(answered) - silent, unanswered=silent, taken_in=taken_in)
        return
    if tries >= TRIES_MAX and not any(each.is_answered for each in answered):
        await reconciling.end(connection, taken, SILENT.format(why=sentence(answered[0].reply.message)))
        return
    behind = answered[first - 1].claim.turn_id if first else taken.after_turn
    pause = timedelta(seconds=max(PAUSES_S[min(max(tries, 1), len(PAUSES_S)) - 1], _asked_to_wait_s(answered)))
    await reconciling.go_on(connection, taken, behind, asked=first, taken_in=taken_in, tries=tries, pause=pause)


def _asked_to_wait_s(answered: Sequence[Answered]) -> float:
    return max((each.reply.retry_after_s for each in answered if isinstance(each.reply, Busy)), default=0.0)


async def _go_on(
    connection: Connection, taken: Round, through: int | None, *, asked: int = 0, unanswered: int, taken_in: int = 0
) -> None:
    if through is None:
        await reconciling.end(connection, taken)
        return
    await reconciling.go_on(connection, taken, through, asked=asked, unanswered=unanswered, taken_in=taken_in)
