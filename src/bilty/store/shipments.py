"""Shipments: taken in by sets, and scheduled by sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bilty.order_changes import is_same
from bilty.shipment import Shipment, decode, digest, encode, may_be_waived
from bilty.store import preflight
from bilty.store.audit import COMMAND, Actor, Note, note_many
from bilty.store.database import Connection
from bilty.store.listed import NOBODY, courier_ids, write_keys
from bilty.store.progress import Course, changing, notify_changed
from bilty.workflow import Progress, Status, schedule, status


@dataclass(frozen=True, slots=True)
class Arrival:
    """A shipment as `bilty.intake` took it, to be kept. `facilities`: the ids of those it may be for, None for all."""

    shipment: Shipment
    hold: str = ""
    warnings: tuple[str, ...] = ()
    facilities: frozenset[int] | None = None


class Intake(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    SAME = "same"  # known with this very content: nothing to do
    DIFFERS = "differs"  # known under this number with other content: nothing was changed
    NO_FACILITY = "no_facility"
    NO_PROVIDER = "no_provider"


@dataclass(frozen=True, slots=True)
class Kept:
    """`known`: what is known under its number, where it was before."""

    intake: Intake
    shipment_id: int = 0
    known: Shipment | None = None


async def keep(connection: Connection, arrivals: Sequence[Arrival], now: datetime) -> list[Kept]:
    """Takes shipments in, in one transaction of the caller's, and says for each what became of it.

    A number is unique within its facility. Taking the same in again changes nothing, so a file or a request may be
    repeated without fear. A facility that is not the bringer's is none: what becomes of an arrival says, and costs, the
    same.
    """
    facilities = await _ids(connection, "facilities", {a.shipment.facility for a in arrivals})
    providers = await _ids(connection, "shipping_providers", {a.shipment.shipping_provider for a in arrivals})
    keepable: dict[tuple[int, str], Arrival] = {}
    for arrival in arrivals:
        if _is_for(arrival, facilities) and arrival.shipment.shipping_provider in providers:
            keepable.setdefault((facilities[arrival.shipment.facility], arrival.shipment.number), arrival)
    new = await _insert(connection, keepable, providers, now) if keepable else {}
    known = await _known(connection, [key for key in keepable if key not in new])
    kept = []
    for arrival in arrivals:
        shipment = arrival.shipment
        key = (facilities.get(shipment.facility, 0), shipment.number)
        if not _is_for(arrival, facilities):
            kept.append(Kept(Intake.NO_FACILITY))
        elif shipment.shipping_provider not in providers:
            kept.append(Kept(Intake.NO_PROVIDER))
        elif key in new and keepable[key] is arrival:
            kept.append(Kept(Intake.NEW, new[key]))
        else:
            shipment_id, content = (new[key], keepable[key].shipment) if key in new else known[key]
            kept.append(Kept(Intake.SAME if is_same(content, shipment) else Intake.DIFFERS, shipment_id, content))
    return kept


async def compare(connection: Connection, arrivals: Sequence[Arrival]) -> list[Kept]:
    """What `keep` would make of each, were nobody else to come before it. Changes nothing."""
    facilities = await _ids(connection, "facilities", {a.shipment.facility for a in arrivals})
    providers = await _ids(connection, "shipping_providers", {a.shipment.shipping_provider for a in arrivals})
    keys = {(facilities[a.shipment.facility], a.shipment.number) for a in arrivals if _is_for(a, facilities)}
    known = await _known(connection, list(keys))
    kept = []
    for arrival in arrivals:
        shipment = arrival.shipment
        found = known.get((facilities.get(shipment.facility, 0), shipment.number))
        if not _is_for(arrival, facilities):
            kept.append(Kept(Intake.NO_FACILITY))
        elif shipment.shipping_provider not in providers:
            kept.append(Kept(Intake.NO_PROVIDER))
        elif found is None:
            kept.append(Kept(Intake.NEW))
        else:
            shipment_id, content = found
            kept.append(Kept(Intake.SAME if is_same(content, shipment) else Intake.DIFFERS, shipment_id, content))
    return kept


def _is_for(arrival: Arrival, facilities: Mapping[str, int]) -> bool:
    facility_id = facilities.get(arrival.shipment.facility)
    return facility_id is not None and (arrival.facilities is None or facility_id in arrival.facilities)


async def _ids(connection: Connection, table: str, codes: set[str]) -> dict[str, int]:
    rows = await connection.fetch(f"SELECT code, id FROM {table} WHERE code = ANY($1)", list(codes))  # noqa: S608 - constant
    return {row["code"]: row["id"] for row in rows}


async def _insert(
    connection: Connection, keepable: dict[tuple[int, str], Arrival], providers: dict[str, int], now: datetime
) -> dict[tuple[int, str], int]:
    nobody = await courier_ids(connection, [(provider_id, NOBODY) for provider_id in providers.values()])
    # Ids are given in the order of arrival, which lists keep; rows are written in the order of numbers, so that two
    # who bring the same shipments do not wait for each other.
    rows = await connection.fetch(
        """WITH arrived AS MATERIALIZED (
               SELECT nextval(pg_get_serial_sequence('shipments', 'id')) AS id, a.* FROM (
                   SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                                        $8::int[], $9::numeric[], $10::text[], $11::int[]) WITH ORDINALITY AS u(
                       facility, provider, number, order_number, consignee, city, boxes, weight_g, value, hold, courier,
                       nth)
                    ORDER BY nth) AS a)
           INSERT INTO shipments (id, facility_id, provider_id, number, order_number, consignee, city, box_count,
                                  weight_g, value, hold, courier_id, status, created_at)
           OVERRIDING SYSTEM VALUE
           SELECT id, facility, provider, number, order_number, consignee, city, boxes, weight_g, value, hold,
                  courier, CASE WHEN hold = '' THEN 'created' ELSE 'on_hold' END, $12
             FROM arrived ORDER BY facility, number
           ON CONFLICT DO NOTHING RETURNING facility_id, number, id""",
        *_columns(keepable, providers, nobody),
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
        await write_keys(connection, list(new.values()))
        await notify_changed(connection, list(new.values()))
    return new


def _columns(
    keepable: dict[tuple[int, str], Arrival], providers: dict[str, int], nobody: dict[tuple[int, str], int]
) -> list[list[object]]:
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
            nobody[providers[a.shipment.shipping_provider], NOBODY],
        )
        for (facility_id, number), a in keepable.items()
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def _known(
    connection: Connection, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], tuple[int, Shipment]]:
    rows = await connection.fetch(
        """SELECT s.facility_id, s.number, s.id, v.content
             FROM unnest($1::int[], $2::text[]) AS k(facility_id, number)
             JOIN shipments s USING (facility_id, number)
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version""",
        [facility_id for facility_id, _ in keys],
        [number for _, number in keys],
    )
    return {(row["facility_id"], row["number"]): (row["id"], decode(row["content"])) for row in rows}


async def schedule_all(
    connection: Connection,
    shipment_ids: Sequence[int],
    now: datetime,
    *,
    actor: Actor = COMMAND,
    run: int | None = None,
    without_ewaybill: bool = False,
) -> dict[int, Progress]:
    """Begins a run of each that may begin one, and wakes the dispatchers. Again while one is open: that one.

    What `actor` began is in the audit trail.

    `run`: this run alone is begun. A shipment that had it already is left alone, so that whoever repeats a wish whose
    answer was lost does not book anew what failed since. One whose papers are not good for the days that it would be
    promised is held. The caller holds a transaction. Returns the shipments that exist, as they are now.
    """
    async with changing(connection, shipment_ids, now) as courses:
        wanted = [course for course in courses.values() if run in (None, course.before.run + 1)]
        why_held = await preflight.why_held(connection, [course.shipment_id for course in wanted], now)
        for course in wanted:
            why = why_held.get(course.shipment_id, "")
            course.after = _scheduled(course.before, now, why, without_ewaybill=without_ewaybill)
        begun = [course for course in courses.values() if course.after.run != course.before.run]
        await note_many(connection, actor, [_begun(course, without_ewaybill=without_ewaybill) for course in begun])
    return {shipment_id: course.after for shipment_id, course in courses.items()}


def _scheduled(progress: Progress, now: datetime, why_held: str, *, without_ewaybill: bool) -> Progress:
    ready = preflight.to_be_looked_at(progress)
    lifts = without_ewaybill and may_be_waived(ready.hold)
    after = schedule(ready, now, without_ewaybill=lifts)
    if after.run == progress.run:
        return progress
    return preflight.held(progress, why_held) if why_held else after


def _begun(course: Course, *, without_ewaybill: bool) -> Note:
    return Note(
        action="schedule",
        subject=course.before.number,
        shipment_id=course.shipment_id,
        facility_id=course.facility_id,
        before={"status": status(course.before)},
        after={"status": status(course.after), **({"without e-way bill": True} if without_ewaybill else {})},
    )
