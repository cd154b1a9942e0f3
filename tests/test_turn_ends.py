"""Which steps end a turn, for the record of its courier."""

from dataclasses import replace

import pytest

from bilty.reply import Courier
from bilty.store.turn_ends import End, end_of
from bilty.turn import State, Turn
from bilty.workflow import Progress

P1 = Turn(1, 1, Courier(4, "main", "Delhivery B2B"), "SO-1-A", "digest", State.WAITING, None)
P2 = replace(P1, priority=2, courier=Courier(5, "main", "Blue Dart"), reference="SO-1-B")
RANKING = replace(P1, priority=0, courier=None, reference="SO-1-R", state=State.RANKING)
BLANK = Progress("here", "BLR-1", "SO-1", "digest", run=1)


def ends(before: Turn | None, after: Turn, *others: Turn, cancel_asked: bool = False) -> End | None:
    return end_of(replace(BLANK, turns=(after, *others), cancel_asked=cancel_asked), before, after)


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (State.WON, End.LABEL),
        (State.REFUSED, End.REFUSED),
        (State.STOPPED, End.REFUSED),
        (State.LAPSED, End.LAPSED),
        (State.FETCHING, None),
        (State.UNDECIDED, None),
        (State.WAITING, None),
    ],
)
def test_a_turn_ends_with_a_label_a_no_or_nothing(state: State, end: End | None) -> None:
    assert ends(P1, replace(P1, state=state)) is end


def test_an_end_is_told_once() -> None:
    lapsed = replace(P1, state=State.LAPSED)
    assert ends(lapsed, replace(lapsed, polls_done=3)) is None
    assert ends(lapsed, replace(lapsed, state=State.REFUSED)) is None


def test_a_late_label_counts_after_all() -> None:
    fetching = replace(P1, state=State.FETCHING)
    assert ends(fetching, replace(P1, state=State.WON)) is End.LABEL


def test_who_stepped_aside_for_anothers_label_did_not_lapse() -> None:
    assert ends(P2, replace(P2, state=State.LAPSED), replace(P1, state=State.FETCHING)) is None


def test_a_cancelled_shipment_says_nothing_about_its_courier() -> None:
    assert ends(P1, replace(P1, state=State.LAPSED), cancel_asked=True) is None
    assert ends(P1, replace(P1, state=State.WON), cancel_asked=True) is End.LABEL


def test_the_ranking_is_no_courier() -> None:
    assert ends(RANKING, replace(RANKING, state=State.STOPPED)) is None
