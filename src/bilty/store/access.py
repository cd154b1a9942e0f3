"""Who may come in: API keys, users and their one-time sign-in links. Only hashes of what they carry are kept.

Sessions are in `bilty.store.sessions`; what an admin changes is in `bilty.store.users` and `bilty.store.api_keys`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg

from bilty.store.database import Connection

SIGN_IN_LINK_LIVES = timedelta(hours=24)
FIRST_LINK_AGAIN_AFTER = timedelta(seconds=10)
FIRST_ADMIN_LOCK = 0x6669727374  # "first"
KEY_BEGINS, KEY_CHARS_SHOWN = "bilty_", 10
"""A key is told from the others by its first characters; those that are left are far too many to guess."""
_TOKEN_BYTES = 20


class Scope(StrEnum):
    """What a key may do; each may do what those before it may."""

    READ = "read"
    DISPATCH = "dispatch"
    ADMIN = "admin"

    def allows(self, wanted: "Scope") -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(wanted)


class Role(StrEnum):
    """What a person may do; each may do what those after it may."""

    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    VIEWER = "viewer"

    def may(self, wanted: "Role") -> bool:
        order = list(Role)
        return order.index(self) <= order.index(wanted)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds an API key. `facilities` are the ids of those that the key opens, None for all."""

    id: int
    name: str
    scope: Scope
    facilities: frozenset[int] | None = None
    expires_at: datetime | None = None

    def sees(self, facility_id: int) -> bool:
        return self.facilities is None or facility_id in self.facilities

    @property
    def administers_all(self) -> bool:
        """What concerns every facility is not for a key of some."""
        return self.scope is Scope.ADMIN and self.facilities is None


@dataclass(frozen=True, slots=True)
class Expired:
    """A key that was good until then. Whoever holds it is told so: nobody else knows it."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in. `facilities` are the ids of those this person works for, None for all."""

    id: int
    email: str
    role: Role
    facilities: frozenset[int] | None = None

    def may(self, wanted: Role) -> bool:
        return self.role.may(wanted)

    @property
    def administers_all(self) -> bool:
        """What concerns every facility is not for an admin of some."""
        return self.may(Role.ADMIN) and self.facilities is None

    def sees(self, facility_id: int) -> bool:
        return self.facilities is None or facility_id in self.facilities


def new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    # Tokens have 160 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(token.encode()).digest()


# API keys


async def add_key(
    connection: Connection,
    name: str,
    scope: Scope,
    facilities: frozenset[int] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new API key, told this once. `facilities`: the ids of those that it opens, None for all. In a transaction."""
    key = KEY_BEGINS + new_token()
    key_id = await connection.fetchval(
        """INSERT INTO api_keys (name, scope, hash, prefix, all_facilities, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
        name,
        scope,
        hash_of(key),
        key[:KEY_CHARS_SHOWN],
        facilities is None,
        expires_at,
    )
    await connection.executemany(
        "INSERT INTO key_facilities (key_id, facility_id) VALUES ($1, $2)",
        [(key_id, facility_id) for facility_id in sorted(facilities or ())],
    )
    return key


_CALLER = """SELECT id, name, scope, all_facilities, expires_at,
                    ARRAY(SELECT facility_id FROM key_facilities WHERE key_id = api_keys.id) AS facilities,
                    coalesce(expires_at <= clock_timestamp(), false) AS is_over,
                    coalesce(used_at, '-infinity') < clock_timestamp() - interval '1 minute' AS is_news
               FROM api_keys"""


async def caller_of(connection: Connection, key: str) -> Caller | Expired | None:
    """None where there is no such key, be it no longer."""
    return await _used(connection, await connection.fetchrow(f"{_CALLER} WHERE hash = $1", hash_of(key)))


async def caller_numbered(connection: Connection, key_id: int) -> Caller | Expired | None:
    """For whoever showed the key before and has something of ours that says so."""
    return await _used(connection, await connection.fetchrow(f"{_CALLER} WHERE id = $1", key_id))


async def _used(connection: Connection, row: asyncpg.Record | None) -> Caller | Expired | None:
    """Notes that the key was used, to the minute: most answers are worth no write, and none is worth waiting for."""
    if row is None:
        return None
    if row["is_over"]:
        return Expired(row["name"], row["expires_at"])
    if row["is_news"]:
        await connection.execute(
            """UPDATE api_keys SET used_at = clock_timestamp()
                WHERE id = (SELECT id FROM api_keys WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)""",
            row["id"],
        )
    facilities = None if row["all_facilities"] else frozenset(row["facilities"])
    return Caller(row["id"], row["name"], Scope(row["scope"]), facilities, row["expires_at"])


# Users and links


async def add_user(connection: Connection, email: str, role: Role, now: datetime) -> str:
    """The token of a new sign-in link. A user who is there already gets the role, and another link."""
    user_id = await connection.fetchval(
        """INSERT INTO users (email, role) VALUES (lower($1), $2)
           ON CONFLICT (email) DO UPDATE SET role = $2 RETURNING id""",
        email,
        role,
    )
    return await new_link(connection, user_id, now)


async def new_link(connection: Connection, user_id: int, now: datetime) -> str:
    """The token of a sign-in link. It replaces the person's earlier ones: one of those may be in the wrong hands."""
    await connection.execute("DELETE FROM sign_in_links WHERE user_id = $1 OR expires_at <= $2", user_id, now)
    token = new_token()
    await _keep_link(connection, token, user_id, now)
    return token


async def first_link(connection: Connection, now: datetime) -> str | None:
    """While there is no user: the token of a link by which somebody becomes the first admin.

    None when there are users, or when another process has just told one: of many that start at once, one speaks.
    Each that was told stays good until one of them is used.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", FIRST_ADMIN_LOCK)
    wanted = await connection.fetchval(
        """SELECT NOT EXISTS (SELECT FROM users)
              AND NOT EXISTS (SELECT FROM sign_in_links WHERE user_id IS NULL AND created_at > $1)""",
        now - FIRST_LINK_AGAIN_AFTER,
    )
    if not wanted:
        return None
    token = new_token()
    await _keep_link(connection, token, None, now)
    return token


async def _keep_link(connection: Connection, token: str, user_id: int | None, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO sign_in_links (hash, user_id, expires_at, created_at) VALUES ($1, $2, $3, $4)",
        hash_of(token),
        user_id,
        now + SIGN_IN_LINK_LIVES,
        now,
    )
