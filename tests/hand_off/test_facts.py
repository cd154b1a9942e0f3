"""Which change is told: scenario by scenario, and in every scene that a small world can reach."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from bilty.hand_off import KINDS, EventKind, Fact, facts
from bilty.reply import Accepted, Cancelled, Label, NotYet, Ranking, Refusal, Reply
from bilty.workflow import Progress, Status, status
from workflow.desk import NO, P1, P2, P3, PAPER, SILENT, Desk, desk, labelled, ranked, refused
from workflow.machine import real
from workflow.world import World

REQUESTED, READY, CHANGED = "label_requested", "label_ready", "courier_changed"
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "two couriers": {"couriers": 2, "terse": True, "others_awb": False, "doubts": False},
    "two runs": {"couriers": 1, "runs": 2, "calls_out": 1, "others_awb": False, "terse": True, "doubts": False},
    "people decide": {
        "couriers": 2,
        "cancels": False,
        "decides": True,
        "calls_out": 1,
        "others_awb": False,
        "terse": True,
        "doubts": False,
    },
}


class Ear:
    """Hears what is to be told of a desk's shipment."""

    def __init__(self, at: Desk) -> None:
        self.at, self._before = at, at.progress

    def told(self) -> list[tuple[str, str]]:
        """Since this was last asked: kinds, each with the courier that it names, blank where it names none."""
        before, self._before = self._before, self.at.progress
        return [
            (fact.kind.removeprefix("shipment."), fact.turn.courier.name if fact.turn and fact.turn.courier else "")
            for fact in facts(before, self.at.progress)
        ]

    def hears(self, *replies: Reply) -> list[list[tuple[str, str]]]:
        """What each reply, to the call that is due next, gives to tell."""
        told = []
        for reply in replies:
            self.at.hears(reply)
            told.append(self.told())
        return told


def test_a_label_that_takes_its_time_is_requested_and_then_ready() -> None:
    ear = Ear(desk(real()))
    ear.at.schedules()
    assert ear.told() == [], "that it was scheduled, whoever scheduled it knows"
    said = ear.hears(Ranking((P1, P2)), Accepted(), SILENT, NotYet(), Label("A"), PAPER)
    assert said == [[], [(REQUESTED, P1.name)], [], [], [], [(READY, P1.name)]]


def test_the_next_courier_is_told_as_soon_as_it_is_their_turn() -> None:
    ear = Ear(ranked(real()))
    assert ear.hears(NO, Accepted()) == [[(CHANGED, P2.name)], [(REQUESTED, P2.name)]]


def test_a_late_label_of_the_first_takes_it_from_the_second() -> None:
    ear = Ear(ranked(real(), P1, P2))
    ear.at.hears(Accepted(), *[NotYet()] * ear.at.rules.polls_max)
    assert ear.told() == [(CHANGED, P2.name)]
    ear.at.hears(Accepted())
    assert ear.told() == [(REQUESTED, P2.name)]
    ear.at.hears(Label("A"), turn=ear.at.p(1))
    assert ear.told() == [(CHANGED, P1.name)], "a label was requested before, and still is"


def test_that_every_courier_said_no_is_told_as_a_failure_of_none_of_them() -> None:
    ear = Ear(ranked(real(), P1, P2))
    assert ear.hears(NO, NO) == [[(CHANGED, P2.name)], [("failed", "")]]


def test_that_nobody_serves_the_lane_is_a_failure_too() -> None:
    ear = Ear(desk(real()))
    ear.at.schedules()
    assert ear.hears(Ranking(())) == [[("failed", "")]]
    assert ear.at.status is Status.NOT_SERVICEABLE


def test_what_waits_for_a_person_is_told_with_the_courier_that_has_it_only() -> None:
    ear = Ear(ranked(real()))
    assert ear.hears(refused(301, "no account", Refusal.ACCOUNT)) == [[("needs_attention", "")]]
    ear = Ear(ranked(real(), P1))
    ear.at.hears(Label("A"))
    ear.told()
    while ear.at.status is not Status.NEEDS_ATTENTION:
        ear.at.hears(NotYet())
    assert ear.told() == [("needs_attention", P1.name)]


def test_cancelled_is_told_when_it_is_so_and_not_when_it_is_wished() -> None:
    ear = Ear(labelled(real()))
    ear.at.cancels()
    assert ear.told() == []
    assert ear.hears(Cancelled()) == [[("cancelled", "")]]


def test_a_change_is_told_with_the_awb_that_it_makes_void() -> None:
    at = labelled(real())
    before = at.progress
    assert at.amends() == ""
    assert facts(before, at.progress) == (Fact(EventKind.CHANGED, None, before.holder),)


def test_what_an_old_version_is_still_asked_about_has_no_courier() -> None:
    at = ranked(real(), P1, P2)
    at.hears(Accepted())
    before = at.progress
    assert at.amends() == ""
    assert at.progress.open_turn is not None
    assert facts(before, at.progress) == (Fact(EventKind.CHANGED, None),)


def test_the_first_courier_of_a_new_run_is_no_change() -> None:
    ear = Ear(ranked(real(), P1))
    ear.at.hears(NO)
    ear.told()
    ear.at.schedules(P3)
    assert ear.told() == []
    assert ear.hears(Accepted()) == [[(REQUESTED, P3.name)]]


def test_a_courier_whose_awb_was_given_up_gives_way_to_a_late_one() -> None:
    """Nobody has it in between: who had it is told by the AWB."""
    ear = Ear(ranked(real(), P1, P2))
    ear.at.hears(Accepted(), *[NotYet()] * ear.at.rules.polls_max)
    ear.at.hears(Accepted(), *[NotYet()] * ear.at.rules.polls_max, turn=ear.at.p(2))
    ear.at.hears(Label("A"), turn=ear.at.p(1))
    while ear.at.status is not Status.NEEDS_ATTENTION:
        ear.at.hears(NotYet(), turn=ear.at.p(1))
    assert ear.at.does("give-up-awb", ear.at.p(1)) == ""
    ear.at.hears(Cancelled(), turn=ear.at.p(1))
    ear.told()
    ear.at.hears(Label("B"), turn=ear.at.p(2))
    assert (CHANGED, P2.name) in ear.told()


# --- in every scene


@cache
def moves_of(name: str) -> list[tuple[Progress, Progress]]:
    """Before and after, wherever the world may come to; that it comes to no harm there, `tests/workflow` says."""
    world = World(real(), **WORLDS[name])
    to_visit, pairs = [world.start()], []
    known = {to_visit[0].key}
    while to_visit:
        scene = to_visit.pop()
        for move in world.moves(scene):
            pairs.append((scene.progress, move.after.progress))
            if move.after.key not in known:
                known.add(move.after.key)
                to_visit.append(move.after)
    return pairs


def kinds(told: tuple[Fact, ...]) -> list[EventKind]:
    return [fact.kind for fact in told]


@pytest.mark.parametrize("name", WORLDS)
def test_each_status_that_is_told_is_told_once_and_only_when_it_comes(name: str) -> None:
    seen = set()
    for before, after in moves_of(name):
        told = [kind for kind in kinds(facts(before, after)) if kind is not EventKind.COURIER_CHANGED]
        was, now = status(before), status(after)
        expected = [KINDS[now]] if now in KINDS and was is not now else []
        assert told == expected, (was, now)
        seen |= set(told)
    assert {EventKind.LABEL_REQUESTED, EventKind.LABEL_READY, EventKind.NEEDS_ATTENTION, EventKind.FAILED} <= seen


@pytest.mark.parametrize("name", WORLDS)
def test_no_event_without_a_change(name: str) -> None:
    assert all(facts(before, before) == () for before, _ in moves_of(name))


@pytest.mark.parametrize("name", ["two couriers", "people decide"])
def test_whoever_follows_the_events_knows_the_courier(name: str) -> None:
    """Wherever one courier is followed by another without a pause, that is told, first, and with the new one."""
    changes = 0
    for before, after in moves_of(name):
        told = facts(before, after)
        old, new = (each.holder or each.open_turn for each in (before, after))
        if old and new and old.courier and new.courier and old.courier != new.courier and before.run == after.run:
            changes += 1
            assert told[0] == Fact(EventKind.COURIER_CHANGED, new)
        for fact in told:
            named = fact.turn and fact.turn.courier
            assert named == (new.courier if new else None), "no event names a courier that has nothing to do with it"
    assert changes > 10


@pytest.mark.parametrize("name", ["two couriers", "people decide"])
def test_a_ready_label_is_told_with_the_turn_that_has_it(name: str) -> None:
    ready = [
        fact.turn == after.holder
        for before, after in moves_of(name)
        for fact in facts(before, after)
        if fact.kind is EventKind.LABEL_READY
    ]
    assert ready
    assert all(ready)
