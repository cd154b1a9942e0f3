"""Papers of our own that go between couriers' labels: described here, drawn where the PDF is made."""

from typing import Literal, TypeAlias, assert_never

import msgspec

from bilty.documents.separators import Separator, add_separator
from bilty.documents.slips import Slip, add_slip
from bilty.documents.stickers import Sticker, add_sticker
from bilty.documents.type import Paper

Drawing: TypeAlias = Sticker | Slip | Separator
Kind: TypeAlias = Literal["sticker", "slip", "separator"]


class Drawings(msgspec.Struct, frozen=True):
    """As they travel to the process that draws them. `kinds` is in the pile's order, the rest in that of its kind."""

    kinds: tuple[Kind, ...]
    stickers: tuple[Sticker, ...] = ()
    slips: tuple[Slip, ...] = ()
    separators: tuple[Separator, ...] = ()


def packed(drawings: tuple[Drawing, ...]) -> Drawings:
    kinds: list[Kind] = []
    stickers, slips, separators = [], [], []
    for each in drawings:
        match each:
            case Sticker():
                kinds.append("sticker")
                stickers.append(each)
            case Slip():
                kinds.append("slip")
                slips.append(each)
            case Separator():
                kinds.append("separator")
                separators.append(each)
            case _:
                assert_never(each)
    return Drawings(tuple(kinds), tuple(stickers), tuple(slips), tuple(separators))


def draw(paper: Paper, drawings: Drawings) -> int:
    """How many pages they take."""
    before = paper.pages
    stickers, slips, separators = iter(drawings.stickers), iter(drawings.slips), iter(drawings.separators)
    for kind in drawings.kinds:
        match kind:
            case "sticker":
                add_sticker(paper, next(stickers))
            case "slip":
                add_slip(paper, next(slips))
            case "separator":
                add_separator(paper, next(separators))
            case _:
                assert_never(kind)
    return paper.pages - before
