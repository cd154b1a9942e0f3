"""The workflow as the tests hold it: the real one, or a private copy whose source was changed on purpose."""

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, get_args

import bilty
import bilty.concerns
import bilty.hearing
import bilty.turn
import bilty.workflow
from bilty.concerns import Concern
from bilty.deciding import acts, decisions, refusals
from bilty.turn import Heard, Kind, Rules, State, Step, Turn
from bilty.workflow import Progress, Status

FILES = ("turn", "hearing", "workflow", "concerns", "deciding.acts", "deciding.refusals", "deciding.decisions")
"""In the order of their imports."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Machine:
    """The public names of these modules. A copy has classes of its own: compare its states with ==, never `is`.

    `acts` are the classes of people's acts by their kind. `exercised` are the entries of the table that a copy used.
    """

    rules: type[Rules]
    progress: type[Progress]
    schedule: Callable[..., Progress]
    hear: Callable[..., Progress]
    go_on: Callable[..., Progress]
    cancel: Callable[..., Progress]
    amend: Callable[..., Any]
    hold_is: Callable[..., Progress]
    decide: Callable[..., Any]
    possible: Callable[..., tuple[Any, ...]]
    acts: Mapping[str, Callable[..., Any]]
    person: Mapping[str, Mapping[State, State]]
    claimed: Callable[..., Turn]
    reference: Callable[..., str]
    status: Callable[[Progress], Status]
    concerns: Callable[[Progress], tuple[tuple[Concern, Turn], ...]]
    window_ends_at: Callable[..., Any]
    table: Mapping[State, Mapping[Heard, State]]
    traits: Mapping[State, tuple[Kind, Step | None]]
    exercised: set[tuple[State, Heard]]


class Recording(dict[State, Mapping[Heard, State]]):
    """The table, noting each entry that is used."""

    def __init__(self, table: Mapping[State, Mapping[Heard, State]], seen: set[tuple[State, Heard]]) -> None:
        super().__init__({state: _Row(state, row, seen) for state, row in table.items()})


class _Row(dict[Heard, State]):
    def __init__(self, state: State, row: Mapping[Heard, State], seen: set[tuple[State, Heard]]) -> None:
        super().__init__(row)
        self._state, self._seen = state, seen

    def __getitem__(self, heard: Heard) -> State:
        self._seen.add((self._state, heard))
        return super().__getitem__(heard)


@cache
def source(file: str) -> str:
    return (Path(bilty.__file__).parent / f"{file.replace('.', '/')}.py").read_text(encoding="utf-8")


def impatient() -> dict[str, str]:
    """With fewer repetitions of the same, or three couriers and two runs take minutes to walk."""
    text = source("hearing")
    for old, new in (
        ("INQUIRY_GAPS = (0.25, 0.25, 0.5)", "INQUIRY_GAPS = (0.25,)"),
        ("LABEL_GAPS_S = (1, 5, 20)", "LABEL_GAPS_S = ()"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {"hearing": text}


def load(sources: Mapping[str, str]) -> Machine:
    """The machine of these sources in a package of its own; a file that is not given is the real one's copy."""
    package = f"bilty_copy_{next(_numbers)}"
    with _registered(package):
        turn, hearing, *others = (_module(package, file, sources.get(file, source(file))) for file in FILES)
    exercised: set[tuple[State, Heard]] = set()
    vars(hearing)["TABLE"] = Recording(turn.TABLE, exercised)  # a copy's: the real module is never touched
    return _machine(turn, hearing, *others, exercised=exercised)


def real() -> Machine:
    """The very modules that run."""
    return _machine(
        bilty.turn, bilty.hearing, bilty.workflow, bilty.concerns, acts, refusals, decisions, exercised=set()
    )


def _machine(
    turn: ModuleType,
    hearing: ModuleType,
    workflow: ModuleType,
    concerns: ModuleType,
    acts: ModuleType,
    refusals: ModuleType,
    decisions: ModuleType,
    *,
    exercised: set[tuple[State, Heard]],
) -> Machine:
    return Machine(
        rules=turn.Rules,
        progress=workflow.Progress,
        schedule=workflow.schedule,
        hear=workflow.hear,
        go_on=workflow.go_on,
        cancel=decisions.cancel,
        amend=decisions.amend,
        hold_is=decisions.hold_is,
        decide=decisions.decide,
        possible=refusals.possible,
        acts={each.kind: each for each in get_args(acts.Act)},
        person=acts.PERSON,
        claimed=hearing.claimed,
        reference=workflow.reference,
        status=workflow.status,
        concerns=concerns.concerns,
        window_ends_at=turn.window_ends_at,
        table=turn.TABLE,
        traits=turn.TRAITS,
        exercised=exercised,
    )


class _Loader(importlib.abc.InspectLoader):
    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - the loader's contract; it holds one module
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._text, f"<{fullname}>")


@contextmanager
def _registered(package: str) -> Iterator[None]:
    """Modules of `package` can import each other within the block, and are forgotten after it."""
    sys.modules[package] = ModuleType(package)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]


def _module(package: str, file: str, text: str) -> ModuleType:
    for other in FILES:
        text = text.replace(f"from bilty.{other} import", f"from {package}.{other} import")
    name = f"{package}.{file}"
    loader = _Loader(text)
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
