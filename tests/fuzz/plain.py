"""The plain form of a document: what the description's words on tolerance promise is read as if it were written so.

A second reading of those words beside `bilty.intake`: what was taken in though its plain form is not valid either has
been taken in by mistake.
"""

import contextlib
import re
from datetime import datetime
from typing import Any

import jsonschema_rs

from bilty.web.describe import description

WORDS = {"ind": "IN", "india": "IN"}


def said_plainly(value: Any, schema: Any) -> Any:
    schema = resolved(schema)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return _first_valid(value, schema[choice])
    match _kind(schema):
        case "object" if isinstance(value, dict):
            return _object(value, schema)
        case "array" if isinstance(value, list):
            return [said_plainly(each, schema.get("items", {})) for each in value]
        case "string":
            return _text(value, schema)
        case "integer":
            return _whole(value)
        case "boolean" if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
            return value.strip().lower() == "true"
    return value


def valid(value: Any, schema: Any) -> bool:
    components = description()["components"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": components}, validate_formats=True).is_valid(
        value
    )


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(schema: Any) -> str:
    kind = schema.get("type", "")
    return str(next(each for each in kind if each != "null") if isinstance(kind, list) else kind)


def _first_valid(value: Any, schemas: Any) -> Any:
    found = [said_plainly(value, each) for each in schemas]
    return next((each for each, schema in zip(found, schemas, strict=True) if valid(each, schema)), value)


def _object(value: dict[str, Any], schema: Any) -> Any:
    known, needed = schema.get("properties", {}), schema.get("required", [])
    return {
        name: said_plainly(each, known[name]) if name in known else each
        for name, each in value.items()
        if name in needed or not _is_blank(each)
    }


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any, schema: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    if isinstance(value, float):
        return (
            f"{value:.2f}"
            if schema.get("pattern", "").startswith("^[0-9]{1,9}(?:") and value == round(value, 2)
            else value
        )
    text = str(value)
    trimmed = text.strip()
    if "enum" in schema:
        words = {str(each).lower(): each for each in schema["enum"]}
        return words.get(WORDS.get(trimmed.lower(), trimmed).lower(), text)
    if schema.get("pattern", "") in {"^[1-9][0-9]{5}$", "^[0-9]{12}$"}:
        return re.sub(r"[\s-]", "", text)
    match schema.get("format"):
        case "gstin":
            return trimmed.upper()
        case "date-time":
            with contextlib.suppress(ValueError):
                return datetime.fromisoformat(trimmed.upper()).isoformat()
    return text if "\\u000b" in schema.get("pattern", "") else trimmed


def _whole(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}", value.strip()):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
