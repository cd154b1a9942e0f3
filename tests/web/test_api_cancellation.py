"""A shipment is cancelled over the wire, and what couriers gave with it."""

import asyncio

from bilty.deciding.refusals import ASK_FOR_RETURN
from bilty.reply import Accepted, Cancelled, PickedUp
from bilty.store.access import Scope
from web.house import RANKED, House


async def labelled(house: House) -> int:
    shipment_id = await house.takes_in(schedule=True)
    await house.hears(RANKED)
    await house.labels("AWB1")
    return shipment_id


async def test_what_nobody_has_is_cancelled_at_once_and_again(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    path = f"/shipments/{shipment_id}/cancellation"
    first = await furnished.call("POST", path)
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert first.headers["location"] == f"/api/v1/shipments/{shipment_id}"
    again = await furnished.call("POST", path, {})
    assert (again.status_code, again.content) == (200, first.content)
    assert await furnished.tools.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'cancel'") == 1
    scheduled = await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    assert (scheduled.status_code, scheduled.json()["type"]) == (409, "urn:bilty:problem:cancelled")


async def test_what_a_courier_has_is_cancelled_when_the_courier_says_so(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    path = f"/shipments/{shipment_id}/cancellation"
    first = await furnished.call("POST", path)
    assert (first.status_code, first.json()["status"]) == (202, "cancelling")
    assert int(first.headers["retry-after"]) > 0
    assert (await furnished.call("POST", path)).status_code == 202
    waiting = asyncio.create_task(furnished.call("POST", path, Prefer="wait=60"))
    looking = asyncio.create_task(furnished.call("GET", f"/shipments/{shipment_id}", Prefer="wait=60"))
    await furnished.hears(Cancelled())
    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.headers["preference-applied"] == "wait=60"
    assert (await looking).json()["status"] == "cancelled"
    assert (await furnished.call("POST", path)).status_code == 200


async def test_what_was_picked_up_meanwhile_is_for_a_person_to_settle(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    path = f"/shipments/{shipment_id}/cancellation"
    await furnished.call("POST", path)
    await furnished.hears(PickedUp("in transit"))
    answer = await furnished.call("POST", path, Prefer="wait=60")
    assert (answer.status_code, answer.json()["status"]) == (202, "needs_attention")


async def test_who_waited_for_a_label_hears_that_it_is_cancelled(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted())
    waiting = asyncio.create_task(furnished.call("POST", f"/shipments/{shipment_id}/schedules", Prefer="wait=60"))
    await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    answer = await waiting
    # The wait may have begun before the cancellation, or the request came behind it.
    assert (answer.status_code, answer.json().get("status", "refused")) in {(202, "cancelling"), (409, 409)}


async def test_what_the_courier_has_fetched_is_not_cancelled(furnished: House) -> None:
    shipment_id = await labelled(furnished)
    await furnished.tools.pool.execute("UPDATE shipments SET dispatched = true, status = 'dispatched'")
    refused = await furnished.call("POST", f"/shipments/{shipment_id}/cancellation")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:bilty:problem:not_cancellable")
    assert refused.json()["detail"] == ASK_FOR_RETURN


async def test_what_is_sent_with_it_is_refused(furnished: House) -> None:
    shipment_id = await furnished.takes_in()
    path = f"/shipments/{shipment_id}/cancellation"
    assert (await furnished.call("POST", path, {"why": "changed"})).status_code == 422
    assert (await furnished.call("POST", path, scope=Scope.READ)).status_code == 403
    assert (await furnished.call("POST", "/shipments/999/cancellation")).status_code == 404
    assert (await furnished.call("GET", f"/shipments/{shipment_id}")).json()["status"] == "created"
