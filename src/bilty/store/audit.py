"""The audit trail: who did what, when, and what was before and after. It only grows, and it holds no secret.

A line is written in the transaction of what it tells, so that neither is there without the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from bilty.store.database import Connection


class ActorKind(StrEnum):
    USER = "user"
    KEY = "key"  # an API key, by its name
    COMMAND = "command"  # `bilty …` on the machine itself
    BILTY = "bilty"  # Bilty of itself, as its rules say


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: an e-mail address, a key's name, or a command."""

    kind: ActorKind
    name: str


COMMAND = Actor(ActorKind.COMMAND, "bilty")
BILTY = Actor(ActorKind.BILTY, "Bilty")
"""Also where nobody knows who it was."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was done to what: `action` a few words that never change ("connector updated"), `subject` a code or number.

    `before` and `after` are encoded as JSON; keep secrets out of them.
    """

    action: str
    subject: str
    shipment_id: int | None = None
    facility_id: int | None = None
    before: object = None
    after: object = None


async def note(
    connection: Connection,
    actor: Actor,
    action: str,
    subject: str,
    *,
    shipment_id: int | None = None,
    facility_id: int | None = None,
    before: object = None,
    after: object = None,
) -> None:
    await note_many(connection, actor, [Note(action, subject, shipment_id, facility_id, before, after)])


async def note_many(connection: Connection, actor: Actor, notes: Sequence[Note]) -> None:
    await connection.executemany(
        """INSERT INTO audit (actor_kind, actor, action, subject, shipment_id, facility_id, before, after)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [
            (
                actor.kind,
                actor.name,
                each.action,
                each.subject,
                each.shipment_id,
                each.facility_id,
                _json(each.before),
                _json(each.after),
            )
            for each in notes
        ],
    )


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
