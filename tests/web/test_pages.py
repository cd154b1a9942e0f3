"""The panel as a browser sees it, script or not."""

import asyncio

import httpx
import pytest

from bilty.reply import Accepted, Denied, Ranking, Unclear
from bilty.store.database import CHANGED_CHANNEL
from web.house import FACILITY, KEY, NO, P1, RANKED, House, shipment
from web.page import check_page


async def test_strangers_are_shown_the_way_in(house: House) -> None:
    for path in ("/shipments", "/shipments/1", "/shipments/1/label.pdf", "/shipments/live", "/"):
        answer = await house.browser.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert "bilty user add EMAIL" in await house.page("/sign-in")


async def test_a_link_signs_in_once_and_looking_does_not_use_it_up(house: House) -> None:
    link = await house.sign_in_link()
    await house.page(link)
    await house.page(link)
    answer = await house.send_form(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/shipments")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "asha@example.com" in await house.page("/shipments")
    assert "used up" in await house.page(link, 403)
    again = await house.send_form(link)
    assert again.status_code == 403
    assert (await house.browser.get("/")).headers["location"] == "/shipments"


async def test_signing_out_ends_the_session_here_and_there(house: House) -> None:
    await house.sign_in()
    kept = dict(house.browser.cookies)
    assert (await house.send_form("/sign-out")).status_code == 303
    assert (await house.browser.get("/shipments")).status_code == 303
    house.browser.cookies.update(kept)
    assert (await house.browser.get("/shipments")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "https://elsewhere.example"},
        {"X_Nothing": "said"},
    ],
)
async def test_forms_from_elsewhere_do_nothing(house: House, headers: dict[str, str]) -> None:
    link = await house.sign_in_link()
    answer = await house.send_form(link, **headers)
    assert answer.status_code == 403
    check_page(answer)
    assert (await house.send_form(link, Sec_Fetch_Site="same-origin")).status_code == 303


async def test_an_empty_ledger_says_what_it_is_for(house: House) -> None:
    await house.sign_in()
    assert "bilty import FILE" in await house.page("/shipments")


async def test_a_row_tells_its_story(furnished: House) -> None:
    await furnished.sign_in()
    await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, Accepted(), Accepted())
    page = _text(await furnished.page("/shipments"))
    assert "P1 Delhivery B2B refused, P2 Blue Dart waiting, poll 1 of 6, P3 DTDC not tried" in page
    assert "LABEL REQUESTED" in page
    assert (
        "Delhivery B2B refused: pin not in lane (ClickPost code 319). Waiting for Blue Dart's label. Asked 1 of 6"
        in page
    )
    assert "₹23,600.00" in page
    assert "33 kg" in page
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in await furnished.page("/shipments")


async def test_the_page_rests_when_nothing_is_under_way(furnished: House) -> None:
    await furnished.sign_in()
    await furnished.takes_in()
    assert "http-equiv" not in await furnished.page("/shipments")


async def test_text_from_outside_is_text(furnished: House) -> None:
    await furnished.sign_in()
    name = '<script>alert(1)</script>&"'
    consignee = {**shipment()["consignee"], "organisation": name}
    shipment_id = await furnished.takes_in(consignee=consignee, schedule=True)
    await furnished.hears(Ranking((P1,)), Unclear("<html><body onload=x>"))
    for path in ("/shipments", f"/shipments/{shipment_id}"):
        assert "<script>alert" not in await furnished.page(path)


async def test_a_provider_in_trouble_is_one_banner(furnished: House) -> None:
    await furnished.sign_in()
    await furnished.takes_in(schedule=True)
    await furnished.hears(Denied("invalid key"))
    page = _text(await furnished.page("/shipments"))
    assert "ClickPost rejects the username and key of ClickPost B2B: invalid key." in page
    assert "Update Connector" in page
    assert KEY not in page


async def test_what_is_not_there_is_a_page(house: House) -> None:
    await house.sign_in()
    assert "There is no such page" in await house.page("/nowhere", 404)
    assert "There is no shipment 77." in await house.page("/shipments/77", 404)
    assert "give one of" in await house.page("/shipments?tab=odd", 400)


@pytest.mark.parametrize("name", ["bilty.css", "live.js", "mark.svg"])
async def test_what_pages_need_is_here(house: House, name: str) -> None:
    answer = await house.browser.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await house.browser.get("/static/../app.py")).status_code == 404


async def test_changes_are_told_as_they_happen(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in()
    events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    listener = asyncio.create_task(_listen(furnished, events))
    assert await events.get() == ("hello", "")
    await furnished.call("POST", f"/shipments/{shipment_id}/schedules")
    while (event := await events.get()) != ("changed", f"[{shipment_id}]"):
        assert event == ("changed", "[]")  # the shipment's arrival, heard late
    furnished.tools.changes.close()
    await listener


async def test_who_works_for_some_facilities_hears_of_theirs_alone(furnished: House) -> None:
    assert (await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await furnished.sign_in(facilities=["PNQ-1"])
    changes = furnished.tools.changes
    with changes.watch() as arrivals:
        elsewhere, theirs = await furnished.takes_in(), await furnished.takes_in(number="SO-2", facility="PNQ-1")
        heard: frozenset[int] = frozenset()
        while heard != {elsewhere, theirs}:
            heard |= await arrivals.next_change(60) or frozenset()
    events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    listener = asyncio.create_task(_listen(furnished, events))
    assert await events.get() == ("hello", "")
    changes.heard(CHANGED_CHANNEL, str(elsewhere))
    changes.heard(CHANGED_CHANNEL, f"{elsewhere},{theirs}")
    assert await events.get() == ("changed", f"[{theirs}]")
    changes.heard(CHANGED_CHANNEL, str(elsewhere))
    assert await events.get() == ("", "still here")
    changes.heard(CHANGED_CHANNEL, "")
    assert await events.get() == ("changed", "[]")
    changes.close()
    await listener


async def test_a_shipments_page_hears_of_that_one_alone(furnished: House) -> None:
    await furnished.sign_in(facilities=["BLR-1"])
    shipment_id, other = await furnished.takes_in(), await furnished.takes_in(number="SO-2")
    assert f'data-events="/shipments/{shipment_id}/live"' in await furnished.page(f"/shipments/{shipment_id}")
    changes = furnished.tools.changes
    events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    listener = asyncio.create_task(_listen(furnished, events, f"/shipments/{shipment_id}/live"))
    assert await events.get() == ("hello", "")
    changes.heard(CHANGED_CHANNEL, str(other))
    changes.heard(CHANGED_CHANNEL, f"{other},{shipment_id}")
    assert await events.get() == ("changed", f"[{shipment_id}]")
    changes.close()
    await listener


async def _listen(house: House, events: "asyncio.Queue[tuple[str, str]]", path: str = "/shipments/live") -> None:
    """Comments come under a blank name."""
    name = ""
    timeout = httpx.Timeout(5, read=60)
    async with house.browser.stream("GET", path, timeout=timeout) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.put_nowait((name, line.removeprefix("data: ")))
            elif line.startswith(": "):
                events.put_nowait(("", line.removeprefix(": ")))


def _text(page: str) -> str:
    return page.replace("&#39;", "'").replace("&amp;", "&")
