"""A label, or the papers made for it, for whoever has its link: order systems fetch them without a key, until a moment.

The link is signed, see `bilty.oms.signed_link`. Its signature has 256 bits, so that guessing is hopeless and tries need
no limit; one that is altered costs a hash and reads nothing. What is not ours is not told apart from anything else.
"""

from dataclasses import dataclass
from datetime import datetime

from litestar import Response, route
from litestar.params import FromPath

from bilty.oms import label_link
from bilty.oms.label_link import LabelLink
from bilty.store import showing
from bilty.store.showing import Seen
from bilty.store.turn_rows import GOOD_LABEL
from bilty.web.api.parts import label_of
from bilty.web.papers import papers_of
from bilty.web.problems import ProblemError, plain
from bilty.web.tools import AnyRequest, tools_of

HEADERS = {"X-Robots-Tag": "noindex, nofollow, noarchive"}
EXPIRED = (
    "This link to a label has expired. Ask Bilty for the shipment: its answer has the label's address, "
    "or have the event replayed, which brings a new link."
)
REPLACED = "The label that this link leads to is no longer the shipment's: it was replaced or withdrawn. Do not use it."


@dataclass(frozen=True, slots=True)
class No:
    """Why the label is not handed out."""

    code: str
    detail: str


def refusal(link: LabelLink, found: Seen | None, now: datetime) -> No | None:
    """None where the link opens the label that the shipment has now."""
    if now >= link.expires_at:
        return No("link_expired", EXPIRED)
    holder = found.progress.holder if found else None
    withdrawn = found is None or found.progress.cancel_asked or holder is None
    if withdrawn or holder is None or holder.label_sha256 != link.sha256 or holder.state not in GOOD_LABEL:
        return No("label_replaced", REPLACED)
    return None


@route(f"{label_link.PATH}/{{token:str}}", http_method=["GET", "HEAD"], include_in_schema=False)
async def linked(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """404 for what is not ours, 410 for what is over. Not kept by anything on the way, as no answer of ours is."""
    found = await _opened(request, token, label_link.PATH)
    return _unlisted(await label_of(tools_of(request), found))


@route(f"{label_link.PAPERS}/{{token:str}}", http_method=["GET", "HEAD"], include_in_schema=False)
async def linked_papers(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """As the label's link, and good for as long."""
    found = await _opened(request, token, label_link.PAPERS)
    return _unlisted(await papers_of(tools_of(request), found))


async def _opened(request: AnyRequest, token: str, path: str) -> Seen:
    """Raises ProblemError."""
    tools = tools_of(request)
    link = label_link.read(tools.vault, token, path=path)
    if link is None:
        raise plain(404, HEADERS)
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        found = (await showing.see(connection, [link.shipment_id])).get(link.shipment_id)
    if no := refusal(link, found, now):
        raise ProblemError(410, no.code, no.detail, headers=HEADERS)
    assert found is not None, "what is not there is refused"
    return found


def _unlisted(answer: Response[bytes]) -> Response[bytes]:
    for name, value in HEADERS.items():
        answer.set_header(name, value)
    return answer


ROUTES = [linked, linked_papers]
