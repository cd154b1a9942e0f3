"""E-way bills in the panel: a form for one shipment, a file for many, and what a person must change at the portal."""

import re
from html import unescape

import httpx
import pytest

from bilty.reply import Label, Paper
from bilty.store.access import Role
from bilty.words import harmless, without_guard
from web.house import FACILITY, NO, PDF, RANKED, House
from web.page import check_page

BILL, OTHER = "331001234567", "331007654321"
HEADER = "number,facility,invoice_number,ewaybill_number,ewaybill_expires_on\n"


def dear(ewaybill: str = "", number: str = "INV-1") -> list[dict[str, str]]:
    return [{"number": number, "date": "2026-11-20", "value": "60000.00", "ewaybill_number": ewaybill}]


@pytest.fixture
async def desk(furnished: House) -> House:
    await furnished.sign_in()
    return furnished


async def loads(house: House, content: str | bytes, **fields: str) -> httpx.Response:
    answer = await house.browser.post(
        "/ewaybills", data=fields, files={"file": ("bills.csv", content)}, headers={"Origin": house.url}
    )
    check_page(answer)
    return answer


def became(answer: httpx.Response) -> list[list[str]]:
    """The rows of the table in words."""
    body = re.search(r'<table class="list">.*?<tbody>(.*?)</tbody>', answer.text, re.DOTALL)
    assert body is not None
    rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    return [[" ".join(unescape(re.sub(r"<[^>]*>", "", cell)).split()) for cell in row] for row in cells]


async def bills(house: House) -> dict[str, str]:
    """By the number of the shipment, of its first invoice."""
    rows = await house.tools.pool.fetch(
        """SELECT s.number, v.content -> 'invoices' -> 0 ->> 'ewaybill_number' AS bill FROM shipments s
             JOIN shipment_versions v ON v.shipment_id = s.id AND v.version = s.version"""
    )
    return {row["number"]: row["bill"] or "" for row in rows}


async def test_one_is_entered_on_its_page_and_the_shipment_is_booked(desk: House) -> None:
    shipment_id = await desk.takes_in(invoices=dear())
    assert f'href="/shipments/{shipment_id}/ewaybills"' in await desk.page(f"/shipments/{shipment_id}")
    form = await desk.page(f"/shipments/{shipment_id}/ewaybills")
    assert "Invoice <span" in form
    assert "Book it at once" in form
    fields = {"0.invoice": "INV-1", "0.number": "3310 0123 4567", "0.expires_on": "2099-12-31", "schedule": "yes"}
    page = await desk.told(await desk.send(f"/shipments/{shipment_id}/ewaybills", fields))
    assert "1 e-way bill changed." in page
    assert "until 31 Dec 2099" in page
    assert (await bills(desk))["SO-1001"] == BILL
    assert (await desk.tools.pool.fetchval("SELECT status FROM shipments")) == "scheduling"
    (line,) = await desk.tools.pool.fetch("SELECT actor FROM audit WHERE action = 'e-way bill'")
    assert line["actor"] == "asha@example.com"
    again = await desk.told(await desk.send(f"/shipments/{shipment_id}/ewaybills", fields))
    assert "Nothing was changed." in again


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"0.invoice": "INV-1", "0.number": "33"}, "give an e-way bill number of 12 digits"),
        ({"0.invoice": "INV-9", "0.number": BILL}, "has no invoice INV-9"),
        ({"0.invoice": "INV-1", "0.number": BILL, "0.expires_on": "2020-01-01"}, "expired on 1 Jan 2020"),
    ],
)
async def test_what_is_wrong_is_told_beside_what_was_typed(desk: House, fields: dict[str, str], said: str) -> None:
    shipment_id = await desk.takes_in(invoices=dear())
    answer = await desk.send(f"/shipments/{shipment_id}/ewaybills", fields)
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert fields["0.number"] in answer.text
    assert (await bills(desk))["SO-1001"] == ""


async def test_one_that_has_expired_is_shown(desk: House) -> None:
    shipment_id = await desk.takes_in(invoices=[{**dear(BILL)[0], "ewaybill_expires_on": "2099-01-01"}])
    await desk.tools.pool.execute(
        """UPDATE shipment_versions
              SET content = jsonb_set(content, '{invoices,0,ewaybill_expires_on}', '"2020-01-01"')"""
    )
    assert "expired on 1 Jan 2020" in await desk.page(f"/shipments/{shipment_id}")


async def test_a_file_is_done_row_by_row(desk: House) -> None:
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    for number in ("S1", "S2", "S3"):
        await desk.takes_in(number=number, invoices=dear())
    await desk.takes_in(number="S3", facility="PNQ-1", invoices=dear())
    content = HEADER + "\n".join(
        [
            f"S1,,INV-1,{BILL},2099-12-31",
            f"S2,BLR-1,INV-1,{OTHER},",
            "",
            f"S1,,INV-1,{OTHER},",
            f"S3,,INV-1,{BILL},",
            f"S9,,INV-1,{BILL},",
            f"S2,,INV-9,{BILL},",
            "S3,PNQ-1,INV-1,33,",
            "S3,PNQ-1,INV-1,,",
            f"S3,PNQ-1,INV-1,{BILL},2020-01-01",
        ]
    )
    answer = await loads(desk, content, schedule="yes")
    assert [row[0] + " " + row[-1] for row in became(answer)] == [
        "2 ● Done",
        "3 ● Done",
        "5 ✕ Refused Line 2 has this invoice already: leave one out.",
        "6 ✕ Refused Shipment S3 is one of BLR-1 and one of PNQ-1: give its facility.",
        "7 ✕ Refused There is no shipment S9.",
        "8 ✕ Refused Shipment S2 has no invoice INV-9: its invoices are INV-1.",
        '9 ✕ Refused ewaybill_number is "33": give an e-way bill number of 12 digits.',
        "10 ✕ Refused ewaybill_number is blank: the row was passed over.",
        "11 ✕ Refused The e-way bill expired on 1 Jan 2020: extend it or make a new one, and give its last day.",
    ]
    assert "2 rows done, 7 not." in answer.text
    rows = await desk.tools.pool.fetch("SELECT number, status FROM shipments ORDER BY id")
    waiting = [("S1", "created"), ("S2", "created"), ("S3", "on_hold"), ("S3", "on_hold")]
    assert [tuple(row) for row in rows] == waiting, "what has a row that was refused is not booked"
    again = await loads(desk, HEADER + f"S1,,INV-1,{BILL},2099-12-31\n", schedule="yes")
    assert await desk.tools.pool.fetchval("SELECT status FROM shipments WHERE number = 'S1'") == "scheduling"
    assert became(again)[0][-1] == "● Done"
    assert len(await desk.tools.pool.fetch("SELECT FROM audit WHERE action = 'e-way bill'")) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose the file first."),
        (b" \n", "The file is empty: its first line names the columns"),
        (HEADER.encode(), "The file has a header and no rows: give each invoice a row."),
        (b"number;facility\n", "separates its columns by semicolons"),
        (b"number,colour\n", "The header lacks invoice_number and ewaybill_number and has no use for colour"),
        (b"number,number,invoice_number,ewaybill_number\n", "names twice number"),
        ("number".encode("utf-16"), "The file is UTF-16"),
        (HEADER.encode() + b"S\xe9,,INV-1,1,\n", "Line 2 is not UTF-8 text"),
        (HEADER.encode() + b'S1,,INV-1,"1', "From this line on the file cannot be read"),
        (HEADER.encode() + b"S1,,INV-1,331001234567,,,9\n", "The row has 7 cells and the header 5"),
        (HEADER.encode() + b"S1,,INV-1,331001234567,\n" * 5_001, "A file has at most 5,000 rows"),
        (HEADER.encode() + b" " * 1024**2, "The file is larger than 1 MB: load it in parts."),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(desk: House, content: bytes, said: str) -> None:
    assert said in unescape((await loads(desk, content)).text)


async def test_shipments_of_other_facilities_are_not_there(desk: House) -> None:
    await desk.call("PUT", "/facilities/PNQ-1", FACILITY)
    await desk.takes_in(invoices=dear())
    await desk.sign_in("chitra@example.com", facilities=["PNQ-1"])
    answer = await loads(desk, HEADER + f"SO-1001,,INV-1,{BILL},\n")
    assert became(answer)[0][-1] == "✕ Refused There is no shipment SO-1001."
    assert "No shipment on hold lacks an e-way bill." in answer.text
    assert (await bills(desk))["SO-1001"] == ""


async def test_what_waits_for_one_is_listed_with_rows_to_fill_in(desk: House) -> None:
    await desk.takes_in(number="S1", invoices=dear())
    await desk.takes_in(number="S2", invoices=dear(BILL))
    assert 'href="/ewaybills"' in await desk.page("/shipments?tab=on_hold")
    page = await desk.page("/ewaybills")
    assert (">S1</a>" in page, ">S2</a>" in page) == (True, False)
    answer = await desk.browser.get("/ewaybills/wanted.csv")
    assert answer.content.decode("utf-8-sig").splitlines() == [HEADER.strip(), "S1,BLR-1,INV-1,,"]
    filled = answer.content.replace(b"INV-1,,", f"INV-1,{BILL},".encode())
    assert became(await loads(desk, filled))[0][-1] == "● Done"
    assert "No shipment on hold lacks an e-way bill." in await desk.page("/ewaybills")


async def test_a_transporter_to_change_waits_for_a_person(desk: House) -> None:
    shipment_id = await desk.takes_in(invoices=dear(BILL), schedule=True)
    sha256 = await desk.tools.labels.put(PDF)
    await desk.hears(RANKED, NO, Label("AWB2"), Paper(sha256, 3))
    told = "was given for Delhivery B2B: its transporter must change to Blue Dart."
    attention = await desk.page("/attention")
    assert told in attention
    assert '<b class="tally">1</b>' in attention
    shown = await desk.page(f"/shipments/{shipment_id}")
    assert "Transporter is changed" in shown
    page = await desk.told(await desk.send(f"/shipments/{shipment_id}/transporter", {"back": "/attention"}))
    assert "Shipment SO-1001: its transporter is changed." in page
    assert told not in page
    assert "Nothing waits for you" in page
    again = await desk.told(await desk.send(f"/shipments/{shipment_id}/transporter"))
    assert "Nothing was left to change." in again
    assert "asha@example.com changed the transporter of" in again
    await desk.sign_in("vikram@example.com", role=Role.VIEWER)
    assert "Enter e-way bills" not in await desk.page(f"/shipments/{shipment_id}")


async def test_of_two_that_are_due_one_may_come_first_and_go_again(desk: House) -> None:
    shipment_id = await desk.takes_in(invoices=dear() + dear(number="INV-2"))
    path = f"/shipments/{shipment_id}/ewaybills"
    two = {"0.invoice": "INV-1", "0.number": BILL, "1.invoice": "INV-2", "1.number": ""}
    assert "1 e-way bill changed." in await desk.told(await desk.send(path, two))
    assert (await bills(desk))["SO-1001"] == BILL
    assert await desk.tools.pool.fetchval("SELECT status FROM shipments") == "on_hold"
    assert "1 e-way bill changed." in await desk.told(await desk.send(path, {**two, "0.number": ""}))
    assert (await bills(desk))["SO-1001"] == ""


async def test_the_file_of_what_is_wanted_holds_no_formula_and_goes_round(desk: House) -> None:
    evil = "=1+A0"
    box = {"count": 1, "length_cm": 40, "breadth_cm": 30, "height_cm": 20, "weight_g": 5000, "invoice": evil}
    await desk.takes_in(invoices=dear(number=evil), boxes=[box])
    blank = (await desk.browser.get("/ewaybills/wanted.csv")).text
    assert ",'=1+A0,," in blank
    assert became(await loads(desk, blank.replace(",'=1+A0,,", f",'=1+A0,{BILL},")))[0][-1] == "● Done"
    assert await bills(desk) == {"SO-1001": BILL}


@pytest.mark.parametrize("cell", ["=1", "'=1", "''-1", "@x", "\t1", "SO-1", "'twas", ""])
def test_a_cell_is_guarded_and_comes_back_as_it_was(cell: str) -> None:
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert without_guard(harmless(cell)) == cell


async def test_an_invoice_that_is_named_with_its_facility_and_without_is_named_twice(desk: House) -> None:
    await desk.takes_in(invoices=dear())
    answer = await loads(desk, HEADER + f"SO-1001,,INV-1,{BILL},\nSO-1001,BLR-1,INV-1,{OTHER},\n")
    assert [row[-1] for row in became(answer)] == [
        "● Done",
        "✕ Refused Line 2 has this invoice already: leave one out.",
    ]
    assert await bills(desk) == {"SO-1001": BILL}
