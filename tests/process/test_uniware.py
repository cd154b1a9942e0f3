"""A day of Uniware with a real Bilty and the sandbox, and docs/uniware.md typed as it stands."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import guide
from bilty.store.access import Scope, add_key
from bilty.store.secrets import Vault, kept_secret
from bilty_sandbox import Kind, Options, Policy, serve
from process.programs import WITHIN_S, Programs, free_port
from process.shell import DEMO, checkout_in, here, shell_in
from process.town import QUICK, SPEED, town_at, truth_at
from web.uniware import NAME, asked

AT_ONCE_ASKED = 12


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    with checkout_in(tmp_path / "checkout") as folder:
        yield folder


async def test_a_waybill_from_the_press_to_the_cancellation(programs: Programs, data_dir: Path, dsn: str) -> None:
    options = Options(policy=Policy(enabled=False, usual=Kind.ASYNC), speed=SPEED)
    address = f"127.0.0.1:{free_port()}"
    async with serve(options) as sandbox, town_at(dsn, sandbox.url) as town:
        own = {"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn, "BILTY_CLICKPOST_URL": sandbox.url}
        told = {"BILTY_LISTEN": address, "BILTY_UNIWARE_WAIT_SECONDS": WITHIN_S}
        bilty = programs.bilty("up", settings={**own, **QUICK, **told})
        await asyncio.to_thread(bilty.hear, "is up")
        await town.furnish(Vault(kept_secret(data_dir)))
        async with town.pool.acquire() as connection, connection.transaction():
            key = await add_key(connection, NAME, Scope.DISPATCH)
        async with httpx.AsyncClient(base_url=f"http://{address}/uniware", timeout=2 * WITHIN_S) as uniware:
            answer = await uniware.post("/authToken", json={"username": NAME, "password": key})
            uniware.headers["Authorization"] = answer.json()["token"]

            # Pressed by many at once, it is one booking of twelve boxes.
            document = asked(Shipment__numberOfBoxes="12")
            presses = [uniware.post("/waybill", json=document) for _ in range(AT_ONCE_ASKED)]
            answers = [answer.json() for answer in await asyncio.gather(*presses)]
            assert {answer["status"] for answer in answers} == {"SUCCESS"}, answers[0]
            (booking,) = (await truth_at(sandbox.url)).bookings
            assert {answer["waybill"] for answer in answers} == {booking.awb}
            assert (booking.boxes_count, booking.posts) == (12, 1)

            label = await uniware.get(answers[0]["shippingLabel"], headers={"Authorization": ""})
            assert label.content.startswith(b"%PDF-")

            cancelled = await uniware.post("/cancel", json={"waybill": booking.awb})
            assert cancelled.json() == {"status": "SUCCESS", "waybill": booking.awb, "errorMessage": ""}
            assert (await truth_at(sandbox.url)).live == []
            details = await uniware.get("/waybillDetails", params={"waybills": booking.awb})
            assert details.json()["waybillDetails"][0]["currentStatus"] == "CANCELLED"

            made = await uniware.post("/manifest", json={"awbNumbers": [booking.awb]})
            assert (made.status_code, made.json()["notReadyAWBs"]) == (400, [booking.awb]), "it is void"
        assert bilty.end() == 0


async def test_what_a_newcomer_types(checkout: Path, programs: Programs) -> None:
    guide.needed("curl")
    ports = {"8080": str(free_port())}
    demo_too, come_in, ask, fill, fetch, again, hand_over = guide.blocks("sh", guide.UNIWARE)
    lacking, label = (here(said, ports) for said in guide.blocks("json", guide.UNIWARE))
    assert demo_too == DEMO
    demo = programs.bilty("demo", folder=checkout, settings={"BILTY_LISTEN": f"127.0.0.1:{ports['8080']}"})
    await asyncio.to_thread(demo.hear, "Sign in")
    async with shell_in(checkout) as shell:
        await shell.type(here(come_in, ports))
        said = await shell.type(here(ask, ports))
        assert re.search(answered(lacking), said), said
        said = await shell.type(here(fill, ports))
        assert re.search(answered(label), said), said
        await shell.type(here(fetch, ports))
        said += await shell.type(here(again, ports))
        assert len(set(re.findall(r'"waybill":"([^"]+)"', said))) == 1, "nothing was booked anew"
        assert said.count('"status":"SUCCESS"') == 2
        assert '"currentStatus":"READY_TO_SHIP"' in said
        told = await shell.type(here(hand_over, ports))
        assert '"manifestNumber":"M-1"' in told
        assert re.search(r'"status":"FAILED","waybill":"[^"]+","errorMessage":"[^"]*is with the courier\.', told), told
    assert (checkout / "label.pdf").read_bytes().startswith(b"%PDF-")
    assert await asyncio.to_thread(demo.end) == 0


def answered(shown: str) -> str:
    """An answer as the guide shows it, which is spaced out, and has … for what is another's each time."""
    compact = json.dumps(json.loads(shown), separators=(",", ":"), ensure_ascii=False)
    return re.escape(compact).replace("…", '[^"]+')
