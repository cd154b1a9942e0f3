"""The audit trail as it is read: newest first, by the page, of one person or of one kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Connection

PAGE_MAX = 200
CHOICES_MAX = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done. `before` and `after` are JSON of any shape."""

    id: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    shipment_id: int | None
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: somebody of a few facilities sees what was done there, and what he did himself."""

    email: str
    facilities: frozenset[int] | None


_LINES = "SELECT id, at, actor_kind, actor, action, subject, shipment_id, before, after FROM audit"
_ASKED = "($1 = '' OR actor = $1) AND ($2 = '' OR action = $2) AND ($3::bigint IS NULL OR id < $3)"
# The newest of each facility and of his own, each from the end of its index however long the trail is.
_OF_A_FEW = f"""{_LINES} WHERE id IN (
        SELECT found.id FROM unnest($5::int[]) AS its(facility_id)
         CROSS JOIN LATERAL (SELECT a.id FROM audit a WHERE a.facility_id = its.facility_id AND {_ASKED}
                              ORDER BY a.id DESC LIMIT $4) AS found
         UNION
       (SELECT id FROM audit WHERE actor = $6 AND actor_kind = 'user' AND {_ASKED} ORDER BY id DESC LIMIT $4))
    ORDER BY id DESC LIMIT $4"""  # noqa: S608 - constants


async def page(
    connection: Connection, reader: Reader, *, actor: str, action: str, before_id: int | None, limit: int
) -> Sequence[Line]:
    """Blank `actor` or `action`: all. Lines older than `before_id`, if there is one."""
    asked = (actor, action, before_id, min(limit, PAGE_MAX))
    if reader.facilities is None:
        rows = await connection.fetch(f"{_LINES} WHERE {_ASKED} ORDER BY id DESC LIMIT $4", *asked)
    else:
        rows = await connection.fetch(_OF_A_FEW, *asked, list(reader.facilities), reader.email)
    return [
        Line(
            id=row["id"],
            at=row["at"],
            actor=Actor(ActorKind(row["actor_kind"]), row["actor"]),
            action=row["action"],
            subject=row["subject"],
            shipment_id=row["shipment_id"],
            before=_document(row["before"]),
            after=_document(row["after"]),
        )
        for row in rows
    ]


def _document(json: str | None) -> object:
    return None if json is None else msgspec.json.decode(json)


async def actors(connection: Connection) -> list[str]:
    """Everybody who did anything."""
    return await _each(connection, "actor")


async def actions(connection: Connection) -> list[str]:
    """Every kind of thing that was done."""
    return await _each(connection, "action")


async def _each(connection: Connection, column: str) -> list[str]:
    """The different values of an indexed column, each found by a step in its index however long the trail is."""
    rows = await connection.fetch(
        f"""WITH RECURSIVE step (value) AS (
                (SELECT {column} FROM audit ORDER BY {column} LIMIT 1)
                UNION ALL
                SELECT (SELECT {column} FROM audit WHERE {column} > value ORDER BY {column} LIMIT 1)
                  FROM step WHERE value IS NOT NULL)
            SELECT value FROM step WHERE value IS NOT NULL LIMIT $1""",  # noqa: S608 - constants
        CHOICES_MAX,
    )
    return [row["value"] for row in rows]
