"""Where ClickPost's books and ours differed, until a later round finds them the same or a person has seen to it.

One whose turn has lost the shipment since, or whose boxes are with the courier, is nobody's matter any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bilty.deciding.found import Difference
from bilty.reply import Courier
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.turn_rows import turn_of
from bilty.turn import Turn

# `turns` and `shipments` of those that still are anybody's matter.
OPEN = """differences d JOIN turns t ON t.id = d.turn_id JOIN shipments s ON s.id = t.shipment_id
    WHERE d.kind <> 'taken_in' AND d.settled_at IS NULL AND t.awb = d.awb AND NOT s.dispatched
      AND t.state IN ('fetching', 'unlabelled', 'won')"""


@dataclass(frozen=True, slots=True)
class Found:
    """`awb` is ours; where it was taken in, theirs. `message` is what they said."""

    turn_id: int
    kind: Difference
    awb: str
    their_awb: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Differs:
    """One as it is shown. `turn` is as it is now."""

    turn_id: int
    shipment_id: int
    number: str
    kind: Difference
    courier: Courier
    awb: str
    their_awb: str
    message: str
    found_at: datetime
    turn: Turn


async def write(connection: Connection, found: Sequence[Found], round_id: int, now: datetime) -> None:
    """One that is the same as before stays seen to."""
    await connection.executemany(
        """INSERT INTO differences AS d (turn_id, kind, awb, their_awb, message, found_by, found_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (turn_id) DO UPDATE
              SET kind = excluded.kind, awb = excluded.awb, their_awb = excluded.their_awb,
                  message = excluded.message, found_by = excluded.found_by,
                  found_at = CASE WHEN (d.kind, d.awb, d.their_awb) = ($2, $3, $4) THEN d.found_at ELSE $7 END,
                  settled_at = CASE WHEN (d.kind, d.awb, d.their_awb) = ($2, $3, $4) THEN d.settled_at END""",
        [(f.turn_id, f.kind, f.awb, f.their_awb, f.message.replace("\0", ""), round_id, now) for f in found],
    )


async def are_well(connection: Connection, turn_ids: Sequence[int]) -> None:
    """Of these turns both say the same now. That an AWB was taken in stays told."""
    await connection.execute("DELETE FROM differences WHERE turn_id = ANY($1) AND kind <> 'taken_in'", list(turn_ids))


async def awbs_of(connection: Connection, turn_ids: Sequence[int]) -> dict[int, str]:
    rows = await connection.fetch("SELECT id, awb FROM turns WHERE id = ANY($1)", list(turn_ids))
    return {row["id"]: row["awb"] for row in rows}


async def waiting(connection: Connection, facilities: Collection[int] | None, limit: int) -> list[Differs]:
    """Those that wait for a person, of `facilities` (None: of all), the newest first."""
    return await _fetch(
        connection,
        f"{OPEN} AND ($1::int[] IS NULL OR s.facility_id = ANY($1)) ORDER BY d.found_at DESC, d.turn_id DESC LIMIT $2",
        None if facilities is None else list(facilities),
        limit,
    )


async def of_shipment(connection: Connection, shipment_id: int) -> list[Differs]:
    """As `waiting`, of one shipment."""
    return await _fetch(connection, f"{OPEN} AND s.id = $1 ORDER BY d.turn_id", shipment_id)


async def count(connection: Connection, facilities: Collection[int] | None, at_most: int) -> int:
    counted: int = await connection.fetchval(
        f"""SELECT count(*) FROM (SELECT FROM {OPEN} AND ($1::int[] IS NULL OR s.facility_id = ANY($1))
             LIMIT $2) AS waiting""",  # noqa: S608 - constant
        None if facilities is None else list(facilities),
        at_most,
    )
    return counted


async def taken_in(connection: Connection, round_id: int, limit: int) -> list[Differs]:
    """The AWBs that this round found and Bilty took in."""
    return await _fetch(
        connection,
        """differences d JOIN turns t ON t.id = d.turn_id JOIN shipments s ON s.id = t.shipment_id
            WHERE d.kind = 'taken_in' AND d.found_by = $1 ORDER BY d.turn_id LIMIT $2""",
        round_id,
        limit,
    )


async def _fetch(connection: Connection, which: str, *given: object) -> list[Differs]:
    rows = await connection.fetch(
        f"""SELECT t.*, s.number, d.kind, d.awb AS our_awb, d.their_awb, d.message AS said, d.found_at FROM {which}""",  # noqa: S608 - constants
        *given,
    )
    return [_differs(row) for row in rows]


def _differs(row: asyncpg.Record) -> Differs:
    turn = turn_of(row, "")
    assert turn.courier is not None, "a ranking has no AWB"
    return Differs(
        turn_id=row["id"],
        shipment_id=row["shipment_id"],
        number=row["number"],
        kind=Difference(row["kind"]),
        courier=turn.courier,
        awb=row["our_awb"],
        their_awb=row["their_awb"],
        message=row["said"],
        found_at=row["found_at"],
        turn=turn,
    )


async def settle(connection: Connection, shipment_id: int, actor: Actor) -> str:
    """A person has seen to those of a shipment, which they may. Its number; blank where none waits for anybody."""
    rows = await connection.fetch(
        f"""UPDATE differences SET settled_at = clock_timestamp()
              FROM (SELECT d.turn_id AS id, s.facility_id, s.number FROM {OPEN} AND s.id = $1) AS found
             WHERE turn_id = found.id RETURNING found.facility_id, found.number, kind, awb, their_awb""",  # noqa: S608 - constant
        shipment_id,
    )
    for row in rows:
        await note(
            connection,
            actor,
            "difference seen to",
            row["number"],
            shipment_id=shipment_id,
            facility_id=row["facility_id"],
            after={name: row[name] for name in ("kind", "awb", "their_awb")},
        )
    return str(rows[0]["number"]) if rows else ""
