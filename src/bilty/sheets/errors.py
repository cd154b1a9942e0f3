"""The cells of a sheet in which a formula has failed: `#REF!` and its kind. The library reads them as blank.

A blank cell would pass for an optional field that was left out. So the sheet's own text is looked through for them, in
chunks, and nothing of it is kept.
"""

import re
import zipfile
from pathlib import Path

ERRORS_MAX = 10_000
CHUNK_BYTES = 1 << 20
CELL_BYTES_MAX = 4_096
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<Relationship\b[^>]*>")
_FAILED = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*\br=\"([A-Z]{1,3})([0-9]{1,7})\"[^>]*>(.{0,2000}?)</(?:\w+:)?c>", re.DOTALL
)
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,20})<")


def failed_cells(file: Path, sheet: int) -> dict[tuple[int, int], str]:
    """By row and column, both from 0. `sheet` counts from 0, too. Where the file is unlike others, none are found."""
    with zipfile.ZipFile(file) as archive:
        name = _part_of(archive, sheet)
        if name not in archive.namelist():
            return {}
        found: dict[tuple[int, int], str] = {}
        with archive.open(name) as part:
            tail = b""
            while (chunk := part.read(CHUNK_BYTES)) and len(found) < ERRORS_MAX:
                text = tail + chunk
                if b't="e"' in text:
                    found |= _failed_in(text)
                tail = text[-CELL_BYTES_MAX:]
        return found


def _failed_in(text: bytes) -> dict[tuple[int, int], str]:
    found = {}
    for cell in _FAILED.finditer(text):
        value = _VALUE.search(cell[3])
        said = value[1].decode(errors="replace") if value else "#REF!"
        found[int(cell[2]) - 1, _column(cell[1])] = said
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _part_of(archive: zipfile.ZipFile, sheet: int) -> str:
    try:
        sheets = _SHEET.findall(archive.read("xl/workbook.xml"))
        relation = _attribute(sheets[sheet], rb"\w+:id")
        relations = _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
        targets = {_attribute(each, b"Id"): _attribute(each, b"Target") for each in relations}
    except (KeyError, IndexError):
        return ""
    target = targets.get(relation, "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\b" + name + rb"=\"([^\"]*)\"", tag)
    return found[1].decode(errors="replace") if found else ""
