"""How Uniware is answered: its own words and HTTP statuses, whatever goes wrong.

What could not be done is 200 with status FAILED, as its contract has it, and 400 for a manifest, which it has so. Only
who may not come in, what cannot be read and our own trouble have other statuses of HTTP. Which of `reason` and
`message` Uniware shows is not known, so both say it.
"""

from collections.abc import Callable
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from bilty.reply import AWB_CHARS_MAX
from bilty.web.problems import HANDLERS, ProblemDetails, plain, respond
from bilty.web.tools import AnyRequest

PATH = "/uniware"
SUCCESS, FAILED = "SUCCESS", "FAILED"
Body = dict[str, object]


def is_awb(given: str) -> bool:
    """Whether it is worth looking for: the database has no text with a NUL in it."""
    return 1 <= len(given) <= AWB_CHARS_MAX and given.isprintable()


def failed(why: str) -> Response[Body]:
    return Response({"status": FAILED, "reason": why, "message": why}, status_code=200)


def _in_its_shape(handler: Callable[..., object]) -> Callable[[AnyRequest, Exception], Response[Body]]:
    """What a handler of ours would answer, under the names that Uniware reads."""

    def handle(request: AnyRequest, trouble: Exception) -> Response[Body]:
        answer = handler(request, trouble)
        if not isinstance(answer, Response) or not isinstance(answer.content, ProblemDetails):
            answer = respond(request, plain(500))
            assert isinstance(answer, Response), "no page is made below this address"
        why = answer.content.detail
        return Response(
            {"status": FAILED, "reason": why, "message": why, "errorMessage": why},
            status_code=answer.status_code,
            headers=answer.headers,
        )

    return handle


EXCEPTION_HANDLERS: ExceptionHandlersMap = {cause: _in_its_shape(handler) for cause, handler in HANDLERS.items()}


def of_litestar(request: AnyRequest, trouble: HTTPException) -> Response[Any]:
    """The application's handler: where an address or its method is none of ours, Litestar asks no router's."""
    handlers = EXCEPTION_HANDLERS if request.url.path.startswith(f"{PATH}/") else HANDLERS
    return handlers[HTTPException](request, trouble)
