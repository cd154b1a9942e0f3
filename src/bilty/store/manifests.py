"""Manifests: what was handed to couriers together, an AWB on one manifest only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import msgspec

from bilty.deciding import Dispatch
from bilty.documents.manifest import BEGINS, Line, Manifest
from bilty.shipment import decode
from bilty.store import acting, uniware
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.turn import Rules, State

READY = (State.WON,)
"""A turn whose AWB has its label: what is on its way without one, or void, is handed to nobody."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was made: these AWBs are on a manifest already, not known, have no label or are void, or are of two."""

    manifested: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    not_ready: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


async def make(
    connection: Connection,
    awbs: Sequence[str],
    facilities: frozenset[int] | None,
    actor: Actor,
    now: datetime,
    rules: Rules,
) -> Manifest | Refused:
    """A manifest of them all, or of none; it is the hand-over, so its shipments are dispatched with it.

    One that was dispatched before is put on it all the same: the paper may come later. The caller holds a transaction.
    """
    owners = await uniware.by_awb(connection, awbs, facilities)
    found = {owner.awb for owner in owners}
    unknown = tuple(awb for awb in awbs if awb not in found)
    ambiguous = tuple(awb for awb, count in Counter(owner.awb for owner in owners).items() if count > 1)
    order = {awb: place for place, awb in enumerate(awbs)}
    ids = [owner.turn_id for owner in sorted(owners, key=lambda owner: order[owner.awb])]
    return await _make(connection, ids, Refused(unknown=unknown, ambiguous=ambiguous), actor, now, rules)


async def make_of(
    connection: Connection, turn_ids: Sequence[int], actor: Actor, now: datetime, rules: Rules
) -> Manifest | Refused:
    """The same, of the AWBs of these turns, in this order."""
    return await _make(connection, turn_ids, Refused(), actor, now, rules)


async def _make(
    connection: Connection, turn_ids: Sequence[int], refused: Refused, actor: Actor, now: datetime, rules: Rules
) -> Manifest | Refused:
    rows = await _rows(connection, turn_ids)
    refused = replace(
        refused,
        manifested=tuple(dict.fromkeys(row["awb"] for row in rows if row["manifest_id"])),
        not_ready=tuple(dict.fromkeys(row["awb"] for row in rows if row["state"] not in READY)),
    )
    if refused != Refused():
        return refused
    manifest_id = await connection.fetchval("SELECT nextval(pg_get_serial_sequence('manifests', 'id'))")
    boxes = await _boxes(connection, [row["shipment_id"] for row in rows])
    manifest = Manifest(
        f"{BEGINS}{manifest_id}", now, tuple(_line(row, boxes.get(row["shipment_id"], ())) for row in rows)
    )
    await connection.execute(
        "INSERT INTO manifests (id, at, actor, content) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4)",
        manifest_id,
        now,
        actor.name,
        msgspec.json.encode(manifest).decode(),
    )
    await connection.executemany(
        "INSERT INTO manifested (turn_id, manifest_id) VALUES ($1, $2)", [(row["id"], manifest_id) for row in rows]
    )
    await acting.act(connection, {row["shipment_id"]: Dispatch() for row in rows}, actor, now, rules)
    await note(
        connection, actor, "manifest made", manifest.number, after={"AWBs": [line.awb for line in manifest.lines]}
    )
    return manifest


async def _rows(connection: Connection, turn_ids: Sequence[int]) -> list[asyncpg.Record]:
    """In this order, and locked as everybody locks: whoever is second sees the first one's manifest."""
    await connection.execute(
        """SELECT FROM shipments WHERE id IN (SELECT shipment_id FROM turns WHERE id = ANY($1))
            ORDER BY id FOR UPDATE""",
        turn_ids,
    )
    await connection.execute("SELECT FROM turns WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", turn_ids)
    return await connection.fetch(
        """SELECT t.id, t.awb, t.state, t.courier_name, t.shipment_id, m.manifest_id, f.code AS facility, v.content
             FROM turns t JOIN shipments s ON s.id = t.shipment_id JOIN facilities f ON f.id = s.facility_id
             JOIN shipment_versions v ON v.shipment_id = t.shipment_id AND v.version = t.version
             LEFT JOIN manifested m ON m.turn_id = t.id
            WHERE t.id = ANY($1) ORDER BY array_position($1, t.id)""",
        turn_ids,
    )


async def _boxes(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Each shipment's boxes' AWBs, blank where a box has none."""
    rows = await connection.fetch(
        """SELECT b.shipment_id, array_agg(b.awb ORDER BY b.number) AS awbs FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE b.shipment_id = ANY($1) GROUP BY b.shipment_id""",
        list(shipment_ids),
    )
    return {row["shipment_id"]: tuple(row["awbs"]) for row in rows}


def _line(row: asyncpg.Record, box_awbs: tuple[str, ...]) -> Line:
    shipment = decode(row["content"])
    return Line(
        facility=row["facility"],
        courier=row["courier_name"] or "",
        awb=row["awb"],
        number=shipment.number,
        order_number=shipment.order_number,
        consignee=shipment.consignee.organisation,
        city=shipment.consignee.city,
        pincode=shipment.consignee.pincode,
        weight_g=shipment.weight_g,
        box_awbs=box_awbs,
    )


async def one(connection: Connection, manifest_id: int) -> Manifest | None:
    content = await connection.fetchval("SELECT content FROM manifests WHERE id = $1", manifest_id)
    return msgspec.json.decode(content, type=Manifest) if content else None
