"""Settling what was said to order systems, in sets: the delivery, its lane, and how the endpoint is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import asyncpg
import structlog

from bilty.store.audit import BILTY, note
from bilty.store.database import Connection, Pool
from bilty.store.hand_off.endpoints import DISABLED
from bilty.store.hand_off.lanes import Claim

NOTHING_RECEIVED = "It has received nothing for {days} days. The last try: {why}"
OUTAGE = timedelta(minutes=10)
"""Failing for longer is an outage, whose end hastens what waits; a single message that is refused is none."""
HASTENED_MAX = 10_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim. `again_at` None where it was received, or is given up. `gone`: it wants nothing more."""

    claim: Claim
    received: bool
    status: int | None
    why: str
    again_at: datetime | None
    gone: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return self.claim.endpoint_id, self.claim.event.shipment_id


async def settle(
    pool: Pool, outcomes: Sequence[Outcome], broken_after: timedelta, *, now: datetime | None = None
) -> None:
    """Records what came of claims, in one transaction. Those under a fence that is no longer the lane's are left out.

    The lanes are locked before anything is looked for in them: an event that is written at this moment waits for us at
    its lane, and makes it due again; one that was written before is seen, because each look is a statement of its own.

    Where something is to be given up and the endpoint has received nothing else for `broken_after`, the endpoint is
    switched off instead, and keeps what it is owed; at once where it says that it is gone.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        mine = await _locked(connection, outcomes)
        if mine:
            off = await _note_health(connection, mine, at, broken_after)
            await _write_deliveries(connection, mine, off)
            await _write_lanes(connection, mine, at)


async def _locked(connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that are still ours, in the order in which everybody locks lanes."""
    rows = await connection.fetch(
        """SELECT l.endpoint_id, l.shipment_id, l.fence
             FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS m(endpoint_id, shipment_id, fence)
             JOIN lanes l USING (endpoint_id, shipment_id, fence)
            WHERE l.claimed_at IS NOT NULL -- else it is settled: a commit whose answer was lost is repeated
            ORDER BY l.endpoint_id, l.shipment_id FOR UPDATE OF l""",
        *_keys(outcomes),
        [o.claim.fence for o in outcomes],
    )
    held = {(row["endpoint_id"], row["shipment_id"], row["fence"]) for row in rows}
    for outcome in outcomes:
        if (*outcome.key, outcome.claim.fence) not in held:
            log.info("delivery.overtaken", delivery=outcome.claim.delivery_id, endpoint=outcome.claim.endpoint_id)
    return sorted((o for o in outcomes if (*o.key, o.claim.fence) in held), key=lambda o: o.key)


def _keys(outcomes: Sequence[Outcome]) -> tuple[list[int], list[int]]:
    return [o.key[0] for o in outcomes], [o.key[1] for o in outcomes]


async def _note_health(
    connection: Connection, mine: Sequence[Outcome], at: datetime, broken_after: timedelta
) -> frozenset[int]:
    """Since when endpoints fail; returns those that are switched off. Nothing is written where nothing changed."""
    rows = await connection.fetch(
        "SELECT id, code, failing_since, disabled_at FROM endpoints WHERE id = ANY($1)", list({o.key[0] for o in mine})
    )
    endpoints = {row["id"]: row for row in rows}
    off = {endpoint_id for endpoint_id, row in endpoints.items() if row["disabled_at"]}
    for endpoint_id, group in groupby(mine, key=lambda o: o.key[0]):
        if await _note(connection, endpoints[endpoint_id], list(group), at, broken_after):
            off.add(endpoint_id)
    return frozenset(off)


async def _note(
    connection: Connection, known: asyncpg.Record, outcomes: Sequence[Outcome], at: datetime, broken_after: timedelta
) -> bool:
    """Whether it is switched off by this."""
    since, why = known["failing_since"], next((o.why for o in outcomes if o.gone), None)
    if why is None and any(o.received for o in outcomes):
        if since:
            await connection.execute("UPDATE endpoints SET failing_since = NULL WHERE id = $1", known["id"])
        if since and at - since >= OUTAGE:
            await _hasten(connection, known["id"], at)
        return False
    last = next((o.why for o in outcomes if o.again_at is None), None)
    if why is None and last is not None and since and at - since >= broken_after:
        why = NOTHING_RECEIVED.format(days=broken_after.days, why=last)
    if why is None and since:
        return False
    # Where somebody else has noted something meanwhile, theirs stands, and the next failure is looked at anew.
    done = await connection.fetchval(
        """UPDATE endpoints SET failing_since = coalesce(failing_since, $2),
                  disabled_at = CASE WHEN $3::text IS NULL THEN disabled_at ELSE coalesce(disabled_at, $5) END,
                  disabled_why = CASE WHEN $3 IS NULL OR disabled_at IS NOT NULL THEN disabled_why ELSE $3 END
            WHERE id = $1 AND failing_since IS NOT DISTINCT FROM $4 RETURNING disabled_at IS NOT NULL""",
        known["id"],
        min(o.claim.claimed_at for o in outcomes),
        why,
        since,
        at,
    )
    if done and why and not known["disabled_at"]:
        log.warning("endpoint.disabled", endpoint=known["code"], why=why)
        await note(connection, BILTY, DISABLED, known["code"], after={"why": why})
    return bool(done)


async def _hasten(connection: Connection, endpoint_id: int, at: datetime) -> None:
    """It receives again: what waits, each for a try of its own up to an hour away, is due now.

    A lane that somebody holds is theirs; beyond HASTENED_MAX the others keep their time.
    """
    await connection.execute(
        """UPDATE lanes l SET due_at = $2
             FROM (SELECT endpoint_id, shipment_id FROM lanes
                    WHERE endpoint_id = $1 AND due_at > $2 AND claimed_at IS NULL
                    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS waiting
            WHERE l.endpoint_id = waiting.endpoint_id AND l.shipment_id = waiting.shipment_id""",
        endpoint_id,
        at,
        HASTENED_MAX,
    )


async def _write_deliveries(connection: Connection, mine: Sequence[Outcome], off: frozenset[int]) -> None:
    await connection.execute(
        """UPDATE deliveries d
              SET state = o.state, tries = d.tries + 1, first_at = coalesce(d.first_at, o.at), last_at = o.at,
                  status = o.status, why = o.why
             FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::int[], $5::text[])
                  AS o(id, state, at, status, why)
            WHERE d.id = o.id AND d.state = 'waiting'""",
        [o.claim.delivery_id for o in mine],
        [_state(o, off) for o in mine],
        [o.claim.claimed_at for o in mine],
        [o.status for o in mine],
        [o.why.replace("\0", "\N{REPLACEMENT CHARACTER}") for o in mine],
    )


def _state(outcome: Outcome, off: frozenset[int]) -> str:
    if outcome.received:
        return "delivered"
    kept = outcome.again_at is not None or outcome.claim.endpoint_id in off
    return "waiting" if kept else "given_up"


async def _write_lanes(connection: Connection, mine: Sequence[Outcome], at: datetime) -> None:
    """A lane whose delivery is over goes on with the next at once, if there is one."""
    await connection.execute(
        """UPDATE lanes l
              SET claimed_at = NULL,
                  due_at = coalesce(o.again_at, (
                      SELECT $4::timestamptz WHERE EXISTS (
                          SELECT FROM deliveries d WHERE d.endpoint_id = l.endpoint_id
                             AND d.shipment_id = l.shipment_id AND d.state = 'waiting')))
             FROM unnest($1::int[], $2::bigint[], $3::timestamptz[]) AS o(endpoint_id, shipment_id, again_at)
            WHERE l.endpoint_id = o.endpoint_id AND l.shipment_id = o.shipment_id""",
        *_keys(mine),
        [o.again_at for o in mine],
        at,
    )
