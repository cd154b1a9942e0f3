"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) for every POST of the API: one way, for all of them.

A request that carries a key is done once; whoever repeats it, with the same address and body, is answered as it was.
Only what was done is kept, so that a request that was refused may come again under its key when it is put right.

`before_request` runs behind the guard, which knows whose key it is, and in front of the route; the middleware sees the
answer on its way out. A request without the header costs a look at its headers, and nothing else.

Two remarks on the draft: the key may be written as it asks, as a string in quotation marks, or bare, as most do; and
what it calls the fingerprint is of method, address with its query, and body as it was sent, byte for byte.
"""

import hashlib
import re
from dataclasses import dataclass, field

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import Headers, State
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from bilty.intake import Fault
from bilty.store import idempotency
from bilty.store.database import Connection
from bilty.store.idempotency import Answered, Begun, Repeatable, Reused, Revoked, UnderWay
from bilty.web.keys import caller, refusal
from bilty.web.problems import ProblemError
from bilty.web.tools import WebTools, tools_of

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEY_CHARS_MAX = 255
RETRY_AFTER_S = 2
OPTION = "idempotency_key"
"""`opt={"idempotency_key": False}` in a route's decorator: what it does is repeated by other means."""
IN_PROGRESS = (
    f"The first request with this {HEADER} is being done. Repeat this one as it is in a moment: it is then answered "
    "as that one."
)
REUSED = (
    f"This {HEADER} came with another request before: {HEADER} names one request, its address and its body to the "
    "byte. Send another request under another key."
)
MALFORMED = f"{HEADER} is malformed: give it once, with 1 to {KEY_CHARS_MAX} printable ASCII characters, as a UUID has."
_BARE = re.compile(rf"[\x20-\x7e]{{1,{KEY_CHARS_MAX}}}")
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')
_OWN_TO_EACH_ANSWER = (b"content-length", b"date")
_BEGUN, _KEPT = "idempotency.begun", "idempotency.kept"

log = structlog.get_logger()


async def before_request(request: Request[object, object, State]) -> Response[bytes] | None:
    """The answer that was given before, or None: then the request is this one's to do."""
    if request.method != "POST" or not request.route_handler.opt.get(OPTION, True):
        return None
    key = _key(request.headers)
    if key is None:
        return None
    wanted = Repeatable(caller(request).id, key, _fingerprint(request, await request.body()))
    tools = tools_of(request)
    async with tools.pool.acquire() as connection:
        found = await idempotency.begin(connection, wanted, tools.vault)
    match found:
        case Begun():
            request.scope["state"][_BEGUN] = found
            return None
        case Answered():
            return Response(found.body, status_code=found.status, headers={**dict(found.headers), REPLAYED: "true"})
        case Revoked():
            raise refusal(None)
        case UnderWay():
            raise ProblemError(409, "in_progress", IN_PROGRESS, headers={"Retry-After": str(RETRY_AFTER_S)})
        case Reused():
            raise ProblemError(422, "idempotency_key_reused", REUSED, faults=[Fault(HEADER, key, REUSED)])


async def keep_with(
    request: Request[object, object, State], connection: Connection, status: int, answer: msgspec.Struct
) -> None:
    """Keeps the answer in the transaction of what was done, where doing it twice would be another thing.

    Nothing where the request has no key. A process that dies behind it leaves both, or neither.
    """
    begun = request.scope["state"].get(_BEGUN)
    if isinstance(begun, Begun):
        answered = Answered(status, [("content-type", "application/json")], msgspec.json.encode(answer))
        await idempotency.keep(connection, begun, answered, tools_of(request).vault)
        request.scope["state"][_KEPT] = True


def _key(headers: Headers) -> str | None:
    """The key, with or without the quotation marks around it; None where there is no header."""
    given = headers.getall(HEADER, [])
    if not given:
        return None
    if len(given) == 1:
        if quoted := _QUOTED.fullmatch(given[0].strip()):
            given = [re.sub(r"\\(.)", r"\1", quoted[1])]
        elif given[0].strip().startswith('"'):
            given = []
        if given and _BARE.fullmatch(given[0]):
            return given[0]
    raise ProblemError(400, "malformed_key", MALFORMED, faults=[Fault(HEADER, "", MALFORMED)])


def _fingerprint(request: Request[object, object, State], body: bytes) -> bytes:
    address = f"{request.method} {request.scope['path']}?".encode() + request.scope["query_string"]
    return hashlib.sha256(hashlib.sha256(address).digest() + body).digest()


@dataclass(slots=True)
class _Answer:
    """What leaves the house, held back until it is kept: whoever has it may then rely on having it again."""

    send: Send
    tools: WebTools
    state: dict[str, object]
    start: Message | None = None
    body: bytearray = field(default_factory=bytearray)

    async def hear(self, message: Message) -> None:
        begun = self.state.get(_BEGUN)
        if not isinstance(begun, Begun):
            await self.send(message)
        elif message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body" and self.start and self.start["type"] == "http.response.start":
            self.body += message["body"]
            if not message["more_body"]:
                await self._settle(
                    begun, Answered(self.start["status"], _kept(self.start["headers"]), bytes(self.body))
                )
                await self.send(self.start)
                await self.send({"type": "http.response.body", "body": bytes(self.body), "more_body": False})

    async def _settle(self, begun: Begun, answered: Answered) -> None:
        """What was done is answered, even if it cannot be kept: the key is then free for the same after 90 s."""
        try:
            async with self.tools.pool.acquire() as connection:
                if 200 <= answered.status < 300:
                    if self.state.get(_KEPT):
                        return
                    await idempotency.keep(connection, begun, answered, self.tools.vault)
                else:
                    await idempotency.free(connection, begun)
        except Exception as trouble:  # noqa: BLE001 - whatever it is: what was done is done, and is to be told
            log.warning("idempotency.not_kept", why=type(trouble).__name__)


def _kept(headers: object) -> list[tuple[str, str]]:
    assert isinstance(headers, list)
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name not in _OWN_TO_EACH_ANSWER
    ]


class IdempotencyMiddleware(ASGIMiddleware):
    """Keeps what was answered to a request that `before_request` has begun."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if all(name != b"idempotency-key" for name, _ in scope["headers"]):
            await next_app(scope, receive, send)
            return
        tools = scope["litestar_app"].state.tools
        assert isinstance(tools, WebTools)
        await next_app(scope, receive, _Answer(send, tools, scope["state"]).hear)
