"""Papers that Bilty makes for a shipment's label: stickers of its boxes and packing slips, as one PDF.

Looking at them records nothing. They say the AWB, so they are handed out while its label is good, and not after.
"""

from litestar import Response, get
from litestar.params import FromPath

from bilty.documents.press import PressStopped, TooLargeError, drawn
from bilty.store import papers
from bilty.store.showing import Seen
from bilty.store.turn_rows import GOOD_LABEL
from bilty.web.page import shipment_of
from bilty.web.problems import ProblemError
from bilty.web.sessions import dispatching
from bilty.web.tools import AnyRequest, WebTools, tools_of

NO_LABEL = "There are no papers yet: stickers and packing slips are made when the label is here."
NOT_DRAWN = "The papers cannot be drawn now. Try again in a minute, or print them in the panel."


async def papers_of(tools: WebTools, found: Seen) -> Response[bytes]:
    """Raises ProblemError while there is no label that is good."""
    holder = found.progress.holder
    if holder is None or not holder.label_sha256 or holder.state not in GOOD_LABEL:
        raise ProblemError(404, "no_label", NO_LABEL)
    async with tools.pool.acquire() as connection:
        source = (await papers.sources(connection, [found.id]))[found.id]
    try:
        pdf = await drawn((*papers.stickers(source), *papers.slips(source)))
    except (PressStopped, TooLargeError):
        raise ProblemError(503, "not_drawn", NOT_DRAWN, headers={"Retry-After": "60"}) from None
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in found.shipment.number)
    headers = {"Content-Disposition": f'inline; filename="{name}-papers.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


@get(
    "/shipments/{shipment_id:int}/papers.pdf",
    guards=[dispatching],
    include_in_schema=False,
    media_type="application/pdf",
)
async def shown(request: AnyRequest, shipment_id: FromPath[int]) -> Response[bytes]:
    return await papers_of(tools_of(request), await shipment_of(request, shipment_id))


ROUTES = [shown]
