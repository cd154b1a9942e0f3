"""The reference page's content, written from the same table as the OpenAPI document."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bilty.web.describe.common import parameters_of, problems_of
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
class Reference:
    about: str
    tolerance: str
    problems: str
    topics: tuple[Topic, ...]
    shapes: tuple[Shape, ...]


def reference(operations: Sequence[Operation], schemas: dict[str, Schema]) -> Reference:
    topics = tuple(
        Topic(name, tuple(_shown(each, schemas) for each in same))
        for name, same in groupby(operations, key=lambda each: each.topic)
    )
    answers = [answer for topic in topics for each in topic.operations for answer in each.answers]
    names = dict.fromkeys(name for answer in answers for name in answer.shapes)
    shapes = tuple(
        Shape(name, schemas[name].get("description", ""), tuple(fields_of(schemas[name], schemas)))
        for name in (*names, "ProblemDetails")
    )
    return Reference(ABOUT, TOLERANCE, PROBLEMS, topics, shapes)


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
    example = answer.example if isinstance(answer.example, str) else _indented(answer.example) if answer.example else ""
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
    if operation.body:
        example = next(iter(operation.body.examples.values()))
        sent = example if isinstance(example, str) else _indented(example)
        lines.append(f"-H {shlex.quote('Content-Type: ' + operation.body.media)}")
        lines.append(f"--data{'' if operation.body.media == JSON else '-binary'} {shlex.quote(sent)}")
    if any(answer.media == "application/pdf" for answer in operation.answers):
        lines.append("-o label.pdf")
    return " \\\n  ".join(lines)


def _method(operation: Operation) -> str:
    return (
        ""
        if operation.method == "GET" or (operation.method == "POST" and operation.body)
        else f"-X {operation.method} "
    )


def _asked(operation: Operation) -> str:
    address = operation.address
    for parameter in operation.places("path"):
        address = address.replace(f"{{{parameter.name}}}", str(parameter.example))
    query = "&".join(f"{each.name}={each.example}" for each in operation.places("query") if each.name == "limit")
    return f"{address}?{query}" if query else address
