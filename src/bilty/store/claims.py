"""Claim and settle, both in sets: how any number of dispatchers share one table of turns.

A claim is a lease: while the call is out, `due_at` says when somebody else may take the turn, and `fence` says whose
answer counts. Due, lease and fence go by the database's clock, so workers need not agree on the time; a test may give
`now` in its stead. What was claimed in ASKING is UNCLEAR from the commit on: written before it is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog

from bilty import shipping_provider
from bilty.children import match_children
from bilty.hearing import claimed
from bilty.reply import Exchange, Label, Reply
from bilty.shipment import Appointment, Facility, Shipment, decode
from bilty.shipping_provider import Connector, Terms
from bilty.store import health
from bilty.store.database import Connection, Pool
from bilty.store.progress import Course, changing, turn_of
from bilty.store.providers import open_connector
from bilty.store.secrets import Vault
from bilty.turn import Rules, Step, Turn
from bilty.workflow import hear

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
CLAIM_MAX = 500
"""Turns a claim takes at most, so that the transaction stays short."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn whose call is ours to make within `LEASE` of `claimed_at`."""

    turn_id: int
    shipment_id: int
    provider_id: int
    provider_revision: int
    connector: Connector
    fence: int
    step: Step
    claimed_at: datetime
    shipment: Shipment
    facility: Facility
    terms: Terms | None
    turn: Turn  # as it was before the claim


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim."""

    claim: Claim
    reply: Reply
    exchanges: tuple[Exchange, ...]


async def claim(
    pool: Pool, vault: Vault, *, calls_max: int, calls_out: Mapping[int, int], now: datetime | None = None
) -> list[Claim]:
    """Takes turns that are due, the longest due first, as many a provider as it may have calls out beside those it has.

    A paused provider's turns wait; where the status call does not answer as documented, no next courier is begun.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            """WITH clock AS MATERIALIZED (SELECT coalesce($4::timestamptz, clock_timestamp()) AS now)
               SELECT t.*, clock.now, v.digest, v.content, f.content AS facility, p.revision, p.connector, p.sealed_key
                 FROM clock CROSS JOIN shipping_providers p
                 LEFT JOIN unnest($2::int[], $3::int[]) AS busy(provider_id, calls) ON busy.provider_id = p.id
                CROSS JOIN LATERAL (
                    SELECT * FROM turns
                     WHERE provider_id = p.id AND due_at <= clock.now
                       AND NOT (state = 'asking' AND priority > 1 AND p.alarmed_at IS NOT NULL)
                     ORDER BY due_at LIMIT least($1 - coalesce(busy.calls, 0), $5) FOR UPDATE SKIP LOCKED) AS t
                 JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
                 JOIN shipments s ON s.id = t.shipment_id JOIN facilities f ON f.id = s.facility_id
                WHERE p.connector IS NOT NULL AND p.paused_at IS NULL AND coalesce(busy.calls, 0) < $1""",
            calls_max,
            list(calls_out.keys()),
            list(calls_out.values()),
            now,
            CLAIM_MAX,
        )
        connectors = await _open_connectors(connection, vault, rows)
        claims = [_claim_of(row, connectors[row["provider_id"]]) for row in rows if row["provider_id"] in connectors]
        if claims:
            await _write_down(connection, claims)
        return claims


async def _open_connectors(
    connection: Connection, vault: Vault, rows: Sequence[asyncpg.Record]
) -> dict[int, Connector]:
    """By provider. One whose key was sealed with another secret is paused: Update Connector seals it anew."""
    connectors = {}
    for row in {row["provider_id"]: row for row in rows}.values():
        try:
            connectors[row["provider_id"]] = open_connector(row, vault)
        except ValueError as trouble:
            log.exception("connector.sealed", provider=row["provider_id"], why=str(trouble))
            await health.pause(connection, row["provider_id"], row["revision"], str(trouble), row["now"])
    return connectors


def _claim_of(row: asyncpg.Record, connector: Connector) -> Claim:
    turn = turn_of(row, row["digest"])
    step = turn.step
    if step is None:
        raise AssertionError(f"turn {row['id']} is due in state {turn.state}, which owes nothing")
    shipment, facility = decode(row["content"]), msgspec.json.decode(row["facility"], type=Facility)
    terms = None
    if row["pickup_at"] is not None and turn.asks > 0:
        appointment = row["appointment"] and msgspec.json.decode(row["appointment"], type=Appointment)
        terms = Terms(pickup_at=row["pickup_at"], appointment=appointment or None)
    elif step is Step.ASK:
        terms = shipping_provider.terms(shipment, facility, connector, row["now"])
    return Claim(
        turn_id=row["id"],
        shipment_id=row["shipment_id"],
        provider_id=row["provider_id"],
        provider_revision=row["revision"],
        connector=connector,
        fence=row["fence"] + 1,
        step=step,
        claimed_at=row["now"],
        shipment=shipment,
        facility=facility,
        terms=terms,
        turn=turn,
    )


async def _write_down(connection: Connection, claims: Sequence[Claim]) -> None:
    """Before a byte leaves: the state in which a dead process is found, and what this courier is promised."""
    written = [(c, claimed(c.turn, c.claimed_at)) for c in claims]
    await connection.execute(
        """UPDATE turns t
              SET state = r.state, asks = r.asks, unknowns = r.unknowns, polls_done = r.polls_done,
                  asked_at = r.asked_at, pickup_at = r.pickup_at, appointment = r.appointment,
                  fence = t.fence + 1, claimed_at = $2::timestamptz, due_at = $2::timestamptz + $3::interval
             FROM jsonb_populate_recordset(NULL::turns, $1) r WHERE t.id = r.id""",
        msgspec.json.encode(
            [
                {
                    "id": c.turn_id,
                    "state": turn.state,
                    "asks": turn.asks,
                    "unknowns": turn.unknowns,
                    "polls_done": turn.polls_done,
                    "asked_at": turn.asked_at,
                    "pickup_at": c.terms and c.terms.pickup_at,
                    "appointment": c.terms and c.terms.appointment,
                }
                for c, turn in written
            ]
        ).decode(),
        claims[0].claimed_at,
        LEASE,
    )


async def next_due(pool: Pool) -> float | None:
    """Seconds until the next turn is due, by the database's clock; None when nothing is owed."""
    seconds = await pool.fetchval(
        """SELECT extract(epoch FROM min(t.due_at) - clock_timestamp())::float8
             FROM shipping_providers p CROSS JOIN LATERAL (
                  SELECT due_at FROM turns
                   WHERE provider_id = p.id AND due_at IS NOT NULL
                     AND NOT (state = 'asking' AND priority > 1 AND p.alarmed_at IS NOT NULL)
                   ORDER BY due_at LIMIT 1) AS t
            WHERE p.connector IS NOT NULL AND p.paused_at IS NULL"""
    )
    return None if seconds is None else float(seconds)


async def settle(pool: Pool, outcomes: Sequence[Outcome], rules: Rules, *, now: datetime | None = None) -> None:
    """Records what came of claims and moves their shipments, in one transaction, each by `bilty.workflow.hear`.

    An answer under a fence that is no longer the turn's is left out: the lease ran out, and whoever took the turn
    over asks under the same reference and hears the same. What was said is kept all the same.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        foreign = await _take_awbs(connection, outcomes)
        async with changing(connection, [o.claim.shipment_id for o in outcomes], at) as courses:
            for outcome in outcomes:
                _hear(courses[outcome.claim.shipment_id], outcome, at, rules, foreign)
        await _write_boxes(connection, outcomes, courses)
        await _write_exchanges(connection, outcomes)
        await health.note(
            connection, [(o.claim.provider_id, o.claim.provider_revision, o.claim.step, o.reply) for o in outcomes], at
        )
        await health.note_accounts(
            connection, [(courses[o.claim.shipment_id], o.claim.turn, o.reply) for o in outcomes]
        )


def _hear(course: Course, outcome: Outcome, at: datetime, rules: Rules, foreign: set[int]) -> None:
    claim = outcome.claim
    reference = claim.turn.reference
    if course.fences.get(reference) != claim.fence:
        log.info("claim.overtaken", reference=reference, step=claim.step)
        return
    turn = next(t for t in course.after.turns if t.reference == reference)
    # While the call was out `due_at` was the lease's end; polls keep the beat of when this one had been due.
    turn = replace(turn, due_at=claim.turn.due_at)
    foreign_awb = claim.turn_id in foreign
    course.after = hear(course.after, turn, claim.step, outcome.reply, at, rules, foreign_awb=foreign_awb)
    course.answered.add(reference)


async def _take_awbs(connection: Connection, outcomes: Sequence[Outcome]) -> set[int]:
    """Notes who was first to hear each AWB, and returns the turns that heard one of another shipment's."""
    heard = sorted(
        (o.claim.turn.courier.cp_id, o.reply.awb, o.claim.turn_id)
        for o in outcomes
        if isinstance(o.reply, Label) and o.claim.turn.courier
    )
    if not heard:
        return set()
    cp_ids, awbs, turn_ids = (list(column) for column in zip(*heard, strict=True))
    await connection.execute(
        """INSERT INTO awbs (cp_id, awb, turn_id) SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[])
           ON CONFLICT DO NOTHING""",
        cp_ids,
        awbs,
        turn_ids,
    )
    rows = await connection.fetch(
        """SELECT h.turn_id FROM unnest($1::int[], $2::text[], $3::bigint[]) AS h(cp_id, awb, turn_id)
             JOIN awbs a USING (cp_id, awb) JOIN turns owner ON owner.id = a.turn_id
             JOIN turns hearer ON hearer.id = h.turn_id
            WHERE owner.shipment_id <> hearer.shipment_id""",
        cp_ids,
        awbs,
        turn_ids,
    )
    return {row["turn_id"] for row in rows}


async def _write_boxes(connection: Connection, outcomes: Sequence[Outcome], courses: Mapping[int, Course]) -> None:
    """Children to the boxes they belong to, if their label will be on them; all of them stay with the turn."""
    labels = [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Label) and o.reply.children]
    await connection.executemany(
        "UPDATE turns SET children = $2 WHERE id = $1",
        [(claim.turn_id, msgspec.json.encode(label.children).decode()) for claim, label in labels],
    )
    for claim, label in [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Label)]:
        holder = courses[claim.shipment_id].after.holder
        if holder is None or holder.reference != claim.turn.reference:
            continue
        matched = match_children(claim.shipment, label.children, label.awb)
        await connection.executemany(
            "UPDATE boxes SET awb = $4 WHERE shipment_id = $1 AND version = $2 AND number = $3",
            [(claim.shipment_id, courses[claim.shipment_id].after.version, n, awb) for n, awb in matched.by_box],
        )
        if matched.warning:
            await connection.execute(
                "UPDATE shipments SET warnings = array_append(warnings, $2) WHERE id = $1 AND NOT $2 = ANY(warnings)",
                claim.shipment_id,
                matched.warning,
            )


async def _write_exchanges(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    await connection.executemany(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (o.claim.turn_id, e.at, o.claim.step, e.request, e.status, e.answer, e.duration_ms)
            for o in outcomes
            for e in o.exchanges
        ],
    )
