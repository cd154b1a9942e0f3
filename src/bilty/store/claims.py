"""Claiming, in sets: how any number of dispatchers share one table of turns. `bilty.store.settlements` ends a claim.

A claim is a lease: while the call is out, `due_at` says when somebody else may take the turn, and `fence` says whose
answer counts. Due, lease and fence go by the database's clock, so workers need not agree on the time; a test may give
`now` in its stead. What was claimed in ASKING is UNCLEAR from the commit on: written before it is said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg
import msgspec
import structlog

from bilty import shipping_provider
from bilty.hearing import claimed
from bilty.shipment import Appointment, Ewaybill, Facility, Shipment, decode, ewaybills_of, with_ewaybills
from bilty.shipping_provider import Connector, Terms
from bilty.store import limits
from bilty.store.database import Connection, Pool
from bilty.store.providers import Keyring, Opened
from bilty.store.turn_rows import turn_of
from bilty.turn import Step, Turn

log = structlog.get_logger()

LEASE = limits.LEASE
LEASE_LEFT_MIN = timedelta(seconds=5)
"""A call starts only with so much of its lease left; one that comes late is left to whoever claims the turn next."""
CALL_WITHIN = timedelta(seconds=50)
"""Of a claim, which may be two calls."""
OUT_AT_MOST = LEASE - LEASE_LEFT_MIN + CALL_WITHIN
"""From the claim to the answer. One that comes after the lease still counts, unless somebody else has the turn."""
PUT_OFF = timedelta(hours=1)
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


async def claim(
    pool: Pool, keyring: Keyring, *, calls_max: int, calls_out: Mapping[int, int], now: datetime | None = None
) -> list[Claim]:
    """Takes turns that are due, the longest due first, as many of each provider as may be called now.

    What connectors allow counts over all programs, as `bilty.store.limits` says. `calls_max` goes for those that do not
    say how many calls they may have out, and counts the caller's own, which are `calls_out`, however long ago they were
    claimed. Two do not count at once: a limited provider that another program is claiming for is left to it, and so
    are those that this process cannot open.
    """
    async with pool.acquire() as connection, connection.transaction():
        opened = await keyring.open(connection)
        alone = [row["id"] for row in await connection.fetch(ALONE, list(opened), now, limits.LOCK, limits.STALLED)]
        if not alone:
            return []
        # A statement of its own, so that it sees what the last who counted has claimed.
        rows = await connection.fetch(
            _TAKE, calls_max, LEASE, now, CLAIM_MAX, alone, list(calls_out.keys()), list(calls_out.values())
        )
        claims, unreadable = [], {}
        for row in rows:
            try:
                claims.append(_claim_of(row, opened[row["provider_id"]]))
            except Exception:
                # One row that cannot be read, as a newer version may have written it, must not stop the others.
                log.exception("turn.unreadable", turn=row["id"], reference=row["reference"])
                unreadable[row["id"]] = row["fence"]
        if claims:
            await _write_down(connection, claims)
            paced = Counter(c.provider_id for c in claims if c.connector.calls_per_second)
            if paced:
                await limits.pace(connection, paced, claims[0].claimed_at)
        if unreadable:
            await _put_off(connection, unreadable, called=False)
        return claims


_MAY_BE_CALLED = """NOT (state = 'asking' AND priority > 1 AND p.alarmed_at IS NOT NULL)
    AND NOT (state IN ('ranking', 'asking') AND NOT p.enabled)
    AND NOT EXISTS (SELECT FROM to_find WHERE to_find.shipment_id = turns.shipment_id
                                                 AND to_find.due_at IS NOT NULL)"""
"""While the status call does not answer as documented, no next courier is begun; while a provider is switched off,
nothing is begun, but what was begun is heard to its end. What is looked for after a restore (`bilty.store.finding`)
is called about by nobody else."""


ALONE = f"""
    WITH clock AS MATERIALIZED (SELECT coalesce($2::timestamptz, clock_timestamp()) AS now),
         owing AS MATERIALIZED (
            SELECT p.id, {limits.IS_LIMITED} AS is_limited FROM shipping_providers p CROSS JOIN clock
             WHERE p.id = ANY($1) AND p.paused_at IS NULL AND {limits.NOT_QUIET} AND EXISTS (
                   SELECT FROM turns WHERE provider_id = p.id AND due_at <= clock.now AND {_MAY_BE_CALLED}))
    SELECT id, set_config('idle_in_transaction_session_timeout', $4, true)
      FROM owing WHERE CASE WHEN is_limited THEN pg_try_advisory_xact_lock($3, id) ELSE true END"""  # noqa: S608
"""The providers that owe something; those with a limit only if nobody else counts for them until the transaction
ends."""

_TAKE = f"""
    WITH clock AS MATERIALIZED (SELECT coalesce($3::timestamptz, clock_timestamp()) AS now)
    SELECT t.*, clock.now, v.digest, v.content, f.content AS facility_now
      FROM clock CROSS JOIN shipping_providers p
      LEFT JOIN unnest($6::int[], $7::int[]) AS busy(provider_id, calls) ON busy.provider_id = p.id
     CROSS JOIN LATERAL (SELECT greatest(0, least({limits.ROOM}, {limits.PACED}, $4)) AS calls) AS room
     CROSS JOIN LATERAL (
         SELECT * FROM turns WHERE provider_id = p.id AND due_at <= clock.now AND {_MAY_BE_CALLED}
          ORDER BY due_at LIMIT room.calls FOR UPDATE SKIP LOCKED) AS t
      JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
      JOIN shipments s ON s.id = t.shipment_id JOIN facilities f ON f.id = s.facility_id
     WHERE p.id = ANY($5) AND p.paused_at IS NULL AND {limits.NOT_QUIET}"""  # noqa: S608 - constants


async def _put_off(connection: Connection, fences: Mapping[int, int], *, called: bool) -> None:
    """What cannot be worked on is tried again much later, so that it neither stops nor crowds out anything else.

    `fences` by turn: one that somebody else has claimed meanwhile is theirs. `called`: and one whose call was settled
    is to be left as it is.
    """
    await connection.execute(
        """UPDATE turns t SET due_at = clock_timestamp() + $3::interval, claimed_at = NULL
             FROM unnest($1::bigint[], $2::bigint[]) AS mine(id, fence)
            WHERE t.id = mine.id AND t.fence = mine.fence AND (t.claimed_at IS NOT NULL OR NOT $4)""",
        list(fences.keys()),
        list(fences.values()),
        PUT_OFF,
        called,
    )


def _claim_of(row: asyncpg.Record, opened: Opened) -> Claim:
    turn = turn_of(row, row["digest"])
    step = turn.step
    if step is None:
        raise AssertionError(f"turn {row['id']} is due in state {turn.state}, which owes nothing")
    shipment, terms = decode(row["content"]), None
    # A repetition says what was said before, to the letter: ClickPost's idempotency is about the same request. Only
    # what was never heard, or turned away unread, and has a pickup that is past by now, is promised anew.
    repeats = row["pickup_at"] is not None and (turn.asks > 0 or row["pickup_at"] > row["now"])
    facility = msgspec.json.decode(row["facility"] if repeats else row["facility_now"], type=Facility)
    if repeats:
        appointment = row["appointment"] and msgspec.json.decode(row["appointment"], type=Appointment)
        terms = Terms(pickup_at=row["pickup_at"], appointment=appointment or None)
        shipment = _as_told(shipment, row)
    elif step is Step.ASK:
        terms = shipping_provider.terms(shipment, facility, opened.connector, row["now"])
    return Claim(
        turn_id=row["id"],
        shipment_id=row["shipment_id"],
        provider_id=row["provider_id"],
        provider_revision=opened.revision,
        connector=opened.connector,
        fence=row["fence"] + 1,
        step=step,
        claimed_at=row["now"],
        shipment=shipment,
        facility=facility,
        terms=terms,
        turn=turn,
    )


def _as_told(shipment: Shipment, row: asyncpg.Record) -> Shipment:
    """With the e-way bills that this courier was told: what came since is told it apart, once there is an AWB."""
    if row["told_ewaybills"] is None:
        return shipment
    numbers = msgspec.json.decode(row["told_ewaybills"], type=dict[str, str])
    expiries = msgspec.json.decode(row["told_expiries"] or "{}", type=dict[str, date])
    return with_ewaybills(shipment, {name: Ewaybill(each, expiries.get(name)) for name, each in numbers.items()})


async def _write_down(connection: Connection, claims: Sequence[Claim]) -> None:
    """Before a byte leaves: the state in which a dead process is found, and what this courier is promised."""
    written = [(c, claimed(c.turn, c.claimed_at)) for c in claims]
    await connection.execute(
        """UPDATE turns t
              SET state = r.state, asks = r.asks, unknowns = r.unknowns, polls_done = r.polls_done,
                  asked_at = r.asked_at, pickup_at = r.pickup_at, appointment = r.appointment, facility = r.facility,
                  told_ewaybills = coalesce(r.told_ewaybills, t.told_ewaybills),
                  told_expiries = coalesce(r.told_expiries, t.told_expiries),
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
                    "facility": c.facility if turn.asks else None,
                    **(told_of(c.shipment) if c.step is Step.ASK else {}),
                }
                for c, turn in written
            ]
        ).decode(),
        claims[0].claimed_at,
        LEASE,
    )


def told_of(shipment: Shipment) -> dict[str, dict[str, object]]:
    """What a courier that is asked to carry it is told of its e-way bills, by the columns that keep it."""
    bills = ewaybills_of(shipment)
    return {
        "told_ewaybills": {invoice: bill.number for invoice, bill in bills.items()},
        "told_expiries": {invoice: bill.expires_on for invoice, bill in bills.items() if bill.expires_on},
    }


async def next_due(pool: Pool, keyring: Keyring) -> float | None:
    """Seconds until the next turn may be claimed, by the database's clock; None when nothing is owed."""
    seconds = await pool.fetchval(
        f"""SELECT extract(epoch FROM min(greatest(t.due_at, {limits.STARTS_AT})) - clock_timestamp())::float8
             FROM shipping_providers p CROSS JOIN LATERAL (
                  SELECT due_at FROM turns WHERE provider_id = p.id AND due_at IS NOT NULL AND {_MAY_BE_CALLED}
                   ORDER BY due_at LIMIT 1) AS t
            WHERE p.id = ANY($1) AND p.paused_at IS NULL""",  # noqa: S608 - constants
        list(await keyring.open(pool)),
    )
    return None if seconds is None else float(seconds)


async def late(connection: Connection) -> tuple[int, float]:
    """How many calls could be made and are not; how late the oldest is. What is held back on purpose is not late."""
    row = await connection.fetchrow(
        f"""SELECT count(*) AS due, coalesce(extract(epoch FROM max(clock.now - t.due_at)), 0)::float8 AS late_s
              FROM (SELECT clock_timestamp() AS now) AS clock CROSS JOIN shipping_providers p CROSS JOIN LATERAL (
                   SELECT due_at FROM turns WHERE provider_id = p.id AND due_at <= clock.now AND {_MAY_BE_CALLED}) AS t
             WHERE p.connector IS NOT NULL AND p.paused_at IS NULL AND {limits.NOT_QUIET}
               AND {limits.PACED} > 0"""  # noqa: S608 - constants
    )
    assert row is not None, "an aggregate has one row"
    return row["due"], row["late_s"]


async def put_off(pool: Pool, claim: Claim) -> None:
    """For an answer that cannot be recorded, however it is tried: the turn is not asked about every minute for ever."""
    async with pool.acquire() as connection:
        await _put_off(connection, {claim.turn_id: claim.fence}, called=True)
