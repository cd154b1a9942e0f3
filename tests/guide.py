"""docs/integrate.md, and other guides, as tests read them: their blocks of code by language, and its tables."""

import re
import shutil
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
GUIDE, UNIWARE = DOCS / "integrate.md", DOCS / "uniware.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(guide: Path = GUIDE) -> str:
    return guide.read_text("utf-8")


def blocks(language: str, guide: Path = GUIDE) -> list[str]:
    return [code for named, code in _BLOCK.findall(text(guide)) if named == language]


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table whose first line has those words."""
    lines = iter(text().splitlines())
    for line in lines:
        if line.startswith("|") and heading in line:
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    assert rows, f"there is no table {heading}"
    return rows


def needed(program: str) -> str:
    """Where it is; a machine without it cannot run what the guide shows for it."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed, so what the guide shows for it is not run")
    return found
