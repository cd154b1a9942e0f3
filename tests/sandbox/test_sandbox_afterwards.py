"""What the sandbox does with an e-way bill that comes later, and with a pickup that is asked for apart."""

import asyncio
from typing import Any

import pytest
from sandbox_caller import B2B, Caller, Heard, b2b_order, calling

from bilty_sandbox import Kind

EDIT, PICKUP = "/api/v1/edit-order/", "/api/v1/create-pickup/"
REFERENCE = "ORDER001-P1"
BILL = {
    "courier_partner": 129,
    "edit_order_service": 2,
    "ewaybill_serial_number": "181000609282",
    "invoice_number": "DG/77",
    "invoice_date": "2025-10-08",
}
VAN = {
    "pickup_date": "2025-10-09T18:00:00+0530",
    "courier_partner": 129,
    "account_code": "Bluedart-Surface",
    "pickup_name": "Asha Rao",
    "pickup_phone": "9820012345",
    "pickup_email": "",
    "pickup_address": "Plot 4, Hadapsar Industrial Estate",
    "pickup_city": "Pune",
    "pickup_state": "Maharashtra",
    "pickup_pincode": "411013",
    "pickup_country": "IN",
}


async def tell(caller: Caller, placed: Any) -> Heard:
    return await caller.post(EDIT, BILL | {"awb_number": placed["waybill"]})


async def ask(caller: Caller, placed: Any, **changed: object) -> Heard:
    return await caller.post(PICKUP, VAN | {"items": f"3 boxes, AWB {placed['waybill']}"} | changed)


@pytest.mark.parametrize(
    ("kind", "status", "code", "told"),
    [(Kind.EDIT_REFUSED, 200, 422, False), (Kind.EDIT_502, 502, 0, False), (Kind.EDIT_BUSY, 429, 429, False)],
)
async def test_an_edit_that_is_answered_badly_is_well_the_second_time(
    kind: Kind, status: int, code: int, told: bool
) -> None:
    async with calling(Kind.AT_ONCE, kind) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        first = await tell(caller, placed)
        known = (await caller.truth(REFERENCE))["ewaybills"]
        again = await tell(caller, placed)
        truth = await caller.truth(REFERENCE)
    assert (first.status, first.code if code else 0) == (status, code)
    assert bool(known) is told
    assert (again.code, truth["ewaybills"]) == (200, {"DG/77": "181000609282"})


async def test_an_edit_may_be_done_and_not_answered() -> None:
    async with calling(Kind.AT_ONCE, Kind.EDIT_UNHEARD) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await tell(caller, placed)
        assert (await caller.truth(REFERENCE))["ewaybills"] == {"DG/77": "181000609282"}


async def test_each_pickup_that_is_asked_for_sends_a_van() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        heard = [await ask(caller, placed), await ask(caller, placed)]
        vans = (await caller.truth(REFERENCE))["pickups"]
    numbers = [each.result["confirmation_number"] for each in heard]
    assert len(set(numbers)) == 2
    assert [(van["time"], van["confirmation"]) for van in vans] == [(VAN["pickup_date"], number) for number in numbers]
    assert heard[0].result["location"] == "PUN"


async def test_a_pickup_that_names_no_awb_is_nobodys() -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        assert (await ask(caller, placed, items="laptop")).code == 200
        assert (await caller.truth(REFERENCE))["pickups"] == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"items": ""}, 400),
        ({"items": "x" * 201}, 400),
        ({"pickup_date": "tomorrow"}, 400),
        ({"pickup_date": "2025-10-09T18:00:00"}, 400),
        ({"pickup_pincode": "41101"}, 400),
        ({"pickup_phone": "98"}, 400),
        ({"pickup_address": " "}, 400),
        ({"courier_partner": 999_999}, 302),
        ({"account_code": "nobody"}, 351),
        ({"pickup_city": 7}, 313),
    ],
)
async def test_a_pickup_that_is_not_in_order_is_refused(changed: dict[str, object], code: int) -> None:
    async with calling() as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        assert (await ask(caller, placed, **changed)).code == code
        assert (await caller.truth(REFERENCE))["pickups"] == []


@pytest.mark.parametrize(
    ("kind", "status", "code", "vans"),
    [
        (Kind.VAN_REFUSED, 200, 319, 0),
        (Kind.VAN_500, 500, 500, 0),
        (Kind.VAN_BUSY, 429, 429, 0),
        (Kind.VAN_NUMBERLESS, 200, 200, 1),
    ],
)
async def test_what_is_said_of_a_pickup_and_whether_a_van_comes(kind: Kind, status: int, code: int, vans: int) -> None:
    async with calling(Kind.AT_ONCE, kind) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        heard = await ask(caller, placed)
        assert (heard.status, heard.code) == (status, code)
        assert len((await caller.truth(REFERENCE))["pickups"]) == vans
        assert (await ask(caller, placed)).result["confirmation_number"]


async def test_a_pickup_may_be_booked_and_not_answered_or_late() -> None:
    async with calling(Kind.AT_ONCE, Kind.VAN_UNHEARD) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask(caller, placed)
        assert len((await caller.truth(REFERENCE))["pickups"]) == 1
    async with calling(Kind.AT_ONCE, Kind.VAN_LATE) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        heard = await caller.held_back(lambda: ask(caller, placed), 20)
        assert heard.result["confirmation_number"] == (await caller.truth(REFERENCE))["pickups"][0]["confirmation"]


async def test_a_pickup_may_hang_and_be_dropped() -> None:
    async with calling(Kind.AT_ONCE, Kind.VAN_HANG) as caller:
        placed = (await caller.post(B2B, b2b_order())).result
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await caller.held_back(lambda: ask(caller, placed), 45)
        assert len((await caller.truth(REFERENCE))["pickups"]) == 1
