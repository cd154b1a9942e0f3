"""Pages of labels as pictures, whatever a courier sends."""

import io

import pytest
from reportlab.pdfgen.canvas import Canvas

from bilty.web.draw_page import HEIGHT_MAX
from bilty.web.pictures import WIDTH, Pictures, Undrawable


def pdf(width: float, height: float) -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(width, height))
    canvas.drawString(10, 10, "a label")
    canvas.showPage()
    canvas.save()
    return written.getvalue()


def size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


class Given:
    """A label that is read when it is needed."""

    def __init__(self, sent: bytes) -> None:
        self._sent, self.reads = sent, 0

    async def __call__(self) -> bytes:
        self.reads += 1
        return self._sent


@pytest.mark.parametrize(
    ("page", "picture"),
    [
        ((288, 432), (WIDTH, 960)),
        ((14_400, 14_400), (WIDTH, WIDTH)),
        ((72, 14_400), (15, HEIGHT_MAX)),
        ((1_000, 1), (WIDTH, 1)),
    ],
)
async def test_a_picture_is_as_wide_as_it_is_shown_and_never_too_tall(
    page: tuple[float, float], picture: tuple[int, int]
) -> None:
    assert size(await Pictures().page("label", 1, Given(pdf(*page)))) == picture


@pytest.mark.parametrize("sent", [b"", b"%PDF-1.4\n%a label\n%%EOF\n", b"<html>", pdf(288, 432)[:400]])
async def test_what_is_no_pdf_is_undrawable(sent: bytes) -> None:
    with pytest.raises(Undrawable):
        await Pictures().page("label", 1, Given(sent))


@pytest.mark.parametrize("number", [0, 2])
async def test_a_page_that_is_not_there_is_undrawable(number: int) -> None:
    with pytest.raises(Undrawable):
        await Pictures().page("label", number, Given(pdf(288, 432)))


async def test_a_picture_is_drawn_once() -> None:
    pictures, given = Pictures(), Given(pdf(288, 432))
    drawn = {await pictures.page("label", 1, given) for _ in range(3)}
    assert (len(drawn), given.reads) == (1, 1)


async def test_what_cannot_be_drawn_is_tried_once() -> None:
    pictures, given = Pictures(), Given(b"<html>")
    for _ in range(2):
        with pytest.raises(Undrawable, match=r"^It cannot be read\.$"):
            await pictures.page("label", 1, given)
    assert given.reads == 1
