"""What a person decides, over the wire: listed, done, refused with who was faster, and charged for by admins alone."""

import hashlib
import io
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pypdf
import pytest

from bilty.oms import label_link
from bilty.reply import Cancelled, Label, NotYet, Refusal, Refused
from bilty.store.access import Role, Scope
from bilty.turn import State
from web.house import NO, House
from web.test_acting import scheduled, turn_of, undecided, unlabelled, waiting


async def decides(
    house: House, shipment_id: int, act: str, *, scope: Scope = Scope.DISPATCH, **given: Any
) -> httpx.Response:
    return await house.call("POST", f"/shipments/{shipment_id}/decisions", {"act": act, **given}, scope=scope)


async def offered(house: House, shipment_id: int) -> dict[str, Any]:
    answer = await house.call("GET", f"/shipments/{shipment_id}/decisions", scope=Scope.READ)
    assert answer.status_code == 200
    return {each["act"]: each for each in answer.json()["items"]}


async def labelled(house: House) -> int:
    shipment_id = await scheduled(house)
    await house.labels("AWB1001")
    return shipment_id


def pdf(pages: int = 3) -> bytes:
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(288, 432)
    writer.write(file)
    return file.getvalue()


async def uploads(
    house: House, shipment_id: int, reference: str, content: bytes, media: str = "application/pdf"
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {await house.key(Scope.DISPATCH)}", "Content-Type": media}
    return await house.api.put(
        f"/api/v1/shipments/{shipment_id}/turns/{reference}/label.pdf", headers=headers, content=content
    )


async def test_what_may_be_decided_is_listed_as_the_panel_has_buttons(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    found = await offered(furnished, shipment_id)
    assert set(found) == {"poll-now", "fall-over", "cancel"}
    over = found["fall-over"]
    assert (over["reference"], over["courier"]["name"], over["scope"]) == (turn.reference, "Delhivery B2B", "dispatch")
    assert "may still book it" in over["risk"]
    assert over["url"].endswith(f"/api/v1/shipments/{shipment_id}/decisions")
    assert found["cancel"]["reference"] == ""


async def test_a_decision_is_done_and_told_like_the_panels(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    answer = await decides(furnished, shipment_id, "fall-over", reference=turn.reference)
    assert (answer.status_code, answer.json()["status"]) == (202, "scheduling")
    assert (await turn_of(furnished, shipment_id)).state is State.LAPSED
    told = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    assert "dispatch key ended Delhivery B2B's turn before its time." in [each["told"] for each in told]
    trail = await furnished.tools.pool.fetch("SELECT actor_kind, actor FROM audit WHERE action = 'fall over'")
    assert [tuple(row) for row in trail] == [("key", "dispatch key")]


async def test_a_repeat_under_one_key_is_done_once(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    wish = {"act": "fall-over", "reference": turn.reference}
    path = f"/shipments/{shipment_id}/decisions"
    first, again = [await furnished.call("POST", path, wish, Idempotency_Key="k-1") for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotency-replayed"] == "true"
    other = await furnished.call("POST", path, wish)
    assert (other.status_code, other.json()["type"]) == (409, "urn:bilty:problem:not_possible")


async def test_whoever_comes_second_is_told_by_whom_and_what(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    await furnished.sign_in()
    await furnished.send(f"/shipments/{shipment_id}/acts/cancel")
    refused = await decides(furnished, shipment_id, "fall-over", reference=turn.reference)
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("asha@example.com cancelled it at ")
    assert refused.json()["detail"].endswith("The shipment is cancelled: nothing is booked for it any more.")
    page = await furnished.told(
        await furnished.send(f"/shipments/{shipment_id}/acts/fall-over?reference={turn.reference}")
    )
    assert "Nothing was changed. asha@example.com cancelled it at " in page


async def test_who_only_hurried_is_not_blamed_nor_whoever_scheduled_that_very_run(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    await furnished.sign_in()
    await furnished.send(f"/shipments/{shipment_id}/acts/poll-now?reference={turn.reference}")
    await furnished.hears(NO)
    refused = await decides(furnished, shipment_id, "fall-over", reference=turn.reference)
    assert refused.json()["detail"] == "Delhivery B2B has refused."


async def test_an_awb_is_entered_with_its_blanks_and_a_slip_is_named(furnished: House) -> None:
    shipment_id = await undecided(furnished)
    turn = await turn_of(furnished, shipment_id)
    assert (await offered(furnished, shipment_id))["enter-awb"]["needs"] == ["awb"]
    slip = await decides(furnished, shipment_id, "enter-awb", reference=turn.reference, awb="A#1")
    assert (slip.status_code, slip.json()["errors"][0]["field"]) == (422, "awb")
    done = await decides(furnished, shipment_id, "enter-awb", reference=turn.reference, awb=" 1490 8100 ")
    assert (done.json()["awb"], (await turn_of(furnished, shipment_id)).state) == ("14908100", State.FETCHING)


async def test_one_courier_may_be_named_of_those_that_were_ranked(furnished: House) -> None:
    shipment_id = await scheduled(furnished)
    await furnished.hears(NO, NO, NO)
    couriers = (await offered(furnished, shipment_id))["schedule"]["couriers"]
    assert [each["name"] for each in couriers] == ["Delhivery B2B", "Blue Dart", "DTDC"]
    other = await decides(furnished, shipment_id, "schedule", courier={"cp_id": 99, "account_code": "x"})
    assert other.json()["detail"] == "ClickPost has not ranked 99/x for this shipment: leave courier out."
    done = await decides(furnished, shipment_id, "schedule", courier={"cp_id": 5, "account_code": "main"})
    assert (done.status_code, done.json()["courier"]["name"]) == (202, "Blue Dart")


@pytest.mark.parametrize(
    ("document", "field", "told"),
    [
        ({}, "act", "act is missing"),
        ({"act": "burn"}, "act", 'act is "burn"'),
        ({"act": "use-late"}, "reference", "reference is missing: give that of the turn which use-late is about."),
        ({"act": "enter-awb", "reference": "R"}, "awb", "awb is missing"),
        ({"act": "cancel", "reference": "R"}, "reference", "reference is no field of cancel: leave it out."),
        ({"act": "use-late", "reference": "R", "awb": "1"}, "awb", "awb is no field of use-late: leave it out."),
        ({"act": "use-paper", "reference": "R"}, "act", "PUT the PDF to the turn's label.pdf"),
        ({"act": "use-late", "reference": "R"}, "reference", "This shipment has no turn of the reference R."),
        ({"act": "schedule", "courier": 5}, "courier", "courier is 5: give an object"),
        ({"act": "cancel", "why": "x"}, "why", "why"),
    ],
)
async def test_what_is_malformed_is_named(furnished: House, document: dict[str, Any], field: str, told: str) -> None:
    shipment_id = await furnished.takes_in()
    answer = await furnished.call("POST", f"/shipments/{shipment_id}/decisions", document)
    assert answer.status_code == 422
    assert [(each["field"], told in each["message"]) for each in answer.json()["errors"]] == [(field, True)]
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["status"] == "created"


async def test_what_is_being_asked_about_says_when_to_come_again(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    turn = await turn_of(furnished, shipment_id)
    await furnished.tools.pool.execute(
        "UPDATE turns SET claimed_at = clock_timestamp() WHERE reference = $1", turn.reference
    )
    assert "right now" in (await offered(furnished, shipment_id))["fall-over"]["wait"]
    refused = await decides(furnished, shipment_id, "fall-over", reference=turn.reference)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bilty:problem:being_asked")
    assert 60 < int(refused.headers["retry-after"]) <= 120


# --- the courier's PDF


async def test_the_couriers_pdf_is_the_label_and_again_changes_nothing(furnished: House) -> None:
    shipment_id = await unlabelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    offer = (await offered(furnished, shipment_id))["use-paper"]
    assert (offer["method"], offer["url"].endswith(f"/turns/{turn.reference}/label.pdf")) == ("PUT", True)
    paper = pdf()
    for _ in range(2):
        answer = await uploads(furnished, shipment_id, turn.reference, paper)
        assert (answer.status_code, answer.json()["status"]) == (200, "label_ready")
    label = await furnished.call("GET", f"/shipments/{shipment_id}/label.pdf")
    assert label.content == paper
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'use paper'") == 1
    other = await uploads(furnished, shipment_id, turn.reference, pdf(1))
    assert other.status_code == 409
    assert other.json()["detail"].startswith("dispatch key uploaded Delhivery B2B's label at ")


@pytest.mark.parametrize(
    ("content", "media", "status", "told"),
    [
        (b"", "application/pdf", 422, "The file cannot be read as a PDF"),
        (b"<html>", "application/pdf", 422, "The file cannot be read as a PDF"),
        (b"%PDF-1.7 and nothing", "application/pdf", 422, "The file cannot be read as a PDF"),
        (b"%PDF-1.7", "text/plain", 415, "Content-Type: application/pdf"),
        (b"%PDF-" + b"0" * (20 * 1024 * 1024), "application/pdf", 413, ""),
    ],
    ids=["nothing", "html", "broken", "media", "large"],
)
async def test_what_is_no_label_is_refused(
    furnished: House, content: bytes, media: str, status: int, told: str
) -> None:
    shipment_id = await unlabelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    answer = await uploads(furnished, shipment_id, turn.reference, content, media)
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text
    assert (await turn_of(furnished, shipment_id)).state is State.UNLABELLED


async def test_a_turn_that_is_not_there_takes_no_label(furnished: House) -> None:
    shipment_id = await unlabelled(furnished)
    assert (await uploads(furnished, shipment_id, "NO-SUCH", pdf())).status_code == 404


async def test_the_label_of_another_awb_is_not_taken_for_this_ones(furnished: House) -> None:
    first, paper = await unlabelled(furnished), pdf()
    old = await turn_of(furnished, first)
    assert (await uploads(furnished, first, old.reference, paper)).status_code == 200
    shipment_id = await scheduled(furnished, number="SO-1002")
    await furnished.hears(Label("AWB1002"), *(NotYet() for _ in range(9)))
    turn = await turn_of(furnished, shipment_id)
    told = f"is the label of AWB {old.awb} of shipment SO-1001: ask the courier for this AWB's own label."
    answer = await uploads(furnished, shipment_id, turn.reference, paper)
    assert (answer.status_code, answer.json()["detail"]) == (422, f"The file {told}")
    await furnished.sign_in()
    page = await furnished.browser.post(
        f"/shipments/{shipment_id}/acts/use-paper?reference={turn.reference}",
        files={"file": ("label.pdf", paper, "application/pdf")},
        headers={"Origin": furnished.url},
    )
    assert (page.status_code, f"label.pdf {told}" in unescape(page.text)) == (422, True)
    assert (await turn_of(furnished, shipment_id)).state is State.UNLABELLED


async def test_a_pdf_that_comes_too_late_is_not_kept(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    paper = pdf()
    refused = await uploads(furnished, shipment_id, turn.reference, paper)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bilty:problem:not_possible")
    with pytest.raises(FileNotFoundError):
        await furnished.tools.labels.get(hashlib.sha256(paper).hexdigest())


async def test_the_same_pdf_again_is_refused_once_its_turn_is_over(furnished: House) -> None:
    shipment_id = await unlabelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    assert (await uploads(furnished, shipment_id, turn.reference, pdf())).status_code == 200
    await decides(furnished, shipment_id, "cancel")
    again = await uploads(furnished, shipment_id, turn.reference, pdf())
    assert (again.status_code, again.json()["type"]) == (409, "urn:bilty:problem:not_possible")


# --- dispatched, and brought back


async def test_the_label_of_what_was_brought_back_is_void(furnished: House) -> None:
    shipment_id = await unlabelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    assert (await uploads(furnished, shipment_id, turn.reference, pdf())).status_code == 200
    turn = await turn_of(furnished, shipment_id)
    path = f"/shipments/{shipment_id}/label.pdf"
    link = label_link.link(
        furnished.tools.vault, furnished.url, shipment_id, turn.label_sha256, await furnished.now() + timedelta(days=1)
    )
    await decides(furnished, shipment_id, "dispatch")
    await decides(furnished, shipment_id, "order-return", reference=turn.reference, scope=Scope.ADMIN)
    good = await furnished.call("GET", path)
    assert (good.headers["etag"], (await furnished.api.get(link)).status_code) == (f'"{turn.label_sha256}"', 200)

    await furnished.hears(Cancelled())
    assert (await turn_of(furnished, shipment_id)).state is State.RETURNED
    for address in (path, f"{path}?reference={turn.reference}"):
        void = await furnished.call("GET", address, If_None_Match=good.headers["etag"])
        assert (void.status_code, void.headers["etag"]) == (200, f'"{turn.label_sha256}-void"')
        assert "VOID" in pypdf.PdfReader(io.BytesIO(void.content)).pages[0].extract_text()
    gone = await furnished.api.get(link)
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:bilty:problem:label_replaced")


async def test_what_is_dispatched_is_neither_cancelled_nor_scheduled_nor_changed(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    done = await decides(furnished, shipment_id, "dispatch")
    assert (done.status_code, done.json()["status"]) == (200, "dispatched")
    again = await decides(furnished, shipment_id, "dispatch")
    assert again.json()["detail"].startswith("dispatch key marked it dispatched at ")
    cancelled = await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    assert (cancelled.status_code, cancelled.json()["type"]) == (409, "urn:bilty:problem:not_cancellable")
    assert "an admin may order a return (RTO), which is charged." in cancelled.json()["detail"]
    patched = await furnished.call("PATCH", f"/shipments/{shipment_id}", {"boxes": []}, If_Match="*")
    assert patched.status_code in {409, 422}
    await furnished.sign_in()
    assert "SO-1001" in await furnished.page("/shipments?tab=dispatched")


async def test_what_has_no_label_is_not_dispatched(furnished: House) -> None:
    shipment_id = await waiting(furnished)
    refused = await decides(furnished, shipment_id, "dispatch")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "It has no label yet: no courier can have taken it.",
    )


async def test_a_return_is_an_admins_and_comes_after_dispatch(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    turn = await turn_of(furnished, shipment_id)
    early = await decides(furnished, shipment_id, "order-return", reference=turn.reference, scope=Scope.ADMIN)
    assert early.json()["detail"] == "The shipment is not dispatched: cancel it, which is not charged."
    await decides(furnished, shipment_id, "dispatch")
    assert (await offered(furnished, shipment_id))["order-return"]["scope"] == "admin"
    small = await decides(furnished, shipment_id, "order-return", reference=turn.reference)
    assert (small.status_code, small.json()["type"]) == (403, "urn:bilty:problem:scope_too_small")
    done = await decides(furnished, shipment_id, "order-return", reference=turn.reference, scope=Scope.ADMIN)
    assert done.status_code == 200, done.text
    assert done.json()["warnings"][-1] == f"Delhivery B2B is asked to bring back AWB {turn.awb} (RTO)."
    await furnished.hears(NotYet("later"), Cancelled())
    assert (await turn_of(furnished, shipment_id)).state is State.RETURNED
    seen = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    comes_back = f"Delhivery B2B brings back AWB {turn.awb} (RTO), and charges for it."
    assert (seen["status"], seen["label_url"], seen["warnings"][-1]) == ("dispatched", None, comes_back)
    await furnished.sign_in()
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert comes_back.rstrip(".") in page


async def test_the_page_says_that_a_return_is_charged_and_dispatchers_have_no_button(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    await decides(furnished, shipment_id, "dispatch")
    turn = await turn_of(furnished, shipment_id)
    path = f"/shipments/{shipment_id}/acts/order-return?reference={turn.reference}"
    await furnished.sign_in()
    assert "Order a return" not in await furnished.page(f"/shipments/{shipment_id}")
    assert (await furnished.browser.get(path)).status_code == 403
    assert (await furnished.send(path)).status_code == 403
    await furnished.sign_in("boss@example.com", role=Role.ADMIN)
    assert "Order a return" in await furnished.page(f"/shipments/{shipment_id}")
    asked = await furnished.page(path)
    assert "charges for the way back" in asked
    await furnished.told(await furnished.send(path))
    await furnished.hears(Refused(Refusal.COURIER, 350, "already at the hub"))
    attention = await furnished.page("/attention")
    assert "already at the hub" in attention
    assert "Order a return" in attention
    assert "I have seen to it" in attention


async def test_a_booking_that_comes_second_is_told_by_whom_and_what(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    await furnished.sign_in()
    await furnished.send(f"/shipments/{shipment_id}/acts/cancel")
    refused = await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bilty:problem:cancelled")
    assert refused.json()["detail"].startswith("asha@example.com cancelled it at ")


async def test_a_change_that_comes_second_is_told_by_whom_and_what(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    tag = (await furnished.call("GET", f"/shipments/{shipment_id}")).headers["etag"]
    path = f"/shipments/{shipment_id}"
    first = await furnished.call("PATCH", path, {"order_number": "PO/1"}, scope=Scope.DISPATCH, If_Match=tag)
    second = await furnished.call("PATCH", path, {"order_number": "PO/2"}, If_Match=tag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["detail"].startswith("dispatch key ")
    assert second.json()["detail"].endswith("read it again, and see whether the change still fits.")
