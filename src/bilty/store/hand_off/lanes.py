"""Lanes: what is owed to one endpoint about one shipment goes one after the other, so that its order is kept.

A lane is claimed and settled as a turn is, in sets: `due_at` says when it may be called, and while a call is out, when
somebody else may; `fence` says whose outcome counts. At most `OUT_MAX` lanes of an endpoint are out at once, over all
processes: whoever claims holds the endpoint's row. A writer of events has it for its foreign key, too, in a way that
does not conflict with ours.

One order of locks for all, so that no two wait for each other:

    a shipment and its turns            who writes a fact
    lanes, by endpoint and shipment     who writes events (`owing`), replays, or settles: they wait for them
    the endpoint's row                  who settles, and notes how the endpoint is: waits for it, by id

Whoever has an endpoint's row before, because they claim for it, change it or have it go on, waits for no lane: they
pass over one that somebody holds, as clearing does. A removed endpoint's row is only marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog

from bilty.hand_off import EventKind
from bilty.reply import Child
from bilty.shipment import Shipment, decode
from bilty.store.database import Connection, Pool
from bilty.store.hand_off.events import Content
from bilty.store.hand_off.owing import WANTED

OUT_MAX = 8
LEASE = timedelta(seconds=30)
LEASE_LEFT_MIN = timedelta(seconds=15)
"""A call starts only with so much of its lease left: more than the longest call takes."""
PUT_OFF = timedelta(hours=1)
NOT_WANTED = "The endpoint is not told of this any more."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Event:
    """All that a message is made of, as it was when it happened. `children` are box waybills as the courier sent them.

    `shipment` is the content in the version of that time; `packslip_required` is what the connector says now.
    """

    id: int
    uid: UUID
    kind: EventKind
    at: datetime
    content: Content
    shipment_id: int
    shipment: Shipment
    children: tuple[Child, ...]
    packslip_required: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery whose call is ours to make. `tries` and `first_at` are as they were before it."""

    endpoint_id: int
    fence: int
    claimed_at: datetime
    delivery_id: int
    tries: int
    first_at: datetime | None
    url: str
    sealed: Mapping[str, object]  # as `signing.secrets_of` takes it
    event: Event


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


async def claim(pool: Pool, *, now: datetime | None = None) -> list[Claim]:
    """Takes lanes that are due, the longest due first, as many of each endpoint as it may have out beside those it has.

    An endpoint whose row somebody holds is passed over: they claim for it, or settle and then wake us.
    """
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        endpoints = await connection.fetch(
            """SELECT p.id FROM endpoints p
                CROSS JOIN LATERAL (SELECT FROM lanes l WHERE l.endpoint_id = p.id AND l.due_at <= $1
                                     ORDER BY l.due_at LIMIT 1) AS due
                WHERE p.enabled AND p.disabled_at IS NULL
                ORDER BY p.id FOR NO KEY UPDATE OF p SKIP LOCKED""",
            at,
        )
        if not endpoints:
            return []
        # A statement of its own, so that it sees what the last holder of the endpoint's row has claimed.
        lanes = await connection.fetch(_TAKE, [row["id"] for row in endpoints], at, LEASE)
        owed = await _owed(connection, lanes)
        fences = {_key(row): row["fence"] for row in lanes}
        claims, unreadable = [], []
        for row in owed:
            try:
                claims.append(_claim_of(row, fences[_key(row)], at))
            except Exception:
                # One that cannot be read, as a newer version may have written it, must not stop the others.
                log.exception("delivery.unreadable", delivery=row["delivery_id"])
                unreadable.append(_key(row))
        await _release(connection, unreadable, at + PUT_OFF)
        await _release(connection, list(fences.keys() - {_key(row) for row in owed}), None)
        return claims


_TAKE = f"""
    WITH due AS MATERIALIZED (
        SELECT l.endpoint_id, l.shipment_id
          FROM unnest($1::int[]) AS p(id)
         CROSS JOIN LATERAL (SELECT count(*) AS out FROM lanes o
                              WHERE o.endpoint_id = p.id AND o.claimed_at IS NOT NULL AND o.due_at > $2) AS busy
         CROSS JOIN LATERAL (SELECT * FROM (SELECT endpoint_id, shipment_id FROM lanes
                                             WHERE endpoint_id = p.id AND due_at <= $2
                                             ORDER BY due_at LIMIT {OUT_MAX} FOR UPDATE SKIP LOCKED) AS few
                              LIMIT greatest({OUT_MAX} - busy.out, 0)) AS l)
    UPDATE lanes l SET claimed_at = $2, due_at = $2 + $3::interval, fence = l.fence + 1
      FROM due WHERE l.endpoint_id = due.endpoint_id AND l.shipment_id = due.shipment_id
    RETURNING l.endpoint_id, l.shipment_id, l.fence"""  # noqa: S608 - a constant, which the planner reckons with

_OWED = f"""
    SELECT p.id AS endpoint_id, p.url, p.code, p.sealed_secret, p.sealed_old_secret, p.old_secret_until,
           s.id AS shipment_id, d.id AS delivery_id, CASE WHEN anew.so THEN 0 ELSE d.tries END AS tries,
           CASE WHEN anew.so THEN NULL ELSE d.first_at END AS first_at, {WANTED} AS is_wanted,
           e.id AS event_id, e.uid, e.kind, e.at, e.content, v.content AS shipment, t.children,
           coalesce((q.connector ->> 'packslip_required')::boolean, false) AS packslip_required
      FROM unnest($1::int[], $2::bigint[]) AS l(endpoint_id, shipment_id)
      JOIN endpoints p ON p.id = l.endpoint_id JOIN shipments s ON s.id = l.shipment_id
      JOIN shipping_providers q ON q.id = s.provider_id
     CROSS JOIN LATERAL (SELECT * FROM deliveries
                          WHERE endpoint_id = l.endpoint_id AND shipment_id = l.shipment_id AND state = 'waiting'
                          ORDER BY id LIMIT 1) AS d
      JOIN events e ON e.id = d.event_id
      JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = (e.content ->> 'version')::int
      LEFT JOIN turns t ON t.id = e.turn_id
     CROSS JOIN LATERAL (SELECT coalesce(d.first_at < p.begun_anew_at, false) AS so) AS anew"""  # noqa: S608 - constants

_GIVE_UP = f"""
    UPDATE deliveries d SET state = 'given_up', why = $3
      FROM unnest($1::int[], $2::bigint[]) AS l(endpoint_id, shipment_id), endpoints p, shipments s, events e
     WHERE p.id = l.endpoint_id AND s.id = l.shipment_id AND e.id = d.event_id AND d.state = 'waiting'
       AND d.endpoint_id = l.endpoint_id AND d.shipment_id = l.shipment_id AND NOT ({WANTED})"""  # noqa: S608 - constants


async def _owed(connection: Connection, lanes: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
    """What is first in each of these lanes, which are ours. On the way, what its endpoint wants no more is given up.

    It wanted that when it happened, and was narrowed since, perhaps because it is to know no more of a facility.
    """
    keys = [row["endpoint_id"] for row in lanes], [row["shipment_id"] for row in lanes]
    owed = await connection.fetch(_OWED, *keys)
    while not all(row["is_wanted"] for row in owed):
        await connection.execute(_GIVE_UP, *keys, NOT_WANTED)
        owed = await connection.fetch(_OWED, *keys)
    return owed


def _key(row: asyncpg.Record) -> tuple[int, int]:
    return row["endpoint_id"], row["shipment_id"]


def _claim_of(row: asyncpg.Record, fence: int, now: datetime) -> Claim:
    return Claim(
        endpoint_id=row["endpoint_id"],
        fence=fence,
        claimed_at=now,
        delivery_id=row["delivery_id"],
        tries=row["tries"],
        first_at=row["first_at"],
        url=row["url"],
        sealed={name: row[name] for name in ("code", "sealed_secret", "sealed_old_secret", "old_secret_until")},
        event=Event(
            id=row["event_id"],
            uid=row["uid"],
            kind=EventKind(row["kind"]),
            at=row["at"],
            content=msgspec.json.decode(row["content"], type=Content),
            shipment_id=row["shipment_id"],
            shipment=decode(row["shipment"]),
            children=msgspec.json.decode(row["children"] or "[]", type=tuple[Child, ...]),
            packslip_required=row["packslip_required"],
        ),
    )


async def _release(connection: Connection, lanes: Sequence[tuple[int, int]], due_at: datetime | None) -> None:
    """Lanes that were just claimed and have no call; `due_at` None where what they owed has been cleared away."""
    if lanes:
        endpoints, shipments = zip(*lanes, strict=True)
        await connection.execute(
            """UPDATE lanes l SET due_at = $3, claimed_at = NULL
                 FROM unnest($1::int[], $2::bigint[]) AS r(endpoint_id, shipment_id)
                WHERE l.endpoint_id = r.endpoint_id AND l.shipment_id = r.shipment_id""",
            endpoints,
            shipments,
            due_at,
        )


async def next_due(pool: Pool) -> float | None:
    """Seconds until a lane may be claimed, by the database's clock; None when nothing is owed.

    Where as many are out as may be, that is when the first of their leases ends.
    """
    seconds = await pool.fetchval(
        """SELECT extract(epoch FROM min(l.due_at) - clock_timestamp())::float8
             FROM endpoints p
            CROSS JOIN LATERAL (SELECT count(*) >= $1 AS full FROM lanes o WHERE o.endpoint_id = p.id
                                   AND o.claimed_at IS NOT NULL AND o.due_at > clock_timestamp()) AS busy
            CROSS JOIN LATERAL (
                (SELECT due_at FROM lanes WHERE NOT busy.full AND endpoint_id = p.id AND due_at IS NOT NULL
                  ORDER BY due_at LIMIT 1)
                UNION ALL
                (SELECT min(due_at) FROM lanes WHERE busy.full AND endpoint_id = p.id AND claimed_at IS NOT NULL)) AS l
            WHERE p.enabled AND p.disabled_at IS NULL""",
        OUT_MAX,
    )
    return None if seconds is None else float(seconds)
