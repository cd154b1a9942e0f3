"""What is owed to ClickPost once there is an AWB, as rows: begun with the fact that causes it, said by `bilty.jobs`.

A row is written down as said before it is said, under a fence, and its answer is recorded by that fence alone. Whoever
dies in between leaves a row whose claim lapses: an e-way bill is then told again, for that may be repeated; of a pickup
nobody knows, and it is never asked for twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from bilty.reply import Courier
from bilty.shipment import Facility, Shipment, decode
from bilty.store import job_queue
from bilty.store.database import Connection
from bilty.store.turn_rows import HOLDING
from bilty.telling.afterwards import told_void
from bilty.turn import Kind as TurnKind
from bilty.turn import State as TurnState
from bilty.turn import Turn

LEASE = timedelta(seconds=60)
"""From the claim on; longer than the longest call."""
PUT_OFF = timedelta(hours=1)
PUT_BACK_AHEAD = timedelta(minutes=1)
PUT_BACK_MAX = 1_000


class Kind(StrEnum):
    EWAYBILL = "ewaybill"
    PICKUP = "pickup"


class State(StrEnum):
    OWED = "owed"
    SAYING = "saying"  # a call is out, or whoever made it died
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # a pickup that may have been booked
    VOID = "void"  # a pickup that was, or may have been, booked under an AWB that is void now
    GIVEN_UP = "given_up"  # no answer for so long that a person must see to it
    NOT_ASKED = "not_asked"  # a pickup that is only said to be too early, by a setting
    LEFT = "left"  # no longer this turn's business


STEPS = {Kind.EWAYBILL: "tell_ewaybill", Kind.PICKUP: "ask_pickup"}
"""What exchanges call them."""

TO_BE_TOLD = frozenset({TurnState.FETCHING, TurnState.UNLABELLED, TurnState.WON})
"""Turns that have the shipment, and whose courier is still to be told something."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A row under lock, with all that must be known to say it. `facility` is as this courier was told it."""

    id: int
    kind: Kind
    state: State
    invoice: str
    ewaybill: str
    owed_at: datetime
    due_at: datetime
    fence: int
    tries: int
    pickup_at: datetime | None
    shipment_id: int
    shipment: Shipment
    dispatched: bool
    facility: Facility
    facility_now: Facility
    turn_id: int
    turn_state: TurnState
    courier: Courier
    reference: str
    awb: str
    promised_at: datetime | None
    told: dict[str, str] | None
    provider: str
    provider_id: int
    provider_revision: int
    provider_waits: bool
    now: datetime


async def owe(connection: Connection, moved: Sequence[tuple[int, Turn | None, Turn]], now: datetime) -> None:
    """Of turns that moved, by id, from what to what: those that came to an AWB, or to a label that is too late.

    And of those that no longer have the shipment, the van that is to come for them.
    """
    holding = [i for i, was, turn in moved if _holds(turn) and (was is None or not _holds(was))]
    labelled = [i for i, was, turn in moved if _won(turn) and (was is None or not _won(was))]
    rows = await _owe_ewaybills(connection, holding, now) if holding else []
    if labelled:
        rows += await connection.fetch(
            """INSERT INTO afterwards (shipment_id, turn_id, kind, owed_at, due_at)
               SELECT shipment_id, id, $3, $2, $2 FROM turns WHERE id = ANY($1) AND pickup_at < $2
               ON CONFLICT DO NOTHING RETURNING id, due_at""",
            labelled,
            now,
            Kind.PICKUP,
        )
    await _put(connection, rows, now)
    await call_off(connection, [i for i, was, turn in moved if was and _holds(was) and not _holds(turn)], now)


async def call_off(connection: Connection, turn_ids: Sequence[int], now: datetime) -> None:
    """Where a van is to come for an AWB that is void by now, a person must see to it: nothing else ever would."""
    rows = await connection.fetch(
        """SELECT a.id, a.shipment_id, a.state, a.pickup_at, t.awb, t.courier_name,
                  coalesce(f.content ->> 'time_zone', 'Asia/Kolkata') AS time_zone
             FROM afterwards a JOIN turns t ON t.id = a.turn_id
             JOIN shipments s ON s.id = a.shipment_id JOIN facilities f ON f.id = s.facility_id
            WHERE a.turn_id = ANY($1) AND a.kind = 'pickup' AND a.state IN ('done', 'unknown')
              AND NOT t.state = ANY($2) ORDER BY a.id""",
        turn_ids,
        HOLDING,
    )
    for row in rows:
        at = row["pickup_at"].astimezone(ZoneInfo(row["time_zone"]))
        told = told_void(row["courier_name"], row["awb"], at, sure=row["state"] == State.DONE)
        await connection.execute("UPDATE afterwards SET state = 'void', warning = $2 WHERE id = $1", row["id"], told)
        await connection.execute(
            "INSERT INTO timeline (shipment_id, at, state, message) VALUES ($1, $2, 'pickup_void', $3)",
            row["shipment_id"],
            now,
            told,
        )


def _holds(turn: Turn) -> bool:
    return turn.kind is TurnKind.HOLDS


def _won(turn: Turn) -> bool:
    return turn.state is TurnState.WON


async def owe_ewaybills(connection: Connection, shipment_ids: Sequence[int], now: datetime) -> None:
    """After an e-way bill came or changed: whoever has the shipment is told. The caller has locked the shipments."""
    holding = await connection.fetch(
        "SELECT id FROM turns WHERE shipment_id = ANY($1) AND state = ANY($2)", shipment_ids, list(TO_BE_TOLD)
    )
    if holding:
        await _put(connection, await _owe_ewaybills(connection, [row["id"] for row in holding], now), now)


async def _owe_ewaybills(connection: Connection, turn_ids: Sequence[int], now: datetime) -> list[asyncpg.Record]:
    """What the content has and the courier was not told. Another number is said once a call that is out is over."""
    rows = await connection.fetch(
        """INSERT INTO afterwards AS a (shipment_id, turn_id, kind, invoice, ewaybill, owed_at, due_at)
           SELECT DISTINCT ON (t.id, i ->> 'number')
                  t.shipment_id, t.id, $3, i ->> 'number', i ->> 'ewaybill_number', $2, $2
             FROM turns t JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
            CROSS JOIN LATERAL jsonb_array_elements(v.content -> 'invoices') AS i
            WHERE t.id = ANY($1) AND t.told_ewaybills IS NOT NULL AND coalesce(i ->> 'ewaybill_number', '') <> ''
              AND t.told_ewaybills ->> (i ->> 'number') IS DISTINCT FROM i ->> 'ewaybill_number'
            ORDER BY t.id, i ->> 'number'
           ON CONFLICT (turn_id, kind, invoice) DO UPDATE
              SET ewaybill = excluded.ewaybill, state = 'owed', owed_at = $2, fence = a.fence + 1, tries = 0,
                  warning = '', due_at = CASE a.state WHEN 'saying' THEN greatest(a.due_at, $2) ELSE $2 END
            WHERE a.ewaybill <> excluded.ewaybill OR a.state IN ('done', 'left')
           RETURNING id, due_at""",
        turn_ids,
        now,
        Kind.EWAYBILL,
    )
    return list(rows)


async def _put(connection: Connection, rows: Sequence[asyncpg.Record], now: datetime) -> None:
    await job_queue.put_afterwards(connection, [(row["id"], row["due_at"]) for row in rows], now)


async def put_back(connection: Connection) -> None:
    """Whatever is due, should it be in the queue no more."""
    rows = await connection.fetch(
        """SELECT id, due_at, clock_timestamp() AS now FROM afterwards
            WHERE due_at < clock_timestamp() + $1::interval ORDER BY due_at LIMIT $2""",
        PUT_BACK_AHEAD,
        PUT_BACK_MAX,
    )
    if rows:
        await _put(connection, rows, rows[0]["now"])


async def take(connection: Connection, owed_id: int, now: datetime | None = None) -> Owed | None:
    """What is due, locked: first its shipment, as everybody does. None where nothing is."""
    await connection.execute(
        "SELECT FROM shipments WHERE id = (SELECT shipment_id FROM afterwards WHERE id = $1) FOR UPDATE", owed_id
    )
    row = await connection.fetchrow(
        """SELECT a.*, coalesce($2::timestamptz, clock_timestamp()) AS now, t.state AS turn_state, t.cp_id,
                  t.account_code, t.courier_name, t.reference, t.awb, t.pickup_at AS promised_at, t.facility,
                  t.told_ewaybills, v.content, f.content AS facility_now, s.dispatched, p.code AS provider,
                  p.id AS provider_id, p.revision, p.paused_at IS NOT NULL AS waits
             FROM afterwards a JOIN turns t ON t.id = a.turn_id JOIN shipments s ON s.id = a.shipment_id
             JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
             JOIN facilities f ON f.id = s.facility_id JOIN shipping_providers p ON p.id = t.provider_id
            WHERE a.id = $1 AND a.due_at <= coalesce($2::timestamptz, clock_timestamp()) FOR UPDATE OF a""",
        owed_id,
        now,
    )
    return _owed(row) if row else None


def _owed(row: asyncpg.Record) -> Owed:
    return Owed(
        id=row["id"],
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        invoice=row["invoice"],
        ewaybill=row["ewaybill"],
        owed_at=row["owed_at"],
        due_at=row["due_at"],
        fence=row["fence"],
        tries=row["tries"],
        pickup_at=row["pickup_at"],
        shipment_id=row["shipment_id"],
        shipment=decode(row["content"]),
        dispatched=row["dispatched"],
        facility=msgspec.json.decode(row["facility"] or row["facility_now"], type=Facility),
        facility_now=msgspec.json.decode(row["facility_now"], type=Facility),
        turn_id=row["turn_id"],
        turn_state=TurnState(row["turn_state"]),
        courier=Courier(row["cp_id"], row["account_code"], row["courier_name"]),
        reference=row["reference"],
        awb=row["awb"],
        promised_at=row["promised_at"],
        told=msgspec.json.decode(row["told_ewaybills"], type=dict[str, str]) if row["told_ewaybills"] else None,
        provider=row["provider"],
        provider_id=row["provider_id"],
        provider_revision=row["revision"],
        provider_waits=row["waits"],
        now=row["now"],
    )


async def claim(connection: Connection, owed: Owed, *, ewaybill: str = "", pickup_at: datetime | None = None) -> int:
    """Before a byte leaves. The fence under which the answer counts.

    Which e-way bill of the invoice its courier knows is not known from now on: what was told before may be replaced by
    what is said, and is no reason to say nothing should a person put it back.
    """
    if owed.kind is Kind.EWAYBILL:
        await connection.execute(
            """UPDATE turns SET told_ewaybills = coalesce(told_ewaybills, '{}') || jsonb_build_object($2::text, '')
                WHERE id = $1""",
            owed.turn_id,
            owed.invoice,
        )
    fence: int = await connection.fetchval(
        """UPDATE afterwards SET state = 'saying', fence = fence + 1, due_at = $2, ewaybill = $3, pickup_at = $4
            WHERE id = $1 RETURNING fence""",
        owed.id,
        owed.now + LEASE,
        ewaybill,
        pickup_at,
    )
    return fence


async def wait(connection: Connection, owed: Owed, now: datetime, pause: timedelta, *, tried: bool = False) -> None:
    """It is said, or said again, after a pause."""
    await connection.execute(
        "UPDATE afterwards SET state = 'owed', due_at = $2, tries = tries + $3, warning = '' WHERE id = $1",
        owed.id,
        now + pause,
        int(tried),
    )
    await job_queue.put_afterwards(connection, [(owed.id, now + pause)], now)


async def put_off(connection: Connection, owed_id: int, now: datetime) -> None:
    """For what cannot be worked on, however it is tried. What has ended meanwhile is over."""
    await connection.execute(
        "UPDATE afterwards SET due_at = $2 WHERE id = $1 AND due_at IS NOT NULL", owed_id, now + PUT_OFF
    )
