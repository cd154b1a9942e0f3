"""Links to box stickers and packing slips, wherever ClickPost's answer has them."""

from typing import Any

import pytest

from bilty.aggregator.clickpost.papers import PAPERS_MAX, own_papers

LABEL, A, B = "https://s3.example/label.pdf", "https://s3.example/a.pdf", "https://s3.example/b.pdf"


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ({}, []),
        ({"label": LABEL}, []),
        ({"label": LABEL, "box_sticker": A}, [("sticker", A)]),
        ({"label": LABEL, "boxStickers": [A, B, A]}, [("sticker", A), ("sticker", B)]),
        ({"label": LABEL, "packing_slip_url": A}, [("slip", A)]),
        ({"label": LABEL, "packslip": LABEL}, []),
        ({"label": LABEL, "box_sticker": None, "packslip": "soon", "sticker": {"url": A}}, []),
        ({"label": LABEL, "children": [{"label": LABEL}, {"label": None}]}, []),
        ({"label": LABEL, "children": [{"label": A}, {"box_sticker": B}]}, [("sticker", A), ("sticker", B)]),
        ({"label": None, "children": [{"label": A}]}, []),
        ({"children": "none", "sticker": "javascript:alert(1)"}, []),
        ({"sticker": [f"https://s3.example/{n}.pdf" for n in range(PAPERS_MAX + 1)]}, []),
    ],
)
def test_what_is_named_after_one_and_can_be_fetched(result: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert [(each.kind.value, each.url) for each in own_papers(result)] == found
