"""A shipment is put right before anybody was asked to carry it: its content is replaced in place.

As long as no run has begun, nothing was printed, said or bought of what it was; so there is nothing to keep of it but
the audit trail's line. Whatever else is kept of the content (boxes, what lists sort and search by) follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from bilty.shipment import Box, Shipment, decode, digest, encode
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.listed import NOBODY, courier_ids, write_keys
from bilty.store.progress import Course, courses_of, notify_changed
from bilty.store.shipments import Arrival
from bilty.words import listed
from bilty.workflow import Progress, Status

AMENDED = "amended"
"""The state of its line in the timeline; the message says what."""
_WORDS: Mapping[str, str] = {
    "order_number": "the order number",
    "shipping_provider": "the Shipping Provider",
    "consignee": "the consignee",
    "payment": "the payment",
    "invoices": "the invoices",
    "boxes": "the boxes",
    "purchase_orders": "the purchase orders",
    "appointment": "the appointment",
    "pickup_at": "the pickup time",
}


class Amending(StrEnum):
    """What became of it. But for DONE nothing was changed."""

    DONE = "done"
    SAME = "same"
    BEGUN = "begun"  # somebody was asked to carry it
    CANCELLED = "cancelled"
    OTHER_NAME = "other_name"  # another number, or another facility: that is another shipment
    NO_PROVIDER = "no_provider"
    NOT_THERE = "not_there"


@dataclass(frozen=True, slots=True)
class _Was:
    """`shipment` and `warnings` under the lock of `course`."""

    course: Course
    shipment: Shipment
    warnings: tuple[str, ...]


def begun(progress: Progress) -> bool:
    """Couriers were asked to carry it as it is, or are about to be: what it is cannot be put right any more."""
    return progress.run > 0


async def amend(connection: Connection, shipment_id: int, arrival: Arrival, actor: Actor, now: datetime) -> Amending:
    """The shipment is from now on what `arrival` says, held or not as that says. The caller holds a transaction.

    Nothing is scheduled by it.
    """
    was = await _locked(connection, shipment_id)
    if was is None:
        return Amending.NOT_THERE
    before, after = was.shipment, arrival.shipment
    if refusal := _refusal(was, after):
        return refusal
    if (before, was.course.before.hold, was.warnings) == (after, arrival.hold, arrival.warnings):
        return Amending.SAME
    provider_id = was.course.provider_id
    if after.shipping_provider != before.shipping_provider:
        sql = "SELECT id FROM shipping_providers WHERE code = $1"
        provider_id = await connection.fetchval(sql, after.shipping_provider)
        if provider_id is None:
            return Amending.NO_PROVIDER
    await _write_content(connection, was.course, after)
    await _write_shipment(connection, shipment_id, arrival, provider_id)
    await write_keys(connection, [shipment_id])
    await _tell(connection, was, arrival, actor, now)
    await notify_changed(connection, [shipment_id])
    return Amending.DONE


async def _locked(connection: Connection, shipment_id: int) -> _Was | None:
    courses = await courses_of(connection, [shipment_id], lock=True)
    if shipment_id not in courses:
        return None
    row = await connection.fetchrow(
        """SELECT v.content, s.warnings FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = $1""",
        shipment_id,
    )
    assert row is not None
    return _Was(courses[shipment_id], decode(row["content"]), tuple(row["warnings"]))


def _refusal(was: _Was, after: Shipment) -> Amending | None:
    progress = was.course.before
    if begun(progress):
        return Amending.BEGUN
    if progress.cancel_asked:
        return Amending.CANCELLED
    if (was.shipment.number, was.shipment.facility) != (after.number, after.facility):
        return Amending.OTHER_NAME
    return None


async def _write_content(connection: Connection, course: Course, after: Shipment) -> None:
    at = course.shipment_id, course.before.version
    await connection.execute(
        "UPDATE shipment_versions SET digest = $3, content = $4 WHERE shipment_id = $1 AND version = $2",
        *at,
        digest(after),
        encode(after).decode(),
    )
    await connection.execute("DELETE FROM boxes WHERE shipment_id = $1 AND version = $2", *at)
    await connection.copy_records_to_table(
        "boxes",
        columns=["shipment_id", "version", "number", "reference"],
        records=[(*at, number, after.box_reference(number)) for number in range(1, len(after.boxes) + 1)],
    )


async def _write_shipment(connection: Connection, shipment_id: int, arrival: Arrival, provider_id: int) -> None:
    after, pair = arrival.shipment, (provider_id, NOBODY)
    await connection.execute(
        """UPDATE shipments SET provider_id = $2, courier_id = $3, order_number = $4, consignee = $5, city = $6,
                  box_count = $7, weight_g = $8, value = $9, hold = $10, status = $11, warnings = $12 WHERE id = $1""",
        shipment_id,
        provider_id,
        (await courier_ids(connection, [pair]))[pair],
        after.order_number,
        after.consignee.organisation or after.consignee.name,
        after.consignee.city,
        len(after.boxes),
        after.weight_g,
        after.value,
        arrival.hold,
        Status.ON_HOLD if arrival.hold else Status.CREATED,
        list(arrival.warnings),
    )


async def _tell(connection: Connection, was: _Was, arrival: Arrival, actor: Actor, now: datetime) -> None:
    course, before, after = was.course, was.shipment, arrival.shipment
    changed = [name for name in _WORDS if getattr(before, name) != getattr(after, name)]
    await connection.execute(
        "INSERT INTO timeline (shipment_id, at, state, message, actor) VALUES ($1, $2, $3, $4, $5)",
        course.shipment_id,
        now,
        AMENDED,
        " ".join(filter(None, [_told(changed), _told_hold(course.before.hold, arrival.hold)])),
        actor.name,
    )
    await note(
        connection,
        actor,
        "amend",
        after.number,
        shipment_id=course.shipment_id,
        facility_id=course.facility_id,
        before={**_facts(before, changed), "held": course.before.hold},
        after={**_facts(after, changed), "held": arrival.hold},
    )


def _told(changed: list[str]) -> str:
    return f"Changed: {listed([_WORDS[name] for name in changed])}." if changed else ""


def _told_hold(before: str, after: str) -> str:
    if after == before:
        return ""
    return f"It is held. {after}" if after else "It is no longer held."


def _facts(shipment: Shipment, names: list[str]) -> dict[str, object]:
    return {name: _fact(getattr(shipment, name)) for name in names}


def _fact(value: object) -> object:
    """Of hundreds of boxes their number and weight."""
    if isinstance(value, tuple) and value and isinstance(value[0], Box):
        return f"{len(value)}, {sum(box.weight_g for box in value)} g"
    return msgspec.to_builtins(value)
