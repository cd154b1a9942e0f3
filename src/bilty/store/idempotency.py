"""What was answered to a request that carried a key of its own against repetition (`Idempotency-Key`).

A row is written before anything is done, so that of two who come at once one does it; the answer is kept beside it.
A process that dies in between leaves a row without an answer, which the next one takes over: what the request does is
safe to repeat by itself (a number is unique in its facility, a run that was begun is not begun again), or its answer is
kept in the very transaction that does it (a secret that is exchanged, a replay).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import msgspec

from bilty.store.database import Connection
from bilty.store.secrets import Vault

KEPT = timedelta(days=7)
ABANDONED_AFTER = timedelta(seconds=90)
"""More than a request lasts, the longest wait for a label included."""
DROPPED_AT_ONCE_MAX = 10_000
_TRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request under its key. `fingerprint` is the hash of its method, address and body."""

    api_key_id: int
    key: str
    fingerprint: bytes


class Answered(msgspec.Struct, frozen=True):
    """What was answered, as it left the house."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Begun:
    """It is this caller's to do. `at` tells it from whoever takes the key over later."""

    request: Repeatable
    at: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The same request is being done, or was until its process died."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key came with another request before."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The API key is no more."""


_BEGIN = """WITH begun AS (
       INSERT INTO idempotency_keys AS k (api_key_id, key, request, began_at)
       VALUES ($1, $2, $3, clock_timestamp())
       ON CONFLICT (api_key_id, key) DO UPDATE
          SET request = excluded.request, began_at = excluded.began_at, answer = NULL
        WHERE k.began_at < excluded.began_at - $4::interval
           OR (k.answer IS NULL AND k.request = excluded.request
               AND k.began_at < excluded.began_at - $5::interval)
           OR (k.answer = $6 AND k.request = excluded.request)
       RETURNING began_at)
   SELECT true AS is_begun, began_at, NULL::bytea AS request, NULL::bytea AS answer FROM begun
    UNION ALL
   SELECT false, began_at, request, answer FROM idempotency_keys
    WHERE api_key_id = $1 AND key = $2 AND NOT EXISTS (SELECT FROM begun)
      AND began_at >= clock_timestamp() - $4::interval"""
"""What is read beside the insert is as it was before it: of two who take over what is too old, the second must not see
the old answer. $6 is an answer that cannot be read, which is as good as none.
"""


async def begin(
    connection: Connection, request: Repeatable, vault: Vault
) -> Begun | Answered | UnderWay | Reused | Revoked:
    """One statement where the key is new, and mostly where it is not."""
    unreadable: bytes | None = None
    for _ in range(_TRIES_MAX):
        try:
            row = await connection.fetchrow(
                _BEGIN, request.api_key_id, request.key, request.fingerprint, KEPT, ABANDONED_AFTER, unreadable
            )
        except asyncpg.ForeignKeyViolationError:
            return Revoked()
        if row is None:
            continue  # written, taken over or freed by another at this very moment: looked at again
        if row["is_begun"]:
            return Begun(request, row["began_at"])
        if row["request"] != request.fingerprint:
            return Reused()
        if row["answer"] is None:
            return UnderWay()
        try:
            return msgspec.json.decode(vault.open(row["answer"]), type=Answered)
        except ValueError:  # sealed with another BILTY_SECRET_KEY
            unreadable = row["answer"]
    return UnderWay()


async def keep(connection: Connection, begun: Begun, answered: Answered, vault: Vault) -> None:
    """For whoever repeats the request. Sealed: an answer may hold a secret that is told once."""
    await connection.execute(
        "UPDATE idempotency_keys SET answer = $4 WHERE api_key_id = $1 AND key = $2 AND began_at = $3",
        begun.request.api_key_id,
        begun.request.key,
        begun.at,
        vault.seal(msgspec.json.encode(answered).decode()),
    )


async def free(connection: Connection, begun: Begun) -> None:
    """Nothing was done: the key may come again, with a request that was put right."""
    await connection.execute(
        "DELETE FROM idempotency_keys WHERE api_key_id = $1 AND key = $2 AND began_at = $3 AND answer IS NULL",
        begun.request.api_key_id,
        begun.request.key,
        begun.at,
    )


async def drop_old(connection: Connection, now: datetime) -> int:
    """Deletes what is kept no longer, at most so many at once, and says how many."""
    deleted: str = await connection.execute(
        """DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (
               SELECT api_key_id, key FROM idempotency_keys WHERE began_at < $1 ORDER BY began_at LIMIT $2)""",
        now - KEPT,
        DROPPED_AT_ONCE_MAX,
    )
    return int(deleted.rpartition(" ")[2])
