"""Label files: real PDFs, behind links that do not last."""

import io
from hashlib import sha256
from typing import Any

from pypdf import PdfReader
from sandbox_caller import B2B, Caller, Heard, b2b_order, calling

from bilty_sandbox import Kind, Options, Policy

DAY = 24 * 3600.0
LABEL = "/api/v1/fetch/shippinglabel/"


async def placed(caller: Caller, boxes: int = 3) -> Any:
    return (await caller.post(B2B, b2b_order(boxes=boxes))).result


def pages(heard: Heard) -> list[str]:
    assert heard.headers["content-type"] == "application/pdf"
    return [page.extract_text() for page in PdfReader(io.BytesIO(heard.body)).pages]


async def test_a_label_has_a_page_for_each_box_with_its_own_awb() -> None:
    async with calling() as caller:
        result = await placed(caller, boxes=7)
        texts = pages(await caller.fetch(result["label"]))
    assert len(texts) == 7
    for number, (text, child) in enumerate(zip(texts, result["children"], strict=True), start=1):
        assert f"{number} of 7" in text
        assert child["waybill"] in text
        for words in (result["waybill"], "ORDER001-P1", "Bluedart", "Bazaar Retail", "Noida", "201301"):
            assert words in text


async def test_a_page_is_four_by_six_inches() -> None:
    async with calling() as caller:
        heard = await caller.fetch((await placed(caller))["label"])
    box = PdfReader(io.BytesIO(heard.body)).pages[0].mediabox
    assert (float(box.width), float(box.height)) == (4 * 72, 6 * 72)


async def test_a_document_awb_has_a_page_of_its_own() -> None:
    async with calling(Kind.CHILD_EXTRA, Kind.CHILDREN_REVERSED) as caller:
        result = await placed(caller)
        texts = pages(await caller.fetch(result["label"]))
    assert len(texts) == 4
    assert "Document" in texts[3]
    assert result["children"][0]["waybill"] in texts[3]


async def test_a_box_without_a_waybill_of_its_own_still_has_a_page() -> None:
    async with calling(Kind.CHILD_SHORT) as caller:
        texts = pages(await caller.fetch((await placed(caller))["label"]))
    assert len(texts) == 3


async def test_a_label_is_the_same_bytes_again_and_the_truth_knows_them() -> None:
    async with calling() as caller:
        url = (await placed(caller))["label"]
        assert (await caller.truth("ORDER001-P1"))["label_sha256"] is None
        first, second = await caller.fetch(url), await caller.fetch(url)
        truth = await caller.truth("ORDER001-P1")
    assert first.body == second.body
    assert truth["label_sha256"] == sha256(first.body).hexdigest()
    assert truth["label_downloads"] == 2


async def test_a_link_lasts_seven_days_and_the_label_call_gives_a_new_one() -> None:
    async with calling() as caller:
        result = await placed(caller)
        query = {"waybill": result["waybill"], "cp_id": "129"}
        assert (await caller.get(LABEL, **query)).result["shipping_label"] == result["label"]
        caller.clock.advance(7 * DAY)
        expired = await caller.fetch(result["label"])
        fresh = (await caller.get(LABEL, **query)).result["shipping_label"]
        label = await caller.fetch(fresh)
    assert (expired.status, expired.headers["content-type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code>" in expired.body
    assert fresh != result["label"]
    assert len(pages(label)) == 3


async def test_a_link_is_made_anew_on_request_and_the_old_one_still_works() -> None:
    async with calling() as caller:
        result = await placed(caller)
        heard = await caller.get(LABEL, waybill=result["waybill"], cp_id="129", regenerate="true")
        files = [await caller.fetch(url) for url in (result["label"], heard.result["shipping_label"])]
    assert files[0].body == files[1].body


async def test_a_guessed_link_gives_nothing_and_an_unknown_waybill_has_no_label() -> None:
    async with calling() as caller:
        assert (await caller.fetch("http://127.0.0.1/labels/guessed.pdf")).status == 403
        assert (await caller.get(LABEL, waybill="000", cp_id="129")).code == 330


async def test_plain_labels_have_the_right_pages_and_are_all_different() -> None:
    options = Options(policy=Policy(enabled=False), plain_labels=True)
    async with calling(options=options) as caller:
        urls = [(await caller.post(B2B, b2b_order(f"ORDER{n}-P1"))).result["label"] for n in range(2)]
        one, other = [await caller.fetch(url) for url in urls]
    assert one.body != other.body
    assert len(pages(one)) == len(pages(other)) == 3
