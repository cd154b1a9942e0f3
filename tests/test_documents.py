"""Labels put together: each page as the courier sent it, a reprint marked below it, a damaged one left out."""

import io

import pypdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf.annotations import FreeText
from pypdf.generic import RectangleObject

from bilty.documents import Merge, UnreadablePdfError
from bilty.documents.count import pages_in
from bilty.documents.labels import STRIP_PT
from bilty.documents.press import voided
from jobs.desk import label_pdf

MARK = "Reprint 2 · 23 Nov 2026, 10:04 · asha@example.com"
BLACK_OR_WHITE = bytes(128) + bytes([255]) * 128


def merged(*labels: bytes, mark: str = "") -> bytes:
    merge = Merge()
    for label in labels:
        merge.add(label, mark=mark)
    return merge.finish()


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text().strip() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def size_of(pdf: bytes, page: int = 0) -> tuple[float, float]:
    """As it is seen: turned, and cut to what the courier shows."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        width, height = document[page].get_size()
        return round(width, 2), round(height, 2)
    finally:
        document.close()


def picture(pdf: bytes, *, cut_pt: float = 0) -> bytes:
    """The first page as a person sees it, without `cut_pt` at its lower edge."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        drawn = document[0].render(scale=2, crop=(0, cut_pt, 0, 0), grayscale=True)
        return bytes(drawn.buffer).translate(BLACK_OR_WHITE)
    finally:
        document.close()


def odd(pdf: bytes, *, turned: int = 0, cut: tuple[float, float, float, float] | None = None) -> bytes:
    """As some couriers send them: on a turned page, or on one of which only a part is shown."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    page = writer.pages[0].rotate(turned)
    if cut:
        page.cropbox = RectangleObject(cut)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def locked(pdf: bytes, password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_labels_follow_each_other_in_the_order_given() -> None:
    pdf = merged(label_pdf("B", pages=2), label_pdf("A"))
    assert texts(pdf) == ["B, page 1 of 2", "B, page 2 of 2", "A, page 1 of 1"]


def test_a_label_is_taken_over_as_it_is() -> None:
    label = label_pdf("A")
    assert size_of(merged(label)) == size_of(label) == (288, 432)
    assert picture(merged(label)) == picture(label)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("cut", [None, (10.0, 240.0, 280.0, 420.0)], ids=["whole", "cut"])
def test_a_reprint_is_marked_below_the_label_and_nothing_of_it_is_covered_or_moved(
    turned: int, cut: tuple[float, float, float, float] | None
) -> None:
    label = odd(label_pdf("AWB 1234"), turned=turned, cut=cut)
    marked = merged(label, mark=MARK)
    width, height = size_of(label)
    assert size_of(marked) == (width, height + STRIP_PT)
    assert picture(marked, cut_pt=STRIP_PT) == picture(label)
    assert MARK in texts(marked)[0]


def test_each_page_of_a_reprint_is_marked() -> None:
    assert all(MARK in text for text in texts(merged(label_pdf("A", pages=3), mark=MARK)))


@pytest.mark.parametrize("mark", ["Reprint 1 · " + "x" * 400 + "@example.com", "Reprint 1 · आशा@example.com"])
def test_a_mark_that_is_too_long_or_foreign_to_the_font_is_shown_as_far_as_it_goes(mark: str) -> None:
    (text,) = texts(merged(label_pdf("A"), mark=mark))
    assert "Reprint 1 ·" in text


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        (b"", "its PDF is damaged"),
        (b"%PDF-1.4\n%a label\n%%EOF\n", "its PDF is damaged"),
        (label_pdf("A")[:700], "its PDF is damaged"),
        (locked(label_pdf("A"), "secret"), "its PDF asks for a password"),
    ],
    ids=["nothing", "no pages", "cut short", "locked"],
)
def test_one_that_cannot_be_read_is_named_and_leaves_nothing_behind(label: bytes, fault: str) -> None:
    merge = Merge()
    merge.add(label_pdf("A"))
    with pytest.raises(UnreadablePdfError, match=f"^{fault}$"):
        merge.add(label)
    merge.add(label_pdf("B"))
    assert (merge.labels, merge.pages) == (2, 2)
    assert texts(merge.finish()) == ["A, page 1 of 1", "B, page 1 of 1"]


def test_one_that_is_locked_with_a_blank_password_is_for_everybody() -> None:
    assert texts(merged(locked(label_pdf("A"), ""))) == ["A, page 1 of 1"]


def test_of_nothing_there_is_no_pdf() -> None:
    with pytest.raises(UnreadablePdfError, match=r"^there is no page to print$"):
        Merge().finish()


WHOLE = label_pdf("A", pages=2)


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=40))
def test_whatever_is_given_its_pages_are_counted_or_it_has_none(at: int, noise: bytes) -> None:
    assert pages_in(WHOLE[:at] + noise + WHOLE[at + len(noise) :]) >= 0


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=40), st.booleans())
def test_a_damaged_label_never_spoils_the_others(at: int, noise: bytes, marked: bool) -> None:
    """Only UnreadablePdfError is raised, and the outcome is a PDF that others can read."""
    merge = Merge()
    merge.add(label_pdf("before"))
    try:
        merge.add(WHOLE[:at] + noise + WHOLE[at + len(noise) :], mark=MARK if marked else "")
    except UnreadablePdfError:
        assert merge.labels == 1
    merge.add(label_pdf("after"))
    pdf = merge.finish()
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == merge.pages
    document.close()


# Void


@pytest.mark.parametrize("turned", [0, 90, 180])
def test_a_void_label_says_so_all_over_every_page(turned: int) -> None:
    label = odd(label_pdf("SO-1", pages=2), turned=turned)
    merge = Merge()
    assert merge.add(label, void=True, mark="VOID · SO-1") == 2
    void = merge.finish()
    assert [text.count("VOID") >= 3 for text in texts(void)] == [True, True]
    for page in range(2):
        assert size_of(void, page)[1] == size_of(label, page)[1] + STRIP_PT
    drawn = picture(void, cut_pt=STRIP_PT)
    assert 0.25 < drawn.count(0) / len(drawn) < 0.75, "most of it is black letters"
    rows = [drawn[start : start + len(drawn) // 20] for start in range(0, len(drawn), len(drawn) // 20)]
    assert sum(0 in row for row in rows) >= 18, "from edge to edge"


def test_nothing_is_drawn_above_the_void() -> None:
    """Annotations are drawn above all content: a bar code may be one."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(label_pdf("SO-1")))
    writer.add_annotation(0, FreeText(text="scan me", rect=(0, 0, 288, 432), background_color="ffffff"))
    made = io.BytesIO()
    writer.write(made)
    merge = Merge()
    merge.add(made.getvalue(), void=True)
    (page,) = pypdf.PdfReader(io.BytesIO(merge.finish())).pages
    assert page.get("/Annots") is None


async def test_a_void_label_is_made_apart() -> None:
    assert texts(await voided(label_pdf("SO-1"), "VOID · SO-1"))[0].count("VOID") >= 3
    with pytest.raises(UnreadablePdfError):
        await voided(b"no pdf", "VOID")
