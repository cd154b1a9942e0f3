"""The OpenAPI description: Litestar writes it from the routes; what we read ourselves is added here.

Documents are read by `bilty.intake`, which tells every fault at once, so Litestar does not know their shape.
"""

from copy import deepcopy
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from bilty import __version__
from bilty.web.documents import NewConnector, NewFacility, NewProvider, NewShipment
from bilty.web.problems import PROBLEM_JSON, ProblemDetails
from bilty.workflow import Status

_REF = "#/components/schemas/{name}"
_BODIES: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("/api/v1/shipping-providers/{code}", "put"): NewProvider,
    ("/api/v1/shipping-providers/{code}/connector", "put"): NewConnector,
    ("/api/v1/facilities/{code}", "put"): NewFacility,
    ("/api/v1/shipments", "post"): NewShipment,
}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=20`: answer when the label is there, or after 20 seconds (60 at most).",
    "schema": {"type": "string"},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "May be sent. A repeated request is recognised without it, by facility and number.",
    "schema": {"type": "string"},
}
_PARAMETERS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("/api/v1/shipments", "post"): [_PREFER, _KEY],
    ("/api/v1/shipments/{shipment_id}/schedules", "post"): [_PREFER],
    ("/api/v1/shipments", "get"): [
        {"name": "status", "in": "query", "required": False, "schema": {"type": "string", "enum": list(Status)}},
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "minimum": 1, "maximum": 200},
        },
        {"name": "after", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1}},
    ],
}
_PROBLEM = {
    "description": "A problem: what happened and what to do.",
    "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(name="ProblemDetails")}}},
}
_ANSWERS = {"post": ("200", "201", "202"), "put": ("200", "201")}
_ONLY = {
    "/api/v1/shipments/{shipment_id}/schedules": ("200", "202"),
    "/api/v1/shipping-providers/{code}/connector": ("200",),
}
"""A PUT makes or changes; a POST answers with what is, with what is new, or with what is under way."""


class Described(JsonRenderPlugin):
    def render(self, request: "Request[Any, Any, Any]", openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, described(openapi_schema))


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with what we know and Litestar does not."""
    schema = deepcopy(schema)
    structs = [*_BODIES.values(), ProblemDetails]
    _, components = msgspec.json.schema_components(structs, ref_template=_REF)
    schema["components"]["schemas"] = {**components, **schema["components"].get("schemas", {})}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "responses" in operation:
                _complete(operation, path, method)
    return schema


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    operation["responses"].pop("400", None)
    operation["responses"]["default"] = _PROBLEM
    if body := _BODIES.get((path, method)):
        reference = {"$ref": _REF.format(name=body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    if added := _PARAMETERS.get((path, method)):
        operation["parameters"] = [*operation.get("parameters", []), *added]
    if answers := _ONLY.get(path, _ANSWERS[method]) if method in _ANSWERS else ():
        good = [status for status in operation["responses"] if status.startswith("2")]
        answer = operation["responses"][good[0]]
        for status in good:
            del operation["responses"][status]
        operation["responses"].update(dict.fromkeys(answers, answer))


CONFIG = OpenAPIConfig(
    title="Bilty",
    version=__version__,
    description="Shipments of many boxes: taken in, booked with the courier that ranks first, labels handed back.",
    path="/api/v1/openapi.json",
    render_plugins=[Described(path=["/", "/openapi.json"])],
    components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
    security=[{"key": []}],
    use_handler_docstrings=True,
)
