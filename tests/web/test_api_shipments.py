"""Shipments over the wire: taken in once, scheduled, waited for, read."""

import asyncio

import pytest

from bilty.reply import Accepted, Child, Label, Paper, Ranking
from bilty.web.changes import Watch
from web.house import NO, P1, PDF, RANKED, House, shipment


async def test_a_shipment_is_taken_in_as_it_was_sent(furnished: House) -> None:
    answer = await furnished.call("POST", "/shipments", shipment())
    assert answer.status_code == 201
    document = answer.json()
    assert answer.headers["location"] == f"/api/v1/shipments/{document['id']}"
    assert document["status"] == "created"
    assert document["payment"] == {"mode": "prepaid", "cod_amount": "0.00"}
    assert document["invoices"][0]["value"] == "23600.00"
    assert [box["count"] for box in document["boxes"]] == [2, 1]
    assert document["created_at"].endswith("Z")
    blank = ("courier", "awb", "label_url", "next_poll_at", "window_ends_at", "problem")
    assert [document[name] for name in blank] == [None] * len(blank)
    assert (document["run"], document["polls_done"], document["warnings"]) == (0, 0, [])
    read = await furnished.call("GET", f"/shipments/{document['id']}")
    assert read.json() == document


async def test_what_was_answered_may_be_sent_again(furnished: House) -> None:
    document = (await furnished.call("POST", "/shipments", shipment())).json()
    again = {name: document[name] for name in shipment() if name != "boxes"} | {"boxes": document["boxes"]}
    answer = await furnished.call("POST", "/shipments", again)
    assert answer.status_code == 200, answer.text
    assert answer.json() == document


async def test_the_same_again_is_the_same_and_other_content_is_refused(furnished: House) -> None:
    first = (await furnished.call("POST", "/shipments", shipment())).json()
    same = await furnished.call("POST", "/shipments", shipment())
    assert (same.status_code, same.json()["id"]) == (200, first["id"])
    other = await furnished.call("POST", "/shipments", shipment(order_number="another"))
    assert other.status_code == 409
    assert other.json()["type"] == "urn:bilty:problem:number_taken"


async def test_many_at_once_are_one(furnished: House) -> None:
    sent = [furnished.call("POST", "/shipments", shipment(schedule=True)) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert {answer.json()["run"] for answer in answers} == {1}
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM turns") == 1


async def test_each_of_many_at_once_is_answered_with_its_own(furnished: House) -> None:
    sent = [
        furnished.call("POST", "/shipments", shipment(number=f"SO-{n}", schedule=n % 2 == 0, facility=facility))
        for n, facility in enumerate(["BLR-1", "BLR-1", "NOWHERE", "BLR-1"] * 5)
    ]
    answers = await asyncio.gather(*sent)
    assert [answer.status_code for answer in answers] == [202, 201, 422, 201] * 5
    known = [answer.json()["number"] for answer in answers if answer.status_code != 422]
    assert known == [f"SO-{n}" for n in range(20) if n % 4 != 2]


async def test_one_number_with_two_contents_at_once_is_taken_once(furnished: House) -> None:
    sent = [furnished.call("POST", "/shipments", shipment(order_number=f"O-{n}")) for n in range(6)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert codes == [201] + [409] * 5


@pytest.mark.parametrize("field", ["facility", "shipping_provider"])
async def test_an_unknown_party_is_named(furnished: House, field: str) -> None:
    answer = await furnished.call("POST", "/shipments", shipment(**{field: "nowhere"}))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM shipments") == 0


async def test_scheduled_at_once_is_answered_before_it_is_booked(furnished: House) -> None:
    answer = await furnished.call("POST", "/shipments", shipment(schedule=True))
    assert (answer.status_code, answer.json()["status"]) == (202, "scheduling")


async def test_a_repeated_request_does_not_book_what_has_failed_since(furnished: House) -> None:
    first = (await furnished.call("POST", "/shipments", shipment(schedule=True))).json()
    await furnished.hears(Ranking((P1,)), NO)
    again = await furnished.call("POST", "/shipments", shipment(schedule=True))
    assert (again.status_code, again.json()["status"], again.json()["run"]) == (200, "failed", 1)
    assert "pin not in lane" in again.json()["problem"]["message"]
    scheduled = await furnished.call("POST", f"/shipments/{first['id']}/schedules", {"run": 2})
    assert (scheduled.status_code, scheduled.json()["run"]) == (202, 2)


async def _schedules(house: House, shipment_id: int, *wanted: object) -> list[tuple[int, int, str]]:
    """Asked one after the other: status, run and standing."""
    answers = [await house.call("POST", f"/shipments/{shipment_id}/schedules", each) for each in wanted]
    return [(each.status_code, each.json()["run"], each.json()["status"]) for each in answers]


async def test_a_schedule_that_is_repeated_after_its_run_has_failed_begins_none(furnished: House) -> None:
    """Its answer may have been lost: a second AWB is not bought for that."""
    shipment_id = await furnished.takes_in()
    assert await _schedules(furnished, shipment_id, None) == [(202, 1, "scheduling")]
    await furnished.hears(RANKED, NO, NO, NO)
    assert await _schedules(furnished, shipment_id, None, {}, {"run": 1}) == [(200, 1, "failed")] * 3
    assert await _schedules(furnished, shipment_id, {"run": 2}, {"run": 2}) == [(202, 2, "scheduling")] * 2
    await furnished.hears(RANKED, NO, NO, NO)
    assert await _schedules(furnished, shipment_id, {"run": 2}, None) == [(200, 2, "failed")] * 2
    assert await furnished.tools.pool.fetchval("SELECT max(run) FROM turns") == 2


async def test_many_who_begin_the_same_run_begin_it_once(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(Ranking((P1,)), NO)
    path = f"/shipments/{shipment_id}/schedules"
    answers = await asyncio.gather(*(furnished.call("POST", path, {"run": 2}) for _ in range(8)))
    assert {(answer.status_code, answer.json()["run"]) for answer in answers} == {(202, 2)}
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM turns WHERE run = 2") == 1


async def test_a_run_that_cannot_begin_says_why(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    path = f"/shipments/{shipment_id}/schedules"
    early = await furnished.call("POST", path, {"run": 2})
    assert early.status_code == 422
    assert early.json()["errors"] == [{"field": "run", "value": "2", "message": early.json()["detail"]}]
    assert early.json()["detail"].startswith("run is 2: this shipment's next run is 1. ")
    for run in (0, -1, 1.5, True, [1], "next"):
        answer = await furnished.call("POST", path, {"run": run})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "run"), run
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["run"] == 0
    await furnished.call("POST", path)
    open_still = await furnished.call("POST", path, {"run": 2})
    assert (open_still.status_code, open_still.json()["type"]) == (409, "urn:bilty:problem:scheduled")
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    booked = await furnished.call("POST", path, {"run": 2})
    assert booked.status_code == 409
    assert booked.json()["detail"] == "It is scheduled already. Delhivery B2B's label is here, under AWB AWB1."
    far = await furnished.call("POST", path, {"run": 3})
    assert (far.status_code, "next run is 2" in far.json()["detail"]) == (422, True)
    assert await furnished.tools.pool.fetchval("SELECT max(run) FROM turns") == 1


async def test_a_cancelled_shipment_is_answered_as_it_is_and_not_begun(furnished: House) -> None:
    booked, idle = await furnished.takes_in(schedule=True), await furnished.takes_in(number="SO-2")
    await furnished.hears(Ranking((P1,)), NO)
    for each in (booked, idle):
        await furnished.call("POST", f"/shipments/{each}/cancellation")
    assert await _schedules(furnished, booked, None) == [(200, 1, "cancelled")]
    for shipment_id, run in ((booked, 2), (idle, 1)):
        answer = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {"run": run})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:bilty:problem:cancelled")


async def test_waiting_is_answered_when_the_label_is_there(furnished: House) -> None:
    with furnished.tools.changes.watch() as watch:
        waiting = asyncio.create_task(
            furnished.call("POST", "/shipments", shipment(schedule=True), Prefer="respond-async, wait=60")
        )
        await _turns(furnished, watch, 1)
    await furnished.hears(RANKED, Accepted())
    assert not waiting.done()
    await furnished.labels("AWB1")
    answer = await waiting
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=60"
    document = answer.json()
    assert (document["status"], document["awb"]) == ("label_ready", "AWB1")
    assert document["courier"] == {"cp_id": 4, "account_code": "main", "name": "Delhivery B2B", "priority": 1}
    label = await furnished.call("GET", document["label_url"].partition("/api/v1")[2])
    assert label.content == PDF
    assert label.headers["content-type"] == "application/pdf"


async def _turns(house: House, watch: Watch, count: int) -> None:
    """Until so many turns have begun."""
    while await house.tools.pool.fetchval("SELECT count(*) FROM turns") < count:
        assert await watch.next_change(60) is not None


async def test_waiters_hold_no_connection(furnished: House) -> None:
    ids = [await furnished.takes_in(number=f"SO-{n}") for n in range(40)]
    with furnished.tools.changes.watch() as watch:
        waiting = [
            asyncio.create_task(furnished.call("POST", f"/shipments/{each}/schedules", Prefer="wait=60"))
            for each in ids
        ]
        await _turns(furnished, watch, len(ids))
    assert (await furnished.call("GET", f"/shipments/{ids[0]}")).status_code == 200
    await furnished.hears(Ranking(()))
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"not_serviceable"}


async def test_202_is_said_of_what_is_under_way_and_of_nothing_else(furnished: House) -> None:
    sent = shipment(schedule=True)
    first, again = [await furnished.call("POST", "/shipments", sent) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert "retry-after" in again.headers
    with furnished.tools.changes.watch() as watch:
        other = shipment(number="SO-2", schedule=True)
        waiting = asyncio.create_task(furnished.call("POST", "/shipments", other, Prefer="wait=60"))
        await _turns(furnished, watch, 2)
    await furnished.hears(Ranking((P1,)), NO)
    refused = await waiting
    assert (refused.status_code, refused.json()["status"]) == (201, "failed")
    assert "retry-after" not in refused.headers
    assert (await furnished.call("POST", "/shipments", other, Prefer="wait=60")).status_code == 200


async def test_a_wait_that_is_over_is_answered_as_things_are(furnished: House) -> None:
    answer = await furnished.call("POST", "/shipments", shipment(schedule=True), Prefer="wait=1")
    assert (answer.status_code, answer.json()["status"]) == (202, "scheduling")


async def test_scheduling_again_is_the_one_that_is_open(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    first = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {})
    second = await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    assert [first.status_code, second.status_code] == [202, 202]
    assert second.json()["run"] == 1
    await furnished.hears(RANKED)
    await furnished.labels("AWB1")
    third = await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    assert (third.status_code, third.json()["run"], third.json()["status"]) == (200, 1, "label_ready")


async def test_a_held_shipment_says_why(furnished: House) -> None:
    invoice = {"number": "INV-1", "date": "2026-11-20", "value": "60000.00"}
    answer = await furnished.call("POST", "/shipments", shipment(invoices=[invoice], schedule=True))
    assert (answer.status_code, answer.json()["status"]) == (201, "on_hold")
    assert answer.json()["problem"]["code"] == "on_hold"
    refused = await furnished.call("POST", f"/shipments/{answer.json()['id']}/schedules")
    assert refused.status_code == 409
    assert "e-way bill" in refused.json()["detail"]
    path = f"/shipments/{answer.json()['id']}/schedules"
    wrong = await furnished.call("POST", path, {"without_ewaybill": "please"})
    assert (wrong.status_code, "without_ewaybill" in wrong.json()["detail"]) == (422, True)
    without = await furnished.call("POST", path, {"without_ewaybill": True})
    assert (without.status_code, without.json()["status"], without.json()["run"]) == (202, "scheduling", 1)


async def test_the_window_is_told(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, Accepted(), Accepted())
    document = (await furnished.call("GET", f"/shipments/{shipment_id}")).json()
    assert (document["status"], document["polls_done"]) == ("label_requested", 1)
    assert document["courier"]["priority"] == 2
    assert document["next_poll_at"] < document["window_ends_at"]
    assert document["problem"] is None


async def test_the_list_goes_by_pages(furnished: House) -> None:
    ids = [await furnished.takes_in(number=f"SO-{n}") for n in range(5)]
    path, seen = "/shipments?limit=2", []
    while path:
        page = (await furnished.call("GET", path)).json()
        seen += [each["id"] for each in page["items"]]
        path = (page["next"] or "").partition("/api/v1")[2]
    assert seen == ids[::-1]
    assert (await furnished.call("GET", "/shipments?status=failed")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", ["status=lost", "limit=0", "limit=201", "limit=x", "after=-1", "after=" + "9" * 30])
async def test_a_bad_query_is_named(furnished: House, query: str) -> None:
    answer = await furnished.call("GET", f"/shipments?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_a_label_that_is_not_there_says_why(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    answer = await furnished.call("GET", f"/shipments/{shipment_id}/label.pdf")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no label yet. Not scheduled yet."
    await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    await furnished.hears(RANKED, Label("AWB1"), Paper("0" * 64, 1))
    lost = await furnished.call("GET", f"/shipments/{shipment_id}/label.pdf")
    assert (lost.status_code, lost.json()["type"]) == (404, "urn:bilty:problem:label_lost")
    assert lost.json()["detail"] == "The label store no longer has this label: it is fetched again."
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["status"] == "label_requested"


async def test_boxes_and_timeline(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    children = tuple(Child(f"C{n}", reference=f"SO-1001-{n}") for n in (3, 1, 2))
    await furnished.hears(RANKED, Label("AWB1", children=children))
    boxes = (await furnished.call("GET", f"/shipments/{shipment_id}/boxes")).json()
    assert boxes["items"] == [{"number": n, "reference": f"SO-1001-{n}", "awb": f"C{n}"} for n in (1, 2, 3)]
    lines = (await furnished.call("GET", f"/shipments/{shipment_id}/timeline")).json()["items"]
    assert lines[0]["told"] == "Taken in."
    assert "Delhivery B2B booked it and gave the AWB. Fetching its label." in [line["told"] for line in lines]


@pytest.mark.parametrize("path", ["", "/timeline", "/label.pdf", "/boxes"])
@pytest.mark.parametrize("number", ["999", "0", "9" * 25, "%D9%A1", "+1", "0001", "%201", "-0"])
async def test_what_is_not_there_is_404(furnished: House, number: str, path: str) -> None:
    """Nor is what Python reads as a number: 1 is written in one way."""
    assert await furnished.takes_in() == 1
    answer = await furnished.call("GET", f"/shipments/{number}{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_misspelt_question_is_not_answered_as_if_it_had_not_been_asked(furnished: House) -> None:
    answer = await furnished.call("GET", "/shipments?nummer=SO-1")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "nummer")
    assert "status, facility, number" in answer.json()["detail"]


@pytest.mark.parametrize("given", [1, 0, 1.0, "yes", [True]])
async def test_goods_without_papers_are_not_sent_by_a_number(furnished: House, given: object) -> None:
    """To Python 1 is True: a schedule that says so was taken for the wish to go without an e-way bill."""
    shipment_id = await furnished.takes_in(invoices=[{"number": "INV-1", "date": "2026-11-20", "value": "99000.00"}])
    answer = await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {"without_ewaybill": given})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "without_ewaybill"
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["status"] == "on_hold"
