"""The page draws the machine that runs, and nothing else."""

from pathlib import Path

from bilty.diagram import MEANING, renewed
from bilty.turn import State

PAGE = Path(__file__).parents[2] / "docs" / "workflow.md"


def test_the_drawing_is_todays() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "stale: run `python -m bilty.diagram docs/workflow.md`"


def test_every_state_is_explained() -> None:
    assert set(MEANING) == set(State)
