"""What was told and what is owed, for those who ask: of an endpoint by the page, of a shipment, and in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from bilty.store.database import Connection

COUNTED_MAX = 10_000
"""Counting stops here: a page about three endpoints costs the same when one of them is owed a million."""
PAGE_MAX = 500
OF_SHIPMENT_MAX = 60


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `status` and `why` are of the last try.

    `next_at` is when it is tried next; None where it waits behind another of its shipment (`behind`), where the
    endpoint is `stopped`, switched off or disabled, and where it has ended. `out`: a call is out now.
    """

    id: int
    endpoint: str
    event: UUID
    kind: str
    at: datetime
    shipment_id: int
    number: str
    state: DeliveryState
    tries: int
    first_at: datetime | None
    last_at: datetime | None
    status: int | None
    why: str
    next_at: datetime | None
    behind: bool
    out: bool
    stopped: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """At most COUNTED_MAX + 1, those of the oldest shipments; `oldest_at` is when the first of them happened."""

    count: int
    oldest_at: datetime | None


NOTHING_OWED = Owed(0, None)
_DELIVERIES = """SELECT d.id, p.code AS endpoint, e.uid AS event, e.kind, e.at, d.shipment_id, s.number, d.state,
        d.tries, d.first_at, d.last_at, d.status, d.why, behind.is_so AS behind,
        CASE WHEN d.state = 'waiting' AND NOT behind.is_so AND p.enabled AND p.disabled_at IS NULL
             THEN l.due_at END AS next_at,
        d.state = 'waiting' AND NOT behind.is_so AND l.claimed_at IS NOT NULL AND l.due_at > clock_timestamp() AS out,
        NOT p.enabled OR p.disabled_at IS NOT NULL AS stopped
   FROM deliveries d
   JOIN endpoints p ON p.id = d.endpoint_id AND p.removed_at IS NULL
   JOIN events e ON e.id = d.event_id
   JOIN shipments s ON s.id = d.shipment_id
   LEFT JOIN lanes l ON l.endpoint_id = d.endpoint_id AND l.shipment_id = d.shipment_id
  CROSS JOIN LATERAL (SELECT d.state = 'waiting' AND EXISTS (
        SELECT FROM deliveries f WHERE f.endpoint_id = d.endpoint_id AND f.shipment_id = d.shipment_id
           AND f.state = 'waiting' AND f.id < d.id) AS is_so) AS behind"""


async def page(
    connection: Connection, endpoint_id: int, *, state: DeliveryState | None, before_id: int | None, limit: int
) -> list[Delivery]:
    """The newest first, below `before_id`."""
    # The state is spelt out, so that the indexes of one state are known to do.
    of_state = f"AND d.state = '{state}'" if state else ""
    rows = await connection.fetch(
        f"""{_DELIVERIES} WHERE d.endpoint_id = $1 AND ($2::bigint IS NULL OR d.id < $2) {of_state}
            ORDER BY d.id DESC LIMIT $3""",
        endpoint_id,
        before_id,
        min(limit, PAGE_MAX),
    )
    return [_delivery(row) for row in rows]


async def of_shipment(connection: Connection, shipment_id: int) -> list[Delivery]:
    """The last OF_SHIPMENT_MAX, in the order in which they were to be told."""
    rows = await connection.fetch(
        f"""{_DELIVERIES} WHERE d.id IN (
                SELECT o.id FROM events t JOIN deliveries o ON o.event_id = t.id
                 WHERE t.shipment_id = $1 ORDER BY o.id DESC LIMIT $2) ORDER BY d.id""",  # noqa: S608 - constants
        shipment_id,
        OF_SHIPMENT_MAX,
    )
    return [_delivery(row) for row in rows]


async def owed(connection: Connection, endpoint_ids: Sequence[int]) -> dict[int, Owed]:
    """How much is owed to each, as `deliveries_waiting` has it."""
    rows = await connection.fetch(
        """SELECT p.id, w.count, e.at FROM unnest($1::int[]) AS p(id)
            CROSS JOIN LATERAL (SELECT count(*) AS count, min(event_id) AS oldest FROM (
                SELECT event_id FROM deliveries WHERE endpoint_id = p.id AND state = 'waiting'
                 ORDER BY shipment_id, id LIMIT $2) AS few) AS w
             LEFT JOIN events e ON e.id = w.oldest""",
        list(endpoint_ids),
        COUNTED_MAX + 1,
    )
    return {row["id"]: Owed(row["count"], row["at"]) for row in rows}


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """Of the last try whatsoever, received or not."""

    at: datetime
    status: int | None
    why: str


async def last_failures(connection: Connection, endpoint_ids: Sequence[int]) -> dict[int, LastAnswer]:
    """What the last failed try of each was answered, among COUNTED_MAX of what it is owed of the oldest shipments."""
    rows = await connection.fetch(
        """SELECT p.id, f.last_at, f.status, f.why FROM unnest($1::int[]) AS p(id)
            CROSS JOIN LATERAL (SELECT last_at, status, why FROM (
                SELECT last_at, status, why FROM deliveries
                 WHERE endpoint_id = p.id AND state = 'waiting' ORDER BY shipment_id, id LIMIT $2) AS few
                 WHERE last_at IS NOT NULL ORDER BY last_at DESC LIMIT 1) AS f""",
        list(endpoint_ids),
        COUNTED_MAX,
    )
    return {row["id"]: LastAnswer(row["last_at"], row["status"], row["why"]) for row in rows}


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(**{**dict(row), "state": DeliveryState(row["state"])})
