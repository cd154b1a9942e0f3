"""What was said to ClickPost and what it answered, turn by turn, as it was kept: without any secret."""

from dataclasses import dataclass
from datetime import datetime

from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Talk:
    """A turn of which exchanges may be kept. `courier` is blank for the ranking."""

    turn_id: int
    run: int
    priority: int
    courier: str
    reference: str


async def talks_of(connection: Connection, shipment_id: int) -> list[Talk]:
    """The turns of a shipment of which any exchange is kept."""
    rows = await connection.fetch(
        """SELECT id, run, priority, coalesce(courier_name, '') AS courier, reference FROM turns t
            WHERE shipment_id = $1 AND EXISTS (SELECT FROM exchanges e WHERE e.turn_id = t.id) ORDER BY id""",
        shipment_id,
    )
    return [Talk(row["id"], row["run"], row["priority"], row["courier"], row["reference"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Kept:
    """One request and what came of it. `status` is HTTP's, 0 where no answer came."""

    id: int
    at: datetime
    step: str
    request: str
    status: int
    answer: str
    duration_ms: int


async def page(connection: Connection, turn_id: int, *, after_id: int, limit: int) -> list[Kept]:
    """In the order in which they were said."""
    rows = await connection.fetch(
        """SELECT id, at, step, request, status, answer, duration_ms FROM exchanges
            WHERE turn_id = $1 AND id > $2 ORDER BY id LIMIT $3""",
        turn_id,
        after_id,
        limit,
    )
    return [Kept(**dict(row)) for row in rows]
