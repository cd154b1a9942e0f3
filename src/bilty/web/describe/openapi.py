"""The OpenAPI 3.1 document, written from the table of operations. Nothing is taken from the framework."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any

import msgspec

from bilty import __version__
from bilty.oms.payload import EventMessage
from bilty.web.describe import events
from bilty.web.describe.answers import REF, components
from bilty.web.describe.bodies import SCHEMAS
from bilty.web.describe.common import parameters_of, problems_of
from bilty.web.describe.events import Event
from bilty.web.describe.headers import HEADERS
from bilty.web.describe.shapes import JSON, PROBLEM_JSON, Answer, Body, Operation, Parameter, Problem, Schema
from bilty.web.problems import TITLES, ProblemDetails

ABOUT = "Shipments of many boxes: taken in, booked with the courier that ranks first, labels handed back."
TOLERANCE = (
    "Documents are read strictly as to what they say and tolerantly as to how a spreadsheet or another language "
    "writes it. The schemas show the plain form; these are read too: a number in quotes, and 2.0 for 2; a whole number "
    "where text is wanted; an amount of rupees as a number with at most 2 decimals; blanks around a value, and in a "
    "PIN code or an e-way bill number; a GSTIN in small letters; true, false and words of a list in any case; "
    '"IND" and "India" for "IN"; null or a blank text for an optional field that is left out.'
)
PROBLEMS = (
    "Whatever goes wrong is told as problem details (RFC 9457): `type` is `urn:bilty:problem:` and a code that never "
    "changes, `detail` says what happened and what to do, and `errors` names each faulty field."
)


def document(operations: Sequence[Operation], told: Sequence[Event] = ()) -> Schema:
    topics = dict.fromkeys(operation.topic for operation in operations)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bilty", "version": __version__, "description": f"{ABOUT}\n\n{TOLERANCE}\n\n{PROBLEMS}"},
        "servers": [{"url": "/", "description": "This house."}],
        "security": [{"key": []}],
        "tags": [*({"name": topic} for topic in topics), {"name": events.TOPIC, "description": events.ABOUT}],
        "paths": {
            address: {each.method.lower(): _operation(each) for each in same}
            for address, same in groupby(sorted(operations, key=_by_address), key=_by_address)
        },
        "webhooks": {str(each.kind): {"post": _webhook(each)} for each in told},
        "components": {
            "schemas": {**SCHEMAS, **components([*_structs(operations), EventMessage])},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: Settings, API keys; or `bilty key add NAME --scope dispatch`.",
                }
            },
        },
    }


def _by_address(operation: Operation) -> str:
    return operation.address


def _structs(operations: Iterable[Operation]) -> Iterable[type[msgspec.Struct]]:
    answers = [answer for operation in operations for answer in operation.answers]
    shapes = [answer.shape for answer in answers if isinstance(answer.shape, type)]
    return dict.fromkeys([ProblemDetails, *shapes, *(line for answer in answers for line in answer.lines)])


def _operation(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": operation.id,
        "tags": [operation.topic],
        "summary": operation.summary,
        "description": f"{operation.about}\n\n{needs(operation)}",
        "parameters": [_parameter(each) for each in parameters_of(operation)],
        "responses": _responses(operation),
    }
    if operation.scope is None:
        described["security"] = []
    if operation.body:
        content = {each.media: _body(each) for each in operation.bodies}
        described["requestBody"] = {"required": operation.body.required, "content": content}
    return described


def _webhook(event: Event) -> Schema:
    """What the receiver is sent, and answers. Not a request to Bilty: no key of ours is in it."""
    kind = {"properties": {"type": {"const": str(event.kind)}}}
    schema = {"allOf": [{"$ref": REF.format(name=EventMessage.__name__)}, kind]}
    return {
        "operationId": event.id,
        "tags": [events.TOPIC],
        "summary": event.summary,
        "description": f"{event.about}\n\n{events.ABOUT}",
        "parameters": [_parameter(each) for each in event.headers],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schema, "example": msgspec.to_builtins(event.example)}},
        },
        "responses": {status: {"description": about} for status, about in events.ANSWERS.items()},
        "security": [],
    }


def needs(operation: Operation) -> str:
    """Who may ask this."""
    if operation.scope is None:
        return "Needs no key."
    of_all = " that is good for all facilities" if operation.all_facilities else ""
    return f"Needs a key of scope {operation.scope}{of_all}."


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.about,
        "schema": parameter.schema,
        "example": parameter.example,
    }


def _body(body: Body) -> Schema:
    schema = {"$ref": REF.format(name=body.schema)} if isinstance(body.schema, str) else body.schema
    examples = {_slug(name): {"summary": name, "value": value} for name, value in body.examples.items()}
    return {"schema": schema, "examples": examples}


def _responses(operation: Operation) -> Schema:
    more = ("Idempotency-Replayed",) if operation.repeatable else ()
    answers = {str(each.status): _answer(each, more) for each in operation.answers}
    problems = groupby(problems_of(operation), key=lambda each: each.status)
    return {**answers, **{str(status): _problems(status, list(same)) for status, same in problems}}


def _answer(answer: Answer, more: tuple[str, ...]) -> Schema:
    described: Schema = {"description": answer.about}
    if headers := (*answer.headers, *more):
        described["headers"] = _headers(headers)
    if answer.shape is not None:
        content: dict[str, Any] = {"schema": schema_of(answer)}
        if answer.lines:
            content["x-lines"] = [{"$ref": REF.format(name=line.__name__)} for line in answer.lines]
        if answer.example is not None:
            content["example"] = answer.example
        described["content"] = {answer.media: content}
    if answer.links:
        described["links"] = {
            _slug(link.name): {"operationId": link.to, "parameters": dict(link.parameters), "description": link.name}
            for link in answer.links
        }
    return described


def schema_of(answer: Answer) -> Schema:
    if isinstance(answer.shape, type):
        return {"$ref": REF.format(name=answer.shape.__name__)}
    assert answer.shape is not None
    return answer.shape


def _headers(names: Iterable[str]) -> Schema:
    return {
        name: {"description": HEADERS[name].about, "schema": HEADERS[name].schema, "example": HEADERS[name].example}
        for name in names
    }


def _problems(status: int, problems: Sequence[Problem]) -> Schema:
    """One answer: which codes there are is part of its schema, so that a code nobody described is a breach."""
    schema = {
        "allOf": [
            {"$ref": REF.format(name="ProblemDetails")},
            {
                "properties": {
                    "type": {"enum": sorted({kind_of(each) for each in problems})},
                    "status": {"const": status},
                }
            },
        ]
    }
    described: Schema = {
        "description": " or ".join(f"`{each.code}`" for each in _once(problems)),
        "content": {
            PROBLEM_JSON: {
                "schema": schema,
                "examples": {each.code: {"value": example_of(each)} for each in _once(problems)},
            }
        },
    }
    headers = [name for each in problems for name in each.headers]
    return {**described, "headers": _headers(dict.fromkeys(headers))} if headers else described


def _once(problems: Iterable[Problem]) -> list[Problem]:
    return list({each.code: each for each in problems}.values())


def kind_of(problem: Problem) -> str:
    return f"urn:bilty:problem:{problem.code}"


def example_of(problem: Problem) -> Schema:
    shown: Schema = {
        "type": kind_of(problem),
        "title": TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field:
        shown["errors"] = [{"field": problem.field, "value": problem.value, "message": problem.detail}]
    return shown


def _slug(name: str) -> str:
    return "-".join(name.replace(",", "").split())
