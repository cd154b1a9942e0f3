"""Every scene that a small world can reach keeps every promise. `world.py` is the world, `walk.py` the promises."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from bilty.diagram import BESIDE_THE_TABLE
from bilty.turn import TABLE, Heard, State
from bilty.workflow import Status
from workflow.machine import impatient, load
from workflow.walk import Walk, described, walk
from workflow.world import World

DECIDES: Mapping[str, Any] = {"decides": True, "calls_out": 1, "others_awb": False, "terse": True}
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "two couriers": {"couriers": 2, "calls_out": 2},
    "three couriers": {"couriers": 3, "calls_out": 1, "others_awb": False, "cancels": False, "terse": True},
    "two runs and a change": {
        "couriers": 1,
        "runs": 2,
        "calls_out": 1,
        "others_awb": False,
        "cancels": False,
        "changes": 1,
        "terse": True,
    },
    "three versions": {
        "couriers": 1,
        "runs": 1,
        "calls_out": 1,
        "others_awb": False,
        "cancels": False,
        "doubts": False,
        "changes": 2,
        "holds": True,
        "terse": True,
    },
    "a person changes it, and does whatever has a button": {**DECIDES, "couriers": 1, "changes": 1, "doubts": False},
    "dispatched, and brought back": {
        **DECIDES,
        "couriers": 2,
        "dispatches": True,
        "decides_only": ("fall-over", "use-late", "settled", "order-return"),
        "doubts": False,
    },
    "a person does whatever has a button": {**DECIDES, "couriers": 2, "cancels": False},
    "a person does whatever has a button, and cancels": {**DECIDES, "couriers": 1, "others_awb": True},
    "a person does whatever has a button, and schedules again": {
        **DECIDES,
        "couriers": 1,
        "runs": 2,
        "cancels": False,
        "doubts": False,
    },
    "poll now, and a stop on faulty data": {"couriers": 1, "polls_max": 2, "stop_on_faulty_data": True},
}
SMALL = {"two couriers", "poll now, and a stop on faulty data"}


@cache
def walked(name: str) -> Walk:
    machine = load({} if name in SMALL else impatient())
    return walk(World(machine, **WORLDS[name]))


def wide() -> list[Walk]:
    """The walks that together go everywhere."""
    return [walked(name) for name in WORLDS if name != "three couriers"]


@pytest.mark.parametrize("name", WORLDS)
def test_every_reachable_scene_keeps_every_promise(name: str) -> None:
    seen = walked(name)
    print(name, "-", *described(seen))  # noqa: T201 - `pytest -rP` shows how much was walked
    assert len(seen.scenes) > 100


def test_the_walk_comes_to_every_state() -> None:
    assert set(State) == set[State]().union(*(seen.states for seen in wide()))


def test_the_walk_comes_to_every_status() -> None:
    statuses = {seen.world.machine.status(scene.progress) for seen in wide() for scene in seen.scenes.values()}
    assert statuses == set(Status)


def test_the_walk_uses_every_entry_of_the_table() -> None:
    exercised = set[tuple[State, Heard]]().union(*(seen.exercised for seen in wide()))
    assert exercised == {(state, heard) for state, row in TABLE.items() for heard in row}


def test_a_turn_moves_only_as_the_page_draws_it() -> None:
    made = set[tuple[State, State]]().union(*(seen.steps for seen in wide()))
    beside = {move for moves in BESIDE_THE_TABLE.values() for move in moves}
    drawn = {(state, after) for state, row in TABLE.items() for after in row.values() if after is not state}
    assert made == drawn | beside
