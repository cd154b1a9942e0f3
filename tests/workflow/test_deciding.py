"""What a person may decide, act by act: done with its effect, or refused with a sentence that says why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bilty.concerns import Concern
from bilty.deciding import ActKind
from bilty.reply import (
    AWB_CHARS_MAX,
    Accepted,
    Cancelled,
    Courier,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refusal,
    Reply,
    Unknown,
)
from bilty.turn import Kind, State, Step, Turn
from bilty.workflow import Status
from workflow.desk import GARBAGE, NO, P1, P2, P3, PAPER, SILENT, Desk, desk, dispatched, labelled, ranked, refused
from workflow.machine import Machine

MAY = {
    ActKind.POLL_NOW: {State.WAITING: State.WAITING},
    ActKind.FALL_OVER: {State.WAITING: State.LAPSED},
    ActKind.ASK_AGAIN: {State.UNDECIDED: State.UNDECIDED},
    ActKind.NOT_BOOKED: {State.UNDECIDED: State.LAPSED},
    ActKind.ENTER_AWB: {State.UNDECIDED: State.FETCHING, State.LAPSED: State.FETCHING},
    ActKind.FETCH_AGAIN: {State.FETCHING: State.FETCHING, State.UNLABELLED: State.UNLABELLED},
    ActKind.USE_PAPER: {State.UNLABELLED: State.WON},
    ActKind.GIVE_UP_AWB: dict.fromkeys((State.FETCHING, State.UNLABELLED, State.WON), State.SURPLUS),
    ActKind.USE_LATE: {State.OFFERED: State.FETCHING, State.PICKED_UP: State.FETCHING},
    ActKind.CANCEL_LATE: {State.OFFERED: State.SURPLUS},
    ActKind.WRONG_AWB: dict.fromkeys((State.FETCHING, State.UNLABELLED, State.OFFERED), State.UNDECIDED),
    ActKind.GO_ON: {State.STOPPED: State.REFUSED},
    ActKind.SETTLED: {
        s: s
        for s in (
            *(State.LAPSED, State.CONFLICT, State.PICKED_UP, State.UNCANCELLED),
            *(State.UNRETURNED, State.WON),
        )
    },
    ActKind.ORDER_RETURN: {State.WON: State.RETURNING, State.UNRETURNED: State.RETURNING},
}
ON_THE_TRUCK = {State.RETURNING, State.UNRETURNED, State.RETURNED}
SAID: dict[ActKind, dict[str, Any]] = {
    ActKind.ENTER_AWB: {"awb": "AWB-1001"},
    ActKind.USE_PAPER: {"sha256": "5ha", "pages": 1},
}
OF_THE_RANKING = {State.RANKING, State.RANKED, State.UNSERVICEABLE}


def standing(machine: Machine, state: State, act: ActKind | None = None) -> tuple[Desk, Turn]:
    """A shipment whose turn stands so; a lapsed one is the last, since only then it concerns a person.

    A label that is here is of boxes that its waybills do not fit, but for a return: then it is on the truck.
    """
    at = ranked(machine, *([P1] if state == State.LAPSED else [P1, P2, P3]))
    turn = at.p(0) if state in OF_THE_RANKING else at.p(1)
    state = next(own for own in machine.traits if own == state)
    kind, step = machine.traits[state]
    awb = "AWB1" if kind in (Kind.HOLDS, Kind.EXTRA) or state == State.CANCELLED else ""
    due_at = at.now + timedelta(minutes=2) if step else None
    turn = replace(turn, state=state, due_at=due_at, awb=awb, entered=awb != "", asks=1, miscount="6 for 5 boxes")
    others = tuple(other for other in at.progress.turns if other.priority < turn.priority)
    has_left = state in ON_THE_TRUCK or (state == State.WON and act == ActKind.ORDER_RETURN)
    at.changes(turns=(*others, turn), dispatched=has_left)
    return at, turn


def does(at: Desk, kind: ActKind, turn: Turn, **about: bool) -> str:
    return at.does(kind, turn, **about, **SAID.get(kind, {}))


# --- every act in every state


def test_the_table_is_this(machine: Machine) -> None:
    assert machine.person == MAY


@pytest.mark.parametrize("kind", list(MAY))
@pytest.mark.parametrize("state", list(State))
def test_every_act_in_every_state(machine: Machine, kind: ActKind, state: State) -> None:
    at, turn = standing(machine, state, kind)
    once = at.progress
    offered = (kind, turn.reference) in at.offers
    why = does(at, kind, turn)
    if state in MAY[kind]:
        assert (why, offered) == ("", True)
        assert at.turn(turn).state == MAY[kind][state]
    else:
        assert why.endswith(".")
        assert "{" not in why
        assert (offered, at.progress) == (False, once)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.UNCLEAR, "Bilty is still asking ClickPost whether Delhivery booked it."),
        (State.FETCHING, "Delhivery has booked it under AWB AWB1, and its label is being fetched."),
        (State.WON, "Delhivery's label is here, under AWB AWB1."),
        (State.REFUSED, "Delhivery has refused."),
        (State.LAPSED, "Delhivery's turn has ended without a label."),
        (State.CANCELLED, "Delhivery's AWB AWB1 is cancelled."),
    ],
)
def test_who_comes_second_is_told_where_it_stands(machine: Machine, state: State, why: str) -> None:
    at, turn = standing(machine, state)
    assert does(at, ActKind.FALL_OVER, turn) == why


@pytest.mark.parametrize("kind", list(MAY))
def test_an_answer_that_is_under_way_is_waited_for_if_it_may_decide(machine: Machine, kind: ActKind) -> None:
    waits = {ActKind.POLL_NOW, ActKind.FALL_OVER, ActKind.ASK_AGAIN}
    waits |= {ActKind.NOT_BOOKED, ActKind.ENTER_AWB, ActKind.FETCH_AGAIN}
    for state in MAY[kind]:
        at, turn = standing(machine, state, kind)
        once = at.progress
        out = frozenset([turn.reference])
        waiting = {offer.kind: offer.wait for offer in machine.possible(at.progress, call_out=out) if offer.reference}
        why = does(at, kind, turn, call_out=True)
        assert bool(why) == (kind in waits)
        assert waiting[kind] == why
        assert not why or at.progress == once


def test_a_reference_that_is_not_there(machine: Machine) -> None:
    at = ranked(machine)
    stranger = replace(at.p(1), reference="SO-99999-ABC")
    assert at.does("poll-now", stranger) == "This shipment has no turn of the reference SO-99999-ABC."


# --- the shipment itself


def test_schedule_and_again(machine: Machine) -> None:
    at = desk(machine)
    assert ("schedule", "") in at.offers
    assert at.does("schedule") == ""
    assert at.status == Status.SCHEDULING
    assert ("schedule", "") not in at.offers
    assert at.does("schedule") == "It is scheduled already. ClickPost is still asked which couriers serve the lane."


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"dispatched": True}, "The shipment is with the courier."),
        ({"cancel_asked": True}, "The shipment is cancelled: nothing is booked for it any more."),
        ({"hold": "Invoice INV-1 has no e-way bill."}, "Invoice INV-1 has no e-way bill."),
    ],
)
def test_schedule_is_refused(machine: Machine, facts: dict[str, object], why: str) -> None:
    at = desk(machine)
    at.changes(**facts)
    assert at.does("schedule") == why
    assert at.progress.turns == ()


def test_a_held_shipment_is_scheduled_without_an_ewaybill(machine: Machine) -> None:
    at = desk(machine)
    at.changes(hold="Invoice INV-1 has no e-way bill.")
    assert ("schedule", "") in at.offers
    assert at.does("schedule", without_ewaybill=True) == ""
    assert at.status == Status.SCHEDULING


def test_schedule_again_names_a_courier_that_was_ranked(machine: Machine) -> None:
    at = ranked(machine, P1, P2)
    at.hears(NO, NO)
    offer = next(offer for offer in machine.possible(at.progress) if offer.kind == "schedule")
    assert offer.couriers == (P1, P2)
    assert at.does("schedule", courier=P3) == "ClickPost has not ranked Delhivery Heavy for this shipment."
    assert at.does("schedule", courier=P2) == ""
    assert [turn.courier for turn in at.progress.run_turns] == [None, P2]


def test_a_label_that_is_there_is_not_scheduled_again(machine: Machine) -> None:
    assert labelled(machine).does("schedule") == ("It is scheduled already. Delhivery's label is here, under AWB AWB1.")


def test_cancel(machine: Machine) -> None:
    at = labelled(machine)
    assert ("cancel", "") in at.offers
    assert at.does("cancel") == ""
    assert at.status == Status.CANCELLING
    assert at.does("cancel") == "The shipment is cancelled already."
    assert ("cancel", "") not in at.offers


def test_what_has_left_the_house_is_not_cancelled_by_a_button(machine: Machine) -> None:
    at = dispatched(machine)
    assert at.does("cancel") == (
        "The shipment is with the courier. It can only be brought back: an admin may order a return (RTO), which is "
        "charged."
    )
    assert at.offers == {("order-return", at.p(1).reference)}


def test_dispatch(machine: Machine) -> None:
    at = labelled(machine)
    assert ("dispatch", "") in at.offers
    assert at.does("dispatch") == ""
    assert at.status == Status.DISPATCHED
    assert ("dispatch", "") not in at.offers
    assert at.does("dispatch") == "The shipment is with the courier."


def test_what_is_cancelled_is_not_dispatched(machine: Machine) -> None:
    at = labelled(machine)
    at.cancels()
    assert at.does("dispatch") == "The shipment is cancelled: nothing is booked for it any more."
    assert ("dispatch", "") not in at.offers


def test_what_is_in_the_house_is_cancelled_not_returned(machine: Machine) -> None:
    at = labelled(machine)
    assert ("order-return", at.p(1).reference) not in at.offers
    assert at.does("order-return", at.p(1)) == "The shipment is not dispatched: cancel it, which is not charged."


# --- what is asked for what the shipment was


def changed(machine: Machine, *opening: Reply, couriers: tuple[Courier, ...] = (P1, P2, P3)) -> tuple[Desk, Turn]:
    """P1 was asked, and then the shipment was changed."""
    at = ranked(machine, *couriers)
    turn = at.hears(*opening)
    assert at.amends() == ""
    return at, at.turn(turn)


def test_nothing_is_scheduled_while_what_the_shipment_was_may_be_booked(machine: Machine) -> None:
    at, _ = changed(machine, Accepted())
    assert ("schedule", "") not in at.offers
    assert at.does("schedule") == (
        "Delhivery has accepted it, and its label is waited for. "
        "It was asked before the shipment was changed: that must be over first."
    )


def test_the_next_is_not_asked_for_what_the_shipment_was(machine: Machine) -> None:
    at, turn = changed(machine, Accepted())
    assert at.does("fall-over", turn) == (
        "The shipment was changed since Delhivery was asked: what comes of that is cancelled."
    )
    at, turn = changed(machine, refused(301, "username", Refusal.ACCOUNT))
    assert at.does("go-on", turn) == (
        "The shipment was changed since Delhivery was asked: what comes of that is cancelled."
    )


def test_a_person_who_found_nothing_booked_lets_what_is_changed_be_booked(machine: Machine) -> None:
    at, turn = changed(machine, *(GARBAGE for _ in range(9)))
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.UNDECIDED, 1)])
    assert at.does("not-booked", turn) == ""
    assert (at.progress.run, at.turn(turn).state, at.turn(turn).step) == (2, State.LAPSED, Step.INQUIRE)
    assert at.hears(Label("AWB1"), turn=turn).state == State.SURPLUS


def test_each_courier_that_was_asked_for_what_the_shipment_was_is_seen_to_by_itself(machine: Machine) -> None:
    at = lapsed_thrice(machine)
    lapsed = at.progress.run_turns[1:]
    at.amends()
    assert at.concerns == [(Concern.OUTDATED, priority) for priority in (1, 2, 3)]
    for turn in lapsed:
        assert at.progress.run == 1
        assert at.does("settled", turn) == ""
    assert (at.progress.run, at.status, at.concerns) == (2, Status.SCHEDULING, [])
    assert at.hears(Label("AWB1"), turn=lapsed[0]).state == State.SURPLUS


def test_a_word_from_before_the_change_stands_for_no_courier_after_it(machine: Machine) -> None:
    at = lapsed_thrice(machine)
    assert at.does("settled", at.p(1)) == ""
    at.amends()
    assert (at.progress.run, at.concerns) == (1, [(Concern.OUTDATED, priority) for priority in (1, 2, 3)])


def test_a_word_on_a_version_before_the_last_is_good_still(machine: Machine) -> None:
    at = ranked(machine, P1)
    turn = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.amends(hold="no e-way bill")
    assert at.does("settled", turn) == ""
    at.amends()
    assert (at.progress.run, at.concerns, at.turn(turn).settled) == (2, [], True)


def test_while_old_boxes_are_on_a_truck_nothing_is_booked_of_itself(machine: Machine) -> None:
    at = labelled(machine)
    old = at.p(1)
    at.amends()
    at.hears(PickedUp(), turn=old)
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.PICKED_UP, 1)])
    assert at.does("settled", old) == ""
    assert (at.status, at.progress.run, at.concerns) == (Status.CREATED, 1, [])
    assert at.does("schedule") == ""
    assert (at.status, at.progress.run) == (Status.SCHEDULING, 2)


@pytest.mark.parametrize("polls", [0, 9])
def test_an_awb_that_a_person_typed_is_not_cancelled_of_itself_by_a_change(machine: Machine, polls: int) -> None:
    at = ranked(machine, P1)
    turn = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    assert at.does("enter-awb", turn, awb="AWB-1001") == ""
    if polls:
        at.hears(*(NotYet() for _ in range(polls)))
    assert at.turn(turn).state == (State.UNLABELLED if polls else State.FETCHING)
    at.amends()
    assert (at.turn(turn).state, at.turn(turn).due_at, at.turn(turn).polls_done) == (State.OFFERED, None, 0)
    assert (at.status, at.progress.run, at.concerns) == (Status.NEEDS_ATTENTION, 1, [(Concern.OFFERED, 1)])
    assert at.offers == {("wrong-awb", turn.reference), ("cancel-late", turn.reference), ("cancel", "")}
    assert at.does("cancel-late", turn) == ""
    at.hears(Cancelled())
    assert at.progress.run == 2


def test_an_awb_that_a_person_typed_and_whose_label_is_here_is_cancelled_by_a_change(machine: Machine) -> None:
    at = ranked(machine, P1)
    turn = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.does("enter-awb", turn, awb="AWB-1001")
    at.hears(PAPER, turn=turn)
    at.amends()
    assert at.turn(turn).state == State.SURPLUS


def test_an_awb_that_is_typed_for_what_the_shipment_was_can_only_be_cancelled_or_taken_back(machine: Machine) -> None:
    at, turn = changed(machine, Accepted(), *(NotYet() for _ in range(6)), couriers=(P1,))
    assert at.does("enter-awb", turn, awb="AWB-1001") == ""
    assert (at.turn(turn).state, at.turn(turn).due_at) == (State.OFFERED, None)
    assert at.concerns == [(Concern.OFFERED, 1)]
    assert at.does("use-late", turn) == (
        "The shipment has changed since Delhivery was asked: that label is not of what is to be sent."
    )
    assert at.offers == {("wrong-awb", turn.reference), ("cancel-late", turn.reference), ("cancel", "")}
    assert at.does("wrong-awb", turn) == ""
    assert (at.turn(turn).state, at.progress.run, at.concerns) == (State.LAPSED, 1, [(Concern.OUTDATED, 1)])


def test_an_awb_that_is_taken_back_leaves_the_new_run_alone(machine: Machine) -> None:
    at, turn = changed(machine, Accepted(), *(NotYet() for _ in range(6)), couriers=(P1,))
    at.does("settled", turn)
    at.hears(Ranking((P1, P2)), turn=at.p(0))
    at.does("enter-awb", turn, awb="AWB-1001")
    assert at.does("wrong-awb", turn) == ""
    assert (at.states, at.concerns, at.turn(turn).settled) == ([State.ASKING], [], True)


def test_what_was_picked_up_as_it_was_is_not_used_as_it_is(machine: Machine) -> None:
    at, turn = changed(machine, Label("AWB1"))
    at.hears(PickedUp())
    assert (at.status, at.concerns, at.progress.run) == (Status.NEEDS_ATTENTION, [(Concern.PICKED_UP, 1)], 1)
    assert at.does("use-late", turn).startswith("The shipment has changed since Delhivery was asked")
    assert at.does("settled", turn) == ""
    assert at.progress.run == 1


# --- poll now, ask again, fetch again: sooner, and nothing else


def test_poll_now_is_not_pressed_twice(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted())
    assert at.does("poll-now", turn) == ""
    assert at.turn(turn).due_at == at.now
    assert at.does("poll-now", turn) == "Delhivery is about to be asked."


@pytest.mark.parametrize(
    ("kind", "opening"),
    [
        (ActKind.FETCH_AGAIN, [Label("AWB1"), *(NotYet() for _ in range(9))]),
        (ActKind.FETCH_AGAIN, [Label("AWB1"), NotYet(), NotYet()]),
    ],
)
def test_again_is_at_once(machine: Machine, kind: ActKind, opening: list[Reply]) -> None:
    at = ranked(machine)
    before = at.hears(*opening)
    assert at.does(kind, before) == ""
    assert at.turn(before) == replace(before, due_at=at.now)


def test_ask_again_is_at_once_and_then_the_rhythm_is_as_it_was(machine: Machine) -> None:
    at = undecided(machine)
    planned = at.p(1).due_at
    assert planned
    at.waits(minutes=1)
    assert at.does("ask-again", at.p(1)) == ""
    assert at.p(1).due_at == at.now
    assert at.does("ask-again", at.p(1)) == "Delhivery is about to be asked."
    at.hears(GARBAGE)
    assert (at.p(1).due_at, at.p(1).planned_due) == (planned, None)
    at.does("ask-again", at.p(1))
    assert at.hears(Label("AWB1")).state == State.FETCHING


@pytest.mark.parametrize("asks", [1, 2])
def test_an_unknown_that_a_person_asked_for_is_no_no_however_often_it_is_heard(machine: Machine, asks: int) -> None:
    at = undecided(machine)
    at.changes(turns=tuple(replace(turn, asks=asks) if turn.priority else turn for turn in at.progress.turns))
    for _ in range(5):
        assert at.does("ask-again", at.p(1)) == ""
        assert at.hears(Unknown()).state == State.UNDECIDED
    started = at.now
    at.hears(Unknown())
    assert at.states == [State.UNDECIDED]
    at.does("ask-again", at.p(1))
    at.hears(Unknown())
    assert at.states == [State.UNDECIDED]
    at.hears(Unknown())
    assert at.now - started >= timedelta(minutes=10)
    assert at.states == ([State.ASKING] if asks == 1 else [State.REFUSED, State.ASKING])


def test_ask_again_of_a_silent_host_is_not_repeated_in_a_hurry(machine: Machine) -> None:
    at = undecided(machine)
    at.waits(minutes=30)  # nobody asked meanwhile
    at.does("ask-again", at.p(1))
    at.hears(SILENT)
    assert at.does("ask-again", at.p(1)) == ""
    at.hears(SILENT, SILENT)
    assert at.p(1).due_at == at.now + timedelta(minutes=10)


def test_an_unclear_booking_is_not_asked_about_in_a_hurry(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(SILENT)
    assert at.does("ask-again", turn) == "Bilty is still asking ClickPost whether Delhivery booked it."


# --- the next courier, before the time is over


def test_fall_over_now_watches_the_one_and_asks_the_next(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted(), NotYet())
    assert at.does("fall-over", turn) == ""
    assert at.states == [State.LAPSED, State.ASKING]
    assert (at.p(1).lapsed_at, at.p(1).due_at) == (at.now, at.now + timedelta(minutes=10))
    assert at.p(2).due_at == at.now
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    assert at.hears(Label("AWB1"), turn=at.p(1)).state == State.SURPLUS


def test_fall_over_needs_somebody_to_fall_over_to(machine: Machine) -> None:
    at = ranked(machine, P1)
    turn = at.hears(Accepted())
    assert at.does("fall-over", turn) == "No courier is left to ask."
    assert at.states == [State.WAITING]


def test_fall_over_asks_nobody_for_what_is_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted())
    at.cancels()
    assert at.does("fall-over", turn) == "The shipment is cancelled: nothing is booked for it any more."


def test_fall_over_waits_for_the_late_label_that_is_to_be_used_or_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Accepted(), turn=at.p(2))
    at.changes(failed_told=True)
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.does("fall-over", at.p(2)) == (
        "Delhivery's label came late, under AWB AWB1, and is to be used or cancelled."
    )


def test_a_run_with_something_settled_asks_nobody_else_of_itself(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Accepted(), turn=at.p(2))
    at.changes(failed_told=True)
    at.hears(Label("AWB1"), turn=at.p(1))
    at.does("cancel-late", at.p(1))
    at.hears(refused(350, "too late"), turn=at.p(1))
    at.does("settled", at.p(1))
    assert at.does("fall-over", at.p(2)) == "Delhivery does not cancel AWB AWB1."


def undecided(machine: Machine) -> Desk:
    at = ranked(machine)
    at.hears(*(GARBAGE for _ in range(9)))
    return at


def test_not_booked_goes_on_and_watches_all_the_same(machine: Machine) -> None:
    at = undecided(machine)
    assert at.does("not-booked", at.p(1)) == ""
    assert at.states == [State.LAPSED, State.ASKING]
    assert at.p(1).step == Step.INQUIRE
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.states == [State.FETCHING, State.WITHDRAWN]


@pytest.mark.parametrize("couriers", [[P1], [P1, P2]])
def test_not_booked_of_a_cancelled_or_last_turn_asks_nobody(machine: Machine, couriers: list[Courier]) -> None:
    at = ranked(machine, *couriers)
    at.hears(*(GARBAGE for _ in range(9)))
    if len(couriers) == 2:
        at.cancels()
    assert at.does("not-booked", at.p(1)) == ""
    assert at.states == [State.LAPSED]
    assert at.status == (Status.CANCELLED if len(couriers) == 2 else Status.NEEDS_ATTENTION)


def test_go_on_asks_the_next_after_all(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(refused(301, "username", Refusal.ACCOUNT))
    assert at.does("go-on", at.p(1)) == ""
    assert (at.states, at.p(1).message) == ([State.REFUSED, State.ASKING], "username")
    assert at.status == Status.SCHEDULING


@pytest.mark.parametrize("couriers", [1, 0])
def test_go_on_needs_somebody_to_ask(machine: Machine, couriers: int) -> None:
    at = desk(machine) if couriers == 0 else ranked(machine, P1)
    at.schedules()
    turn = at.hears(refused(301, "username", Refusal.ACCOUNT))
    assert turn.state == State.STOPPED
    assert at.does("go-on", turn) == "No courier is left to ask."
    assert ("schedule", "") in at.offers


def test_go_on_is_for_the_present_run(machine: Machine) -> None:
    at = ranked(machine)
    stopped = at.hears(refused(301, "username", Refusal.ACCOUNT))
    at.schedules()
    assert at.does("go-on", stopped) == "The shipment was scheduled again since."


# --- an AWB that a person read


def test_an_entered_awb_takes_the_shipment(machine: Machine) -> None:
    at = undecided(machine)
    assert at.does("enter-awb", at.p(1), awb="AWB-1001") == ""
    assert (at.p(1).state, at.p(1).awb, at.p(1).due_at) == (State.FETCHING, "AWB-1001", at.now)
    at.hears(PAPER)
    assert at.status == Status.LABEL_READY


def test_an_entered_awb_of_a_lapsed_turn_makes_the_open_one_lapse(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Accepted(), turn=at.p(2))
    assert at.does("enter-awb", lapsed, awb="AWB-1001") == ""
    assert at.states == [State.FETCHING, State.LAPSED]


@pytest.mark.parametrize("why", ["another has it", "cancelled"])
def test_an_entered_awb_too_many_is_cancelled_by_a_second_act_alone(machine: Machine, why: str) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    if why == "cancelled":
        at.cancels()
    else:
        at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    before = at.status
    assert at.does("enter-awb", lapsed, awb="AWB-1001") == ""
    assert (at.p(1).state, at.p(1).due_at) == (State.OFFERED, None)
    assert at.concerns == [(Concern.OFFERED, 1)]
    assert at.status == (Status.NEEDS_ATTENTION if why == "cancelled" else before)
    assert at.does("use-late", at.p(1)) != ""
    assert at.does("cancel-late", at.p(1)) == ""
    assert at.hears(Cancelled(), turn=at.p(1)).state == State.CANCELLED


def test_an_entered_awb_of_an_earlier_run_is_offered(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.schedules(P2)
    assert at.does("enter-awb", lapsed, awb="AWB-1001") == ""
    assert at.turn(lapsed).state == State.OFFERED


def test_a_typed_awb_is_cancelled_for_nobodys_sake(machine: Machine) -> None:
    """It may be a stranger's: neither another's label nor the shipment's cancellation cancels it."""
    at = ranked(machine, P1)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.schedules(P2)
    at.hears(Accepted())
    at.does("enter-awb", lapsed, awb="AWB-1001")
    at.hears(Label("AWB2"), PAPER, turn=at.p(1))
    assert (at.turn(lapsed).state, at.status) == (State.OFFERED, Status.LABEL_READY)
    at.cancels()
    assert at.turn(lapsed).state == State.OFFERED
    at.hears(Cancelled())
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.OFFERED, 1)])
    assert at.does("wrong-awb", lapsed) == ""
    assert at.status == Status.CANCELLED


@pytest.mark.parametrize("labels", [0, 9])
def test_a_mistyped_awb_is_taken_back_and_the_turn_is_what_it_was(machine: Machine, labels: int) -> None:
    at = undecided(machine)
    before = at.p(1)
    at.does("enter-awb", before, awb="AWB-1001")
    for _ in range(labels):
        at.hears(NotYet())
    assert at.does("wrong-awb", at.p(1)) == ""
    due_at = at.now + timedelta(minutes=10)
    assert at.p(1) == replace(before, due_at=due_at, polls_done=0)
    assert at.does("enter-awb", at.p(1), awb="AWB-1002") == ""
    at.hears(PAPER)
    assert (at.status, at.p(1).awb) == (Status.LABEL_READY, "AWB-1002")


def test_a_mistyped_awb_of_a_lapsed_turn_is_taken_back_and_the_next_is_asked(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Accepted(), turn=at.p(2))
    at.does("enter-awb", lapsed, awb="AWB-1001")
    assert at.does("wrong-awb", lapsed) == ""
    assert at.states == [State.LAPSED, State.LAPSED, State.ASKING]
    assert (at.p(1).awb, at.p(1).entered, at.p(1).due_at) == ("", False, at.now + timedelta(minutes=10))
    assert at.hears(Label("AWB1"), turn=at.p(1)).state == State.FETCHING


def test_a_mistyped_awb_of_an_undecided_turn_is_watched_where_another_took_the_shipment(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(*(GARBAGE for _ in range(9)), turn=at.p(2))
    at.cancels()
    at.does("enter-awb", at.p(2), awb="AWB-1001")
    at.changes(cancel_asked=False)
    at.hears(Label("AWB1"), turn=lapsed)
    assert at.states == [State.FETCHING, State.OFFERED]
    assert at.does("wrong-awb", at.p(2)) == ""
    assert at.p(2).state == State.LAPSED


def test_what_clickpost_said_is_not_taken_back(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"))
    assert ("wrong-awb", at.p(1).reference) not in at.offers
    assert at.does("wrong-awb", at.p(1)) == "AWB AWB1 was not entered by a person: ClickPost named it."


def test_an_awb_under_which_it_has_left_is_not_taken_back(machine: Machine) -> None:
    at = undecided(machine)
    at.does("enter-awb", at.p(1), awb="AWB-1001")
    at.changes(dispatched=True)
    assert at.does("wrong-awb", at.p(1)) == "The shipment is with the courier."


def test_another_awb_that_was_typed_after_it_has_left_is_taken_back(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    at.does("dispatch")
    assert at.does("enter-awb", lapsed, awb="AWB-1001") == ""
    assert at.turn(lapsed).state == State.OFFERED
    assert at.does("wrong-awb", lapsed) == ""
    assert at.turn(lapsed).state == State.LAPSED


def test_a_label_of_the_awb_that_was_taken_back_is_not_heard(machine: Machine) -> None:
    at = undecided(machine)
    at.does("enter-awb", at.p(1), awb="AWB-1001")
    fetching = at.calls_for()
    assert at.does("wrong-awb", at.p(1), call_out=True) == ""
    assert at.does("enter-awb", at.p(1), call_out=True, awb="AWB-1002") != ""
    assert at.answers(fetching, PAPER).state == State.UNDECIDED


@pytest.mark.parametrize(
    "awb", ["", "abc", "A B C D", "1" * (AWB_CHARS_MAX + 1), "12345;", "AWB\uff11\uff10", "-1001", "AWB1001\n"]
)
def test_what_is_no_awb_is_not_taken(machine: Machine, awb: str) -> None:
    at = undecided(machine)
    once = at.progress
    assert at.does("enter-awb", at.p(1), awb=awb) == (
        "That is no AWB: one has 4 to 64 letters, digits and dashes. Copy it from ClickPost's dashboard."
    )
    assert at.progress == once


@pytest.mark.parametrize("awb", ["1001", "1" * AWB_CHARS_MAX, "AWB-1001", "abcD"])
def test_what_is_an_awb_is_taken(machine: Machine, awb: str) -> None:
    at = undecided(machine)
    assert at.does("enter-awb", at.p(1), awb=awb) == ""


def test_an_awb_of_another_turn_is_not_taken(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Label("AWB-1001"), PAPER, turn=at.p(2))
    assert at.does("enter-awb", lapsed, awb="AWB-1001") == (
        "AWB AWB-1001 is another turn's. Blue Dart's label is here, under AWB AWB-1001."
    )
    assert at.p(1).state == State.LAPSED


# --- an AWB without its label


def unlabelled(machine: Machine, *couriers: Courier) -> Desk:
    at = ranked(machine, *couriers)
    at.hears(Label("AWB1"), *(NotYet() for _ in range(9)))
    return at


def test_the_couriers_pdf_is_the_label(machine: Machine) -> None:
    at = unlabelled(machine)
    assert at.does("use-paper", at.p(1), sha256="5ha", pages=2) == ""
    assert (at.status, at.p(1).label_sha256, at.p(1).label_pages) == (Status.LABEL_READY, "5ha", 2)
    assert at.p(1).due_at is None


def test_a_label_that_comes_after_the_uploaded_one_changes_nothing(machine: Machine) -> None:
    at = unlabelled(machine)
    fetching = at.calls_for()
    at.does("use-paper", at.p(1), sha256="uploaded", pages=1)
    assert at.answers(fetching, PAPER).label_sha256 == "uploaded"


@pytest.mark.parametrize("labels", [0, 9])
def test_an_awb_that_is_given_up_is_cancelled_before_anybody_else_is_asked(machine: Machine, labels: int) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"), *(NotYet() for _ in range(labels)))
    assert at.does("give-up-awb", at.p(1)) == ""
    assert (at.states, at.p(1).due_at, at.status) == ([State.SURPLUS], at.now, Status.SCHEDULING)
    at.hears(SILENT, refused(350, "too late"), SILENT, NotYet())
    assert at.states == [State.SURPLUS]
    at.hears(Cancelled())
    assert (at.states, at.p(2).due_at) == ([State.CANCELLED, State.ASKING], at.now)


def test_while_a_given_up_awb_is_live_nothing_is_scheduled(machine: Machine) -> None:
    at = unlabelled(machine, P1)
    at.does("give-up-awb", at.p(1))
    assert ("schedule", "") not in at.offers
    assert at.does("schedule") == (
        "Delhivery's AWB AWB1 is being cancelled. Nobody else is asked before that is settled."
    )
    at.schedules()
    assert at.progress.run == 1
    at.hears(Cancelled())
    assert at.status == Status.FAILED
    assert at.does("schedule") == ""


def test_a_late_label_beside_an_awb_that_is_given_up_waits_for_a_person(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Label("AWB2"), turn=at.p(2))
    at.does("give-up-awb", at.p(2))
    assert at.hears(Label("AWB1"), turn=at.p(1)).state == State.OFFERED
    assert at.does("use-late", at.p(1)) == "Blue Dart's AWB AWB2 is being cancelled."
    at.hears(Cancelled(), turn=at.p(2))
    assert at.states == [State.OFFERED, State.CANCELLED]
    assert at.does("use-late", at.p(1)) == ""


def test_a_given_up_awb_that_was_picked_up_stops_everything_until_a_person_keeps_it(machine: Machine) -> None:
    at = unlabelled(machine)
    at.does("give-up-awb", at.p(1))
    at.hears(PickedUp())
    assert (at.states, at.status, at.concerns) == (
        [State.PICKED_UP],
        Status.NEEDS_ATTENTION,
        [(Concern.PICKED_UP, 1)],
    )
    assert ("schedule", "") not in at.offers
    assert at.does("use-late", at.p(1)) == ""
    assert (at.p(1).state, at.p(1).due_at) == (State.FETCHING, at.now)


def test_what_may_be_on_the_boxes_is_not_given_up(machine: Machine) -> None:
    at = labelled(machine)
    assert at.does("give-up-awb", at.p(1)) == "Delhivery's label is here, under AWB AWB1."
    at.does("dispatch")
    assert at.does("give-up-awb", at.p(1)) == "The shipment is with the courier."


def miscounted(machine: Machine) -> Desk:
    at = labelled(machine)
    at.changes(turns=tuple(replace(t, miscount="6 for 5 boxes") if t.priority else t for t in at.progress.turns))
    return at


def test_waybills_that_do_not_fit_the_boxes_are_right_or_given_up(machine: Machine) -> None:
    at = miscounted(machine)
    assert (at.status, at.concerns) == (Status.LABEL_READY, [(Concern.MISCOUNTED, 1)])
    assert at.does("settled", at.p(1)) == ""
    assert (at.status, at.concerns, at.p(1).settled) == (Status.LABEL_READY, [], False)
    assert at.does("give-up-awb", at.p(1)) != ""
    at = miscounted(machine)
    assert at.does("give-up-awb", at.p(1)) == ""
    assert (at.status, at.concerns) == (Status.SCHEDULING, [])
    at.hears(Cancelled())
    assert at.states == [State.CANCELLED, State.ASKING]


def test_waybills_are_not_counted_once_it_has_left(machine: Machine) -> None:
    at = miscounted(machine)
    at.does("dispatch")
    assert at.concerns == []


# --- late labels


def offered(machine: Machine) -> Desk:
    """P1's label of the first run came while P2 waits in the second."""
    at = ranked(machine, P1)
    at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.schedules(P2)
    at.hears(Accepted())
    at.hears(Label("AWB1"), turn=at.p(1, run=1))
    return at


@pytest.mark.parametrize("state", [State.OFFERED, State.CONFLICT])
def test_nothing_is_scheduled_beside_an_awb_that_a_person_has_not_decided_about(machine: Machine, state: State) -> None:
    at = ranked(machine, P1)
    turn = at.hears(Accepted(), *(NotYet() for _ in range(5)))
    at.changes(failed_told=True)
    at.answers(at.calls_for(), Label("AWB1"), foreign_awb=state == State.CONFLICT)
    assert at.states == [state]
    assert ("schedule", "") not in at.offers
    assert at.does("schedule") == (
        "Delhivery's label came late, under AWB AWB1, and is to be used or cancelled. "
        "Nobody else is asked before that is settled."
        if state == State.OFFERED
        else "Delhivery gave AWB AWB1, which is already another's. Nobody else is asked before that is settled."
    )
    at.schedules()
    assert at.progress.run == 1
    if state == State.OFFERED:
        at.does("cancel-late", turn)
        at.hears(Cancelled())
    else:
        at.does("settled", turn)
    assert at.does("schedule") == ""


def test_a_late_label_of_an_earlier_run_stops_the_next_turn_of_this_one(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.schedules()
    at.hears(Ranking((P2, P3)))
    at.hears(Accepted(), turn=at.p(1))
    at.hears(Label("AWB1"), turn=lapsed)
    assert at.does("fall-over", at.p(1)) != ""
    at.hears(NO, turn=at.p(1))
    assert at.states == [State.REFUSED]
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.OFFERED, 1)])
    at.does("cancel-late", lapsed)
    at.hears(Cancelled(), turn=lapsed)
    assert at.states == [State.REFUSED, State.ASKING]


def test_a_late_label_that_is_used_takes_the_shipment(machine: Machine) -> None:
    at = offered(machine)
    assert at.does("use-late", at.p(1, run=1)) == ""
    assert (at.p(1, run=1).state, at.states, at.status) == (
        State.FETCHING,
        [State.LAPSED],
        Status.LABEL_REQUESTED,
    )
    at.hears(Label("AWB2"), turn=at.p(1))
    assert at.states == [State.SURPLUS]


def test_a_late_label_that_is_cancelled_leaves_the_open_turn_alone(machine: Machine) -> None:
    at = offered(machine)
    assert at.does("cancel-late", at.p(1, run=1)) == ""
    assert (at.p(1, run=1).state, at.p(1, run=1).due_at) == (State.SURPLUS, at.now)
    assert at.states == [State.WAITING]
    at.hears(Cancelled(), turn=at.p(1, run=1))
    assert at.states == [State.WAITING]


def test_a_late_label_that_is_cancelled_lets_the_next_be_asked(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), *(NotYet() for _ in range(5)))
    at.changes(failed_told=True)
    at.hears(Label("AWB1"))
    assert at.states == [State.OFFERED]
    at.does("cancel-late", at.p(1))
    assert at.states == [State.SURPLUS]
    at.hears(Cancelled())
    assert at.states == [State.CANCELLED, State.ASKING]


@pytest.mark.parametrize("facts", ["has a label", "is cancelled"])
def test_what_was_picked_up_is_not_kept_beside_another_or_for_nothing(machine: Machine, facts: str) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    at.hears(Label("AWB1"), PickedUp(), turn=lapsed)
    if facts == "is cancelled":
        at.cancels()
    assert at.does("use-late", at.p(1)) == (
        "The shipment is cancelled: nothing is booked for it any more."
        if facts == "is cancelled"
        else "Blue Dart's label is here, under AWB AWB2."
    )


# --- seen to


def lapsed_thrice(machine: Machine) -> Desk:
    at = ranked(machine)
    for _ in range(3):
        at.hears(Accepted(), *(NotYet() for _ in range(6)), turn=at.open_turn)
    return at


def test_what_is_settled_leaves_the_list_and_is_watched_on(machine: Machine) -> None:
    at = lapsed_thrice(machine)
    assert at.does("settled", at.p(1)) == ""
    assert (at.concerns, at.status) == ([], Status.FAILED)
    assert [turn.step for turn in at.progress.run_turns[1:]] == [Step.INQUIRE] * 3
    assert at.hears(NotYet(), turn=at.p(2)).settled
    assert at.does("settled", at.p(1)) == "There is nothing to be seen to. Delhivery's turn has ended without a label."


def test_what_is_settled_and_brings_a_label_is_a_persons_again(machine: Machine) -> None:
    at = lapsed_thrice(machine)
    at.does("settled", at.p(1))
    at.hears(Label("AWB1"), turn=at.p(2))
    assert at.states == [State.LAPSED, State.OFFERED, State.LAPSED]
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.OFFERED, 2)])


def test_a_lapsed_turn_while_others_are_asked_is_nothing_to_be_seen_to(machine: Machine) -> None:
    at = ranked(machine)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    assert at.does("settled", lapsed).startswith("There is nothing to be seen to.")


def test_a_refused_cancel_that_is_settled_goes_on_and_what_is_new_is_shown(machine: Machine) -> None:
    at = labelled(machine)
    at.cancels()
    at.hears(refused(350, "too late"))
    at.does("settled", at.p(1))
    assert (at.concerns, at.status, at.p(1).step) == ([], Status.CANCELLING, Step.CANCEL)
    at.hears(NotYet(), refused(350, "too late"))
    assert at.concerns == []
    at.hears(PickedUp())
    assert at.concerns == [(Concern.PICKED_UP, 1)]
    at.does("settled", at.p(1))
    assert (at.concerns, at.status) == ([], Status.CANCELLED)


def test_a_given_up_awb_that_is_settled_asks_nobody_of_itself_but_may_be_scheduled_again(machine: Machine) -> None:
    at = unlabelled(machine)
    at.does("give-up-awb", at.p(1))
    at.hears(refused(350, "too late"))
    at.does("settled", at.p(1))
    assert (at.states, at.status) == ([State.UNCANCELLED], Status.FAILED)
    at.hears(Cancelled())
    assert at.states == [State.CANCELLED]
    assert at.does("schedule") == ""


def test_a_conflict_that_is_settled(machine: Machine) -> None:
    at = ranked(machine)
    at.answers(at.calls_for(), Label("AWB9"), foreign_awb=True)
    assert at.does("settled", at.p(1)) == ""
    assert (at.states, at.concerns, at.status) == ([State.CONFLICT], [], Status.FAILED)
    assert ("schedule", "") in at.offers


def test_scheduled_again_meanwhile_a_settled_awb_lets_the_new_run_begin(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapsed = at.hears(Accepted(), *(NotYet() for _ in range(6)))
    at.schedules()
    ranking = at.calls_for(at.p(0))
    at.does("enter-awb", lapsed, awb="AWB-1001")
    at.does("cancel-late", lapsed)
    at.answers(ranking, Ranking((P2,)))
    assert at.states == []
    at.hears(refused(350, "too late"), turn=lapsed)
    at.does("settled", lapsed)
    assert at.states == [State.ASKING]
