"""E-way bills that come after their shipment: written into what it is, in place, and owed to whoever has the boxes.

They make no version and void no label: what a label stands for is the same without them. What each courier was told
stands with its turn (`told_ewaybills`), so that a repetition says the same to the letter; what the courier that has
the shipment does not know yet is told it by a job.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import asyncpg
import msgspec

from bilty.deciding import hold_is
from bilty.intake import IntakeRules
from bilty.intake.ewaybills import NONE, held_anew, warnings_anew, why_not
from bilty.shipment import (
    DAYS_DO_NOT_FIT,
    Ewaybill,
    Shipment,
    decode,
    encode,
    ewaybills_of,
    with_ewaybills,
)
from bilty.store import afterwards, preflight, transporters
from bilty.store.audit import Actor, Note, note_many
from bilty.store.claims import told_of
from bilty.store.database import Connection
from bilty.store.progress import Course, changing, notify_changed
from bilty.store.turn_rows import HOLDING
from bilty.turn import TRAITS, Kind, State
from bilty.words import INDIA, day

EWAYBILL = "ewaybill"
"""The state of its line in the timeline; the message says what."""
MAY_HOLD = [State.OFFERED, *(state for state, (kind, _) in TRAITS.items() if kind in (Kind.OPEN, Kind.WATCHED))]
"""Of turns that were asked, and may still bring the AWB under which the boxes leave."""
CANCELLED = "This shipment is cancelled: its e-way bills are nobody's matter any more."


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a shipment's: of which invoices they are others now, and why not, by the number of the invoice.

    What is wrong with the whole shipment stands at each of them.
    """

    changed: frozenset[str] = frozenset()
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    course: Course
    before: Shipment
    after: Shipment
    warnings: tuple[str, ...]


async def add(
    connection: Connection,
    wanted: Mapping[int, Mapping[str, Ewaybill]],
    rules: IntakeRules,
    actor: Actor,
    now: datetime,
    *,
    whole: bool = False,
) -> dict[int, Added]:
    """The invoices that are named have these e-way bills from now on; one without a number takes away what was there.

    `wanted` by shipment and invoice. `whole`: a shipment of which one is refused is left as it is. Nothing is
    scheduled by it. The caller holds a transaction, and has seen to it that the actor may touch these shipments.
    """
    answers: dict[int, Added] = {}
    async with changing(connection, list(wanted), now) as courses:
        contents = await _contents(connection, list(courses))
        known = await _known_to_couriers(connection, list(courses))
        changes = []
        for shipment_id, course in courses.items():
            before, warnings = contents[shipment_id]
            bills = wanted[shipment_id]
            refused = _refused(course, before, bills, known.get(shipment_id, {}), now.astimezone(INDIA).date())
            taken = {} if refused and whole else {n: bill for n, bill in bills.items() if n not in refused}
            after = with_ewaybills(before, _together(before, taken))
            answers[shipment_id] = Added(_others(before, after), refused)
            if after != before:
                changes.append(_Change(course, before, after, warnings))
        await _write(connection, changes, rules, now)
        await _hold_anew(connection, changes, rules, now)
        await _tell(connection, changes, actor, now)
        await _changed(connection, [(each.course.shipment_id, each.before, each.after) for each in changes], now)
    if changes:
        await notify_changed(connection, [each.course.shipment_id for each in changes])
    return answers


def _together(shipment: Shipment, taken: Mapping[str, Ewaybill]) -> dict[str, Ewaybill]:
    return {invoice: bill for invoice, bill in {**ewaybills_of(shipment), **taken}.items() if bill.number}


def _others(before: Shipment, after: Shipment) -> frozenset[str]:
    pairs = zip(before.invoices, after.invoices, strict=True)
    return frozenset(was.number for was, now in pairs if was != now)


def _refused(
    course: Course, shipment: Shipment, bills: Mapping[str, Ewaybill], known: Mapping[str, str], today: date
) -> dict[str, str]:
    """`known`: who was told of each invoice's, and cannot be told that there is none."""
    if course.before.cancel_asked:
        return dict.fromkeys(bills, CANCELLED)
    has = ewaybills_of(shipment)
    refused = {}
    for invoice, bill in bills.items():
        why = why_not(shipment, invoice, bill, today)
        if not why and not bill.number and invoice in has and invoice in known:
            why = (
                f"{known[invoice]} was told e-way bill {has[invoice].number} of invoice {invoice}, and cannot be told "
                "that there is none: give the number of the one that replaces it."
            )
        if why:
            refused[invoice] = why
    return refused


async def _contents(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, tuple[Shipment, tuple[str, ...]]]:
    rows = await connection.fetch(
        """SELECT s.id, v.content, s.warnings FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version WHERE s.id = ANY($1)""",
        shipment_ids,
    )
    return {row["id"]: (decode(row["content"]), tuple(row["warnings"])) for row in rows}


async def _known_to_couriers(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """By shipment and invoice: the courier that has the boxes, or may still have them, and knows of an e-way bill."""
    rows = await connection.fetch(
        """SELECT t.shipment_id, t.courier_name, v.content, t.told_ewaybills
             FROM turns t JOIN shipments s ON s.id = t.shipment_id
             JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
            WHERE t.shipment_id = ANY($1)
              AND (t.state = ANY($2) OR t.state = ANY($3) AND t.version = s.version AND t.pickup_at IS NOT NULL)
            ORDER BY t.state = ANY($2), t.id""",
        shipment_ids,
        HOLDING,
        MAY_HOLD,
    )
    known: dict[int, dict[str, str]] = {}
    for row in rows:
        known.setdefault(row["shipment_id"], {}).update(dict.fromkeys(_told(row), row["courier_name"]))
    return known


def _told(row: asyncpg.Record) -> Collection[str]:
    """The invoices of which a turn's courier was told an e-way bill."""
    if row["told_ewaybills"] is None:
        return ewaybills_of(decode(row["content"])).keys()
    return msgspec.json.decode(row["told_ewaybills"], type=dict[str, str]).keys()


async def _write(connection: Connection, changes: Sequence[_Change], rules: IntakeRules, now: datetime) -> None:
    today = now.astimezone(INDIA).date()
    await connection.executemany(
        "UPDATE shipment_versions SET content = $3 WHERE shipment_id = $1 AND version = $2",
        [(c.course.shipment_id, c.course.before.version, encode(c.after).decode()) for c in changes],
    )
    await connection.executemany(
        "UPDATE shipments SET warnings = $2 WHERE id = $1",
        [(c.course.shipment_id, list(warnings_anew(c.warnings, c.before, c.after, rules, today))) for c in changes],
    )


async def _hold_anew(connection: Connection, changes: Sequence[_Change], rules: IntakeRules, now: datetime) -> None:
    """Days that did not fit are looked at anew: it may have been the e-way bill's."""
    unfit = [c.course.shipment_id for c in changes if DAYS_DO_NOT_FIT in c.course.before.hold]
    still = await preflight.why_held(connection, unfit, now) if unfit else {}
    for each in changes:
        course = each.course
        hold = held_anew(course.before.hold, each.before, each.after, rules)
        why = " ".join(filter(None, (hold, still.get(course.shipment_id, ""))))
        if why != course.before.hold:
            course.after = hold_is(course.before, why, now)


async def _tell(connection: Connection, changes: Sequence[_Change], actor: Actor, now: datetime) -> None:
    await connection.executemany(
        "INSERT INTO timeline (shipment_id, at, state, message, actor) VALUES ($1, $2, $3, $4, $5)",
        [(c.course.shipment_id, now, EWAYBILL, _sentences(c), actor.name) for c in changes],
    )
    await note_many(connection, actor, [_note(each) for each in changes])


def _sentences(change: _Change) -> str:
    was, bills = ewaybills_of(change.before), ewaybills_of(change.after)
    return " ".join(
        _sentence(invoice, was.get(invoice), bills.get(invoice))
        for invoice in sorted(_others(change.before, change.after))
    )


def _sentence(invoice: str, was: Ewaybill | None, bill: Ewaybill | None) -> str:
    if bill is None:
        return f"Invoice {invoice} has e-way bill {was.number if was else ''} no longer."
    until = f", until {day(bill.expires_on)}" if bill.expires_on else ""
    instead = f" instead of {was.number}" if was and was.number != bill.number else ""
    return f"Invoice {invoice} has e-way bill {bill.number}{until}{instead}."


def _note(change: _Change) -> Note:
    others = _others(change.before, change.after)

    def facts(shipment: Shipment) -> dict[str, object]:
        bills = {invoice: bill for invoice, bill in ewaybills_of(shipment).items() if invoice in others}
        return {"e-way bills": msgspec.to_builtins(bills)}

    return Note(
        action="e-way bill",
        subject=change.after.number,
        shipment_id=change.course.shipment_id,
        facility_id=change.course.facility_id,
        before={**facts(change.before), "held": change.course.before.hold},
        after={**facts(change.after), "held": change.course.after.hold},
    )


async def refusals(
    connection: Connection, course: Course, before: Shipment, after: Shipment, now: datetime
) -> dict[str, str]:
    """Why it cannot become `after`, which differs in e-way bills alone, by the number of the invoice."""
    has = ewaybills_of(after)
    bills = {invoice: has.get(invoice, NONE) for invoice in _others(before, after)}
    known = await _known_to_couriers(connection, [course.shipment_id])
    return _refused(course, before, bills, known.get(course.shipment_id, {}), now.astimezone(INDIA).date())


async def changed(connection: Connection, shipment_id: int, before: Shipment, after: Shipment, now: datetime) -> None:
    """The content of the present version was `before` and is `after`, and the shipment is locked.

    Owes its courier what it was not told.
    """
    await _changed(connection, [(shipment_id, before, after)], now)


async def _changed(connection: Connection, changes: Sequence[tuple[int, Shipment, Shipment]], now: datetime) -> None:
    others = [each for each in changes if ewaybills_of(each[1]) != ewaybills_of(each[2])]
    # Turns that an older program began were told what the content had.
    await connection.executemany(
        """UPDATE turns t SET told_ewaybills = $2, told_expiries = $3 FROM shipments s
            WHERE s.id = $1 AND t.shipment_id = s.id AND t.version = s.version AND t.told_ewaybills IS NULL
              AND t.pickup_at IS NOT NULL""",
        [
            (shipment_id, *(msgspec.json.encode(told).decode() for told in told_of(before).values()))
            for shipment_id, before, _ in others
        ],
    )
    for shipment_id, before, after in others:
        kept = {bill.number for bill in ewaybills_of(after).values()}
        gone = {bill.number for bill in ewaybills_of(before).values()} - kept
        if gone:
            await transporters.forget(connection, shipment_id, gone, now)
    await afterwards.owe_ewaybills(connection, [shipment_id for shipment_id, _, _ in others], now)
