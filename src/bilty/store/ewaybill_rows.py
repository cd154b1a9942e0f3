"""E-way bills for those who look: which are wanted, and whose a number is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from bilty.shipment import Invoice, decode, ewaybills_of, wants_ewaybill
from bilty.store.database import Connection
from bilty.store.turn_rows import HOLDING
from bilty.workflow import Status


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shipment that is held, with its invoices that want an e-way bill."""

    shipment_id: int
    number: str
    facility: str
    consignee: str
    city: str
    invoices: tuple[Invoice, ...]


async def wanted(
    connection: Connection, facilities: Collection[int] | None, threshold: Decimal, limit: int
) -> list[Wanted]:
    """Those of `facilities`, None for all, that are on hold; the oldest first: it waits the longest."""
    rows = await connection.fetch(
        """SELECT s.id, s.number, f.code, s.consignee, s.city, v.content FROM shipments s
             JOIN facilities f ON f.id = s.facility_id
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version
            WHERE s.status = $1 AND ($2::int[] IS NULL OR s.facility_id = ANY($2))
              AND EXISTS (SELECT FROM jsonb_array_elements(v.content -> 'invoices') AS i
                           WHERE coalesce(i ->> 'ewaybill_number', '') = '' AND (i ->> 'value')::numeric > $4)
            ORDER BY s.id LIMIT $3""",
        Status.ON_HOLD,
        None if facilities is None else list(facilities),
        limit,
        threshold,
    )
    return [
        Wanted(
            row["id"],
            row["number"],
            row["code"],
            row["consignee"],
            row["city"],
            tuple(wants_ewaybill(decode(row["content"]), threshold)),
        )
        for row in rows
    ]


async def find(
    connection: Connection, named: Collection[tuple[str, str]], facilities: Collection[int] | None
) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """The shipments (id, facility) of each (facility, number), of `facilities`, None for all; a blank one is any."""
    keys = list(named)
    rows = await connection.fetch(
        """SELECT k.nth, s.id, f.code
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(facility, number, nth)
             JOIN facilities f ON k.facility IN ('', f.code) AND ($3::int[] IS NULL OR f.id = ANY($3))
             JOIN shipments s ON s.facility_id = f.id AND s.number = k.number ORDER BY k.nth, f.code""",
        [facility for facility, _ in keys],
        [number for _, number in keys],
        None if facilities is None else list(facilities),
    )
    found: dict[tuple[str, str], list[tuple[int, str]]] = {key: [] for key in keys}
    for row in rows:
        found[keys[row["nth"] - 1]].append((row["id"], row["code"]))
    return found


async def known_to_courier(connection: Connection, shipment_id: int) -> Mapping[str, str] | None:
    """The numbers that the courier that has the shipment knows, by invoice; None where none has it."""
    row = await connection.fetchrow(
        """SELECT t.told_ewaybills, v.content FROM turns t
             JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
            WHERE t.shipment_id = $1 AND t.state = ANY($2)""",
        shipment_id,
        HOLDING,
    )
    if row is None:
        return None
    if row["told_ewaybills"] is None:
        return {invoice: bill.number for invoice, bill in ewaybills_of(decode(row["content"])).items()}
    return msgspec.json.decode(row["told_ewaybills"], type=dict[str, str])
