"""Who comes: `POST /uniware/authToken` gives a token for an API key's name and the key; the other calls carry it bare.

Uniware asks for a token before every call, so that one need not live long. It names the key and the moment, sealed:
there is nothing to keep, and a key that is revoked takes its tokens along.
"""

import time

import msgspec
from litestar import Response, post
from litestar.handlers import BaseRouteHandler

from bilty.store.access import Caller, Scope, caller_numbered, caller_of, hash_of
from bilty.store.secrets import Vault
from bilty.web.asking import document_of
from bilty.web.keys import KEY_CHARS_MAX, count, refusal
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyConnection, AnyRequest, tools_of
from bilty.web.uniware.answers import SUCCESS, Body

LIVES_S = 24 * 60 * 60
CHARS_MAX = 1_000
INVALID = "INVALID_CREDENTIALS"
ASK_FOR_ANOTHER = "Ask POST /uniware/authToken for another, and send it as `Authorization: TOKEN`."


class _Token(msgspec.Struct, frozen=True):
    uniware_key: int
    at: float


@post("/authToken", include_in_schema=False, status_code=200)
async def auth_token(request: AnyRequest) -> Response[Body]:
    """Whether the name, the key or the scope is wrong is not told: who has the key finds it in Settings."""
    document = await document_of(request)
    given = document if isinstance(document, dict) else {}
    name, key = given.get("username"), given.get("password")
    if not isinstance(name, str) or not isinstance(key, str) or len(key.strip()) > KEY_CHARS_MAX:
        return Response({"status": INVALID, "token": ""}, status_code=200)
    count(request, hash_of(key.strip()))
    tools = tools_of(request)
    async with tools.pool.acquire() as connection:
        found = await caller_of(connection, key.strip())
    if not isinstance(found, Caller) or found.name != name.strip() or not found.scope.allows(Scope.DISPATCH):
        return Response({"status": INVALID, "token": ""}, status_code=200)
    return Response({"status": SUCCESS, "token": token_for(tools.vault, found.id, time.time())}, status_code=200)


def token_for(vault: Vault, key_id: int, at: float) -> str:
    return vault.seal(msgspec.json.encode(_Token(key_id, at)).decode()).decode()


async def with_token(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """A guard. It runs before the body is read."""
    token = _read(connection)
    count(connection, b"key:%d" % token.uniware_key)
    async with tools_of(connection).pool.acquire() as database:
        found = await caller_numbered(database, token.uniware_key)
    if not isinstance(found, Caller):
        raise refusal(found)
    if not found.scope.allows(Scope.DISPATCH):
        detail = f"The key {found.name!r} has the scope {found.scope}; Uniware needs {Scope.DISPATCH}."
        raise ProblemError(403, "scope_too_small", detail)
    connection.state.caller = found


def _read(connection: AnyConnection) -> _Token:
    """`Bearer` before it is passed over."""
    given = connection.headers.get("authorization", "").strip()
    sealed = given[7:].strip() if given[:7].lower() == "bearer " else given
    if not sealed:
        raise ProblemError(401, "no_token", f"There is no token. {ASK_FOR_ANOTHER}")
    try:
        token = msgspec.json.decode(tools_of(connection).vault.open(sealed[:CHARS_MAX].encode()), type=_Token)
    except (ValueError, msgspec.MsgspecError):
        raise ProblemError(401, "unknown_token", f"The token is none of ours. {ASK_FOR_ANOTHER}") from None
    if not 0 <= time.time() - token.at <= LIVES_S:
        raise ProblemError(401, "expired_token", f"The token is older than 24 hours. {ASK_FOR_ANOTHER}")
    return token
