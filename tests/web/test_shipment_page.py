"""The page of one shipment: why it is where it is, what it is, its label, and what was said about it."""

import io
import re
import zlib
from datetime import timedelta
from html import unescape

import pytest
from reportlab.pdfgen.canvas import Canvas

from bilty.reply import Accepted, Cancelled, Child, Exchange, Label, NotYet, Paper, Reply
from bilty.store import claims, settlements
from bilty.store.access import Role
from bilty.store.providers import Keyring
from bilty.store.settlements import Outcome
from web.house import FACILITY, KEY, NO, PDF, RANKED, House, shipment

CHILDREN = tuple(Child(f"CHILD{n}", reference=f"SO-1001-{n}") for n in (1, 2, 3))
SOON = timedelta(seconds=1)
CLOCK = r"(?:\d{1,2} \w{3}, )?\d\d:\d\d(?::\d\d)?"
"""With its day where that is not today, as it may be of a time that comes soon."""


def label_pdf(pages: int = 1) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(288, 432))
    for number in range(1, pages + 1):
        canvas.drawString(20, 400, f"Box {number} of {pages}")
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def words(page: str) -> str:
    """What a person reads: no tags, no runs of blanks."""
    main = page.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


async def labelled(house: House, pdf: bytes = PDF, pages: int = 1) -> int:
    """P1 refuses, P2's label is here."""
    shipment_id = await house.takes_in(schedule=True)
    sha256 = await house.tools.labels.put(pdf)
    await house.hears(RANKED, NO, Label("133499120042", children=CHILDREN), Paper(sha256, pages))
    return shipment_id


async def hears(house: House, reply: Reply, exchange: Exchange) -> None:
    """What is due is answered, and what was said is kept."""
    at = await house.now() + SOON
    claimed = await claims.claim(house.tools.pool, Keyring(house.tools.vault), calls_max=500, calls_out={}, now=at)
    outcomes = [Outcome(claim, reply, (exchange,)) for claim in claimed]
    await settlements.settle(house.tools.pool, outcomes, house.tools.settings.rules, now=at)


async def hear_apart(house: House, by_priority: dict[int, Reply]) -> None:
    """An hour later each courier answers for itself."""
    at = house.at = (house.at or await house.now()) + timedelta(hours=1)
    claimed = await claims.claim(house.tools.pool, Keyring(house.tools.vault), calls_max=500, calls_out={}, now=at)
    outcomes = [Outcome(claim, by_priority[claim.turn.priority], ()) for claim in claimed]
    await settlements.settle(house.tools.pool, outcomes, house.tools.settings.rules, now=at)


# --- why it is where it is


async def test_a_shipment_that_waits_says_so_with_the_clock_running(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, later=SOON)
    await furnished.hears(Accepted(), later=SOON)
    page = await furnished.page(f"/shipments/{shipment_id}")
    told = words(page)
    assert re.search(rf"Blue Dart accepted {CLOCK} · polled 0 of 6, next {CLOCK} · at {CLOCK} DTDC takes over", told), (
        told
    )
    assert len(re.findall(r'data-in="\d+"', page)) == 2
    assert "Delhivery B2B refused: pin not in lane" in told


async def test_the_window_is_drawn_and_said(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, later=SOON)
    await furnished.hears(Accepted(), later=SOON)
    page = await furnished.page(f"/shipments/{shipment_id}")
    [said] = re.findall(r'class="window" role="img" aria-label="([^"]+)"', page)
    assert re.fullmatch(
        rf"P1 Delhivery B2B: refused {CLOCK}\. P2 Blue Dart: polled 0 of 6, next {CLOCK}\. "
        rf"P3 DTDC: from {CLOCK}, if needed\.",
        said,
    )
    assert page.count('<circle class="due"') == 12
    assert 'class="sign refused"' in page
    assert re.search(r'data-x="[\d.]+" data-pace="[\d.]+" data-until="[\d.]+"', page)
    assert "style=" not in page


async def test_a_shipment_nobody_was_asked_for_has_no_window(furnished: House) -> None:
    await furnished.sign_in()
    page = await furnished.page(f"/shipments/{await furnished.takes_in()}")
    assert "No courier has been asked yet." in page
    assert 'class="window"' not in page


async def test_a_label_too_many_stands_on_the_bar_of_who_sent_it_with_its_cancellation(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted(), *[NotYet()] * 6)
    paper = Paper(await furnished.tools.labels.put(PDF), 1)
    heard: list[dict[int, Reply]] = [{1: NotYet(), 2: Label("AWB-2")}, {1: Label("AWB-1"), 2: paper}, {1: Cancelled()}]
    for by_priority in heard:
        await hear_apart(furnished, by_priority)
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "AWB AWB-1 cancelled" in page
    assert 'class="sign late"' in page
    assert 'class="sign cancelled"' in page


async def test_earlier_runs_are_folded_away(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, NO, NO, NO)
    await furnished.call("POST", f"/shipments/{shipment_id}/schedules", {"run": 2})
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "Turns of run 2" in page
    assert '<details id="run-1">' in page
    assert page.count('class="window"') == 2


async def test_a_reference_is_copied_whole(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED)
    page = await furnished.page(f"/shipments/{shipment_id}")
    reference = await furnished.tools.pool.fetchval(
        "SELECT reference FROM turns WHERE shipment_id = $1 AND priority = 1", shipment_id
    )
    assert f'data-copy="{reference}"' in page
    whole = [re.sub(r"<[^>]+>", "", each) for each in re.findall(r'<span class="code whole">(.*?)</span></span>', page)]
    assert reference in whole


# --- what it is


async def test_box_waybills_are_shown_only_to_who_asks_for_them(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished)
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "133499120042" in page
    assert "CHILD1" not in page
    link = re.search(r'<a href="([^"]+)">Show box waybills</a>', page)
    assert link
    assert "CHILD1" in (await furnished.page(link[1].partition("#")[0])).replace("</span><span>", "")


async def test_boxes_invoices_and_the_consignee_are_told(furnished: House) -> None:
    await furnished.sign_in()
    invoices = [
        {**shipment()["invoices"][0], "ewaybill_number": "381009876543", "ewaybill_expires_on": "2026-12-29"},
    ]
    item = {"sku": "KURTA-XL", "description": "Kurta, XL", "quantity": 40, "unit_price": "850.00"}
    boxes = [{**shipment()["boxes"][0], "items": [item]}, shipment()["boxes"][1]]
    orders = [{"number": "PO-188", "expires_on": "2026-12-20"}]
    payment = {"mode": "cod", "cod_amount": "23600.00"}
    shipment_id = await furnished.takes_in(invoices=invoices, boxes=boxes, purchase_orders=orders, payment=payment)
    told = words(await furnished.page(f"/shipments/{shipment_id}"))
    for said in (
        "1–2 2 40 × 30 × 25 cm 12.5 kg 25 kg INV-1 40 × KURTA-XL Kurta, XL",  # noqa: RUF001 - as they are written
        "3 1 60 × 30 × 25 cm 8 kg 8 kg INV-1",  # noqa: RUF001 - as they are written
        "All 3 33 kg",
        "3810 0987 6543",
        "until 29 Dec 2026",
        "PO-188 until 20 Dec 2026",
        "Sahyadri Distributors Receiving desk Plot 14, Industrial Area Pune 411018, Maharashtra",
        "Payment Collect ₹23,600.00",
        "Goods 3 boxes, 33 kg, ₹23,600.00",
    ):
        assert said in told, told


# --- its label


async def test_the_label_is_shown_page_by_page(furnished: House) -> None:
    await furnished.sign_in()
    pdf = label_pdf(3)
    shipment_id = await labelled(furnished, pdf, 3)
    page = await furnished.page(f"/shipments/{shipment_id}")
    assert "Success: label ready" in page
    assert len(re.findall(r"<img ", page)) == 1
    assert "Show all 3 pages" in page
    pictures = re.findall(
        r'<img src="([^"]+)" alt="Label, page \d of 3"', await furnished.page(f"{_at(shipment_id)}?label=all")
    )
    assert len(pictures) == 3
    for picture in pictures:
        answer = await furnished.browser.get(picture)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert _size(answer.content) == (640, 960)
    assert (await furnished.browser.get(f"{_at(shipment_id)}/label.pdf")).content == pdf


def _at(shipment_id: int) -> str:
    return f"/shipments/{shipment_id}"


def _size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert zlib.crc32(b"IEND") == int.from_bytes(png[-4:], "big")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@pytest.mark.parametrize("picture", ["0.png", "2.png", "1.gif", "1", "x.png", "999999.png"])
async def test_a_page_that_is_not_there_is_no_picture(furnished: House, picture: str) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished, label_pdf())
    await furnished.page(f"{_at(shipment_id)}/label/{picture}", 404)


async def test_a_label_that_cannot_be_drawn_is_still_handed_out(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await labelled(furnished, PDF, 0)
    assert "This PDF cannot be drawn here." in await furnished.page(_at(shipment_id))
    assert (await furnished.browser.get(f"{_at(shipment_id)}/label.pdf")).content == PDF
    other = await furnished.takes_in(number="SO-2", schedule=True)
    await furnished.hears(RANKED, Label("AWB-9"), Paper(await furnished.tools.labels.put(PDF), 1))
    assert "cannot be drawn" in await furnished.page(f"{_at(other)}/label/1.png", 422)


async def test_before_the_label_has_come_there_is_none(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Label("AWB-1"))
    page = await furnished.page(_at(shipment_id))
    assert f"{_at(shipment_id)}/label" not in page
    assert (await furnished.browser.get(f"{_at(shipment_id)}/label.pdf")).status_code == 404
    await furnished.page(f"{_at(shipment_id)}/label/1.png", 404)


async def test_printing_is_for_dispatchers(furnished: House) -> None:
    shipment_id = await labelled(furnished, label_pdf())
    form = f'action="{_at(shipment_id)}/print"'
    await furnished.sign_in("asha@example.com", role=Role.DISPATCHER)
    assert form in await furnished.page(_at(shipment_id))
    await furnished.sign_in("vik@example.com", role=Role.VIEWER)
    assert form not in await furnished.page(_at(shipment_id))


async def test_the_pdf_itself_is_for_dispatchers_who_are_told_that_opening_it_is_not_counted(furnished: House) -> None:
    shipment_id = await labelled(furnished, label_pdf())
    pdf, said = f"{_at(shipment_id)}/label.pdf", "Opening it is not counted as printed: use Print."
    await furnished.sign_in("asha@example.com", role=Role.DISPATCHER)
    page = await furnished.page(_at(shipment_id))
    assert f'href="{pdf}"' in page
    assert said in page
    await furnished.sign_in("vik@example.com", role=Role.VIEWER)
    page = await furnished.page(_at(shipment_id))
    assert "/label/1.png?of=" in page
    assert pdf not in page
    assert said not in page
    assert "this needs a dispatcher" in await furnished.page(pdf, 403)


# --- what may be done


async def test_what_may_be_done_is_a_button_for_dispatchers_alone(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted(), later=SOON)
    await furnished.sign_in("asha@example.com", role=Role.DISPATCHER)
    told = words(await furnished.page(_at(shipment_id)))
    for button in ("Poll now", "Fall over now", "Cancel the shipment"):
        assert button in told
    await furnished.sign_in("vik@example.com", role=Role.VIEWER)
    page = await furnished.page(_at(shipment_id))
    assert "Poll now" not in page
    assert f"{_at(shipment_id)}/acts" not in page


async def test_who_did_it_stands_in_the_timeline_afterwards(furnished: House) -> None:
    shipment_id = await furnished.takes_in(schedule=True)
    await furnished.hears(RANKED, Accepted(), later=SOON)
    await furnished.sign_in("asha@example.com")
    form = re.search(r'action="([^"]+/acts/poll-now[^"]*)"', await furnished.page(_at(shipment_id)))
    assert form
    told = words(await furnished.told(await furnished.send(unescape(form[1]))))
    assert "asha@example.com had Delhivery B2B asked at once; that uses up no poll." in told


# --- what was said


EXCHANGE = '{"meta":{"status":200,"amount":0.10}}'


async def test_what_was_said_is_one_click_away_and_laid_out(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    said = Exchange(
        at=await furnished.now(),
        request='GET https://clickpost.example/api?username=[hidden]&key=[hidden]\n\n{"pin":"411018"}',
        status=200,
        answer=EXCHANGE,
        duration_ms=1412,
    )
    await hears(furnished, RANKED, said)
    link = re.search(rf'href="({_at(shipment_id)}/turns/\d+/exchanges)"', await furnished.page(_at(shipment_id)))
    assert link
    page = unescape(await furnished.page(link[1]))
    assert "Asked which couriers serve the lane" in page
    assert "HTTP 200 · 1,412 ms" in page
    assert '{\n  "pin": "411018"\n}' in page
    assert '"amount": 0.10' in page
    assert "key=[hidden]" in page
    assert KEY not in page


async def test_what_is_no_json_is_shown_as_it_came_and_as_text(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    garbage = '<html><script>alert(1)</script>{"cut":'
    await hears(furnished, RANKED, Exchange(await furnished.now(), "GET /", 502, garbage, 3))
    link = re.search(r"/shipments/\d+/turns/\d+/exchanges", await furnished.page(_at(shipment_id)))
    assert link
    page = await furnished.page(link[0])
    assert "<script>alert" not in page
    assert garbage in unescape(page)


async def test_many_exchanges_are_paged(furnished: House) -> None:
    await furnished.sign_in()
    shipment_id = await furnished.takes_in(schedule=True)
    turn_id = await furnished.tools.pool.fetchval("SELECT id FROM turns WHERE shipment_id = $1", shipment_id)
    await furnished.tools.pool.execute(
        """INSERT INTO exchanges (turn_id, at, step, request, status, answer, duration_ms)
           SELECT $1, clock_timestamp(), 'rank', 'GET /', 0, 'no answer ' || n, 1 FROM generate_series(1, 25) AS n""",
        turn_id,
    )
    first = await furnished.page(f"{_at(shipment_id)}/turns/{turn_id}/exchanges")
    assert "no answer 20" in first
    assert "no answer 21" not in first
    later = re.search(r'rel="next" href="([^"]+)"', first)
    assert later
    last = await furnished.page(later[1])
    assert "no answer 25" in last
    assert "no answer 20" not in last
    assert "No answer · 1 ms" in words(last)


async def test_a_turn_of_another_shipment_is_not_there(furnished: House) -> None:
    await furnished.sign_in()
    mine, other = await furnished.takes_in(schedule=True), await furnished.takes_in(number="SO-2", schedule=True)
    await hears(furnished, RANKED, Exchange(await furnished.now(), "GET /", 200, "{}", 3))
    turn_id = await furnished.tools.pool.fetchval("SELECT min(id) FROM turns WHERE shipment_id = $1", other)
    await furnished.page(f"{_at(other)}/turns/{turn_id}/exchanges")
    await furnished.page(f"{_at(mine)}/turns/{turn_id}/exchanges", 404)
    await furnished.page(f"{_at(mine)}/turns/999999/exchanges", 404)


# --- who may see it


@pytest.mark.parametrize("path", ["", "/label.pdf", "/label/1.png", "/turns/{turn}/exchanges"])
async def test_another_facilitys_shipment_is_not_there(furnished: House, path: str) -> None:
    assert (await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    shipment_id = await furnished.takes_in(schedule=True)
    await hears(furnished, RANKED, Exchange(await furnished.now(), "GET /", 200, "{}", 3))
    turn_id = await furnished.tools.pool.fetchval("SELECT min(id) FROM turns WHERE shipment_id = $1", shipment_id)
    sha256 = await furnished.tools.labels.put(label_pdf())
    await furnished.hears(Label("AWB-1"), Paper(sha256, 1))
    address = _at(shipment_id) + path.format(turn=turn_id)
    await furnished.sign_in("blr@example.com", facilities=["BLR-1"])
    assert (await furnished.browser.get(address)).status_code == 200
    await furnished.sign_in("pnq@example.com", facilities=["PNQ-1"])
    assert (await furnished.browser.get(address)).status_code == 404
    furnished.browser.cookies.clear()
    assert (await furnished.browser.get(address)).headers["location"].startswith("/sign-in")
