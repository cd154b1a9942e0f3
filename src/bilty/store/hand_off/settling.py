"""Settling what was said to order systems, in sets: the delivery, its lane, and how the endpoint is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import asyncpg
import structlog

from bilty.store.audit import BILTY, note
from bilty.store.database import Connection, Pool
from bilty.store.hand_off import going_on
from bilty.store.hand_off.endpoints import DISABLED
from bilty.store.hand_off.health import Health, health
from bilty.store.hand_off.lanes import Outcome

log = structlog.get_logger()


async def settle(
    pool: Pool, outcomes: Sequence[Outcome], broken_after: timedelta, *, now: datetime | None = None
) -> None:
    """Records what came of claims, in one transaction. Those under a fence that is no longer the lane's are left out.

    The lanes are locked before anything is looked for in them: an event that is written at this moment waits for us at
    its lane, and makes it due again; one that was written before is seen, because each look is a statement of its own.

    What is to be given up is kept where the endpoint is disabled instead; see `health`.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        mine = await _locked(connection, outcomes)
        if mine:
            disabled = await _note_health(connection, mine, at, broken_after)
            await _write_deliveries(connection, mine, disabled)
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
    """How endpoints are; returns those that are disabled. Nothing is written where nothing changed."""
    rows = await connection.fetch(
        """SELECT id, code, failing_since, disabled_at, hasten_until FROM endpoints
            WHERE id = ANY($1) AND removed_at IS NULL""",
        list({o.key[0] for o in mine}),
    )
    endpoints = {row["id"]: row for row in rows}
    disabled = {endpoint_id for endpoint_id, row in endpoints.items() if row["disabled_at"]}
    for endpoint_id, group in groupby(mine, key=lambda o: o.key[0]):
        known = endpoints.get(endpoint_id)
        if known and await _note(connection, known, list(group), at, broken_after):
            disabled.add(endpoint_id)
    return frozenset(disabled)


async def _note(
    connection: Connection, known: asyncpg.Record, outcomes: Sequence[Outcome], at: datetime, broken_after: timedelta
) -> bool:
    """Whether it is disabled by this."""
    since = known["failing_since"]
    found = health(since, outcomes, at, broken_after)
    if known["hasten_until"] and any(each.received for each in outcomes):
        await going_on.hasten_more(connection, known["id"], at, known["hasten_until"])
    if found == Health(since):
        return False
    if found.failing_since is None:
        await connection.execute("UPDATE endpoints SET failing_since = NULL WHERE id = $1", known["id"])
        if found.recovered:
            await going_on.hasten(connection, known["id"], at)
        return False
    # Where somebody else has noted something meanwhile, theirs stands, and the next failure is looked at anew.
    done = await connection.fetchval(
        """UPDATE endpoints SET failing_since = coalesce(failing_since, $2),
                  disabled_at = CASE WHEN $3::text IS NULL THEN disabled_at ELSE coalesce(disabled_at, $5) END,
                  disabled_why = CASE WHEN $3 IS NULL OR disabled_at IS NOT NULL THEN disabled_why ELSE $3 END
            WHERE id = $1 AND failing_since IS NOT DISTINCT FROM $4 RETURNING disabled_at IS NOT NULL""",
        known["id"],
        found.failing_since,
        found.disabled_why,
        since,
        at,
    )
    if done and found.disabled_why is not None and not known["disabled_at"]:
        log.warning("endpoint.disabled", endpoint=known["code"], why=found.disabled_why)
        await note(connection, BILTY, DISABLED, known["code"], after={"why": found.disabled_why})
    return bool(done)


async def _write_deliveries(connection: Connection, mine: Sequence[Outcome], disabled: frozenset[int]) -> None:
    await connection.execute(
        """UPDATE deliveries d
              SET state = o.state, tries = o.tries, first_at = o.first_at, last_at = o.at,
                  status = o.status, why = o.why
             FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::int[], $5::text[], $6::int[],
                         $7::timestamptz[]) AS o(id, state, at, status, why, tries, first_at)
            WHERE d.id = o.id AND d.state = 'waiting'""",
        [o.claim.delivery_id for o in mine],
        [_state(o, disabled) for o in mine],
        [o.claim.claimed_at for o in mine],
        [o.status for o in mine],
        [o.why.replace("\0", "\N{REPLACEMENT CHARACTER}") for o in mine],
        [o.claim.tries + 1 for o in mine],
        [o.claim.first_at or o.claim.claimed_at for o in mine],
    )


def _state(outcome: Outcome, disabled: frozenset[int]) -> str:
    if outcome.received:
        return "delivered"
    kept = outcome.again_at is not None or outcome.claim.endpoint_id in disabled
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
