"""What an operation of the API is, said once: the OpenAPI document and the reference page are both written from it.

An area describes its operations in a module of its own beside this one, as `OPERATIONS`, a tuple of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from bilty.store.access import Scope

Schema: TypeAlias = dict[str, Any]
"""JSON Schema 2020-12, as OpenAPI 3.1 takes it."""

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`place`: path, query or header. An example is always good data: it is sent as it is by a test."""

    name: str
    place: str
    about: str
    schema: Schema
    example: object
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """`schema`: the name of one of `bodies.SCHEMAS`, or a schema. A test sends each example and sees it accepted."""

    schema: str | Schema
    examples: Mapping[str, object]
    media: str = JSON
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What may be asked next with what this answer says: operation `to`, its parameters as runtime expressions."""

    name: str
    to: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`shape`: the struct that is answered, whose schema is taken from it; or a schema; None for no body.

    `headers`: names of `headers.HEADERS`.
    """

    status: int
    about: str
    shape: type[msgspec.Struct] | Schema | None = None
    example: object = None
    headers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    media: str = JSON
    lines: tuple[type[msgspec.Struct], ...] = ()
    """What each line of a streamed answer is one of. Its `shape` is text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`urn:bilty:problem:{code}`. `field`: the example's `errors` names it, with `value` and the detail as message."""

    status: int
    code: str
    detail: str
    field: str = ""
    value: str = ""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address under /api/v1.

    What every operation of its kind may answer is added by itself (`common.problems_of`): no key, a scope that is too
    small, too many requests, the database away; with a body what is no JSON or too large; with an address that names
    something that it is not there; with a query that it is misspelt; for a POST what comes with Idempotency-Key.
    `problems` are those of its own.
    """

    id: str
    topic: str
    method: str
    path: str
    summary: str
    about: str
    scope: Scope | None
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    also: tuple[Body, ...] = ()
    """Other forms in which the body is taken."""
    problems: tuple[Problem, ...] = field(default=())
    all_facilities: bool = False
    """Only a key of all facilities may ask this."""
    keyed: bool = True
    """A POST takes Idempotency-Key, unless what it does is repeated by other means."""

    @property
    def address(self) -> str:
        return f"/api/v1{self.path}"

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (*([self.body] if self.body else []), *self.also)

    @property
    def repeatable(self) -> bool:
        return self.method == "POST" and self.keyed

    def places(self, place: str) -> tuple[Parameter, ...]:
        return tuple(each for each in self.parameters if each.place == place)
