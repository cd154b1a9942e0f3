"""That the database is an older one than the world: written down once, and what follows from it at once.

Nothing runs meanwhile but whoever writes this. What follows later is in `bilty.store.finding`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store import audit
from bilty.store.afterwards import Kind
from bilty.store.claims import OUT_AT_MOST
from bilty.store.database import Connection

CAREFUL_FOR = timedelta(days=7)
"""So long after a restore is each run that begins looked for first: whoever sends lost shipments again has done so."""
ACTIVE_WITHIN = timedelta(days=7)
"""Before the backup was made: what nobody has touched for longer is looked for only when it is to be booked again."""
IDS_AHEAD = 1_000_000
BEGUN = "public.being_restored"
"""An empty table, there from the beginning of a restore until it is marked: no other program opens it meanwhile."""
NOT_KNOWN = (
    "Whether a pickup was asked for is not known: Bilty was restored from a backup since. Look in ClickPost before you "
    "ask for one."
)


@dataclass(frozen=True, slots=True)
class Restore:
    """The last one, and how it stands. `known_until` is the youngest fact of the backup; `why` the last trouble."""

    at: datetime
    known_until: datetime | None
    careful_until: datetime
    to_find: int
    why: str
    now: datetime


async def begin(connection: Connection) -> None:
    await connection.execute(f"CREATE TABLE IF NOT EXISTS {BEGUN} ()")


async def begun(connection: Connection) -> bool:
    found: bool = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", BEGUN)
    return found


async def mark(connection: Connection) -> int:
    """From now on ClickPost is asked what it knows before anybody is asked. How many shipments are to be found."""
    now = await connection.fetchval("SELECT clock_timestamp()")
    known_until = await _known_until(connection)
    await connection.execute(
        "INSERT INTO restores (at, known_until, look_from, careful_until) VALUES ($1, $2, $3, $4)",
        now,
        known_until,
        now + OUT_AT_MOST,
        now + CAREFUL_FOR,
    )
    await _number_ahead(connection)
    await connection.execute("DELETE FROM sessions")
    await connection.execute("DELETE FROM sign_in_links")
    await _leave_pickups(connection, now)
    # What a call was out of when the backup was made is nobody's call now.
    await connection.execute("UPDATE turns SET claimed_at = NULL, fence = fence + 1 WHERE claimed_at IS NOT NULL")
    await connection.execute("DELETE FROM to_find")  # what was found after an earlier restore may have moved since
    found = await _put_in_motion(connection, known_until or now, now)
    await connection.execute(f"DROP TABLE IF EXISTS {BEGUN}")
    await audit.note(connection, audit.COMMAND, "restored", "database", after={"known_until": known_until})
    return found


async def _known_until(connection: Connection) -> datetime | None:
    found: datetime | None = await connection.fetchval(
        """SELECT greatest((SELECT max(at) FROM (SELECT at FROM timeline ORDER BY id DESC LIMIT 100) AS lines),
                           (SELECT max(at) FROM (SELECT at FROM exchanges ORDER BY id DESC LIMIT 100) AS calls),
                           (SELECT max(created_at) FROM (SELECT created_at FROM shipments ORDER BY id DESC LIMIT 100)
                                AS last))"""
    )
    return found


async def _number_ahead(connection: Connection) -> None:
    """What is new from now on has no id that something lost had: an order system may know that by it."""
    await connection.execute(
        """SELECT setval(format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value) + $1::bigint)
             FROM pg_sequences WHERE schemaname = 'public' AND data_type = 'bigint'::regtype""",
        IDS_AHEAD,
    )


async def _leave_pickups(connection: Connection, now: datetime) -> None:
    await connection.execute(
        """WITH left_alone AS (
               UPDATE afterwards SET state = 'unknown', due_at = NULL, fence = fence + 1, warning = $2
                WHERE kind = $1 AND state IN ('owed', 'saying') RETURNING shipment_id)
           INSERT INTO timeline (shipment_id, at, state, message)
           SELECT shipment_id, $3, 'pickup_unknown', $2 FROM left_alone""",
        Kind.PICKUP,
        NOT_KNOWN,
        now,
    )


async def _put_in_motion(connection: Connection, known_until: datetime, now: datetime) -> int:
    """What is in motion first, so that it goes on; then what may have been moved by somebody since."""
    put: int = await connection.fetchval(
        """WITH put AS (
               INSERT INTO to_find (shipment_id, due_at)
               SELECT s.id, $2::timestamptz + CASE WHEN moves.here THEN '0'::interval ELSE '1 second' END
                 FROM shipments s
                CROSS JOIN LATERAL (SELECT EXISTS (
                    SELECT FROM turns t WHERE t.shipment_id = s.id AND t.due_at IS NOT NULL) AS here) AS moves
                WHERE NOT s.dispatched AND NOT (s.cancel_asked AND NOT moves.here)
                  AND (moves.here OR s.schedule_asked OR greatest(s.created_at, s.scheduled_at) > $1)
               RETURNING 1)
           SELECT count(*) FROM put""",
        known_until - ACTIVE_WITHIN,
        now + OUT_AT_MOST,
        timeout=600,
    )
    return put


async def over(connection: Connection) -> bool:
    """Everything that was lost was sent again: a run that begins is not looked for any more. False where none was."""
    told = await connection.execute(
        "UPDATE restores SET careful_until = clock_timestamp() WHERE careful_until > clock_timestamp()"
    )
    if told == "UPDATE 0":
        return False
    await audit.note(connection, audit.COMMAND, "restore over", "database")
    return True


async def standing(connection: Connection) -> Restore | None:
    """None where the database never was restored."""
    row = await connection.fetchrow(
        """SELECT r.at, r.known_until, r.careful_until, clock_timestamp() AS now, f.count AS to_find, f.why
             FROM restores r
            CROSS JOIN (SELECT count(*) AS count, coalesce(max(why), '') AS why FROM to_find
                         WHERE due_at IS NOT NULL) AS f
            ORDER BY r.id DESC LIMIT 1"""
    )
    return Restore(**dict(row)) if row else None
