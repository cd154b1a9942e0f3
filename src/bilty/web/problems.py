"""Errors as they leave the house: RFC 9457 problem details for programs, a plain page for people, nothing internal.

`type` names the problem for programs and never changes; `detail` says what happened and what to do, for whoever reads
the log of the order system. A trace goes to our own log.
"""

import traceback
from collections.abc import Sequence
from http import HTTPStatus

import asyncpg
import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException, SerializationException
from litestar.response import Template
from litestar.types import ExceptionHandlersMap

from bilty.intake import Fault
from bilty.store.database import UNAVAILABLE
from bilty.web.tools import AnyRequest

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 2

log = structlog.get_logger()

PLAIN = {
    400: ("malformed", "The request cannot be read: check its address, its query and its JSON."),
    401: ("no_key", "Send an API key as `Authorization: Bearer KEY`. `bilty key add NAME` makes one."),
    403: ("not_allowed", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is larger than 2 MB: send it in parts."),
    415: ("not_json", "Send the document as JSON, with `Content-Type: application/json`."),
    500: ("internal", "Bilty failed on this request and has logged why. Nothing more is known here."),
    503: ("database_away", "Bilty's database does not answer now. The request may be repeated as it is."),
}
_PAGES = {
    404: "There is no such page",
    403: "This is not allowed",
    503: "The database does not answer now",
}


class FieldError(msgspec.Struct, frozen=True):
    field: str
    value: str
    message: str


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: tuple[FieldError, ...] = ()


TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""RFC 9110's names, which Python has from 3.13 on: a title must not depend on the interpreter."""


class ProblemError(Exception):
    """Ends a request with that problem."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.faults = status, code, detail, tuple(faults)
        self.headers = headers or {}

    @property
    def type(self) -> str:
        return f"urn:bilty:problem:{self.code}"


def plain(status: int, headers: dict[str, str] | None = None) -> ProblemError:
    known = status if status in PLAIN else 500 if status >= 500 else 400
    return ProblemError(status, *PLAIN[known], headers=headers)


def rejected(faults: Sequence[Fault]) -> ProblemError:
    """422, naming each faulty field."""
    detail = faults[0].message if len(faults) == 1 else f"{len(faults)} fields cannot be taken; `errors` names each."
    return ProblemError(422, "invalid", detail, faults=faults)


def respond(request: AnyRequest, problem: ProblemError) -> Response[ProblemDetails] | Template:
    if _wants_page(request):
        return _page(request, problem)
    return Response(
        ProblemDetails(
            type=problem.type,
            title=TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
            status=problem.status,
            detail=problem.detail,
            instance=request.url.path,
            errors=tuple(FieldError(f.field, f.value, f.message) for f in problem.faults),
        ),
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=problem.headers,
    )


def _wants_page(request: AnyRequest) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(("/api/", "/uniware/"))


def _page(request: AnyRequest, problem: ProblemError) -> Template:
    """For whoever is signed in with the rail, so that the way back is one press."""
    heading = _PAGES.get(problem.status, "This did not work")
    context = {"heading": heading, "detail": problem.detail, "user": request.state.get("user")}
    return Template("problem.html", context=context, status_code=problem.status, headers=problem.headers)


def _of_ours(request: AnyRequest, problem: ProblemError) -> Response[ProblemDetails] | Template:
    return respond(request, problem)


def _of_litestar(request: AnyRequest, trouble: HTTPException) -> Response[ProblemDetails] | Template:
    """Litestar's own words name its parts, so ours stand in for them."""
    if trouble.status_code >= 500:
        return _unexpected(request, trouble)
    return respond(request, plain(trouble.status_code, trouble.headers))


def _unreadable(request: AnyRequest, _: SerializationException) -> Response[ProblemDetails] | Template:
    return respond(request, plain(400))


def _database_away(request: AnyRequest, trouble: Exception) -> Response[ProblemDetails] | Template:
    log.warning("database.away", during="request", why=type(trouble).__name__)
    return respond(request, plain(503, {"Retry-After": str(RETRY_AFTER_S)}))


def _no_such_name(request: AnyRequest, _: Exception) -> Response[ProblemDetails] | Template:
    """A NUL in an address: PostgreSQL has no such text, so nothing has that name."""
    return respond(request, plain(404))


def _unexpected(request: AnyRequest, trouble: Exception) -> Response[ProblemDetails] | Template:
    # The template of the path: the path itself may hold a sign-in token.
    # A trace without the values of variables: among them may be a key.
    trace = "".join(traceback.format_exception(trouble))
    log.error("request.failed", method=request.method, route=request.scope.get("path_template"), trace=trace)
    return respond(request, plain(500))


HANDLERS: ExceptionHandlersMap = {
    ProblemError: _of_ours,
    HTTPException: _of_litestar,
    SerializationException: _unreadable,
    **dict.fromkeys(UNAVAILABLE, _database_away),
    asyncpg.CharacterNotInRepertoireError: _no_such_name,
    Exception: _unexpected,
}
