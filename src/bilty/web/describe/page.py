"""The reference page's content, written from the same table as the OpenAPI document."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from bilty.oms.payload import EventMessage
from bilty.web.describe import events
from bilty.web.describe.common import parameters_of, problems_of
from bilty.web.describe.events import Event
from bilty.web.describe.fields import Field, fields_of, form_of
from bilty.web.describe.openapi import ABOUT, PROBLEMS, TOLERANCE, example_of, needs, schema_of
from bilty.web.describe.shapes import JSON, Answer, Body, Operation, Parameter, Problem, Schema


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    form: str
    about: str
    is_needed: bool


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """`shapes`: the names under which its fields are listed; `example`: as text, or ""."""

    status: int
    about: str
    media: str
    headers: str
    shapes: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class OperationShown:
    id: str
    method: str
    address: str
    summary: str
    about: str
    needs: str
    parameters: tuple[Row, ...]
    media: str
    body: tuple[Field, ...]
    curl: str
    bodies: tuple[Example, ...]
    answers: tuple[AnswerShown, ...]
    problems: tuple[Problem, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    operations: tuple[OperationShown, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EventShown:
    id: str
    kind: str
    summary: str
    about: str
    example: str


@dataclass(frozen=True, slots=True)
class EventsShown:
    """What is told, the headers that come with it, and what each answer does. `shape`: where its fields are listed."""

    name: str
    about: str
    headers: tuple[Row, ...]
    answers: tuple[tuple[str, str], ...]
    shape: str
    events: tuple[EventShown, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    about: str
    tolerance: str
    problems: str
    topics: tuple[Topic, ...]
    told: EventsShown
    shapes: tuple[Shape, ...]


def reference(operations: Sequence[Operation], told: Sequence[Event], schemas: dict[str, Schema]) -> Reference:
    topics = tuple(
        Topic(name, tuple(_shown(each, schemas) for each in same))
        for name, same in groupby(operations, key=lambda each: each.topic)
    )
    answers = [answer for topic in topics for each in topic.operations for answer in each.answers]
    names = dict.fromkeys(name for answer in answers for name in answer.shapes)
    shapes = tuple(
        Shape(name, schemas[name].get("description", ""), tuple(fields_of(schemas[name], schemas)))
        for name in (*names, EventMessage.__name__, "ProblemDetails")
    )
    return Reference(ABOUT, TOLERANCE, PROBLEMS, topics, _told(told), shapes)


def _told(told: Sequence[Event]) -> EventsShown:
    shown = (
        EventShown(each.id, each.kind, each.summary, each.about, _indented(msgspec.to_builtins(each.example)))
        for each in told
    )
    headers = tuple(Row(each.name, "header", each.about, each.required) for each in told[0].headers)
    answers = tuple(events.ANSWERS.items())
    return EventsShown(events.TOPIC, events.ABOUT, headers, answers, EventMessage.__name__, tuple(shown))


def _shown(operation: Operation, schemas: dict[str, Schema]) -> OperationShown:
    problems = _once(problems_of(operation))
    own = operation.problems[0] if operation.problems else problems[0]
    return OperationShown(
        id=operation.id,
        method=operation.method,
        address=operation.address,
        summary=operation.summary,
        about=operation.about,
        needs=needs(operation),
        parameters=tuple(_parameter(each) for each in parameters_of(operation)),
        media=" or ".join(each.media for each in operation.bodies),
        body=tuple(_body(operation.body, schemas)) if operation.body else (),
        curl=_curl(operation),
        bodies=tuple(_bodies(operation)),
        answers=tuple(_answer(each) for each in operation.answers),
        problems=problems,
        problem=_indented(example_of(own)),
    )


def _once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple({(each.status, each.code): each for each in problems}.values())


def _parameter(parameter: Parameter) -> Row:
    where = {"path": "in the address", "query": "in the query", "header": "header"}[parameter.place]
    form = form_of(parameter.schema)
    return Row(parameter.name, f"{where}; {form}" if form else where, parameter.about, parameter.required)


def _body(body: Body, schemas: dict[str, Schema]) -> Iterator[Field]:
    schema = schemas[body.schema] if isinstance(body.schema, str) else body.schema
    return fields_of(schema, schemas)


def _answer(answer: Answer) -> AnswerShown:
    schema = {} if answer.shape is None else schema_of(answer)
    names = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else [line.__name__ for line in answer.lines]
    example = _sent(answer.example) if answer.example else ""
    media = answer.media if answer.shape is not None else "no body"
    return AnswerShown(answer.status, answer.about, media, ", ".join(answer.headers), tuple(names), example)


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _curl(operation: Operation) -> str:
    lines = [f'curl {_method(operation)}"$BILTY{_asked(operation)}"']
    if operation.scope is not None:
        lines.append('-H "Authorization: Bearer $KEY"')
    headers = [each for each in parameters_of(operation) if each.place == "header"]
    lines += ["-H " + shlex.quote(f"{each.name}: {each.example}") for each in headers]
    if operation.body and operation.body.required:
        sent = _sent(next(iter(operation.body.examples.values())))
        lines.append(f"-H {shlex.quote('Content-Type: ' + operation.body.media)}")
        lines.append(f"--data{'' if operation.body.media == JSON else '-binary'} {shlex.quote(sent)}")
    if any(answer.media == "application/pdf" for answer in operation.answers):
        lines.append("-o label.pdf")
    return " \\\n  ".join(lines)


def _bodies(operation: Operation) -> Iterator[Example]:
    """The examples that are not in the request shown. Where a body may be left out, that has none."""
    if operation.body:
        named = [Example(name, _sent(value)) for name, value in operation.body.examples.items()]
        yield from named[1:] if operation.body.required else named


def _sent(value: object) -> str:
    return value if isinstance(value, str) else _indented(value)


def _method(operation: Operation) -> str:
    return (
        ""
        if operation.method == "GET" or (operation.method == "POST" and operation.body and operation.body.required)
        else f"-X {operation.method} "
    )


def _asked(operation: Operation) -> str:
    address = operation.address
    for parameter in operation.places("path"):
        address = address.replace(f"{{{parameter.name}}}", str(parameter.example))
    query = "&".join(f"{each.name}={each.example}" for each in operation.places("query") if each.name == "limit")
    return f"{address}?{query}" if query else address
