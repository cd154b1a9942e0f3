"""A shipment's course, between the database and `bilty.workflow`: read under a lock, written as what changed.

Whoever changes a course does it through `changing`: dispatcher, request and import alike. The lock is on the
shipment's row and on its turns, so that a claim, which takes turns only, can never be overwritten by a decision that
did not see it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import msgspec

from bilty.concerns import concerns
from bilty.deciding import begins_of_itself, held_back
from bilty.store import afterwards, preflight, transporters, turns_begun
from bilty.store.database import CHANGED_CHANNEL, DUE_CHANNEL, Connection
from bilty.store.hand_off import events
from bilty.store.listed import courier_ids, courier_of, write_codes
from bilty.store.turn_ends import end_of, write_ends
from bilty.store.turn_rows import COLUMNS, row_of, turn_of, update_turns
from bilty.turn import State, Turn
from bilty.workflow import Progress, Status, status


@dataclass(slots=True)
class Course:
    """One shipment under lock: what it was, and what it shall be. `answered` are turns whose call came back.

    `fences` say whether a call is out under them. `listed` is what its row has: of a claim, it knows nothing.
    """

    shipment_id: int
    provider_id: int
    facility_id: int
    before: Progress
    after: Progress
    ids: dict[str, int]
    fences: dict[str, tuple[int, bool]]
    answered: set[str]
    listed: tuple[str, tuple[str, ...]]


NOTIFY_BYTES_MAX = 7_900
"""PostgreSQL takes payloads under 8,000 bytes; a longer list of ids is sent blank: look at all."""


@asynccontextmanager
async def changing(
    connection: Connection, shipment_ids: Sequence[int], now: datetime
) -> AsyncIterator[dict[int, Course]]:
    """The courses of these shipments, locked; at the end of the block what changed in `after` is written.

    The caller holds a transaction. Shipments are locked in the order of their ids, so that no two callers wait for
    each other. One NOTIFY a block.
    """
    courses = await courses_of(connection, sorted(set(shipment_ids)), lock=True)
    yield courses
    changed = [c for c in courses.values() if c.after != c.before or c.answered]
    if changed:
        await _hold_back(connection, changed, now)
        await _write(connection, changed, now)


async def _hold_back(connection: Connection, courses: Sequence[Course], now: datetime) -> None:
    """A run that begins by itself, maybe days after it was asked for, is looked at as one that a person begins."""
    begun = {c.shipment_id: c for c in courses if begins_of_itself(c.before, c.after)}
    for shipment_id, why in (await preflight.why_held(connection, list(begun), now) if begun else {}).items():
        begun[shipment_id].after = held_back(begun[shipment_id].before, begun[shipment_id].after, why)


async def courses_of(connection: Connection, shipment_ids: Sequence[int], *, lock: bool = False) -> dict[int, Course]:
    """The courses by shipment. Without the lock they are for showing only."""
    rows = await connection.fetch(
        f"""SELECT s.id, s.provider_id, s.facility_id, f.code AS facility, s.number, s.version, s.run, s.hold,
                  s.schedule_asked, s.cancel_asked, s.failed_told, s.dispatched, s.status, s.concerns,
                  i.id AS installation
             FROM shipments s JOIN facilities f ON f.id = s.facility_id CROSS JOIN installation i
            WHERE s.id = ANY($1) ORDER BY s.id {"FOR UPDATE OF s" if lock else ""}""",  # noqa: S608 - constants
        shipment_ids,
    )
    digests = await _digests(connection, shipment_ids)
    turns = await connection.fetch(
        f"""SELECT {COLUMNS}, claimed_at FROM turns WHERE shipment_id = ANY($1)
             ORDER BY id {"FOR UPDATE" if lock else ""}""",  # noqa: S608 - constants
        shipment_ids,
    )
    by_shipment: dict[int, list[asyncpg.Record]] = {}
    for turn in turns:
        by_shipment.setdefault(turn["shipment_id"], []).append(turn)
    return {row["id"]: _course(row, by_shipment.get(row["id"], []), digests) for row in rows}


async def _digests(connection: Connection, shipment_ids: Sequence[int]) -> dict[tuple[int, int], str]:
    rows = await connection.fetch(
        "SELECT shipment_id, version, digest FROM shipment_versions WHERE shipment_id = ANY($1)", shipment_ids
    )
    return {(row["shipment_id"], row["version"]): row["digest"] for row in rows}


def _course(row: asyncpg.Record, turns: Sequence[asyncpg.Record], digests: Mapping[tuple[int, int], str]) -> Course:
    progress = progress_of(
        row,
        version=row["version"],
        run=row["run"],
        digest=digests[row["id"], row["version"]],
        turns=tuple(turn_of(turn, digests[row["id"], turn["version"]]) for turn in turns),
    )
    return Course(
        shipment_id=row["id"],
        provider_id=row["provider_id"],
        facility_id=row["facility_id"],
        before=progress,
        after=progress,
        ids={turn["reference"]: turn["id"] for turn in turns},
        fences={turn["reference"]: (turn["fence"], turn["claimed_at"] is not None) for turn in turns},
        answered=set(),
        listed=(row["status"], tuple(row["concerns"])),
    )


def progress_of(row: asyncpg.Record, *, version: int, run: int, digest: str, turns: tuple[Turn, ...]) -> Progress:
    """What names of their own have is in `row`; what turns call the same is given apart."""
    return Progress(
        installation=row["installation"],
        facility=row["facility"],
        number=row["number"],
        digest=digest,
        version=version,
        run=run,
        hold=row["hold"],
        schedule_asked=row["schedule_asked"],
        cancel_asked=row["cancel_asked"],
        failed_told=row["failed_told"],
        dispatched=row["dispatched"],
        turns=turns,
    )


def _turn_row(course: Course, turn: Turn) -> dict[str, object]:
    return {
        "id": course.ids.get(turn.reference),
        "shipment_id": course.shipment_id,
        "provider_id": course.provider_id,
        **row_of(turn),
    }


async def _write(connection: Connection, courses: Sequence[Course], now: datetime) -> None:
    moved = [(c, was, turn) for c in courses for was, turn in _moved(c)]
    known = [_turn_row(c, turn) for c, was, turn in moved if was is not None]
    answered = [c.ids[reference] for c in courses for reference in c.answered]
    await update_turns(connection, known, answered)
    begun = [(c, _turn_row(c, turn)) for c, was, turn in moved if was is None]
    if begun:
        await _insert_turns(connection, begun)
    stale = [c for c in courses if _shown(c.before) != _shown(c.after) or c.listed != _listed(c.after)]
    await _update_shipments(connection, stale, now)
    await write_codes(connection, [pair for c, was, turn in moved for pair in _codes(c, was, turn)])
    if ends := [(c.ids[turn.reference], end) for c, was, turn in moved if (end := end_of(c.after, was, turn))]:
        await write_ends(connection, ends, now)
    await afterwards.owe(connection, [(c.ids[turn.reference], was, turn) for c, was, turn in moved], now)
    await _write_timeline(connection, courses, moved, now)
    await transporters.follow(connection, [_held(c) for c in courses if _held(c)[1] != _held(c)[2]], now)
    await events.write(connection, [events.Change(c.shipment_id, c.before, c.after, c.ids) for c in courses], now)
    await notify_changed(connection, [c.shipment_id for c in courses])
    if any(turn.due_at is not None and turn.due_at <= now for _, _, turn in moved):
        await connection.execute("SELECT pg_notify($1, '')", DUE_CHANNEL)


def _moved(course: Course) -> list[tuple[Turn | None, Turn]]:
    before = {turn.reference: turn for turn in course.before.turns}
    return [
        (before.get(turn.reference), turn)
        for turn in course.after.turns
        if turn.reference in course.answered or before.get(turn.reference) != turn
    ]


def _held(course: Course) -> tuple[int, int | None, int | None]:
    """The shipment, and the turns that had it and has it."""
    was, has = (course.ids[p.holder.reference] if p.holder else None for p in (course.before, course.after))
    return course.shipment_id, was, has


def _codes(course: Course, was: Turn | None, turn: Turn) -> list[tuple[str, int]]:
    """What may from now on be scanned from paper."""
    new = ([turn.reference] if was is None else []) + ([turn.awb] if was is None or was.awb != turn.awb else [])
    return [(code, course.shipment_id) for code in new]


async def _insert_turns(connection: Connection, begun: Sequence[tuple[Course, dict[str, object]]]) -> None:
    ids = await turns_begun.insert(connection, [row for _, row in begun])
    for course, row in begun:
        reference = str(row["reference"])
        course.ids[reference] = ids[reference]


async def _update_shipments(connection: Connection, courses: Sequence[Course], now: datetime) -> None:
    couriers = await courier_ids(connection, [(c.provider_id, courier_of(c.after)) for c in courses])
    rows = [
        {
            "id": c.shipment_id,
            "version": c.after.version,
            "run": c.after.run,
            "schedule_asked": c.after.schedule_asked,
            "hold": c.after.hold,
            "cancel_asked": c.after.cancel_asked,
            "failed_told": c.after.failed_told,
            "dispatched": c.after.dispatched,
            "status": status(c.after),
            "concerns": [concern for concern, _ in concerns(c.after)],
            "courier_id": couriers[c.provider_id, courier_of(c.after)],
        }
        for c in courses
    ]
    if rows:
        await connection.execute(
            """UPDATE shipments s SET version = r.version, run = r.run, hold = r.hold,
                      schedule_asked = r.schedule_asked, cancel_asked = r.cancel_asked, failed_told = r.failed_told,
                      dispatched = r.dispatched, status = r.status, concerns = r.concerns,
                      concerned_at = CASE WHEN r.concerns = '{}' THEN NULL
                                          WHEN r.concerns <@ s.concerns THEN s.concerned_at ELSE $2 END,
                      courier_id = r.courier_id,
                      scheduled_at = CASE WHEN r.run > s.run THEN $2 ELSE s.scheduled_at END,
                      printed_at = CASE WHEN r.status = 'label_ready' AND s.status NOT IN ('label_ready', 'dispatched')
                                        THEN NULL ELSE s.printed_at END -- a label that has just come is on no paper
                 FROM jsonb_to_recordset($1) AS r(id bigint, version integer, run integer, hold text,
                      schedule_asked boolean, cancel_asked boolean, failed_told boolean, dispatched boolean,
                      status text, concerns text[], courier_id integer)
                WHERE s.id = r.id""",
            msgspec.json.encode(rows).decode(),
            now,
        )


def _shown(progress: Progress) -> tuple[object, ...]:
    return replace(progress, turns=()), courier_of(progress)


def _listed(progress: Progress) -> tuple[str, tuple[str, ...]]:
    return status(progress), tuple(concern for concern, _ in concerns(progress))


_COUNTING = (State.UNCLEAR, State.WAITING, State.FETCHING)
"""States whose polls are the story. What is merely watched goes on for days, and stands in the exchanges alone."""


async def _write_timeline(
    connection: Connection, courses: Sequence[Course], moved: Sequence[tuple[Course, Turn | None, Turn]], now: datetime
) -> None:
    """One line each time a turn moved or was told something; silence stands in the exchanges alone."""
    rows: list[tuple[int, int | None, datetime, str, int, str]] = [
        (c.shipment_id, c.ids[turn.reference], now, turn.state, turn.polls_done, turn.message)
        for c, was, turn in moved
        if was is None or was.state is not turn.state or (turn.state in _COUNTING and was.polls_done != turn.polls_done)
    ]
    rows += [
        (c.shipment_id, None, now, status(c.after), 0, c.after.hold if status(c.after) is Status.ON_HOLD else "")
        for c in courses
        if c.listed[0] != status(c.after) is not Status.CREATED  # "Taken in." was said
    ]
    if rows:
        await connection.executemany(
            """INSERT INTO timeline (shipment_id, turn_id, at, state, polls_done, message)
               VALUES ($1, $2, $3, $4, $5, $6)""",
            rows,
        )


async def notify_changed(connection: Connection, shipment_ids: Sequence[int]) -> None:
    ids = ",".join(map(str, shipment_ids))
    await connection.execute("SELECT pg_notify($1, $2)", CHANGED_CHANNEL, ids if len(ids) < NOTIFY_BYTES_MAX else "")
