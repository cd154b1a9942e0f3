"""Who calls the API: `Authorization: Bearer KEY`, and what a key of that scope may do."""

from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from bilty.store.access import Caller, Scope, caller_of
from bilty.store.audit import Actor, ActorKind
from bilty.web.problems import ProblemError, plain
from bilty.web.tools import AnyConnection, Asked, tools_of

KEY_CHARS_MAX = 200


def needs(scope: Scope) -> Guard:
    """A guard that lets only keys of this scope pass. It runs before the body is read."""

    async def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        caller = await _caller(connection)
        if not caller.scope.allows(scope):
            detail = f"The key {caller.name!r} has the scope {caller.scope}; this needs {scope}."
            raise ProblemError(403, "scope_too_small", detail)
        connection.state.caller = caller

    return guard


def caller(connection: Asked) -> Caller:
    """Whom the guard let in."""
    found = connection.state.caller
    assert isinstance(found, Caller)
    return found


def actor_of(connection: Asked) -> Actor:
    """The key, for the audit trail."""
    return Actor(ActorKind.KEY, caller(connection).name)


async def _caller(connection: AnyConnection) -> Caller:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    key = key.strip()
    challenge = {"WWW-Authenticate": 'Bearer realm="bilty"'}
    if scheme.lower() != "bearer" or not key:
        raise plain(401, challenge)
    found = None
    if len(key) <= KEY_CHARS_MAX:
        async with tools_of(connection).pool.acquire() as database:
            found = await caller_of(database, key)
    if found is None:
        raise ProblemError(
            401, "unknown_key", "This key is not known here. `bilty key add NAME` makes one.", headers=challenge
        )
    return found
