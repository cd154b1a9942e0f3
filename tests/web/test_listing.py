"""The list of shipments as a dispatcher meets it."""

import html
import re
from collections.abc import Sequence

import pytest

from bilty.reply import Accepted, Child, Label, Paper, Ranking
from bilty.store.access import Role
from bilty.store.database import migrate
from listed import check_listed
from web.house import FACILITY, NO, P1, P2, PDF, RANKED, House, shipment


def text(page: str) -> str:
    """As it is read: the tags gone, the spaces one."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def numbers(page: str) -> list[str]:
    return re.findall(r'<a class="code" href="/shipments/\d+" title="[^"]*">([^<]*)</a>', page)


def links(page: str, words: str) -> list[str]:
    """The addresses of links that say so, whatever stands after it in them."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [html.unescape(address) for address, inner in found if text(inner).startswith(words)]


def count(page: str, tab: str) -> str:
    found = re.search(rf">{re.escape(tab)} <span class=\"count\">([^<]*)<", page)
    assert found is not None, f"no tab {tab}"
    return found.group(1)


async def taken_in(house: House, *named: str, **changed: object) -> list[int]:
    return [await house.takes_in(number=number, **changed) for number in named]


async def with_label(house: House, number: str, awb: str, children: Sequence[Child] = (), **changed: object) -> int:
    shipment_id = await house.takes_in(number=number, schedule=True, **changed)
    sha256 = await house.tools.labels.put(PDF)
    await house.hears(RANKED, Label(awb, children=tuple(children)), Paper(sha256, 1))
    return shipment_id


@pytest.fixture
async def desk(furnished: House) -> House:
    """Signed in as a dispatcher, with a second facility."""
    assert (await furnished.call("PUT", "/facilities/PNQ-2", FACILITY)).status_code == 201
    await furnished.sign_in()
    return furnished


async def test_a_row_says_what_a_dispatcher_looks_for(desk: House) -> None:
    shipment_id = await with_label(desk, "SO-1", "BD4477")
    page = await desk.page("/shipments")
    row = text(page.split("<tbody>")[1].split("</tbody>")[0])
    for each in ("SO-1 Order PO/26-27/88", "Sahyadri Distributors Pune", "3 boxes", "33 kg", "₹23,600.00"):
        assert each in row
    assert "Delhivery B2B BD4477 ● Success: label ready" in row
    await desk.tools.pool.execute("UPDATE shipments SET printed_at = created_at WHERE id = $1", shipment_id)
    assert re.search(r'title="Printed \d+ \w+ \d+, [\d:]+">\d\d:\d\d<', await desk.page("/shipments"))


async def test_tabs_count_and_narrow(desk: House) -> None:
    await desk.takes_in(number="SO-3", schedule=True)
    await desk.hears(Ranking((P1,)), NO)
    await with_label(desk, "SO-1", "BD1")
    await desk.takes_in(number="SO-4", schedule=True)
    await desk.hears(RANKED, Accepted())
    await taken_in(desk, "SO-2")
    page = await desk.page("/shipments")
    expected = {
        "All": "4",
        "To schedule": "1",
        "Label requested": "1",
        "Ready, not printed": "1",
        "Label ready": "1",
        "Needs attention": "0",
        "Failed": "1",
    }
    assert {tab: count(page, tab) for tab in expected} == expected
    assert "Dispatched" not in text(page)
    shown = {"To schedule": ["SO-2"], "Label requested": ["SO-4"], "Ready, not printed": ["SO-1"], "Failed": ["SO-3"]}
    for tab, inside in shown.items():
        [address] = links(page, tab)
        narrowed = await desk.page(address)
        assert numbers(narrowed) == inside
        assert re.search(rf'aria-current="page">{tab} ', narrowed)
    async with desk.tools.pool.acquire() as connection:
        await check_listed(connection)


async def test_a_printed_label_leaves_the_tab_of_new_ones(desk: House) -> None:
    shipment_id = await with_label(desk, "SO-1", "BD1")
    assert "Print new 1" in text(await desk.page("/shipments"))
    await desk.tools.pool.execute("UPDATE shipments SET printed_at = now() WHERE id = $1", shipment_id)
    page = await desk.page("/shipments?tab=label_ready")
    assert (count(page, "Ready, not printed"), count(page, "Label ready")) == ("0", "1")
    assert numbers(page) == ["SO-1"]
    assert "Print new 1" not in text(page)


async def test_filters_narrow_and_each_can_be_taken_away(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1")
    await taken_in(desk, "SO-2", facility="PNQ-2")
    assert numbers(await desk.page("/shipments?facility=PNQ-2")) == ["SO-2"]
    assert numbers(await desk.page("/shipments?courier=Delhivery+B2B")) == ["SO-1"]
    assert numbers(await desk.page("/shipments?provider=clickpost-b2b")) == ["SO-2", "SO-1"]
    today = (await desk.now()).date().isoformat()
    page = await desk.page(f"/shipments?facility=BLR-1&courier=Delhivery+B2B&from={today[:8]}01")
    assert numbers(page) == ["SO-1"]
    assert '<option value="BLR-1" selected>' in page
    without = {
        re.sub("<.*", "", words): html.unescape(address)
        for words, address in re.findall(r'<li><span>(.*?)</span><a href="(.*?)"', page)
    }
    assert list(without)[:2] == ["Facility BLR-1", "Courier Delhivery B2B"]
    assert without["Facility BLR-1"] == f"/shipments?courier=Delhivery+B2B&from={today[:8]}01"
    assert links(page, "Clear all") == ["/shipments"]


async def test_days_bound_the_list(desk: House) -> None:
    await taken_in(desk, "SO-1")
    for query, inside in {"from=2000-01-01": ["SO-1"], "from=2999-01-01": [], "to=2001-01-01": []}.items():
        assert numbers(await desk.page(f"/shipments?{query}")) == inside
    assert "From 1 Jan 2999" in text(await desk.page("/shipments?from=2999-01-01"))


async def test_heads_sort_and_turn_round(desk: House) -> None:
    boxes = shipment()["boxes"]
    await desk.takes_in(number="SO-1", boxes=boxes[:1])
    await desk.takes_in(number="SO-3", boxes=boxes)
    await desk.takes_in(number="SO-2", boxes=boxes[1:], consignee={**shipment()["consignee"], "organisation": "Anand"})
    page = await desk.page("/shipments")
    assert numbers(page) == ["SO-2", "SO-3", "SO-1"]
    for head, sorted_by in {
        "Number": ["SO-1", "SO-2", "SO-3"],
        "Consignee": ["SO-2", "SO-1", "SO-3"],
        "Boxes": ["SO-3", "SO-1", "SO-2"],
        "Weight": ["SO-3", "SO-1", "SO-2"],
        "Age": ["SO-1", "SO-3", "SO-2"],
    }.items():
        [address] = links(page, head)
        once = await desk.page(address)
        assert numbers(once) == sorted_by, head
        assert once.count("aria-sort=") == 1
        [back] = links(once, head)
        if head != "Consignee":  # two are equal there, and stand in the order of their ids
            assert numbers(await desk.page(back)) == sorted_by[::-1], head


async def test_pages_lead_there_and_back(desk: House) -> None:
    for n in range(61):
        await desk.takes_in(number=f"SO-{n:03}")
    first = await desk.page("/shipments?sort=number&tab=to_schedule")
    assert numbers(first) == [f"SO-{n:03}" for n in range(60)]
    [ahead] = links(first, "Next")
    second = await desk.page(ahead)
    assert numbers(second) == ["SO-060"]
    assert links(second, "Next") == []
    [back] = links(second, "← Previous")
    assert numbers(await desk.page(back)) == numbers(first)
    assert "sort=number" in ahead
    assert "tab=to_schedule" in ahead


@pytest.mark.parametrize(
    "typed", ["so-77", "PO/26-27/88", "bd99", "BD9912-1", "SO-7712-", "sahyadri", "Dist Sahy", "sahyadri distributors"]
)
async def test_finds_by_what_is_typed(desk: House, typed: str) -> None:
    await with_label(desk, "SO-7712", "BD9912", [Child("BD9912-1", reference="SO-7712-1")])
    await with_label(desk, "SO-7713", "BD9913")
    other = {**shipment()["consignee"], "organisation": "Malnad Stores"}
    await desk.takes_in(number="X-1", order_number="PO/1", consignee=other)
    answer = await desk.browser.get("/shipments", params={"find": typed})
    if answer.status_code == 303:
        assert typed == "BD9912-1"
        return
    assert "SO-7712" in numbers(answer.text)
    assert "X-1" not in numbers(answer.text)


async def test_a_scan_lands_on_the_shipment(desk: House) -> None:
    shipment_id = await with_label(desk, "SO-7712", "BD9912", [Child("BD9912-01", reference="SO-7712-1")])
    await with_label(desk, "SO-77120", "BD99120")
    reference = await desk.tools.pool.fetchval(
        "SELECT reference FROM turns WHERE shipment_id = $1 AND state = 'won'", shipment_id
    )
    for scanned in ("BD9912", "bd9912-01", "SO-7712", f" {reference} "):
        answer = await desk.browser.get("/shipments", params={"find": scanned, "tab": "failed"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/shipments/{shipment_id}")
    assert numbers(await desk.page("/shipments?find=BD99")) == ["SO-77120", "SO-7712"]


async def test_a_scan_that_means_two_shows_both(desk: House) -> None:
    await taken_in(desk, "SO-1")
    await taken_in(desk, "SO-1", facility="PNQ-2")
    assert numbers(await desk.page("/shipments?find=SO-1")) == ["SO-1", "SO-1"]


async def test_what_is_of_another_facility_is_nowhere(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1")
    [theirs] = await taken_in(desk, "SO-2", facility="PNQ-2")
    await desk.sign_in(facilities=["PNQ-2"])
    page = await desk.page("/shipments")
    assert numbers(page) == ["SO-2"]
    assert count(page, "All") == "1"
    assert "BLR-1" not in page
    assert numbers(await desk.page("/shipments?facility=BLR-1")) == []
    for typed in ("SO-1", "BD1"):
        assert "SO-1<" not in await desk.page(f"/shipments?find={typed}")
    assert (await desk.browser.get("/shipments?find=SO-2")).headers["location"] == f"/shipments/{theirs}"
    await desk.sign_in("nobody@example.com", facilities=[])
    assert numbers(await desk.page("/shipments")) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("find=zzz", "No shipment matches “zzz” at all. Without it"),
        ("find=zzz&facility=BLR-1", "No shipment matches “zzz” at all. Without it"),
        ("facility=PNQ-2&tab=to_schedule", "No shipment matches Facility PNQ-2 at all. Without it"),
        ("tab=failed", "No shipment is under “Failed” now. Show all 1"),
        ("tab=failed&facility=BLR-1", "nothing of it under “Failed”. Show 1 under All"),
    ],
)
async def test_zero_results_say_what_is_to_blame(desk: House, query: str, told: str) -> None:
    await taken_in(desk, "SO-1")
    assert told in text(await desk.page(f"/shipments?{query}"))


async def test_zero_results_of_two_that_do_not_go_together(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1")
    await taken_in(desk, "SO-2", facility="PNQ-2")
    page = await desk.page("/shipments?facility=PNQ-2&courier=Delhivery+B2B")
    assert "Nothing matches Facility PNQ-2 as well. Without it: 1 shipment" in text(page)
    assert "/shipments?courier=Delhivery+B2B" in links(page, "Without it")
    assert numbers(await desk.page("/shipments?courier=Delhivery+B2B")) == ["SO-1"]


async def test_an_empty_house_has_one_sentence_and_one_button(desk: House) -> None:
    page = await desk.page("/shipments")
    assert "Here every shipment stands with its couriers" in text(page)
    assert page.count('href="/shipments/new"') == 2  # in the head and in the middle


async def test_what_cannot_be_read_is_said_and_still_there(desk: House) -> None:
    page = await desk.page("/shipments?from=yesterday&to=2026-11-20&find=SO", 400)
    assert "From is 'yesterday': give a day of the calendar, for example 2026-11-26." in text(page)
    assert 'value="2026-11-20"' in page
    assert 'value="SO"' in page
    for query in ("tab=nonsense", "sort=nonsense", "after=x", "status=failed"):
        assert (await desk.browser.get(f"/shipments?{query}")).status_code == 400


async def test_a_cursor_beyond_the_end_leads_to_the_beginning(desk: House) -> None:
    [only] = await taken_in(desk, "SO-1")
    answer = await desk.browser.get(f"/shipments?tab=to_schedule&after={only}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/shipments?tab=to_schedule")


async def test_the_boxes_of_a_page_are_a_form_of_their_own(desk: House) -> None:
    one, other = await taken_in(desk, "SO-1", "SO-2")
    page = await desk.page("/shipments?tab=to_schedule&facility=BLR-1")
    form = page.split('<form id="chosen"')[1].split("</form>")[0]
    assert 'method="post" action="/jobs"' in form
    assert re.findall(r'name="id" value="(\d+)"', form) == [str(other), str(one)]
    kinds = re.findall(r'name="kind" value="(\w+)"', form)
    assert kinds == ["schedule", "print", "print_new", "schedule_again", "dispatch", "cancel", "export"]
    assert 'name="matching" value="tab=to_schedule&amp;facility=BLR-1"' in form
    assert "All 2 that match" in text(form)
    assert form.index("<button disabled hidden>") < form.index('name="kind"')  # Enter in a box presses nothing


async def test_all_that_match_of_an_unnarrowed_list_is_never_blank(desk: House) -> None:
    await taken_in(desk, "SO-1")
    assert 'name="matching" value="tab=all"' in await desk.page("/shipments")


async def test_print_new_is_for_the_list_that_is_shown(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1")
    page = await desk.page("/shipments?facility=BLR-1&tab=label_requested")
    assert 'name="matching" value="tab=ready_not_printed&amp;facility=BLR-1"' in page
    assert "Print new" not in text((await desk.page("/shipments?facility=PNQ-2")).split("<table")[0])


async def test_a_viewer_may_export_and_nothing_else(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1")
    await desk.sign_in("ravi@example.com", role=Role.VIEWER)
    page = await desk.page("/shipments")
    assert re.findall(r'name="kind" value="(\w+)"', page) == ["export"]
    assert "/shipments/new" not in page
    assert 'id="ask-cancel"' not in page


async def test_rows_are_as_high_as_one_likes(desk: House) -> None:
    await taken_in(desk, "SO-1")
    assert 'class="chosen"' in await desk.page("/shipments")
    answer = await desk.send("/shipments/row-height", {"height": "comfortable", "back": "/shipments?tab=to_schedule"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/shipments?tab=to_schedule")
    assert 'class="chosen comfortable"' in await desk.page("/shipments")
    await desk.send("/shipments/row-height", {"height": "dense", "back": "https://elsewhere.example/"})
    assert 'class="chosen"' in await desk.page("/shipments")


async def test_the_way_back_from_the_row_height_stays_here(desk: House) -> None:
    answer = await desk.send("/shipments/row-height", {"height": "dense", "back": "//elsewhere.example/shipments"})
    assert answer.headers["location"] == "/shipments"


async def test_the_paper_says_which_list_it_is(desk: House) -> None:
    await taken_in(desk, "SO-1")
    page = await desk.page("/shipments?tab=to_schedule&facility=BLR-1&sort=-value")
    caption = text(page.split("<caption")[1].split("</caption>")[0].partition(">")[2])
    assert caption.startswith("To schedule, Facility BLR-1, highest value first Printed ")


async def test_what_was_found_last_is_told_by_run_and_by_courier(desk: House) -> None:
    await desk.takes_in(number="SO-1", schedule=True)
    await desk.hears(Ranking((P1, P2)), NO, Accepted())
    assert numbers(await desk.page("/shipments?courier=Blue+Dart")) == ["SO-1"]
    assert numbers(await desk.page("/shipments?courier=Delhivery+B2B")) == []
    async with desk.tools.pool.acquire() as connection:
        await check_listed(connection)


async def test_what_was_there_before_the_list_was_is_listed_as_well(desk: House) -> None:
    await with_label(desk, "SO-1", "BD1", [Child("BD1-1", reference="SO-1-1")])
    await desk.takes_in(number="SO-2", schedule=True)
    await desk.hears(RANKED, NO, Accepted())
    await taken_in(desk, "SO-3")
    async with desk.tools.pool.acquire() as connection:
        await connection.execute(
            """DELETE FROM migrations WHERE name = '0004_listing.sql';
               DROP TABLE shipment_keys, shipment_codes, consignee_names, couriers;
               DROP FUNCTION words_of;
               ALTER TABLE shipments DROP COLUMN standing, DROP COLUMN courier_id, DROP COLUMN printed_at;"""
        )
        assert await migrate(connection) == ["0004_listing.sql"]
        await check_listed(connection)
    assert numbers(await desk.page("/shipments?find=sahy")) == ["SO-3", "SO-2", "SO-1"]
