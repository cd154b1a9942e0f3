"""What an admin does with API keys: listed without the key itself, added, revoked, and told in the audit trail."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bilty.store import access, audit
from bilty.store.access import Scope
from bilty.store.audit import Actor
from bilty.store.database import Connection

KEYS_MAX = 1000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once it has been shown."""

    id: int
    name: str
    scope: Scope
    begins_with: str
    created_at: datetime
    used_at: datetime | None


async def keys(connection: Connection) -> list[ApiKey]:
    rows = await connection.fetch(
        "SELECT id, name, scope, prefix, created_at, used_at FROM api_keys ORDER BY name, id LIMIT $1", KEYS_MAX
    )
    return [_key(row) for row in rows]


async def add(connection: Connection, actor: Actor, name: str, scope: Scope) -> str:
    """The key, told this once."""
    key = await access.add_key(connection, name, scope)
    await audit.note(connection, actor, "API key added", name, after=_told(scope, key[: access.KEY_CHARS_SHOWN]))
    return key


async def revoke(connection: Connection, actor: Actor, key_id: int) -> ApiKey | None:
    """Whoever holds it is a stranger from now on. None when it is gone already."""
    row = await connection.fetchrow(
        "DELETE FROM api_keys WHERE id = $1 RETURNING id, name, scope, prefix, created_at, used_at", key_id
    )
    if row is None:
        return None
    revoked = _key(row)
    before = _told(revoked.scope, revoked.begins_with)
    await audit.note(connection, actor, "API key revoked", revoked.name, before=before)
    return revoked


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(row["id"], row["name"], Scope(row["scope"]), row["prefix"], row["created_at"], row["used_at"])


def _told(scope: Scope, begins_with: str) -> dict[str, str]:
    return {"scope": scope, "begins with": begins_with}
