"""Handovers: the boxes that leave with one truck, ticked off one by one, and closed with a manifest.

Whoever writes holds the handover's row: two people who scan at one truck, and one who closes it meanwhile, follow one
another. A shipment goes when all its boxes are ticked off; one that is short stays for the next truck.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bilty.documents.manifest import BEGINS, Manifest
from bilty.store import astray, manifests
from bilty.store.astray import Astray
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.manifests import Refused
from bilty.turn import Rules

READY = ("label_ready", "ready_not_printed")
"""What a truck may take, as the list calls it (`shipments.standing`)."""
SHOWN_MAX = 500
"""Shipments of a handover that a page lists. The others are counted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is ready for a courier's truck at a facility, and the handover that is open for it, 0 where none is."""

    facility_id: int
    facility: str
    courier_id: int
    courier: str
    shipments: int
    handover_id: int


@dataclass(frozen=True, slots=True)
class Handover:
    """`closed_at` is None while boxes may be ticked off."""

    id: int
    facility_id: int
    facility: str
    courier_id: int
    courier: str
    time_zone: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str
    manifest_id: int | None
    shipments: int
    boxes: int


@dataclass(frozen=True, slots=True)
class Load:
    """A shipment that is ready for the truck; `ticked` are the numbers of its boxes that are on it."""

    shipment_id: int
    turn_id: int
    number: str
    consignee: str
    awb: str
    boxes: int
    ticked: tuple[int, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(number for number in range(1, self.boxes + 1) if number not in self.ticked)


async def waiting(connection: Connection, facilities: frozenset[int] | None, limit: int) -> list[Waiting]:
    """By facility and courier; those with an open handover stand here even when nothing is ready for them."""
    rows = await connection.fetch(
        """WITH ready AS (
               SELECT facility_id, courier_id, count(*) AS shipments FROM shipments
                WHERE standing = ANY($2) AND ($1::int[] IS NULL OR facility_id = ANY($1))
                GROUP BY facility_id, courier_id),
             open AS (SELECT id, facility_id, courier_id FROM handovers
                       WHERE closed_at IS NULL AND ($1::int[] IS NULL OR facility_id = ANY($1)))
           SELECT coalesce(r.facility_id, o.facility_id) AS facility_id, f.code AS facility,
                  coalesce(r.courier_id, o.courier_id) AS courier_id, c.name AS courier,
                  coalesce(r.shipments, 0) AS shipments, coalesce(o.id, 0) AS handover_id
             FROM ready r FULL JOIN open o ON o.facility_id = r.facility_id AND o.courier_id = r.courier_id
             JOIN facilities f ON f.id = coalesce(r.facility_id, o.facility_id)
             JOIN couriers c ON c.id = coalesce(r.courier_id, o.courier_id)
            ORDER BY f.code, c.name, courier_id LIMIT $3""",
        None if facilities is None else sorted(facilities),
        READY,
        limit,
    )
    return [Waiting(**dict(row)) for row in rows]


async def begin(
    connection: Connection, facility_id: int, courier_id: int, actor: Actor, now: datetime
) -> tuple[int, bool] | None:
    """The open handover for that truck and whether it was begun just now; None where there is no such courier."""
    known = await connection.fetchrow(
        "SELECT f.code, c.name FROM facilities f CROSS JOIN couriers c WHERE f.id = $1 AND c.id = $2 AND c.name <> ''",
        facility_id,
        courier_id,
    )
    if known is None:
        return None
    begun = await connection.fetchval(
        """INSERT INTO handovers (facility_id, courier_id, opened_at, opened_by) VALUES ($1, $2, $3, $4)
           ON CONFLICT (facility_id, courier_id) WHERE closed_at IS NULL DO NOTHING RETURNING id""",
        facility_id,
        courier_id,
        now,
        actor.name,
    )
    if begun is not None:
        after = {"handover": begun, "facility": known["code"]}
        await note(connection, actor, "handover begun", known["name"], facility_id=facility_id, after=after)
        return begun, True
    found = await connection.fetchval(
        "SELECT id FROM handovers WHERE facility_id = $1 AND courier_id = $2 AND closed_at IS NULL",
        facility_id,
        courier_id,
    )
    return (found, False) if found is not None else await begin(connection, facility_id, courier_id, actor, now)


async def one(
    connection: Connection, handover_id: int, facilities: frozenset[int] | None, *, lock: bool = False
) -> Handover | None:
    """None where it is not there, or not of a facility that the asker works for."""
    rows = await _rows(
        connection,
        "h.id = $1 AND ($2::int[] IS NULL OR h.facility_id = ANY($2))" + " FOR NO KEY UPDATE OF h" * lock,
        handover_id,
        None if facilities is None else sorted(facilities),
    )
    return rows[0] if rows else None


async def closed(connection: Connection, facilities: frozenset[int] | None, limit: int) -> list[Handover]:
    """The last ones that went."""
    return await _rows(
        connection,
        "h.closed_at IS NOT NULL AND ($1::int[] IS NULL OR h.facility_id = ANY($1)) ORDER BY h.id DESC LIMIT $2",
        None if facilities is None else sorted(facilities),
        limit,
    )


async def _rows(connection: Connection, where: str, *given: object) -> list[Handover]:
    rows = await connection.fetch(
        f"""SELECT h.id, h.facility_id, f.code AS facility, h.courier_id, c.name AS courier,
                  coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS time_zone, h.opened_at, h.opened_by,
                  h.closed_at, h.closed_by, h.manifest_id, h.shipments, h.boxes
             FROM handovers h JOIN facilities f ON f.id = h.facility_id JOIN couriers c ON c.id = h.courier_id
            WHERE {where}""",  # noqa: S608 - constants of this file
        *given,
    )
    return [Handover(**dict(row)) for row in rows]


async def loads(connection: Connection, handover: Handover, limit: int = SHOWN_MAX) -> list[Load]:
    """What is ready for this truck, those that were begun first, then by number."""
    rows = await connection.fetch(
        f"""{_LOADS} ORDER BY cardinality(coalesce(b.ticked, '{{}}')) = 0, s.number LIMIT $4""",
        handover.facility_id,
        handover.courier_id,
        handover.id,
        limit,
        READY,
    )
    return [_load(row) for row in rows]


_LOADS = """
    SELECT s.id AS shipment_id, t.id AS turn_id, s.number, v.content -> 'consignee' ->> 'organisation' AS consignee,
           t.awb, jsonb_array_length(v.content -> 'boxes') AS boxes,
           coalesce(b.ticked, '{}') AS ticked
      FROM shipments s JOIN turns t ON t.shipment_id = s.id AND t.state = 'won'
      JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
      LEFT JOIN LATERAL (SELECT array_agg(h.box ORDER BY h.box) AS ticked FROM handover_boxes h
                          WHERE h.handover_id = $3 AND h.turn_id = t.id) AS b ON true
     WHERE s.facility_id = $1 AND s.courier_id = $2 AND s.standing = ANY($5)"""


def _load(row: asyncpg.Record) -> Load:
    return Load(
        shipment_id=row["shipment_id"],
        turn_id=row["turn_id"],
        number=row["number"],
        consignee=row["consignee"],
        awb=row["awb"],
        boxes=row["boxes"],
        ticked=tuple(row["ticked"]),
    )


async def tick(
    connection: Connection, handover: Handover, turn_id: int, shipment_id: int, box: int, actor: Actor, now: datetime
) -> bool:
    """False where it is ticked off already. The caller holds the handover."""
    told = await connection.execute(
        """INSERT INTO handover_boxes (handover_id, shipment_id, turn_id, box, at, by)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        handover.id,
        shipment_id,
        turn_id,
        box,
        now,
        actor.name,
    )
    return told == "INSERT 0 1"


async def untick(connection: Connection, handover: Handover, shipment_id: int, box: int) -> bool:
    """It is not on this truck after all. False where it was not ticked off. The caller holds the handover."""
    told = await connection.execute(
        "DELETE FROM handover_boxes WHERE handover_id = $1 AND shipment_id = $2 AND box = $3",
        handover.id,
        shipment_id,
        box,
    )
    return told != "DELETE 0"


@dataclass(frozen=True, slots=True)
class Went:
    """What became of a handover that was closed: `manifest_id` is None where nothing was complete."""

    manifest_id: int | None
    shipments: int
    boxes: int
    short: tuple[Load, ...]
    left_behind: tuple[str, ...]
    astray: tuple[Astray, ...]


async def close(connection: Connection, handover: Handover, actor: Actor, now: datetime, rules: Rules) -> Went:
    """Whatever is complete goes: on one manifest, and dispatched. The rest stays for the next truck.

    The caller holds the handover. `left_behind` are AWBs that were complete and may not go: on a manifest already.
    """
    ticked = await _ticked(connection, handover)
    stray = await astray.of(connection, handover.id, READY)
    whole = [each for each in ticked if not each.missing]
    made, behind = await _manifest(connection, whole, actor, now, rules)
    went = [each for each in whole if each.awb not in behind]
    manifest_id = int(made.number.removeprefix(BEGINS)) if made else None
    boxes = sum(each.boxes for each in went)
    await connection.execute(
        """UPDATE handovers SET closed_at = $2, closed_by = $3, manifest_id = $4, shipments = $5, boxes = $6
            WHERE id = $1""",
        handover.id,
        now,
        actor.name,
        manifest_id,
        len(went),
        boxes,
    )
    after = {"handover": handover.id, "shipments": len(went), "boxes": boxes, "manifest": made.number if made else ""}
    await note(connection, actor, "handover closed", handover.courier, facility_id=handover.facility_id, after=after)
    return Went(manifest_id, len(went), boxes, tuple(each for each in ticked if each.missing), tuple(behind), stray)


async def _ticked(connection: Connection, handover: Handover) -> list[Load]:
    """What is ready and has a box on the truck, locked: nobody cancels it between the look and the dispatch."""
    ids = await connection.fetch("SELECT DISTINCT shipment_id FROM handover_boxes WHERE handover_id = $1", handover.id)
    await connection.execute(
        "SELECT FROM shipments WHERE id = ANY($1) ORDER BY id FOR UPDATE", [row["shipment_id"] for row in ids]
    )
    rows = await connection.fetch(
        f"{_LOADS} AND b.ticked IS NOT NULL AND $4::int IS NULL ORDER BY s.number",
        handover.facility_id,
        handover.courier_id,
        handover.id,
        None,
        READY,
    )
    return [_load(row) for row in rows]


async def _manifest(
    connection: Connection, whole: Sequence[Load], actor: Actor, now: datetime, rules: Rules
) -> tuple[Manifest | None, frozenset[str]]:
    """Of all that may be on one; and the AWBs of those that may not."""
    if not whole:
        return None, frozenset()
    made = await manifests.make_of(connection, [each.turn_id for each in whole], actor, now, rules)
    if not isinstance(made, Refused):
        return made, frozenset()
    behind = frozenset((*made.manifested, *made.not_ready))
    rest = [each for each in whole if each.awb not in behind]
    return (await _manifest(connection, rest, actor, now, rules))[0], behind
