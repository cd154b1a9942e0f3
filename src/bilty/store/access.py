"""Who may come in: API keys, users and their one-time sign-in links. Only hashes of what they carry are kept.

Sessions are in `bilty.store.sessions`; what an admin changes is in `bilty.store.users` and `bilty.store.api_keys`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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

    def sees(self, facility_id: int) -> bool:
        return self.facilities is None or facility_id in self.facilities

    @property
    def administers_all(self) -> bool:
        """What concerns every facility is not for a key of some."""
        return self.scope is Scope.ADMIN and self.facilities is None


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


async def add_key(connection: Connection, name: str, scope: Scope) -> str:
    """A new API key, told this once."""
    key = KEY_BEGINS + new_token()
    await connection.execute(
        "INSERT INTO api_keys (name, scope, hash, prefix) VALUES ($1, $2, $3, $4)",
        name,
        scope,
        hash_of(key),
        key[:KEY_CHARS_SHOWN],
    )
    return key


async def caller_of(connection: Connection, key: str) -> Caller | None:
    """None also when it has expired. Notes when the key was used, to the minute: most answers are worth no write."""
    row = await connection.fetchrow(
        """SELECT id, name, scope, all_facilities,
                  ARRAY(SELECT facility_id FROM key_facilities WHERE key_id = api_keys.id) AS facilities,
                  coalesce(used_at, '-infinity') < clock_timestamp() - interval '1 minute' AS is_news
             FROM api_keys WHERE hash = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp())""",
        hash_of(key),
    )
    if row is None:
        return None
    if row["is_news"]:
        await connection.execute("UPDATE api_keys SET used_at = clock_timestamp() WHERE id = $1", row["id"])
    facilities = None if row["all_facilities"] else frozenset(row["facilities"])
    return Caller(row["id"], row["name"], Scope(row["scope"]), facilities)


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
