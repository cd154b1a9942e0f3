"""Pages, counts and filters, against the same told in Python."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilty.store.database import Connection
from bilty.store.listing import COUNT_MAX, Cursor, Filter, Page, Sort, Tab, choices, counts, ids_matching, page, see
from bilty.store.listing.scope import resolve
from bilty.store.listing.statements import Ways, ids_from
from listing.conftest import COURIERS
from listing.shelf import BEGAN, Article, Shelf

DAYS = [(BEGAN + timedelta(days=n)).date() for n in range(-1, 6)]
FILTERS = st.builds(
    Filter,
    tab=st.sampled_from(Tab),
    facility=st.sampled_from(("", "", "BLR-1", "DEL-3", "NOWHERE")),
    provider=st.sampled_from(("", "", "clickpost-b2b", "other", "none")),
    courier=st.sampled_from(("", *COURIERS, "Nobody")),
    created_from=st.none() | st.sampled_from(DAYS),
    created_to=st.none() | st.sampled_from(DAYS),
    words=st.sampled_from(("", "", "so-", "AWB00", "traders", "sah tra", "étoile", "PO-1", "nothing at all")),
)
LIMITS = st.none() | st.sets(st.sampled_from(("BLR-1", "PNQ-2", "DEL-3")))
WAYS = st.sampled_from((Ways(), Ways(few=0, close=0), Ways(few=0), Ways(runs=0), Ways(few=0, close=0, runs=0)))
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def limited(shelf: Shelf, wanted: Filter, codes: set[str] | None) -> Filter:
    return wanted if codes is None else replace(wanted, facility_ids=frozenset(shelf.facilities[c] for c in codes))


async def pages(connection: Connection, wanted: Filter, sort: Sort, limit: int) -> list[Page]:
    """All of them, from the first to the last."""
    found = [await page(connection, wanted, sort, None, limit)]
    while found[-1].next is not None:
        found.append(await page(connection, wanted, sort, found[-1].next, limit))
    return found


def ids_of(found: Sequence[Page]) -> list[int]:
    return [each for one in found for each in one.ids]


@OFTEN
@given(wanted=FILTERS, codes=LIMITS, sort=st.sampled_from(Sort), limit=st.integers(1, 40))
async def test_paging_shows_each_that_matches_once_and_back_again(
    connection: Connection, full: Shelf, wanted: Filter, codes: set[str] | None, sort: Sort, limit: int
) -> None:
    wanted = limited(full, wanted, codes)
    there = await pages(connection, wanted, sort, limit)
    assert ids_of(there) == full.shows(wanted, sort)
    back = [there[-1]]
    while back[0].previous is not None:
        back.insert(0, await page(connection, wanted, sort, back[0].previous, limit))
    assert ids_of(back) == ids_of(there)


@OFTEN
@given(
    wanted=FILTERS,
    codes=LIMITS,
    sort=st.sampled_from(Sort),
    ways=WAYS,
    begin=st.tuples(st.integers(0, 130), st.booleans()),
)
async def test_every_way_finds_the_same(
    connection: Connection,
    full: Shelf,
    wanted: Filter,
    codes: set[str] | None,
    sort: Sort,
    ways: Ways,
    begin: tuple[int, bool],
) -> None:
    at, back = begin
    wanted = limited(full, wanted, codes)
    shown = full.shows(wanted, sort)
    edge = shown[at] if at < len(shown) else None
    ids = await ids_from(connection, await resolve(connection, wanted), sort, edge, 25, back=back, ways=ways)
    ordered = shown[::-1] if back else shown
    assert ids == (ordered if edge is None else ordered[ordered.index(edge) + 1 :])[:25]


@OFTEN
@given(wanted=FILTERS, codes=LIMITS)
async def test_tabs_count_what_stands_under_them(
    connection: Connection, full: Shelf, wanted: Filter, codes: set[str] | None
) -> None:
    wanted = limited(full, wanted, codes)
    counted = await counts(connection, wanted)
    assert counted == {tab: len(full.shows(replace(wanted, tab=tab))) for tab in Tab}


async def test_all_that_match_are_those_of_the_list(connection: Connection, full: Shelf) -> None:
    wanted = Filter(tab=Tab.LABEL_READY, facility="BLR-1")
    assert await ids_matching(connection, wanted, 10_000) == full.shows(wanted)
    assert await ids_matching(connection, wanted, 3, Sort.VALUE_DOWN) == full.shows(wanted, Sort.VALUE_DOWN)[:3]


async def test_a_shipment_that_moves_on_is_not_shown_twice_nor_are_others_left_out(
    connection: Connection, full: Shelf
) -> None:
    wanted = Filter(tab=Tab.LABEL_READY)
    shown = full.shows(wanted, Sort.NUMBER)
    first = await page(connection, wanted, Sort.NUMBER, None, 4)
    await connection.execute("UPDATE shipments SET status = 'dispatched' WHERE id = $1", first.ids[-1])
    assert first.next is not None
    second = await page(connection, wanted, Sort.NUMBER, first.next, 4)
    assert second.ids == shown[4:8]


async def test_a_cursor_near_the_beginning_leads_back_to_the_whole_first_page(
    connection: Connection, full: Shelf
) -> None:
    shown = full.shows(Filter(), Sort.NUMBER)
    found = await page(connection, Filter(), Sort.NUMBER, Cursor(shown[2], back=True), 10)
    assert (found.ids, found.previous) == (shown[:10], None)


async def test_a_day_is_the_facilitys_own(connection: Connection) -> None:
    shelf = Shelf()
    late = datetime(2026, 11, 20, 18, 45, tzinfo=UTC)  # 00:15 of the 21st in India, 13:45 of the 20th in New York
    in_india, abroad = await shelf.put(
        connection, Article("SO-1", created_at=late), Article("SO-2", facility="NYC", created_at=late)
    )
    zone = """UPDATE facilities SET content = '{"time_zone": "America/New_York"}' WHERE code = 'NYC'"""
    await connection.execute(zone)
    twentieth, after = late.date(), late.date() + timedelta(days=1)
    assert await ids_matching(connection, Filter(created_from=after), 9) == [abroad, in_india]
    assert await ids_matching(connection, Filter(created_to=twentieth), 9) == []
    assert await ids_matching(connection, Filter(facility="NYC", created_to=twentieth), 9) == [abroad]
    assert await ids_matching(connection, Filter(facility="NYC", created_from=after), 9) == []


async def test_arrivals_that_overtook_each_other_are_cut_exactly(connection: Connection) -> None:
    shelf = Shelf()
    midnight = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    seconds = [-500, 400, -300, 3, -2, 1, -1, 0, 200, -250, 500]
    articles = [Article(f"SO-{n}", created_at=midnight + timedelta(seconds=s)) for n, s in enumerate(seconds)]
    await shelf.put(connection, *articles)
    for wanted in (Filter(created_from=midnight.date() + timedelta(1)), Filter(created_to=midnight.date())):
        assert await ids_matching(connection, wanted, 99) == shelf.shows(wanted)


async def test_counts_end_where_nobody_counts_on(connection: Connection) -> None:
    many = [Article(f"SO-{n}", status="dispatched", value=Decimal(n)) for n in range(COUNT_MAX + 1)]
    shelf = Shelf()
    await shelf.put(connection, *many, Article("SO-new"))
    counted = await counts(connection, Filter())
    assert (counted[Tab.ALL], counted[Tab.DISPATCHED], counted[Tab.TO_SCHEDULE]) == (COUNT_MAX, COUNT_MAX, 1)
    found = await page(connection, Filter(tab=Tab.DISPATCHED), Sort.VALUE_DOWN, None, 2)
    assert [shelf.articles[each].value for each in found.ids] == [COUNT_MAX, COUNT_MAX - 1]


async def test_rows_come_in_the_order_asked_for_and_only_those_that_are_there(
    connection: Connection, full: Shelf
) -> None:
    first, second = full.shows(Filter(tab=Tab.TO_SCHEDULE))[:2]
    rows = await see(connection, [second, 999_999, first])
    assert [row.id for row in rows] == [second, first]
    assert (rows[0].number, rows[0].time_zone) == (full.articles[second].number, "Asia/Kolkata")


async def test_choices_are_what_one_may_see(connection: Connection, full: Shelf) -> None:
    known = await choices(connection, None)
    assert known.facilities == ("BLR-1", "DEL-3", "PNQ-2")
    assert known.couriers == ("Blue Dart", "DTDC", "Gati")
    assert known.providers == (("clickpost-b2b", "clickpost-b2b"), ("other", "other"))
    assert (await choices(connection, frozenset({full.facilities["PNQ-2"]}))).facilities == ("PNQ-2",)
