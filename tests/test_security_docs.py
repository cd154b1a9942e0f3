"""docs/security.md names tests that are there: at least one for each promise, and each matter that a reader seeks."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROMISES = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\| what holds |\|---", line)]
MATTERS = """
Sign-in limits; Session fixation; Session expiry; CSRF; Authorisation by facility; SSRF, label link; SSRF, hand-off;
Redirects; DNS that changes; CSV formulas; Zip bombs; PDF bombs; Header injection; Log injection; CSP; Secrets at rest;
Rotation; Constant-time comparisons; Error pages without detail
"""


def there_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda line: line[2:50])
def test_each_promise_names_a_test(promise: str) -> None:
    assert NAMED.search(promise)


def test_each_test_that_is_named_is_there() -> None:
    named = set(NAMED.findall(PAGE))
    assert len(named) > 50
    assert {f"{file}::{name}" for file, name in named if name not in there_in(file)} == set()


@pytest.mark.parametrize("matter", [each.strip() for each in MATTERS.replace("\n", " ").split(";")])
def test_each_matter_has_its_line(matter: str) -> None:
    assert f"**{matter}" in PAGE
