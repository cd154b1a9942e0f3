"""Each documented call, as a well-behaved account hears it."""

from typing import Any

import msgspec
import pytest
from sandbox_caller import B2B, MPS, b2b_order, calling, mps_order

from bilty_sandbox.couriers import ACCOUNTS, Numbering, preferences, ranking
from bilty_sandbox.kinds import Kind

BOOK = [(B2B, b2b_order()), (MPS, mps_order())]
RECOMMEND = "/api/v1/recommendation_api/"
ACCOUNTS_PATH = "/api/v1/fetch-accounts"
CANCEL = "/api/v1/cancel-order/"
TRACK = "/api/v2/track-order/"
EDIT = "/api/v1/edit-order/"
PICKUP = "/api/v1/create-pickup/"
LABEL = "/api/v1/fetch/shippinglabel/"


def lane(pickup: str = "411013", drop: str = "201301") -> Any:
    return [
        {
            "reference_number": "ORDER001",
            "item": "Shirts",
            "pickup_pincode": pickup,
            "drop_pincode": drop,
            "order_type": "PREPAID",
            "delivery_type": "FORWARD",
            "invoice_value": 48000,
            "additional": {},
        }
    ]


def waybill(result: Any) -> dict[str, str]:
    return {"waybill": result["waybill"], "cp_id": str(result["courier_partner_id"])}


@pytest.mark.parametrize(("path", "order"), BOOK)
async def test_an_order_placed_at_once_answers_200_with_awb_label_and_children(path: str, order: Any) -> None:
    async with calling() as caller:
        heard = await caller.post(path, order)
    assert (heard.status, heard.code, heard.json["meta"]["success"]) == (200, 200, True)
    assert heard.result["reference_number"] == "ORDER001-P1"
    assert heard.result["waybill"]
    assert heard.result["label"].endswith(".pdf")
    assert len(heard.result["children"]) == 3
    assert isinstance(heard.json["order_id"], int)
    assert isinstance(heard.json["tracking_id"], int)


async def test_b2b_children_are_named_by_reference_and_mps_children_by_their_item() -> None:
    async with calling() as caller:
        b2b = (await caller.post(B2B, b2b_order())).result["children"]
        mps = (await caller.post(MPS, mps_order("ORDER002-P1"))).result["children"]
    assert [child["reference_number"] for child in b2b] == ["ORDER001-1.001", "ORDER001-2.001", "ORDER001-3.001"]
    assert [child["item"]["description"] for child in mps] == ["Carton 1", "Carton 2", "Carton 3"]
    assert {child["reference_number"] for child in mps} == {"ORDER002-P1"}


@pytest.mark.parametrize(("path", "order", "first"), [(B2B, b2b_order(), 102), (MPS, mps_order(), 202)])
async def test_an_asynchronous_order_is_acknowledged_worked_on_and_done(path: str, order: Any, first: int) -> None:
    async with calling(Kind.ASYNC) as caller:
        acknowledged = await caller.post(path, order)
        asked = await caller.status("ORDER001-P1", path)
        repeated = await caller.post(path, order)
        caller.clock.advance(240)
        done = await caller.status("ORDER001-P1", path)
        repeated_late = await caller.post(path, order)
    assert (acknowledged.code, asked.code, repeated.code) == (first, 102, 102)
    assert asked.json["meta"]["success"] is False
    assert all(heard.result["waybill"] is None for heard in (acknowledged, asked, repeated))
    assert (done.code, repeated_late.code) == (200, 323)
    assert done.result["waybill"] == repeated_late.result["waybill"]


async def test_a_repeated_mps_order_lists_children_by_description_and_sku_alone() -> None:
    async with calling() as caller:
        await caller.post(MPS, mps_order())
        heard = await caller.post(MPS, mps_order())
    assert heard.code == 323
    assert [set(child) for child in heard.result["children"]] == [{"waybill", "description", "sku"}] * 3


@pytest.mark.parametrize(("path", "order", "code"), [(B2B, b2b_order(), 420), (MPS, mps_order(), 319)])
async def test_an_order_that_fails_while_worked_on_has_its_reference_outside_any_result(
    path: str, order: Any, code: int
) -> None:
    async with calling(Kind.FAIL_LATER) as caller:
        await caller.post(path, order)
        assert (await caller.status("ORDER001-P1", path)).code == 102
        caller.clock.advance(180)
        heard = await caller.status("ORDER001-P1", path)
    assert (heard.code, heard.json["reference_number"]) == (code, "ORDER001-P1")
    assert "result" not in heard.json


async def test_the_status_call_takes_awb_and_courier_and_does_not_know_what_was_never_placed() -> None:
    async with calling() as caller:
        placed = (await caller.post(MPS, mps_order())).result
        by_awb = await caller.bare("GET", MPS, key=caller.sandbox.key, awb=placed["waybill"], cp_id="61")
        other_courier = await caller.bare("GET", MPS, key=caller.sandbox.key, awb=placed["waybill"], cp_id="129")
        unknown = await caller.status("NEVER-SENT")
    assert by_awb.result["reference_number"] == "ORDER001-P1"
    assert (other_courier.code, unknown.code, unknown.status) == (321, 321, 200)


async def test_the_recommendation_is_out_of_order_repeats_an_account_and_ranks_more_than_three() -> None:
    async with calling() as caller:
        heard = await caller.bare("POST", RECOMMEND, _json(lane()), key=caller.sandbox.key)
    listed = heard.result[0]["preference_array"]
    identities = [(entry["cp_id"], entry["account_code"]) for entry in listed]
    assert heard.code == 200
    assert len(set(identities)) > 3
    assert len(set(identities)) == len(identities) - 1
    assert [entry["priority"] for entry in listed] != sorted(entry["priority"] for entry in listed)
    assert all(isinstance(entry["async"], bool) for entry in listed)


async def test_a_pin_that_nobody_serves_is_a_success_with_nothing_in_it() -> None:
    async with calling() as caller:
        for pin in ("744301", "793001"):
            heard = await caller.bare("POST", RECOMMEND, _json(lane(drop=pin)), key=caller.sandbox.key)
            assert heard.json["meta"] == {"status": 200, "success": True, "message": "Pin code not serviceable"}
            assert heard.result == []


def test_every_lane_is_ranked_the_same_again_and_lanes_differ() -> None:
    lanes = [tuple(a.account_code for a in ranking(7, "411013", f"{110001 + n}")) for n in range(50)]
    assert lanes == [tuple(a.account_code for a in ranking(7, "411013", f"{110001 + n}")) for n in range(50)]
    assert len({ranked[0] for ranked in lanes}) == len([a for a in ACCOUNTS if a.active])
    unsorted = [preferences(7, "411013", f"{110001 + n}") for n in range(50)]
    assert sum([p for p, _ in listed] != sorted(p for p, _ in listed) for listed in unsorted) > 40


async def test_accounts_are_listed_and_the_inactive_one_left_out_on_request() -> None:
    async with calling() as caller:
        every = (await caller.bare("GET", ACCOUNTS_PATH, key=caller.sandbox.key)).result["accounts"]
        active = (await caller.bare("GET", ACCOUNTS_PATH, key=caller.sandbox.key, active="true")).result["accounts"]
    assert {account["account_active"] for account in every} == {True, False}
    assert {account["account_active"] for account in active} == {True}
    assert sum(account["courier_partner_id"] == 113 for account in active) == 2


@pytest.mark.parametrize("path", [B2B, MPS, CANCEL, TRACK, EDIT, PICKUP, LABEL, RECOMMEND, ACCOUNTS_PATH])
async def test_a_wrong_key_is_301_in_an_answer_of_200(path: str) -> None:
    method = "POST" if path in {B2B, MPS, RECOMMEND, EDIT, PICKUP} else "GET"
    async with calling() as caller:
        heard = await caller.bare(method, path, b"{}", username="demo", key="somebody-else")
    assert (heard.status, heard.code) == (200, 301)


@pytest.mark.parametrize(("method", "path", "code"), [("POST", B2B, 301), ("GET", CANCEL, 301), ("GET", B2B, 321)])
async def test_a_username_is_wanted_except_where_the_key_is_enough(method: str, path: str, code: int) -> None:
    async with calling() as caller:
        heard = await caller.bare(method, path, b"", key=caller.sandbox.key, reference_number="X")
    assert heard.code == code


@pytest.mark.parametrize(
    ("code", "cp_id", "account"),
    [(302, 4711, "Bluedart-Surface"), (351, 129, "Delhivery-B2B"), (353, 9005, "Om-LTL")],
)
async def test_couriers_and_accounts_that_are_not_set_up_are_refused(code: int, cp_id: int, account: str) -> None:
    changed: dict[str, object] = {
        "shipment_info__courier_partner": cp_id,
        "shipment_info__account_code": account,
    }
    async with calling() as caller:
        assert (await caller.post(B2B, b2b_order(changed=changed))).code == code


async def test_an_awb_is_cancelled_once_and_its_tracking_says_so() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        before = await caller.get(TRACK, **waybill(placed))
        codes = [(await caller.get(CANCEL, **waybill(placed), account_code="Bluedart-Surface")).code for _ in range(2)]
        after = await caller.get(TRACK, **waybill(placed))
    assert codes == [200, 600]
    assert [_tracked(heard, placed) for heard in (before, after)] == [1, 10]


async def test_a_cancel_that_names_the_wrong_thing_is_refused() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        child = placed["children"][0]["waybill"]
        for query, code in (
            ({"waybill": "000", "cp_id": "129"}, 350),
            ({"waybill": child, "cp_id": "129"}, 350),
            ({"waybill": placed["waybill"], "cp_id": "61"}, 350),
            (waybill(placed) | {"account_code": "None-Such"}, 351),
        ):
            assert (await caller.get(CANCEL, **query)).code == code
        assert (await caller.truth("ORDER001-P1"))["live"]


async def test_what_has_been_picked_up_is_not_cancelled_but_brought_back() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        await caller.bare("POST", "/sandbox/pickups", _json({"awb": placed["waybill"]}))
        assert _tracked(await caller.get(TRACK, **waybill(placed)), placed) == 4
        heard = [(await caller.get(CANCEL, **waybill(placed))).code for _ in range(2)]
        tracked = await caller.get(TRACK, **waybill(placed))
        truth = await caller.truth("ORDER001-P1")
    assert heard == [200, 600]
    assert _tracked(tracked, placed) == 11
    assert (truth["returned"], truth["picked_up"], truth["cancelled"]) == (True, True, False)


async def test_tracking_takes_five_awbs_and_tells_an_unknown_one() -> None:
    async with calling() as caller:
        one = await caller.get(TRACK, waybill="1,2", cp_id="129")
        six = await caller.get(TRACK, waybill="1,2,3,4,5,6", cp_id="129")
    assert one.result == {"1": {"valid": False}, "2": {"valid": False}}
    assert six.code == 400


async def test_an_ewaybill_can_be_added_to_an_awb() -> None:
    edit = {
        "courier_partner": 129,
        "edit_order_service": 2,
        "ewaybill_serial_number": "181000609282",
        "invoice_number": "DG/77",
        "invoice_date": "2025-10-08",
    }
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        assert (await caller.post(EDIT, edit | {"awb_number": placed["waybill"]})).code == 200
        assert (await caller.post(EDIT, edit | {"awb_number": "000"})).code == 321
        assert (await caller.post(EDIT, {"awb_number": placed["waybill"]})).code == 314
        assert (await caller.truth("ORDER001-P1"))["ewaybills"] == {"DG/77": "181000609282"}


@pytest.mark.parametrize("account", [account for account in ACCOUNTS if account.active], ids=lambda a: a.account_code)
async def test_each_courier_numbers_its_boxes_in_its_own_way(account: Any) -> None:
    changed: dict[str, object] = {
        "shipment_info__courier_partner": account.cp_id,
        "shipment_info__account_code": account.account_code,
    }
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order(changed=changed))).result
    parent, children = placed["waybill"], [child["waybill"] for child in placed["children"]]
    assert len({parent, *children}) == 4
    match account.numbering:
        case Numbering.UNDERSCORE:
            assert children == [f"{parent}_1", f"{parent}_2", f"{parent}_3"]
        case Numbering.DASH:
            assert children == [f"{parent}-0001", f"{parent}-0002", f"{parent}-0003"]
        case Numbering.SUFFIX:
            assert children == [f"{parent}00001", f"{parent}00002", f"{parent}00003"]
        case _:
            assert not any(child.startswith(parent) for child in children)


async def test_an_unknown_address_is_404_in_html() -> None:
    async with calling() as caller:
        heard = await caller.get("/api/v9/nothing/")
    assert (heard.status, heard.headers["content-type"]) == (404, "text/html; charset=utf-8")


def _tracked(heard: Any, placed: Any) -> int:
    return int(heard.result[placed["waybill"]]["latest_status"]["clickpost_status_code"])


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
