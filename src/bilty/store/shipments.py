"""Shipments: taken in by sets, scheduled by sets, and read for those who ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from bilty.shipment import Shipment, decode, digest, encode
from bilty.store.database import Connection
from bilty.store.progress import Course, changing, courses_of, notify_changed
from bilty.workflow import Progress, Status, schedule

PAGE_MAX = 500
COUNT_MAX = 10_000  # counting stops here: 10,000+ on a tab costs as little as 12


@dataclass(frozen=True, slots=True)
class Arrival:
    """A shipment as `bilty.intake` took it, to be kept."""

    shipment: Shipment
    hold: str = ""
    warnings: tuple[str, ...] = ()


class Intake(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    SAME = "same"  # known with this very content: nothing to do
    DIFFERS = "differs"  # known under this number with other content: nothing was changed
    NO_FACILITY = "no_facility"
    NO_PROVIDER = "no_provider"


@dataclass(frozen=True, slots=True)
class Kept:
    intake: Intake
    shipment_id: int = 0


async def keep(connection: Connection, arrivals: Sequence[Arrival], now: datetime) -> list[Kept]:
    """Takes shipments in, in one transaction of the caller's, and says for each what became of it.

    A number is unique within its facility. Taking the same in again changes nothing, so a file or a request may be
    repeated without fear.
    """
    facilities = await _ids(connection, "facilities", {a.shipment.facility for a in arrivals})
    providers = await _ids(connection, "shipping_providers", {a.shipment.shipping_provider for a in arrivals})
    keepable = {
        (facilities[a.shipment.facility], a.shipment.number): a
        for a in reversed(arrivals)
        if a.shipment.facility in facilities and a.shipment.shipping_provider in providers
    }
    new = await _insert(connection, keepable, providers, now) if keepable else {}
    known = await _known(connection, [key for key in keepable if key not in new])
    kept = []
    for arrival in arrivals:
        shipment = arrival.shipment
        key = (facilities.get(shipment.facility, 0), shipment.number)
        if shipment.facility not in facilities:
            kept.append(Kept(Intake.NO_FACILITY))
        elif shipment.shipping_provider not in providers:
            kept.append(Kept(Intake.NO_PROVIDER))
        elif key in new and keepable[key] is arrival:
            kept.append(Kept(Intake.NEW, new[key]))
        else:
            shipment_id, known_digest = (new[key], digest(keepable[key].shipment)) if key in new else known[key]
            same = known_digest == digest(shipment)
            kept.append(Kept(Intake.SAME if same else Intake.DIFFERS, shipment_id))
    return kept


async def _ids(connection: Connection, table: str, codes: set[str]) -> dict[str, int]:
    rows = await connection.fetch(f"SELECT code, id FROM {table} WHERE code = ANY($1)", list(codes))  # noqa: S608 - constant
    return {row["code"]: row["id"] for row in rows}


async def _insert(
    connection: Connection, keepable: dict[tuple[int, str], Arrival], providers: dict[str, int], now: datetime
) -> dict[tuple[int, str], int]:
    rows = await connection.fetch(
        """INSERT INTO shipments (facility_id, provider_id, number, order_number, consignee, city, box_count, weight_g,
                                  value, hold, status, created_at)
           SELECT *, CASE WHEN hold = '' THEN 'created' ELSE 'on_hold' END, $11
             FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[],
                         $9::numeric[], $10::text[])
                  AS a(facility_id, provider_id, number, order_number, consignee, city, boxes, weight_g, value, hold)
            ORDER BY facility_id, number
           ON CONFLICT DO NOTHING RETURNING facility_id, number, id""",
        *_columns(keepable, providers),
        now,
    )
    new = {(row["facility_id"], row["number"]): row["id"] for row in rows}
    arrivals = [(shipment_id, keepable[key]) for key, shipment_id in new.items()]
    await connection.executemany(
        "UPDATE shipments SET warnings = $2 WHERE id = $1", [(i, list(a.warnings)) for i, a in arrivals if a.warnings]
    )
    await connection.executemany(
        "INSERT INTO shipment_versions (shipment_id, version, digest, content) VALUES ($1, 1, $2, $3)",
        [(i, digest(a.shipment), encode(a.shipment).decode()) for i, a in arrivals],
    )
    await connection.copy_records_to_table(
        "boxes",
        columns=["shipment_id", "version", "number", "reference"],
        records=[
            (i, 1, number, a.shipment.box_reference(number))
            for i, a in arrivals
            for number in range(1, len(a.shipment.boxes) + 1)
        ],
    )
    await connection.copy_records_to_table(
        "timeline",
        columns=["shipment_id", "at", "state", "message"],
        records=[(i, now, Status.ON_HOLD if a.hold else Status.CREATED, a.hold) for i, a in arrivals],
    )
    if new:
        await notify_changed(connection, list(new.values()))
    return new


def _columns(keepable: dict[tuple[int, str], Arrival], providers: dict[str, int]) -> list[list[object]]:
    rows: list[tuple[object, ...]] = [
        (
            facility_id,
            providers[a.shipment.shipping_provider],
            number,
            a.shipment.order_number,
            a.shipment.consignee.organisation or a.shipment.consignee.name,
            a.shipment.consignee.city,
            len(a.shipment.boxes),
            a.shipment.weight_g,
            a.shipment.value,
            a.hold,
        )
        for (facility_id, number), a in keepable.items()
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def _known(connection: Connection, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], tuple[int, str]]:
    rows = await connection.fetch(
        """SELECT s.facility_id, s.number, s.id, v.digest
             FROM unnest($1::int[], $2::text[]) AS k(facility_id, number)
             JOIN shipments s USING (facility_id, number)
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version""",
        [facility_id for facility_id, _ in keys],
        [number for _, number in keys],
    )
    return {(row["facility_id"], row["number"]): (row["id"], row["digest"]) for row in rows}


async def schedule_all(
    connection: Connection, shipment_ids: Sequence[int], now: datetime, *, again: bool = True
) -> dict[int, Progress]:
    """Begins a run of each that may begin one, and wakes the dispatchers. Again while one is open: that one.

    Without `again` a shipment that had a run before is left alone: whoever repeats an import does not mean to book
    anew what failed. The caller holds a transaction. Returns the shipments that exist, as they are now.
    """
    async with changing(connection, shipment_ids, now) as courses:
        for course in courses.values():
            if again or course.before.run == 0:
                course.after = schedule(course.after, now)
    return {shipment_id: course.after for shipment_id, course in courses.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """A shipment for those who ask: what it is, and where it stands."""

    id: int
    shipment: Shipment
    progress: Progress
    warnings: tuple[str, ...]
    created_at: datetime


async def see(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, Seen]:
    rows = await connection.fetch(
        """SELECT s.id, s.warnings, s.created_at, v.content FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = ANY($1)""",
        shipment_ids,
    )
    courses = await courses_of(connection, shipment_ids)
    return {row["id"]: _seen(row, courses[row["id"]]) for row in rows if row["id"] in courses}


def _seen(row: asyncpg.Record, course: Course) -> Seen:
    return Seen(
        id=row["id"],
        shipment=decode(row["content"]),
        progress=course.after,
        warnings=tuple(row["warnings"]),
        created_at=row["created_at"],
    )


async def page(connection: Connection, *, before_id: int | None, status: Status | None, limit: int) -> list[int]:
    """The ids of a page, newest first, starting below `before_id`."""
    rows = await connection.fetch(
        """SELECT id FROM shipments WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR status = $2)
            ORDER BY id DESC LIMIT $3""",
        before_id,
        status,
        min(limit, PAGE_MAX),
    )
    return [row["id"] for row in rows]


async def find(connection: Connection, facility: str, number: str) -> int | None:
    found: int | None = await connection.fetchval(
        "SELECT s.id FROM shipments s JOIN facilities f ON f.id = s.facility_id WHERE f.code = $1 AND s.number = $2",
        facility,
        number,
    )
    return found


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


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline: a turn's (`priority` set) or the shipment's own."""

    at: datetime
    run: int | None
    priority: int | None
    courier: str
    reference: str
    state: str
    polls_done: int
    message: str


async def timeline_of(connection: Connection, shipment_id: int, *, limit: int = PAGE_MAX) -> list[Moment]:
    rows = await connection.fetch(
        """SELECT l.at, t.run, t.priority, t.courier_name, t.reference, l.state, l.polls_done, l.message
             FROM timeline l LEFT JOIN turns t ON t.id = l.turn_id WHERE l.shipment_id = $1 ORDER BY l.id LIMIT $2""",
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
        )
        for row in rows
    ]


async def counts(connection: Connection) -> dict[Status, int]:
    """How many shipments have each status, at most COUNT_MAX of each."""
    sql = """SELECT a.status, c.count FROM unnest($1::text[]) AS a(status)
              CROSS JOIN LATERAL (
                  SELECT count(*) FROM (SELECT FROM shipments s WHERE s.status = a.status LIMIT $2) AS counted) AS c"""
    return {Status(row["status"]): row["count"] for row in await connection.fetch(sql, list(Status), COUNT_MAX)}


async def statuses_of(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, Status]:
    """The least that tells whether the wait is over."""
    sql = "SELECT id, status FROM shipments WHERE id = ANY($1)"
    return {row["id"]: Status(row["status"]) for row in await connection.fetch(sql, shipment_ids)}


async def time_zones(connection: Connection, facilities: Sequence[str]) -> dict[str, str]:
    """The time zones' names, by facility."""
    sql = "SELECT code, coalesce(content ->> 'time_zone', 'Asia/Kolkata') AS zone FROM facilities WHERE code = ANY($1)"
    return {row["code"]: row["zone"] for row in await connection.fetch(sql, facilities)}


async def clock(connection: Connection) -> datetime:
    """Now, by the clock that due times go by."""
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now
