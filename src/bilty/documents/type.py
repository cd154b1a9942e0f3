"""Type on the papers that Bilty draws itself: Latin and Devanagari in one family, fitted into the room there is.

Text that is too long is wrapped, then shrunk, then cut, in this order, and never leaves its place. All of it is drawn
as vectors from fonts that are installed with Bilty.
"""

import io
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import fontpkg
from reportlab import rl_config
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import ShapedStr, TTFont, shapeStr
from reportlab.pdfgen.canvas import Canvas

REGULAR, BOLD = "Hind", "Hind-Bold"
WEIGHTS = {REGULAR: 400, BOLD: 700}
ASCENT, DESCENT = 0.78, 0.30
"""Of the size, above and below the line on which letters stand: Devanagari's vowel signs included."""
LINE = 1.12
"""Of the size, from line to line."""
STEP = 0.94
"""By which a size is tried smaller."""
UNKNOWN, CUT = "?", "…"
VIRAMA = "\N{DEVANAGARI SIGN VIRAMA}"
"""Joins the letter before it with the one behind."""
LABEL_PAGE = (100 * mm, 150 * mm)
"""The page of couriers' labels, and of all that is printed with them: one printer does for a whole print job."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where text stands, in points from the lower left corner: tests look whether two touch."""

    words: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Column:
    """Where text may stand, in points from the left edge."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Fitted:
    lines: tuple[str, ...]
    size: float


@dataclass(slots=True)
class Paper:
    """A PDF that is drawn page by page. `placed` holds the text of each."""

    title: str
    size: tuple[float, float] = LABEL_PAGE
    made: io.BytesIO = field(default_factory=io.BytesIO)
    placed: list[list[Placed]] = field(default_factory=list)
    canvas: Canvas = field(init=False)

    def __post_init__(self) -> None:
        _load()
        self.canvas = Canvas(self.made, pagesize=self.size, invariant=True, pageCompression=1)
        self.canvas.setTitle(self.title)

    @property
    def pages(self) -> int:
        return len(self.placed)

    def begin_page(self) -> None:
        if self.placed:
            self.canvas.showPage()
        self.placed.append([])

    def done(self) -> bytes:
        """Once; there must be a page. The one that was begun last is its last."""
        self.canvas.save()
        return self.made.getvalue()

    def text(
        self,
        words: str,
        column: Column,
        top: float,
        size: float,
        *,
        font: str = REGULAR,
        lines: int = 1,
        at_right: bool = False,
    ) -> float:
        """Draws `words` below `top`, in at most so many lines. Where the last of them ends."""
        fitted = fit(words, font, size, column.width, lines)
        for line in filter(None, fitted.lines):
            wide = width_of(line, font, fitted.size)
            x = column.left + column.width - wide if at_right else column.left
            base = top - fitted.size * ASCENT
            self.canvas.setFont(font, fitted.size)
            self.canvas.drawString(x, base, _shaped(line, font, fitted.size))
            self.placed[-1].append(Placed(line, x, base - fitted.size * DESCENT, x + wide, top))
            top -= fitted.size * LINE
        return top

    def rule(self, column: Column, top: float, weight: float = 0.5) -> None:
        self.canvas.setLineWidth(weight)
        self.canvas.line(column.left, top, column.left + column.width, top)


def fit(words: str, font: str, size: float, width: float, lines: int) -> Fitted:
    """Whole words where they fit. What does not fit at half its size is cut."""
    said, smaller = known(" ".join(words.split())), size
    while True:
        wrapped = _wrapped(said, font, smaller, width)
        if len(wrapped) <= lines:
            return Fitted(tuple(wrapped), smaller)
        if smaller * STEP < size / 2:
            return Fitted((*wrapped[: lines - 1], _cut(wrapped[lines - 1], font, smaller, width)), smaller)
        smaller *= STEP


def width_of(words: str, font: str, size: float) -> float:
    """In points, as it is drawn."""
    _load()
    shaped = _shaped(words, font, size)
    if isinstance(shaped, ShapedStr):
        glyphs: Any = shaped
        return float(sum(each.x_advance for each in glyphs.__shapeData__)) * size / 1000
    return pdfmetrics.stringWidth(words, font, size)


def known(words: str) -> str:
    """With a mark for each letter that the fonts do not have."""
    if words.isascii():
        return words
    letters = _letters()
    return "".join(c if ord(c) in letters else UNKNOWN for c in words)


def _wrapped(words: str, font: str, size: float, width: float) -> list[str]:
    """Between words; a word that is wider than the line is broken."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer, font, size) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        while width_of(word, font, size) > width:
            head = _head(word, font, size, width)
            lines[-1] = head
            lines.append("")
            word = word[len(head) :]  # noqa: PLW2901 - what is left of it
        lines[-1] = word
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def _head(word: str, font: str, size: float, width: float) -> str:
    """As much of it as fits, one letter at least, and never apart from the signs that belong to a letter."""
    pairs = enumerate(pairwise(word), start=1)
    ends = [end for end, (before, after) in pairs if not _joins(after) and before != VIRAMA]
    fitting = [end for end in ends if width_of(word[:end], font, size) <= width]
    return word[: max(fitting, default=ends[0] if ends else len(word))]


def _joins(letter: str) -> bool:
    """A vowel sign, a nukta or another mark, which is drawn with the letter before it."""
    code = ord(letter)
    return 0x0900 <= code <= 0x0903 or 0x093A <= code <= 0x094F or 0x0951 <= code <= 0x0957 or code in (0x0962, 0x0963)


def _cut(words: str, font: str, size: float, width: float) -> str:
    while words and width_of(words + CUT, font, size) > width:
        words = words[:-1]
    return words + CUT


def _shaped(words: str, font: str, size: float) -> str:
    """Conjuncts and vowel signs in their places: Devanagari is not drawn letter by letter, Latin may be."""
    if words.isascii() or not any("\u0900" <= c <= "\u097f" for c in words):
        return words
    shaped: str = shapeStr(words, font, size)
    return shaped


@cache
def _letters() -> frozenset[int]:
    return frozenset.intersection(*(frozenset(each.face.charToGlyph) for each in _load()))


@cache
def _load() -> tuple[TTFont, ...]:
    rl_config.useA85 = 0  # a third of all the time, for bytes that no printer needs to be letters
    fonts = tuple(TTFont(name, str(fontpkg.path(REGULAR, weight=weight))) for name, weight in WEIGHTS.items())
    for font in fonts:
        pdfmetrics.registerFont(font)
    return fonts
