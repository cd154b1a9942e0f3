"""What is answered: schemas taken from the structs that are answered, with what their fields mean."""

from collections.abc import Iterable
from typing import Any

import msgspec

from bilty.web.describe.meanings import ABOUT
from bilty.web.describe.shapes import Schema

REF = "#/components/schemas/{name}"
MOMENTS = {"at", "since", "until", "timestamp"}
"""How names of fields end that hold a moment: msgspec says of them only that they are text."""
CLOCKS = {"opens_at", "closes_at"}
"""But these are a time of any day."""
CLOCK = "^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9])?$"
MONEY = "^[0-9]+\\.[0-9]{2}$"


def components(structs: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    """A schema for each of them and for what they hold."""
    _, found = msgspec.json.schema_components(structs, ref_template=REF)
    return {name: _answered(name, schema) for name, schema in found.items()}


def _answered(name: str, schema: Schema) -> Schema:
    """Every field is written, whatever its default. What `omit_defaults` leaves out is `ProblemDetails`' alone."""
    if schema.get("type") != "object":
        return schema
    fields = {field: _plain(inner) for field, inner in schema["properties"].items()}
    moments = [field for field in fields if field.split("_")[-1] in MOMENTS and field not in CLOCKS]
    fields |= {field: _moment(fields[field]) for field in moments}
    fields |= {field: {**fields[field], "pattern": CLOCK} for field in CLOCKS & fields.keys()}
    for field, about in ABOUT.get(name, {}).items():
        fields[field] = {**fields[field], "description": about}
    needed = schema["required"] if name == "ProblemDetails" else list(fields)
    return {**schema, "properties": fields, "required": needed}


def _moment(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [_moment(each) for each in schema["anyOf"]]}
    return {**schema, "format": "date-time"} if schema.get("type") == "string" else schema


def _plain(schema: Any) -> Any:
    """Without defaults, which say nothing about an answer, and with what a decimal string looks like."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "string", "pattern": MONEY}
    return {name: _plain(inner) for name, inner in schema.items() if name != "default"}
