"""Hand-off endpoints: where order systems want to be told, what of, and with which secret Bilty signs.

Every function that changes one wants a transaction of the caller's, and writes its line in the audit trail. No secret
is in that, nor the query of an address, which may hold one of the receiver's. Bilty's own secrets: `signing`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from bilty.intake.endpoints import NewEndpoint
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.hand_off import going_on, signing
from bilty.store.secrets import Vault
from bilty.words import grouped

ENDPOINTS_MAX = 1000
"""So that lists have them all: no more are taken."""
ADDED, CHANGED, REMOVED = "hand-off endpoint added", "hand-off endpoint changed", "hand-off endpoint removed"
ENABLED, DISABLED = "hand-off endpoint enabled", "hand-off endpoint disabled"
TRIED = "hand-off endpoint tried again"


class Manner(StrEnum):
    """How an endpoint is. `disabled` is Bilty's doing after long failure, `off` (switched off) a person's."""

    WELL = "well"
    FAILING = "failing"
    DISABLED = "disabled"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """For pages, the API and doctor. No secret is in it. `facilities` are codes, None for all."""

    id: int
    code: str
    url: str
    events: tuple[str, ...]
    facilities: tuple[str, ...] | None
    enabled: bool
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str
    old_secret_until: datetime | None
    created_at: datetime

    @property
    def manner(self) -> Manner:
        if not self.enabled:
            return Manner.OFF
        if self.disabled_at is not None:
            return Manner.DISABLED
        return Manner.WELL if self.failing_since is None else Manner.FAILING


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a PUT. `secret` is the one that was made for it, None where it was given or kept."""

    endpoint: Endpoint
    is_new: bool
    secret: str | None


class NoSuchFacilitiesError(ValueError):
    """`codes` are those that nobody set up."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(f"There is no facility {', '.join(codes)}.")
        self.codes = tuple(codes)


class TooManyEndpointsError(ValueError):
    """One sentence: there are as many as there may be, and what to do."""

    def __init__(self) -> None:
        super().__init__(f"There are {grouped(ENDPOINTS_MAX)} hand-off endpoints, which is the most: remove one first.")


_COLUMNS = """e.id, e.code, e.url, e.events, e.enabled, e.failing_since, e.disabled_at, e.disabled_why,
    CASE WHEN e.old_secret_until > clock_timestamp() THEN e.old_secret_until END AS old_secret_until, e.created_at,
    CASE WHEN e.facilities IS NOT NULL THEN ARRAY(
        SELECT f.code FROM facilities f WHERE f.id = ANY(e.facilities) ORDER BY f.code) END AS facilities"""


async def all_of(connection: Connection) -> list[Endpoint]:
    sql = f"SELECT {_COLUMNS} FROM endpoints e WHERE e.removed_at IS NULL ORDER BY e.code"  # noqa: S608 - constants
    return [_endpoint(row) for row in await connection.fetch(sql)]


async def one(connection: Connection, code: str) -> Endpoint | None:
    sql = f"SELECT {_COLUMNS} FROM endpoints e WHERE e.code = $1 AND e.removed_at IS NULL"  # noqa: S608 - constants
    row = await connection.fetchrow(sql, code)
    return _endpoint(row) if row else None


async def put(connection: Connection, vault: Vault, given: NewEndpoint, actor: Actor) -> Put:
    """As it is given. What Bilty had disabled goes on: whoever puts it has seen to it. One that fails does so at once
    where its address is another now, or its secret.

    Without a secret the present one stays, and a new endpoint gets a new one; another secret is a rotation. Raises
    NoSuchFacilitiesError, TooManyEndpointsError.
    """
    held = await signing.lock(connection, given.code)
    if held is None:
        added = await add(connection, vault, given, actor)
        if added is not None:
            return added
        held = await signing.lock(connection, given.code)  # somebody else was at it in the same moment
        assert held is not None, "a code that is taken is there"
    before = await _there(connection, given.code)
    await connection.execute(
        "UPDATE endpoints SET url = $2, events = $3, facilities = $4, enabled = $5 WHERE id = $1",
        before.id,
        given.url,
        list(given.events),
        await _ids(connection, given.facilities),
        given.enabled,
    )
    if given.secret:
        await signing.replace_secret(connection, vault, held, given.secret, actor)
    mended = before.manner is Manner.FAILING and before.url != given.url
    if given.enabled and (mended or before.manner in (Manner.DISABLED, Manner.OFF)):
        await _begin_anew(connection, before.id)
    after = await _there(connection, given.code)
    await _note_change(connection, actor, before, after)
    return Put(after, is_new=False, secret=None)


async def add(connection: Connection, vault: Vault, given: NewEndpoint, actor: Actor) -> Put | None:
    """None where the code is another's, which stays as it is. Raises NoSuchFacilitiesError, TooManyEndpointsError."""
    secret = given.secret or signing.new_secret()
    added = await _insert(connection, vault, given, await _ids(connection, given.facilities), secret)
    if added is None:
        return None
    if await connection.fetchval("SELECT count(*) FROM endpoints WHERE removed_at IS NULL") > ENDPOINTS_MAX:
        raise TooManyEndpointsError
    await note(connection, actor, ADDED, added.code, after=_told(added))
    return Put(added, is_new=True, secret=None if given.secret else secret)


async def enable(connection: Connection, code: str, actor: Actor) -> Endpoint | None:
    """What Bilty disabled or a person switched off goes on with what is owed. None where there is no such endpoint."""
    if await signing.lock(connection, code) is None:
        return None
    before = await _there(connection, code)
    if before.manner in (Manner.DISABLED, Manner.OFF):
        await connection.execute("UPDATE endpoints SET enabled = true WHERE id = $1", before.id)
        await _begin_anew(connection, before.id)
        await note(connection, actor, ENABLED, code)
    return await _there(connection, code)


async def try_now(connection: Connection, code: str, actor: Actor) -> bool:
    """What waits for its next try has it now. False where there is no such endpoint, or it does not fail."""
    if await signing.lock(connection, code) is None:
        return False
    endpoint = await _there(connection, code)
    if endpoint.manner is not Manner.FAILING:
        return False
    await going_on.hasten(connection, endpoint.id, await connection.fetchval("SELECT clock_timestamp()"))
    await note(connection, actor, TRIED, code)
    return True


async def delete(connection: Connection, code: str, actor: Actor) -> bool:
    """With what it was told and is still owed. False where there is no such endpoint.

    Its row stays behind as a mark, and clearing takes away what hangs on it: that may be millions, and a fact that is
    being written at this moment must find what it refers to.
    """
    held = await signing.lock(connection, code)
    if held is None:
        return False
    before = await _there(connection, code)
    await connection.execute(
        """UPDATE endpoints SET removed_at = clock_timestamp(), enabled = false, url = '', sealed_secret = '',
                  sealed_old_secret = NULL WHERE id = $1""",
        before.id,
    )
    await note(connection, actor, REMOVED, code, before=_told(before))
    return True


async def _insert(
    connection: Connection, vault: Vault, given: NewEndpoint, facilities: Collection[int] | None, secret: str
) -> Endpoint | None:
    code = await connection.fetchval(
        """INSERT INTO endpoints (code, url, events, facilities, enabled, sealed_secret)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) WHERE removed_at IS NULL DO NOTHING RETURNING code""",
        given.code,
        given.url,
        list(given.events),
        facilities,
        given.enabled,
        vault.seal(secret),
    )
    return await _there(connection, given.code) if code else None


async def _there(connection: Connection, code: str) -> Endpoint:
    found = await one(connection, code)
    assert found is not None, "it is locked"
    return found


async def _ids(connection: Connection, codes: Collection[str] | None) -> list[int] | None:
    if codes is None:
        return None
    rows = await connection.fetch("SELECT id, code FROM facilities WHERE code = ANY($1)", list(codes))
    if missing := sorted(set(codes) - {row["code"] for row in rows}):
        raise NoSuchFacilitiesError(missing)
    return sorted(row["id"] for row in rows)


async def _begin_anew(connection: Connection, endpoint_id: int) -> None:
    await going_on.begin_anew(connection, endpoint_id, await connection.fetchval("SELECT clock_timestamp()"))


async def _note_change(connection: Connection, actor: Actor, before: Endpoint, after: Endpoint) -> None:
    was, becomes = _told(before), _told(after)
    if before.url != after.url and was["address"] == becomes["address"]:
        becomes["query of the address"] = "changed"
    if was != becomes:
        await note(connection, actor, CHANGED, after.code, before=was, after=becomes)
    if before.manner is Manner.DISABLED and after.enabled:
        await note(connection, actor, ENABLED, after.code)


def _told(endpoint: Endpoint) -> dict[str, Any]:
    parts = urlsplit(endpoint.url)
    return {
        "address": parts._replace(query="").geturl() + ("?…" if parts.query else ""),
        "events": list(endpoint.events),
        "facilities": "all" if endpoint.facilities is None else list(endpoint.facilities),
        "enabled": endpoint.enabled,
    }


def _endpoint(row: asyncpg.Record) -> Endpoint:
    facilities = row["facilities"]
    return Endpoint(
        **{
            **dict(row),
            "events": tuple(row["events"]),
            "facilities": None if facilities is None else tuple(facilities),
        }
    )
