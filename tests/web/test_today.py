"""Today: each figure, where it leads, and who sees whose."""

import re
from datetime import timedelta

from bilty.reply import Accepted, Label, NotYet, Paper
from bilty.store.access import Role
from bilty.store.database import Connection
from bilty.store.turn_ends import End, write_ends
from web.house import FACILITY, NO, PDF, RANKED, House

ENDED_AT = timedelta(seconds=1)


def _text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split()).replace("&#39;", "'").replace("&amp;", "&")


def _rows(page: str, heading: str) -> list[str]:
    """The rows of the table below that heading, as text."""
    _, _, section = page.partition(f'id="{heading}"')
    body = section.partition("<tbody>")[2].partition("</tbody>")[0]
    return [_text(row) for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


async def test_an_empty_house_says_what_today_will_show(house: House) -> None:
    await house.furnish()
    await house.sign_in()
    page = await house.page("/today")
    assert "how many labels each hour brought" in page
    assert '<a class="button main" href="/shipments/new">New shipment</a>' in page
    await house.sign_in("vik@example.com", role=Role.VIEWER)
    page = await house.page("/today")
    assert "/shipments/new" not in page
    assert '<a class="button main" href="/shipments">All shipments</a>' in page


async def test_what_is_in_flight_stands_by_courier_with_its_deadline(furnished: House) -> None:
    await furnished.sign_in()
    await furnished.takes_in(number="SO-1", schedule=True)
    await furnished.hears(RANKED, NO, Accepted(), NotYet())
    await furnished.takes_in(number="SO-2", schedule=True)
    page = await furnished.page("/today")
    blue_dart, asking = sorted(_rows(page, "flight"))
    assert blue_dart.startswith("Blue Dart 0 1 ")
    assert asking.startswith("ClickPost, ranking 1 0")
    assert "tab=label_requested&amp;courier=Blue+Dart" in page
    assert "All 1 1" in _text(page)
    oldest = _rows(page, "oldest")
    assert [row.split()[0] for row in oldest] == ["SO-1", "SO-2"]
    assert "P1 Delhivery B2B refused, P2 Blue Dart waiting, poll 1 of 6" in page
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page


async def test_how_the_day_went(furnished: House) -> None:
    await furnished.sign_in()
    await _two_labels_and_a_refusal(furnished)
    page = await furnished.page("/today")
    assert "Nothing is under way" in page
    delhivery, blue_dart = _rows(page, "couriers")
    assert delhivery.startswith("Delhivery B2B 2 1 50 % 1 0 50 % ")
    assert blue_dart.startswith("Blue Dart 1 1 100 % 0 0 0 % ")
    assert "Of 2 labels, half were there within" in _text(page)
    assert sum(map(int, _rows(page, "hours")[0].split())) == 2
    assert sum(map(int, _rows(page, "waits")[0].split())) == 2


async def test_every_figure_leads_to_the_shipments_behind_it(furnished: House) -> None:
    await furnished.sign_in()
    await _two_labels_and_a_refusal(furnished)
    page = await furnished.page("/today")
    links = sorted({link.replace("&amp;", "&") for link in re.findall(r'href="(/today/shipments[^"]*)"', page)})
    numbers = {link: _behind(await furnished.page(link)) for link in links}
    assert numbers.pop("/today/shipments?ended=refused&courier=4%3Amain") == ["SO-2"]
    assert numbers.pop("/today/shipments?ended=label&courier=4%3Amain") == ["SO-1"]
    assert numbers.pop("/today/shipments?ended=label&courier=5%3Amain") == ["SO-2"]
    assert numbers.pop("/today/shipments?courier=4%3Amain") == ["SO-2", "SO-1"]
    assert numbers.pop("/today/shipments?courier=5%3Amain") == ["SO-2"]
    for axis in ("hour=", "step="):
        assert sorted(n for link, found in numbers.items() if axis in link for n in found) == ["SO-1", "SO-2"]
    refused = await furnished.page("/today/shipments?ended=refused&courier=4%3Amain")
    assert "<h1>Turns that Delhivery B2B refused today</h1>" in refused


async def test_nothing_behind_a_figure_is_said(furnished: House) -> None:
    await furnished.sign_in()
    assert "No shipment is behind this figure now" in await furnished.page(
        "/today/shipments?ended=lapsed&hour=3&step=2"
    )
    assert "Labels today, 36 min or more after scheduling" in await furnished.page(
        "/today/shipments?ended=label&step=18"
    )
    assert "follow a link" in await furnished.page("/today/shipments?courier=blue", 400)
    assert "give one of" in await furnished.page("/today/shipments?ended=odd", 400)
    assert "no parameter" in await furnished.page("/today?since=yesterday", 400)


async def test_the_day_is_of_one_facility_where_wished(furnished: House) -> None:
    assert (await furnished.call("PUT", "/facilities/BOM-1", FACILITY)).status_code == 201
    await furnished.sign_in()
    await furnished.takes_in(number="SO-1", schedule=True)
    await furnished.takes_in(number="SO-2", facility="BOM-1", schedule=True)
    assert len(_rows(await furnished.page("/today"), "oldest")) == 2
    page = await furnished.page("/today?facility=BOM-1")
    assert [row.split()[0] for row in _rows(page, "oldest")] == ["SO-2"]
    assert "/shipments?tab=scheduling&amp;facility=BOM-1" in page
    assert "give one of BLR-1, BOM-1" in await furnished.page("/today?facility=DEL-1", 400)


async def test_nobody_sees_the_day_of_a_facility_that_is_not_theirs(furnished: House) -> None:
    assert (await furnished.call("PUT", "/facilities/BOM-1", FACILITY)).status_code == 201
    await furnished.takes_in(number="SO-1", schedule=True)
    await _labels(furnished, "AWB1")
    await furnished.sign_in("bina@example.com", facilities=["BOM-1"])
    assert "Nothing has been scheduled yet" in await furnished.page("/today")
    assert "SO-1" not in await furnished.page("/today/shipments?ended=label")
    assert "give one of BOM-1" in await furnished.page("/today?facility=BLR-1", 400)
    await furnished.sign_in("asha@example.com", facilities=["BLR-1"])
    assert "Delhivery B2B 1 1 100 %" in _text(await furnished.page("/today"))


async def test_a_label_that_comes_late_is_what_a_turn_ended_with_after_all(furnished: House) -> None:
    await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, later=ENDED_AT)
    now = await furnished.now()
    async with furnished.tools.pool.acquire() as connection:
        turn_id = await connection.fetchval("SELECT id FROM turns WHERE priority = 1")
        for end in (End.LAPSED, End.REFUSED):
            await write_ends(connection, [(turn_id, end)], now)
            assert await _ends(connection) == ["lapsed"]
        for end in (End.LABEL, End.LAPSED):
            await write_ends(connection, [(turn_id, end)], now + timedelta(minutes=20))
            assert await _ends(connection) == ["label"]
        assert await connection.fetchval("SELECT took_ms >= 1200000 FROM turn_ends")


async def test_strangers_are_shown_the_way_in(house: House) -> None:
    for path in ("/today", "/today/shipments"):
        answer = await house.browser.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def _labels(house: House, awb: str) -> None:
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, Label(awb), Paper(sha256, 1), later=ENDED_AT)


async def _two_labels_and_a_refusal(house: House) -> None:
    """SO-1 has its label of P1; SO-2 was refused by P1 and has P2's."""
    await house.takes_in(number="SO-1", schedule=True)
    await _labels(house, "AWB1")
    await house.takes_in(number="SO-2", schedule=True)
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, NO, Label("AWB2"), Paper(sha256, 1), later=ENDED_AT)


async def _ends(connection: Connection) -> list[str]:
    return [row["ended"] for row in await connection.fetch("SELECT ended FROM turn_ends")]


def _behind(page: str) -> list[str]:
    return re.findall(r'<a class="code" href="/shipments/\d+">([^<]+)', page)
