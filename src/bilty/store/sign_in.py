"""Coming in: by a link that works once, or by e-mail address and password. Either ends in a session."""

from dataclasses import dataclass
from datetime import datetime

from bilty.store import audit, sessions
from bilty.store.access import FIRST_ADMIN_LOCK, Role, hash_of
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Connection


@dataclass(frozen=True, slots=True)
class Link:
    """A sign-in link that is still good. Without a user it makes the first admin, who says the e-mail address."""

    user_id: int | None
    email: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Who has an e-mail address, and the hash of the password; blank where there is none."""

    user_id: int
    email: str
    password_hash: str


async def link_of(connection: Connection, token: str, now: datetime) -> Link | None:
    """Looking does not use it up."""
    row = await connection.fetchrow(
        """SELECT l.user_id, u.email, u.password_hash <> '' AS has_password
             FROM sign_in_links l LEFT JOIN users u ON u.id = l.user_id
            WHERE l.hash = $1 AND l.expires_at > $2
              AND CASE WHEN l.user_id IS NULL THEN NOT EXISTS (SELECT FROM users) ELSE u.disabled_at IS NULL END""",
        hash_of(token),
        now,
    )
    return Link(row["user_id"], row["email"] or "", row["has_password"] or False) if row else None


async def use_link(connection: Connection, token: str, now: datetime, first_email: str = "") -> Known | None:
    """Uses it up and says who came; None when it is used, old or unknown. `first_email`: the first admin's."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", FIRST_ADMIN_LOCK)
    link = await link_of(connection, token, now)
    used = await connection.fetchval("DELETE FROM sign_in_links WHERE hash = $1 RETURNING true", hash_of(token))
    if link is None or not used:
        return None
    user_id = link.user_id if link.user_id is not None else await _first_admin(connection, first_email)
    return await _known(connection, user_id)


async def _first_admin(connection: Connection, email: str) -> int:
    await connection.execute("DELETE FROM sign_in_links WHERE user_id IS NULL")
    user_id: int = await connection.fetchval(
        "INSERT INTO users (email, role) VALUES ($1, $2) RETURNING id", email, Role.ADMIN
    )
    return user_id


async def _known(connection: Connection, user_id: int) -> Known:
    row = await connection.fetchrow("SELECT id, email, password_hash FROM users WHERE id = $1", user_id)
    assert row is not None
    return Known(row["id"], row["email"], row["password_hash"])


async def known_by(connection: Connection, email: str) -> Known | None:
    """None also for one who is disabled: both are strangers."""
    row = await connection.fetchrow(
        "SELECT id, email, password_hash FROM users WHERE email = $1 AND disabled_at IS NULL", email
    )
    return Known(row["id"], row["email"], row["password_hash"]) if row else None


async def still_so(connection: Connection, known: Known) -> bool:
    """Whether that was still the password, and the user not disabled, once the hash had been looked at."""
    return bool(
        await connection.fetchval(
            """SELECT true FROM users WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR UPDATE""",
            known.user_id,
            known.password_hash,
        )
    )


async def keep_password(connection: Connection, user_id: int, password_hash: str) -> None:
    await connection.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, password_hash)


async def choose_password(connection: Connection, known: Known, password_hash: str, *, but: str = "") -> None:
    """The person's own choice. It ends all sessions, `but` the one of that token, and the links that wait."""
    await keep_password(connection, known.user_id, password_hash)
    await sessions.end_all(connection, known.user_id, but=but)
    action = "password changed" if known.password_hash else "password chosen"
    await audit.note(connection, Actor(ActorKind.USER, known.email), action, known.email)
