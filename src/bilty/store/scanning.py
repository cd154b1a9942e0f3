"""What a scanner has read at a truck: which box of which shipment it is, and whether that may go with this one.

A box is known by its own AWB, or by Bilty's number of it (`SO-1001-3`); one that is alone in its shipment by the
shipment's AWB and number, too. What is scanned is a box that somebody holds: each answer says what to do with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bilty.store import handovers
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.store.handovers import READY, Handover

FOUND_MAX = 20
"""Shipments that one code may be of; more are not looked at."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Box `box` of a shipment is on the truck; `missing` are its boxes that are not. `again`: it was so before."""

    number: str
    box: int
    of: int
    missing: tuple[int, ...]
    again: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """One sentence: why it does not go with this truck, and what to do with the box in the hand."""

    why: str


UNKNOWN = "{code} is no box of this facility's. Put it aside; look it up in Shipments."
BLANK = "Nothing was scanned: scan a box's bar code."
WHICH_BOX = (
    "{code} does not say which of the {count} boxes of {number} this is. Scan the box's own bar code, or its sticker's "
    "({number}-1), or tick it off in the list."
)
WHOLE = "{code} is the number of {number}, which has {count} boxes. Scan each box's own bar code."
AMBIGUOUS = "{code} is of {numbers}. Scan the other bar code of the box, or tick it off in the list."
VOID = "{code} is void: {number} was changed or booked anew. Take the label off the box, and print the present one."
OTHER_COURIER = "Box {box} of {number} goes with {courier}, not with {this}. Put it aside for that truck."
OTHER_FACILITY = "Box {box} of {number} leaves from {facility}, not from {this}. Put it aside."
GONE = "{number} was dispatched already. Put the box aside, and ask who handed it over."
CANCELLED = "{number} is cancelled. Keep the box here, and take its label off."
NOT_READY = "{number} has no label that may go yet. Put the box aside; its page says why."


async def scan(
    connection: Connection,
    handover: Handover,
    code: str,
    facilities: frozenset[int] | None,
    actor: Actor,
    now: datetime,
) -> Ticked | Wrong:
    """Ticks the box off, or says why not. The caller holds the handover, which is open."""
    if not code:
        return Wrong(BLANK)
    found = await _find(connection, code, facilities)
    if not found:
        return Wrong(UNKNOWN.format(code=code))
    fitting = [each for each in found if not each.why_not(handover, code)] or found
    if len({(each.shipment_id, each.box) for each in fitting}) > 1:
        return Wrong(AMBIGUOUS.format(code=code, numbers=" and ".join(sorted({each.number for each in fitting}))))
    (box,) = fitting[:1]
    why = box.why_not(handover, code)
    if why:
        return Wrong(why)
    assert box.turn_id is not None, "what is ready has a label"
    new = await handovers.tick(connection, handover, box.turn_id, box.shipment_id, box.box, actor, now)
    on = await connection.fetch(
        "SELECT box FROM handover_boxes WHERE handover_id = $1 AND turn_id = $2", handover.id, box.turn_id
    )
    ticked = {row["box"] for row in on}
    missing = tuple(number for number in range(1, box.of + 1) if number not in ticked)
    return Ticked(box.number, box.box, box.of, missing, again=not new)


@dataclass(frozen=True, slots=True)
class _Found:
    """A shipment that a code is of; `box` is 0 where it does not say which, `void` where it is an old label's."""

    shipment_id: int
    number: str
    facility_id: int
    facility: str
    courier_id: int
    courier: str
    standing: str
    turn_id: int | None
    of: int
    box: int
    is_awb: bool
    void: bool

    def why_not_which(self, code: str) -> str:
        if self.void:
            return VOID.format(code=code, number=self.number)
        words = WHICH_BOX if self.is_awb else WHOLE
        return words.format(code=code, number=self.number, count=self.of)

    def why_not(self, handover: Handover, code: str) -> str:
        """Blank where it may be ticked off."""
        words = ""
        if self.standing == "dispatched":
            words = GONE
        elif self.standing in ("cancelled", "cancelling"):
            words = CANCELLED
        elif self.void or not self.box:
            return self.why_not_which(code)
        elif self.standing not in READY or self.turn_id is None:
            words = NOT_READY
        elif self.facility_id != handover.facility_id:
            words = OTHER_FACILITY
        elif self.courier_id != handover.courier_id:
            words = OTHER_COURIER
        this = handover.facility if words is OTHER_FACILITY else handover.courier
        return words.format(number=self.number, box=self.box, facility=self.facility, courier=self.courier, this=this)


async def _find(connection: Connection, code: str, facilities: frozenset[int] | None) -> Sequence[_Found]:
    number, _, box = code.rpartition("-")
    rows = await connection.fetch(
        _FIND,
        code,
        number,
        int(box) if box.isascii() and box.isdigit() and len(box) <= 3 else 0,
        None if facilities is None else sorted(facilities),
        FOUND_MAX,
    )
    return [_found(row) for row in rows]


_FIND = """
    WITH meant AS (
        SELECT shipment_id, 0 AS box, true AS is_awb FROM shipment_codes WHERE code = lower($1)
        UNION SELECT shipment_id, 0, false FROM shipment_keys WHERE number = lower($1)
        UNION SELECT shipment_id, $3::int, false FROM shipment_keys WHERE number = lower($2) AND $3::int > 0)
    SELECT s.id AS shipment_id, s.number, s.facility_id, f.code AS facility, s.courier_id, c.name AS courier,
           s.standing, t.id AS turn_id, jsonb_array_length(v.content -> 'boxes') AS boxes, m.box, m.is_awb,
           b.number AS box_of_awb, lower($1) IN (lower(t.awb), lower(t.reference)) AS is_shipments,
           EXISTS (SELECT FROM jsonb_array_elements(t.children) AS child
                    WHERE lower(child ->> 'awb') = lower($1)) AS is_labels
      FROM (SELECT * FROM meant LIMIT $5) AS m JOIN shipments s ON s.id = m.shipment_id
      JOIN facilities f ON f.id = s.facility_id JOIN couriers c ON c.id = s.courier_id
      JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
      LEFT JOIN turns t ON t.shipment_id = s.id AND t.state = 'won'
      LEFT JOIN boxes b ON m.is_awb AND b.shipment_id = s.id AND b.version = s.version AND lower(b.awb) = lower($1)
     WHERE ($4::int[] IS NULL OR s.facility_id = ANY($4)) AND m.box <= jsonb_array_length(v.content -> 'boxes')"""


def _found(row: asyncpg.Record) -> _Found:
    of, named = row["boxes"], row["box"] or row["box_of_awb"] or 0
    whole = row["is_shipments"] or not row["is_awb"]
    box = named or (1 if whole and of == 1 else 0)
    return _Found(
        shipment_id=row["shipment_id"],
        number=row["number"],
        facility_id=row["facility_id"],
        facility=row["facility"],
        courier_id=row["courier_id"],
        courier=row["courier"],
        standing=row["standing"],
        turn_id=row["turn_id"],
        of=of,
        box=box,
        is_awb=row["is_awb"],
        void=row["is_awb"] and not row["is_shipments"] and not row["is_labels"] and not row["box_of_awb"],
    )
