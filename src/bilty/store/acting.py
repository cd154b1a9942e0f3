"""People's acts upon shipments: decided by `bilty.deciding` under lock, and told in the timeline and the audit trail.

Whoever comes second sees what the first has done: the act is then refused with who that was and the reason, and
nothing is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from bilty.deciding import Act, EnterAwb, No, Schedule, ShipmentAct, UsePaper, WrongAwb, decide, why_not_now
from bilty.reply import Child
from bilty.shipment import decode
from bilty.store import audit, awbs, preflight, whom
from bilty.store.audit import Actor, Note
from bilty.store.claims import OUT_AT_MOST
from bilty.store.database import Connection
from bilty.store.progress import Course, changing
from bilty.turn import Rules, Turn
from bilty.workflow import Progress, status

NOT_THERE = No("There is no such shipment.")


@dataclass(frozen=True, slots=True)
class _Done:
    course: Course
    act: Act

    @property
    def reference(self) -> str:
        return reference_of(self.act)


async def act(
    connection: Connection, acts: Mapping[int, Act], actor: Actor, now: datetime, rules: Rules
) -> dict[int, No | None]:
    """Does each shipment's act, or says why not: None where it is done.

    The caller holds a transaction, and has seen to it that the actor may touch these shipments.
    """
    answers: dict[int, No | None] = dict.fromkeys(acts, NOT_THERE)
    async with changing(connection, list(acts), now) as courses:
        out = await calls_out(connection, list(acts), now)
        scheduled = [shipment_id for shipment_id in courses if isinstance(acts[shipment_id], Schedule)]
        why_held = await preflight.why_held(connection, scheduled, now) if scheduled else {}
        done, second = [], {}
        for shipment_id, course in courses.items():
            wish = acts[shipment_id]
            ready = preflight.to_be_looked_at(course.after) if isinstance(wish, Schedule) else course.after
            after = decide(ready, wish, now, rules, call_out=out.get(shipment_id, frozenset()))
            if not isinstance(after, No) and (why := why_held.get(shipment_id)):
                course.after = preflight.held(course.after, why)
                after = No(why)
            if isinstance(after, No):
                answers[shipment_id] = after
                if _is_late(course, wish, after.reason):
                    second[shipment_id] = whom.Wanted(wish.kind, reference_of(wish))
            else:
                course.after = after
                answers[shipment_id] = None
                done.append(_Done(course, wish))
        for refused in await _take_awbs(connection, done):
            refused.course.after = refused.course.before
            answers[refused.course.shipment_id] = No("That AWB is already another shipment's. Look it up again.")
            done.remove(refused)
        for shipment_id, faster in (await whom.told(connection, second, now)).items():
            answers[shipment_id] = _told(answers[shipment_id], faster)
        await _tell(connection, done, actor, now)
    await awbs.release(connection, [(d.course.ids[d.reference], _awb(d)) for d in done if isinstance(d.act, WrongAwb)])
    await _write_boxes(connection, [each.course for each in done])
    await _warn_of_papers(connection, done)
    return answers


def reference_of(act: Act) -> str:
    """Of the turn that it is about; blank where it is about the whole shipment."""
    return "" if isinstance(act, ShipmentAct) else act.reference


def _is_late(course: Course, wish: Act, reason: str) -> bool:
    """Whether it is refused for how things stand, and not for what it says, or what the shipment lacks."""
    reference = reference_of(wish)
    known = reference in course.ids or not reference
    return known and reason != course.before.hold and why_not_now(course.before, wish.kind, reference) == reason


def _told(refused: No | None, faster: str) -> No:
    assert refused is not None, "told of those that are refused"
    return No(f"{faster} {refused.reason}")


async def calls_out(connection: Connection, shipment_ids: Sequence[int], now: datetime) -> dict[int, frozenset[str]]:
    """The references whose call is out, by shipment."""
    since = await calls_since(connection, shipment_ids, now)
    return {shipment_id: frozenset(calls) for shipment_id, calls in since.items()}


async def calls_since(
    connection: Connection, shipment_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, datetime]]:
    """Since when the call of each reference is out, by shipment: its answer may be heard even after the lease."""
    rows = await connection.fetch(
        """SELECT shipment_id, reference, claimed_at FROM turns
            WHERE shipment_id = ANY($1) AND claimed_at > $2::timestamptz""",
        shipment_ids,
        now - OUT_AT_MOST,
    )
    found: dict[int, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row["shipment_id"], {})[row["reference"]] = row["claimed_at"]
    return found


async def _take_awbs(connection: Connection, done: Sequence[_Done]) -> list[_Done]:
    """Those that entered an AWB of another shipment."""
    entered = {}
    for each in done:
        turn = _turn(each)
        if isinstance(each.act, EnterAwb) and turn and turn.courier:
            entered[each.course.ids[turn.reference]] = each, (turn.courier.cp_id, each.act.awb)
    foreign = await awbs.take(connection, [(cp_id, awb, turn_id) for turn_id, (_, (cp_id, awb)) in entered.items()])
    return [entered[turn_id][0] for turn_id in foreign]


def _turn(done: _Done) -> Turn | None:
    return next((turn for turn in done.course.after.turns if turn.reference == done.reference), None)


def _awb(done: _Done) -> str:
    """What a person entered, or takes back; blank where the act is about no AWB that they typed."""
    match done.act:
        case EnterAwb(awb=awb):
            return awb
        case WrongAwb(reference=reference):
            return next(turn.awb for turn in done.course.before.turns if turn.reference == reference)
        case _:
            return ""


async def _tell(connection: Connection, done: Sequence[_Done], actor: Actor, now: datetime) -> None:
    """Before what came of it, so that the timeline reads in order."""
    await connection.executemany(
        "INSERT INTO timeline (shipment_id, turn_id, at, state, message, actor) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (
                each.course.shipment_id,
                each.course.ids.get(each.reference),
                now,
                each.act.kind,
                _awb(each),
                actor.name,
            )
            for each in done
        ],
    )
    await audit.note_many(connection, actor, [_note(each) for each in done])


def _note(done: _Done) -> Note:
    course = done.course
    return Note(
        action=done.act.kind.replace("-", " "),
        subject=course.before.number,
        shipment_id=course.shipment_id,
        facility_id=course.facility_id,
        before={"status": status(course.before)},
        after={"status": status(course.after), **msgspec.to_builtins(done.act)},
    )


async def _write_boxes(connection: Connection, courses: Sequence[Course]) -> None:
    """Boxes have the AWBs of the label that will be on them, and no other's."""
    moved = [course for course in courses if _holder(course.before) != _holder(course.after)]
    await awbs.take_off_boxes(connection, [(course.shipment_id, course.after.version) for course in moved])
    for row in await _with_content(connection, [c.ids[c.after.holder.reference] for c in moved if c.after.holder]):
        children = msgspec.json.decode(row["children"], type=list[Child])
        shipment = decode(row["content"])
        await awbs.put_on_boxes(connection, row["shipment_id"], row["version"], shipment, children, row["awb"])


async def _warn_of_papers(connection: Connection, done: Sequence[_Done]) -> None:
    for row in await _with_content(
        connection, [d.course.ids[d.reference] for d in done if isinstance(d.act, UsePaper)]
    ):
        boxes = len(decode(row["content"]).boxes)
        await awbs.warn_of_pages(connection, row["shipment_id"], row["label_pages"], boxes)
        if row["label_pages"] > boxes:
            told = f"The PDF that was uploaded has {row['label_pages']} pages for {boxes} boxes: see whose they are."
            await awbs.warn(connection, row["shipment_id"], told)


async def _with_content(connection: Connection, turn_ids: Sequence[int]) -> list[asyncpg.Record]:
    """The turns with what each was asked to carry."""
    if not turn_ids:
        return []
    return await connection.fetch(
        """SELECT t.shipment_id, t.version, t.awb, t.children, t.label_pages, v.content FROM turns t
             JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
            WHERE t.id = ANY($1)""",
        turn_ids,
    )


def _holder(course: Progress) -> str:
    return course.holder.reference if course.holder else ""
