"""Sessions: who is signed in, in which browser, since when. They are rows here, so any of them can be ended at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store.access import Role, User, hash_of, new_token
from bilty.store.database import Connection

SESSION_LIVES = timedelta(days=14)
"""From signing in, however much it is used: whoever has got hold of a cookie does not keep it for good."""
SEEN_EVERY = timedelta(minutes=1)
AGENT_CHARS_MAX = 300
SESSIONS_MAX = 200


@dataclass(frozen=True, slots=True)
class Session:
    """`agent`: what the browser called itself when it signed in. `is_this`: the one that asks."""

    id: int
    created_at: datetime
    seen_at: datetime
    agent: str
    is_this: bool


async def begin(connection: Connection, user_id: int, now: datetime, *, agent: str = "", instead_of: str = "") -> str:
    """The token of a new session. The one this browser had before ends: no token outlives a sign-in."""
    await connection.execute("DELETE FROM sessions WHERE expires_at <= $1 OR hash = $2", now, hash_of(instead_of))
    token = new_token()
    await connection.execute(
        """INSERT INTO sessions (hash, user_id, expires_at, created_at, seen_at, agent)
           VALUES ($1, $2, $3, $4, $4, $5)""",
        hash_of(token),
        user_id,
        now + SESSION_LIVES,
        now,
        "".join(c for c in agent[:AGENT_CHARS_MAX] if c.isprintable()),
    )
    await connection.execute("UPDATE users SET seen_at = $2 WHERE id = $1", user_id, now)
    return token


async def user_of(connection: Connection, token: str, now: datetime) -> User | None:
    """Who this is now: a role that was changed, or a user who was disabled, is so with the next request."""
    row = await connection.fetchrow(
        """SELECT u.id, u.email, u.role, u.all_facilities, s.id AS session_id, s.seen_at,
                  (SELECT array_agg(facility_id) FROM user_facilities f WHERE f.user_id = u.id) AS facilities
             FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL""",
        hash_of(token),
        now,
    )
    if row is None:
        return None
    if row["seen_at"] <= now - SEEN_EVERY:
        await connection.execute("UPDATE sessions SET seen_at = $2 WHERE id = $1", row["session_id"], now)
        await connection.execute("UPDATE users SET seen_at = $2 WHERE id = $1", row["id"], now)
    limited = None if row["all_facilities"] else frozenset(row["facilities"] or ())
    return User(row["id"], row["email"], Role(row["role"]), limited)


async def sessions_of(connection: Connection, user_id: int, token: str, now: datetime) -> list[Session]:
    """The one used last comes first. `token` is that of the session that asks."""
    rows = await connection.fetch(
        """SELECT id, created_at, seen_at, agent, hash = $2 AS is_this FROM sessions
            WHERE user_id = $1 AND expires_at > $3 ORDER BY hash = $2 DESC, seen_at DESC LIMIT $4""",
        user_id,
        hash_of(token),
        now,
        SESSIONS_MAX,
    )
    return [Session(row["id"], row["created_at"], row["seen_at"], row["agent"], row["is_this"]) for row in rows]


async def end(connection: Connection, token: str) -> None:
    await connection.execute("DELETE FROM sessions WHERE hash = $1", hash_of(token))


async def end_one(connection: Connection, user_id: int, session_id: int) -> Session | None:
    """One of this person's, or None where there is no such."""
    row = await connection.fetchrow(
        "DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id, created_at, seen_at, agent",
        session_id,
        user_id,
    )
    return Session(row["id"], row["created_at"], row["seen_at"], row["agent"], is_this=False) if row else None


async def end_all(connection: Connection, user_id: int, *, but: str = "") -> int:
    """Signed out everywhere, `but` in the session of that token. Says how many ended. Links that wait end too."""
    await connection.execute("DELETE FROM sign_in_links WHERE user_id = $1", user_id)
    ended = await connection.fetch(
        "DELETE FROM sessions WHERE user_id = $1 AND hash <> $2 RETURNING id", user_id, hash_of(but)
    )
    return len(ended)
