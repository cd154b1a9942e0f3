"""Many shipments in one request: a stream in, a stream out."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, TypeAlias

from litestar import post
from litestar.types import ASGIApp

from bilty.intake import Fault
from bilty.shipment import Party
from bilty.store import consignees
from bilty.store.access import Scope
from bilty.web.asking import choice, only
from bilty.web.bulk.keeping import Keeper
from bilty.web.bulk.reading import Documents, Orders, Reading
from bilty.web.bulk.results import Telling
from bilty.web.bulk.spool import Spool
from bilty.web.bulk.stream import ENCODED, Stream
from bilty.web.keys import actor_of, caller, needs
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, base_url, gate_of, tools_of
from bilty.words import INDIA

Format: TypeAlias = Literal["documents", "orders"]
NDJSON, CSV = "application/x-ndjson", "text/csv"
NOT_ROWS = f"Send rows, with `Content-Type: {NDJSON}` or `Content-Type: {CSV}`."
FORMATS: dict[str, Format] = {
    NDJSON: "documents",
    "application/ndjson": "documents",
    "application/jsonl": "documents",
    CSV: "orders",
}
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


@post(
    "/shipments/bulk",
    guards=[needs(Scope.DISPATCH)],
    status_code=200,
    request_max_body_size=None,
    opt={"idempotency_key": False},
    summary="Take many shipments in, a result for each",
)
async def create(request: AnyRequest) -> ASGIApp:
    """A document a line, or an order file; a result a shipment, in the order of arrival, and a last line for them all.

    Nothing here reads the body: the answer does, while it is given.
    """
    tools, whose, known = tools_of(request), caller(request), _format_of(request)
    return Stream(
        gate=gate_of(request),
        keeper=Keeper(tools.pool, gate_of(request), whose, actor_of(request)),
        reading=_reading(request, known, await _saved(request)),
        telling=Telling(whose, tools.settings.rules, base_url(request), is_file=known == "orders"),
        spool=Spool(),
        stopping=tools.changes.ended,
    )


def _format_of(request: AnyRequest) -> Format:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    known = FORMATS.get(media.strip().lower())
    if known is None:
        raise ProblemError(415, "not_rows", NOT_ROWS)
    charset = _CHARSET.match(f";{parameters}")
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ProblemError(415, "not_utf_8", f"The body is {charset[1][:40]!r}: send UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise ProblemError(415, "encoded", ENCODED)
    return known


async def _saved(request: AnyRequest) -> Mapping[str, Party]:
    """Every one, as they are when the stream begins."""
    async with tools_of(request).pool.acquire() as connection:
        return await consignees.every_one(connection)


def _reading(request: AnyRequest, known: Format, saved: Mapping[str, Party]) -> Reading:
    only(request, "schedule")
    schedule = choice(request, "schedule", ("true", "false")) == "true"
    rules = tools_of(request).settings.intake_rules
    if known == "orders":
        return Orders(rules, _today, saved, schedule=schedule)
    if "schedule" in request.query_params:
        message = "schedule is for order files: a document says `schedule` itself."
        raise ProblemError(400, "query", message, faults=[Fault("schedule", "", message)])
    return Documents(rules, _today, saved)


def _today() -> date:
    return datetime.now(INDIA).date()
