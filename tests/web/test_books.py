"""ClickPost's books and ours: what a comparison left for a person, where they look, and one that they begin."""

import pytest

from bilty.deciding.found import Difference
from bilty.store import differences, reconciling
from bilty.store.access import Role
from bilty.store.differences import Found
from web.house import FACILITY, RANKED, House
from web.test_attention import CALM, tally

VOID = "AWB AWB1001 of Delhivery B2B has the shipment here, and is cancelled at ClickPost (Cancelled)."


@pytest.fixture
async def desk(furnished: House) -> House:
    await furnished.sign_in()
    return furnished


async def differs(house: House, kind: Difference = Difference.CANCELLED_THERE, their_awb: str = "") -> int:
    """A shipment whose label is here, and of which a comparison found that."""
    shipment_id = await house.takes_in(schedule=True)
    await house.hears(RANKED)
    await house.labels("AWB1001")
    async with house.tools.pool.acquire() as connection, connection.transaction():
        assert await reconciling.begin(connection)
        taken = await reconciling.take(connection)
        assert taken is not None
        turn_id = await connection.fetchval("SELECT id FROM turns WHERE awb = 'AWB1001'")
        found = Found(turn_id, kind, "AWB1001", their_awb, "Cancelled")
        await differences.write(connection, [found], taken.id, await house.now())
        await reconciling.end(connection, taken)
    return shipment_id


async def test_what_differs_is_told_with_what_to_do_and_where(desk: House) -> None:
    shipment_id = await differs(desk)
    page = await desk.page("/attention")
    assert VOID in page
    assert "Do not hand its boxes over with this label." in page
    assert f'href="/shipments/{shipment_id}"' in page
    assert tally(page) == "1"
    assert CALM not in page
    assert VOID in await desk.page(f"/shipments/{shipment_id}"), "whoever has its boxes before them sees it, too"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Difference.ANOTHER_AWB, "ClickPost has AWB AWB2002 of Delhivery B2B, and Bilty has AWB AWB1001"),
        (Difference.UNKNOWN_THERE, "ClickPost knows neither AWB AWB1001 of Delhivery B2B"),
    ],
)
async def test_each_kind_has_its_words(desk: House, kind: Difference, words: str) -> None:
    await differs(desk, kind, "AWB2002")
    assert words in await desk.page("/attention")


async def test_what_is_seen_to_leaves_the_page_and_stays_in_the_audit(desk: House) -> None:
    shipment_id = await differs(desk)
    answer = await desk.send(f"/shipments/{shipment_id}/difference", {"back": "/attention"})
    assert answer.headers["location"].startswith("/attention")
    assert "what ClickPost's books say of it is seen to." in (await desk.told(answer)).replace("&#39;", "'")
    page = await desk.page("/attention")
    assert VOID not in page
    assert tally(page) == ""
    row = await desk.tools.pool.fetchrow("SELECT actor, subject FROM audit WHERE action = 'difference seen to'")
    assert row is not None
    assert tuple(row) == ("asha@example.com", "SO-1001")
    answer = await desk.send(f"/shipments/{shipment_id}/difference", {"back": "/attention"})
    assert "Nothing was left to see to." in await desk.told(answer)


async def test_each_sees_what_is_of_their_facilities(desk: House) -> None:
    shipment_id = await differs(desk)
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    await desk.sign_in("ravi@example.com", facilities=["PNQ-1"])
    page = await desk.page("/attention")
    assert VOID not in page
    assert tally(page) == ""
    assert (await desk.send(f"/shipments/{shipment_id}/difference")).status_code == 404


async def test_who_may_only_look_has_no_button(desk: House) -> None:
    shipment_id = await differs(desk)
    await desk.sign_in("vera@example.com", role=Role.VIEWER)
    page = await desk.page("/attention")
    assert VOID in page
    assert f"/shipments/{shipment_id}/difference" not in page
    assert "Compare now" not in page


async def test_the_page_says_when_the_books_were_compared_and_an_admin_begins_it_anew(desk: House) -> None:
    await desk.sign_in("admin@example.com", role=Role.ADMIN)
    assert "not compared with" in await desk.page("/attention")
    answer = await desk.send("/attention/comparison")
    assert "begins within half a minute" in await desk.told(answer)
    page = await desk.page("/attention")
    assert "0 references asked about so far." in page
    assert "Compare now" not in page
    assert "under way already" in await desk.told(await desk.send("/attention/comparison"))
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        taken = await reconciling.take(connection)
        assert taken is not None
        await reconciling.go_on(connection, taken, 0, asked=1204, unanswered=2, taken_in=1)
        await reconciling.end(connection, taken)
    page = await desk.page("/attention")
    assert "1,204 references asked about, 1 AWB taken in that Bilty had not, 2 without a readable answer." in page
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'comparison begun'") == 1
