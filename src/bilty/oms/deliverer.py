"""The deliverer: tells order systems what is owed to them until they have it.

    claim    lanes that are due, at most so many of each endpoint       one transaction, in sets
    send     the message, made and signed now; no connection held       `_send`, a task each
    settle   received, or due again, or given up                        one transaction, in sets

An order system that hangs keeps its own few calls busy and nobody else's: claims are counted by endpoint, and what one
call brought is settled whatever the others do. It is told at least once, and twice where a process dies between the
order system's answer and the settling: the event's id is the same.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bilty.oms import payload
from bilty.oms.retries import TRIED_FOR, GiveUp, next_try
from bilty.oms.sending import Send, Sent
from bilty.store.database import BACKOFF_S, UNAVAILABLE, Pool, cancelled_all
from bilty.store.hand_off import events, lanes, settling, signing
from bilty.store.hand_off.lanes import LEASE, LEASE_LEFT_MIN, Claim, Outcome
from bilty.store.secrets import Vault

START_WITHIN_S = (LEASE - LEASE_LEFT_MIN).total_seconds()
SEND_WITHIN_S = (LEASE_LEFT_MIN - timedelta(seconds=2)).total_seconds()
"""A sender ends by itself before; should it not, its lane is not kept from the others."""
REST_MIN_S, IDLE_MAX_S = 0.05, 30
SETTLE_MAX = 500
STOP_WITHIN_S = SEND_WITHIN_S + 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a deliverer works with. Links to labels begin with `base_url`, and open them for `label_good_for`."""

    pool: Pool
    vault: Vault
    sender: Send
    base_url: str
    label_good_for: timedelta


async def deliver_due(tools: Tools, now: datetime) -> int:
    """One round at a given time: what is due at `now` claimed, sent and settled. For tests and tools."""
    claimed = await lanes.claim(tools.pool, now=now)
    said = await asyncio.gather(*(_say(tools, claim) for claim in claimed))
    if claimed:
        outcomes = [_outcome(claim, sent, now) for claim, sent in zip(claimed, said, strict=True)]
        await settling.settle(tools.pool, outcomes, TRIED_FOR, now=now)
    return len(claimed)


class Deliverer:
    """Runs until told to stop. Any number of them, in any number of processes, may share one database."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._woken = asyncio.Event()
        self._stopping = False
        self._calls: set[asyncio.Task[None]] = set()
        self._outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self._settling = False

    def wake(self) -> None:
        """Something may be due: heard from the database, or a call has ended."""
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
        before = asyncio.get_running_loop().time()
        try:
            claimed = await lanes.claim(self._tools.pool)
        except UNAVAILABLE as trouble:
            log.warning("database.away", during="claim of deliveries", why=type(trouble).__name__)
            return 0
        for claim in claimed:
            call = asyncio.create_task(self._call(claim, before + START_WITHIN_S))
            self._calls.add(call)
            call.add_done_callback(self._ended)
        return len(claimed)

    async def _call(self, claim: Claim, not_after: float) -> None:
        clock = asyncio.get_running_loop().time
        if (began := clock()) < not_after:
            sent = await _say(self._tools, claim)
            # By the database's clock, near enough: it claimed a moment before we began.
            self._outcomes.put_nowait(_outcome(claim, sent, claim.claimed_at + timedelta(seconds=clock() - began)))

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self.wake()

    async def _settle_all(self) -> None:
        while True:
            batch = [await self._outcomes.get()]
            self._settling = True
            while not self._outcomes.empty() and len(batch) < SETTLE_MAX:
                batch.append(self._outcomes.get_nowait())
            await self._settle(batch)
            self._settling = False
            self.wake()  # places are free, and lanes go on

    async def _settle(self, batch: Sequence[Outcome]) -> None:
        """Until it is written: what was received is not sent again because the database was away."""
        for wait_s in itertools.chain(BACKOFF_S, itertools.repeat(BACKOFF_S[-1])):
            try:
                await settling.settle(self._tools.pool, batch, TRIED_FOR)
            except UNAVAILABLE as trouble:
                log.warning("database.away", during="settle of deliveries", why=type(trouble).__name__)
                await asyncio.sleep(wait_s)
            except Exception:
                log.exception("deliveries.not_settled", deliveries=[o.claim.delivery_id for o in batch])
                return await self._settle_apart(batch)
            else:
                return None
        return None

    async def _settle_apart(self, batch: Sequence[Outcome]) -> None:
        """One that cannot be written must not hold up the others; it is sent again when its lease has ended."""
        if len(batch) > 1:
            for outcome in batch:
                await self._settle([outcome])

    async def _rest(self) -> None:
        """Until woken, or the next lane is due."""
        try:
            due_in_s = await lanes.next_due(self._tools.pool)
        except UNAVAILABLE:
            due_in_s = BACKOFF_S[-1]
        # Never quite zero: what is due and not to be had is another worker's.
        rest_s = IDLE_MAX_S if due_in_s is None else min(max(due_in_s, REST_MIN_S), IDLE_MAX_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), rest_s)

    async def _finish(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                while self._calls or self._settling or not self._outcomes.empty():
                    self._woken.clear()
                    await self._woken.wait()


async def _say(tools: Tools, claim: Claim) -> Sent:
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            return await _send(tools, claim)
    except TimeoutError:
        return Sent(None, f"Nothing came of it within {SEND_WITHIN_S:g} s.", None, round(SEND_WITHIN_S * 1000))
    except Exception:
        # A sender does not raise; should it, this delivery waits for its next try like any other that failed.
        log.exception("delivery.failed", delivery=claim.delivery_id)
        return Sent(None, "Bilty could not send it; its log says why.", None, 0)


async def _send(tools: Tools, claim: Claim) -> Sent:
    try:
        secrets = signing.secrets_of(tools.vault, claim.sealed, claim.claimed_at)
    except ValueError as trouble:
        return Sent(None, str(trouble), None, 0)
    body = payload.body(claim.event, tools.vault, tools.base_url, claim.claimed_at, tools.label_good_for)
    return await tools.sender.send(claim.url, secrets, events.event_id(claim.event.uid), claim.claimed_at, body)


def _outcome(claim: Claim, sent: Sent, at: datetime) -> Outcome:
    due = GiveUp() if sent.received else next_try(claim.tries + 1, claim.first_at or at, at, sent.retry_after_s)
    return Outcome(
        claim=claim,
        received=sent.received,
        status=sent.status,
        why=sent.why,
        again_at=None if isinstance(due, GiveUp) else due,
        gone=sent.gone,
    )
