"""Who put which label on paper, and when.

*Printed* means that the PDF has been made for a person: Bilty cannot see a printer, and a label that was handed out
must count as handed out. So a copy is numbered when a print job takes the shipment, under the lock on its row, and
recorded when that job's PDF is in the label store; opening the PDF again records nothing. Two people who print what is
new at the same time therefore never get the same label as new: the second is told who has it in hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from bilty.store import audit
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Connection
from bilty.store.jobs import Job
from bilty.store.progress import notify_changed
from bilty.store.turn_rows import GOOD_LABEL
from bilty.workflow import Status

GOOD = "t.state = ANY($2) AND p.sha256 = t.label_sha256"
"""Of a copy and the turn whose label it is: whether that is the label that the shipment has now; $2 is `GOOD_LABEL`."""


@dataclass(frozen=True, slots=True)
class Printable:
    """A shipment under lock, as a print job finds it. `printing_by`: whose unfinished print has it, in `printing_job`.

    `turn_id` is None where no courier's label is there.
    """

    shipment_id: int
    status: Status
    printed_at: datetime | None
    turn_id: int | None
    sha256: str
    time_zone: str
    printing_by: str
    printing_job: int


async def find(connection: Connection, job_id: int, shipment_ids: Sequence[int]) -> dict[int, Printable]:
    """Locks the shipments, in the order of their ids as everybody does.

    Their turns are read by a statement of its own, behind the lock: one that had to wait for the lock would read the
    shipments as they are now, but join the turns as they were when it began.
    """
    await connection.execute("SELECT FROM shipments WHERE id = ANY($1) ORDER BY id FOR UPDATE", shipment_ids)
    rows = await connection.fetch(
        """SELECT s.id, s.status, s.printed_at, t.id AS turn_id, coalesce(t.label_sha256, '') AS sha256,
                  coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS time_zone
             FROM shipments s JOIN facilities f ON f.id = s.facility_id
             LEFT JOIN turns t ON t.shipment_id = s.id AND t.state = 'won'
            WHERE s.id = ANY($1)""",
        shipment_ids,
    )
    printing = {
        row["shipment_id"]: row
        for row in await connection.fetch(
            """SELECT shipment_id, actor, job_id FROM prints
                WHERE shipment_id = ANY($1) AND at IS NULL AND job_id <> $2""",
            shipment_ids,
            job_id,
        )
    }
    return {row["id"]: _printable(row, printing.get(row["id"])) for row in rows}


def _printable(row: asyncpg.Record, printing: asyncpg.Record | None) -> Printable:
    return Printable(
        shipment_id=row["id"],
        status=Status(row["status"]),
        printed_at=row["printed_at"],
        turn_id=row["turn_id"] if row["sha256"] else None,
        sha256=row["sha256"],
        time_zone=row["time_zone"],
        printing_by=printing["actor"] if printing else "",
        printing_job=printing["job_id"] if printing else 0,
    )


async def number(connection: Connection, job: Job, found: Sequence[Printable]) -> None:
    """The next copy of each label is this job's. Again for the same job: as it was."""
    await connection.execute(
        """INSERT INTO prints (shipment_id, turn_id, sha256, copy, job_id, actor_kind, actor, box)
           SELECT f.shipment_id, f.turn_id, f.sha256,
                  (SELECT coalesce(max(p.copy), 0) + 1 FROM prints p
                    WHERE p.shipment_id = f.shipment_id AND p.sha256 = f.sha256),
                  $4, $5, $6, $7
             FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS f(shipment_id, turn_id, sha256)
           ON CONFLICT (job_id, shipment_id) DO NOTHING""",
        [each.shipment_id for each in found],
        [each.turn_id for each in found],
        [each.sha256 for each in found],
        job.id,
        job.actor.kind,
        job.actor.name,
        job.input.get("box"),
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """A label to be put into a job's PDF, as copy number `copy`. `boxes`: how many the shipment has."""

    position: int
    shipment_id: int
    turn_id: int
    number: str
    sha256: str
    copy: int
    time_zone: str
    facility: str
    courier: str
    boxes: int


async def sheets(connection: Connection, job_id: int) -> list[Sheet]:
    """In the job's order."""
    rows = await connection.fetch(
        """SELECT i.position, p.shipment_id, p.turn_id, s.number, p.sha256, p.copy,
                  coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS time_zone, f.code AS facility,
                  coalesce(t.courier_name, '') AS courier,
                  (SELECT count(*) FROM boxes b WHERE b.shipment_id = s.id AND b.version = s.version) AS boxes
             FROM prints p JOIN turns t ON t.id = p.turn_id
             JOIN job_items i ON i.job_id = p.job_id AND i.shipment_id = p.shipment_id
             JOIN shipments s ON s.id = p.shipment_id JOIN facilities f ON f.id = s.facility_id
            WHERE p.job_id = $1 AND i.outcome = '' ORDER BY i.position""",
        job_id,
    )
    return [
        Sheet(
            position=row["position"],
            shipment_id=row["shipment_id"],
            turn_id=row["turn_id"],
            number=row["number"],
            sha256=row["sha256"],
            copy=row["copy"],
            time_zone=row["time_zone"],
            facility=row["facility"],
            courier=row["courier"],
            boxes=row["boxes"],
        )
        for row in rows
    ]


async def drop(connection: Connection, job_id: int, shipment_ids: Sequence[int] | None = None) -> None:
    """These copies, or all of the job, were not made."""
    await connection.execute(
        "DELETE FROM prints WHERE job_id = $1 AND at IS NULL AND ($2::bigint[] IS NULL OR shipment_id = ANY($2))",
        job_id,
        shipment_ids,
    )


async def record(connection: Connection, job: Job, now: datetime) -> None:
    """The job's PDF is there: its copies are printed.

    The caller holds the lock of `find`, and has seen in what it found that each is still its shipment's label.
    """
    rows = await connection.fetch(
        """WITH made AS (UPDATE prints SET at = $2 WHERE job_id = $1 AND at IS NULL RETURNING *),
                known AS (SELECT m.shipment_id, m.copy, s.number, s.facility_id FROM made m
                            JOIN shipments s ON s.id = m.shipment_id)
           SELECT * FROM known ORDER BY shipment_id""",
        job.id,
        now,
    )
    ids = [row["shipment_id"] for row in rows]
    await connection.execute("UPDATE shipments SET printed_at = $2 WHERE id = ANY($1)", ids, now)
    await audit.note_many(connection, job.actor, [_note(row) for row in rows])
    await notify_changed(connection, ids)


def _note(row: asyncpg.Record) -> audit.Note:
    told: Mapping[str, int] = {"copy": row["copy"]}
    return audit.Note("label printed", row["number"], row["shipment_id"], row["facility_id"], after=told)


async def printed_of(connection: Connection, shipment_ids: Sequence[int]) -> set[int]:
    """Those whose present label may be on paper. Locks the shipments."""
    rows = await connection.fetch(
        "SELECT id, printed_at FROM shipments WHERE id = ANY($1) ORDER BY id FOR UPDATE", shipment_ids
    )
    return {row["id"] for row in rows if row["printed_at"]}


@dataclass(frozen=True, slots=True)
class Copy:
    """One that was printed. `copy` counts the copies of one label, from 1. `void`: no longer the shipment's label."""

    at: datetime
    actor: Actor
    copy: int
    sha256: str
    job_id: int | None
    void: bool


async def copies_of(connection: Connection, shipment_id: int, *, limit: int = 100) -> list[Copy]:
    """The newest first."""
    rows = await connection.fetch(
        f"""SELECT p.at, p.actor_kind, p.actor, p.copy, p.sha256, p.job_id, NOT ({GOOD}) AS void
             FROM prints p JOIN turns t ON t.id = p.turn_id
            WHERE p.shipment_id = $1 AND p.at IS NOT NULL ORDER BY p.at DESC, p.id DESC LIMIT $3""",  # noqa: S608 - constant
        shipment_id,
        GOOD_LABEL,
        limit,
    )
    return [
        Copy(
            at=row["at"],
            actor=Actor(ActorKind(row["actor_kind"]), row["actor"]),
            copy=row["copy"],
            sha256=row["sha256"],
            job_id=row["job_id"],
            void=row["void"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """What one person has printed of one label: `copies` of it, each for `boxes` boxes; `at` the last of them."""

    turn_id: int
    number: str
    awb: str
    courier: str
    boxes: int
    copies: int
    by: str
    at: datetime


VoidLabel: TypeAlias = PrintedLabel
"""One that is good for nothing any more: who printed it must destroy it."""


async def void_of(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, tuple[VoidLabel, ...]]:
    """By shipment, what must be destroyed: printed labels that were never the shipment's, or are so no longer.

    Until its present label has been printed: whoever sticks that on the boxes finds the old one there.
    """
    return await _printed(
        connection,
        shipment_ids,
        f"""NOT ({GOOD}) AND NOT EXISTS (SELECT FROM prints l JOIN turns h ON h.id = l.turn_id
                WHERE l.shipment_id = p.shipment_id AND l.at > p.at AND h.state = ANY($2)
                  AND l.sha256 = h.label_sha256)""",
    )


async def printed_now(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, tuple[PrintedLabel, ...]]:
    """By shipment, what is on paper of the label that it has: what a change or a cancellation would make void."""
    return await _printed(connection, shipment_ids, GOOD)


async def _printed(
    connection: Connection, shipment_ids: Sequence[int], which: str
) -> dict[int, tuple[PrintedLabel, ...]]:
    rows = await connection.fetch(
        f"""SELECT p.shipment_id, p.turn_id, s.number, t.awb, t.courier_name, p.actor, count(*) AS copies,
                  max(p.at) AS last_at,
                  CASE WHEN p.box IS NULL THEN (SELECT count(*) FROM boxes b
                      WHERE b.shipment_id = p.shipment_id AND b.version = t.version) ELSE 1 END AS boxes
             FROM prints p JOIN turns t ON t.id = p.turn_id JOIN shipments s ON s.id = p.shipment_id
            WHERE p.shipment_id = ANY($1) AND p.at IS NOT NULL AND {which}
            GROUP BY p.shipment_id, p.turn_id, s.number, t.awb, t.courier_name, t.version, p.actor, p.box
            ORDER BY last_at, p.turn_id, p.actor""",  # noqa: S608 - constants
        shipment_ids,
        GOOD_LABEL,
    )
    found: dict[int, tuple[PrintedLabel, ...]] = {}
    for row in rows:
        label = PrintedLabel(
            turn_id=row["turn_id"],
            number=row["number"],
            awb=row["awb"],
            courier=row["courier_name"],
            boxes=row["boxes"],
            copies=row["copies"],
            by=row["actor"],
            at=row["last_at"],
        )
        found[row["shipment_id"]] = (*found.get(row["shipment_id"], ()), label)
    return found
