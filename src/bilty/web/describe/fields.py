"""A schema as rows that people read: the path of each field, its form in words, what it means."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bilty.web.describe import schemas as written
from bilty.web.describe.answers import MONEY
from bilty.web.describe.shapes import Schema
from bilty.words import grouped

_FORMATS = {"date": "date, as in 2026-11-25", "date-time": "time with offset", "email": "e-mail address", "uri": "URL"}
_KINDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "object": "object",
}


@dataclass(frozen=True, slots=True)
class Field:
    path: str
    form: str
    about: str
    is_needed: bool


def fields_of(schema: Schema, schemas: Mapping[str, Schema], path: str = "") -> Iterator[Field]:
    """Each field with those inside it. Where one of several shapes may be given, the fields of all of them."""
    shape = _resolved(schema, schemas)
    for name, inner in _fields(shape).items():
        at = f"{path}.{name}" if path else name
        yield _field(at, inner, schemas, is_needed=_is_needed(name, shape))
        yield from _inside(at, inner, schemas)


def _fields(shape: Schema) -> dict[str, Schema]:
    """Of several shapes the last is the fullest; a word may be one of either."""
    found: dict[str, Schema] = {}
    for each in shape.get("oneOf", [shape]):
        for name, inner in each.get("properties", {}).items():
            words = found.get(name, {}).get("enum", [])
            found[name] = {**inner, "enum": [*words, *inner["enum"]]} if words and "enum" in inner else inner
    return found


def _is_needed(name: str, shape: Schema) -> bool:
    return all(name in each.get("required", []) for each in shape.get("oneOf", [shape]))


def _inside(path: str, schema: Schema, schemas: Mapping[str, Schema]) -> Iterator[Field]:
    shape = _resolved(_not_null(schema), schemas)
    if shape.get("items"):
        yield from _inside_items(path, shape["items"], schemas)
    else:
        yield from fields_of(shape, schemas, path)


def _inside_items(path: str, schema: Schema, schemas: Mapping[str, Schema]) -> Iterator[Field]:
    yield from fields_of(schema, schemas, f"{path}[]")


def _field(path: str, schema: Schema, schemas: Mapping[str, Schema], *, is_needed: bool) -> Field:
    shape = _resolved(_not_null(schema), schemas)
    form = form_of(shape)
    if _may_be_null(schema) and is_needed:
        form += " or null"
    # What is said of an answer's inner struct as a whole is written for our code.
    return Field(path, form, schema.get("description", ""), is_needed)


def form_of(schema: Schema) -> str:
    """In words, with its limits."""
    kind = schema.get("type", "object" if "oneOf" in schema else "")
    kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else [each for each in schema["enum"] if each is not None]
        words = [each if isinstance(each, str) else json.dumps(each) for each in values]
        return " or ".join(words) if len(words) < 3 else "one of " + ", ".join(words)
    if schema.get("pattern") in {written.MONEY, MONEY}:
        return 'rupees as text, as in "1250.00"'
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if kind == "array":
        return "list" + _between(schema, "minItems", "maxItems", "")
    return _KINDS.get(str(kind), str(kind)) + (
        _between(schema, "minimum", "maximum", "") or _between(schema, "minLength", "maxLength", " characters")
    )


def _between(schema: Schema, least: str, most: str, unit: str) -> str:
    if most not in schema or schema[most] > 10**12:
        return ""
    if least not in schema:
        return f", {grouped(schema[most])}{unit} at most"
    return f", {grouped(schema[least])} to {grouped(schema[most])}{unit}"


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def _may_be_null(schema: Schema) -> bool:
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or {"type": "null"} in schema.get("anyOf", [])


def _not_null(schema: Schema) -> Schema:
    return next((each for each in schema.get("anyOf", []) if each != {"type": "null"}), schema)
