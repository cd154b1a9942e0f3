"""Shipments for those who ask: one, a page of them, their boxes and what happened to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import asyncpg

from bilty.shipment import Shipment, decode
from bilty.store.database import Connection
from bilty.store.progress import progress_of
from bilty.store.turn_rows import COLUMNS, turn_of
from bilty.workflow import Progress, Status

PAGE_MAX = 500
COUNT_MAX = 10_000
"""Counting stops here: 10,000+ on a tab costs as little as 12."""


@dataclass(frozen=True, slots=True)
class Pickup:
    """That was asked for anew, as the label came after the first. `confirmation` is blank where none was given."""

    at: datetime
    confirmation: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A shipment for those who ask: what it is, and where it stands.

    `warnings` are kept with it. `told_afterwards` are of what its courier was to be told after the AWB, while it has
    the shipment. `packslip_required`: its connector says so.
    """

    id: int
    facility_id: int
    shipment: Shipment
    progress: Progress
    warnings: tuple[str, ...]
    created_at: datetime
    told_afterwards: tuple[str, ...] = ()
    pickup: Pickup | None = None
    packslip_required: bool = False

    @property
    def to_look_at(self) -> tuple[str, ...]:
        return self.warnings + self.told_afterwards


async def see(
    connection: Connection,
    shipment_ids: Sequence[int],
    facilities: frozenset[int] | None = None,
    *,
    passing_over: Collection[Status] = (),
) -> dict[int, Seen]:
    """Those that leave from these `facilities`, None for all, and have none of the statuses that are passed over.

    One of another facility takes as long as one that is not there: it is one statement, and what is not to be seen is
    not read.
    """
    rows = await connection.fetch(
        _SEE,
        shipment_ids,
        None if facilities is None else list(facilities),
        list(passing_over),
    )
    return {shipment_id: _seen(list(same)) for shipment_id, same in groupby(rows, key=lambda row: int(row["s_id"]))}


async def locked(connection: Connection, shipment_id: int, facilities: frozenset[int] | None = None) -> Seen | None:
    """The shipment, which nobody else changes before the caller's transaction ends.

    None, and nothing locked, where it is not there or leaves from none of these `facilities`, None for all.
    """
    await connection.execute(
        "SELECT FROM shipments WHERE id = $1 AND ($2::int[] IS NULL OR facility_id = ANY($2)) FOR UPDATE",
        shipment_id,
        None if facilities is None else list(facilities),
    )
    return (await see(connection, [shipment_id], facilities)).get(shipment_id)


_SEE = f"""SELECT s.s_id, s.s_version, s.s_run, s.facility_id, s.facility, s.number, s.hold, s.cancel_asked,
       s.schedule_asked, s.failed_told, s.dispatched, s.warnings,
       coalesce(a.warnings, ARRAY[]::text[]) AS told_afterwards, a.pickup_at AS pickup_again_at,
       a.confirmation, s.created_at, s.installation, s.digest, s.packslip_required,
       CASE WHEN row_number() OVER (PARTITION BY s_id ORDER BY turns.id) = 1 THEN s_content END AS content,
       (SELECT w.digest FROM shipment_versions w
         WHERE w.shipment_id = turns.shipment_id AND w.version = turns.version) AS turn_digest, {COLUMNS}
  FROM (SELECT s.id AS s_id, s.version AS s_version, s.run AS s_run, s.facility_id, f.code AS facility, s.number,
               s.hold, s.schedule_asked, s.cancel_asked, s.failed_told, s.dispatched, s.warnings, s.created_at,
               i.id AS installation, v.digest, v.content AS s_content,
               coalesce((q.connector ->> 'packslip_required')::boolean, false) AS packslip_required
          FROM shipments s JOIN facilities f ON f.id = s.facility_id CROSS JOIN installation i
          JOIN shipping_providers q ON q.id = s.provider_id
          JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
         WHERE s.id = ANY($1) AND ($2::int[] IS NULL OR s.facility_id = ANY($2))
           AND NOT s.status = ANY($3::text[])) AS s
  LEFT JOIN LATERAL (
       SELECT array_agg(o.warning ORDER BY o.id) FILTER (
                  WHERE o.warning <> '' AND NOT (o.kind = 'pickup' AND s.dispatched AND o.state <> 'void')) AS warnings,
              max(o.pickup_at) FILTER (WHERE o.state = 'done') AS pickup_at,
              max(o.confirmation) FILTER (WHERE o.state = 'done') AS confirmation
         FROM afterwards o JOIN turns h ON h.id = o.turn_id
        WHERE o.shipment_id = s_id AND (h.state IN ('fetching', 'unlabelled', 'won') OR o.state = 'void')) AS a ON true
  LEFT JOIN turns ON turns.shipment_id = s_id
 ORDER BY s_id, turns.id"""  # noqa: S608 - constants
"""A row a turn, one where there is none. The content, which may be long, is in a shipment's first."""


def _seen(rows: Sequence[asyncpg.Record]) -> Seen:
    first = rows[0]
    return Seen(
        id=first["s_id"],
        facility_id=first["facility_id"],
        shipment=decode(first["content"]),
        progress=progress_of(
            first,
            version=first["s_version"],
            run=first["s_run"],
            digest=first["digest"],
            turns=tuple(turn_of(row, row["turn_digest"]) for row in rows if row["id"] is not None),
        ),
        warnings=tuple(first["warnings"]),
        created_at=first["created_at"],
        told_afterwards=tuple(first["told_afterwards"]),
        pickup=Pickup(first["pickup_again_at"], first["confirmation"]) if first["pickup_again_at"] else None,
        packslip_required=first["packslip_required"],
    )


@dataclass(frozen=True, slots=True)
class BoxRow:
    number: int
    reference: str
    awb: str


async def boxes_of(connection: Connection, shipment_id: int) -> list[BoxRow]:
    rows = await connection.fetch(
        """SELECT b.number, b.reference, b.awb FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE b.shipment_id = $1 ORDER BY b.number LIMIT 999""",
        shipment_id,
    )
    return [BoxRow(row["number"], row["reference"], row["awb"]) for row in rows]


async def versions_of(connection: Connection, shipment_id: int) -> dict[int, datetime]:
    """Since when the shipment was what each of its versions says."""
    sql = "SELECT version, created_at FROM shipment_versions WHERE shipment_id = $1 ORDER BY version"
    return {row["version"]: row["created_at"] for row in await connection.fetch(sql, shipment_id)}


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline: a turn's (`priority` set), the shipment's own, or what a person did (`actor` set)."""

    at: datetime
    run: int | None
    priority: int | None
    courier: str
    reference: str
    state: str
    polls_done: int
    message: str
    actor: str = ""


async def timeline_of(connection: Connection, shipment_id: int, *, limit: int = PAGE_MAX) -> list[Moment]:
    rows = await connection.fetch(
        """SELECT l.at, t.run, t.priority, t.courier_name, t.reference, l.state, l.polls_done, l.message, l.actor
             FROM timeline l LEFT JOIN turns t ON t.id = l.turn_id WHERE l.shipment_id = $1
            ORDER BY l.id DESC LIMIT $2""",
        shipment_id,
        limit,
    )
    return [
        Moment(
            at=row["at"],
            run=row["run"],
            priority=row["priority"],
            courier=row["courier_name"] or "",
            reference=row["reference"] or "",
            state=row["state"],
            polls_done=row["polls_done"],
            message=row["message"],
            actor=row["actor"],
        )
        for row in reversed(rows)
    ]


async def counts(connection: Connection) -> dict[Status, int]:
    """How many shipments have each status, at most COUNT_MAX of each."""
    sql = """SELECT a.status, c.count FROM unnest($1::text[]) AS a(status)
              CROSS JOIN LATERAL (
                  SELECT count(*) FROM (SELECT FROM shipments s WHERE s.status = a.status LIMIT $2) AS counted) AS c"""
    return {Status(row["status"]): row["count"] for row in await connection.fetch(sql, list(Status), COUNT_MAX)}


async def within(connection: Connection, shipment_ids: Collection[int], facilities: Collection[int]) -> frozenset[int]:
    """Those of the shipments that leave from these facilities."""
    sql = "SELECT id FROM shipments WHERE id = ANY($1) AND facility_id = ANY($2)"
    return frozenset(row["id"] for row in await connection.fetch(sql, list(shipment_ids), list(facilities)))


async def time_zones(connection: Connection, facilities: Sequence[str]) -> dict[str, str]:
    """The time zones' names, by facility."""
    sql = "SELECT code, coalesce(content ->> 'time_zone', 'Asia/Kolkata') AS zone FROM facilities WHERE code = ANY($1)"
    return {row["code"]: row["zone"] for row in await connection.fetch(sql, facilities)}


async def clock(connection: Connection) -> datetime:
    """Now, by the clock that due times go by."""
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now


async def waiting_count(connection: Connection, provider_id: int) -> int:
    """How many shipments of a provider wait for an answer, at most COUNT_MAX, as `shipments_by_courier` has them."""
    sql = """SELECT count(*) FROM (
                 SELECT FROM couriers c JOIN shipments s ON s.courier_id = c.id
                  WHERE c.provider_id = $1 AND s.standing IN ('scheduling', 'label_requested') LIMIT $2) AS waiting"""
    count: int = await connection.fetchval(sql, provider_id, COUNT_MAX)
    return count
