"""Events: written in the transaction of the fact, with what is owed of them to each endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from bilty import telling
from bilty.hand_off import EventKind, Fact, facts
from bilty.intake.endpoints import EVENT
from bilty.reply import Courier
from bilty.shipment import Frozen
from bilty.store.database import Connection
from bilty.store.hand_off.owing import owe_to_all
from bilty.turn import Kind
from bilty.workflow import Progress, status


class Content(Frozen, frozen=True):
    """What was so when it happened, as far as it may be otherwise when it is told.

    `courier` is the one that had the shipment or was asked for it; `awb` and `label_sha256` were the shipment's, and
    `void_awb` was so until then.
    """

    status: str
    run: int
    version: int
    courier: Courier | None = None
    priority: int = 0
    awb: str = ""
    label_sha256: str = ""
    void_awb: str = ""
    problem: telling.Problem | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one shipment in this transaction. `ids` are those of its turns, by reference."""

    shipment_id: int
    before: Progress
    after: Progress
    ids: Mapping[str, int]


def event_id(uid: UUID) -> str:
    """What an event is called outside; intake reads it back."""
    return f"{EVENT}{uid.hex}"


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
    await owe_to_all(connection, [row["id"] for row in rows], now)


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
        void_awb=fact.void.awb if fact.void else "",
        problem=telling.problem(after, None),
    )
