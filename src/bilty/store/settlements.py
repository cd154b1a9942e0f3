"""Settling claims, in sets: what was heard moves its shipment, and everything that was said is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import structlog

from bilty.children import match_children
from bilty.reply import Exchange, Label, Paper, Reply
from bilty.store import health
from bilty.store.claims import Claim
from bilty.store.database import Connection, Pool
from bilty.store.progress import Course, changing
from bilty.turn import Rules
from bilty.workflow import hear

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim."""

    claim: Claim
    reply: Reply
    exchanges: tuple[Exchange, ...]


async def settle(pool: Pool, outcomes: Sequence[Outcome], rules: Rules, *, now: datetime | None = None) -> None:
    """Records what came of claims and moves their shipments, in one transaction, each by `bilty.workflow.hear`.

    An answer under a fence that is no longer the turn's is left out: the lease ran out, and whoever took the turn
    over asks under the same reference and hears the same. What was said is kept all the same.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        async with changing(connection, [o.claim.shipment_id for o in outcomes], at) as courses:
            # Under the locks, which everybody takes first; taken before, its own on the turns could meet them.
            foreign = await _take_awbs(connection, outcomes)
            for outcome in outcomes:
                _hear(courses[outcome.claim.shipment_id], outcome, at, rules, foreign)
        await _write_boxes(connection, outcomes, courses)
        await _write_warnings(connection, outcomes)
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
            await _warn(connection, claim.shipment_id, matched.warning)


async def _write_warnings(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    for claim, paper in [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Paper)]:
        boxes = len(claim.shipment.boxes)
        if paper.pages == 0:
            await _warn(
                connection, claim.shipment_id, "The label's PDF cannot be read: look at it before it is printed."
            )
        elif paper.pages < boxes:
            await _warn(connection, claim.shipment_id, f"The label has {paper.pages} pages for {boxes} boxes.")


async def _warn(connection: Connection, shipment_id: int, warning: str) -> None:
    await connection.execute(
        "UPDATE shipments SET warnings = array_append(warnings, $2) WHERE id = $1 AND NOT $2 = ANY(warnings)",
        shipment_id,
        warning,
    )


async def _write_exchanges(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    await connection.executemany(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (o.claim.turn_id, e.at, o.claim.step, _text(e.request), e.status, _text(e.answer), e.duration_ms)
            for o in outcomes
            for e in o.exchanges
        ],
    )


def _text(said: str) -> str:
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL's text has no NUL, a broken proxy's may
