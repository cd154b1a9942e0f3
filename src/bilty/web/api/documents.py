"""Documents of a shipment: PDFs that are kept with it and printed along with its label."""

from litestar import Response, delete, get, post
from litestar.params import FromPath

from bilty.intake import Fault
from bilty.store import attachments
from bilty.store.access import Scope
from bilty.store.attachments import Kind
from bilty.web.act_forms import PDF_BYTES_MAX
from bilty.web.api.answering import seen
from bilty.web.asking import ID_MAX, choice, only
from bilty.web.attachment_documents import DocumentAnswer, DocumentsAnswer, document_answer
from bilty.web.attachments import document_of, keep, no_such, pdf_of, take_away
from bilty.web.idempotency import OPTION
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, base_url, tools_of

PATH = "/shipments/{shipment_id:int}/documents"
ONE = f"{PATH}/{{document_id:int}}"
NOT_PDF = "Send the document as it is, with `Content-Type: application/pdf`."


@get(PATH, guards=[needs(Scope.READ)], summary="Its documents")
async def listed(request: AnyRequest, shipment_id: FromPath[int]) -> DocumentsAnswer:
    found = await seen(request, shipment_id)
    async with tools_of(request).pool.acquire() as connection:
        known = await attachments.of_shipments(connection, [found.id])
    base = base_url(request)
    return DocumentsAnswer(items=tuple(document_answer(each, base) for each in known.get(found.id, ())))


@post(
    PATH,
    guards=[needs(Scope.DISPATCH)],
    summary="Attach a document",
    request_max_body_size=PDF_BYTES_MAX,
    opt={OPTION: False},
)
async def attach(request: AnyRequest, shipment_id: FromPath[int]) -> Response[DocumentAnswer]:
    """The same file again changes nothing, and is answered with what there is."""
    only(request, "kind", "name")
    kind = choice(request, "kind", tuple(Kind)) or Kind.OTHER
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/pdf":
        raise ProblemError(415, "not_pdf", NOT_PDF)
    found = await seen(request, shipment_id)
    given = await document_of(await request.body(), request.query_params.get("name", ""), Kind(kind))
    kept = given if isinstance(given, Fault) else await keep(tools_of(request), found.id, given, actor_of(request))
    if isinstance(kept, Fault):
        raise rejected([Fault("", "", kept.message)])
    assert kept.document is not None, "what is not kept is a fault"
    answer = document_answer(kept.document, base_url(request))
    where = f"/api/v1/shipments/{found.id}/documents/{answer.id}"
    return Response(answer, status_code=201 if kept.is_new else 200, headers={"Location": where})


@get(ONE, guards=[needs(Scope.READ)], summary="One document", media_type="application/pdf")
async def one(request: AnyRequest, shipment_id: FromPath[int], document_id: FromPath[int]) -> Response[bytes]:
    found = await seen(request, shipment_id)
    return await pdf_of(tools_of(request), found.id, document_id)


@delete(ONE, guards=[needs(Scope.DISPATCH)], summary="Remove a document")
async def remove(request: AnyRequest, shipment_id: FromPath[int], document_id: FromPath[int]) -> None:
    found = await seen(request, shipment_id)
    gone = await take_away(tools_of(request), found.id, min(document_id, ID_MAX), actor_of(request))
    if isinstance(gone, Fault):
        raise rejected([gone])
    if gone is None:
        raise no_such(document_id)


ROUTES = [listed, attach, one, remove]
