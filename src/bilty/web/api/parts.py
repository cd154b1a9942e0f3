"""What belongs to a shipment: its timeline, its label, its boxes."""

from datetime import UTC, datetime

from litestar import Response, get
from litestar.params import FromPath

from bilty import telling
from bilty.documents import UnreadablePdfError
from bilty.documents.press import PressStopped, TooLargeError, voided
from bilty.store import lost_labels, showing
from bilty.store.access import Scope
from bilty.store.showing import Seen
from bilty.store.turn_rows import GOOD_LABEL
from bilty.web.api.answering import seen
from bilty.web.asking import only
from bilty.web.documents import BoxAnswer, BoxesAnswer, TimelineAnswer, moment_answer
from bilty.web.etags import is_known
from bilty.web.keys import needs
from bilty.web.papers import papers_of
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
    only(request, "reference")
    found, reference = await seen(request, shipment_id), asked_turn(request)
    holder = found.progress.holder
    is_good = holder is not None and bool(holder.label_sha256) and holder.state in GOOD_LABEL
    if not reference and holder and is_good and is_known(request, etag := f'"{holder.label_sha256}"'):
        return Response(b"", status_code=304, headers={"ETag": etag})
    return await label_of(tools_of(request), found, reference)


def asked_turn(request: AnyRequest) -> str:
    """The reference of the turn whose label is meant, blank for the shipment's own."""
    return request.query_params.get("reference", "")


async def label_of(tools: WebTools, found: Seen, reference: str = "") -> Response[bytes]:
    """The PDF as the courier made it; 404 with the reason while there is none.

    `reference`: that turn's. VOID is on every page of one that is not the shipment's, or no longer.
    """
    holder = found.progress.holder
    named = reference or (holder.reference if holder else "")
    is_own = holder is None or holder.reference == named
    if not named or (is_own and holder and (holder.state in GOOD_LABEL or not holder.label_sha256)):
        pdf, sha256 = await label_pdf(tools, found)
        return _pdf(found, pdf, sha256)
    turn = next((turn for turn in found.progress.turns if turn.reference == named), None)
    if turn is None or not turn.label_sha256:
        raise ProblemError(404, "no_label", f"There is no label under the reference {reference[:40]}.")
    mark = f"VOID · {found.shipment.number} · AWB {turn.awb} is not to be used"
    try:
        pdf = await voided(await _stored(tools, found, turn.label_sha256), mark)
    except (UnreadablePdfError, PressStopped, TooLargeError):
        detail = "This label is void, and Bilty cannot write that on it: it is not handed out."
        raise ProblemError(410, "label_void", detail) from None
    return _pdf(found, pdf, f"{turn.label_sha256}-void")


def _pdf(found: Seen, pdf: bytes, tag: str) -> Response[bytes]:
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in found.shipment.number)
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "ETag": f'"{tag}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


async def label_pdf(tools: WebTools, found: Seen) -> tuple[bytes, str]:
    """With its hash."""
    holder = found.progress.holder
    if holder is None or not holder.label_sha256:
        told = telling.told_status(found.progress, tools.settings.rules, datetime.now(UTC), INDIA)
        raise ProblemError(404, "no_label", f"There is no label yet. {told}")
    return await _stored(tools, found, holder.label_sha256), holder.label_sha256


async def _stored(tools: WebTools, found: Seen, sha256: str) -> bytes:
    try:
        return await tools.labels.get(sha256)
    except FileNotFoundError:
        again = await _fetched_again(tools, found, sha256)
        what = "it is fetched again" if again else "see BILTY_LABEL_STORE"
        raise ProblemError(404, "label_lost", f"The label store no longer has this label: {what}.") from None
    except ValueError as damaged:
        again = await _fetched_again(tools, found, sha256)
        told = f"{damaged} It is fetched again." if again else f"{damaged} It is not handed out."
        raise ProblemError(500, "label_damaged", told) from None


async def _fetched_again(tools: WebTools, found: Seen, sha256: str) -> bool:
    async with tools.pool.acquire() as connection, connection.transaction():
        return await lost_labels.fetch_again(connection, found.id, sha256, await showing.clock(connection))


@get(
    "/shipments/{shipment_id:int}/papers.pdf",
    guards=[needs(Scope.READ)],
    summary="Its box stickers and packing slips",
    media_type="application/pdf",
)
async def papers(request: AnyRequest, shipment_id: FromPath[int]) -> Response[bytes]:
    return await papers_of(tools_of(request), await seen(request, shipment_id))


@get("/shipments/{shipment_id:int}/boxes", guards=[needs(Scope.READ)], summary="Its boxes and their waybills")
async def boxes(request: AnyRequest, shipment_id: FromPath[int]) -> BoxesAnswer:
    tools = tools_of(request)
    await seen(request, shipment_id)
    async with tools.pool.acquire() as connection:
        rows = await showing.boxes_of(connection, shipment_id)
    return BoxesAnswer(
        items=tuple(BoxAnswer(number=row.number, reference=row.reference, awb=row.awb or None) for row in rows)
    )
