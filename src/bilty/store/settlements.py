"""Settling claims, in sets: what was heard moves its shipment, and everything that was said is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import structlog

from bilty.children import miscount
from bilty.deciding.found import found
from bilty.reply import Exchange, Label, Paper, Reply
from bilty.store import awbs, courier_papers, health
from bilty.store.claims import Claim
from bilty.store.database import Connection, Pool
from bilty.store.listed import write_codes
from bilty.store.progress import Course, changing
from bilty.turn import Rules, State
from bilty.workflow import hear, put

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim. `unclaimed`: the call took no turn, and counts where nobody else took it meanwhile."""

    claim: Claim
    reply: Reply
    exchanges: tuple[Exchange, ...]
    unclaimed: bool = False


async def settle(pool: Pool, outcomes: Sequence[Outcome], rules: Rules, *, now: datetime | None = None) -> None:
    """Records what came of claims and moves their shipments, in one transaction, each by `bilty.workflow.hear`.

    An answer under a fence that is no longer the turn's is left out: the lease ran out, and whoever took the turn
    over asks under the same reference and hears the same. What was said is kept all the same. So is an answer that
    was settled before: a commit whose own answer was lost with the connection is said again.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        await settle_beside(connection, outcomes, rules, at)


async def settle_beside(connection: Connection, outcomes: Sequence[Outcome], rules: Rules, at: datetime) -> None:
    """As `settle`, beside what else the caller's transaction records."""
    async with changing(connection, [o.claim.shipment_id for o in outcomes], at) as courses:
        counting = [o for o in outcomes if _counts(courses[o.claim.shipment_id], o)]
        # Under the locks, which everybody takes first; taken before, its own on the turns could meet them.
        foreign = await awbs.take(
            connection,
            [
                (o.claim.turn.courier.cp_id, o.reply.awb, o.claim.turn_id)
                for o in counting
                if isinstance(o.reply, Label) and o.claim.turn.courier
            ],
        )
        for outcome in counting:
            _hear(courses[outcome.claim.shipment_id], outcome, at, rules, foreign)
    await _write_boxes(connection, counting, courses)
    await courier_papers.keep_links(
        connection, [(o.claim.turn_id, each) for o in counting if isinstance(o.reply, Label) for each in o.reply.papers]
    )
    await _write_warnings(connection, counting)
    await write_exchanges(connection, [o for o in outcomes if not _is_settled(courses[o.claim.shipment_id], o)])
    await health.note(
        connection, [(o.claim.provider_id, o.claim.provider_revision, o.claim.step, o.reply) for o in outcomes], at
    )
    await health.note_accounts(connection, [(courses[o.claim.shipment_id], o.claim.turn, o.reply) for o in counting])


def _counts(course: Course, outcome: Outcome) -> bool:
    """Whether it moves its turn: nobody has taken that over, and it is not settled yet."""
    reference = outcome.claim.turn.reference
    if course.fences.get(reference) == (outcome.claim.fence, not outcome.unclaimed):
        return True
    log.info("claim.overtaken", reference=reference, step=outcome.claim.step)
    return False


def _is_settled(course: Course, outcome: Outcome) -> bool:
    """Said before, with what was said in it."""
    return not outcome.unclaimed and course.fences.get(outcome.claim.turn.reference) == (outcome.claim.fence, False)


def _hear(course: Course, outcome: Outcome, at: datetime, rules: Rules, foreign: set[int]) -> None:
    claim = outcome.claim
    reference = claim.turn.reference
    turn = next(t for t in course.after.turns if t.reference == reference)
    # While the call was out `due_at` was the lease's end; polls keep the beat of when this one had been due.
    turn = replace(turn, due_at=claim.turn.due_at)
    foreign_awb = claim.turn_id in foreign
    if outcome.unclaimed and isinstance(outcome.reply, Label):
        course.after = found(course.after, turn, outcome.reply, at, rules, foreign_awb=foreign_awb)
    else:
        course.after = hear(course.after, turn, claim.step, outcome.reply, at, rules, foreign_awb=foreign_awb)
    course.answered.add(reference)
    if claim.turn.state is State.OFFERED:  # its claim gave it up, and told nobody
        course.before = put(course.before, claim.turn)
    if isinstance(outcome.reply, Label):
        heard = next(t for t in course.after.turns if t.reference == reference)
        differs = miscount(claim.shipment, outcome.reply.children, outcome.reply.awb)
        course.after = put(course.after, replace(heard, miscount=differs))


async def _write_boxes(connection: Connection, outcomes: Sequence[Outcome], courses: Mapping[int, Course]) -> None:
    """Children to the boxes they belong to, if their label will be on them; all of them stay with the turn."""
    labels = [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Label) and o.reply.children]
    await connection.executemany(
        "UPDATE turns SET children = $2 WHERE id = $1",
        [(claim.turn_id, msgspec.json.encode(label.children).decode()) for claim, label in labels],
    )
    await write_codes(
        connection, [(child.awb, claim.shipment_id) for claim, label in labels for child in label.children]
    )
    for claim, label in [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Label)]:
        holder = courses[claim.shipment_id].after.holder
        if holder is None or holder.reference != claim.turn.reference or holder.awb != label.awb:
            continue  # the last: a person typed another AWB while this answer was on its way
        version = courses[claim.shipment_id].after.version
        await awbs.put_on_boxes(connection, claim.shipment_id, version, claim.shipment, label.children, label.awb)


async def _write_warnings(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    for claim, paper in [(o.claim, o.reply) for o in outcomes if isinstance(o.reply, Paper)]:
        await awbs.warn_of_pages(connection, claim.shipment_id, paper.pages, len(claim.shipment.boxes))


async def write_exchanges(connection: Connection, outcomes: Sequence[Outcome]) -> None:
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
