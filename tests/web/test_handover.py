"""What leaves with one truck: scanned box by box, short ones stay, and whatever is wrong is said with what to do."""

import asyncio
import re

import pytest

from bilty.reply import Child, Courier, Label, Paper, Ranking
from bilty.store.access import Role
from web.house import FACILITY, P1, P2, PDF, House

AWB = "AWB1001"
BOXES = ("AWB1001-A", "AWB1001-B", "AWB1001-C")


@pytest.fixture
async def desk(furnished: House) -> House:
    await furnished.sign_in()
    return furnished


async def ready(house: House, number: str, awb: str = AWB, courier: Courier = P1, **changed: object) -> int:
    """A shipment of three boxes, each with a waybill of its own."""
    shipment_id = await house.takes_in(number=number, schedule=True, **changed)
    sha256 = await house.tools.labels.put(PDF)
    children = tuple(Child(awb=f"{awb}-{letter}", reference=f"{number}-{nth}") for nth, letter in enumerate("ABC", 1))
    await house.hears(Ranking((courier,)))
    await house.hears(Label(awb, children=children), Paper(sha256, 1))
    return shipment_id


async def begun(house: House, courier: str = P1.name) -> str:
    """The handover's address."""
    page = await house.page("/handovers")
    forms = re.findall(r'name="facility" value="(\d+)"><input type="hidden" name="courier" value="(\d+)"', page)
    names = re.findall(r'<th scope="row">([^<]+)<br>', page)
    facility, chosen = forms[names.index(courier)]
    answer = await house.send("/handovers", {"facility": facility, "courier": chosen})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def scan(house: House, handover: str, code: str) -> str:
    """What the scan is answered with, ● or ✕ before it."""
    page = await house.told(await house.send(f"{handover}/scan", {"code": code}))
    found = re.search(r'<p class="said( refused)?" role="status">.*?</span> (.*?)</p>', page, re.DOTALL)
    assert found, page
    return f"{'✕' if found[1] else '●'} {found[2]}"


async def test_what_is_ready_is_shown_by_courier(desk: House) -> None:
    assert "Nothing is ready for a truck." in await desk.page("/handovers")
    await ready(desk, "SO-1001")
    await ready(desk, "SO-1002", "AWB1002", P2)
    page = await desk.page("/handovers")
    assert re.findall(r'<th scope="row">([^<]+)<br>.*?<td class="figure">([^<]+)', page) == [
        (P2.name, "1 shipment"),
        (P1.name, "1 shipment"),
    ]


async def test_boxes_are_ticked_off_and_the_whole_truck_is_dispatched(desk: House) -> None:
    shipment_id = await ready(desk, "SO-1001")
    handover = await begun(desk)
    assert await scan(desk, handover, BOXES[0]) == "● SO-1001, box 1. 1 of 3: boxes 2 and 3 missing."
    assert await scan(desk, handover, "so-1001-3") == "● SO-1001, box 3. 2 of 3: box 2 missing."
    assert "2 of 3: box 2 missing" in await desk.page(handover)
    assert await scan(desk, handover, BOXES[1]) == "● SO-1001, box 2: complete."
    assert "1 of 1 shipment complete, 3 of 3 boxes on the truck" in await desk.page(handover)

    assert "1 shipment with 3 boxes goes" in await desk.page(f"{handover}/close")
    page = await desk.told(await desk.send(f"{handover}/close"))
    assert "1 shipment, 3 boxes dispatched." in page
    assert "Open the manifest" in page
    document = (await desk.call("GET", f"/shipments/{shipment_id}")).json()
    assert document["status"] == "dispatched"
    answer = await desk.browser.get(f"{handover}/manifest.pdf")
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert P1.name in await desk.page("/handovers")


async def test_one_that_is_short_stays_for_the_next_truck(desk: House) -> None:
    shipment_id = await ready(desk, "SO-1001")
    await ready(desk, "SO-1002", "AWB1002")
    handover = await begun(desk)
    for code in (*BOXES, "AWB1002-A", "AWB1002-C"):
        assert (await scan(desk, handover, code)).startswith("●")
    page = await desk.page(f"{handover}/close")
    assert "SO-1002</a> 2 of 3: box 2 missing" in page
    page = await desk.told(await desk.send(f"{handover}/close"))
    assert "1 shipment, 3 boxes dispatched. 1 shipment stayed, because boxes were missing." in page
    statuses = [
        (await desk.call("GET", f"/shipments/{each}")).json()["status"] for each in (shipment_id, shipment_id + 1)
    ]
    assert statuses == ["dispatched", "label_ready"]
    following = await begun(desk)
    assert following != handover
    assert await scan(desk, following, "AWB1002-B") == "● SO-1002, box 2. 1 of 3: boxes 1 and 3 missing."


async def test_what_does_not_go_with_this_truck_is_said_with_what_to_do(desk: House) -> None:
    await ready(desk, "SO-1001")
    other = await ready(desk, "SO-1002", "AWB1002", P2)
    handover = await begun(desk)
    assert await scan(desk, handover, "AWB1002-B") == (
        f"✕ Box 2 of SO-1002 goes with {P2.name}, not with {P1.name}. Put it aside for that truck."
    )
    assert "is no box of this facility&#39;s. Put it aside" in await scan(desk, handover, "4711")
    assert await scan(desk, handover, "") == "✕ Nothing was scanned: scan a box&#39;s bar code."
    assert "AWB1001 does not say which of the 3 boxes of SO-1001 this is." in await scan(desk, handover, AWB)
    assert "SO-1001 is the number of SO-1001, which has 3 boxes." in await scan(desk, handover, "SO-1001")
    assert (
        await scan(desk, handover, "SO-1001-4")
        == "✕ SO-1001-4 is no box of this facility&#39;s. Put it aside; look it up in Shipments."
    )
    assert (await desk.call("POST", f"/shipments/{other}/cancellation")).status_code in {200, 202}
    assert "SO-1002 is cancelled. Keep the box here" in await scan(desk, handover, "AWB1002-B")


async def test_a_box_that_is_scanned_twice_counts_once(desk: House) -> None:
    await ready(desk, "SO-1001")
    handover = await begun(desk)
    await scan(desk, handover, BOXES[0])
    assert await scan(desk, handover, BOXES[0]) == (
        "● SO-1001, box 1 was on the truck already. 1 of 3: boxes 2 and 3 missing."
    )


async def test_a_box_alone_goes_by_its_shipments_awb_and_number(desk: House) -> None:
    box = {"length_cm": 60, "breadth_cm": 30, "height_cm": 25, "weight_g": 8000, "invoice": "INV-1"}
    shipment_id = await desk.takes_in(number="SO-1001", boxes=[box], schedule=True)
    assert shipment_id
    await desk.hears(Ranking((P1,)))
    await desk.labels(AWB)
    handover = await begun(desk)
    assert await scan(desk, handover, AWB) == "● SO-1001, box 1: complete."
    assert "was on the truck already" in await scan(desk, handover, "SO-1001")


async def test_boxes_are_ticked_off_and_taken_off_by_hand(desk: House) -> None:
    shipment_id = await ready(desk, "SO-1001")
    handover = await begun(desk)
    box = {"shipment": str(shipment_id), "box": "2"}
    assert "SO-1001, box 2. 1 of 3: boxes 1 and 3 missing." in await desk.told(
        await desk.send(f"{handover}/boxes", box)
    )
    assert "Box 2 was taken off." in await desk.told(await desk.send(f"{handover}/boxes", {**box, "off": "1"}))
    assert "Box 2 was not on the truck." in await desk.told(await desk.send(f"{handover}/boxes", {**box, "off": "1"}))
    unknown = {"shipment": str(shipment_id + 5), "box": "1"}
    assert "does not go with this truck" in await desk.told(await desk.send(f"{handover}/boxes", unknown))


async def test_what_is_cancelled_while_it_is_scanned_does_not_go(desk: House) -> None:
    shipment_id = await ready(desk, "SO-1001")
    handover = await begun(desk)
    for code in BOXES:
        await scan(desk, handover, code)
    assert (await desk.call("POST", f"/shipments/{shipment_id}/cancellation")).status_code in {200, 202}
    page = await desk.told(await desk.send(f"{handover}/close"))
    assert "Nothing was complete, so nothing was dispatched." in page
    assert "Open the manifest" not in page
    assert (await desk.browser.get(f"{handover}/manifest.pdf")).status_code == 404


async def test_what_may_not_go_any_more_is_to_come_off_the_truck(desk: House) -> None:
    cancelled = await ready(desk, "SO-1001")
    changed = await ready(desk, "SO-1002", "AWB1002")
    await ready(desk, "SO-1003", "AWB1003")
    handover = await begun(desk)
    for code in (*BOXES, "AWB1002-A", "AWB1003-A", "AWB1003-B", "AWB1003-C"):
        assert (await scan(desk, handover, code)).startswith("●")
    assert "off the truck" not in await desk.page(handover)
    assert (await desk.call("POST", f"/shipments/{cancelled}/cancellation")).status_code in {200, 202}
    answer = await desk.call("PATCH", f"/shipments/{changed}", {"order_number": "PO-NEW"}, If_Match="*")
    assert answer.status_code in {200, 202}, answer.text
    for where in (handover, f"{handover}/close"):
        page = await desk.page(where)
        assert "SO-1001</a> Boxes 1, 2 and 3: it was cancelled meanwhile." in page
        assert "SO-1002</a> Box 1: it was changed or booked anew meanwhile" in page
    box = {"shipment": str(cancelled), "box": "3", "off": "1"}
    assert "Box 3 was taken off." in await desk.told(await desk.send(f"{handover}/boxes", box))
    page = await desk.told(await desk.send(f"{handover}/close"))
    assert (
        "1 shipment, 3 boxes dispatched. Take off the truck, because they may not go any more: "
        "SO-1001 (boxes 1 and 2) and SO-1002 (box 1)." in page
    )
    assert "Take these off" not in page


async def test_two_at_one_truck_work_on_one_handover(desk: House) -> None:
    await ready(desk, "SO-1001")
    first = await begun(desk)
    page = await desk.page("/handovers")
    assert f'href="{first}">Go on scanning' in page
    opened = await desk.tools.pool.fetchrow("SELECT facility_id, courier_id FROM handovers")
    assert opened is not None
    fields = {"facility": str(opened["facility_id"]), "courier": str(opened["courier_id"])}
    assert (await desk.send("/handovers", fields)).headers["location"] == first
    answers = await asyncio.gather(*(desk.send(f"{first}/scan", {"code": code}) for code in (*BOXES, *BOXES)))
    assert {each.status_code for each in answers} == {303}
    assert "1 of 1 shipment complete" in await desk.page(first)


async def test_closed_by_two_at_once_it_goes_once(desk: House) -> None:
    await ready(desk, "SO-1001")
    handover = await begun(desk)
    for code in BOXES:
        await scan(desk, handover, code)
    await asyncio.gather(desk.send(f"{handover}/close"), desk.send(f"{handover}/close"))
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM manifests") == 1
    assert "This handover was closed by asha@example.com" in await scan(desk, handover, BOXES[0])


async def test_a_void_label_is_known(desk: House) -> None:
    shipment_id = await ready(desk, "SO-1001")
    handover = await begun(desk)
    answer = await desk.call("PATCH", f"/shipments/{shipment_id}", {"order_number": "PO-NEW"}, If_Match="*")
    assert answer.status_code in {200, 202}, answer.text
    said = await scan(desk, handover, BOXES[0])
    assert said.startswith("✕ SO-1001 has no label that may go yet") or "is void" in said


async def test_the_script_is_answered_with_the_sentence_alone(desk: House) -> None:
    await ready(desk, "SO-1001")
    handover = await begun(desk)
    headers = {"Origin": desk.url, "Accept": "application/json"}
    answer = await desk.browser.post(f"{handover}/scan", data={"code": BOXES[0]}, headers=headers)
    assert answer.json() == {"well": True, "told": "SO-1001, box 1. 1 of 3: boxes 2 and 3 missing."}


async def test_another_facilitys_truck_is_not_there(desk: House) -> None:
    await ready(desk, "SO-1001")
    handover = await begun(desk)
    assert (await desk.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await desk.sign_in("pune@example.com", role=Role.DISPATCHER, facilities=["PNQ-1"])
    assert (await desk.browser.get(handover)).status_code == 404
    assert P1.name not in await desk.page("/handovers")
