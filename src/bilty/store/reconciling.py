"""Rounds of reconciliation: which references are asked about, how far a round has come, and whose page is whose.

A round goes through the turns in the order of their ids, in pages. Whoever takes a page has it for `LEASE`; should they
die, the next takes the same page, and asking twice does no harm, since nothing that is asked here can book or cancel.
`bilty.store.differences` keeps what is found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog

from bilty.shipment import Facility, decode
from bilty.store.claims import OUT_AT_MOST, Claim
from bilty.store.database import Connection
from bilty.store.providers import Opened
from bilty.store.turn_rows import turn_of
from bilty.turn import Kind, State, Step

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""Longer than a page of calls that are all answered at the last moment."""
BACK = timedelta(days=7)
"""How long ago what is asked about may have ended. Whatever is still open is asked about whenever it began."""
PAGE_MAX = 20
SPAN = 20_000
"""Turns that are looked through at a time, so that a statement stays short however few of them are asked about."""


WAITED_FOR = frozenset({State.UNCLEAR, State.WAITING, State.ASKING})
"""Of these the dispatcher asks by itself, and soon."""
ASKED_ABOUT = """(
    t.state IN ('unclear', 'waiting', 'undecided')
    OR (t.state = 'asking' AND t.asks > 0)
    OR (t.state = 'lapsed' AND coalesce(t.lapsed_at, t.asked_at) >= $3)
    OR (t.state = 'refused' AND t.code = 0 AND t.asked_at >= $3)
    OR (t.state IN ('fetching', 'unlabelled', 'won') AND t.awb <> '' AND NOT s.dispatched AND t.asked_at >= $3))"""
"""What may still be booked, whenever that was; what ended since without a courier's definite no; and what has the
shipment and still stands here. Whatever has an AWB too many is being cancelled, and asked about by that."""


@dataclass(frozen=True, slots=True)
class Round:
    """`tries`: how often its next page was asked about in vain. `problem`: why it ended before its end."""

    id: int
    begun_at: datetime
    since: datetime
    upto_turn: int
    after_turn: int
    lease: int
    tries: int
    asked: int
    unanswered: int
    taken_in: int
    ended_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page asks about. `through`: the turn behind which the next one begins; None where this is the last.

    `abandoned`: turns that somebody has claimed who can no longer answer.
    """

    claims: Sequence[Claim]
    through: int | None
    abandoned: frozenset[int] = frozenset()


async def begin(connection: Connection, back: timedelta = BACK) -> bool:
    """False where one is under way: that one is gone on with. `back`: how long ago a turn may have ended."""
    begun = await connection.fetchval(
        """INSERT INTO reconciliations (since, upto_turn)
           SELECT clock_timestamp() - $1::interval, coalesce((SELECT max(id) FROM turns), 0)
           ON CONFLICT DO NOTHING RETURNING id""",
        back,
    )
    return begun is not None


async def begin_if_due(connection: Connection, every: timedelta) -> bool:
    """By the calendar: so long after the last began, and not before there is anything so old."""
    is_due = await connection.fetchval(
        """SELECT NOT EXISTS (SELECT FROM reconciliations WHERE ended_at IS NULL OR begun_at > ago.at)
                  AND coalesce((SELECT created_at FROM shipments ORDER BY id LIMIT 1) <= ago.at, false)
             FROM (SELECT clock_timestamp() - $1::interval AS at) AS ago""",
        every,
    )
    return bool(is_due) and await begin(connection)


async def take(connection: Connection) -> Round | None:
    """The open round's next page is ours; None where there is none, or it is somebody's, or waits."""
    row = await connection.fetchrow(
        """UPDATE reconciliations SET lease = lease + 1, leased_until = clock_timestamp() + $1::interval
            WHERE ended_at IS NULL AND leased_until <= clock_timestamp() RETURNING *""",
        LEASE,
    )
    return _round(row) if row else None


async def is_still_ours(connection: Connection, taken: Round) -> bool:
    """Whether nobody else has taken the page over. To the end of the transaction nobody will."""
    lease = await connection.fetchval(
        "SELECT lease FROM reconciliations WHERE id = $1 AND ended_at IS NULL FOR UPDATE", taken.id
    )
    return bool(lease == taken.lease)


async def latest(connection: Connection) -> Round | None:
    row = await connection.fetchrow("SELECT * FROM reconciliations ORDER BY id DESC LIMIT 1")
    return _round(row) if row else None


async def page(connection: Connection, taken: Round, opened: Mapping[int, Opened]) -> Page:
    """Of the providers that can be spoken to here and now. A turn whose call is out is being asked about already."""
    after = taken.after_turn
    while after < taken.upto_turn:
        upto = min(after + SPAN, taken.upto_turn)
        rows = await _rows(connection, taken, after, upto, list(opened))
        through = rows[-1]["id"] if len(rows) == PAGE_MAX else upto
        if rows:
            abandoned = frozenset(row["id"] for row in rows if row["claimed_at"] is not None)
            return Page([each for row in rows if (each := _claim(row, opened))], through, abandoned)
        after = upto
    return Page([], None)


async def _rows(
    connection: Connection, taken: Round, after: int, upto: int, providers: Sequence[int]
) -> list[asyncpg.Record]:
    return await connection.fetch(
        f"""SELECT t.*, v.digest, v.content, coalesce(t.facility, f.content) AS at_facility,
                   clock_timestamp() AS now
              FROM turns t JOIN shipments s ON s.id = t.shipment_id JOIN facilities f ON f.id = s.facility_id
              JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
              JOIN shipping_providers p ON p.id = t.provider_id
             WHERE t.id > $1 AND t.id <= $2 AND t.cp_id IS NOT NULL AND {ASKED_ABOUT}
               AND (t.claimed_at IS NULL OR t.claimed_at <= clock_timestamp() - $4::interval)
               AND p.id = ANY($5) AND p.paused_at IS NULL AND p.alarmed_at IS NULL
               AND NOT EXISTS (SELECT FROM to_find n WHERE n.shipment_id = t.shipment_id AND n.due_at IS NOT NULL)
             ORDER BY t.id LIMIT $6""",  # noqa: S608 - constant
        after,
        upto,
        taken.since,
        OUT_AT_MOST,
        providers,
        PAGE_MAX,
    )


def _claim(row: asyncpg.Record, opened: Mapping[int, Opened]) -> Claim | None:
    """The turn as it is, under its present fence: whoever claims it from now on goes before us."""
    try:
        provider = opened[row["provider_id"]]
        return Claim(
            turn_id=row["id"],
            shipment_id=row["shipment_id"],
            provider_id=row["provider_id"],
            provider_revision=provider.revision,
            connector=provider.connector,
            fence=row["fence"],
            step=Step.INQUIRE,
            claimed_at=row["now"],
            shipment=decode(row["content"]),
            facility=msgspec.json.decode(row["at_facility"], type=Facility),
            terms=None,
            turn=turn_of(row, row["digest"]),
        )
    except Exception:
        # One row that cannot be read, as a newer version may have written it, must not stop the others.
        log.exception("turn.unreadable", turn=row["id"], reference=row["reference"])
        return None


def has_shipment(claim: Claim) -> bool:
    """Its AWB is known, and is held against what they have; of the others it is asked whether there is one."""
    return claim.turn.kind is Kind.HOLDS


def is_watched(claim: Claim) -> bool:
    """It has lapsed: a definite no ends the matter, though nobody may be listening for it any more."""
    return claim.turn.state is State.LAPSED


async def go_on(
    connection: Connection,
    taken: Round,
    after_turn: int,
    *,
    asked: int = 0,
    unanswered: int = 0,
    taken_in: int = 0,
    tries: int = 0,
    pause: timedelta = timedelta(0),
) -> None:
    """The next page begins behind this turn, and is whose who comes first after the `pause`."""
    await connection.execute(
        """UPDATE reconciliations SET after_turn = $2, asked = asked + $3, unanswered = unanswered + $4,
                  taken_in = taken_in + $5, tries = $6, leased_until = clock_timestamp() + $7::interval
            WHERE id = $1""",
        taken.id,
        after_turn,
        asked,
        unanswered,
        taken_in,
        tries,
        pause,
    )


async def end(connection: Connection, taken: Round, problem: str = "") -> None:
    await connection.execute(
        "UPDATE reconciliations SET ended_at = clock_timestamp(), problem = $2 WHERE id = $1", taken.id, problem
    )


def _round(row: asyncpg.Record) -> Round:
    return Round(**{name: row[name] for name in Round.__dataclass_fields__})
