"""Words for writing JSON Schema, each true to the rule of `bilty.intake.values` that reads such a value.

Schemas say the plain form. What is read beyond it is said once, in `openapi.TOLERANCE`.
"""

from collections.abc import Mapping, Sequence

from bilty.intake import limits
from bilty.web.describe.shapes import Schema
from bilty.words import rupees

LINE = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]+$"
"""No control characters, and none that turn the direction of writing."""
LINES = LINE.replace("\\u0000-\\u001f", "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f")
MONEY = "^[0-9]{1,9}(?:\\.[0-9]{1,2})?$"
DAY = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"


def text(at_most: int, about: str, example: str, *, of_lines: bool = False) -> Schema:
    pattern = LINES if of_lines else LINE
    return _said("string", about, example, minLength=1, maxLength=at_most, pattern=pattern)


def named(pattern: str, about: str, example: str, **more: object) -> Schema:
    return _said("string", about, example, pattern=pattern, **more)


def formatted(kind: str, about: str, example: str, **more: object) -> Schema:
    return _said("string", about, example, format=kind, **more)


def whole(at_least: int, at_most: int, about: str, example: int) -> Schema:
    return _said("integer", about, example, minimum=at_least, maximum=at_most)


def money(about: str, example: str) -> Schema:
    return _said("string", f"{about} {rupees(limits.MONEY_MAX)} at most.".strip(), example, pattern=MONEY)


def day(about: str, example: str) -> Schema:
    return formatted("date", about, example, pattern=DAY)


def moment(about: str, example: str) -> Schema:
    return formatted("date-time", about, example)


def yes_or_no(about: str, *, example: bool) -> Schema:
    return _said("boolean", about, example)


def one_of(values: Sequence[str], about: str, example: str) -> Schema:
    return _said("string", about, example, enum=list(values))


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def many(item: Schema, at_least: int, at_most: int, about: str) -> Schema:
    return {"type": "array", "description": about, "minItems": at_least, "maxItems": at_most, "items": item}


def closed(about: str, needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of these fields and no others. An optional one may also be null, which is as if it were left out."""
    fields = {**needed, **{name: or_null(schema) for name, schema in (optional or {}).items()}}
    schema: Schema = {"type": "object", "description": about, "properties": fields, "additionalProperties": False}
    return {**schema, "required": list(needed)} if needed else schema


def or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable


def _said(kind: str, about: str, example: object, **more: object) -> Schema:
    return {"type": kind, "description": about, **more, "examples": [example]}
