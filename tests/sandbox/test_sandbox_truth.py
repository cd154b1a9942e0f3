"""What the sandbox knows to be true: one booking a reference, and everything that was asked of it."""

import pytest
from sandbox_caller import B2B, b2b_order, calling

from bilty_sandbox import Kind, Policy, Rule

REFERENCE = "ORDER001-P1"
TRUTH = "/sandbox/truth"


async def test_the_truth_of_a_booking_is_told_whole() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        truth = await caller.truth(REFERENCE)
    assert (truth["cp_id"], truth["account_code"], truth["style"]) == (129, "Bluedart-Surface", "b2b_v1")
    assert (truth["awb"], truth["invoices"], truth["purchase_orders"]) == (placed["waybill"], ["DG/77"], ["BR-9"])
    assert [(child["awb"], child["reference"], child["box"]) for child in truth["children"]] == [
        (child["waybill"], child["reference_number"], box) for box, child in enumerate(placed["children"], start=1)
    ]
    assert truth["boxes_count"] == 3
    assert truth["boxes"][0] == {
        "number": 1,
        "reference": "ORDER001-1.001",
        "description": "Shirts 1",
        "weight_g": 2000,
        "length_cm": 40,
        "breadth_cm": 30,
        "height_cm": 25,
    }
    assert truth["pickup_time"] == "2025-10-09T15:30:00+0530"
    assert truth["appointment"]["start_time"] == "2025-10-13T10:00:00+0530"
    assert truth["received_at"] == truth["booked_at"] == truth["label_ready_at"]
    assert (truth["live"], truth["cancelled"], truth["picked_up"]) == (True, False, False)


async def test_one_reference_is_one_booking_however_often_and_whatever_is_posted() -> None:
    other_courier = {"shipment_info__courier_partner": 61, "shipment_info__account_code": "Xpressbees-Cargo"}
    async with calling() as caller:
        first = await caller.post(B2B, b2b_order())
        again = await caller.post(B2B, b2b_order())
        other = await caller.post(B2B, b2b_order(changed=other_courier))
        truth = await caller.truth(REFERENCE)
    assert [heard.code for heard in (first, again, other)] == [200, 323, 323]
    assert {heard.result["waybill"] for heard in (first, again, other)} == {truth["awb"]}
    assert other.result["courier_partner_id"] == 129
    assert (truth["posts"], truth["posts_that_differed"], truth["posts_to_other_couriers"]) == (3, 1, 1)


async def test_a_cancelled_order_is_still_what_its_reference_answers_with() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        await caller.get("/api/v1/cancel-order/", waybill=placed["waybill"], cp_id="129")
        again = await caller.post(B2B, b2b_order())
        truth = await caller.truth(REFERENCE)
    assert (again.code, again.result["waybill"]) == (323, placed["waybill"])
    assert (truth["live"], truth["cancelled"], truth["cancel_calls"]) == (False, True, 1)


async def test_pending_names_what_may_yet_get_an_awb_and_only_that() -> None:
    rules = tuple(
        Rule((kind,), reference_prefix=kind) for kind in (Kind.LATE, Kind.NEVER, Kind.REFUSE_319, Kind.AT_ONCE)
    )
    async with calling() as caller:
        caller.sandbox.world.policy = Policy(enabled=False, rules=rules)
        for rule in rules:
            await caller.post(B2B, b2b_order(rule.reference_prefix))
        during = (await caller.bare("GET", TRUTH)).json
        hidden = await caller.truth(Kind.LATE)
        caller.clock.advance(20 * 60)
        after = (await caller.bare("GET", TRUTH)).json
    assert (during["pending"], after["pending"]) == (["late"], [])
    assert (hidden["awb"], hidden["children"], hidden["stage"]) == ("", [], "working")
    assert {each["reference"]: each["stage"] for each in after["bookings"]} == {
        "late": "booked",
        "never": "never",
        "refuse_319": "failed",
        "at_once": "booked",
    }


async def test_the_truth_comes_in_pages_and_by_reference() -> None:
    async with calling() as caller:
        for number in range(5):
            await caller.post(B2B, b2b_order(f"ORDER{number}"))
        page = (await caller.bare("GET", TRUTH, limit="2", offset="3")).json
        none = (await caller.bare("GET", TRUTH, reference="OTHER")).json
    assert (page["total"], [each["reference"] for each in page["bookings"]]) == (5, ["ORDER3", "ORDER4"])
    assert (none["total"], none["bookings"]) == (0, [])


async def test_every_awb_is_given_out_once() -> None:
    async with calling(Kind.CHILD_EXTRA) as caller:
        for number in range(100):
            await caller.post(B2B, b2b_order(f"ORDER{number}", boxes=2))
        bookings = caller.sandbox.book.bookings()
    numbers = [awb for each in bookings for awb in (each.awb, *(child.awb for child in each.children))]
    assert len(set(numbers)) == len(numbers) == 400


async def test_calls_kinds_and_refusals_are_counted_and_reset_forgets_all() -> None:
    async with calling(Kind.LATE) as caller:
        await caller.post(B2B, b2b_order())
        await caller.post(B2B, b2b_order("R" * 21))
        await caller.status(REFERENCE)
        counted = (await caller.bare("GET", "/sandbox/counters")).json
        await caller.bare("PUT", "/sandbox/mischief", b'{"enabled": true}')
        await caller.bare("POST", "/sandbox/reset")
        after = (await caller.bare("GET", "/sandbox/counters")).json
        policy = (await caller.bare("GET", "/sandbox/mischief")).json
    assert counted == {
        "calls": {"POST /api/v1/create-b2b-order": 2, "GET /api/v1/create-b2b-order": 1},
        "kinds": {"late": 1},
        "refusals": {"422": 1},
        "bookings": 1,
    }
    assert after == {"calls": {}, "kinds": {}, "refusals": {}, "bookings": 0}
    assert (policy["enabled"], policy["rules"][0]["kinds"]) == (False, ["late"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sandbox/pickups", b'{"awb": "000"}', 404),
        ("/sandbox/pickups", b"{}", 400),
        ("/sandbox/outages", b'{"minutes": 1}', 400),
        ("/sandbox/nothing", b"", 404),
    ],
)
async def test_a_wrong_control_call_is_told_so(path: str, body: bytes, status: int) -> None:
    async with calling() as caller:
        assert (await caller.bare("POST", path, body)).status == status
