"""PDFs that a person or an order system attached to a shipment: kept, printed along, removed.

A file is in the store once, whoever attached it. So that one who removes it does not take it from another who attaches
the same at this moment, both hold a lock of its hash until they have committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from bilty.store import audit
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.store.labels import LabelStore, Shelf
from bilty.store.progress import notify_changed

DOCUMENTS_MAX = 20
"""Of one shipment."""


class Kind(StrEnum):
    """The values are the API's."""

    INVOICE = "invoice"
    EWAYBILL = "ewaybill"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Given:
    """A PDF that was looked at: `pages` is what was counted."""

    kind: Kind
    name: str
    content: bytes
    sha256: str
    pages: int


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    shipment_id: int
    kind: Kind
    name: str
    sha256: str
    pages: int
    size: int
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Attached:
    """`document` is None where the shipment has as many as it may. `is_new`: it was not attached before."""

    document: Attachment | None
    is_new: bool


_COLUMNS = "id, shipment_id, kind, name, sha256, pages, bytes, actor, at"


async def of_shipments(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, tuple[Attachment, ...]]:
    """By shipment, those that have any, in the order in which they were attached."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM attachments WHERE shipment_id = ANY($1) ORDER BY id",  # noqa: S608 - constant
        list(shipment_ids),
    )
    found: dict[int, tuple[Attachment, ...]] = {}
    for row in rows:
        found[row["shipment_id"]] = (*found.get(row["shipment_id"], ()), _attachment(row))
    return found


async def one(connection: Connection, shipment_id: int, document_id: int) -> Attachment | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM attachments WHERE shipment_id = $1 AND id = $2",  # noqa: S608 - constant
        shipment_id,
        document_id,
    )
    return _attachment(row) if row else None


async def attach(connection: Connection, labels: LabelStore, shipment_id: int, given: Given, actor: Actor) -> Attached:
    """The same file again changes nothing. The caller holds a transaction.

    Raises OSError or obstore's errors when the store cannot be written.
    """
    facility_id, number = await _lock(connection, shipment_id, given.sha256)
    known = (await of_shipments(connection, [shipment_id])).get(shipment_id, ())
    for each in known:
        if each.sha256 == given.sha256:
            return Attached(each, is_new=False)
    if len(known) >= DOCUMENTS_MAX:
        return Attached(None, is_new=False)
    await labels.put(given.content, Shelf.DOCUMENTS)
    row = await connection.fetchrow(
        f"""INSERT INTO attachments (shipment_id, kind, name, sha256, pages, bytes, actor_kind, actor)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}""",  # noqa: S608 - constant
        shipment_id,
        given.kind,
        given.name,
        given.sha256,
        given.pages,
        len(given.content),
        actor.kind,
        actor.name,
    )
    assert row is not None, "an insert returns its row"
    told = {"kind": given.kind, "name": given.name, "pages": given.pages}
    await audit.note(
        connection, actor, "document attached", number, shipment_id=shipment_id, facility_id=facility_id, after=told
    )
    await notify_changed(connection, [shipment_id])
    return Attached(_attachment(row), is_new=True)


async def remove(
    connection: Connection, labels: LabelStore, shipment_id: int, document_id: int, actor: Actor
) -> Attachment | None:
    """What was removed, its file with it where nobody else has attached it. The caller holds a transaction.

    Raises OSError or obstore's errors when the store cannot be written.
    """
    known = await one(connection, shipment_id, document_id)
    if known is None:
        return None
    facility_id, number = await _lock(connection, shipment_id, known.sha256)
    gone = await connection.fetchval("DELETE FROM attachments WHERE id = $1 RETURNING id", document_id)
    if gone is None:  # somebody else was faster
        return None
    told = {"kind": known.kind, "name": known.name, "pages": known.pages}
    await audit.note(
        connection, actor, "document removed", number, shipment_id=shipment_id, facility_id=facility_id, before=told
    )
    await notify_changed(connection, [shipment_id])
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM attachments WHERE sha256 = $1)", known.sha256):
        await labels.remove(known.sha256, Shelf.DOCUMENTS)
    return known


async def _lock(connection: Connection, shipment_id: int, sha256: str) -> tuple[int, str]:
    """The shipment, then the file: everybody in this order. Its facility and its number."""
    row = await connection.fetchrow(
        "SELECT facility_id, number FROM shipments WHERE id = $1 FOR NO KEY UPDATE", shipment_id
    )
    assert row is not None, "the caller has seen it, and no shipment is ever deleted"
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('attachment ' || $1, 0))", sha256)
    return row["facility_id"], row["number"]


def _attachment(row: asyncpg.Record) -> Attachment:
    return Attachment(
        id=row["id"],
        shipment_id=row["shipment_id"],
        kind=Kind(row["kind"]),
        name=row["name"],
        sha256=row["sha256"],
        pages=row["pages"],
        size=row["bytes"],
        actor=row["actor"],
        at=row["at"],
    )
