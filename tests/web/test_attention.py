"""Needs attention: one list of what a person must do, each matter with its reason, its remedy and its buttons."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bilty.deciding import ActKind
from bilty.reply import (
    Accepted,
    Cancelled,
    Child,
    Denied,
    Label,
    NotYet,
    Paper,
    PickedUp,
    Refusal,
    Refused,
    Reply,
    Unclear,
)
from bilty.store import attention
from bilty.store.access import Role
from bilty.turn import State
from web.house import FACILITY, NO, RANKED, House
from web.test_acting import address, does, scheduled, turn_of, undecided, unlabelled

GARBAGE, SILENT = Unclear("<html>"), Unclear("nothing came", silent=True)
ACCOUNT = Refused(Refusal.COURIER_ACCOUNT, 302, "account inactive")
BOX = {"length_cm": 40, "breadth_cm": 30, "height_cm": 25, "weight_g": 12500, "invoice": "INV-1"}
CALM = "Nothing waits for you: whatever is under way goes on by itself."


@pytest.fixture
async def desk(furnished: House) -> House:
    """A dispatcher is signed in."""
    await furnished.sign_in()
    return furnished


def tally(page: str) -> str:
    """What the rail says."""
    found = re.search(r'<b class="tally">(.*?)</b>', page)
    return found[1] if found else ""


def numbers(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a class="code" href="/shipments/\d+">(.*?)</a>', page)


async def waits(house: House, count: int, *, first: int = 1) -> None:
    """Shipments that nobody knows whether they are booked."""
    for number in range(first, first + count):
        await house.takes_in(number=f"SO-{number:04}", schedule=True)
    await house.hears(RANKED, *(GARBAGE for _ in range(9)))


async def rests(house: House) -> None:
    """Nothing of what is there now is due any more."""
    await house.tools.pool.execute("UPDATE turns SET due_at = due_at + interval '1 year' WHERE due_at IS NOT NULL")


async def test_with_nothing_to_do_it_says_so_in_a_sentence(desk: House) -> None:
    page = await desk.page("/attention")
    assert CALM in page
    assert tally(page) == ""
    await scheduled(desk)
    assert CALM in await desk.page("/attention")


async def test_a_shipment_has_its_reason_its_remedy_and_its_buttons(desk: House) -> None:
    shipment_id = await undecided(desk)
    turn = await turn_of(desk, shipment_id)
    page = await desk.page("/attention")
    assert numbers(page) == ["SO-1001"]
    assert tally(page) == "1"
    assert f"whether Delhivery B2B booked it under reference {turn.reference}." in page
    assert "If it is there, choose Enter its AWB; if not, Not booked." in page
    assert "P1 Delhivery B2B undecided" in page
    for words in ("Ask again", "Not booked: go on…", "Enter its AWB…"):
        assert words in page
    assert "Cancel the shipment" not in page


async def test_every_button_leads_somewhere_and_back_here(desk: House) -> None:
    shipment_id = await unlabelled(desk)
    page = await desk.page("/attention")
    for link in re.findall(r'<a class="button[^"]*" href="(/shipments/\d+/acts/[^"]+)"', page):
        assert 'href="/attention">' in await desk.page(link.replace("&amp;", "&"))
    turn = await turn_of(desk, shipment_id)
    answer = await desk.send(address(shipment_id, ActKind.FETCH_AGAIN, turn, back="/attention"))
    assert "label is fetched at once." in await desk.told(answer)


async def test_what_is_done_leaves_the_list(desk: House) -> None:
    shipment_id = await undecided(desk)
    await does(desk, shipment_id, ActKind.ENTER_AWB, await turn_of(desk, shipment_id), awb="AWB1001")
    page = await desk.page("/attention")
    assert (numbers(page), tally(page)) == ([], "")


async def test_that_no_label_came_is_one_matter_of_three_couriers(desk: House) -> None:
    shipment_id = await scheduled(desk)
    for _ in (1, 2, 3):
        await desk.hears(Accepted(), later=timedelta(seconds=1))
        await desk.hears(*(NotYet() for _ in range(6)), later=timedelta(minutes=2))
    page = await desk.page("/attention")
    assert "Delhivery B2B, Blue Dart and DTDC gave no label within 12 minutes; one may still come." in page
    assert page.count("I have seen to it…") == 1
    assert "Schedule again…" in page
    await does(desk, shipment_id, ActKind.SETTLED, await turn_of(desk, shipment_id))
    page = await desk.page("/attention")
    assert numbers(page) == []
    assert 'Failed <span class="count">1</span>' in page


async def test_an_awb_that_is_not_wanted_waits_though_the_shipment_has_its_label(desk: House) -> None:
    shipment_id = await scheduled(desk)
    await desk.tools.pool.execute("UPDATE shipments SET failed_told = true")
    await desk.hears(Accepted(), Label("AWB1001"))
    turn = await turn_of(desk, shipment_id)
    await does(desk, shipment_id, ActKind.CANCEL_LATE, turn)
    assert numbers(await desk.page("/attention")) == []
    await desk.hears(Refused(Refusal.COURIER, 350, "too late"))
    page = await desk.page("/attention")
    assert "Delhivery B2B will not cancel AWB AWB1001, which is not wanted: too late (ClickPost code 350)." in page
    await desk.hears(Cancelled())
    assert numbers(await desk.page("/attention")) == []


async def miscounted(house: House, children: int, *, boxes: int = 3) -> int:
    """Its label is here, with so many waybills for the boxes."""
    shipment_id = await scheduled(house, boxes=[{**BOX, "count": boxes}])
    named = tuple(Child(f"C{n}", description=f"Box {n} of {boxes}") for n in range(1, children + 1))
    replies: list[Reply] = [Label("AWB1001", children=named), Paper("0" * 64, 3)]
    await house.hears(*replies)
    return shipment_id


async def test_waybills_that_are_not_as_many_as_the_boxes_wait_until_it_is_said_to_be_right(
    desk: House,
) -> None:
    shipment_id = await miscounted(desk, 2)
    page = await desk.page("/attention")
    assert (numbers(page), tally(page)) == (["SO-1001"], "1")
    assert "Delhivery B2B&#39;s waybills do not fit the boxes of AWB AWB1001: 3 boxes, 2 waybills for them" in page
    assert "It is right…" in page
    assert "Cancel this AWB and go on…" in page
    answer = await desk.call("GET", f"/shipments/{shipment_id}")
    assert (answer.json()["status"], answer.json()["problem"]["code"]) == ("label_ready", "box_count")
    await does(desk, shipment_id, ActKind.SETTLED, await turn_of(desk, shipment_id))
    assert numbers(await desk.page("/attention")) == []
    refused = await does(desk, shipment_id, ActKind.GIVE_UP_AWB, await turn_of(desk, shipment_id))
    assert "Nothing was changed. asha@example.com has seen to Delhivery B2B&#39;s outside Bilty at " in refused


async def test_a_label_that_does_not_fit_the_boxes_is_cancelled_and_the_next_courier_asked(desk: House) -> None:
    shipment_id = await miscounted(desk, 5)
    await does(desk, shipment_id, ActKind.GIVE_UP_AWB, await turn_of(desk, shipment_id))
    await desk.hears(Cancelled())
    assert (await turn_of(desk, shipment_id, 2)).state is State.ASKING
    assert numbers(await desk.page("/attention")) == []


@pytest.mark.parametrize("children", [0, 3, 4])
async def test_as_many_as_the_boxes_one_more_or_none_at_all_are_no_matter(desk: House, children: int) -> None:
    await miscounted(desk, children)
    assert numbers(await desk.page("/attention")) == []


async def test_what_has_gone_with_its_count_is_no_matter_any_more(desk: House) -> None:
    shipment_id = await miscounted(desk, 2)
    await does(desk, shipment_id, ActKind.DISPATCH)
    assert numbers(await desk.page("/attention")) == []


async def stopped(house: House) -> None:
    await scheduled(house)
    await house.hears(Refused(Refusal.ACCOUNT, 301, "no such account"))


async def offered(house: House) -> None:
    shipment_id = await scheduled(house)
    await house.tools.pool.execute("UPDATE shipments SET failed_told = true WHERE id = $1", shipment_id)
    await house.hears(Accepted(), Label("AWB1001"))


async def conflict(house: House) -> None:
    await scheduled(house)
    await house.labels("AWB1001")
    await scheduled(house, number="SO-1002")
    await house.hears(Label("AWB1001"))


async def given_up(house: House, answer: Reply) -> None:
    shipment_id = await unlabelled(house)
    await does(house, shipment_id, ActKind.GIVE_UP_AWB, await turn_of(house, shipment_id))
    await house.hears(answer)


async def outdated(house: House) -> None:
    """Changed while a courier might still book what it was."""
    shipment_id = await undecided(house)
    await does(house, shipment_id, ActKind.NOT_BOOKED, await turn_of(house, shipment_id))
    answer = await house.call("PATCH", f"/shipments/{shipment_id}", {"boxes": [BOX]}, If_Match="*")
    assert answer.status_code in {200, 202}, answer.text


async def unreturned(house: House) -> None:
    shipment_id = await scheduled(house)
    await house.labels("AWB1001")
    await does(house, shipment_id, ActKind.DISPATCH)
    turn = await turn_of(house, shipment_id)
    wish = {"act": "order-return", "reference": turn.reference}
    assert (await house.call("POST", f"/shipments/{shipment_id}/decisions", wish)).status_code == 200
    await house.hears(Refused(Refusal.COURIER, 350, "at the hub"))


@pytest.mark.parametrize(
    ("comes", "concern", "buttons"),
    [
        (undecided, "undecided", ("Ask again", "Not booked: go on…", "Enter its AWB…")),
        (
            unlabelled,
            "awb_without_label",
            ("Fetch again", "Upload the courier&#39;s PDF…", "Cancel this AWB and go on…"),
        ),
        (stopped, "stopped", ("Ask the next courier", "Schedule again…")),
        (offered, "late_label", ("Use it…", "Cancel it…")),
        (lambda house: given_up(house, Refused(Refusal.COURIER, 350, "no")), "cancel_refused", ("I have seen to it…",)),
        (
            lambda house: given_up(house, PickedUp("gone")),
            "surplus_picked_up",
            ("Use it after all…", "I have seen to it…"),
        ),
        (conflict, "awb_conflict", ("I have seen to it…",)),
        (outdated, "old_version", ("I have seen to it…",)),
        (unreturned, "return_refused", ("I have seen to it…",)),
        (lambda house: miscounted(house, 2), "box_count", ("It is right…", "Cancel this AWB and go on…")),
    ],
)
async def test_whatever_waits_for_a_person_has_its_buttons(
    desk: House, comes: Callable[[House], Awaitable[object]], concern: str, buttons: tuple[str, ...]
) -> None:
    await comes(desk)
    page = await desk.page(f"/attention?kind={concern}")
    assert len(numbers(page)) == 1
    (here,) = re.findall(r'<div class="acts">.*?</td>', page, re.DOTALL)
    for words in buttons:
        assert f">{words}<" in here, here
    for link in re.findall(r'href="(/shipments/\d+/acts/[^"]+)"', here):
        await desk.page(link.replace("&amp;", "&"))


async def test_an_outage_is_a_banner_and_no_matter(desk: House) -> None:
    await scheduled(desk)
    await desk.hears(SILENT)
    page = await desk.page("/attention")
    assert page.count("ClickPost is silent since") == 1
    assert CALM in page
    assert tally(page) == ""


async def test_a_paused_provider_is_one_matter_whatever_waits(desk: House) -> None:
    for number in (1, 2, 3):
        await desk.takes_in(number=f"SO-{number}", schedule=True)
    await desk.hears(Denied("wrong key"))
    page = await desk.page("/attention")
    assert page.count("ClickPost rejects the username and key of ClickPost B2B") == 1
    assert "An admin can mend this in Settings." in page
    assert tally(page) == "1"
    await desk.sign_in("admin@example.com", role=Role.ADMIN)
    link = '<a class="button" href="/settings/shipping-providers/clickpost-b2b/connector">Update Connector</a>'
    assert link in await desk.page("/attention")


async def test_a_provider_without_its_connector_is_a_matter(house: House) -> None:
    await house.call("PUT", "/shipping-providers/second", {"kind": "clickpost_b2b", "name": "Second account"})
    await house.sign_in(role=Role.ADMIN)
    page = await house.page("/attention")
    assert page.count("Second account has no username and key yet") == 1
    assert tally(page) == "1"


async def test_an_alarmed_provider_is_a_matter(desk: House) -> None:
    await scheduled(desk)
    await desk.hears(GARBAGE, Unclear("404", undocumented=True))
    page = await desk.page("/attention")
    assert page.count("The status call of ClickPost B2B does not answer as documented") == 1


async def test_a_courier_account_that_refuses_is_one_matter_of_its_facility(desk: House) -> None:
    await scheduled(desk)
    await desk.hears(ACCOUNT)
    page = await desk.page("/attention")
    assert "Account main refused to book for BLR-1: account inactive (ClickPost code 302)." in page
    assert tally(page) == "1"
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    await desk.sign_in("ravi@example.com", facilities=["PNQ-1"])
    page = await desk.page("/attention")
    assert CALM in page
    assert tally(page) == ""


async def test_each_sees_what_is_of_their_facilities(desk: House) -> None:
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    for number, facility in (("SO-1", "BLR-1"), ("SO-2", "PNQ-1")):
        await desk.takes_in(number=number, facility=facility, schedule=True)
    await desk.hears(RANKED, *(GARBAGE for _ in range(9)))
    assert sorted(numbers(await desk.page("/attention"))) == ["SO-1", "SO-2"]
    await desk.sign_in("ravi@example.com", facilities=["PNQ-1"])
    page = await desk.page("/attention")
    assert (numbers(page), tally(page)) == (["SO-2"], "1")


async def test_a_viewer_sees_the_matters_and_no_button(desk: House) -> None:
    await undecided(desk)
    await desk.sign_in("vera@example.com", role=Role.VIEWER)
    page = await desk.page("/attention")
    assert numbers(page) == ["SO-1001"]
    assert "/acts/" not in page


async def test_what_failed_is_counted_and_stands_in_the_list(desk: House) -> None:
    await desk.takes_in(number="SO-1", schedule=True)
    await desk.takes_in(number="SO-2", invoices=[{"number": "INV-1", "date": "2026-11-20", "value": "90000.00"}])
    await desk.hears(RANKED, NO, NO, NO)
    page = await desk.page("/attention")
    assert '<a class="button" href="/shipments?tab=failed">Failed <span class="count">1</span></a>' in page
    assert '<a class="button" href="/shipments?tab=on_hold">On hold <span class="count">1</span></a>' in page
    assert (numbers(page), tally(page)) == ([], "")


async def test_the_newest_trouble_is_first_and_one_kind_may_be_seen_alone(desk: House) -> None:
    await waits(desk, 1)
    await rests(desk)
    await desk.takes_in(number="SO-STOPPED", schedule=True)
    await desk.hears(RANKED)
    await desk.hears(Refused(Refusal.ACCOUNT, 301, "username"), later=timedelta(seconds=1))
    assert numbers(await desk.page("/attention")) == ["SO-STOPPED", "SO-0001"]
    page = await desk.page("/attention?kind=undecided")
    assert numbers(page) == ["SO-0001"]
    assert 'Refused for all <span class="count">1</span>' in page
    page = await desk.page("/attention?kind=late_label")
    assert "Nothing of “Late label” waits for anybody." in page


async def test_a_long_list_has_pages_that_hold_still(desk: House) -> None:
    await waits(desk, 60)
    first = await desk.page("/attention")
    assert tally(first) == "60"
    older = re.search(r'<a rel="next" href="(.*?)">', first)
    assert older
    await rests(desk)
    await waits(desk, 1, first=61)
    second = await desk.page(older[1].replace("&amp;", "&"))
    assert len(numbers(first)) == 50
    assert len(numbers(second)) == 10
    assert not set(numbers(first)) & set(numbers(second))
    assert '<a href="/attention">Newest</a>' in second
    assert 'rel="next"' not in second


@pytest.mark.parametrize("query", ["kind=nonsense", "below=x", "below=1-x", "below=-1", "colour=red"])
async def test_a_question_that_is_not_one_is_refused(desk: House, query: str) -> None:
    assert (await desk.browser.get(f"/attention?{query}")).status_code == 400


async def test_the_count_stops_at_its_bound(desk: House) -> None:
    async with desk.tools.pool.acquire() as connection:
        await desk.takes_in()
        await connection.execute(
            """INSERT INTO shipments (facility_id, provider_id, number, order_number, consignee, city, box_count,
                                      weight_g, value, status, concerns, concerned_at, courier_id)
               SELECT facility_id, provider_id, 'X-' || n, '', '', '', 1, 1, 1, 'needs_attention', '{undecided}',
                      clock_timestamp(), courier_id FROM shipments, generate_series(1, 150) AS n"""
        )
        assert await attention.attention_count(connection, None) == attention.COUNT_MAX + 1
