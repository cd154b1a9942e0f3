"""What an admin does with API keys: listed without the key itself, added, revoked, and told in the audit trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import asyncpg

from bilty.intake import Fault
from bilty.intake.reader import printable, show
from bilty.store import access, audit
from bilty.store.access import Scope
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.store.users import facility_codes
from bilty.words import INDIA

KEYS_MAX = 1000
NAME_CHARS_MAX = 80
LAST_DAY_MAX = date(2099, 12, 31)
NAMES_LOCK = 0x6B657973  # "keys": a name is one key's
_COLUMNS = """id, name, scope, prefix, created_at, expires_at, used_at, all_facilities,
              coalesce(expires_at <= clock_timestamp(), false) AS is_over,
              ARRAY(SELECT facility_id FROM key_facilities WHERE key_id = api_keys.id) AS facilities"""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once it has been shown. `facilities` are the ids of those that it opens, None for all."""

    id: int
    name: str
    scope: Scope
    facilities: frozenset[int] | None
    begins_with: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A key as somebody asks for it: facilities by their codes, None for all; its last day as 2027-01-31, or blank."""

    name: str
    scope: str
    facilities: Sequence[str] | None = None
    expires: str = ""


async def keys(connection: Connection) -> list[ApiKey]:
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM api_keys ORDER BY name, id LIMIT $1", KEYS_MAX)  # noqa: S608 - constant
    return [_key(row) for row in rows]


async def add(connection: Connection, actor: Actor, wish: Wish, today: date) -> str | list[Fault]:
    """The key, told this once, or why there is none."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", NAMES_LOCK)
    codes = await facility_codes(connection)
    ids = {code: each for each, code in codes.items()}
    taken = await connection.fetchval("SELECT EXISTS (SELECT FROM api_keys WHERE name = $1)", printable(wish.name))
    last, late = _last_day(wish.expires, today)
    faults = [*_name_faults(wish.name, taken=taken), *_scope_faults(wish.scope), *_facility_faults(wish, ids), *late]
    if faults:
        return faults
    facilities = None if wish.facilities is None else frozenset(ids[code] for code in wish.facilities)
    scope, expires_at = Scope(wish.scope), end_of(last) if last else None
    key = await access.add_key(connection, wish.name, scope, facilities, expires_at)
    after = _told(scope, key[: access.KEY_CHARS_SHOWN], facilities, expires_at, codes)
    await audit.note(connection, actor, "API key added", wish.name, after=after)
    return key


async def revoke(connection: Connection, actor: Actor, key_id: int) -> ApiKey | None:
    """Whoever holds it is a stranger from now on. None when it is gone already."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM api_keys WHERE id = $1 FOR UPDATE", key_id)  # noqa: S608 - constant
    if row is None:
        return None
    revoked, codes = _key(row), await facility_codes(connection)
    await connection.execute("DELETE FROM api_keys WHERE id = $1", key_id)
    before = _told(revoked.scope, revoked.begins_with, revoked.facilities, revoked.expires_at, codes)
    await audit.note(connection, actor, "API key revoked", revoked.name, before=before)
    return revoked


def end_of(last: date) -> datetime:
    """A day is India's, and good to its end."""
    return datetime.combine(last + timedelta(days=1), time.min, INDIA)


def last_day(expires_at: datetime) -> date:
    """The last day on which a key is good."""
    return (expires_at - timedelta(microseconds=1)).astimezone(INDIA).date()


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scope=Scope(row["scope"]),
        facilities=None if row["all_facilities"] else frozenset(row["facilities"]),
        begins_with=row["prefix"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        is_over=row["is_over"],
    )


def _told(
    scope: Scope,
    begins_with: str,
    facilities: frozenset[int] | None,
    expires_at: datetime | None,
    codes: Mapping[int, str],
) -> dict[str, object]:
    return {
        "scope": scope,
        "begins with": begins_with,
        "facilities": "all" if facilities is None else sorted(codes.get(each, "") for each in facilities),
        "expires": str(last_day(expires_at)) if expires_at else "never",
    }


def _name_faults(name: str, *, taken: bool) -> list[Fault]:
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable():
        given = f"is {show(name)}" if name else "is missing"
        wants = f"give 1 to {NAME_CHARS_MAX} characters that say which program holds the key, like Uniware."
        return [Fault("name", printable(name), f"Name {given}: {wants}")]
    if taken:
        return [Fault("name", name, f"Name {show(name)} is another key's: choose another, or revoke that first.")]
    return []


def _scope_faults(scope: str) -> list[Fault]:
    if scope in list(Scope):
        return []
    return [Fault("scope", printable(scope), f"Scope is {show(scope)}: give read, dispatch or admin.")]


def _facility_faults(wish: Wish, ids: Mapping[str, int]) -> list[Fault]:
    if wish.facilities is None:
        return []
    if strange := [code for code in wish.facilities if code not in ids]:
        remedy = "give the code of one that is in Settings, Facilities."
        return [Fault("facility", printable(strange[0]), f"Facility {show(strange[0])} is not known: {remedy}")]
    if not wish.facilities:
        return [Fault("facility", "", "No facility is chosen: tick those that the key is for, or choose all.")]
    return []


def _last_day(given: str, today: date) -> tuple[date | None, list[Fault]]:
    if not given:
        return None, []
    try:
        last = date.fromisoformat(given)
    except ValueError:
        last = None
    if last is not None and today <= last <= LAST_DAY_MAX and given == last.isoformat():
        return last, []
    wants = f"give the last day on which the key is good, from {today} to {LAST_DAY_MAX}, or leave it out."
    return None, [Fault("expires", printable(given), f"Expires is {show(given)}: {wants}")]
