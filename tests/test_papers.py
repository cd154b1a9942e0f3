"""Papers that Bilty draws itself: nothing overlaps, nothing leaves the page, and every bar code says what it should."""

import io
import random
import string
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations

import pypdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from bilty.documents import manifest
from bilty.documents.drawn import Drawing, draw
from bilty.documents.drawn import packed as described
from bilty.documents.manifest import Line, Manifest
from bilty.documents.separators import Separator
from bilty.documents.slips import NO_ITEMS, Packed, Slip
from bilty.documents.stickers import NO_BARS, Sticker
from bilty.documents.type import BOLD, CUT, REGULAR, Paper, Placed, fit, known, width_of
from bilty.shipment import Box, Item, Party
from bilty.words import counted

CODE_128 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.Code128])
DOTS_AN_INCH = 203.2
PLAIN = Party(
    name="Receiving desk",
    organisation="Nilgiri Home Needs",
    phone="9876543211",
    address="Godown 3, Transport Nagar",
    city="Bengaluru",
    state="Karnataka",
    pincode="560058",
)
HINDI = Party(
    name="श्री राजेश्वर क्षत्रिय",
    organisation="विद्यार्थी पुस्तक भण्डार एंड संस प्राइवेट लिमिटेड, हिन्दी साहित्य विभाग",
    phone="9876543211",
    address="दुकान संख्या 14, पुराना बाज़ार, स्टेशन रोड के सामने, कृष्णा नगर, " * 6,
    city="लखनऊ",
    state="उत्तर प्रदेश",
    pincode="226001",
)
LONG = Party(
    name="N" * 100,
    organisation="Extraordinarily Long Name Private Limited of Northern and Western Territories Together, Unit 4",
    phone="9876543211",
    address="Plot " * 100,
    city="C" * 50,
    state="S" * 50,
    pincode="560058",
)
BARE = Party(name="", organisation="X", phone="", address="", city="", state="", pincode="")
PARTIES = {"plain": PLAIN, "Hindi": HINDI, "long": LONG, "bare": BARE}


def sticker(to: Party = PLAIN, number: int = 3, of: int = 7, code: str = "34567890123403", *, much: int = 1) -> Sticker:
    return Sticker(
        number=number,
        of=of,
        code=code,
        is_awb=True,
        awb="345678901234"[: 12 * much],
        courier="Delhivery Surface Express"[: 25 * much],
        facility="BLR-1",
        shipment="SO-1001",
        order_number="PO-77" * much,
        purchase_order="PO-77-9" * much,
        invoice="INV-2026-001" * much,
        to=to,
        weight_g=6100,
        length_cm=50,
        breadth_cm=38,
        height_cm=32,
        cod="COD ₹12,50,000.00" if much > 1 else "",
        mark="Reprint 2 · 23 Nov 2026, 10:04 · asha@example.com" if much > 1 else "",
    )


def packed(number: int, items: int = 2, words: str = "Cotton bedsheet, double") -> Packed:
    item = Item("BED-DBL-90", 12, Decimal(5), description=words[:100], hsn="630419")
    return Packed(number, f"3456789{number:04d}", Box(50, 38, 32, 6100, items=(item,) * items))


def slip(*boxes: Packed, to: Party = PLAIN, of: int = 0, papers: int = 1) -> Slip:
    return Slip(
        boxes=boxes,
        of=of or len(boxes),
        shipment="SO-1001",
        order_number="PO-77",
        awb="345678901234",
        courier="Delhivery",
        sender=PLAIN,
        to=to,
        invoices=tuple(f"INV-{number}" for number in range(papers)),
        purchase_orders=tuple(f"PO-{number}" for number in range(papers)),
        ewaybills=("123456789012",) * papers,
    )


def paper_of(*drawings: Drawing) -> Paper:
    paper = Paper("Papers")
    draw(paper, described(drawings))
    return paper


def faults(paper: Paper) -> list[str]:
    """Text that touches other text, or the edge of its page."""
    found = []
    for number, page in enumerate(paper.placed, start=1):
        found += [f"page {number}: {one} and {other}" for one, other in combinations(page, 2) if touch(one, other)]
        found += [
            f"page {number}: {each} leaves it"
            for each in page
            if each.left < 0 or each.bottom < 0 or each.right > paper.size[0] or each.top > paper.size[1]
        ]
    return found


def touch(one: Placed, other: Placed) -> bool:
    """By their letters: lines stand as close as type does, so a tenth of a line may reach into the next."""
    close = 0.1 * min(one.top - one.bottom, other.top - other.bottom)
    across = min(one.right, other.right) - max(one.left, other.left)
    along = min(one.top, other.top) - max(one.bottom, other.bottom)
    return across > 0.1 and along > close


def scanned(pdf: bytes) -> list[list[str]]:
    """What a decoder reads of the bars on each page, as a label printer draws them."""
    document, read = pypdfium2.PdfDocument(pdf), []
    for number in range(len(document)):
        drawn = document[number].render(scale=DOTS_AN_INCH / 72, grayscale=True, crop=(0, 240, 0, 50))
        pixels = memoryview(drawn.buffer).cast("B", shape=(drawn.height, drawn.stride))
        read.append([each.text for each in zxingcpp.read_barcodes(pixels, formats=CODE_128)])
    document.close()
    return read


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize("to", PARTIES.values(), ids=PARTIES)
@pytest.mark.parametrize(("number", "of"), [(1, 1), (1, 2), (40, 40), (999, 999)])
@pytest.mark.parametrize("much", [0, 1, 4], ids=["missing", "usual", "long"])
def test_a_stickers_text_stays_in_its_place(to: Party, number: int, of: int, much: int) -> None:
    assert faults(paper_of(sticker(to, number, of, much=much))) == []


@pytest.mark.parametrize("to", PARTIES.values(), ids=PARTIES)
@pytest.mark.parametrize("boxes", [1, 2, 40])
@pytest.mark.parametrize("words", ["", "Cotton", "वस्त्र चादर " * 9, "D" * 100], ids=["none", "usual", "Hindi", "long"])
def test_a_slips_text_stays_in_its_place(to: Party, boxes: int, words: str) -> None:
    paper = paper_of(slip(*(packed(n + 1, 3, words) for n in range(boxes)), to=to, papers=boxes))
    assert faults(paper) == []


def test_a_separators_text_stays_in_its_place() -> None:
    usual = Separator("Delhivery Surface", ("128 shipments, 640 boxes", "BLR-1, 24 Nov 2026"))
    assert faults(paper_of(usual)) == []
    assert faults(paper_of(Separator("W" * 200, ("हिन्दी " * 40,) * 5))) == []


def handed(number: int, to: Party, boxes: int) -> Line:
    return Line(
        facility="BLR-1",
        courier="Delhivery",
        awb=f"7540911{number:05}",
        number=f"SO-{number}",
        order_number="PO-77",
        consignee=to.organisation,
        city=to.city,
        pincode=to.pincode,
        weight_g=6100 * boxes,
        box_awbs=tuple(f"7540911{number:05}{box:03}" for box in range(boxes)),
    )


@pytest.mark.parametrize("boxes", [1, 2, 40])
def test_a_manifests_text_stays_in_its_place_and_no_awb_is_cut(boxes: int) -> None:
    lines = tuple(handed(number, to, boxes) for number, to in enumerate([*PARTIES.values()] * 8))
    paper = manifest.lay_out(Manifest("M-1", datetime(2026, 11, 24, tzinfo=UTC), lines), UTC)
    assert faults(paper) == []
    said = " ".join(each.words for page in paper.placed for each in page)
    wanted = {awb for line in lines for awb in (line.awb, *line.box_awbs)}
    assert {awb for awb in wanted if awb not in said} == set()
    assert f"32 shipments, {counted(32 * boxes, 'box', 'boxes')}" in said
    assert "Received by" in said


@given(words=st.text(min_size=1, max_size=200), width=st.floats(20, 300), lines=st.integers(1, 4))
def test_whatever_is_fitted_fits(words: str, width: float, lines: int) -> None:
    fitted = fit(words, REGULAR, 11, width, lines)
    assert len(fitted.lines) <= lines
    assert all(width_of(line, REGULAR, fitted.size) <= width for line in fitted.lines)


def test_nothing_is_lost_where_there_is_room() -> None:
    fitted = fit(HINDI.organisation, BOLD, 16, 255, 2)
    assert " ".join(fitted.lines) == HINDI.organisation
    assert CUT not in "".join(fitted.lines)


def test_letters_that_no_font_has_are_marked() -> None:
    assert known("ಕಾವೇರಿ Kaveri ₹5 · श्री") == "?????? Kaveri ₹5 · श्री"


def test_conjuncts_are_drawn_as_one() -> None:
    """क, a virama and ष become one sign: letter by letter it would be as wide as all three."""
    apart = sum(width_of(letter, REGULAR, 10) for letter in ("क", "ष"))
    assert width_of("क्ष", REGULAR, 10) < 0.8 * apart


def test_a_slip_says_what_is_in_which_box() -> None:
    one, other = texts(paper_of(slip(packed(3, 2), of=7), slip(packed(1, 0))).done())
    assert "Packing slip, box 3 of 7" in one
    assert (one.count("Cotton bedsheet, double"), "1 box, 24 pieces, 6.1 kg" in one) == (2, True)
    assert NO_ITEMS in other


def test_1000_bar_codes_say_what_they_should() -> None:
    dice = random.Random(5)
    letters = string.ascii_uppercase + string.digits
    codes = [
        "".join(dice.choices(letters if each % 2 else string.digits, k=dice.randint(8, 22))) for each in range(990)
    ]
    codes += [f"{'A' * 30}-{number}" for number in range(990, 1000)]  # the longest reference of a box
    pdf = paper_of(*(sticker(code=code) for code in codes)).done()
    assert scanned(pdf) == [[code] for code in codes]


def test_what_no_scanner_could_read_has_no_bars() -> None:
    assert NO_BARS in texts(paper_of(sticker(code="W1" * 32)).done())[0]
