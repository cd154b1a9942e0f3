"""What an admin does with users. Every change is written to the audit trail, in the caller's transaction.

Whoever changes a user takes the `lock`, reads the account, and then calls. There is always one admin left who may do
everything: enabled, and for all facilities.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bilty.store import access, audit, sessions
from bilty.store.access import Role, User
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.words import listed

USERS_MAX = 1000
FACILITIES_MAX = 1000
EMAIL_CHARS_MAX = 200
_EMAIL = re.compile(r"[^@\s,;:<>]+@[^@\s,;:<>]+")
_LOCK = 0x7573657273  # "users"
_COLUMNS = """u.id, u.email, u.role, u.all_facilities, u.password_hash <> '' AS has_password, u.disabled_at, u.seen_at,
              (SELECT array_agg(facility_id) FROM user_facilities f WHERE f.user_id = u.id) AS facilities"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do, and for which facilities; None for all."""

    role: Role
    facilities: frozenset[int] | None = None

    def within(self, facilities: frozenset[int] | None) -> bool:
        """Whether an admin who has only those `facilities` may give or take these rights."""
        return facilities is None or (self.facilities is not None and self.facilities <= facilities)


@dataclass(frozen=True, slots=True)
class Account:
    """A user as admins see one."""

    id: int
    email: str
    rights: Rights
    has_password: bool
    disabled_at: datetime | None
    seen_at: datetime | None


async def accounts(connection: Connection) -> list[Account]:
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM users u ORDER BY email LIMIT $1", USERS_MAX)  # noqa: S608 - constant
    return [_account(row) for row in rows]


def is_email(text: str) -> bool:
    return len(text) <= EMAIL_CHARS_MAX and text.isprintable() and bool(_EMAIL.fullmatch(text))


async def lock(connection: Connection) -> None:
    """Changes of users are made one after the other, so that two admins cannot take each other's rights at once."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def account_of(connection: Connection, user_id: int) -> Account | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM users u WHERE id = $1", user_id)  # noqa: S608 - constant
    return _account(row) if row else None


async def account_named(connection: Connection, email: str) -> Account | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM users u WHERE email = $1", email)  # noqa: S608 - constant
    return _account(row) if row else None


def _account(row: asyncpg.Record) -> Account:
    facilities = None if row["all_facilities"] else frozenset(row["facilities"] or ())
    rights = Rights(Role(row["role"]), facilities)
    return Account(row["id"], row["email"], rights, row["has_password"], row["disabled_at"], row["seen_at"])


async def facility_codes(connection: Connection) -> dict[int, str]:
    """Every facility's code, by its id."""
    rows = await connection.fetch("SELECT id, code FROM facilities ORDER BY code LIMIT $1", FACILITIES_MAX)
    return {row["id"]: row["code"] for row in rows}


async def add(connection: Connection, actor: Actor, email: str, rights: Rights, now: datetime) -> str | None:
    """The token of the new user's sign-in link; None where somebody has that address, in small letters, already."""
    user_id = await connection.fetchval(
        "INSERT INTO users (email, role) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id", email, rights.role
    )
    if user_id is None:
        return None
    await _limit(connection, user_id, rights)
    await audit.note(connection, actor, "user added", email, after=await _told(connection, rights))
    return await access.new_link(connection, user_id, now)


async def change(connection: Connection, actor: Actor, account: Account, rights: Rights) -> bool:
    """False, and nothing is changed, where nobody would be left who may do everything."""
    if rights == account.rights:
        return True
    if _does_everything(account.rights) and not _does_everything(rights) and await _is_last(connection, account):
        return False
    await _limit(connection, account.id, rights)
    before, after = await _told(connection, account.rights), await _told(connection, rights)
    await audit.note(connection, actor, "user changed", account.email, before=before, after=after)
    return True


async def disable(connection: Connection, actor: Actor, account: Account, now: datetime) -> bool:
    """Signed out everywhere and a stranger from now on. False as above."""
    if account.disabled_at:
        return True
    if _does_everything(account.rights) and await _is_last(connection, account):
        return False
    await connection.execute("UPDATE users SET disabled_at = $2 WHERE id = $1", account.id, now)
    await sessions.end_all(connection, account.id)
    await audit.note(connection, actor, "user disabled", account.email)
    return True


async def enable(connection: Connection, actor: Actor, account: Account) -> None:
    """With the password and the rights of before."""
    if account.disabled_at:
        await connection.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", account.id)
        await audit.note(connection, actor, "user enabled", account.email)


async def make_link(connection: Connection, actor: Actor, account: Account, now: datetime) -> str:
    await audit.note(connection, actor, "sign-in link made", account.email)
    return await access.new_link(connection, account.id, now)


async def sign_out_everywhere(connection: Connection, actor: Actor, who: Account | User) -> int:
    """Says how many sessions ended."""
    ended = await sessions.end_all(connection, who.id)
    await audit.note(connection, actor, "signed out everywhere", who.email, after={"sessions ended": ended})
    return ended


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was changed, in a sentence."""

    why: str


async def invite(
    connection: Connection, actor: Actor, email: str, role: Role | None, codes: Sequence[str], now: datetime
) -> str | Refused:
    """The token of a sign-in link for a user who is new, or is there already and enabled again if need be.

    `codes` are those of facilities. What is not given stays as it is; a new user is an admin, and of all facilities.
    """
    await lock(connection)
    email = email.lower()
    known = await account_named(connection, email)
    ids = {code: each for each, code in (await facility_codes(connection)).items()}
    if strange := [code for code in codes if code not in ids]:
        return Refused(f"There is no facility {strange[0]}: give one of {listed(sorted(ids), 'or') or 'none, yet'}.")
    facilities = frozenset(ids[code] for code in codes) if codes else None
    if known is None:
        token = await add(connection, actor, email, Rights(role or Role.ADMIN, facilities), now)
        return token or Refused(f"{email} was added by somebody else meanwhile: give the command again.")
    rights = Rights(role or known.rights.role, facilities if codes else known.rights.facilities)
    if not await change(connection, actor, known, rights):
        return Refused(last_admin(known))
    await enable(connection, actor, known)
    return await make_link(connection, actor, known, now)


def last_admin(account: Account) -> str:
    return f"{account.email} is the last admin of all facilities: make somebody else one first."


def _does_everything(rights: Rights) -> bool:
    return rights.role is Role.ADMIN and rights.facilities is None


async def _is_last(connection: Connection, account: Account) -> bool:
    others = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM users WHERE role = $1 AND all_facilities AND disabled_at IS NULL AND id <> $2)""",
        Role.ADMIN,
        account.id,
    )
    return account.disabled_at is None and not others


async def _limit(connection: Connection, user_id: int, rights: Rights) -> None:
    await connection.execute(
        "UPDATE users SET role = $2, all_facilities = $3 WHERE id = $1", user_id, rights.role, rights.facilities is None
    )
    await connection.execute("DELETE FROM user_facilities WHERE user_id = $1", user_id)
    await connection.executemany(
        "INSERT INTO user_facilities (user_id, facility_id) VALUES ($1, $2)",
        [(user_id, facility_id) for facility_id in sorted(rights.facilities or ())],
    )


async def _told(connection: Connection, rights: Rights) -> dict[str, object]:
    codes = await facility_codes(connection)
    limited = None if rights.facilities is None else sorted(codes.get(each, "") for each in rights.facilities)
    return {"role": rights.role, "facilities": "all" if limited is None else limited}
