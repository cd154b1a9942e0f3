"""Each kind of misbehaviour, as it shows on the wire."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sandbox_caller import B2B, Heard, b2b_order, calling

from bilty_sandbox import Family, Kind, Options, Policy, Rule
from bilty_sandbox.kinds import FAMILIES
from bilty_sandbox.plan import FAILURES

REFERENCE = "ORDER001-P1"
CANCEL = "/api/v1/cancel-order/"
LABEL = "/api/v1/fetch/shippinglabel/"
MINUTE = 60.0
OUTCOMES = FAMILIES[Family.OUTCOME]


async def booked_awb(caller: Any) -> str:
    return str((await caller.truth(REFERENCE))["awb"])


# The outcome


@pytest.mark.parametrize("kind", [kind for kind in OUTCOMES if kind.startswith("refuse_")])
async def test_a_courier_refuses_at_once_and_stays_refused(kind: Kind) -> None:
    async with calling(kind) as caller:
        codes = [(await caller.post(B2B, b2b_order())).code for _ in range(2)]
        truth = await caller.truth(REFERENCE)
    assert codes == [FAILURES[kind].code] * 2
    assert (truth["awb"], truth["stage"]) == ("", "failed")


@pytest.mark.parametrize(("kind", "code"), [(Kind.REFUSE_319, 319), (Kind.REFUSE_351, 321)])
async def test_the_status_call_knows_a_refused_reference_only_if_it_reached_the_courier(kind: Kind, code: int) -> None:
    async with calling(kind) as caller:
        await caller.post(B2B, b2b_order())
        assert (await caller.status(REFERENCE)).code == code


@pytest.mark.parametrize(
    ("kind", "http", "code"),
    [
        (Kind.BOOKED_319, 200, 319),
        (Kind.BOOKED_322, 200, 322),
        (Kind.BOOKED_329, 200, 329),
        (Kind.BOOKED_500, 500, 500),
    ],
)
async def test_an_error_is_answered_though_it_was_booked(kind: Kind, http: int, code: int) -> None:
    async with calling(kind) as caller:
        heard = await caller.post(B2B, b2b_order())
        assert (heard.status, heard.code) == (http, code)
        asked, repeated = await caller.status(REFERENCE), await caller.post(B2B, b2b_order())
        assert asked.result["waybill"] == repeated.result["waybill"] == await booked_awb(caller) != ""


async def test_a_gateway_page_is_answered_though_it_was_booked() -> None:
    async with calling(Kind.BOOKED_502) as caller:
        heard = await caller.post(B2B, b2b_order())
        assert (heard.status, heard.body[:6]) == (502, b"<html>")
        assert await booked_awb(caller)


@pytest.mark.parametrize(("kind", "booked"), [(Kind.BOOKED_RESET, True), (Kind.UNBOOKED_RESET, False)])
async def test_the_connection_is_reset(kind: Kind, booked: bool) -> None:
    async with calling(kind) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.post(B2B, b2b_order())
        assert bool(await booked_awb(caller)) is booked
        assert (await caller.status(REFERENCE)).code == (200 if booked else 321)
        assert (await caller.post(B2B, b2b_order())).result["waybill"]


async def test_half_an_answer_ends_the_connection_though_it_was_booked() -> None:
    async with calling(Kind.BOOKED_HALF) as caller:
        with pytest.raises(asyncio.IncompleteReadError) as broken_off:
            await caller.post(B2B, b2b_order())
        assert len(broken_off.value.partial) == (broken_off.value.expected or 0) // 2
        assert broken_off.value.partial.startswith(b'{"meta"')
        assert await booked_awb(caller)


async def test_an_answer_never_comes_though_it_was_booked() -> None:
    async with calling(Kind.BOOKED_HANG) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.held_back(lambda: caller.post(B2B, b2b_order()), 45)
        assert await booked_awb(caller)


@pytest.mark.parametrize(("kind", "code"), [(Kind.UNBOOKED_322, 322), (Kind.UNBOOKED_500, 500)])
async def test_an_error_is_answered_and_nothing_was_booked_until_it_is_asked_again(kind: Kind, code: int) -> None:
    async with calling(kind, times=2) as caller:
        codes = [(await caller.post(B2B, b2b_order())).code for _ in range(2)]
        unknown = await caller.status(REFERENCE)
        assert codes == [code, code]
        assert unknown.code == 321
        assert (await caller.truth(REFERENCE))["stage"] == "turned_away"
        assert (await caller.post(B2B, b2b_order())).code == 200


async def test_too_many_requests_say_when_to_come_back() -> None:
    async with calling(Kind.BUSY) as caller:
        heard = await caller.post(B2B, b2b_order())
        assert (heard.status, heard.code, heard.headers["retry-after"]) == (429, 429, "30")
        assert (await caller.post(B2B, b2b_order())).code == 200


async def test_an_asynchronous_label_takes_two_to_four_minutes() -> None:
    async with calling(Kind.ASYNC) as caller:
        await caller.post(B2B, b2b_order())
        caller.clock.advance(2 * MINUTE - 1)
        assert (await caller.status(REFERENCE)).code == 102
        caller.clock.advance(2 * MINUTE + 1)
        assert (await caller.status(REFERENCE)).code == 200


async def test_a_late_awb_comes_after_the_window_of_twelve_minutes() -> None:
    async with calling(Kind.LATE) as caller:
        await caller.post(B2B, b2b_order())
        caller.clock.advance(13 * MINUTE - 1)
        assert (await caller.status(REFERENCE)).code == 102
        caller.clock.advance(7 * MINUTE + 1)
        assert (await caller.status(REFERENCE)).code == 200


async def test_some_orders_are_worked_on_for_ever() -> None:
    async with calling(Kind.NEVER) as caller:
        await caller.post(B2B, b2b_order())
        caller.clock.advance(30 * 24 * 60 * MINUTE)
        assert (await caller.status(REFERENCE)).code == 102
        assert (await caller.truth(REFERENCE))["stage"] == "never"


async def test_already_placed_is_said_to_the_first_who_asks() -> None:
    async with calling(Kind.ALREADY_PLACED) as caller:
        heard = await caller.post(B2B, b2b_order())
    assert heard.code == 323
    assert heard.result["waybill"]


async def test_already_placed_is_said_before_there_is_an_awb() -> None:
    async with calling(Kind.AWB_FOLLOWS) as caller:
        placed = await caller.post(B2B, b2b_order())
        caller.clock.advance(3 * MINUTE)
        asked = await caller.status(REFERENCE)
    assert (placed.code, placed.result["waybill"]) == (323, None)
    assert (asked.code, bool(asked.result["waybill"])) == (323, True)


# The label, its link, the children


@pytest.mark.parametrize(("kind", "comes"), [(Kind.LABEL_LATER, True), (Kind.LABEL_NEVER, False)])
async def test_an_awb_comes_without_its_label(kind: Kind, comes: bool) -> None:
    async with calling(kind) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        assert placed["waybill"]
        assert placed["label"] is None
        query = {"waybill": placed["waybill"], "cp_id": "129"}
        assert (await caller.get(LABEL, **query)).result == {"shipping_label": None}
        caller.clock.advance(3 * MINUTE)
        assert bool((await caller.get(LABEL, **query)).result["shipping_label"]) is comes
        assert bool((await caller.status(REFERENCE)).result["label"]) is comes


@pytest.mark.parametrize(
    ("kind", "boxes"),
    [
        (Kind.CHILDREN_REVERSED, [3, 2, 1]),
        (Kind.CHILD_EXTRA, [1, 2, 3, None]),
        (Kind.CHILD_SHORT, [1, 2]),
    ],
)
async def test_children_are_not_simply_the_boxes_in_order(kind: Kind, boxes: list[int | None]) -> None:
    async with calling(kind) as caller:
        children = (await caller.post(B2B, b2b_order())).result["children"]
    expected = [f"ORDER001-{box}.001" if box else None for box in boxes]
    assert [child["reference_number"] for child in children] == expected
    assert len({child["waybill"] for child in children}) == len(boxes)


async def test_a_child_label_is_null_the_same_as_the_parents_or_not_there() -> None:
    heard = {}
    for kind in (Kind.AT_ONCE, Kind.CHILD_LABEL_SAME, Kind.CHILD_LABEL_ABSENT):
        async with calling(kind) as caller:
            result = (await caller.post(B2B, b2b_order())).result
        heard[kind] = {child.get("label", "absent") for child in result["children"]} - {result["label"]}
    assert heard == {Kind.AT_ONCE: {None}, Kind.CHILD_LABEL_SAME: set(), Kind.CHILD_LABEL_ABSENT: {"absent"}}


async def test_the_link_answers_anything_but_the_label_at_first() -> None:
    for kind, status, begins in ((Kind.LINK_503, 503, b"<html>"), (Kind.LINK_HTML, 200, b"<!doctype")):
        async with calling(kind, times=1) as caller:
            url = (await caller.post(B2B, b2b_order())).result["label"]
            first, second = await caller.fetch(url), await caller.fetch(url)
        assert (first.status, first.body[: len(begins)]) == (status, begins)
        assert (second.status, second.body[:5]) == (200, b"%PDF-")


async def test_the_link_breaks_off_half_way_at_first() -> None:
    async with calling(Kind.LINK_HALF, times=1) as caller:
        url = (await caller.post(B2B, b2b_order())).result["label"]
        with pytest.raises(asyncio.IncompleteReadError):
            await caller.fetch(url)
        assert (await caller.fetch(url)).body.rstrip().endswith(b"%%EOF")


# The other calls


async def test_the_status_call_does_not_know_what_was_booked_a_moment_ago() -> None:
    async with calling(Kind.UNKNOWN_AT_FIRST) as caller:
        first = (await caller.post(B2B, b2b_order())).result["waybill"]
        assert (await caller.status(REFERENCE)).code == 321
        assert (await caller.post(B2B, b2b_order())).result["waybill"] == first
        caller.clock.advance(50)
        assert (await caller.status(REFERENCE)).code == 200


async def test_success_may_say_the_opposite() -> None:
    async with calling(Kind.ASYNC, Kind.SUCCESS_LIES) as caller:
        working = await caller.post(B2B, b2b_order())
        caller.clock.advance(4 * MINUTE)
        done = await caller.status(REFERENCE)
    assert (working.code, working.json["meta"]["success"]) == (102, True)
    assert (done.code, done.json["meta"]["success"]) == (200, False)


@pytest.mark.parametrize(
    ("kind", "heard"),
    [(Kind.CANCEL_LATER, [(200, 202), (200, 600)]), (Kind.CANCEL_REFUSED, [(400, 350), (400, 350), (200, 200)])],
)
async def test_a_cancel_is_put_off_or_refused_for_a_while(kind: Kind, heard: list[tuple[int, int]]) -> None:
    async with calling(kind) as caller:
        awb = (await caller.post(B2B, b2b_order())).result["waybill"]
        for answer in heard:
            cancelled = await caller.get(CANCEL, waybill=awb, cp_id="129")
            assert (cancelled.status, cancelled.code) == answer
            caller.clock.advance(MINUTE)
        assert (await caller.truth(REFERENCE))["cancelled"]


async def test_a_van_may_come_before_the_cancel() -> None:
    async with calling(Kind.PICKED_UP) as caller:
        awb = (await caller.post(B2B, b2b_order())).result["waybill"]
        caller.clock.advance(15 * MINUTE)
        assert (await caller.get(CANCEL, waybill=awb, cp_id="129")).code == 200
        truth = await caller.truth(REFERENCE)
        assert (truth["picked_up"], truth["cancelled"], truth["returned"]) == (True, False, True), "that is billed"


async def test_the_status_call_may_not_exist_at_all() -> None:
    async with calling(Kind.STATUS_404) as caller:
        assert (await caller.post(B2B, b2b_order())).code == 200
        heard = await caller.status(REFERENCE)
    assert (heard.status, heard.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_answers_are_slow_but_come() -> None:
    async with calling(Kind.SLOW) as caller:
        heard: Heard = await caller.held_back(lambda: caller.post(B2B, b2b_order()), 3)
    assert heard.code == 200


@pytest.mark.parametrize("style", ["reset", "hang"])
async def test_the_whole_host_is_silent_now_and_then(style: Any) -> None:
    policy = Policy(off=(Kind.SLOW,), usual=Kind.AT_ONCE, rules=(Rule((Kind.AT_ONCE,)),))
    options = Options(policy=policy, outage_every=600, outage_for=20, outage_style=style)
    async with calling(options=options) as caller:
        assert (await caller.post(B2B, b2b_order())).code == 200
        caller.clock.advance(580)
        calls: dict[str, Callable[[], Awaitable[Heard]]] = {
            "reset": lambda: caller.status(REFERENCE),
            "hang": lambda: caller.held_back(lambda: caller.status(REFERENCE), 45),
        }
        with pytest.raises(ConnectionResetError):
            await calls[style]()
        assert (await caller.bare("GET", "/sandbox/healthz")).status == 200
        caller.clock.advance(20)
        assert (await caller.status(REFERENCE)).code == 200


async def test_an_outage_begins_and_ends_by_hand() -> None:
    async with calling(Kind.AT_ONCE) as caller:
        await caller.bare("POST", "/sandbox/outages", b'{"seconds": 60}')
        caller.clock.advance(59)
        await caller.bare("POST", "/sandbox/outages", b'{"seconds": 0}')
        assert (await caller.status(REFERENCE)).code == 321
