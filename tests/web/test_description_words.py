"""What the description shows as a problem's detail is what Bilty says: a sentence of the code, with its gaps filled."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bilty
from bilty.web.describe import OPERATIONS
from bilty.web.describe.common import problems_of

SOURCES = Path(bilty.__file__).parent
GAP = "\0"
FORMAT_GAP = re.compile(r"\{\w*(?::[^{}]*)?\}")
LETTERS_MIN = 6
"""Of its own, which a sentence with gaps needs to be one."""
FILLED_CHARS_MAX = 24
"""A name, a number, an amount. What is longer and fills a gap is a list of names, or is to be said somewhere itself."""
NAMES = re.compile(r"[\w.]+(?:(?:, | and | or )[\w.]+)*")
DETAILS = sorted({(each.code, each.detail) for operation in OPERATIONS for each in problems_of(operation)})


@pytest.mark.parametrize(
    ("code", "detail"), DETAILS, ids=[f"{code} {number}" for number, (code, _) in enumerate(DETAILS)]
)
def test_a_described_detail_is_one_that_is_said(code: str, detail: str) -> None:
    assert is_said(detail), f"no sentence in src/bilty reads like this one of {code}"


@pytest.mark.parametrize(
    "detail",
    [
        "This key is not known here.",
        "The courier has picked it up: agree the return with the courier.",
        "The label is not what was stored. It is not handed out.",
        'pincode is "12": give whatever comes to your mind on a quiet day.',
    ],
)
def test_what_nobody_says_is_found_out(detail: str) -> None:
    assert not is_said(detail)


def is_said(words: str) -> bool:
    """`words` are a sentence of the code, or one whose gaps are filled with what is short or said itself."""
    return any(
        all(len(filled) <= FILLED_CHARS_MAX or NAMES.fullmatch(filled) or is_said(filled) for filled in found.groups())
        for found in (template.fullmatch(words) for template in _templates())
        if found
    )


@cache
def _templates() -> list[re.Pattern[str]]:
    said = {
        sentence
        for file in SOURCES.rglob("*.py")
        if "describe" not in file.parts
        for sentence in _sentences(ast.parse(file.read_text("utf-8")))
    }
    return [
        re.compile("(.+?)".join(map(re.escape, sentence.split(GAP))))
        for sentence in sorted(said)
        if sum(map(str.isalpha, sentence)) >= LETTERS_MIN
    ]


def _sentences(tree: ast.AST) -> Iterator[str]:
    """What is written in quotation marks, but for docstrings, with GAP for what is filled in later."""
    for node in ast.walk(tree):
        for inner in ast.iter_child_nodes(node):
            if isinstance(node, ast.Expr | ast.JoinedStr):
                continue
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield FORMAT_GAP.sub(GAP, inner.value)
            elif isinstance(inner, ast.JoinedStr):
                parts = (str(each.value) if isinstance(each, ast.Constant) else GAP for each in inner.values)
                yield FORMAT_GAP.sub(GAP, "".join(parts))
