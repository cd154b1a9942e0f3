"""The house's own rules, where no linter tells them: sizes, words that leave the machine, documents that agree."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import bilty
from bilty.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/brief-gaps.md")
FUNCTION_LINES_MAX, MODULE_LINES_MAX = 70, 300
PRINTING = {"cli", "doctor"}
HOMES = ("work", "root", "home/[a-z][a-z0-9_-]*", "Users/[A-Za-z]+", "tmp/pytest-of")
MACHINE_PATH = re.compile(rf"(?:(?<![\w./~$}}-])|(?<=://))/(?:{'|'.join(HOMES)})/")
OUR_PATH = re.compile(r"(?<![\w./-])(?:src|docs|bench|tests|examples)/[\w./*-]*[\w/*]")
VARIABLE = re.compile(r"\bBILTY_[A-Z][A-Z0-9_]*[A-Z0-9]\b")


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def ours() -> list[Path]:
    """Every file that is in git or about to be; where there is no git, in what was unpacked."""
    if (ROOT / ".git").exists():
        names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return [file for folder in ("src", "tests", "docs", "examples") for file in (ROOT / folder).rglob("*.*")]


def texts() -> Iterator[tuple[Path, str]]:
    for file in ours():
        content = file.read_bytes()
        if b"\0" not in content:
            yield file, content.decode("utf-8")


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 60
    assert len(ours()) > 100
    assert {ROOT / "run", ROOT / "pyproject.toml", Path(__file__)} <= set(ours())


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_modules_are_short_and_so_are_functions(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= MODULE_LINES_MAX
    assert [f"{node.name}: {length(node)}" for node in functions(file) if length(node) > FUNCTION_LINES_MAX] == []


def test_only_commands_print() -> None:
    printing = {
        name_of(file)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert "src/bilty/cli/importing.py" in printing
    assert [name for name in printing if not PRINTING & {*Path(name).parts, Path(name).stem}] == []


def test_no_file_tells_where_it_was_written() -> None:
    found = [
        f"{name_of(file)}:{number}: {line.strip()[:120]}"
        for file, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "path", ["/work" + "/x", "see /root" + "/x", "(/home" + "/asha/x)", "file:///Users" + "/Asha/"]
)
def test_such_a_place_would_be_found(path: str) -> None:
    assert MACHINE_PATH.search(path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_says_something(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert re.match(r"# \S", text), "it begins with its heading"
    assert len(text.split()) > 30


def documents() -> list[Path]:
    return [ROOT / name for name in DOCUMENTS[:3]] + sorted((ROOT / "docs").rglob("*.md"))


def test_every_setting_that_documents_name_exists() -> None:
    fields = {f"BILTY_{name.upper()}": field for name, field in Settings.model_fields.items()}
    known = fields.keys() | {f"{name}_FILE" for name, field in fields.items() if "SecretStr" in str(field.annotation)}
    named = {name: file for file in documents() for name in VARIABLE.findall(file.read_text("utf-8"))}
    assert {name: name_of(file) for name, file in named.items() if name not in known} == {}
    assert "BILTY_DATABASE_URL" in named, "the documents name settings at all"


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[:1] == [bilty.__version__]


def test_files_that_documents_name_exist() -> None:
    """`NAME` in a path is the reader's to fill in. The changelog names what was there at the time."""
    named = {
        (name_of(file), path)
        for file in documents()
        if file.name != "CHANGELOG.md"
        for path in OUR_PATH.findall(file.read_text("utf-8"))
    }
    assert [each for each in sorted(named) if not any(ROOT.glob(each[1].replace("NAME", "*").rstrip("/")))] == []
    assert ("README.md", "tests/process/test_kill.py") in named, "the documents name files at all"


def test_the_map_of_the_web_has_every_module() -> None:
    folder = ROOT / "src" / "bilty" / "web"
    there = {file.stem if file.suffix else f"{file.name}/" for file in folder.iterdir()}
    there -= {"__init__", "__pycache__/", "static/", "templates/"}
    named = re.findall(r"`(\w+/?)`", ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or "")
    assert sorted(named) == sorted(there)


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name_of(file)}: {target}"
        for file in documents()
        for target in re.findall(r"\]\(([^)#\s]+)", file.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (file.parent / target).exists()
    ]
    assert broken == []
