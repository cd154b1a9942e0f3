"""Many couriers' labels in one PDF.

A label is the courier's paper: its bar codes are scanned, and its size is the sticker's. So a page is taken over as it
is, neither scaled nor drawn upon. What Bilty has to say of a reprint stands on a strip that is added below the page.
A label that is void is the exception: nobody may stick it on a box, so VOID is written all over it.
"""

import io
from collections.abc import Sequence
from itertools import islice
from typing import cast

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, PdfObject, RectangleObject
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from bilty.documents.drawn import Drawings, draw
from bilty.documents.reading import STUMBLES, UnreadablePdfError, readable
from bilty.documents.type import Paper

STRIP_PT = 17
"""6 mm. Whole points, so that the courier's lines fall on a printer's dots as they did before."""
FONT, FONT_PT, FONT_MIN_PT, MARGIN_PT = "Helvetica", 8, 4, 6
VOID, VOID_FONT = "VOID", "Helvetica-Bold"
VOID_WIDTH, VOID_LINE = 0.85, 0.74
"""Of the page's width, so large is the word; and of its size, so far apart are its lines: they touch."""


class Merge:
    """Labels are added one after the other; `finish` is the PDF of all of them."""

    def __init__(self) -> None:
        self._writer = pypdf.PdfWriter()
        self._paper: Paper | None = None
        self._drawn: list[tuple[int, int]] = []
        self.labels = 0

    @property
    def pages(self) -> int:
        return self._taken + sum(count for _, count in self._drawn)

    @property
    def _taken(self) -> int:
        return len(self._writer.pages)

    def draw(self, drawings: Drawings) -> int:
        """Papers of our own behind what was added; the number of their pages.

        All of them are drawn on one paper, which holds the fonts once, and are put into their places at the end.
        """
        if self._paper is None:
            self._paper = Paper("Papers")
        count = draw(self._paper, drawings)
        self._drawn.append((self._taken, count))
        return count

    def add(self, pdf: bytes, *, mark: str = "", void: bool = False, box: tuple[int, int] | None = None) -> int:
        """The number of pages it has; with `mark` that line stands below each, `void` is seen on each.

        `box`: its number, and of how many. A label of as many pages has one for each box: then that page alone.

        Raises UnreadablePdfError.

        Of a label that cannot be read nothing is left in the outcome.
        """
        before = self._taken
        try:
            reader = readable(pdf)
            for page in _pages_of(reader, box):
                added = self._writer.add_page(page)
                if void:
                    _make_void(added)
                if mark:
                    _mark(added, mark)
        except STUMBLES as trouble:
            while self._taken > before:
                self._writer.remove_page(self._writer.pages[-1])
            if isinstance(trouble, UnreadablePdfError):
                raise
            raise UnreadablePdfError("its PDF is damaged") from trouble
        self.labels += 1
        return self._taken - before

    def finish(self) -> bytes:
        """Once. Raises UnreadablePdfError when nothing was added."""
        if not self.pages:
            raise UnreadablePdfError("there is no page to print")
        self._put_in_drawn()
        made = io.BytesIO()
        self._writer.write(made)
        self._writer.close()
        return made.getvalue()

    def _put_in_drawn(self) -> None:
        if self._paper is None:
            return
        taken = self._taken
        for page in pypdf.PdfReader(io.BytesIO(self._paper.done())).pages:
            self._writer.add_page(page)
        # All at the end, and then into their places at once: to insert each would look at all pages each time.
        kids = cast("ArrayObject", cast("DictionaryObject", self._writer.root_object["/Pages"])["/Kids"])
        assert len(kids) == taken + sum(count for _, count in self._drawn), "the writer's pages are in one list"
        labels, drawn, ordered = list(kids[:taken]), iter(list(kids[taken:])), list[PdfObject]()
        at = 0
        for behind, count in self._drawn:
            ordered += labels[at:behind]
            ordered += islice(drawn, count)
            at = behind
        kids[:] = [*ordered, *labels[at:]]


def _pages_of(reader: pypdf.PdfReader, box: tuple[int, int] | None) -> Sequence[pypdf.PageObject]:
    pages = reader.pages
    if box is None or len(pages) != box[1] or not 1 <= box[0] <= box[1]:
        return pages
    return [pages[box[0] - 1]]


def _make_void(page: pypdf.PageObject) -> None:
    """From edge to edge, black on whatever is there: nobody takes it for a label, and hardly a bar code can be read."""
    if page.rotation:
        page.transfer_rotation_to_content()
    page.pop("/Annots", None)  # they are drawn above all content
    seen = page.cropbox
    left, bottom, right, top = (float(each) for each in (seen.left, seen.bottom, seen.right, seen.top))
    stamp = pypdf.PdfReader(io.BytesIO(_void(right - left, top - bottom))).pages[0]
    page.merge_translated_page(stamp, left, bottom)


def _void(width: float, height: float) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(width, height))
    size = VOID_WIDTH * width / stringWidth(VOID, VOID_FONT, 1)
    canvas.setFont(VOID_FONT, size)
    canvas.setStrokeGray(1)
    canvas.setLineWidth(max(size / 60, 1))
    lines = max(round(height / (size * VOID_LINE)), 1)
    for line in range(lines):
        # By turns at the left and at the right, so that no gap goes through.
        aside = (1 - VOID_WIDTH) * width * (line % 2)
        text = canvas.beginText(aside, (line + 0.02) * height / lines)
        text.setTextRenderMode(2)  # filled, with a white edge: seen on black, too
        text.textOut(VOID)
        canvas.drawText(text)
    canvas.save()
    return made.getvalue()


def _mark(page: pypdf.PageObject, mark: str) -> None:
    """The page grows at its lower edge, as it is seen; what the courier drew stays where it is."""
    if page.rotation:
        page.transfer_rotation_to_content()
    seen = page.cropbox
    left, bottom, right, top = (float(each) for each in (seen.left, seen.bottom, seen.right, seen.top))
    strip = pypdf.PdfReader(io.BytesIO(_strip(right - left, mark))).pages[0]
    grown = RectangleObject((left, bottom - STRIP_PT, right, top))
    for box in ("/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox"):
        page.pop(box, None)
    page.mediabox = grown
    page.cropbox = grown
    page.merge_translated_page(strip, left, bottom - STRIP_PT)


def _strip(width: float, mark: str) -> bytes:
    """White, so that nothing shows through that the courier had cut off; the line as large as it fits."""
    said = mark.encode("cp1252", "replace").decode("cp1252")
    room = max(width - 2 * MARGIN_PT, 1)
    size = max(min(FONT_PT, FONT_PT * room / max(stringWidth(said, FONT, FONT_PT), 1)), FONT_MIN_PT)
    while len(said) > 1 and stringWidth(said, FONT, size) > room:
        said = said[:-2] + "…"
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(width, STRIP_PT))
    canvas.setFillGray(1)
    canvas.rect(0, 0, width, STRIP_PT, stroke=0, fill=1)
    canvas.setFillGray(0)
    canvas.setFont(FONT, size)
    canvas.drawString(MARGIN_PT, (STRIP_PT - size * 0.7) / 2, said)
    canvas.save()
    return made.getvalue()
