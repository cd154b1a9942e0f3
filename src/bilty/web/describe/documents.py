"""Operations on documents: PDFs that are kept with a shipment and printed along."""

from bilty.store.access import Scope
from bilty.store.attachments import DOCUMENTS_MAX, Kind
from bilty.web.api.documents import NOT_PDF
from bilty.web.attachment_documents import DocumentAnswer, DocumentsAnswer
from bilty.web.attachments import FULL, LOST, NAME_CHARS_MAX, NOT_READABLE, NOT_REMOVED, TOO_LARGE
from bilty.web.describe.common import SHIPMENT_ID
from bilty.web.describe.shapes import Answer, Body, Operation, Parameter, Problem, Schema
from bilty.web.describe.shipments import TOPIC, invalid

_PDF: Schema = {"type": "string", "contentMediaType": "application/pdf"}
_ONE: Schema = {
    "id": 31,
    "kind": "invoice",
    "name": "INV-1.pdf",
    "pages": 2,
    "bytes": 48211,
    "added_at": "2026-11-24T05:12:00Z",
    "url": "https://bilty.example/api/v1/shipments/1041/documents/31",
}
_DOCUMENT_ID = Parameter(
    name="document_id",
    place="path",
    about="Bilty's own number of the document, as the list says it.",
    schema={"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    example=31,
    required=True,
)
_NONE = Problem(status=404, code="not_found", detail="The shipment has no document 31.")

OPERATIONS = (
    Operation(
        id="listDocuments",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/documents",
        summary="Its documents",
        about="PDFs that were attached to it: the invoice, the e-way bill.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(
            Answer(
                status=200,
                about="In the order in which they were attached.",
                shape=DocumentsAnswer,
                example={"items": [_ONE], "next": None},
            ),
        ),
    ),
    Operation(
        id="attachDocument",
        topic=TOPIC,
        method="POST",
        path="/shipments/{shipment_id}/documents",
        summary="Attach a document",
        about=f"A PDF of 20 MB at most, {DOCUMENTS_MAX} to a shipment. It is kept, and printed along with the label. "
        "The same file again changes nothing: no Idempotency-Key is needed.",
        scope=Scope.DISPATCH,
        keyed=False,
        parameters=(
            SHIPMENT_ID,
            Parameter(
                name="kind",
                place="query",
                about="What it is. other unless it is given.",
                schema={"type": "string", "enum": list(Kind)},
                example="invoice",
            ),
            Parameter(
                name="name",
                place="query",
                about=f"What the file is called; cut to {NAME_CHARS_MAX} characters.",
                schema={"type": "string"},
                example="INV-1.pdf",
            ),
        ),
        body=Body(schema=_PDF, examples={"the file": "%PDF-1.4"}, media="application/pdf"),
        answers=(
            Answer(status=201, about="It is attached.", shape=DocumentAnswer, example=_ONE, headers=("Location",)),
            Answer(
                status=200,
                about="It was attached before, and is as it was.",
                shape=DocumentAnswer,
                example=_ONE,
                headers=("Location",),
            ),
        ),
        problems=(
            Problem(status=415, code="not_pdf", detail=NOT_PDF),
            invalid("", "", NOT_READABLE.format(name="INV-1.pdf")),
            invalid("", "", FULL),
            invalid("", "", TOO_LARGE),
        ),
    ),
    Operation(
        id="readDocument",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/documents/{document_id}",
        summary="One document",
        about="The PDF as it was attached, byte for byte.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID, _DOCUMENT_ID),
        answers=(
            Answer(
                status=200,
                about="The PDF.",
                shape=_PDF,
                media="application/pdf",
                headers=("Content-Disposition", "ETag"),
            ),
        ),
        problems=(
            _NONE,
            Problem(status=404, code="document_lost", detail=LOST),
            Problem(
                status=500,
                code="document_damaged",
                detail="The stored file 9f86d081884c… was changed behind Bilty's back. It is not handed out.",
            ),
        ),
    ),
    Operation(
        id="removeDocument",
        topic=TOPIC,
        method="DELETE",
        path="/shipments/{shipment_id}/documents/{document_id}",
        summary="Remove a document",
        about="From the shipment, and its file where no other shipment has it. What was printed stays printed.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, _DOCUMENT_ID),
        answers=(Answer(status=204, about="It is removed."),),
        problems=(
            _NONE,
            invalid("", "", NOT_REMOVED),
        ),
    ),
)

ABOUT: dict[str, dict[str, str]] = {
    "DocumentsAnswer": {"items": "In the order in which they were attached.", "next": "null: there is one page."},
    "DocumentAnswer": {
        "id": "Bilty's own number of it.",
        "kind": "What it is.",
        "name": "What the file was called.",
        "pages": "How many it has.",
        "bytes": "The size of the file.",
        "added_at": "When it was attached.",
        "url": "Where the PDF is, with the same key.",
    },
}
