"""What a caller asks for, read from the request: its document, how long it will wait, which page it wants."""

import re
from urllib.parse import urlencode

import msgspec

from bilty.intake import Fault
from bilty.web.problems import ProblemError, plain
from bilty.web.tools import AnyRequest, base_url

BODY_BYTES_MAX = 2 * 1024 * 1024
WAIT_S_MAX = 60
LIMIT_DEFAULT, LIMIT_MAX = 50, 200
ID_MAX = 2**63 - 1
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


async def document_of(request: AnyRequest, *, required: bool = True) -> object:
    """The body as decoded JSON of any shape, None where there is none and none is required."""
    body = await request.body()
    if not body.strip() and not required:
        return None
    if not _JSON.fullmatch(request.headers.get("content-type", "").strip()):
        raise plain(415)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        why = "it is nested too deeply" if isinstance(trouble, RecursionError) else str(trouble)
        raise ProblemError(400, "not_json", f"The body is not JSON: {why}.") from None


def wait_s(request: AnyRequest) -> float:
    """`Prefer: wait=20` (RFC 7240), at most WAIT_S_MAX; 0 where the caller would not wait."""
    found = _WAIT.search(",".join(request.headers.getall("prefer", [])))
    return min(WAIT_S_MAX, int(found.group(1))) if found else 0


def whole(request: AnyRequest, name: str, default: int | None, at_most: int) -> int | None:
    """A whole number of the query from 1 to `at_most`."""
    given = request.query_params.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= 19 and 1 <= int(given) <= at_most):
        message = f"{name} is {given[:40]!r}: give a whole number from 1 to {at_most}."
        raise ProblemError(400, "query", message, faults=[Fault(name, given[:40], message)])
    return int(given)


def limit_of(request: AnyRequest) -> int:
    """How many the caller wants on a page of the API."""
    return whole(request, "limit", LIMIT_DEFAULT, LIMIT_MAX) or LIMIT_DEFAULT


def following(request: AnyRequest, path: str, **query: object) -> str:
    """Where the next page of the API is: `path` below /api/v1, and what is asked there, without what is blank."""
    asked = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{base_url(request)}/api/v1{path}?{urlencode(asked)}"


def choice(request: AnyRequest, name: str, values: tuple[str, ...]) -> str | None:
    given = request.query_params.get(name, "")
    if not given:
        return None
    if given not in values:
        message = f"{name} is {given[:40]!r}: give one of {', '.join(values)}."
        raise ProblemError(400, "query", message, faults=[Fault(name, given[:40], message)])
    return given


def only(request: AnyRequest, *names: str) -> None:
    """A question that is misspelt would be answered as if it had not been asked."""
    for name in request.query_params:
        if name not in names:
            message = f"{name[:40]!r} is no parameter of this address: it takes {', '.join(names)}."
            raise ProblemError(400, "query", message, faults=[Fault(name[:40], "", message)])
