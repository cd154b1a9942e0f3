"""The dispatcher: does what `bilty.workflow` decided. It claims what is due, calls, hears and settles, and decides
nothing itself.

    claim    due turns, written down as asked before a byte leaves      one transaction, in sets
    call     the aggregator, many at once, no connection held           `_call`
    settle   what was heard, each shipment moved by the workflow        one transaction, in sets

It is woken by NOTIFY, by an answer, or by the next due time. The database may go away at any moment: claims then wait,
answers are kept and settled when it is back, and what a dead process held is due again when its lease ends.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog
from obstore.exceptions import BaseError

from bilty.aggregator import Aggregator, Booking, Pdf, Said, Trouble
from bilty.aggregator.confirming import confirmed
from bilty.documents.counting import pages_of
from bilty.reply import Busy, NotYet, Paper, PickedUp, Reply, Unclear
from bilty.store import claims, limits, settlements
from bilty.store.claims import CALL_WITHIN, LEASE, LEASE_LEFT_MIN, Claim
from bilty.store.database import BACKOFF_S, UNAVAILABLE, Pool, cancelled_all
from bilty.store.labels import LabelStore
from bilty.store.providers import Keyring
from bilty.store.settlements import Outcome
from bilty.turn import Rules, Step

START_WITHIN_S = (LEASE - LEASE_LEFT_MIN).total_seconds()
REST_MIN_S, IDLE_MAX_S = 0.05, 30
SETTLE_MAX = 500
CALL_WITHIN_S = CALL_WITHIN.total_seconds()
STOP_WITHIN_S = 55
"""Longer than the longest call, so that a graceful stop hears every answer it asked for."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a dispatcher works with. `aggregator` makes (or finds) the one that serves a claim's provider."""

    pool: Pool
    keyring: Keyring
    labels: LabelStore
    aggregator: Callable[[Claim], Aggregator]
    rules: Rules
    calls_max: int


async def work_off(tools: Tools, now: datetime) -> int:
    """One round at a given time: everything due at `now` claimed, called and settled. For tests and tools."""
    claimed = await claims.claim(tools.pool, tools.keyring, calls_max=tools.calls_max, calls_out={}, now=now)
    outcomes = await asyncio.gather(*(_outcome(tools, claim) for claim in claimed))
    if outcomes:
        await settlements.settle(tools.pool, outcomes, tools.rules, now=now)
    return len(outcomes)


class Dispatcher:
    """Runs until told to stop. Any number of them, in any number of processes, may share one database."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._woken = asyncio.Event()
        self._stopping = False
        self._calls: dict[asyncio.Task[None], int] = {}
        self._outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self._settling = False

    def wake(self) -> None:
        """Something may be due: heard from the database, or from whoever scheduled it."""
        self._woken.set()

    def stop(self) -> None:
        """Claims no more, hears the calls that are out, settles them, and returns from `run`."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        settler = asyncio.create_task(self._settle_all())
        try:
            while not self._stopping:
                self._woken.clear()
                if not await self._claim():
                    await self._rest()
            await self._finish()
        finally:
            await cancelled_all({settler, *self._calls})

    async def _claim(self) -> int:
        tools, before = self._tools, asyncio.get_running_loop().time()
        try:
            claimed = await claims.claim(
                tools.pool, tools.keyring, calls_max=tools.calls_max, calls_out=Counter(self._calls.values())
            )
        except UNAVAILABLE as trouble:
            log.warning("database.away", during="claim", why=type(trouble).__name__)
            return 0
        for claim in claimed:
            call = asyncio.create_task(self._call(claim, before + START_WITHIN_S))
            self._calls[call] = claim.provider_id
            call.add_done_callback(self._ended)
        return len(claimed)

    async def _call(self, claim: Claim, not_after: float) -> None:
        if asyncio.get_running_loop().time() < not_after:
            self._outcomes.put_nowait(await _outcome(self._tools, claim))

    def _ended(self, call: asyncio.Task[None]) -> None:
        del self._calls[call]
        self.wake()  # a place is free

    async def _settle_all(self) -> None:
        while True:
            batch = [await self._outcomes.get()]
            self._settling = True
            while not self._outcomes.empty() and len(batch) < SETTLE_MAX:
                batch.append(self._outcomes.get_nowait())
            await self._settle(batch)
            self._settling = False
            self.wake()

    async def _settle(self, batch: Sequence[Outcome]) -> None:
        """Until it is written: an answer is not thrown away because the database is."""
        for wait_s in itertools.chain(BACKOFF_S, itertools.repeat(BACKOFF_S[-1])):
            try:
                await settlements.settle(self._tools.pool, batch, self._tools.rules)
            except UNAVAILABLE as trouble:
                log.warning("database.away", during="settle", why=type(trouble).__name__)
                await asyncio.sleep(wait_s)
            except Exception:
                log.exception("settle.failed", references=[o.claim.turn.reference for o in batch])
                return await self._settle_apart(batch)
            else:
                return None
        return None

    async def _settle_apart(self, batch: Sequence[Outcome]) -> None:
        """One outcome that cannot be written must not hold up the others, nor be asked for every minute for ever."""
        if len(batch) == 1:
            with contextlib.suppress(*UNAVAILABLE):
                await claims.put_off(self._tools.pool, batch[0].claim)
            return
        for outcome in batch:
            await self._settle([outcome])

    async def _rest(self) -> None:
        """Until woken, or the next turn is due."""
        try:
            due_in_s = await claims.next_due(self._tools.pool, self._tools.keyring)
        except UNAVAILABLE:
            due_in_s = BACKOFF_S[-1]
        # Never quite zero: what is due and not to be had is another worker's, or waits for a free place.
        rest_s = IDLE_MAX_S if due_in_s is None else min(max(due_in_s, REST_MIN_S), IDLE_MAX_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), rest_s)

    async def _finish(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                while self._calls or self._settling or not self._outcomes.empty():
                    self._woken.clear()
                    await self._woken.wait()


async def _outcome(tools: Tools, claim: Claim) -> Outcome:
    turn = claim.turn
    booking = Booking(
        shipment=claim.shipment,
        facility=claim.facility,
        reference=turn.reference,
        courier=turn.courier,
        terms=claim.terms,
        awb=turn.awb,
        label_url=turn.label_url,
    )
    try:
        async with asyncio.timeout(CALL_WITHIN_S):
            said = await _say(tools, claim, tools.aggregator(claim), booking)
    except TimeoutError:
        said = Said(Unclear(f"no answer within {CALL_WITHIN_S:.0f} s", silent=True))
    except Exception:
        # A connector does not raise; should it, the turn is left as it was written down: asked, and unclear.
        log.exception("call.failed", reference=turn.reference, step=claim.step)
        said = Said(Unclear("Bilty could not read the answer.", silent=True))
    return Outcome(claim=claim, reply=said.reply, exchanges=said.exchanges)


async def _say(tools: Tools, claim: Claim, aggregator: Aggregator, booking: Booking) -> Said[Reply]:
    async def next_moment() -> None:
        await _wait_for_a_moment(tools.pool, claim)

    match claim.step:
        case Step.RANK:
            said: Said[Reply] = await aggregator.rank(booking)
        case Step.ASK:
            said = await aggregator.ask(booking)
        case Step.INQUIRE:
            said = await aggregator.inquire(booking)
        case Step.FETCH_LABEL:
            said = await _kept(tools.labels, await aggregator.fetch_label(booking))
        case Step.CANCEL:
            said = await _cancelled(aggregator, booking, next_moment)
        case Step.RETURN:
            said = await aggregator.cancel(booking)
        case _:
            assert_never(claim.step)
    return await confirmed(aggregator, said, next_moment)


async def _kept(labels: LabelStore, said: Said[Pdf | NotYet | Trouble]) -> Said[Reply]:
    """The PDF is in the store before anything refers to it."""
    if not isinstance(said.reply, Pdf):
        return Said(said.reply, said.exchanges)
    try:
        sha256 = await labels.put(said.reply.content)
    except (OSError, BaseError) as trouble:
        log.exception("label.not_kept", why=type(trouble).__name__)
        # Not silence, which is waited out for ever: our own trouble is shown when the window is over.
        return Said(Unclear("Bilty's label store cannot be written."), said.exchanges)
    return Said(Paper(sha256=sha256, pages=await pages_of(said.reply.content)), said.exchanges)


async def _cancelled(
    aggregator: Aggregator, booking: Booking, next_moment: Callable[[], Awaitable[None]]
) -> Said[Reply]:
    """One tracking read first: what the courier has is never cancelled. No answer to it does not stop the cancel.

    Unless the answer is that we say too much.
    """
    tracked = await aggregator.track(booking)
    if isinstance(tracked.reply, PickedUp) or (isinstance(tracked.reply, Busy) and tracked.reply.retry_after_s):
        return Said(tracked.reply, tracked.exchanges)
    await next_moment()
    said = await aggregator.cancel(booking)
    return Said(said.reply, tracked.exchanges + said.exchanges)


async def _wait_for_a_moment(pool: Pool, claim: Claim) -> None:
    """A claim counts as one call in its second; where calls a second are limited, its next one waits for its own."""
    if claim.connector.calls_per_second is None:
        return
    try:
        wait_s = await limits.another(pool, claim.provider_id)
    except UNAVAILABLE:
        wait_s = 1 / claim.connector.calls_per_second
    await asyncio.sleep(wait_s)
