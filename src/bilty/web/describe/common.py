"""What many operations share: their parameters, and the problems that an operation of a kind may end in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from uuid import NAMESPACE_URL, uuid5

from bilty.intake import Fault, limits
from bilty.settings import Settings
from bilty.store.access import Expired, Scope
from bilty.store.api_keys import end_of
from bilty.web.asking import LIMIT_DEFAULT, LIMIT_MAX, WAIT_S_MAX
from bilty.web.describe.bodies import CODE
from bilty.web.describe.shapes import Operation, Parameter, Problem
from bilty.web.idempotency import IN_PROGRESS, KEY_CHARS_MAX, MALFORMED, REUSED
from bilty.web.keys import refusal, too_many
from bilty.web.problems import PLAIN, ProblemError

SHIPMENT_ID = Parameter(
    name="shipment_id",
    place="path",
    about="Bilty's own number of the shipment, as `id` says it.",
    schema={"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    example=1041,
    required=True,
)
PREFER = Parameter(
    name="Prefer",
    place="header",
    about=f"`wait=20`: answer when the label is there, or after 20 seconds, {WAIT_S_MAX} at most (RFC 7240). "
    "Anything else in it is passed over.",
    schema={"type": "string"},
    example="wait=20",
)
LIMIT = Parameter(
    name="limit",
    place="query",
    about=f"How many a page holds at most. {LIMIT_DEFAULT} unless it is given.",
    schema={"type": "integer", "minimum": 1, "maximum": LIMIT_MAX},
    example=50,
)


def code_of(what: str, example: str) -> Parameter:
    about = f"The code of the {what}: 1 to {limits.CODE_CHARS_MAX} letters, digits, hyphens or underscores."
    return Parameter(name="code", place="path", about=about, schema=CODE, example=example, required=True)


IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    place="header",
    about="The `ETag` of what you have: 304 says that it is still so.",
    schema={"type": "string"},
    example='"5f8a03c2"',
)
IF_MATCH = Parameter(
    name="If-Match",
    place="header",
    about="The `ETag` of what is to be changed, as it was last read; `*` for whatever is there.",
    schema={"type": "string", "minLength": 1},
    example='"5f8a03c2"',
    required=True,
)
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    place="header",
    about="Made up by you for one request, as a UUID is: a repeat with the same key, address and body is answered as "
    "the first one was, for 7 days.",
    schema={"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!#-~](?:[ -~]*[!-~])?$"},
    example="8e03978e-40d5-43e8-bc93-6894a57f9324",
)
_EXPIRED = Expired("Order system", end_of(date(2026, 10, 31)))
_PER_SECOND = Settings.model_fields["key_requests_per_second"].default
_ALL_NEEDED = "The key 'Pune' is for some facilities only; this concerns all, and needs a key of all."


def parameters_of(operation: Operation) -> tuple[Parameter, ...]:
    """Its own, and the key under which a POST may be repeated."""
    return (*operation.parameters, *([_key_of(operation)] if operation.repeatable else []))


def _key_of(operation: Operation) -> Parameter:
    """Each has an example of its own, so that all of them may be sent one after the other, as they stand."""
    return replace(IDEMPOTENCY_KEY, example=str(uuid5(NAMESPACE_URL, f"urn:bilty:operation:{operation.id}")))


def problems_of(operation: Operation) -> tuple[Problem, ...]:
    """Its own, and those that come with what it takes."""
    return tuple(sorted([*operation.problems, *_shared(operation)], key=lambda each: each.status))


def _shared(operation: Operation) -> Iterator[Problem]:
    yield _plain(400)
    if operation.scope is not None:
        yield from _of_key(operation, operation.scope)
    if operation.places("query"):
        names = ", ".join(each.name for each in operation.places("query"))
        detail = f"'limt' is no parameter of this address: it takes {names}."
        yield Problem(status=400, code="query", detail=detail, field="limt")
    if operation.body:
        yield Problem(status=400, code="not_json", detail="The body is not JSON: Input data was truncated.")
        yield _plain(413)
        yield _plain(415)
    if operation.places("path"):
        yield _plain(404)
    if operation.repeatable:
        yield Problem(status=400, code="malformed_key", detail=MALFORMED, field="Idempotency-Key")
        yield Problem(status=409, code="in_progress", detail=IN_PROGRESS, headers=("Retry-After",))
        yield Problem(status=422, code="idempotency_key_reused", detail=REUSED, field="Idempotency-Key")
    yield _plain(500)
    yield _plain(503, "Retry-After")


def _of_key(operation: Operation, scope: Scope) -> Iterator[Problem]:
    yield _plain(401, "WWW-Authenticate")
    yield raised(refusal(None))
    yield raised(refusal(_EXPIRED))
    detail = f"The key 'Order system' has the scope read; this needs {scope}."
    if scope is not Scope.READ:
        yield Problem(status=403, code="scope_too_small", detail=detail)
    if operation.all_facilities:
        yield Problem(status=403, code="all_facilities_needed", detail=_ALL_NEEDED)
    yield raised(too_many(_PER_SECOND, 1))


def raised(error: ProblemError) -> Problem:
    """The very one that ends a request."""
    fault = error.faults[0] if error.faults else Fault("", "", "")
    return Problem(
        status=error.status,
        code=error.code,
        detail=error.detail,
        field=fault.field,
        value=fault.value,
        headers=tuple(error.headers),
    )


def _plain(status: int, *headers: str) -> Problem:
    code, detail = PLAIN[status]
    return Problem(status=status, code=code, detail=detail, headers=headers)
