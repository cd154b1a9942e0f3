"""Where a shipment is looked for after a restore, without a database: the drills are in jobs/test_restored.py."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bilty.deciding.found_again import Found, Place, found_again, is_to_be_awaited, places
from bilty.reply import Label
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress, reference
from workflow.desk import P1, P2, P3

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BLANK = Progress("i", "BLR-1", "S1", "d" * 64, run=1)


def turn(priority: int, state: State, code: int = 0) -> Turn:
    courier = (P1, P2, P3)[priority - 1]
    name = reference(BLANK, 1, courier)
    return Turn(1, priority, courier, name, BLANK.digest, state, None, asks=1, asked_at=NOON, code=code)


def stands(*turns: Turn) -> Progress:
    ranked = Turn(1, 0, None, reference(BLANK, 1, None), BLANK.digest, State.RANKED, None, couriers=(P1, P2, P3))
    return replace(BLANK, turns=(ranked, *turns))


def booked(of: Turn, label: Label | None) -> Found:
    assert of.courier
    return Found(Place(of.reference, of.version, of.run, of.courier), label)


@pytest.mark.parametrize(("code", "is_asked_about"), [(0, True), (319, False)])
def test_a_reference_that_was_merely_not_known_is_asked_about(code: int, is_asked_about: bool) -> None:
    """Nobody said no to it. Since the backup was made it may have been taken in, and be on the boxes."""
    first, second = turn(1, State.REFUSED, code), turn(2, State.ASKING)
    asked = {each.reference for each in places(stands(first, second), (), 1)}
    assert (first.reference in asked, second.reference in asked) == (is_asked_about, True)


def test_what_it_became_has_the_shipment_and_the_next_is_not_asked() -> None:
    first, second = turn(1, State.REFUSED), replace(turn(2, State.ASKING), asks=0, asked_at=None, due_at=NOON)
    after = found_again(stands(first, second), [booked(first, Label("AWB1"))], NOON, Rules())
    assert after.holder is not None
    assert (after.holder.reference, after.holder.awb) == (first.reference, "AWB1")
    assert after.open_turn is None


def test_while_it_is_in_the_works_nothing_is_decided() -> None:
    first, second = turn(1, State.REFUSED), turn(2, State.ASKING)
    assert is_to_be_awaited(stands(first, second), [booked(first, None)])
    assert not is_to_be_awaited(stands(first, second), [booked(second, None)])
