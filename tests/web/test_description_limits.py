"""Schemas of what may be sent say the limits that intake has: at each a value is taken, and behind it refused."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from bilty.hand_off import EventKind
from bilty.intake import (
    IntakeRules,
    Rejected,
    parse_connector,
    parse_facility,
    parse_provider,
    parse_shipment,
)
from bilty.intake.endpoints import EndpointRules, parse_endpoint
from bilty.web.describe import OPERATIONS
from bilty.web.describe.bodies import SCHEMAS

TODAY = date(2026, 11, 25)
RULES = EndpointRules(tuple(EventKind), allow_private=False, is_public=lambda _: True)
Path = tuple[str | int, ...]
Parse = Callable[[Any], object]


def _endpoint() -> Any:
    body = next(each.body for each in OPERATIONS if each.id == "putEndpoint")
    assert body is not None
    return body.schema


READ: dict[str, tuple[Any, Parse]] = {
    "shipment": (SCHEMAS["NewShipment"], lambda given: parse_shipment(given, IntakeRules(), TODAY)),
    "facility": (SCHEMAS["NewFacility"], lambda given: parse_facility("BLR-1", given)),
    "provider": (SCHEMAS["NewProvider"], lambda given: parse_provider("main", given)),
    "connector": (SCHEMAS["NewConnector"], lambda given: parse_connector(given, None)),
    "endpoint": (_endpoint(), lambda given: parse_endpoint("oms", given, RULES)),
}
TIED = {"invoice", "purchase_order", "number", "cgst", "sgst"}
"""What names another field's value, what is named, and taxes that go with no other: not changed alone."""


def filled(schema: Any) -> Any:
    """A document with every field, each its example."""
    schema = resolved(schema)
    if schema.get("properties"):
        return {name: filled(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [filled(schema["items"])]
    return schema["examples"][0]


def resolved(schema: Any) -> Any:
    while "$ref" in schema or "oneOf" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
        else:
            choices = schema.get("oneOf") or schema["anyOf"]
            schema = next(each for each in reversed(choices) if each != {"type": "null"})
    return schema


def leaves(schema: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    schema = resolved(schema)
    for name, inner in schema.get("properties", {}).items():
        yield from leaves(inner, (*path, name))
    if "items" in schema:
        yield from leaves(schema["items"], (*path, 0))
    if "properties" not in schema and "items" not in schema:
        yield path, schema


def limits(schema: Any) -> Iterator[tuple[Path, object, bool]]:
    """A value at or behind each limit, and whether it is good."""
    for path, leaf in leaves(schema):
        if path[-1] in TIED and len(path) > 1:
            continue
        if "maximum" in leaf:
            yield path, leaf["minimum"], True
            yield path, leaf["maximum"], True
            yield path, leaf["minimum"] - 1, False
            yield path, leaf["maximum"] + 1, False
        elif "maxLength" in leaf and "format" not in leaf:
            yield path, "x" * leaf["maxLength"], True
            yield path, "x" * (leaf["maxLength"] + 1), False
            yield path, "\x07x", False
        elif "enum" in leaf:
            yield path, "something else", False
        elif leaf.get("pattern", "").startswith("^[0-9]{1,9}"):
            yield path, "999999999.99", True
            yield path, "1000000000.00", False
            yield path, "1.005", False


CASES = [
    pytest.param(kind, path, value, good, id=f"{kind} {'.'.join(map(str, path))} {str(value)[:12]!a} {number}")
    for kind, (schema, _) in READ.items()
    for number, (path, value, good) in enumerate(limits(schema))
]


@pytest.mark.parametrize("kind", READ)
def test_a_document_of_all_examples_is_taken(kind: str) -> None:
    schema, parse = READ[kind]
    found = parse(filled(schema))
    assert not isinstance(found, Rejected), found


@pytest.mark.parametrize(("kind", "path", "value", "good"), CASES)
def test_a_limit_is_where_it_is_said_to_be(kind: str, path: Path, value: object, good: bool) -> None:
    schema, parse = READ[kind]
    document = deepcopy(filled(schema))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert isinstance(parse(document), Rejected) is not good


def test_there_are_limits_to_look_at() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("name", ["number", "facility", "consignee", "payment", "invoices", "boxes"])
def test_what_is_said_to_be_needed_is_needed(name: str) -> None:
    schema, parse = READ["shipment"]
    assert name in schema["required"]
    document = filled(schema)
    del document[name]
    assert isinstance(parse(document), Rejected)


@pytest.mark.parametrize("name", ["order_number", "appointment", "pickup_at", "schedule"])
def test_what_is_said_to_be_optional_is_optional(name: str) -> None:
    schema, parse = READ["shipment"]
    for change in ({name: None}, {}):
        document = {**{field: value for field, value in filled(schema).items() if field != name}, **change}
        assert not isinstance(parse(document), Rejected)
