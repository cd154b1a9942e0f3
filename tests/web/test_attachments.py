"""Documents of a shipment: attached on its page and by API, looked at, opened, removed, by whom it may be."""

import asyncio
import hashlib

import httpx
import pytest

from bilty.store import attachments
from bilty.store.access import Role, Scope
from bilty.store.attachments import DOCUMENTS_MAX
from bilty.store.labels import Shelf
from jobs.desk import label_pdf
from web.house import House

PDF = label_pdf("Invoice INV-1", pages=2)


async def posts(
    house: House,
    shipment_id: int,
    content: bytes,
    *,
    query: str = "?kind=invoice&name=INV-1.pdf",
    media: str = "application/pdf",
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {await house.key(Scope.DISPATCH)}", "Content-Type": media}
    path = f"/api/v1/shipments/{shipment_id}/documents{query}"
    return await house.api.post(path, content=content, headers=headers)


async def uploads(
    house: House, shipment_id: int, content: bytes, name: str = "INV-1.pdf", kind: str = "invoice"
) -> str:
    """The page to which the form leads."""
    answer = await house.browser.post(
        f"/shipments/{shipment_id}/documents",
        data={"kind": kind},
        files={"file": (name, content, "application/pdf")},
        headers={"Origin": house.url},
    )
    return await house.told(answer)


async def actions(house: House) -> list[str]:
    rows = await house.tools.pool.fetch("SELECT action FROM audit WHERE action LIKE 'document %' ORDER BY id")
    return [row["action"] for row in rows]


async def test_one_is_attached_by_the_api_listed_read_and_removed(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    made = await posts(furnished, shipment_id, PDF)
    assert made.status_code == 201
    told = made.json()
    path = f"/shipments/{shipment_id}/documents/{told['id']}"
    assert made.headers["location"] == f"/api/v1{path}"
    assert (told["kind"], told["name"], told["pages"], told["bytes"]) == ("invoice", "INV-1.pdf", 2, len(PDF))
    listed = await furnished.call("GET", f"/shipments/{shipment_id}/documents", scope=Scope.READ)
    assert listed.json() == {"items": [told], "next": None}
    assert (await furnished.call("GET", path, scope=Scope.READ)).content == PDF
    assert (await furnished.call("DELETE", path, scope=Scope.DISPATCH)).status_code == 204
    assert (await furnished.call("DELETE", path, scope=Scope.DISPATCH)).status_code == 404
    assert (await furnished.call("GET", path, scope=Scope.READ)).status_code == 404
    assert await actions(furnished) == ["document attached", "document removed"]
    with pytest.raises(FileNotFoundError):
        await furnished.tools.labels.get(hashlib.sha256(PDF).hexdigest(), Shelf.DOCUMENTS)


async def test_the_same_again_changes_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    first, again = await posts(furnished, shipment_id, PDF), await posts(furnished, shipment_id, PDF, query="")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert await actions(furnished) == ["document attached"]


async def test_a_file_stays_while_another_shipment_has_it(furnished: House) -> None:
    one, other = await furnished.takes_in(), await furnished.takes_in(number="SO-2")
    told, kept = [(await posts(furnished, each, PDF)).json() for each in (one, other)]
    await furnished.call("DELETE", f"/shipments/{one}/documents/{told['id']}")
    assert (await furnished.call("GET", f"/shipments/{other}/documents/{kept['id']}")).content == PDF
    assert (await furnished.call("GET", f"/shipments/{one}/documents/{kept['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "query", "media", "status", "sentence"),
    [
        (b"GIF89a", "?name=INV-1.pdf", "application/pdf", 422, "INV-1.pdf cannot be read as a PDF"),
        (b"%PDF-1.4 torn", "", "application/pdf", 422, "The file cannot be read as a PDF"),
        (PDF, "", "image/png", 415, "Send the document as it is"),
        (PDF, "?kind=poem", "application/pdf", 400, "give one of invoice, ewaybill, other"),
        (PDF, "?knid=other", "application/pdf", 400, "is no parameter of this address"),
    ],
)
async def test_what_is_no_document_is_refused(
    furnished: House, content: bytes, query: str, media: str, status: int, sentence: str
) -> None:
    answer = await posts(furnished, await furnished.takes_in(), content, query=query, media=media)
    assert answer.status_code == status
    assert sentence in answer.text


async def test_there_are_only_so_many(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.tools.pool.execute(
        """INSERT INTO attachments (shipment_id, kind, name, sha256, pages, bytes, actor_kind, actor)
           SELECT $1, 'other', n || '.pdf', n::text, 1, 1, 'user', 'asha@example.com' FROM generate_series(1, $2) n""",
        shipment_id,
        DOCUMENTS_MAX,
    )
    answer = await posts(furnished, shipment_id, PDF)
    assert answer.status_code == 422
    assert "The shipment has 20 documents, the most there may be." in answer.text


async def test_on_the_page_one_is_attached_opened_and_removed(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in()
    page = await uploads(furnished, shipment_id, PDF, name="C:\\papers\\INV-1.pdf")
    assert "INV-1.pdf is attached." in page
    assert "2 pages, attached by asha@example.com" in page
    document_id = await furnished.tools.pool.fetchval("SELECT id FROM attachments")
    path = f"/shipments/{shipment_id}/documents/{document_id}"
    opened = await furnished.browser.get(path)
    assert (opened.content, opened.headers["content-type"]) == (PDF, "application/pdf")
    assert opened.headers["content-disposition"] == 'inline; filename="INV-1.pdf"'
    assert "INV-1.pdf was attached already" in await uploads(furnished, shipment_id, PDF)
    assert "INV-1.pdf is removed." in await furnished.told(await furnished.send(f"{path}/remove"))
    assert "was removed before" in await furnished.told(await furnished.send(f"{path}/remove"))


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"", "invoice", "Choose the PDF of the document first."),
        (b"GIF89a", "invoice", "INV-1.pdf cannot be read as a PDF"),
        (PDF, "poem", "give one of invoice, ewaybill, other."),
    ],
)
async def test_what_is_wrong_is_said_on_the_page(furnished: House, content: bytes, kind: str, sentence: str) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in()
    assert sentence in await uploads(furnished, shipment_id, content, kind=kind)
    async with furnished.tools.pool.acquire() as connection:
        assert await attachments.of_shipments(connection, [shipment_id]) == {}


async def test_a_viewer_opens_and_changes_nothing(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await posts(furnished, shipment_id, PDF)
    await furnished.sign_in("vera@example.com", role=Role.VIEWER)
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "INV-1.pdf" in page
    assert "Attach a document" not in page
    assert "/remove" not in page


async def test_one_that_the_store_has_lost_is_told(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    told = (await posts(furnished, shipment_id, PDF)).json()
    await furnished.tools.labels.remove(hashlib.sha256(PDF).hexdigest(), Shelf.DOCUMENTS)
    answer = await furnished.call("GET", f"/shipments/{shipment_id}/documents/{told['id']}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:bilty:problem:document_lost")


async def test_who_removes_a_file_never_takes_it_from_who_attaches_it(furnished: House) -> None:
    """Ten times at once, on connections of their own: what is attached in the end has its file."""
    one, other = await furnished.takes_in(), await furnished.takes_in(number="SO-2")
    for _ in range(10):
        told = (await posts(furnished, one, PDF)).json()
        removed, attached = await asyncio.gather(
            furnished.call("DELETE", f"/shipments/{one}/documents/{told['id']}"), posts(furnished, other, PDF)
        )
        assert (removed.status_code, attached.status_code) == (204, 201)
        path = f"/shipments/{other}/documents/{attached.json()['id']}"
        assert (await furnished.call("GET", path)).content == PDF
        assert (await furnished.call("DELETE", path)).status_code == 204


async def test_two_who_attach_the_same_attach_it_once(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    answers = await asyncio.gather(*(posts(furnished, shipment_id, PDF) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 201]
    assert len({each.json()["id"] for each in answers}) == 1
