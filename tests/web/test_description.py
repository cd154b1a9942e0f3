"""The description of the API is complete and true: of every route, with examples that are taken and given."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar.routes import HTTPRoute

from bilty.hand_off import EventKind
from bilty.intake import limits
from bilty.intake.boxes import GROUP, ITEM
from bilty.intake.papers import INVOICE, PAYMENT, PURCHASE_ORDER
from bilty.intake.parties import FACILITY as FACILITY_FIELDS
from bilty.intake.parties import PARTY
from bilty.intake.providers import CONNECTOR as CONNECTOR_FIELDS
from bilty.intake.providers import PROVIDER as PROVIDER_FIELDS
from bilty.intake.shipments import APPOINTMENT, SHIPMENT
from bilty.reply import Ranking
from bilty.store import access
from bilty.store.access import Scope
from bilty.store.database import connect_pool
from bilty.web import make_app
from bilty.web.describe import OPERATIONS, description
from bilty.web.describe.bodies import SCHEMAS
from bilty.web.describe.common import IDEMPOTENCY_KEY, parameters_of
from bilty.web.describe.events import EVENTS, Event
from bilty.web.describe.meanings import ABOUT
from bilty.web.describe.shapes import JSON, Operation
from conftest import new_database
from web.described import OPEN, check_answer, reader_of
from web.house import House
from web.opening import opened_house

IDS = [operation.id for operation in OPERATIONS]
FIELDS = {
    "NewConsignee": PARTY,
    "NewInvoice": INVOICE,
    "NewPurchaseOrder": PURCHASE_ORDER,
    "NewItem": ITEM,
    "NewBoxes": GROUP,
    "NewAppointment": APPOINTMENT,
    "NewShipment": SHIPMENT,
    "NewFacility": FACILITY_FIELDS,
    "NewProvider": PROVIDER_FIELDS,
    "NewConnector": CONNECTOR_FIELDS,
}
NOT_THERE_YET = {"readLabel", "uploadLabel", "readPapers", "attachDocument", "readDocument", "removeDocument"}
"""What the example asks for comes later."""
SMALLER = {Scope.DISPATCH: Scope.READ, Scope.ADMIN: Scope.DISPATCH}


async def test_the_document_is_as_it_is_built(house: House) -> None:
    answer = await house.api.get("/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(json.dumps(description()))
    assert answer.json()["openapi"] == "3.1.0"


async def test_every_route_is_described_and_nothing_else(house: House) -> None:
    routes: set[tuple[str, str]] = set()
    for route in make_app(house.tools).routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1") and route.path not in OPEN:
            path = route.path_format
            routes |= {(method, path) for method in route.methods if method not in {"OPTIONS", "HEAD"}}
    described = {(operation.method, operation.address) for operation in OPERATIONS}
    assert routes - described == set(), "not described"
    assert described - routes == set(), "described only"


def test_names_are_used_once_and_references_lead_somewhere() -> None:
    document = description()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_under(document, "$ref")) <= known
    all_ids = [*IDS, *(event.id for event in EVENTS)]
    assert len(set(all_ids)) == len(all_ids)
    assert set(_under(document, "operationId")) == set(all_ids)
    assert {topic for each in _under(document, "tags", list) for topic in each if isinstance(topic, str)} == {
        each["name"] for each in document["tags"]
    }
    for operation in OPERATIONS:
        parameters = {each.name for each in parameters_of(operation) if each.place == "path"}
        assert parameters == {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
        for answer in operation.answers:
            for link in answer.links:
                target = next(each for each in OPERATIONS if each.id == link.to)
                assert set(link.parameters) <= {each.name for each in target.parameters}


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
def test_every_example_is_valid(operation: Operation) -> None:
    _check_examples(description()["paths"][operation.address][operation.method.lower()])


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: each.id)
def test_every_event_is_shown_by_a_valid_example(event: Event) -> None:
    described = description()["webhooks"][event.kind]["post"]
    _check_examples(described)
    assert described["security"] == [], "a receiver is sent no key of ours"
    assert set(described["responses"]) == {"2XX", "410", "default"}
    schema = described["requestBody"]["content"][JSON]["schema"]
    another = {**msgspec.to_builtins(event.example), "type": "shipment.lost"}
    assert not reader_of(schema).is_valid(another)


def test_every_kind_of_event_is_described() -> None:
    assert set(description()["webhooks"]) == set(EventKind)
    assert {each.kind: each.example.type for each in EVENTS} == {kind: kind for kind in EventKind}


def test_every_field_of_an_answer_is_explained() -> None:
    schemas = {name: each for name, each in description()["components"]["schemas"].items() if name not in SCHEMAS}
    fields = {(name, field) for name, each in schemas.items() for field in each.get("properties", {})}
    explained = {(name, field) for name, about in ABOUT.items() for field, words in about.items() if words}
    assert fields - explained == set(), "not explained"
    assert explained - fields == set(), "explained only"


def test_each_operation_shows_an_idempotency_key_of_its_own() -> None:
    keys = [
        each.example
        for operation in OPERATIONS
        for each in parameters_of(operation)
        if each.name == IDEMPOTENCY_KEY.name
    ]
    assert len(keys) > 1
    assert len(set(keys)) == len(keys), "the same key for another request is refused"


def _check_examples(described: Any) -> None:
    for parameter in described["parameters"]:
        assert reader_of(parameter["schema"]).is_valid(parameter["example"]), parameter["name"]
    contents = [each for answer in described["responses"].values() for each in answer.get("content", {}).values()]
    contents += described.get("requestBody", {}).get("content", {}).values()
    for content in contents:
        for example in _examples(content):
            faults = [str(each) for each in reader_of(content["schema"]).iter_errors(example)]
            assert faults == []
    for status, answer in described["responses"].items():
        is_json = any(media.endswith("json") for media in answer.get("content", {}))
        shown = [each for content in answer.get("content", {}).values() for each in _examples(content)]
        assert shown or not is_json, f"{status} has no example"


@pytest.fixture(scope="module")
async def town(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for all operations, with a provider, a facility, an endpoint, and a key for Bengaluru alone."""
    dsn = await new_database(postgres_server)
    pool = await connect_pool(dsn)
    async with opened_house(pool, dsn, tmp_path_factory.mktemp("town")) as house:
        await house.furnish()
        yield house
    await pool.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)
async def test_every_example_is_taken(town: House, operation: Operation) -> None:
    """The answer is held to the description by the house itself."""
    shipment_id = await town.takes_in(number=operation.id)
    for made in OPERATIONS:
        if made.body and made.method == "PUT" and made is not operation and operation.path.startswith(made.path):
            await _sent(town, made, shipment_id, next(iter(made.body.examples.values())))
    sent = [(each.media, document) for each in operation.bodies for document in each.examples.values()]
    for media, document in sent or [(JSON, None)]:
        if document == {"run": 2}:
            await town.hears(Ranking(()))
        answer = await _sent(town, operation, shipment_id, document, media)
        assert answer.is_success is (operation.id not in NOT_THERE_YET), answer.text


async def _sent(
    house: House, operation: Operation, shipment_id: int, document: object, media: str = JSON
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {await house.key(Scope.ADMIN)}"}
    for parameter in operation.places("header"):
        if parameter.required:
            headers[parameter.name] = "*" if parameter.name == "If-Match" else str(parameter.example)
    content = document if isinstance(document, str) else None if document is None else json.dumps(document)
    if content is not None:
        headers["Content-Type"] = media
    address = _address(operation, shipment_id)
    return await house.api.request(operation.method, address, content=content, headers=headers)


def _address(operation: Operation, shipment_id: int) -> str:
    path = operation.address.replace("{shipment_id}", str(shipment_id))
    for parameter in operation.places("path"):
        path = path.replace(f"{{{parameter.name}}}", str(parameter.example))
    return path


KEYED = [operation for operation in OPERATIONS if operation.scope]


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
async def test_who_may_ask_is_told_truly(town: House, operation: Operation) -> None:
    path = _address(operation, 1).removeprefix("/api/v1")
    assert operation.scope is not None
    answer = await town.api.request(operation.method, f"/api/v1{path}")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:bilty:problem:no_key")
    if smaller := SMALLER.get(operation.scope):
        answer = await town.call(operation.method, path, scope=smaller)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:bilty:problem:scope_too_small")
    answer = await town.call(operation.method, path, scope=operation.scope)
    assert answer.status_code not in {401, 403}, answer.text


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
async def test_what_needs_all_facilities_is_told_truly(town: House, operation: Operation) -> None:
    async with town.tools.pool.acquire() as connection, connection.transaction():
        facility_id = await connection.fetchval("SELECT id FROM facilities WHERE code = 'BLR-1'")
        key = await access.add_key(connection, f"Bengaluru, {operation.id}", Scope.ADMIN, frozenset({facility_id}))
    address, headers = _address(operation, 1), {"Authorization": f"Bearer {key}"}
    answer = await town.api.request(operation.method, address, headers=headers)
    refused = answer.status_code == 403 and answer.json()["type"] == "urn:bilty:problem:all_facilities_needed"
    assert refused is operation.all_facilities, answer.text


@pytest.mark.parametrize("status", [418, 200])
async def test_an_answer_that_is_not_described_is_found_out(status: int) -> None:
    """418 is described nowhere; and a field that nobody described is not passed over."""
    request = httpx.Request("GET", "http://bilty/api/v1/key")
    told = {"name": "a", "scope": "read", "facilities": None, "expires_at": None, "colour": "red"}
    answer = httpx.Response(status, json=told, request=request)
    with pytest.raises(AssertionError, match=r"not described|colour"):
        check_answer(answer, answer.content)


@pytest.mark.parametrize("name", FIELDS)
def test_bodies_have_the_fields_that_intake_knows(name: str) -> None:
    assert set(SCHEMAS[name]["properties"]) == FIELDS[name]


def test_payments_have_the_fields_that_intake_knows() -> None:
    for variant in SCHEMAS["NewPayment"]["oneOf"]:
        assert set(variant["properties"]) == PAYMENT


def test_limits_are_those_of_intake() -> None:
    assert SCHEMAS["NewShipment"]["properties"]["invoices"]["maxItems"] == limits.INVOICES_MAX
    assert SCHEMAS["NewConsignee"]["properties"]["address"]["maxLength"] == limits.ADDRESS_CHARS_MAX


def _examples(content: dict[str, Any]) -> list[Any]:
    named = [each["value"] for each in content.get("examples", {}).values()]
    return [*named, content["example"]] if "example" in content else named


def _under(document: Any, wanted: str, kind: type = str) -> list[Any]:
    if isinstance(document, list):
        return [each for inner in document for each in _under(inner, wanted, kind)]
    if not isinstance(document, dict):
        return []
    here = [value for name, value in document.items() if name == wanted and isinstance(value, kind)]
    return here + [each for inner in document.values() for each in _under(inner, wanted, kind)]
