"""Finding a shipment by what is in the hand: a number, a barcode, a name."""

from dataclasses import replace

import pytest

from bilty.store.database import Connection
from bilty.store.listing import FOUND_MAX, Filter, Sort, find_exactly, ids_matching, view
from listing.shelf import Article, Shelf

ONE = Article(
    "SO-1001/A",
    order_number="PO/26-27/88",
    consignee="M/s. Sahyadri Distributors (Pune)",
    codes=("SO-1001--ABCDEFGHIJK", "BD4477", "BD4477-02"),
)
OTHER = Article("X-7", order_number="7_7", consignee="भारत ट्रेडर्स", codes=("X-7-ZZZZZZZZZZZ", "AWB%1"))


async def found(connection: Connection, words: str) -> list[int]:
    return await ids_matching(connection, Filter(words=words), 99)


@pytest.mark.parametrize(
    "words",
    [
        "SO-1001/A",
        "so-10",
        "po/26-27/88",
        "PO/26",
        "SO-1001--ABCDEFGHIJK",
        "so-1001--abc",
        "BD4477",
        "bd44",
        "BD4477-02",
        "sahyadri",
        "Pune dist",
        "m s sah",
        "  SAHYADRI   distributors ",
    ],
)
async def test_each_beginning_finds_it(connection: Connection, words: str) -> None:
    shelf = Shelf()
    one, _ = await shelf.put(connection, ONE, OTHER)
    assert await found(connection, words) == [one]


@pytest.mark.parametrize(
    "words", ["1001", "hyadri", "sahyadri traders", "%", "_", "7%", "'", "\\", "a & b", ":*", "!x"]
)
async def test_what_is_not_the_beginning_finds_nothing(connection: Connection, words: str) -> None:
    await Shelf().put(connection, ONE, OTHER)
    assert await found(connection, words) == []


@pytest.mark.parametrize("words", ["7_7", "awb%1", "भारत", "ट्रेडर्स भा"])
async def test_any_script_and_any_sign(connection: Connection, words: str) -> None:
    _, other = await Shelf().put(connection, ONE, OTHER)
    assert await found(connection, words) == [other]


@pytest.mark.parametrize("scanned", ["so-1001/a", "SO-1001--ABCDEFGHIJK", "BD4477", "bd 44 77", "bd4477-02"])
async def test_a_scan_names_the_one(connection: Connection, scanned: str) -> None:
    shelf = Shelf()
    one, _ = await shelf.put(connection, ONE, OTHER)
    assert await find_exactly(connection, scanned, None) == [one]
    assert await find_exactly(connection, scanned, frozenset({shelf.facilities["BLR-1"]})) == [one]
    assert await find_exactly(connection, scanned, frozenset()) == []
    assert await find_exactly(connection, scanned[:-1], None) in ([], [one])  # BD4477 itself begins BD4477-02


async def test_a_scan_that_means_two_names_both(connection: Connection) -> None:
    ids = await Shelf().put(connection, ONE, replace(ONE, facility="PNQ-2", codes=("BD4477",)))
    assert sorted(await find_exactly(connection, "BD4477", None)) == ids


async def test_of_too_many_the_newest_are_taken_and_it_is_said(connection: Connection) -> None:
    shelf = Shelf()
    ids = await shelf.put(connection, *(Article(f"SO-{n:05}", consignee="Om Traders") for n in range(FOUND_MAX + 5)))
    for words in ("SO-", "traders"):
        seen = await view(connection, Filter(words=words), Sort.NEWEST, None, 10)
        assert seen.more_found
        assert seen.page.ids == ids[:-11:-1]
    assert not (await view(connection, Filter(words="SO-00001"), Sort.NEWEST, None, 10)).more_found


@pytest.mark.parametrize("words", ["SO-", "traders", "AWB"])
async def test_what_others_have_hides_nothing_of_ones_own_facility(connection: Connection, words: str) -> None:
    shelf = Shelf()
    ours = await shelf.put(connection, Article("SO-00000", facility="PNQ-2", consignee="Om Traders", codes=("AWB0",)))
    await shelf.put(
        connection,
        *(
            Article(f"SO-{n:05}", consignee="Om Traders" if n % 2 else f"Traders {n}", codes=(f"AWB{n}",))
            for n in range(1, 2 * FOUND_MAX)
        ),
    )
    limited = Filter(words=words, facility_ids=frozenset({shelf.facilities["PNQ-2"]}))
    assert await ids_matching(connection, limited, 99) == ours
    assert await ids_matching(connection, Filter(words=words, facility="PNQ-2"), 99) == ours
    assert await ids_matching(connection, Filter(words=words, facility_ids=frozenset()), 99) == []


async def test_a_word_that_many_consignees_have_is_looked_for_in_the_newest(connection: Connection) -> None:
    shelf = Shelf()
    ids = await shelf.put(connection, *(Article(f"SO-{n:05}", consignee=f"Traders {n}") for n in range(1_100)))
    seen = await view(connection, Filter(words="traders"), Sort.NEWEST, None, 10)
    assert seen.page.ids == ids[:-11:-1]
    assert seen.more_found
    assert await found(connection, "traders 109") == shelf.shows(Filter(words="traders 109"))
