"""Documents of a shipment in the panel: attached, opened, removed; and what a file must be, for the API too."""

import hashlib
from dataclasses import dataclass
from datetime import tzinfo

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from obstore.exceptions import BaseError

from bilty.documents.counting import pages_of
from bilty.intake import Fault
from bilty.store import attachments
from bilty.store.attachments import DOCUMENTS_MAX, Attached, Attachment, Given, Kind
from bilty.store.audit import Actor
from bilty.store.labels import Shelf
from bilty.web import rows
from bilty.web.act_forms import BEGINS_WITHIN, PDF_BEGINS, PDF_BYTES_MAX
from bilty.web.asking import ID_MAX
from bilty.web.forms import form_of
from bilty.web.page import shipment_of, told
from bilty.web.problems import ProblemError
from bilty.web.sessions import actor, dispatching, from_our_pages, signed_in
from bilty.web.tools import AnyRequest, WebTools, tools_of
from bilty.words import counted

UPLOAD_BYTES_MAX = PDF_BYTES_MAX + 64 * 1024
"""With what a form puts around the file."""
NAME_CHARS_MAX = 100
KIND_WORDS = {Kind.INVOICE: "Invoice", Kind.EWAYBILL: "E-way bill", Kind.OTHER: "Other document"}
TOO_LARGE = (
    f"The file is larger than {PDF_BYTES_MAX // 1024**2} MB, the most a document may have. Save it smaller, or send "
    "its pages in parts."
)
FULL = f"The shipment has {DOCUMENTS_MAX} documents, the most there may be. Remove one that is not needed first."
NO_ROOM = "Bilty's label store cannot be written now. Send the file again in a minute."
NOT_READABLE = (
    "{name} cannot be read as a PDF: it may be another kind of file, damaged, or locked with a password. Save it as a "
    "PDF again."
)
NOT_REMOVED = "Bilty's label store cannot be written now. Try again in a minute."
LOST = "The label store no longer has this document: see BILTY_LABEL_STORE, or attach it again."


async def document_of(content: bytes, name: str, kind: Kind) -> Given | Fault:
    """A file as somebody gave it, looked at in a process of its own."""
    called = _plain(name)
    if len(content) > PDF_BYTES_MAX:
        return Fault("file", called, TOO_LARGE)
    pages = await pages_of(content) if PDF_BEGINS in content[:BEGINS_WITHIN] else 0
    if pages == 0:
        return Fault("file", called, NOT_READABLE.format(name=called or "The file"))
    return Given(kind, called or f"{kind}.pdf", content, hashlib.sha256(content).hexdigest(), pages)


async def keep(tools: WebTools, shipment_id: int, given: Given, who: Actor) -> Attached | Fault:
    try:
        async with tools.pool.acquire() as connection, connection.transaction():
            attached = await attachments.attach(connection, tools.labels, shipment_id, given, who)
    except (OSError, BaseError):
        return Fault("file", given.name, NO_ROOM)
    return attached if attached.document else Fault("file", given.name, FULL)


async def pdf_of(tools: WebTools, shipment_id: int, document_id: int) -> Response[bytes]:
    """The file as it was attached. Raises ProblemError."""
    found = await one_of(tools, shipment_id, document_id)
    try:
        content = await tools.labels.get(found.sha256, Shelf.DOCUMENTS)
    except FileNotFoundError:
        raise ProblemError(404, "document_lost", LOST) from None
    except ValueError as damaged:
        raise ProblemError(500, "document_damaged", f"{damaged} It is not handed out.") from None
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in found.name)
    headers = {"Content-Disposition": f'inline; filename="{name}"', "ETag": f'"{found.sha256}"'}
    return Response(content, media_type="application/pdf", headers=headers)


async def one_of(tools: WebTools, shipment_id: int, document_id: int) -> Attachment:
    """Raises ProblemError where the shipment has no such document."""
    found = None
    if 0 < document_id <= ID_MAX:
        async with tools.pool.acquire() as connection:
            found = await attachments.one(connection, shipment_id, document_id)
    if found is None:
        raise no_such(document_id)
    return found


def no_such(document_id: int) -> ProblemError:
    return ProblemError(404, "not_found", f"The shipment has no document {document_id}.")


async def take_away(tools: WebTools, shipment_id: int, document_id: int, who: Actor) -> Attachment | Fault | None:
    """None where the shipment has no such document."""
    try:
        async with tools.pool.acquire() as connection, connection.transaction():
            return await attachments.remove(connection, tools.labels, shipment_id, document_id, who)
    except (OSError, BaseError):
        return Fault("", "", NOT_REMOVED)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """As the shipment's page shows it."""

    id: int
    name: str
    kind: str
    told: str


def document_row(found: Attachment, zone: tzinfo) -> DocumentRow:
    told_at = f"{counted(found.pages, 'page')}, attached by {found.actor}, {rows.moment(found.at, zone)}"
    return DocumentRow(found.id, found.name, KIND_WORDS[found.kind], told_at)


def _plain(name: str) -> str:
    """What the file is called, without folders and what does not print."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:NAME_CHARS_MAX]


@post(
    "/shipments/{shipment_id:int}/documents",
    guards=[dispatching, from_our_pages],
    include_in_schema=False,
    request_max_body_size=UPLOAD_BYTES_MAX,
)
async def attach(request: AnyRequest, shipment_id: FromPath[int]) -> Redirect:
    """Fields: kind, file."""
    found, tools = await shipment_of(request, shipment_id), tools_of(request)
    where = f"/shipments/{found.id}#documents"
    if int(request.headers.get("content-length") or 0) > UPLOAD_BYTES_MAX:
        return told(request, where, TOO_LARGE, well=False)
    form = await form_of(request)
    file, kind = form.files.get("file"), form.get("kind", "")
    content = await file.read() if file else b""
    if not content:
        return told(request, where, "Choose the PDF of the document first.", well=False)
    if kind not in tuple(Kind):
        return told(request, where, f"kind is {kind[:20]!r}: give one of {', '.join(Kind)}.", well=False)
    given = await document_of(content, (file.filename if file else "") or "", Kind(kind))
    kept = given if isinstance(given, Fault) else await keep(tools, found.id, given, actor(request))
    if isinstance(kept, Fault):
        return told(request, where, kept.message, well=False)
    assert kept.document is not None, "what is not kept is a fault"
    said = "is attached" if kept.is_new else "was attached already, and nothing was changed"
    return told(request, where, f"{kept.document.name} {said}.")


@get(
    "/shipments/{shipment_id:int}/documents/{document_id:int}",
    guards=[signed_in],
    include_in_schema=False,
    media_type="application/pdf",
)
async def open_one(request: AnyRequest, shipment_id: FromPath[int], document_id: FromPath[int]) -> Response[bytes]:
    found = await shipment_of(request, shipment_id)
    return await pdf_of(tools_of(request), found.id, document_id)


@post(
    "/shipments/{shipment_id:int}/documents/{document_id:int}/remove",
    guards=[dispatching, from_our_pages],
    include_in_schema=False,
)
async def remove(request: AnyRequest, shipment_id: FromPath[int], document_id: FromPath[int]) -> Redirect:
    found, tools = await shipment_of(request, shipment_id), tools_of(request)
    where = f"/shipments/{found.id}#documents"
    gone = await take_away(tools, found.id, min(document_id, ID_MAX), actor(request))
    if isinstance(gone, Fault):
        return told(request, where, gone.message, well=False)
    if gone is None:
        return told(request, where, "This document was removed before.", well=False)
    return told(request, where, f"{gone.name} is removed.")


ROUTES = [attach, open_one, remove]
