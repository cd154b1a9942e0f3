"""Answers held against the description, as strictly as it can be read: what it does not name may not be answered."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from bilty.web.describe import description

API = "/api/v1/"
OPEN = {"/api/v1/openapi.json", "/api/v1/reference"}


def check_answer(answer: httpx.Response, content: bytes) -> None:
    """That its status, its media type, its headers and its shape are among those that are described.

    Addresses and methods that are none of the API's are answered in ways that belong to no operation.
    """
    request = answer.request
    operation = operation_at(request.method, request.url.path)
    if operation is None:
        return
    asked = f"{request.method} {request.url.path}: {answer.status_code}"
    described = operation["responses"].get(str(answer.status_code))
    assert described, f"{asked} is not described"
    for name in described.get("headers", {}):
        value = answer.headers.get(name)
        pattern = described["headers"][name]["schema"]["pattern"]
        assert value is None or re.search(pattern, value), f"{asked}, {name}: {value}"
    media = answer.headers.get("content-type", "").partition(";")[0]
    known = described.get("content", {})
    assert media in known or (not known and not content), f"{asked} is {media}, not {set(known)}"
    if media.endswith(("/json", "+json")):
        fault = next(reader_of(known[media]["schema"]).iter_errors(json.loads(content)), None)
        assert fault is None, f"{asked} {fault}"


def operation_at(method: str, path: str) -> Any:
    for pattern, operations in _addresses():
        if pattern.fullmatch(path):
            return operations.get(method.lower())
    return None


@cache
def _addresses() -> list[tuple[re.Pattern[str], Any]]:
    """The plainest first: /shipments/bulk before /shipments/{shipment_id}."""
    paths = sorted(description()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(_pattern(path, operations)), operations) for path, operations in paths]


def _pattern(path: str, operations: Any) -> str:
    kinds = {
        each["name"]: each["schema"].get("type")
        for operation in operations.values()
        for each in operation["parameters"]
    }
    return re.sub(
        r"\\\{(\w+)\\\}", lambda found: "[0-9]+" if kinds[found[1]] == "integer" else "[^/]+", re.escape(path)
    )


def reader_of(schema: Any) -> jsonschema_rs.Draft202012Validator:
    return _reader(json.dumps(schema, sort_keys=True))


@cache
def _reader(schema: str) -> jsonschema_rs.Draft202012Validator:
    components = _closed(description()["components"])
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": components}, validate_formats=True)


def _closed(schema: Any) -> Any:
    """Readers of the API pass over fields that they do not know; our tests do not."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(each) for name, each in schema.items()}
    if inner.get("type") == "object" and isinstance(inner.get("properties"), dict):
        inner.setdefault("additionalProperties", False)
    return inner
