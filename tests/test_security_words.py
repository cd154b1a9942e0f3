"""What others said, where it is shown to a person by a program that would obey it: a spreadsheet, a terminal."""

import ast
import functools
import re
from pathlib import Path

import pytest
import structlog

from bilty.cli.ground import spelt_out
from bilty.words import harmless, without_guard

SOURCES = sorted((Path(__file__).parents[1] / "src" / "bilty").rglob("*.py"))
SECRET = re.compile(r"(?:^|_)(?:mac|signature|token|secret|password|hash)$")
UNPACKING = {"zipfile", "tarfile", "gzip", "bz2", "lzma", "pickle", "marshal", "shelve", "xml", "lxml", "yaml"}


@functools.cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(file.read_text("utf-8"))))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
@pytest.mark.parametrize("before", ["", "'", "''"])
def test_no_cell_begins_as_a_formula_does_and_what_it_said_comes_back(sign: str, before: str) -> None:
    cell = f"{before}{sign}HYPERLINK(1)"
    assert harmless(cell) == f"'{cell}"
    assert without_guard(harmless(cell)) == cell


def test_a_cell_that_is_no_formula_stays_as_it_is() -> None:
    for cell in ("", "S-1", "12+3", "'quoted", "a=b"):
        assert harmless(cell) == without_guard(cell) == cell


@pytest.mark.parametrize(
    "said", ["a\nb", "red\x1b[31m", "\x1b]0;title\x07", "over\rwritten", "\x9b2J", "\u202egnp.exe"]
)
def test_what_a_courier_said_moves_no_cursor_and_forges_no_line(said: str) -> None:
    render = structlog.dev.ConsoleRenderer(colors=False)
    line = render(None, "warning", spelt_out(None, "warning", {"event": "label.undrawable", "why": said}))
    assert isinstance(line, str)
    assert line.isprintable()
    assert line.startswith("label.undrawable")


def test_nor_does_a_trace_that_quotes_it() -> None:
    said: dict[str, object] = {"event": "finding.failed", "exc_info": ValueError("red\x1b[31m")}
    line = spelt_out(None, "error", structlog.processors.format_exc_info(None, "error", said))
    assert "ValueError: red\\x1b[31m" in str(line["exception"])


def test_nothing_packed_by_others_is_unpacked_or_run() -> None:
    """A PDF is read in a process of its own, and so is the one archive that is taken: a workbook."""
    found = {
        (f"{file.parent.name}/{file.name}" if file.parent.name == "sheets" else file.name, name)
        for file in SOURCES
        for node in nodes(file)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _names(node)
    }
    assert {(file, name) for file, name in found if name in UNPACKING} == {
        ("sheets/__main__.py", "zipfile"),
        ("sheets/errors.py", "zipfile"),
    }
    assert {file for file, name in found if name in {"pypdf", "pypdfium2"}} == {
        "reading.py",
        "labels.py",
        "draw_page.py",
    }
    reading = {
        (file.name, each.name)
        for file in SOURCES
        for node in nodes(file)
        if isinstance(node, ast.ImportFrom) and file.parent.name != "documents"
        for each in node.names
        if (node.module or "").startswith("bilty.documents") and each.name in {"readable", "pages_in", "Merge"}
    }
    assert reading == set(), "only the programs apart may do that"


def test_every_table_for_a_spreadsheet_is_made_harmless() -> None:
    writing = {file: file.read_text("utf-8") for file in SOURCES if "csv.writer(" in file.read_text("utf-8")}
    assert {"tables.py", "ewaybills.py", "import_entries.py", "import_template.py"} == {file.name for file in writing}
    assert [file.name for file, text in writing.items() if "harmless(" not in text] == []


def test_what_a_stranger_may_guess_at_is_compared_in_constant_time() -> None:
    """Tokens and keys are looked up by their hash, passwords checked by argon2, signatures by `compare_digest`.

    An ordinary comparison stands only where both sides are known to whoever asks.
    """
    found = {
        f"{file.name}: {ast.unparse(node)}"
        for file in SOURCES
        for node in nodes(file)
        if isinstance(node, ast.Compare)
        and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
        and any(SECRET.search(_name(each)) for each in (node.left, *node.comparators))
    }
    assert found == {
        "signed_link.py: _spelt(signed) != token",  # whether it is spelt as we spell
        "signing.py: each != secret",  # an admin's own, already opened
        "people.py: form.get('again', '') != password",  # typed twice
    }


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Call():
            return _name(node.func)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case _:
            return ""


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
    return [name.partition(".")[0] for name in named]
