"""What is kept of a change to a shipment: a line in its timeline, and one in the audit trail."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from bilty import telling
from bilty.shipment import Box, Shipment
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.ewaybills import EWAYBILL
from bilty.store.prints import VoidLabel
from bilty.store.progress import Course
from bilty.telling.printed import sheets_of
from bilty.turn import State
from bilty.words import counted, listed
from bilty.workflow import Status, status

AMENDED, CHANGED = "amended", "changed"
"""The states of its line in the timeline, before anybody was asked and after; the message says what."""


async def note_change(
    connection: Connection,
    course: Course,
    before: Shipment,
    after: Shipment,
    void: Sequence[VoidLabel],
    actor: Actor,
    now: datetime,
) -> None:
    """Before what comes of it, so that the timeline reads in order. `void`: labels that were printed until now."""
    await connection.execute(
        "INSERT INTO timeline (shipment_id, at, state, message, actor) VALUES ($1, $2, $3, $4, $5)",
        course.shipment_id,
        now,
        _state(course),
        told(course, before, after, void),
        actor.name,
    )
    changed = telling.changed_fields(before, after)
    await note(
        connection,
        actor,
        "amend",
        after.number,
        shipment_id=course.shipment_id,
        facility_id=course.facility_id,
        before={**_facts(before, changed), "held": course.before.hold, "version": course.before.version},
        after={**_facts(after, changed), "held": course.after.hold, "version": course.after.version},
    )


def _state(course: Course) -> str:
    if course.before.run == 0:
        return AMENDED
    return CHANGED if course.after.version != course.before.version else EWAYBILL


def told(course: Course, before: Shipment, after: Shipment, void: Sequence[VoidLabel]) -> str:
    changes = telling.told_changes(before, after)
    said = [
        f"Changed: {changes}." if changes else "",
        f"It is version {course.after.version} now." if course.after.version != course.before.version else "",
        _told_of_old(course, void),
        _told_hold(course),
    ]
    return " ".join(filter(None, said))


def _told_of_old(course: Course, void: Sequence[VoidLabel]) -> str:
    """What becomes of what couriers were asked to carry."""
    live = list(given_up(course))
    said = [f"{'AWB' if len(live) == 1 else 'AWBs'} {listed(live)} {'is' if len(live) == 1 else 'are'} being cancelled"]
    sheets = sheets_of(void)
    must = [f"{counted(sheets, 'printed label')} must be destroyed"] if sheets else []
    told = "; ".join((said if live else []) + must)
    asked = [turn.courier.name for turn in course.after.outdated if turn.courier]
    still = f"What {listed(asked)} may still book is cancelled as soon as it is known." if asked else ""
    return " ".join(filter(None, (f"{told}." if told else "", still if not live else "")))


def given_up(course: Course) -> tuple[str, ...]:
    """The AWBs that are cancelled from now on."""
    before = {turn.reference for turn in course.before.turns if turn.state is State.SURPLUS}
    return tuple(t.awb for t in course.after.turns if t.state is State.SURPLUS and t.reference not in before)


def _told_hold(course: Course) -> str:
    """Where it is on hold from now on, that is a line of its own."""
    before, after = course.before, course.after
    if after.hold == before.hold:
        return ""
    if not after.hold:
        return "It is no longer held."
    begins = status(after) is Status.ON_HOLD and status(before) is not Status.ON_HOLD
    return "" if begins else f"It is held. {after.hold}"


def _facts(shipment: Shipment, names: Sequence[str]) -> dict[str, object]:
    return {name: _fact(getattr(shipment, name)) for name in names}


def _fact(value: object) -> object:
    """Of hundreds of boxes their number and weight."""
    if isinstance(value, tuple) and value and isinstance(value[0], Box):
        return f"{len(value)}, {sum(box.weight_g for box in value)} g"
    return msgspec.to_builtins(value)
