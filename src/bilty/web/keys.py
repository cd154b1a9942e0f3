"""Who calls the API: `Authorization: Bearer KEY`, how often, and what a key of that scope and facilities may do."""

import math
import time

from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from bilty.store.access import Caller, Expired, Scope, caller_of, hash_of
from bilty.store.api_keys import last_day
from bilty.store.audit import Actor, ActorKind
from bilty.web.problems import ProblemError, plain
from bilty.web.tools import AnyConnection, Asked, limits_of, tools_of
from bilty.words import day

KEY_CHARS_MAX = 200
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="bilty"'}
ANOTHER = "An admin makes another in Settings, API keys, or with `bilty key add NAME`."


def needs(scope: Scope, *, everywhere: bool = False) -> Guard:
    """A guard that lets only keys of this scope pass; `everywhere`: of all facilities. It runs before the body is read.

    Who asks too often is refused first of all, before the database is asked who it is.
    """

    async def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        caller = await _caller(connection)
        _check_scope(caller, scope)
        if everywhere and caller.facilities is not None:
            detail = f"The key {caller.name!r} is for some facilities only; this concerns all, and needs a key of all."
            raise ProblemError(403, "all_facilities_needed", detail)
        connection.state.caller = caller

    return guard


def check_scope(connection: Asked, scope: Scope) -> None:
    """For what takes more than the guard let in. Raises ProblemError, 403."""
    _check_scope(caller(connection), scope)


def _check_scope(caller: Caller, scope: Scope) -> None:
    if not caller.scope.allows(scope):
        detail = f"The key {caller.name!r} has the scope {caller.scope}; this needs {scope}."
        raise ProblemError(403, "scope_too_small", detail)


def caller(connection: Asked) -> Caller:
    """Whom the guard let in."""
    found = connection.state.caller
    assert isinstance(found, Caller)
    return found


def actor_of(connection: Asked) -> Actor:
    """The key, for the audit trail."""
    return Actor(ActorKind.KEY, caller(connection).name)


def no_facility(caller: Caller, code: str) -> str:
    """For one that is not there and for one that is not this key's: which of the two, the key is not told."""
    if caller.facilities is None:
        return f"There is no facility {code[:40]!r}: PUT /api/v1/facilities/{code[:40]} first."
    return f"There is no facility {code[:40]!r} for this key: GET /api/v1/facilities lists those there are."


def count(connection: Asked, who: bytes) -> None:
    """Counts a request of `who`. Raises ProblemError, 429, where there were too many of late."""
    limits = limits_of(connection)
    wait_s = limits.wait_s(who, time.monotonic())
    if wait_s:
        seconds = math.ceil(wait_s)
        raise too_many(limits.rate.per_second, seconds)


def too_many(per_second: float, wait_s: int) -> ProblemError:
    detail = (
        f"This key sent more than {per_second:g} requests a second: wait {wait_s} s, and go on more slowly. "
        "POST /api/v1/shipments/bulk takes many shipments at once."
    )
    return ProblemError(429, "too_many_requests", detail, headers={"Retry-After": str(wait_s)})


def refusal(found: Expired | None) -> ProblemError:
    """Why a key is not let in, and what to do."""
    if found is None:
        detail = f"This key is not known here, or was revoked. {ANOTHER}"
        return ProblemError(401, "unknown_key", detail, headers=CHALLENGE)
    detail = f"The key {found.name!r} was good until {day(last_day(found.at))}, and has expired. {ANOTHER}"
    return ProblemError(401, "expired_key", detail, headers=CHALLENGE)


async def _caller(connection: AnyConnection) -> Caller:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise plain(401, CHALLENGE)
    if len(key) > KEY_CHARS_MAX:
        raise refusal(None)
    count(connection, hash_of(key))
    async with tools_of(connection).pool.acquire() as database:
        found = await caller_of(database, key)
    if not isinstance(found, Caller):
        raise refusal(found)
    return found
