"""Who may come in: API keys, users, one-time sign-in links and sessions. Only hashes of what they carry are kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bilty.store.database import Connection

SIGN_IN_LINK_LIVES = timedelta(hours=24)
SESSION_LIVES = timedelta(days=14)
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
    """Whoever holds an API key."""

    name: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in. `facilities` are the ids of those this person works for, None for all."""

    id: int
    email: str
    role: Role
    facilities: frozenset[int] | None = None

    def may(self, wanted: Role) -> bool:
        return self.role.may(wanted)

    def sees(self, facility_id: int) -> bool:
        return self.facilities is None or facility_id in self.facilities


def _hash(token: str) -> bytes:
    # Tokens have 160 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(token.encode()).digest()


async def add_key(connection: Connection, name: str, scope: Scope) -> str:
    """A new API key, told this once."""
    key = "bilty_" + secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute("INSERT INTO api_keys (name, scope, hash) VALUES ($1, $2, $3)", name, scope, _hash(key))
    return key


async def caller_of(connection: Connection, key: str) -> Caller | None:
    row = await connection.fetchrow("SELECT name, scope FROM api_keys WHERE hash = $1", _hash(key))
    return Caller(row["name"], Scope(row["scope"])) if row else None


async def add_user(connection: Connection, email: str, role: Role, now: datetime) -> str:
    """The token of a new sign-in link. A user who is there already gets the role, and another link."""
    user_id = await connection.fetchval(
        """INSERT INTO users (email, role) VALUES (lower($1), $2)
           ON CONFLICT (email) DO UPDATE SET role = $2 RETURNING id""",
        email,
        role,
    )
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute(
        "INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES ($1, $2, $3)",
        _hash(token),
        user_id,
        now + SIGN_IN_LINK_LIVES,
    )
    return token


async def sign_in(connection: Connection, token: str, now: datetime) -> str | None:
    """Uses a link up and begins a session, whose token is returned; None when the link is used, old or unknown."""
    user_id = await connection.fetchval(
        "DELETE FROM sign_in_links WHERE hash = $1 AND expires_at > $2 RETURNING user_id", _hash(token), now
    )
    if user_id is None:
        return None
    session = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute("DELETE FROM sessions WHERE expires_at <= $1", now)
    await connection.execute(
        "INSERT INTO sessions (hash, user_id, expires_at) VALUES ($1, $2, $3)",
        _hash(session),
        user_id,
        now + SESSION_LIVES,
    )
    return session


async def user_of(connection: Connection, session: str, now: datetime) -> User | None:
    row = await connection.fetchrow(
        """SELECT u.id, u.email, u.role, u.all_facilities,
                  (SELECT array_agg(facility_id) FROM user_facilities f WHERE f.user_id = u.id) AS facilities
             FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL""",
        _hash(session),
        now,
    )
    if row is None:
        return None
    limited = None if row["all_facilities"] else frozenset(row["facilities"] or ())
    return User(row["id"], row["email"], Role(row["role"]), limited)


async def sign_out(connection: Connection, session: str) -> None:
    await connection.execute("DELETE FROM sessions WHERE hash = $1", _hash(session))


async def link_is_good(connection: Connection, token: str, now: datetime) -> bool:
    """Whether `sign_in` would take this link. Looking does not use it up."""
    return bool(
        await connection.fetchval(
            "SELECT true FROM sign_in_links WHERE hash = $1 AND expires_at > $2", _hash(token), now
        )
    )
