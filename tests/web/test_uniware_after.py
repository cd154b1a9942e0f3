"""Uniware after the waybill: measured again, cancelled, asked about, put on a manifest."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from bilty.documents.manifest import Line, Manifest, draw
from bilty.reply import AWB_CHARS_MAX, Accepted, Cancelled, Label, PickedUp, Refusal, Refused
from bilty.store import claims, manifests
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Pool
from bilty.store.providers import Keyring
from bilty.turn import Rules
from bilty.web.uniware import details
from web.house import RANKED, shipment
from web.uniware import Document, Uniware, another, asked, opened_uniware, with_customs


@pytest.fixture
async def uniware(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[Uniware]:
    async with opened_uniware(pool, dsn, tmp_path) as uniware:
        yield uniware


def update(**changed: object) -> Document:
    """As documented, with what the waybill was asked for with."""
    said = asked()["Shipment"]
    names = "code SaleOrderCode orderCode channelCode channelName orderDate weight length height breadth numberOfBoxes"
    kept = {name: said[name] for name in names.split()}
    return {"Shipment": {"returnShipmentFlag": "false", "waybill": "", **kept, **changed}, "source": "unicommerce"}


# Update


async def test_before_anybody_was_asked_it_is_changed(uniware: Uniware) -> None:
    await uniware.told("/waybill", with_customs(asked()))
    told = await uniware.told("/waybill/update", update(weight="9000.0000", numberOfBoxes="3", height="99.5"))
    assert told["status"] == "SUCCESS"
    found = (await uniware.house.call("GET", "/shipments/1")).json()
    assert found["boxes"] == [{**found["boxes"][0], "count": 3, "height_cm": 10, "weight_g": 3000, "items": []}]
    assert found["problem"]["message"].startswith("Data is missing"), "it is held as it was"
    await uniware.told(
        "/waybill/update", update(SaleOrderCode="SO-99", weight="", length="0", height="", numberOfBoxes=None)
    )
    changed = (await uniware.house.call("GET", "/shipments/1")).json()
    assert changed["order_number"] == "SO-99"
    assert changed["boxes"] == found["boxes"], "what is blank stays"


async def test_once_it_is_booked_it_stays_and_that_is_told(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    told = await uniware.told("/waybill/update", update(waybill="AWB1"))
    assert (told["status"], told["waybill"]) == ("SUCCESS", "AWB1"), "nothing differs"
    told = await uniware.told("/waybill/update", update(waybill="AWB1", weight="999.0000"))
    assert told["status"] == "FAILED"
    assert "nothing was changed" in told["reason"]


async def test_while_no_courier_has_booked_it_it_is_booked_as_it_is_now(uniware: Uniware) -> None:
    house = uniware.house
    await uniware.told("/waybill", asked())
    await house.hears(RANKED, Accepted())
    assert (await uniware.told("/waybill/update", update(weight="9000.0000")))["status"] == "SUCCESS"
    found = (await house.call("GET", "/shipments/1")).json()
    assert (found["status"], found["version"], found["run"]) == ("scheduling", 2, 1)
    await house.hears(Label("OLD"), Cancelled(), RANKED)
    await house.labels("NEW")
    assert (await uniware.told("/waybill", asked()))["waybill"] == "NEW"
    told = await uniware.told("/waybill/update", update(weight="9100.0000"))
    assert (told["status"], "is booked under AWB NEW" in told["reason"]) == ("FAILED", True)
    told = await uniware.told("/waybill/update", update(weight="9000.0000", SaleOrderCode="SO-99"))
    assert (told["status"], "is booked under AWB NEW" in told["reason"]) == ("FAILED", True), "its courier is told that"


async def test_while_it_is_asked_about_an_update_is_to_be_sent_again(uniware: Uniware) -> None:
    house = uniware.house
    await uniware.told("/waybill", asked())
    assert await claims.claim(house.tools.pool, Keyring(house.tools.vault), calls_max=1, calls_out={}, now=None)
    told = await uniware.told("/waybill/update", update(weight="9000.0000"))
    assert (told["status"], "Update it again in" in told["reason"]) == ("FAILED", True)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "give one of them"),
        ({}, "give one of them"),
        (update(code="", waybill=""), "give one of them"),
        (update(code="SP-2"), 'Shipment "SP-2" is not known'),
        (update(code="SP\0"), "is not known"),
        (update(code="", waybill="AWB9"), 'Shipment "AWB9" is not known'),
        (update(waybill="AWB9"), 'has another AWB than "AWB9"'),
        (update(returnShipmentFlag="true"), "Bilty books no returns"),
        (update(weight="-1"), 'Shipment.weight is "-1": give grams'),
        (update(weight="1"), "give the grams of 2 boxes"),
        (update(numberOfBoxes="many", length="x"), 'Shipment.length is "x": give millimetres'),
        (update(SaleOrderCode="x" * 51), "Shipment.SaleOrderCode is"),
    ],
)
async def test_an_update_that_cannot_be_done_says_why(uniware: Uniware, document: object, words: str) -> None:
    await uniware.told("/waybill", asked())
    told = await uniware.told("/waybill/update", document)
    assert told["status"] == "FAILED"
    assert words in told["message"]


async def test_boxes_that_differ_are_not_made_alike(uniware: Uniware) -> None:
    await uniware.told("/waybill", with_customs(asked(), boxes="40x30x25@500; 60x30x25@700"))
    assert (await uniware.told("/waybill/update", update(weight="1200")))["status"] == "SUCCESS"
    told = await uniware.told("/waybill/update", update(weight="1300"))
    assert "its boxes differ in size" in told["message"]


# Cancel


async def test_it_is_cancelled_by_its_awb_and_again_is_the_same(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    told = await uniware.told("/cancel", {"waybill": "AWB1"})
    assert (told["status"], told["waybill"]) == ("FAILED", "AWB1")
    assert "yet to confirm" in told["errorMessage"]
    await uniware.house.hears(Cancelled())
    for _ in range(2):
        told = await uniware.told("/cancel", {"waybill": "AWB1"})
        assert told == {"status": "SUCCESS", "waybill": "AWB1", "errorMessage": ""}
    assert await uniware.house.tools.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'cancel'") == 1


async def test_uniware_waits_for_the_couriers_word(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with opened_uniware(pool, dsn, tmp_path, uniware_wait_seconds=60) as patient:
        with patient.house.tools.changes.watch() as watch:
            booking = asyncio.create_task(patient.told("/waybill", asked()))
            while await patient.count("turns") == 0:
                assert await watch.next_change(60) is not None
            await patient.house.hears(RANKED)
            await patient.house.labels("AWB1")
            assert (await booking)["waybill"] == "AWB1"
            cancelling = asyncio.create_task(patient.told("/cancel", {"waybill": "AWB1"}))
            while not await patient.house.tools.pool.fetchval("SELECT bool_or(cancel_asked) FROM shipments"):
                assert await watch.next_change(60) is not None
        await patient.house.hears(Cancelled())
        assert (await cancelling)["status"] == "SUCCESS"


async def test_a_courier_that_does_not_cancel_is_told(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    await uniware.told("/cancel", {"waybill": "AWB1"})
    await uniware.house.hears(Refused(Refusal.COURIER, 350, "already manifested"))
    told = await uniware.told("/cancel", {"waybill": "AWB1"})
    assert told["status"] == "FAILED"
    assert "already manifested" in told["errorMessage"]


async def test_what_is_picked_up_is_not_cancelled(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    await uniware.told("/cancel", {"waybill": "AWB1"})
    await uniware.house.hears(PickedUp())
    told = await uniware.told("/cancel", {"waybill": "AWB1"})
    assert "has picked up" in told["errorMessage"]
    found = await uniware.sends("GET", "/waybillDetails", waybills="AWB1")
    assert found.json()["waybillDetails"][0]["currentStatus"] == "PICKED_UP"


@pytest.mark.parametrize("given", [[], {}, {"waybill": ""}, {"waybill": 5}, {"waybill": "\0"}, {"waybill": "NO-1"}])
async def test_what_has_no_such_awb_is_not_cancelled(uniware: Uniware, given: object) -> None:
    await uniware.books("AWB1")
    told = await uniware.told("/cancel", given)
    assert told["status"] == "FAILED"
    assert told["errorMessage"]
    assert not await uniware.house.tools.pool.fetchval("SELECT bool_or(cancel_asked) FROM shipments")


# Another facility's


async def test_another_facilitys_awb_is_as_if_there_were_none(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    other = await another(uniware.house, "Uniware of PNQ-1", facilities=("PNQ-1",))
    refused = await other.told("/cancel", {"waybill": "AWB1"})
    assert (
        refused["errorMessage"].replace("AWB1", "NO-1")
        == (await other.told("/cancel", {"waybill": "NO-1"}))["errorMessage"]
    )
    told = await other.told("/waybill/update", update(code="SP-1001", weight="5000"))
    assert "is not known" in told["message"]
    told = await other.told("/waybill/update", update(code="", waybill="AWB1", weight="5000"))
    assert "is not known" in told["message"]
    found = (await other.sends("GET", "/waybillDetails", waybills="AWB1")).json()["waybillDetails"]
    assert found[0]["currentStatus"] == "NOT_FOUND"
    answer = await other.sends("POST", "/manifest", {"awbNumbers": ["AWB1"]})
    assert answer.json()["unknownAWBs"] == ["AWB1"]


# As long as they come


@pytest.mark.parametrize("chars", [41, AWB_CHARS_MAX])
async def test_an_awb_that_was_told_is_known_in_every_call(uniware: Uniware, chars: int) -> None:
    awb = "7" * chars
    assert (await uniware.books(awb))["waybill"] == awb
    (found,) = (await uniware.sends("GET", "/waybillDetails", waybills=awb)).json()["waybillDetails"]
    assert (found["waybill"], found["currentStatus"]) == (awb, "READY_TO_SHIP")
    made = await manifest(uniware, awb)
    assert made["code"] == 201, made
    paper = await uniware.house.api.get(made["manifestDownloadUrl"])
    assert awb in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert (await uniware.house.call("GET", f"/shipments?awb={awb}")).json()["items"][0]["awb"] == awb
    assert "is with the courier" in (await uniware.told("/cancel", {"waybill": awb}))["errorMessage"]


def test_the_paper_cuts_no_awb() -> None:
    awbs = [f"{number}{'7' * (AWB_CHARS_MAX - 3)}" for number in range(100, 112)]
    line = Line("BLR-1", "Delhivery B2B", awbs[0], "SO-1", "PO-1", "Sahyadri", "Pune", "411018", 12_000, tuple(awbs))
    paper = draw(Manifest("M-1", datetime(2026, 11, 23, tzinfo=UTC), (line,)), UTC)
    text = PdfReader(io.BytesIO(paper)).pages[0].extract_text()
    assert [awb for awb in awbs if awb not in text] == []


# Details


async def test_each_awb_is_told_as_far_as_it_is_known(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    at = await uniware.house.tools.pool.fetchval("SELECT max(at) FROM timeline WHERE state = 'won'")
    answer = await uniware.sends("GET", "/waybillDetails", waybills='"AWB1, NO-1,AWB1"')
    assert answer.status_code == 200
    told = answer.json()
    assert told["Status"] == "SUCCESS"
    known, unknown = told["waybillDetails"]
    assert known == {
        "waybill": "AWB1",
        "currentStatus": "READY_TO_SHIP",
        "current_sub_status": "won",
        "current_status_remark": "Delhivery B2B's label is here, under AWB AWB1.",
        "statusDate": details.moment(at, ZoneInfo("Asia/Kolkata")),
        "shipping_provider": "Delhivery B2B",
        "current_location": "",
        "expected_date_of_delivery": "",
        "weight": "20501.0000",
        "dimensions": {"l": "410", "b": "300", "h": "250"},
    }
    assert unknown.keys() == known.keys()
    assert (unknown["waybill"], unknown["currentStatus"]) == ("NO-1", "NOT_FOUND")


async def test_a_day_is_written_as_uniware_does(uniware: Uniware) -> None:
    at = (await uniware.house.now()).replace(year=2023, month=8, day=4, hour=22, minute=22, second=9)
    assert details.moment(at, ZoneInfo("Asia/Kolkata")) == "05-Aug-2023 03:52:09"


@pytest.mark.parametrize("given", ["", '""', ",,", ",".join(f"AWB{n}" for n in range(51))])
async def test_one_to_fifty_are_asked_about_at_once(uniware: Uniware, given: str) -> None:
    answer = await uniware.sends("GET", "/waybillDetails", waybills=given)
    assert (answer.status_code, answer.json()["Status"]) == (200, "FAILED")
    assert "give 1 to 50" in answer.json()["message"]


async def test_an_awb_on_its_way_and_one_that_is_void(uniware: Uniware) -> None:
    await uniware.told("/waybill", asked())
    await uniware.house.hears(RANKED, Accepted(), Label("AWB1"))
    answer = await uniware.sends("GET", "/waybillDetails", waybills="AWB1")
    assert answer.json()["waybillDetails"][0]["currentStatus"] == "LABEL_REQUESTED"
    await uniware.told("/cancel", {"waybill": "AWB1"})
    answer = await uniware.sends("GET", "/waybillDetails", waybills="AWB1")
    assert answer.json()["waybillDetails"][0]["currentStatus"] == "CANCELLING"
    await uniware.house.hears(Cancelled())
    answer = await uniware.sends("GET", "/waybillDetails", waybills="AWB1\0,AWB1")
    assert answer.json()["waybillDetails"][1]["currentStatus"] == "CANCELLED"


# Manifest


async def manifest(uniware: Uniware, *awbs: object) -> Document:
    answer = await uniware.sends("POST", "/manifest", {"awbNumbers": list(awbs)})
    return {"code": answer.status_code, **answer.json()}


async def test_a_manifest_lists_what_is_handed_over_behind_a_link_that_expires(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    await uniware.books("AWB2", Shipment={**asked()["Shipment"], "code": "SP-2"})
    made = await manifest(uniware, "AWB2", "AWB1", "AWB2")
    assert (made["code"], made["manifestNumber"]) == (201, "M-1")
    answer = await uniware.house.api.get(made["manifestDownloadUrl"])
    assert answer.headers["content-type"] == "application/pdf"
    text = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    for words in ("Manifest M-1", "Facility BLR-1, handed to Delhivery B2B", "AWB1", "AWB2", "SP-1001", "411018"):
        assert words in text
    assert "2 shipments, 4 boxes, 41.002 kg" in text
    assert (await uniware.house.api.get(made["manifestDownloadUrl"])).content == answer.content
    again = await manifest(uniware, "AWB1")
    assert (again["code"], again["alreadyManifestedAWBs"]) == (400, ["AWB1"])
    assert "AWB1: on a manifest already." in again["message"]


async def test_of_a_manifest_that_cannot_be_whole_nothing_is_made(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    await uniware.told("/waybill", asked(Shipment={**asked()["Shipment"], "code": "SP-2"}))
    await uniware.house.hears(RANKED, Label("AWB2"))
    refused = await manifest(uniware, "AWB1", "AWB2", "NO-1")
    assert (refused["code"], refused["unknownAWBs"], refused["notReadyAWBs"]) == (400, ["NO-1"], ["AWB2"])
    assert await uniware.count("manifests") == 0
    assert (await manifest(uniware, "AWB1"))["code"] == 201


async def test_the_same_awbs_at_once_are_on_one_manifest(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    made = await asyncio.gather(*(manifest(uniware, "AWB1") for _ in range(6)))
    assert sorted(each["code"] for each in made) == [201] + [400] * 5
    assert await uniware.count("manifests") == 1


async def test_who_comes_while_a_manifest_is_being_made_hears_that_it_is_made(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    pool, somebody = uniware.house.tools.pool, Actor(ActorKind.KEY, "somebody")
    async with pool.acquire() as connection, connection.transaction():
        made = await manifests.make(connection, ["AWB1"], None, somebody, await uniware.house.now(), Rules())
        assert isinstance(made, Manifest)
        coming = asyncio.create_task(manifest(uniware, "AWB1"))
        while not await pool.fetchval(waiting):
            assert not coming.done()
    assert (await coming)["alreadyManifestedAWBs"] == ["AWB1"]


@pytest.mark.parametrize("given", [[], {}, {"awbNumbers": "AWB1"}, {"awbNumbers": []}, {"awbNumbers": [5]}])
async def test_a_manifest_of_nothing_is_refused(uniware: Uniware, given: object) -> None:
    answer = await uniware.sends("POST", "/manifest", given)
    assert answer.status_code == 400
    assert "give a list of 1 to 500 AWBs" in answer.json()["message"]
    answer = await uniware.sends("POST", "/manifest", {"awbNumbers": ["A"] * 501})
    assert answer.status_code == 400


async def test_what_came_by_another_way_is_handed_over_alike(uniware: Uniware) -> None:
    await uniware.house.call("POST", "/shipments", shipment(schedule=True))
    await uniware.house.hears(RANKED)
    await uniware.house.labels("AWB5")
    assert (await manifest(uniware, "AWB5"))["code"] == 201


async def test_what_is_on_a_manifest_is_dispatched_and_not_cancelled_any_more(uniware: Uniware) -> None:
    await uniware.books("AWB1")
    assert (await manifest(uniware, "AWB1"))["code"] == 201
    detail = (await uniware.sends("GET", "/waybillDetails", waybills="AWB1")).json()["waybillDetails"][0]
    assert detail["currentStatus"] == "DISPATCHED"
    refused = await uniware.told("/cancel", {"waybill": "AWB1"})
    assert refused["status"] == "FAILED"
    assert "It can only be brought back: an admin may order a return (RTO)" in refused["errorMessage"]
    told = "SELECT actor_kind, action FROM audit WHERE action = 'dispatch'"
    assert [tuple(row) for row in await uniware.house.tools.pool.fetch(told)] == [("key", "dispatch")]
