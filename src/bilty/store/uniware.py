"""What is kept for Uniware's sake: a facility's defaults, what Uniware said last, and whose an AWB is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bilty.intake.uniware import Defaults
from bilty.shipment import digest, encode
from bilty.store import shipments
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.shipments import Arrival, Intake, Kept

SAVED = "Uniware's defaults changed"


async def defaults_of(connection: Connection, facility_id: int) -> Defaults:
    content = await connection.fetchval("SELECT content FROM uniware_defaults WHERE facility_id = $1", facility_id)
    return msgspec.json.decode(content, type=Defaults) if content else Defaults()


async def all_defaults(connection: Connection, facility_ids: Collection[int]) -> dict[int, Defaults]:
    """Of those that have any."""
    rows = await connection.fetch(
        "SELECT facility_id, content FROM uniware_defaults WHERE facility_id = ANY($1)", list(facility_ids)
    )
    return {row["facility_id"]: msgspec.json.decode(row["content"], type=Defaults) for row in rows}


async def save_defaults(connection: Connection, facility_id: int, code: str, defaults: Defaults, actor: Actor) -> None:
    """With its line in the audit trail, where it is a change. The caller holds a transaction."""
    await connection.execute("SELECT FROM facilities WHERE id = $1 FOR NO KEY UPDATE", facility_id)
    before = await defaults_of(connection, facility_id)
    if before == defaults:
        return
    await connection.execute(
        """INSERT INTO uniware_defaults (facility_id, content) VALUES ($1, $2)
           ON CONFLICT (facility_id) DO UPDATE SET content = $2""",
        facility_id,
        msgspec.json.encode(defaults, order="deterministic").decode(),
    )
    await note(connection, actor, SAVED, code, facility_id=facility_id, before=before, after=defaults)


async def with_pickup_address(connection: Connection, given: str, allowed: Collection[int] | None) -> list[str]:
    """The codes of those that have set down this id of Uniware's, two at most, among those that are `allowed`."""
    rows = await connection.fetch(
        """SELECT f.code FROM uniware_defaults d JOIN facilities f ON f.id = d.facility_id
            WHERE d.content ->> 'pickup_address_id' = $1 AND ($2::int[] IS NULL OR f.id = ANY($2)) LIMIT 2""",
        given,
        None if allowed is None else list(allowed),
    )
    return [row["code"] for row in rows]


async def only_provider(connection: Connection) -> str:
    """Where there is but one that is switched on, nobody need name it; blank otherwise."""
    rows = await connection.fetch("SELECT code FROM shipping_providers WHERE enabled ORDER BY id LIMIT 2")
    return str(rows[0]["code"]) if len(rows) == 1 else ""


async def keep_without_provider(connection: Connection, arrival: Arrival, now: datetime) -> Kept:
    """An arrival that nobody is named for: listed under the first provider, and blank in what it is.

    It is held, and what is blank cannot be booked. The caller holds a transaction.
    """
    code = await connection.fetchval("SELECT code FROM shipping_providers ORDER BY id LIMIT 1")
    if code is None:
        return Kept(Intake.NO_PROVIDER)
    listed = msgspec.structs.replace(arrival.shipment, shipping_provider=code)
    kept = (
        await shipments.keep(connection, [Arrival(listed, arrival.hold, arrival.warnings, arrival.facilities)], now)
    )[0]
    if kept.intake is Intake.NEW:
        await connection.execute(
            "UPDATE shipment_versions SET digest = $2, content = $3 WHERE shipment_id = $1",
            kept.shipment_id,
            digest(arrival.shipment),
            encode(arrival.shipment).decode(),
        )
    return kept


async def asked_last(connection: Connection, shipment_id: int) -> bytes:
    """Blank where Uniware never asked for it."""
    found = await connection.fetchval("SELECT asked FROM uniware_shipments WHERE shipment_id = $1", shipment_id)
    return bytes(found or b"")


async def write_asked(connection: Connection, shipment_id: int, asked: bytes) -> None:
    await connection.execute(
        """INSERT INTO uniware_shipments (shipment_id, asked) VALUES ($1, $2)
           ON CONFLICT (shipment_id) DO UPDATE SET asked = $2 WHERE uniware_shipments.asked <> $2""",
        shipment_id,
        asked,
    )


@dataclass(frozen=True, slots=True)
class Awb:
    """`turn_id` is the last turn that has it, `at` when something was told of that turn last."""

    awb: str
    shipment_id: int
    turn_id: int
    at: datetime


async def by_awb(connection: Connection, awbs: Sequence[str], facilities: frozenset[int] | None) -> list[Awb]:
    """Whose they are, among what leaves from `facilities`. One AWB may be of two shipments, of two couriers."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (t.awb, t.shipment_id) t.awb, t.shipment_id, t.id,
                  coalesce((SELECT max(l.at) FROM timeline l WHERE l.shipment_id = s.id AND l.turn_id = t.id),
                           s.created_at) AS at
             FROM unnest($1::text[]) AS a(awb)
             JOIN shipment_codes c ON c.code = lower(a.awb) JOIN shipments s ON s.id = c.shipment_id
             JOIN turns t ON t.shipment_id = s.id AND t.awb = a.awb
            WHERE $2::int[] IS NULL OR s.facility_id = ANY($2)
            ORDER BY t.awb, t.shipment_id, t.id DESC""",
        list(awbs),
        None if facilities is None else list(facilities),
    )
    return [Awb(row["awb"], row["shipment_id"], row["id"], row["at"]) for row in rows]


async def numbered(connection: Connection, number: str, facilities: frozenset[int] | None) -> list[int]:
    """The shipments of this number that leave from `facilities`: one each at most."""
    rows = await connection.fetch(
        """SELECT s.id FROM facilities f JOIN shipments s ON s.facility_id = f.id AND s.number = $1
            WHERE $2::int[] IS NULL OR f.id = ANY($2) LIMIT 2""",
        number,
        None if facilities is None else list(facilities),
    )
    return [row["id"] for row in rows]


async def asked_on(connection: Connection, facility_id: int, number: str) -> datetime | None:
    """When it was taken in, None where it is new."""
    found: datetime | None = await connection.fetchval(
        "SELECT created_at FROM shipments WHERE facility_id = $1 AND number = $2", facility_id, number
    )
    return found
