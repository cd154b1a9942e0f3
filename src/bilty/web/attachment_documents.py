"""Attached documents as the API answers them."""

from datetime import UTC, datetime

from bilty.store.attachments import Attachment, Kind
from bilty.web.documents import Document


class DocumentAnswer(Document, frozen=True, kw_only=True):
    id: int
    kind: Kind
    name: str
    pages: int
    bytes: int
    added_at: datetime
    url: str


class DocumentsAnswer(Document, frozen=True, kw_only=True):
    items: tuple[DocumentAnswer, ...]
    next: None = None


def document_answer(found: Attachment, base_url: str) -> DocumentAnswer:
    return DocumentAnswer(
        id=found.id,
        kind=found.kind,
        name=found.name,
        pages=found.pages,
        bytes=found.size,
        added_at=found.at.astimezone(UTC),
        url=f"{base_url}/api/v1/shipments/{found.shipment_id}/documents/{found.id}",
    )
