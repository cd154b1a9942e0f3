"""What belongs to a shipment: its timeline, its label, its boxes."""

from datetime import UTC, datetime

from litestar import Response, get
from litestar.params import FromPath

from bilty import telling
from bilty.store import showing
from bilty.store.access import Scope
from bilty.store.showing import Seen
from bilty.web.api.answering import seen
from bilty.web.documents import BoxAnswer, BoxesAnswer, TimelineAnswer, moment_answer
from bilty.web.etags import is_known
from bilty.web.keys import needs
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, WebTools, tools_of
from bilty.words import INDIA


@get("/shipments/{shipment_id:int}/timeline", guards=[needs(Scope.READ)], summary="What happened, line by line")
async def timeline(request: AnyRequest, shipment_id: FromPath[int]) -> TimelineAnswer:
    tools = tools_of(request)
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection:
        moments = await showing.timeline_of(connection, shipment_id)
    return TimelineAnswer(items=tuple(moment_answer(moment, tools.settings.rules) for moment in moments))


@get(
    "/shipments/{shipment_id:int}/label.pdf",
    guards=[needs(Scope.READ)],
    summary="The label",
    media_type="application/pdf",
)
async def label(request: AnyRequest, shipment_id: FromPath[int]) -> Response[bytes]:
    found = await seen(request, shipment_id)
    holder = found.progress.holder
    if holder and holder.label_sha256 and is_known(request, etag := f'"{holder.label_sha256}"'):
        return Response(b"", status_code=304, headers={"ETag": etag})
    return await label_of(tools_of(request), found)


async def label_of(tools: WebTools, found: Seen) -> Response[bytes]:
    """The PDF as the courier made it; 404 with the reason while there is none."""
    pdf, sha256 = await label_pdf(tools, found)
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in found.shipment.number)
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "ETag": f'"{sha256}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


async def label_pdf(tools: WebTools, found: Seen) -> tuple[bytes, str]:
    """With its hash."""
    holder = found.progress.holder
    if holder is None or not holder.label_sha256:
        told = telling.told_status(found.progress, tools.settings.rules, datetime.now(UTC), INDIA)
        raise ProblemError(404, "no_label", f"There is no label yet. {told}")
    try:
        return await tools.labels.get(holder.label_sha256), holder.label_sha256
    except FileNotFoundError:
        raise ProblemError(
            404, "label_lost", "The label store no longer has this label: see BILTY_LABEL_STORE."
        ) from None
    except ValueError as damaged:
        raise ProblemError(500, "label_damaged", f"{damaged} It is not handed out.") from None


@get("/shipments/{shipment_id:int}/boxes", guards=[needs(Scope.READ)], summary="Its boxes and their waybills")
async def boxes(request: AnyRequest, shipment_id: FromPath[int]) -> BoxesAnswer:
    tools = tools_of(request)
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection:
        rows = await showing.boxes_of(connection, shipment_id)
    return BoxesAnswer(
        items=tuple(BoxAnswer(number=row.number, reference=row.reference, awb=row.awb or None) for row in rows)
    )
