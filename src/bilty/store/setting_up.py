"""Changing what Bilty is set up with, for the panel and the API alike: a change and its line in the audit trail.

Every function here wants a transaction of the caller's. The row is locked before it is read, so that "before" is what
this change found, whoever else is at it; shipments arrive meanwhile. A key is never told, only whether it is another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from bilty.shipment import Facility
from bilty.shipping_provider import Connector, ShippingProvider
from bilty.store import providers
from bilty.store.audit import Actor, note
from bilty.store.database import DUE_CHANNEL, Connection
from bilty.store.secrets import Vault

PROVIDER_ADDED, PROVIDER_CHANGED = "shipping provider added", "shipping provider changed"
CONNECTOR_UPDATED = "connector updated"
FACILITY_ADDED, FACILITY_CHANGED = "facility added", "facility changed"


async def add_provider(connection: Connection, provider: ShippingProvider, actor: Actor) -> bool:
    """False where the code is another's, which stays as it is."""
    code: str | None = await connection.fetchval(
        """INSERT INTO shipping_providers (code, kind, name, enabled) VALUES ($1, $2, $3, $4)
           ON CONFLICT (code) DO NOTHING RETURNING code""",
        provider.code,
        provider.kind,
        provider.name,
        provider.enabled,
    )
    if code is None:
        return False
    await note(connection, actor, PROVIDER_ADDED, code, after=_provider(provider))
    return True


def _provider(provider: ShippingProvider) -> dict[str, Any]:
    """Spelt out: what goes without saying in a document belongs into both sides of a change."""
    return {"code": provider.code, "kind": provider.kind, "name": provider.name, "enabled": provider.enabled}


async def save_provider(connection: Connection, provider: ShippingProvider, actor: Actor) -> bool:
    """True when it is new. One that is switched on again goes on at once with what waited."""
    row = await connection.fetchrow(
        "SELECT code, kind, name, enabled FROM shipping_providers WHERE code = $1 FOR NO KEY UPDATE", provider.code
    )
    is_new = await providers.put_provider(connection, provider)
    before = dict(row) if row else None
    after = _provider(provider)
    if before != after:
        action = PROVIDER_ADDED if is_new else PROVIDER_CHANGED
        await note(connection, actor, action, provider.code, before=before, after=after)
    if provider.enabled:
        await connection.execute("SELECT pg_notify($1, '')", DUE_CHANNEL)
    return is_new


async def lock_provider(connection: Connection, code: str) -> None:
    """Before its key is read to be kept: a key that somebody else gives meanwhile must not be undone by keeping."""
    await connection.execute("SELECT FROM shipping_providers WHERE code = $1 FOR NO KEY UPDATE", code)


async def update_connector(
    connection: Connection, vault: Vault, code: str, connector: Connector, actor: Actor, *, key_changed: bool
) -> bool:
    """Update Connector. False when there is no such provider."""
    held = await connection.fetchval("SELECT connector FROM shipping_providers WHERE code = $1 FOR NO KEY UPDATE", code)
    if not await providers.put_connector(connection, vault, code, connector):
        return False
    before = _told(msgspec.json.decode(held, type=Connector)) if held else None
    after = {**_told(connector), "key": "changed" if key_changed else "kept"}
    await note(connection, actor, CONNECTOR_UPDATED, code, before=before, after=after)
    return True


def _told(connector: Connector) -> dict[str, Any]:
    """Every value but the key, also those that are as they come."""
    return {name: value for name, value in msgspec.structs.asdict(connector).items() if name != "key"}


async def add_facility(connection: Connection, facility: Facility, actor: Actor) -> bool:
    """False where the code is another's, which stays as it is."""
    added: int | None = await connection.fetchval(
        "INSERT INTO facilities (code, content) VALUES ($1, $2) ON CONFLICT (code) DO NOTHING RETURNING id",
        facility.code,
        msgspec.json.encode(facility).decode(),
    )
    if added is None:
        return False
    await note(connection, actor, FACILITY_ADDED, facility.code, facility_id=added, after=facility)
    return True


async def save_facility(connection: Connection, facility: Facility, actor: Actor) -> bool:
    """True when it is new."""
    held = await connection.fetchval("SELECT content FROM facilities WHERE code = $1 FOR NO KEY UPDATE", facility.code)
    before = msgspec.json.decode(held, type=Facility) if held else None
    is_new = await providers.put_facility(connection, facility)
    if before != facility:
        await note(
            connection,
            actor,
            FACILITY_ADDED if is_new else FACILITY_CHANGED,
            facility.code,
            facility_id=await connection.fetchval("SELECT id FROM facilities WHERE code = $1", facility.code),
            before=_spelt(before) if before else None,
            after=_spelt(facility) if before else facility,
        )
    return is_new


def _spelt(facility: Facility) -> dict[str, Any]:
    """Every value of its own, also those that are as they come: what was taken away is told as "none", not left out."""
    return msgspec.structs.asdict(facility)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the audit trail: who changed it, and when."""

    id: int
    actor: str
    at: datetime


async def last_change(connection: Connection, subject: str, actions: Sequence[str]) -> Change | None:
    row = await connection.fetchrow(
        """SELECT id, actor, at FROM audit WHERE subject = $1 AND action = ANY($2) AND shipment_id IS NULL
            ORDER BY id DESC LIMIT 1""",
        subject,
        actions,
    )
    return Change(row["id"], row["actor"], row["at"]) if row else None
