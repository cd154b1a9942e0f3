"""Shipments that are looked for at ClickPost after a restore: taken with a lease, and settled with what was found.

Nothing is said of a shipment that is due here (`bilty.store.claims`). A row comes with `bilty.store.restored.mark`,
and in the transaction that begins a turn (`bilty.store.turns_begun`); it is due until ClickPost has told all it knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog

from bilty.children import miscount
from bilty.deciding.found_again import Found, found_again
from bilty.reply import Courier, Exchange, Reply
from bilty.shipment import Facility, Shipment, decode
from bilty.store import awbs, health
from bilty.store.database import DUE_CHANNEL, UNAVAILABLE, Connection, Pool
from bilty.store.listed import write_codes
from bilty.store.progress import Course, changing, courses_of
from bilty.turn import Rules, State, Step
from bilty.workflow import Progress, put

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
PAUSE_MAX_S = 300
PUT_OFF = timedelta(hours=1)
UNREADABLE = "Bilty cannot read what it has of it: see the log."
COURIERS_MAX = 500
PICKUP = (
    "AWB {awb} was found at ClickPost after a restore: for when its pickup is asked, Bilty does not know. "
    "Look in ClickPost."
)


@dataclass(frozen=True, slots=True)
class Sought:
    """A shipment that is ours to find within `LEASE`. `progress` is how it stood then."""

    shipment_id: int
    fence: int
    provider_id: int
    progress: Progress
    shipment: Shipment
    facility: Facility


@dataclass(frozen=True, slots=True)
class Heard:
    """What ClickPost said: what it knows, every answer for the provider's health, and the exchanges by reference."""

    found: tuple[Found, ...]
    replies: tuple[Reply, ...]
    exchanges: Mapping[str, tuple[Exchange, ...]]
    revision: int


async def take(pool: Pool, limit: int, now: datetime | None = None) -> list[Sought]:
    """Those that are due, the longest due first."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            """UPDATE to_find f SET due_at = c.now + $2::interval, fence = f.fence + 1
                 FROM (SELECT coalesce($3::timestamptz, clock_timestamp()) AS now) AS c
                WHERE f.shipment_id IN (SELECT shipment_id FROM to_find
                                         WHERE due_at <= coalesce($3::timestamptz, clock_timestamp())
                                         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
               RETURNING f.shipment_id, f.fence""",
            limit,
            LEASE,
            now,
        )
        taken = [await _sought(connection, row["shipment_id"], row["fence"]) for row in rows]
        return [each for each in taken if each]


async def _sought(connection: Connection, shipment_id: int, fence: int) -> Sought | None:
    """None, and put off, where it cannot be read, as a newer version may leave it: that must not stop the others."""
    try:
        course = (await courses_of(connection, [shipment_id]))[shipment_id]
        row = await connection.fetchrow(
            """SELECT v.content, f.content AS facility FROM shipments s
                 JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
                 JOIN facilities f ON f.id = s.facility_id WHERE s.id = $1""",
            shipment_id,
        )
        assert row is not None, "a shipment has its version and its facility"
        return Sought(
            shipment_id=shipment_id,
            fence=fence,
            provider_id=course.provider_id,
            progress=course.before,
            shipment=decode(row["content"]),
            facility=msgspec.json.decode(row["facility"], type=Facility),
        )
    except (*UNAVAILABLE, asyncpg.PostgresError):
        raise
    except Exception:
        log.exception("finding.unreadable", shipment=shipment_id)
        sql = "UPDATE to_find SET due_at = due_at + $2::interval, why = $3 WHERE shipment_id = $1"
        await connection.execute(sql, shipment_id, PUT_OFF, UNREADABLE)
        return None


async def hold(pool: Pool, sought: Sought) -> None:
    """Whoever is still asking keeps it: many references, or an account that may be asked little, take minutes."""
    await pool.execute(
        """UPDATE to_find SET due_at = greatest(due_at, clock_timestamp() + $3::interval)
            WHERE shipment_id = $1 AND fence = $2 AND due_at IS NOT NULL""",
        sought.shipment_id,
        sought.fence,
        LEASE,
    )


async def couriers_before(connection: Connection, provider_id: int) -> list[Courier]:
    """With whom the account has booked, or might have, as far as the backup knows."""
    rows = await connection.fetch(
        """SELECT cp_id, account_code, max(courier_name) AS name FROM turns
            WHERE provider_id = $1 AND cp_id IS NOT NULL GROUP BY cp_id, account_code LIMIT $2""",
        provider_id,
        COURIERS_MAX,
    )
    return [Courier(row["cp_id"], row["account_code"], row["name"]) for row in rows]


async def put_off(pool: Pool, sought: Sought, why: str, now: datetime | None = None) -> None:
    """It was not found out. It is looked for again, at growing distances."""
    await pool.execute(
        """UPDATE to_find SET tries = tries + 1, why = $3,
                  due_at = coalesce($4::timestamptz, clock_timestamp())
                           + least($5, 2 ^ least(tries, 10)) * interval '1 second'
            WHERE shipment_id = $1 AND fence = $2""",
        sought.shipment_id,
        sought.fence,
        why,
        now,
        float(PAUSE_MAX_S),
    )


async def settle(pool: Pool, sought: Sought, heard: Heard, rules: Rules, now: datetime | None = None) -> bool:
    """Moves the shipment by what was found, and has it go on. False where it moved meanwhile: it is looked for anew."""
    async with pool.acquire() as connection, connection.transaction():
        at = now or await connection.fetchval("SELECT clock_timestamp()")
        async with changing(connection, [sought.shipment_id], at) as courses:
            course = courses[sought.shipment_id]
            if not await _is_ours(connection, sought):
                return False
            if course.before != sought.progress:
                sql = "UPDATE to_find SET due_at = $2 WHERE shipment_id = $1"
                await connection.execute(sql, sought.shipment_id, at)
                return False
            found = await _with_owners(connection, sought, heard.found)
            course.after = _counted(found_again(course.before, found, at, rules), sought, found)
        await _write_found(connection, course, sought, heard)
        spoken = [(sought.provider_id, heard.revision, Step.INQUIRE, reply) for reply in heard.replies]
        await health.note(connection, spoken, at)
        done = "UPDATE to_find SET due_at = NULL, why = '' WHERE shipment_id = $1"
        await connection.execute(done, sought.shipment_id)
        await connection.execute("SELECT pg_notify($1, '')", DUE_CHANNEL)
        return True


async def _is_ours(connection: Connection, sought: Sought) -> bool:
    fence = await connection.fetchval("SELECT fence FROM to_find WHERE shipment_id = $1 FOR UPDATE", sought.shipment_id)
    return bool(fence == sought.fence)


async def _with_owners(connection: Connection, sought: Sought, found: Sequence[Found]) -> list[Found]:
    """Those whose AWB is another shipment's are told apart."""
    labels = [(each.place.courier.cp_id, each.label.awb) for each in found if each.label]
    rows = await connection.fetch(
        """SELECT a.cp_id, a.awb FROM unnest($1::int[], $2::text[]) AS h(cp_id, awb) JOIN awbs a USING (cp_id, awb)
             JOIN turns t ON t.id = a.turn_id WHERE t.shipment_id <> $3""",
        [cp_id for cp_id, _ in labels],
        [awb for _, awb in labels],
        sought.shipment_id,
    )
    others = {(row["cp_id"], row["awb"]) for row in rows}
    return [
        replace(each, foreign=each.label is not None and (each.place.courier.cp_id, each.label.awb) in others)
        for each in found
    ]


def _counted(progress: Progress, sought: Sought, found: Sequence[Found]) -> Progress:
    """How the boxes' waybills differ from the boxes is judged as when a label is heard."""
    for each in found:
        turn = next((turn for turn in progress.turns if turn.reference == each.place.reference), None)
        if each.label and turn and turn.state is State.FETCHING and turn.awb == each.label.awb:
            differs = miscount(sought.shipment, each.label.children, each.label.awb)
            progress = put(progress, replace(turn, miscount=differs))
    return progress


async def _write_found(connection: Connection, course: Course, sought: Sought, heard: Heard) -> None:
    """Whose AWBs they are, what is on the boxes, and what was said."""
    kept = [(each, course.ids[each.place.reference]) for each in heard.found if each.place.reference in course.ids]
    labels = [(each.place, each.label, turn_id) for each, turn_id in kept if each.label]
    await awbs.take(connection, [(place.courier.cp_id, label.awb, turn_id) for place, label, turn_id in labels])
    codes = [(child.awb, sought.shipment_id) for _, label, _ in labels for child in label.children]
    await write_codes(connection, codes)
    holder = course.after.holder
    if holder != course.before.holder:
        await awbs.take_off_boxes(connection, [(sought.shipment_id, course.after.version)])
    for place, label, turn_id in labels:
        children = msgspec.json.encode(label.children).decode()
        # The pickup that a restored turn was promised may have been moved since: no other is asked for because of it.
        await connection.execute("UPDATE turns SET children = $2, pickup_at = NULL WHERE id = $1", turn_id, children)
        if holder and holder.reference == place.reference:
            version = course.after.version
            await awbs.put_on_boxes(connection, sought.shipment_id, version, sought.shipment, label.children, label.awb)
            if holder != course.before.holder:
                await awbs.warn(connection, sought.shipment_id, PICKUP.format(awb=label.awb))
    await connection.executemany(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           VALUES ($1, $2, 'inquire', $3, $4, $5, $6)""",
        [
            (turn_id, e.at, e.request, e.status, e.answer.replace("\0", "\N{REPLACEMENT CHARACTER}"), e.duration_ms)
            for each, turn_id in kept
            for e in heard.exchanges.get(each.place.reference, ())
        ],
    )
