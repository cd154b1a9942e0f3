"""Import in the panel: a file comes up, its columns are named, its faults mended in their cells, and it is taken in."""

import asyncio
import csv
import io
import re
from html import unescape
from urllib.parse import urlsplit

import httpx
import pytest

from bilty.order_columns import NAMES
from bilty.reply import Label, Paper
from bilty.store.access import Role
from bilty.store.import_entries import Entry, Told
from bilty.store.judging import Verdict
from bilty.web.import_template import HELP
from bilty.web.import_words import ROWS_SHOWN, changed_cells, columns_of, shown, told_mended
from web.house import FACILITY, PDF, RANKED, House
from web.orders import order, written
from web.page import check_page
from web.test_jobs import job_of, work_on

THEIRS = {
    "number": "Shipment no",
    "facility": "From",
    "consignee_organisation": "Party name",
    "consignee_phone": "Mobile no",
    "weight_g": "Heavy",
}
"""Some are known by other names, and two nobody could place."""


async def uploads(house: House, content: bytes, name: str = "orders.csv") -> httpx.Response:
    answer = await house.browser.post("/imports", files={"file": (name, content)}, headers={"Origin": house.url})
    if answer.status_code != 303:
        check_page(answer)
    return answer


async def checked(house: House, content: bytes, name: str = "orders.csv") -> str:
    """The import's address, once its file is checked or waits for a person."""
    answer = await uploads(house, content, name)
    assert answer.status_code == 303, answer.text
    await works(house)
    return str(answer.headers["location"])


async def works(house: House) -> None:
    """Whatever has been begun is done."""
    for row in await house.tools.pool.fetch("SELECT id FROM jobs WHERE ended_at IS NULL ORDER BY id"):
        assert not (await work_on(house, row["id"])).problem


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def cells(page: str) -> dict[str, str]:
    """What may be written in: by name, what stands there."""
    found = re.findall(r'<input value="([^"]*)" id="([^"]*)"', page)
    return {unescape(name): unescape(value) for value, name in found}


@pytest.fixture
async def desk(furnished: House) -> House:
    await furnished.sign_in()
    return furnished


async def test_a_file_is_checked_mended_in_its_cell_and_taken_in(desk: House) -> None:
    pool = desk.tools.pool
    where = await checked(desk, written(order("S1"), order("S2", consignee_pincode="4110"), order("S3")))
    page = await desk.page(where)
    assert "3 shipments in the file: 2 new and 1 with faults. Nothing is taken in yet." in words(page)
    assert await pool.fetchval("SELECT count(*) FROM shipments") == 0
    place = next(name for name in cells(page)).removeprefix("cell.")
    assert cells(page) == {f"cell.{place}": "4110"}
    assert 'aria-label="consignee_pincode, line 3"' in page
    assert re.search(r'<th scope="col" class="figure line-no">Line</th><th scope="col">consignee_pincode</th>', page)
    fields = {f"cell.{place}": "411018", f"was.{place}": "4110"}
    page = await desk.told(await desk.send(f"{where}/mends", fields))
    assert "1 cell changed. S2 is without fault now." in words(page)
    assert "3 new" in words(page)
    answer = await desk.send(f"{where}/taking", {"then": "schedule"})
    assert answer.headers["location"] == where
    await works(desk)
    page = await desk.page(where)
    assert "3 shipments taken in, 3 scheduled of them." in words(page)
    rows = await pool.fetch("SELECT number, status FROM shipments ORDER BY id")
    assert [tuple(row) for row in rows] == [("S1", "scheduling"), ("S2", "scheduling"), ("S3", "scheduling")]
    actions = await pool.fetch("SELECT action, actor FROM audit WHERE subject = 'import 1' ORDER BY id")
    assert [row["action"] for row in actions] == ["file uploaded", "rows of a file mended", "file taken in"]
    assert {row["actor"] for row in actions} == {"asha@example.com"}
    past = await desk.page("/imports")
    assert "orders.csv" in past
    assert "Taken in" in past


async def test_the_same_file_changes_nothing_and_a_changed_row_says_what_it_would(desk: House) -> None:
    where = await checked(desk, written(order("S1"), order("S2")))
    await desk.send(f"{where}/taking", {"then": "keep"})
    await works(desk)
    again = await desk.page(await checked(desk, written(order("S1"), order("S2"))))
    assert "2 here already, just so" in words(again)
    assert "Take in" not in again
    where = await checked(desk, written(order("S1", consignee_city="Nashik"), order("S2")))
    page = await desk.page(where)
    assert "S1 consignee_city Pune Nashik" in words(page)
    assert "Nothing is written over them" in page
    told = await desk.told(await desk.send(f"{where}/taking", {"then": "schedule"}))
    assert "there is nothing to take in" in told
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM shipments") == 2


async def test_columns_are_named_once_for_every_file_with_that_header(desk: House) -> None:
    where = await checked(desk, written(order("S1"), names=THEIRS))
    page = await desk.page(where)
    assert "Columns to name" in page
    assert "Heavy" in words(page)
    chosen = dict(re.findall(r'<select id="(column-\d+)".*?<option value="([^"]*)" selected', page, re.DOTALL))
    labels = dict(re.findall(r'<label for="(column-\d+)">([^<]*)<', page))
    named = {labels[at]: ours for at, ours in chosen.items()}
    assert named["Shipment no"] == "number"
    assert named["Mobile no"] == "consignee_phone"
    assert named["Heavy"] == ""
    fields = {at.replace("-", "."): ours for at, ours in chosen.items()}
    refused = await desk.told(await desk.send(f"{where}/columns", fields))
    assert "lacks facility and weight_g" in words(refused)
    places = {name: at.replace("-", ".") for at, name in labels.items()}
    fields |= {places["Heavy"]: "weight_g", places["From"]: "facility"}
    page = await desk.told(await desk.send(f"{where}/columns", fields))
    assert "The columns are kept" in page
    await works(desk)
    assert "1 new" in words(await desk.page(where))
    await desk.sign_in("ravi@example.com")
    assert "1 new" in words(await desk.page(await checked(desk, written(order("S9"), names=THEIRS))))


async def test_a_row_is_opened_whole_and_what_was_not_touched_stays(desk: House) -> None:
    where = await checked(desk, written(order("S1", boxes="0", consignee_address="Plot 14\nGate 3")))
    page = await desk.page(f"{where}?show=faulty&line=2")
    assert len(cells(page)) > 10
    assert '<textarea rows="3"' in page
    fields = cells(page) | {name.replace("cell.", "was."): value for name, value in cells(page).items()}
    assert "Nothing was changed in the cells." in await desk.told(await desk.send(f"{where}/mends", fields))
    assert "to be mended any more" in await desk.told(await desk.send(f"{where}/mends", {"cell.99.0": "S2"}))
    place = next(name for name, value in cells(page).items() if value == "0").removeprefix("cell.")
    fields = {f"cell.{place}": "none", f"was.{place}": "0"}
    page = await desk.told(await desk.send(f"{where}/mends", fields))
    assert "There is more to put right" in page
    assert " autofocus" in page


async def test_faulty_rows_are_downloaded_and_come_again_with_their_reasons(desk: House) -> None:
    where = await checked(desk, written(order("S1"), order("S2", consignee_pincode="4110")))
    assert f'href="{where}/faulty.csv"' in await desk.page(where)
    answer = await desk.browser.get(f"{where}/faulty.csv")
    assert "faulty.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["number"] for row in rows] == ["S2"]
    assert "pincode" in rows[0]["reason"]
    mended = answer.text.replace(",4110,", ",411018,").encode()
    assert "1 new" in words(await desk.page(await checked(desk, mended, "mended.csv")))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_template_comes_through_as_it_is(desk: House, kind: str) -> None:
    answer = await desk.browser.get(f"/imports/template.{kind}")
    assert answer.status_code == 200
    page = await desk.page(await checked(desk, answer.content, f"template.{kind}"))
    assert "2 shipments in the file: 2 new." in words(page)


def test_a_template_explains_every_column() -> None:
    assert tuple(HELP) == NAMES


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("", b"", "Choose the file first."),
        ("orders.csv", b"", "orders.csv is empty"),
        ("C:\\desk\\orders.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook of the old kind"),
    ],
)
async def test_what_is_no_file_of_orders_is_refused_at_once(desk: House, name: str, content: bytes, said: str) -> None:
    answer = await uploads(desk, content, name)
    assert answer.status_code == 422
    assert said in answer.text
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM imports") == 0


async def test_one_that_is_too_large_is_refused_before_it_is_read(desk: House) -> None:
    address = urlsplit(desk.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = [
        "POST /imports HTTP/1.1",
        f"Host: {address.netloc}",
        f"Origin: {desk.url}",
        f"Cookie: bilty={desk.browser.cookies['bilty']}",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 80000000",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    answer = await asyncio.wait_for(reader.read(65_536), 30)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 422")
    assert b"larger than 64 MB: divide it" in answer


async def test_the_list_shows_the_shipments_of_a_file_and_they_go_one_step_together(desk: House) -> None:
    await desk.takes_in(number="SO-1")
    where = await checked(desk, written(order("S1"), order("S2")))
    await desk.send(f"{where}/taking", {"then": "keep"})
    await works(desk)
    page = await desk.page(where)
    assert "All 2" in words(page)
    (matching,) = re.findall(r'name="matching" value="([^"]*tab=to_schedule)"', page)
    answer = await desk.send("/jobs", {"kind": "schedule", "matching": unescape(matching), "back": where})
    job = await job_of(desk, int(answer.headers["location"].removeprefix("/jobs/")))
    assert job.total == 2
    await works(desk)
    await desk.hears(RANKED, Label("A1"), Paper(await desk.tools.labels.put(PDF), 1))
    listed = await desk.page("/shipments?import=1")
    assert re.findall(r'title="(S[0-9]+)">', listed) == ["S2", "S1"]
    assert "Import 1" in words(listed)
    assert re.findall(r'title="(S[0-9]+)">', await desk.page("/shipments?import=1&sort=number")) == ["S1", "S2"]
    assert "Without it" in await desk.page("/shipments?import=7")
    await desk.page("/shipments?import=none", status=400)
    page = await desk.page(where)
    assert "Print new" in page


async def test_one_of_a_facility_sees_neither_anothers_file_nor_its_shipments(desk: House) -> None:
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    where = await checked(desk, written(order("S1")))
    await desk.send(f"{where}/taking", {"then": "keep"})
    await works(desk)
    await desk.sign_in("pune@example.com", facilities=["PNQ-1"])
    await desk.page(where, status=404)
    assert "orders.csv" not in await desk.page("/imports")
    assert "S1" not in words(await desk.page("/shipments?import=1"))
    theirs = await desk.page(await checked(desk, written(order("S2")), "pune.csv"))
    assert "1 with faults" in words(theirs), "BLR-1 is not theirs"
    await desk.sign_in("boss@example.com", role=Role.ADMIN)
    assert "pune.csv" in await desk.page("/imports")


async def test_a_page_hears_how_far_its_file_is(desk: House) -> None:
    answer = await uploads(desk, written(order("S1")))
    where = answer.headers["location"]
    heard: list[str] = []
    async with desk.browser.stream("GET", f"{where}/live") as stream, asyncio.timeout(30):
        async for line in stream.aiter_lines():
            heard += [line] if line.startswith("event: ") else []
            if heard == ["event: hello"]:
                await works(desk)
    assert "event: changed" in heard
    assert "Checked" in await desk.page(where), "the stream ended with its job"


def entry(rows: int, *faults: Told) -> Entry:
    lines = tuple((line, ("S1", str(line))) for line in range(2, rows + 2))
    return Entry(2, "S1", Verdict.FAULTY, lines, faults, (), (), "", 0)


def test_of_a_long_shipment_the_faulty_rows_are_shown_first() -> None:
    headers = ("Number", "Kilos")
    fault = Told(90, "weight_g", "Kilos", "90", "too heavy")
    found = entry(100, fault, Told(2, "consignee_phone", "consignee_phone", "", "is missing"))
    columns = columns_of([found], headers)
    assert columns == [1, 0]
    seen = shown(found, headers, columns)
    assert len(seen.lines) == ROWS_SHOWN
    assert seen.more == 100 - ROWS_SHOWN
    assert seen.besides == ("is missing",)
    assert [(line.number, line.cells[0].faults) for line in seen.lines if line.cells[0].is_open] == [
        (90, ("too heavy",))
    ]


def test_only_cells_that_somebody_wrote_in_are_changed() -> None:
    form = {
        "cell.2.1": "b",
        "was.2.1": "a",
        "cell.3.0": "x",
        "was.3.0": "x",
        "cell.4.9": "z",
        "cell.x.0": "y",
        "a": "b",
    }
    assert changed_cells(form, ("One", "Two")) == [(2, "Two", "b")]


def test_of_many_mended_the_first_are_named() -> None:
    mended = [Entry(n, f"S{n}", Verdict.NEW, (), (), (), (), "", 0) for n in range(7)]
    assert told_mended(7, mended) == "7 cells changed. S0, S1, S2, S3, S4 and 2 more are without fault now."
