"""Events: written in the transaction of the fact, with what is owed of them to each endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from bilty import telling
from bilty.hand_off import EventKind, Fact, facts
from bilty.reply import Courier
from bilty.shipment import Frozen
from bilty.store.database import HAND_OFF_CHANNEL, Connection
from bilty.turn import Kind
from bilty.workflow import Progress, status

_PREFIX = "evt_"


class Content(Frozen, frozen=True):
    """What was so when it happened, as far as it may be otherwise when it is told.

    `courier` is the one that had the shipment or was asked for it; `awb` and `label_sha256` were the shipment's.
    """

    status: str
    run: int
    version: int
    courier: Courier | None = None
    priority: int = 0
    awb: str = ""
    label_sha256: str = ""
    problem: telling.Problem | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one shipment in this transaction. `ids` are those of its turns, by reference."""

    shipment_id: int
    before: Progress
    after: Progress
    ids: Mapping[str, int]


def name(uid: UUID) -> str:
    """What an event is called outside."""
    return f"{_PREFIX}{uid.hex}"


def uid_of(name: str) -> UUID | None:
    """None for what is no event's name."""
    try:
        uid = UUID(hex=name.removeprefix(_PREFIX))
    except ValueError:
        return None
    return uid if name == f"{_PREFIX}{uid.hex}" else None


async def write(connection: Connection, changes: Sequence[Change], now: datetime) -> None:
    """What is to be told of these changes, whether or not anybody is; two statements for all, none where nothing is.

    The caller has the shipments locked: events of one shipment are written in the order of the facts.
    """
    told = [(change, fact) for change in changes for fact in facts(change.before, change.after)]
    if not told:
        return
    rows = await connection.fetch(
        """INSERT INTO events (shipment_id, turn_id, kind, at, content)
           SELECT shipment_id, turn_id, kind, $6, content
             FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::jsonb[])
                  AS f(shipment_id, nth, turn_id, kind, content)
            ORDER BY shipment_id, nth
           RETURNING id""",
        [change.shipment_id for change, _ in told],
        list(range(len(told))),
        [change.ids[fact.turn.reference] if fact.turn else None for change, fact in told],
        [fact.kind for _, fact in told],
        [msgspec.json.encode(_content(change.after, fact)).decode() for change, fact in told],
        now,
    )
    await _owe(connection, [row["id"] for row in rows], now)


def _content(after: Progress, fact: Fact) -> Content:
    turn = fact.turn
    holds = turn is not None and turn.kind is Kind.HOLDS
    return Content(
        status=status(after),
        run=after.run,
        version=after.version,
        courier=turn.courier if turn else None,
        priority=turn.priority if turn else 0,
        awb=turn.awb if turn and holds else "",
        label_sha256=turn.label_sha256 if turn and fact.kind is EventKind.LABEL_READY else "",
        problem=telling.problem(after, None),
    )


async def _owe(connection: Connection, event_ids: Sequence[int], now: datetime) -> None:
    """To each endpoint that wants them; to one that Bilty switched off, too: it has them when it is on again.

    Lanes are taken in one order by all. Where one is being settled this waits for it, and then finds whether it still
    has something to tell; see `lanes.settle`. An endpoint that is told of a failure makes that final: a label that
    comes after it is offered to a person, and does not win by itself.
    """
    owed = await connection.fetch(
        """WITH owed AS (
               INSERT INTO deliveries (endpoint_id, shipment_id, event_id)
               SELECT p.id, e.shipment_id, e.id
                 FROM events e JOIN shipments s ON s.id = e.shipment_id
                 JOIN endpoints p ON p.enabled AND e.kind = ANY(p.events)
                                 AND (p.facilities IS NULL OR s.facility_id = ANY(p.facilities))
                WHERE e.id = ANY($1) ORDER BY p.id, e.id
               RETURNING endpoint_id, shipment_id, event_id),
           taken AS (
               INSERT INTO lanes (endpoint_id, shipment_id, due_at)
               SELECT DISTINCT endpoint_id, shipment_id, $2::timestamptz FROM owed ORDER BY endpoint_id, shipment_id
               ON CONFLICT (endpoint_id, shipment_id) DO UPDATE SET due_at = excluded.due_at
                WHERE lanes.due_at IS NULL) -- where it is not, the row is locked all the same
           SELECT shipment_id, kind FROM events WHERE id IN (SELECT event_id FROM owed)""",
        event_ids,
        now,
    )
    if failed := [row["shipment_id"] for row in owed if row["kind"] == EventKind.FAILED]:
        await connection.execute("UPDATE shipments SET failed_told = true WHERE id = ANY($1)", failed)
    if owed:
        await connection.execute("SELECT pg_notify($1, '')", HAND_OFF_CHANNEL)
