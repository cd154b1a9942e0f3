"""What the workflow promises, rule by rule, as `docs/workflow.md` tells it. Minutes count from noon.

Each test takes the machine it is about, so that `test_mutations` can put a broken one in its place.
"""

import string
from dataclasses import replace
from datetime import timedelta

import pytest

from bilty.concerns import Concern
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Courier,
    Denied,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refusal,
    Reply,
    Unclear,
    Unknown,
)
from bilty.turn import Kind, State, Step
from bilty.workflow import Status
from workflow.desk import (
    GARBAGE,
    NO,
    NOON,
    P1,
    P2,
    P3,
    PAPER,
    SILENT,
    Call,
    Desk,
    desk,
    dispatched,
    labelled,
    ranked,
    refused,
)
from workflow.machine import Machine

SIX = range(6)


def lapses(at: Desk) -> None:
    """The open turn is accepted and never decided: six polls, and the next courier's turn begins."""
    at.hears(Accepted(), *(NotYet() for _ in SIX), turn=at.open_turn)


def lapsed_then_asked(machine: Machine) -> tuple[Desk, Call]:
    """P1 lapsed; P2's asking is out."""
    at = ranked(machine)
    lapses(at)
    return at, at.calls_for(at.p(2))


def undecided(machine: Machine) -> Desk:
    at = ranked(machine)
    at.hears(*(GARBAGE for _ in range(9)))
    return at


# --- the brief's course


def test_a_label_wins_at_once(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(Label("AWB1", "https://label"))
    assert (turn.state, turn.awb, turn.label_url) == (State.FETCHING, "AWB1", "https://label")
    turn = at.hears(PAPER)
    assert (at.status, turn.label_sha256, turn.due_at) == (Status.LABEL_READY, "5ha", None)
    assert [(step, p) for _, step, p in at.calls] == [(Step.RANK, 0), (Step.ASK, 1), (Step.FETCH_LABEL, 1)]


def test_accepted_is_polled_every_two_minutes_six_times_and_then_the_next_courier_is_asked(machine: Machine) -> None:
    at = ranked(machine)
    for p in (1, 2, 3):
        began = (at.now - NOON) / timedelta(minutes=1)
        turn = at.hears(Accepted(), turn=at.open_turn)
        assert (at.status, turn.priority) == (Status.LABEL_REQUESTED, p)
        assert at.machine.window_ends_at(turn, at.rules) == NOON + timedelta(minutes=began + 12)
        for _ in SIX:
            turn = at.hears(NotYet(), turn=turn)
        assert [m - began for m, _, q in at.calls if q == p] == [0, 2, 4, 6, 8, 10, 12]
        assert turn.state == State.LAPSED
    assert at.called(Step.ASK) == [0, 12, 24]
    assert len({turn.reference for turn in at.progress.turns}) == 4
    assert at.status == Status.NEEDS_ATTENTION
    assert at.concerns == [(Concern.NO_LABEL, 1), (Concern.NO_LABEL, 2), (Concern.NO_LABEL, 3)]


@pytest.mark.parametrize("late_s", [0, 1, 50])
def test_a_poll_that_is_made_late_does_not_lengthen_the_window(machine: Machine, late_s: int) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted())
    for _ in range(5):
        call = at.calls_for()
        at.waits(seconds=late_s)
        turn = at.answers(call, NotYet())
    assert turn.due_at == NOON + timedelta(minutes=12)


def test_a_desk_that_was_down_goes_on_from_now_and_does_not_poll_in_a_burst(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted())
    at.waits(hours=5)
    turn = at.hears(NotYet())
    assert (turn.polls_done, turn.due_at) == (1, at.now + timedelta(minutes=2))


def test_three_refusals_are_failed_with_each_couriers_own_last_words(machine: Machine) -> None:
    at = ranked(machine)
    words = [(319, "not serviceable there"), (302, "account inactive"), (420, "creation failed")]
    for code, message in words:
        at.hears(refused(code, message))
    assert at.status == Status.FAILED
    assert [(turn.code, turn.message) for turn in at.progress.run_turns[1:]] == words
    assert at.concerns == []
    assert [turn.due_at for turn in at.progress.turns] == [None] * 4


def test_last_words_and_their_code_are_of_one_answer(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(SILENT, refused(301, "wrong key", Refusal.ACCOUNT), Unknown("no such reference"))
    assert (at.p(1).code, at.p(1).message) == (0, "no such reference")


def test_a_second_courier_gets_the_shipment_when_the_first_refuses_at_a_poll(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), NO, Label("AWB2"), PAPER)
    assert (at.status, at.states) == (Status.LABEL_READY, [State.REFUSED, State.WON])
    assert at.called(Step.ASK) == [0, 2]


# --- 1. written before it is said; references


def test_a_claim_is_written_down_as_unclear_before_a_byte_leaves(machine: Machine) -> None:
    at = ranked(machine)
    at.calls_for()
    turn = at.p(1)
    assert (turn.state, turn.asks, turn.asked_at) == (State.UNCLEAR, 1, NOON)
    assert at.status == Status.SCHEDULING


def test_a_crash_while_asking_is_followed_by_an_inquiry_never_by_asking(machine: Machine) -> None:
    at = ranked(machine)
    at.calls_for()  # and the process dies
    assert at.calls_for().step == Step.INQUIRE


@pytest.mark.parametrize(
    ("step", "opening"),
    [
        (Step.INQUIRE, [Accepted()]),
        (Step.FETCH_LABEL, [Label("AWB1")]),
    ],
)
def test_a_crash_during_any_other_call_is_followed_by_the_same_call(
    machine: Machine, step: Step, opening: list[Reply]
) -> None:
    at = ranked(machine)
    before = at.hears(*opening)
    at.calls_for()
    assert at.turn(before) == before
    assert at.calls_for().step == step


NUMBERS = ["A", "SO-10017/A", "ऑर्डर १२", "123456789012345", "a b\tc", ""]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_reference_is_at_most_20_plain_characters_and_the_same_again(machine: Machine, number: str) -> None:
    progress = machine.progress(installation="i", facility="f", number=number, digest="d")
    name = machine.reference(progress, 1, P1)
    assert len(name) <= 20
    assert set(name) <= set(string.ascii_letters + string.digits + "-")
    assert name == machine.reference(progress, 1, P1)


def test_a_reference_does_not_change_from_release_to_release(machine: Machine) -> None:
    progress = desk(machine).progress
    assert machine.reference(progress, 1, P1) == "SO-10017-TP7KBHR4FLK"


def test_references_are_of_one_installation_shipment_version_run_and_courier(machine: Machine) -> None:
    one = machine.progress(installation="i", facility="f", number="SO-10017", digest="d")
    others = [replace(one, installation="x"), replace(one, facility="x"), replace(one, number="x")]
    names = [
        machine.reference(progress, run, courier)
        for progress in (one, replace(one, version=2), *others)
        for run in (1, 2, 11)
        for courier in (None, P1, P2, P3, Courier(0, "", "nobody's number"))
    ]
    assert len(set(names)) == len(names)


def test_one_reference_a_turn_whatever_happens_to_it(machine: Machine) -> None:
    at = ranked(machine)
    name = at.p(1).reference
    at.hears(Busy(), SILENT, Unknown(), Unknown(), SILENT, NotYet(), NotYet(), Label("AWB1"))
    assert [turn.reference for turn in at.progress.turns if turn.priority] == [name]


# --- 2. unclear is not refused


@pytest.mark.parametrize("unclear", [SILENT, GARBAGE, Unclear("404", undocumented=True)])
def test_unclear_is_asked_about_soon_and_then_in_the_rhythm(machine: Machine, unclear: Unclear) -> None:
    at = ranked(machine)
    at.hears(unclear)
    at.hears(*(GARBAGE for _ in range(8)))
    assert at.called(Step.INQUIRE) == [0.5, 1, 2, 4, 6, 8, 10, 12]
    assert at.called(Step.ASK) == [0]


def test_while_it_is_asked_about_it_is_scheduling(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(SILENT)
    assert (at.status, at.concerns, at.open_priorities) == (Status.SCHEDULING, [], [1])


def test_no_verdict_by_the_end_of_the_window_is_for_a_person_never_for_the_next_courier(machine: Machine) -> None:
    at = undecided(machine)
    assert (at.states, at.status) == ([State.UNDECIDED], Status.NEEDS_ATTENTION)
    assert at.concerns == [(Concern.UNDECIDED, 1)]
    at.hears(*(GARBAGE for _ in range(50)), SILENT, Busy())
    assert at.states == [State.UNDECIDED]
    assert at.p(1).due_at == at.now + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("verdict", "states"),
    [
        (Label("AWB1"), [State.FETCHING]),
        (NotYet(), [State.WAITING]),
        (NO, [State.REFUSED, State.ASKING]),
        (Unknown(), [State.UNDECIDED]),
    ],
)
@pytest.mark.parametrize("opening", ["unclear", "undecided"])
def test_an_inquiry_decides_it(machine: Machine, opening: str, verdict: Reply, states: list[State]) -> None:
    at = undecided(machine) if opening == "undecided" else ranked(machine)
    at.hears(SILENT) if opening == "unclear" else None
    at.hears(verdict)
    assert at.states == ([State.UNCLEAR] if states == [State.UNDECIDED] and opening == "unclear" else states)


@pytest.mark.parametrize("opening", ["unclear", "undecided", "crash"])
def test_unknown_twice_is_asked_once_more_under_the_same_reference_and_then_refused(
    machine: Machine, opening: str
) -> None:
    at = undecided(machine) if opening == "undecided" else ranked(machine)
    if opening == "unclear":
        at.hears(SILENT)
    if opening == "crash":
        at.calls_for()
    name = at.p(1).reference
    assert at.hears(Unknown()).state != State.ASKING
    assert at.hears(Unknown()).state == State.ASKING
    assert (at.p(1).due_at, at.p(1).reference, at.states) == (at.now, name, [State.ASKING])
    assert at.hears(SILENT).state == State.UNCLEAR
    assert at.hears(Unknown()).state == State.UNCLEAR
    assert at.hears(Unknown()).state == State.REFUSED
    assert at.states == [State.REFUSED, State.ASKING]
    assert len([1 for _, step, p in at.calls if (step, p) == (Step.ASK, 1)]) == 2


def test_unknown_needs_not_be_heard_twice_in_a_row(machine: Machine) -> None:
    at = ranked(machine)
    assert at.hears(SILENT, Unknown(), GARBAGE, SILENT, Unknown()).state == State.ASKING


@pytest.mark.parametrize("opening", [Accepted(), SILENT])
def test_unknown_after_an_acceptance_is_only_not_yet(machine: Machine, opening: Reply) -> None:
    at = ranked(machine)
    at.hears(opening, NotYet())
    turn = at.hears(Unknown(), Unknown(), Unknown())
    assert (turn.state, at.open_priorities) == (State.WAITING, [1])


@pytest.mark.parametrize(
    ("nothing_sent", "waits_s"),
    [
        ([Busy()] * 9, [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        ([Denied()] * 3, [1, 2, 4]),
        ([Busy(retry_after_s=7), Busy(retry_after_s=300), Busy(retry_after_s=0.5)], [7, 300, 4]),
    ],
)
def test_nothing_sent_is_the_same_turn_again(machine: Machine, nothing_sent: list[Reply], waits_s: list[int]) -> None:
    at = ranked(machine)
    name = at.p(1).reference
    for reply, wait_s in zip(nothing_sent, waits_s, strict=True):
        turn = at.hears(reply)
        assert (turn.state, turn.reference, turn.asks, turn.asked_at) == (State.ASKING, name, 0, None)
        assert turn.due_at == at.now + timedelta(seconds=wait_s)
    assert at.status == Status.SCHEDULING
    assert at.calls_for().step == Step.ASK


def test_nothing_sent_the_second_time_does_not_unsay_the_first(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(SILENT, Unknown(), Unknown(), Busy())
    assert (turn.state, turn.asks) == (State.ASKING, 1)
    assert turn.asked_at is not None


# --- 3. only an answer counts as a poll


@pytest.mark.parametrize("silence", [SILENT, Busy(), Denied(), GARBAGE, refused(301, "who?", Refusal.ACCOUNT)])
def test_a_host_that_is_silent_for_an_hour_lapses_nothing_and_the_polls_go_on_counting(
    machine: Machine, silence: Reply
) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted(), NotYet(), NotYet())
    for _ in range(65):
        turn = at.hears(silence)
        assert (turn.state, turn.polls_done, at.open_priorities) == (State.WAITING, 2, [1])
    assert at.now > NOON + timedelta(hours=1)
    assert at.status == Status.LABEL_REQUESTED
    assert at.concerns == []
    at.hears(NotYet(), NotYet(), NotYet())
    assert at.open_priorities == [1]
    at.hears(NotYet())
    assert at.open_priorities == [2]


@pytest.mark.parametrize("opening", [[], [SILENT], [Label("AWB1")], [*(GARBAGE for _ in range(9))]])
def test_a_silent_host_moves_no_turn(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine)
    if opening:
        at.hears(*opening)
    else:
        at.calls_for()
    before = at.p(1)
    at.hears(*(SILENT for _ in range(30)))
    assert [before.state] == at.states or before.state == State.UNCLEAR == at.states[0]
    assert at.open_priorities in ([1], [])


def test_a_host_that_is_silent_during_inquiries_uses_up_nothing(machine: Machine) -> None:
    at = ranked(machine)
    polls = at.hears(SILENT).polls_done
    turn = at.hears(*(SILENT for _ in range(100)))
    assert (turn.state, turn.polls_done) == (State.UNCLEAR, polls)


def test_silence_is_repeated_with_back_off(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted(), *(SILENT for _ in range(9)))
    gaps_s = [round((b - a) * 60) for a, b in zip(at.called(Step.INQUIRE), at.called(Step.INQUIRE)[1:], strict=False)]
    assert gaps_s == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    "opening",
    [
        [Accepted()],
        [Accepted(), *(NotYet() for _ in SIX)],
        [*(GARBAGE for _ in range(9))],
        [Label("AWB1")],
    ],
)
def test_retry_after_is_honoured_wherever_it_is_heard(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine, P1)
    turn = at.hears(*opening, Busy(retry_after_s=3600))
    assert turn.due_at == at.now + timedelta(hours=1)


@pytest.mark.parametrize("answer", [NotYet(), SILENT])
def test_poll_now_uses_up_no_poll_and_the_rhythm_stays(machine: Machine, answer: Reply) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted(), NotYet())
    at.waits(seconds=30)
    at.polls_now(turn)
    at.polls_now(at.turn(turn))
    assert at.turn(turn).due_at == at.now
    assert machine.window_ends_at(at.turn(turn), at.rules) == machine.window_ends_at(turn, at.rules)
    turn = at.hears(answer) if answer == NotYet() else at.hears(answer, NotYet())
    assert (turn.polls_done, turn.due_at, turn.planned_due) == (1, NOON + timedelta(minutes=4), None)


def test_poll_now_never_ends_the_window(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.hears(Accepted(), *(NotYet() for _ in range(5)))
    at.polls_now(turn)
    assert at.hears(NotYet()).state == State.WAITING
    assert at.hears(NotYet()).state == State.LAPSED


def test_poll_now_hears_a_verdict_like_any_poll(machine: Machine) -> None:
    at = ranked(machine)
    at.polls_now(at.hears(Accepted()))
    assert at.hears(Label("AWB1")).state == State.FETCHING


def test_poll_now_is_for_a_turn_that_waits(machine: Machine) -> None:
    for at in (ranked(machine), labelled(machine), undecided(machine)):
        once = at.progress
        assert at.does("poll-now", at.p(1))
        assert at.progress == once


# --- 4. lapsed is not over


def test_a_lapsed_turn_is_watched_every_ten_minutes_for_a_day_then_daily_for_a_week_then_listed(
    machine: Machine,
) -> None:
    at = ranked(machine, P1)
    lapses(at)
    lapsed_at = at.now
    seen, turn = [], at.p(1)
    for _ in range(150):
        turn = at.hears(NotYet())
        seen.append(at.now - lapsed_at)
    assert seen[:144] == [timedelta(minutes=10 * n) for n in range(1, 145)]
    assert seen[144:] == [timedelta(days=n) for n in range(2, 8)]
    assert (turn.state, turn.due_at, at.status) == (State.LAPSED, None, Status.NEEDS_ATTENTION)
    assert {step for _, step, _ in at.calls} == {Step.RANK, Step.ASK, Step.INQUIRE}


@pytest.mark.parametrize("answer", [NotYet(), Unknown(), SILENT, GARBAGE, Busy(), refused(301, "", Refusal.ACCOUNT)])
def test_a_lapsed_turn_stays_watched(machine: Machine, answer: Reply) -> None:
    at = ranked(machine, P1)
    lapses(at)
    turn = at.hears(answer)
    assert (turn.state, turn.due_at) == (State.LAPSED, at.now + timedelta(minutes=10))


def test_a_late_no_makes_it_definite(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    at.hears(NO)
    assert at.status == Status.FAILED


def test_a_late_label_wins_by_itself_and_the_open_turn_lapses_in_its_stead(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Accepted(), turn=at.p(2))
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.states == [State.FETCHING, State.LAPSED]
    assert (at.p(2).lapsed_at, at.p(2).due_at) == (at.now, at.now + timedelta(minutes=10))
    at.hears(PAPER, turn=at.p(1))
    assert at.status == Status.LABEL_READY
    assert at.concerns == []


def test_a_turn_that_was_not_asked_yet_is_withdrawn_instead(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Label("AWB1"), turn=at.p(1))
    assert (at.states, at.p(2).due_at) == ([State.FETCHING, State.WITHDRAWN], None)


def offered(machine: Machine, *couriers: Courier) -> Desk:
    """P1's label came after the order system was told that it failed."""
    at = ranked(machine, *(couriers or (P1,)))
    at.hears(Accepted())
    at.changes(failed_told=True)
    at.hears(Label("AWB1"))
    return at


def test_a_late_label_is_offered_if_failed_was_told(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    at.changes(failed_told=True)
    turn = at.hears(Label("AWB1"))
    assert (turn.state, turn.awb) == (State.OFFERED, "AWB1")
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.OFFERED, 1)])


def test_a_late_label_that_nobody_uses_is_cancelled_after_half_an_hour(machine: Machine) -> None:
    at = offered(machine)
    assert at.p(1).due_at == at.now + timedelta(minutes=30)
    cancelling = at.calls_for()
    assert cancelling.step == Step.CANCEL
    assert at.p(1).state == State.SURPLUS
    assert at.does("use-late", at.p(1)) == "Delhivery's AWB AWB1 is being cancelled."
    assert at.answers(cancelling, Cancelled()).state == State.CANCELLED
    assert (at.status, at.concerns) == (Status.FAILED, [])


def test_how_long_a_late_label_stands_is_a_setting(machine: Machine) -> None:
    at = ranked(machine, P1)
    at.rules = replace(at.rules, late_label_wait=timedelta(minutes=45))
    at.hears(Accepted())
    at.changes(failed_told=True)
    assert at.hears(Label("AWB1")).due_at == at.now + timedelta(minutes=45)


@pytest.mark.parametrize("answer", [SILENT, Busy(), refused(350, "too late"), PickedUp()])
def test_a_late_label_whose_time_is_over_is_not_offered_again(machine: Machine, answer: Reply) -> None:
    at = offered(machine)
    assert at.hears(answer).state in {State.SURPLUS, State.UNCANCELLED, State.PICKED_UP}


def test_a_late_label_that_was_cancelled_unused_lets_the_next_courier_be_asked(machine: Machine) -> None:
    at = offered(machine, P1, P2)
    assert at.states == [State.OFFERED]
    at.hears(Cancelled())
    assert at.states == [State.CANCELLED, State.ASKING]


def test_a_late_label_of_an_earlier_run_is_offered(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    at.schedules(P2)
    turn = at.hears(Label("AWB1"), turn=at.p(1, run=1))
    assert (turn.state, at.states) == (State.OFFERED, [State.ASKING])
    assert at.concerns == [(Concern.OFFERED, 1)]


def test_an_offered_label_is_surplus_once_another_is_there(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    at.schedules(P2)
    offered = at.hears(Label("AWB1"), turn=at.p(1, run=1))
    at.hears(Label("AWB2"), turn=at.p(1))
    assert (at.turn(offered).state, at.turn(offered).due_at) == (State.SURPLUS, at.now)


def test_an_offered_label_keeps_the_next_courier_from_being_asked(machine: Machine) -> None:
    at = offered(machine, P1, P2)
    assert at.states == [State.OFFERED]


def test_a_late_label_of_a_labelled_shipment_is_surplus_and_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    turn = at.hears(Label("AWB1"), turn=at.p(1))
    assert (turn.state, turn.due_at) == (State.SURPLUS, at.now)
    assert at.hears(Cancelled()).state == State.CANCELLED
    assert (at.status, at.p(2).awb, at.concerns) == (Status.LABEL_READY, "AWB2", [])


# --- replies that come after the turn stepped aside


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Label("AWB2"), State.SURPLUS),
        (Accepted(), State.LAPSED),
        (SILENT, State.LAPSED),
        (GARBAGE, State.LAPSED),
        (NO, State.REFUSED),
        (refused(301, "", Refusal.ACCOUNT), State.REFUSED),
        (Busy(), State.WITHDRAWN),
        (Denied(), State.WITHDRAWN),
    ],
)
def test_an_asking_that_is_out_when_a_late_label_wins(machine: Machine, reply: Reply, state: State) -> None:
    at, asking = lapsed_then_asked(machine)
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.p(2).state == State.LAPSED
    turn = at.answers(asking, reply)
    assert turn.state == state
    assert at.states == [State.FETCHING, state]
    assert at.p(1).awb == "AWB1"


def test_a_second_asking_that_is_out_and_never_left_stays_watched(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(SILENT, Unknown(), Unknown(), turn=at.p(2))
    asking = at.calls_for(at.p(2))
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.answers(asking, Busy()).state == State.LAPSED


def test_a_reply_to_a_step_that_is_no_longer_owed_changes_nothing(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"))
    fetching = at.calls_for()
    at.cancels()
    before = at.progress
    at.answers(fetching, PAPER)
    assert at.progress == before


# --- 5. never cancelled blindly; a label is never replaced


@pytest.mark.parametrize("answer", [SILENT, GARBAGE, Busy(), Denied(), NotYet()])
def test_cancelling_goes_on_until_the_courier_says_it_is_cancelled(machine: Machine, answer: Reply) -> None:
    at = labelled(machine)
    at.cancels()
    turn = at.hears(answer, answer, answer)
    assert (turn.state, at.status) == (State.SURPLUS, Status.CANCELLING)
    assert turn.due_at is not None
    assert at.hears(Cancelled()).state == State.CANCELLED
    assert at.status == Status.CANCELLED


@pytest.mark.parametrize("answer", [refused(350, "too late"), Unknown()])
def test_a_refused_cancel_is_shown_and_tried_again(machine: Machine, answer: Reply) -> None:
    at = labelled(machine)
    at.cancels()
    turn = at.hears(answer)
    assert (turn.state, at.concerns) == (State.UNCANCELLED, [(Concern.UNCANCELLED, 1)])
    assert (turn.step, turn.due_at) == (Step.CANCEL, at.now + timedelta(minutes=10))
    assert at.status == Status.CANCELLING
    assert (at.hears(SILENT).message, at.p(1).code) == (turn.message, turn.code)
    assert at.hears(answer, NotYet(), Cancelled()).state == State.CANCELLED
    assert (at.status, at.concerns) == (Status.CANCELLED, [])


@pytest.mark.parametrize("before", [[], [refused(350, "")], [NotYet()]])
def test_what_is_picked_up_is_shown_and_never_cancelled(machine: Machine, before: list[Reply]) -> None:
    at = labelled(machine)
    at.cancels()
    turn = at.hears(*before, PickedUp())
    assert (turn.state, turn.step, turn.due_at) == (State.PICKED_UP, None, None)
    assert at.concerns == [(Concern.PICKED_UP, 1)]


@pytest.mark.parametrize("winner", [State.FETCHING, State.WON])
def test_the_winners_awb_from_another_turn_is_a_conflict_never_surplus(machine: Machine, winner: State) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Label("AWB"), *([PAPER] if winner == State.WON else []), turn=at.p(2))
    turn = at.hears(Label("AWB"), turn=at.p(1))
    assert (turn.state, turn.step, at.p(2).state) == (State.CONFLICT, None, winner)
    assert (Concern.CONFLICT, 1) in at.concerns


def test_another_shipments_awb_is_a_conflict_and_nobody_else_is_asked(machine: Machine) -> None:
    at = ranked(machine)
    turn = at.answers(at.calls_for(), Label("AWB9"), foreign_awb=True)
    assert (turn.state, at.states, at.status) == (State.CONFLICT, [State.CONFLICT], Status.NEEDS_ATTENTION)


def test_another_shipments_awb_is_a_conflict_though_the_shipment_is_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted())
    at.cancels()
    assert at.answers(at.calls_for(), Label("AWB9"), foreign_awb=True).state == State.CONFLICT


def test_the_same_awb_from_the_same_turn_is_no_conflict(machine: Machine) -> None:
    at = ranked(machine)
    at.calls_for()  # booked, and the process dies before it hears
    assert at.hears(Label("AWB1")).state == State.FETCHING


# --- 6. an AWB without its label


@pytest.mark.parametrize("answer", [NotYet(), GARBAGE, NO, Unknown()])
def test_a_label_is_fetched_soon_then_in_the_rhythm_then_a_person_decides(machine: Machine, answer: Reply) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"))
    turn = at.hears(*(answer for _ in range(9)))
    gaps_s = [
        round((b - a) * 60)
        for a, b in zip([0, *at.called(Step.FETCH_LABEL)], at.called(Step.FETCH_LABEL), strict=False)
    ]
    assert gaps_s == [0, 1, 5, 20, 120, 120, 120, 120, 120]
    assert (turn.state, at.status) == (State.UNLABELLED, Status.NEEDS_ATTENTION)
    assert at.concerns == [(Concern.UNLABELLED, 1)]
    at.hears(answer, SILENT, *(answer for _ in range(50)))
    assert at.states == [State.UNLABELLED]
    assert at.p(1).due_at == at.now + timedelta(minutes=10)
    at.hears(PAPER)
    assert at.status == Status.LABEL_READY


# --- 7. any immediate error goes to the next, but for our own account


@pytest.mark.parametrize("refusal", [Refusal.COURIER, Refusal.COURIER_ACCOUNT, Refusal.DATA])
@pytest.mark.parametrize("opening", [[], [SILENT], [Accepted()]])
def test_a_refusal_goes_to_the_next_courier_at_once(machine: Machine, opening: list[Reply], refusal: Refusal) -> None:
    at = ranked(machine)
    at.hears(*opening, refused(311, "no", refusal))
    assert (at.states, at.p(2).due_at) == ([State.REFUSED, State.ASKING], at.now)
    assert at.p(1).reference != at.p(2).reference


def test_a_refusal_of_our_own_account_stops_this_shipment_and_nobody_else_is_asked(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(refused(301, "username", Refusal.ACCOUNT))
    assert (at.states, at.status) == ([State.STOPPED], Status.NEEDS_ATTENTION)
    assert at.concerns == [(Concern.STOPPED, 1)]


@pytest.mark.parametrize("opening", [[], [SILENT]])
def test_a_setting_stops_on_faulty_data_too(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine, stop_on_faulty_data=True)
    at.hears(*opening, refused(311, "pincode", Refusal.DATA))
    assert (at.states, at.concerns) == ([State.STOPPED], [(Concern.STOPPED, 1)])


def test_the_setting_stops_on_nothing_else(machine: Machine) -> None:
    at = ranked(machine, stop_on_faulty_data=True)
    at.hears(refused(319, "no"))
    assert at.states == [State.REFUSED, State.ASKING]


def test_an_inquiry_that_our_account_may_not_make_says_nothing_of_the_booking(machine: Machine) -> None:
    at = ranked(machine)
    assert at.hears(SILENT, refused(301, "", Refusal.ACCOUNT)).state == State.UNCLEAR
    assert at.hears(NotYet(), refused(301, "", Refusal.ACCOUNT)).state == State.WAITING


def test_a_stopped_turn_concerns_nobody_once_the_shipment_has_a_label_or_is_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(refused(301, "", Refusal.ACCOUNT), turn=at.p(2))
    assert at.concerns == [(Concern.STOPPED, 2)]
    at.hears(Label("AWB1"), turn=at.p(1))
    assert at.concerns == []
    at.cancels()
    assert at.concerns == []


# --- 8. failed is a definite no of every turn


def test_failed_is_not_said_while_one_may_still_come(machine: Machine) -> None:
    at = ranked(machine, P1, P2)
    lapses(at)
    at.hears(NO, turn=at.p(2))
    assert (at.states, at.status) == ([State.LAPSED, State.REFUSED], Status.NEEDS_ATTENTION)
    assert at.concerns == [(Concern.NO_LABEL, 1)]


@pytest.mark.parametrize(("late", "concern"), [(NotYet(), Concern.NO_LABEL), (Label("AWB1"), Concern.OFFERED)])
def test_failed_is_not_said_while_one_of_an_earlier_run_may_still_come(
    machine: Machine, late: Reply, concern: Concern
) -> None:
    at = ranked(machine, P1)
    lapses(at)
    at.schedules(P2)
    at.hears(NO, turn=at.p(1))
    at.hears(late, turn=at.p(1, run=1))
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(concern, 1)])


def test_an_earlier_run_that_ended_in_definite_noes_does_not_matter(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    at.hears(Ranking(()))
    at.schedules(P1)
    at.hears(refused(301, "", Refusal.ACCOUNT))
    at.schedules(P2)
    at.hears(NO)
    assert (at.status, at.concerns) == (Status.FAILED, [])


# --- 10. priorities


def test_couriers_are_asked_in_clickposts_order_the_first_three_each_once(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    again = Courier(P2.cp_id, P2.account_code, "Blue Dart, ranked twice")
    at.hears(Ranking((P2, again, P1, P2, P3, Courier(99, "", "fourth"))))
    assert at.progress.couriers == (P2, P1, P3)
    at.hears(NO, NO, NO)
    assert [turn.courier for turn in at.progress.run_turns[1:]] == [P2, P1, P3]


def test_one_carrier_under_two_accounts_is_two_couriers(machine: Machine) -> None:
    at = ranked(machine, P1, P3)
    at.hears(NO)
    assert at.p(2).courier == P3


def test_nobody_serves_the_lane(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    at.hears(Ranking(()))
    assert (at.status, at.open_priorities, at.concerns) == (Status.NOT_SERVICEABLE, [], [])


@pytest.mark.parametrize("answer", [SILENT, GARBAGE, Busy(), Denied()])
def test_ranking_waits_while_clickpost_is_down(machine: Machine, answer: Reply) -> None:
    at = desk(machine)
    at.schedules()
    for wait_s in (1, 2, 4, 8, 16, 32, 60, 60):
        turn = at.hears(answer)
        assert (turn.state, turn.due_at) == (State.RANKING, at.now + timedelta(seconds=wait_s))
    assert at.status == Status.SCHEDULING
    at.hears(Ranking((P1,)))
    assert at.states == [State.ASKING]


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refused_ranking_is_for_a_person(machine: Machine, refusal: Refusal) -> None:
    at = desk(machine)
    at.schedules()
    at.hears(refused(400, "no", refusal))
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.STOPPED, 0)])


def test_schedule_twice_is_once(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    once = at.progress
    at.schedules()
    at.schedules(P2)
    assert at.progress == once
    at.hears(Ranking((P1,)))
    for reply in (SILENT, NotYet(), Label("AWB1"), PAPER):
        once = at.progress
        at.schedules()
        assert at.progress == once
        at.hears(reply)
    once = at.progress
    at.schedules()
    assert at.progress == once


def test_schedule_again_is_a_new_run_with_new_references_ranked_anew(machine: Machine) -> None:
    at = ranked(machine, P1)
    at.hears(NO)
    at.schedules()
    assert (at.progress.run, at.status, at.open_priorities) == (2, Status.SCHEDULING, [0])
    at.hears(Ranking((P1, P2)))
    assert at.p(1).courier == P1
    assert at.p(1).reference != at.p(1, run=1).reference
    at.hears(Label("AWB1"), PAPER)
    assert at.status == Status.LABEL_READY


def test_schedule_again_may_name_one_courier(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(NO, NO, NO)
    at.schedules(P3)
    assert [(turn.priority, turn.courier) for turn in at.progress.run_turns] == [(0, None), (1, P3)]
    assert at.calls_for().step == Step.ASK
    at.hears(NO)
    assert at.status == Status.FAILED


def test_a_new_run_wins_by_itself_though_failed_was_told_of_the_old_one(machine: Machine) -> None:
    at = ranked(machine, P1)
    at.hears(NO)
    at.changes(failed_told=True)
    at.schedules()
    assert not at.progress.failed_told
    at.hears(Ranking((P1,)), Label("AWB1"), PAPER)
    assert at.status == Status.LABEL_READY


# --- cancelling by a person


def test_cancel_before_it_is_scheduled(machine: Machine) -> None:
    at = desk(machine)
    at.cancels()
    assert at.status == Status.CANCELLED
    at.schedules()
    assert at.progress.turns == ()


def test_cancel_while_nothing_was_said_yet(machine: Machine) -> None:
    for at in (desk(machine), ranked(machine)):
        at.schedules()
        at.cancels()
        assert at.status == Status.CANCELLED
        assert [turn.due_at for turn in at.progress.turns] == [None] * len(at.progress.turns)


def test_cancel_while_the_ranking_is_out(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    ranking = at.calls_for()
    at.cancels()
    at.answers(ranking, Ranking((P1,)))
    assert (at.states, at.status) == ([], Status.CANCELLED)


@pytest.mark.parametrize("opening", [[SILENT], [Accepted()], [Accepted(), *(NotYet() for _ in SIX)]])
def test_an_awb_that_comes_after_the_cancel_is_cancelled(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine, P1)
    at.hears(*opening)
    at.cancels()
    turn = at.hears(Label("AWB1"))
    assert (turn.state, at.status) == (State.SURPLUS, Status.CANCELLING)
    at.hears(Cancelled())
    assert at.status == Status.CANCELLED


def test_cancel_while_it_waits_goes_on_polling_and_asks_nobody_else(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted())
    at.cancels()
    assert at.status == Status.CANCELLING
    at.hears(*(NotYet() for _ in SIX))
    assert (at.states, at.status) == ([State.LAPSED], Status.CANCELLED)
    assert at.p(1).due_at is not None


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Busy(), State.WITHDRAWN),
        (Label("AWB1"), State.SURPLUS),
        (Accepted(), State.WAITING),
        (SILENT, State.UNCLEAR),
        (NO, State.REFUSED),
    ],
)
def test_cancel_while_the_asking_is_out(machine: Machine, reply: Reply, state: State) -> None:
    at = ranked(machine)
    asking = at.calls_for()
    at.cancels()
    assert at.status == Status.CANCELLING
    assert at.answers(asking, reply).state == state
    assert at.states == [state]


def test_nothing_is_asked_again_once_it_is_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(SILENT)
    at.cancels()
    at.hears(Unknown(), Unknown())
    assert (at.states, at.status) == ([State.REFUSED], Status.CANCELLED)


@pytest.mark.parametrize("meanwhile", ["before", "while the second asking is out"])
def test_a_turn_that_was_to_be_asked_once_more_is_watched_instead(machine: Machine, meanwhile: str) -> None:
    at = ranked(machine)
    at.hears(SILENT, Unknown(), Unknown())
    if meanwhile == "before":
        at.cancels()
    else:
        asking = at.calls_for()
        at.cancels()
        at.answers(asking, Busy())
    assert (at.states, at.p(1).step) == ([State.LAPSED], Step.INQUIRE)
    assert at.hears(Label("AWB1")).state == State.SURPLUS


@pytest.mark.parametrize("holds", [[], [PAPER], [*(NotYet() for _ in range(9))]])
def test_cancel_of_a_booked_shipment_cancels_its_awb(machine: Machine, holds: list[Reply]) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"), *holds)
    at.cancels()
    assert (at.p(1).state, at.p(1).due_at, at.status) == (State.SURPLUS, at.now, Status.CANCELLING)
    once = at.progress
    at.cancels()
    assert at.progress == once


def test_cancel_of_an_offered_label_cancels_it(machine: Machine) -> None:
    at = offered(machine)
    at.cancels()
    assert at.p(1).due_at == at.now
    assert at.hears(Cancelled()).state == State.CANCELLED


def test_what_has_left_the_house_is_not_cancelled(machine: Machine) -> None:
    at = dispatched(machine)
    once = at.progress
    at.cancels()
    assert at.progress == once


def test_a_cancelled_shipment_is_not_booked_as_it_would_have_been(machine: Machine) -> None:
    at = labelled(machine)
    at.amends()
    at.cancels()
    at.hears(Cancelled())
    assert (at.status, at.progress.run, at.progress.schedule_asked) == (Status.CANCELLED, 1, False)


# --- 13. a shipment may change


def test_before_anybody_was_asked_it_is_changed_in_place(machine: Machine) -> None:
    at = desk(machine)
    assert at.amends(hold="no e-way bill") == ""
    assert (at.progress.version, at.progress.digest) == (1, "d1, changed")
    assert (at.status, at.progress.turns) == (Status.ON_HOLD, ())
    assert at.amends() == ""
    assert (at.status, at.progress.run) == (Status.CREATED, 0)


@pytest.mark.parametrize("holds", [[], [PAPER], [*(NotYet() for _ in range(9))]])
def test_a_change_gives_up_the_awb_and_books_anew_once_that_is_void(machine: Machine, holds: list[Reply]) -> None:
    at = ranked(machine)
    at.hears(Label("AWB1"), *holds)
    old = at.p(1)
    assert at.amends() == ""
    assert (at.progress.version, at.progress.run, at.states) == (2, 1, [])
    assert (at.turn(old).state, at.turn(old).due_at, at.status) == (State.SURPLUS, at.now, Status.SCHEDULING)
    at.hears(NotYet())
    assert at.progress.run == 1
    at.hears(Cancelled())
    assert (at.progress.run, at.open_priorities, at.status) == (2, [0], Status.SCHEDULING)
    at.hears(Ranking((P1,)), Label("AWB2"), PAPER)
    assert (at.status, at.p(1).awb, at.p(1).version) == (Status.LABEL_READY, "AWB2", 2)
    assert at.p(1).reference != old.reference


def test_a_change_before_a_byte_left_books_anew_at_once(machine: Machine) -> None:
    for at in (desk(machine), ranked(machine)):
        at.schedules()
        asked = at.open_turn
        assert at.amends() == ""
        assert at.turn(asked).state == State.WITHDRAWN
        assert (at.progress.run, at.open_priorities, at.status) == (2, [0], Status.SCHEDULING)


@pytest.mark.parametrize("schedule", [True, False])
def test_whether_what_is_changed_is_booked_a_person_says(machine: Machine, *, schedule: bool) -> None:
    at = ranked(machine, P1)
    at.hears(NO)
    assert at.status == Status.FAILED
    at.amends(schedule=schedule)
    assert at.status == (Status.SCHEDULING if schedule else Status.CREATED)
    assert at.concerns == []
    at.schedules()
    assert at.progress.run == 2


@pytest.mark.parametrize("opening", [[SILENT], [Accepted()], [Accepted(), *(NotYet() for _ in SIX)]])
def test_an_awb_for_what_the_shipment_was_is_cancelled_and_the_new_one_waits_for_that(
    machine: Machine, opening: list[Reply]
) -> None:
    at = ranked(machine, P1)
    at.hears(*opening)
    old = at.p(1)
    at.amends()
    assert (at.progress.run, at.open_priorities) == (1, [] if len(opening) > 2 else [1])
    at.schedules()
    assert at.progress.run == 1
    assert at.hears(Label("AWB1"), turn=old).state == State.SURPLUS
    assert (at.status, at.progress.run) == (Status.SCHEDULING, 1)
    at.hears(Cancelled())
    assert (at.progress.run, at.open_priorities) == (2, [0])


@pytest.mark.parametrize("no", [NO, refused(311, "pincode", Refusal.DATA)])
def test_a_no_to_what_the_shipment_was_books_it_as_it_is(machine: Machine, no: Reply) -> None:
    at = ranked(machine)
    at.hears(SILENT)
    at.amends()
    assert at.status == Status.SCHEDULING
    at.hears(no)
    assert (at.progress.run, at.open_priorities, at.concerns) == (2, [0], [])


@pytest.mark.parametrize(("opening", "state"), [([], State.WITHDRAWN), ([SILENT, Unknown(), Unknown()], State.LAPSED)])
def test_what_never_left_and_is_heard_of_late_is_not_asked_for_what_the_shipment_was(
    machine: Machine, opening: list[Reply], state: State
) -> None:
    at = ranked(machine)
    if opening:
        at.hears(*opening)
    asking = at.calls_for()
    old = at.p(1)
    at.waits(minutes=5)
    assert at.amends() == ""  # nobody waits any more for an answer that takes so long
    at.answers(asking, Busy())
    assert (at.turn(old).state, at.progress.run) == (state, 1 if opening else 2)


def test_what_the_shipment_was_is_asked_about_and_never_for_again(machine: Machine) -> None:
    at = ranked(machine)
    old = at.hears(SILENT)
    at.amends()
    at.hears(Unknown(), Unknown())
    assert (at.turn(old).state, at.progress.run) == (State.REFUSED, 2)
    assert at.called(Step.ASK) == [0.0]


def test_what_the_shipment_was_and_is_to_be_asked_once_more_is_watched_instead(machine: Machine) -> None:
    at = ranked(machine)
    old = at.hears(SILENT, Unknown(), Unknown())
    assert at.open_turn.state == State.ASKING
    at.amends()
    assert (at.turn(old).state, at.progress.run, at.concerns) == (State.LAPSED, 1, [(Concern.OUTDATED, 1)])


def test_a_turn_that_lapsed_keeps_what_is_changed_from_being_booked(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    first, second = at.p(1), at.p(2)
    at.amends()
    assert at.concerns == [(Concern.OUTDATED, 1)]
    at.hears(Cancelled(), turn=second)
    assert (at.status, at.progress.run) == (Status.NEEDS_ATTENTION, 1)
    at.hears(NO, turn=first)
    assert (at.status, at.progress.run, at.concerns) == (Status.SCHEDULING, 2, [])


def test_the_window_of_what_the_shipment_was_runs_out_and_nobody_else_is_asked(machine: Machine) -> None:
    at = ranked(machine)
    at.hears(Accepted())
    at.amends()
    assert at.status == Status.SCHEDULING
    at.hears(*(NotYet() for _ in SIX))
    assert [turn.state for turn in at.progress.turns] == [State.RANKED, State.LAPSED]
    assert (at.status, at.concerns) == (Status.NEEDS_ATTENTION, [(Concern.OUTDATED, 1)])


def test_a_late_label_on_offer_is_cancelled_when_the_shipment_is_changed(machine: Machine) -> None:
    at = offered(machine)
    old = at.p(1)
    at.amends()
    assert (at.turn(old).state, at.turn(old).due_at) == (State.SURPLUS, at.now)
    assert at.status == Status.SCHEDULING


def test_it_is_changed_again_before_the_old_is_void(machine: Machine) -> None:
    at = labelled(machine)
    at.amends(schedule=False)
    at.amends()
    assert (at.progress.version, at.progress.run) == (3, 1)
    at.hears(Cancelled())
    assert (at.progress.run, at.open_turn.version) == (2, 3)


def test_what_is_changed_is_booked_once(machine: Machine) -> None:
    at = labelled(machine)
    at.amends()
    at.hears(Cancelled(), Ranking((P1,)), NO)
    assert (at.status, at.progress.run) == (Status.FAILED, 2)


def test_a_change_takes_the_place_of_the_one_before_it(machine: Machine) -> None:
    at = labelled(machine)
    at.amends()
    at.amends(schedule=False)
    at.hears(Cancelled())
    assert (at.status, at.progress.run) == (Status.CREATED, 1)


def test_what_is_changed_and_held_is_booked_when_it_is_held_no_more(machine: Machine) -> None:
    at = labelled(machine)
    at.amends(hold="no e-way bill")
    at.hears(Cancelled())
    assert (at.status, at.progress.run) == (Status.ON_HOLD, 1)
    at.is_held("")
    assert (at.status, at.progress.run, at.progress.schedule_asked) == (Status.SCHEDULING, 2, False)


def test_what_nobody_asked_for_is_not_booked_because_it_is_held_no_more(machine: Machine) -> None:
    at = _on_hold(machine)
    at.is_held("")
    assert (at.status, at.progress.run) == (Status.CREATED, 0)


def test_an_old_awb_that_is_being_cancelled_does_not_make_a_new_label_late(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    old = at.p(1)
    at.amends()
    at.does("settled", old)
    at.hears(Ranking((P1, P2)), turn=at.p(0))
    at.hears(Label("AWB1"), refused(350, "too late"), turn=old)
    at.hears(Label("AWB2"), PAPER, turn=at.p(1))
    assert (at.status, at.p(1).awb) == (Status.LABEL_READY, "AWB2")


def test_an_old_awb_that_is_being_cancelled_keeps_the_next_courier_from_being_asked(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    old = at.p(1)
    at.amends()
    at.does("settled", old)
    at.hears(Ranking((P1, P2)), turn=at.p(0))
    at.hears(Label("AWB1"), turn=old)
    at.hears(NO, turn=at.p(1))
    assert (at.states, at.status) == ([State.REFUSED], Status.SCHEDULING)
    at.hears(Cancelled(), turn=old)
    assert at.states == [State.REFUSED, State.ASKING]


@pytest.mark.parametrize("opening", [[], [SILENT], [Accepted()], [Label("AWB1")]])
def test_a_change_waits_for_the_answer_that_is_under_way(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine)
    if opening:
        at.hears(*opening)
    call = at.calls_for()
    once = at.progress
    assert at.amends(out=[call]) == (
        "ClickPost is being asked about Delhivery's booking right now; its answer comes within two minutes."
    )
    assert at.progress == once
    assert at.amends() == ""


def test_a_change_waits_for_the_ranking_that_is_under_way(machine: Machine) -> None:
    at = desk(machine)
    at.schedules()
    assert at.amends(out=[at.calls_for()]).startswith("ClickPost is being asked which couriers serve the lane")


def test_a_change_does_not_wait_for_what_ends_the_same_whatever_is_answered(machine: Machine) -> None:
    at = ranked(machine, P1)
    lapses(at)
    watching = at.calls_for()
    assert at.amends(out=[watching]) == ""
    assert at.answers(watching, Label("AWB1")).state == State.SURPLUS
    cancelling = at.calls_for()
    assert at.amends(out=[cancelling]) == ""
    at.answers(cancelling, Cancelled())
    assert (at.progress.version, at.progress.run) == (3, 2)


def test_what_is_cancelled_or_on_the_truck_is_not_changed(machine: Machine) -> None:
    at = labelled(machine)
    at.cancels()
    assert at.amends() == "The shipment is cancelled: nothing is booked for it any more."
    at = dispatched(machine)
    once = at.progress
    assert at.amends() == "The shipment is with the courier. What it is cannot be changed any more."
    assert at.progress == once


# --- on the truck, and back


@pytest.mark.parametrize("opening", [[], [SILENT], [Accepted()], [Label("AWB1")], [NO, NO, NO]])
def test_without_a_label_no_courier_can_have_taken_it(machine: Machine, opening: list[Reply]) -> None:
    at = ranked(machine)
    if opening:
        at.hears(*opening)
    assert at.does("dispatch") == "It has no label yet: no courier can have taken it."


def test_what_is_dispatched_keeps_its_label_and_what_comes_late_is_cancelled(machine: Machine) -> None:
    at = ranked(machine)
    lapses(at)
    at.hears(Label("AWB2"), PAPER, turn=at.p(2))
    assert at.does("dispatch") == ""
    assert (at.status, at.concerns) == (Status.DISPATCHED, [])
    assert at.hears(Label("AWB1"), turn=at.p(1)).state == State.SURPLUS
    assert (at.p(2).state, at.status) == (State.WON, Status.DISPATCHED)
    at.hears(refused(350, "too late"), turn=at.p(1))
    assert at.concerns == [(Concern.UNCANCELLED, 1)]


def test_a_return_is_ordered_until_the_courier_has_said_yes(machine: Machine) -> None:
    at = dispatched(machine)
    assert at.does("order-return", at.p(1)) == ""
    assert (at.p(1).state, at.p(1).due_at, at.status) == (State.RETURNING, at.now, Status.DISPATCHED)
    turn = at.hears(SILENT)
    assert (turn.state, turn.due_at) == (State.RETURNING, at.now + timedelta(seconds=1))
    turn = at.hears(NotYet())
    assert (turn.state, turn.due_at) == (State.RETURNING, at.now + timedelta(minutes=2))
    turn = at.hears(Cancelled())
    assert (turn.state, turn.awb, turn.due_at, at.status) == (State.RETURNED, "AWB1", None, Status.DISPATCHED)
    assert [step for _, step, _ in at.calls[-3:]] == [Step.RETURN] * 3


@pytest.mark.parametrize("answer", [refused(350, "not with us"), Unknown()])
def test_a_return_that_is_refused_is_shown_and_may_be_ordered_again(machine: Machine, answer: Reply) -> None:
    at = dispatched(machine)
    at.does("order-return", at.p(1))
    turn = at.hears(answer)
    assert (turn.state, turn.due_at, at.concerns) == (State.UNRETURNED, None, [(Concern.UNRETURNED, 1)])
    assert at.does("settled", turn) == ""
    assert (at.concerns, at.status) == ([], Status.DISPATCHED)
    assert at.does("order-return", turn) == ""
    assert at.hears(answer).settled is False
    assert at.concerns == [(Concern.UNRETURNED, 1)]


# --- 15. status


def _created(machine: Machine) -> Desk:
    return desk(machine)


def _on_hold(machine: Machine) -> Desk:
    at = desk(machine)
    at.changes(hold="no e-way bill")
    at.schedules()
    return at


def _waiting(machine: Machine) -> Desk:
    at = ranked(machine)
    at.hears(Accepted())
    return at


def _fetching(machine: Machine) -> Desk:
    at = ranked(machine)
    at.hears(Label("AWB1"))
    return at


def _not_serviceable(machine: Machine) -> Desk:
    at = desk(machine)
    at.schedules()
    at.hears(Ranking(()))
    return at


def _failed(machine: Machine) -> Desk:
    at = ranked(machine, P1)
    at.hears(NO)
    return at


def _cancelling(machine: Machine) -> Desk:
    at = labelled(machine)
    at.cancels()
    return at


def _cancelled(machine: Machine) -> Desk:
    at = _cancelling(machine)
    at.hears(Cancelled())
    return at


@pytest.mark.parametrize(
    ("opening", "status"),
    [
        (_created, Status.CREATED),
        (_on_hold, Status.ON_HOLD),
        (ranked, Status.SCHEDULING),
        (_waiting, Status.LABEL_REQUESTED),
        (_fetching, Status.LABEL_REQUESTED),
        (labelled, Status.LABEL_READY),
        (undecided, Status.NEEDS_ATTENTION),
        (_not_serviceable, Status.NOT_SERVICEABLE),
        (_failed, Status.FAILED),
        (_cancelling, Status.CANCELLING),
        (_cancelled, Status.CANCELLED),
        (dispatched, Status.DISPATCHED),
    ],
)
def test_each_status(machine: Machine, opening: object, status: Status) -> None:
    assert callable(opening)
    at = opening(machine)
    assert at.status == status
    assert (at.status == Status.NEEDS_ATTENTION) <= bool(at.concerns)


def test_a_held_shipment_is_scheduled_once_it_is_released(machine: Machine) -> None:
    at = _on_hold(machine)
    assert at.progress.turns == ()
    at.changes(hold="")
    at.schedules()
    assert at.status == Status.SCHEDULING


def test_every_state_has_a_kind_and_owes_a_step_only_if_it_can_be_answered(machine: Machine) -> None:
    assert set(machine.traits) == set(State)
    for state, (kind, step) in machine.traits.items():
        claim_moves_it = state in (State.ASKING, State.OFFERED)  # to UNCLEAR, and to SURPLUS
        assert (step is not None) == (state in machine.table or claim_moves_it)
        assert kind in set(Kind)
