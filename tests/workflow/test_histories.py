"""Histories that nobody thought of: any reply to any call, in any order, at any time, with crashes between.

Unlike the walk's, this ClickPost may lie, and the clock runs; so it says less of the world and more of the times.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bilty.concerns import concerns
from bilty.deciding import ActKind, possible
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
    Refused,
    Reply,
    Unclear,
    Unknown,
)
from bilty.turn import Kind, State, Step, Turn
from bilty.workflow import Status
from workflow.desk import P1, P2, P3, PAPER, Call, desk
from workflow.machine import real

TROUBLE: tuple[Reply, ...] = (
    *(Refused(refusal, 319, "no") for refusal in Refusal),
    Unclear("nothing came", silent=True),
    Unclear("<html>"),
    Unclear("404", undocumented=True),
    Busy(),
    Busy(retry_after_s=4000.5),
    Denied("wrong key"),
)
LABELS = (Label("A"), Label("B", "https://label"), Label("C"))
REPLIES: dict[Step, tuple[Reply, ...]] = {
    Step.RANK: (Ranking((P1, P2, P3)), Ranking((P1, P1, P2)), Ranking(()), *TROUBLE),
    Step.ASK: (*LABELS, Accepted("soon"), *TROUBLE),
    Step.INQUIRE: (*LABELS, NotYet("soon"), NotYet("soon"), Unknown("who?"), *TROUBLE),
    Step.FETCH_LABEL: (PAPER, NotYet(), Unknown(), *TROUBLE),
    Step.CANCEL: (Cancelled(), PickedUp(), NotYet(), Unknown(), *TROUBLE),
    Step.RETURN: (Cancelled(), NotYet(), Unknown(), *TROUBLE),
}
"""What `bilty.aggregator` lets each call come back with."""
SAID: dict[ActKind, dict[str, Any]] = {
    ActKind.ENTER_AWB: {"awb": "ENTERED-1"},
    ActKind.USE_PAPER: {"sha256": "5ha", "pages": 1},
}
WEEK = timedelta(days=7)
VERSIONS_MAX = 3


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.at = desk(real())
        self.out: list[Call] = []
        self.labels: list[str] = []

    @initialize(polls_max=strategies.integers(1, 6), stops=strategies.booleans())
    def opens(self, polls_max: int, *, stops: bool) -> None:
        self.at.rules = replace(self.at.rules, polls_max=polls_max, stop_on_faulty_data=stops)
        self.at.schedules()

    @rule(courier=strategies.sampled_from([None, P1, P3]))
    def schedules(self, courier: Courier | None) -> None:
        self.at.schedules(courier)

    @precondition(lambda self: self.at.progress.run > 1 or self.at.now.minute > 30)
    @rule()
    def cancels(self) -> None:
        self.at.cancels()

    @precondition(lambda self: self.at.progress.version < VERSIONS_MAX)
    @rule(schedule=strategies.booleans(), held=strategies.integers(0, 4))
    def changes(self, *, schedule: bool, held: int) -> None:
        self.at.amends(schedule=schedule, hold="held" if held == 0 else "", out=self.out)

    @precondition(lambda self: self.at.progress.hold)
    @rule()
    def is_held_no_more(self) -> None:
        self.at.is_held("")

    @precondition(lambda self: self.at.status == Status.LABEL_READY)
    @rule()
    def dispatches(self) -> None:
        assert self.at.does("dispatch") == ""

    @rule(data=strategies.data())
    def polls_now(self, data: strategies.DataObject) -> None:
        if self.at.progress.turns:
            self.at.polls_now(data.draw(strategies.sampled_from(self.at.progress.turns)))

    @rule(data=strategies.data())
    def decides(self, data: strategies.DataObject) -> None:
        """Any button about a turn; an AWB that is entered may be another turn's, and is then refused."""
        out = frozenset(call.reference for call in self.out)
        offers = [offer for offer in possible(self.at.progress, call_out=out) if offer.reference and not offer.wait]
        if not offers:
            return
        offer = data.draw(strategies.sampled_from(offers))
        said = SAID.get(offer.kind, {})
        refused = self.at.does(offer.kind, self.at.find(offer.reference), **said)
        assert not refused or offer.kind is ActKind.ENTER_AWB

    @rule(seconds=strategies.sampled_from([1, 60, 4000, 90_000, 700_000]))
    def waits(self, seconds: int) -> None:
        self.at.waits(seconds=seconds)

    @precondition(lambda self: self.claimable())
    @rule(data=strategies.data())
    def calls(self, data: strategies.DataObject) -> None:
        self.out.append(self.at.calls_for(data.draw(strategies.sampled_from(self.claimable()))))

    @precondition(lambda self: self.out)
    @rule(data=strategies.data(), foreign=strategies.integers(0, 9))
    def answers(self, data: strategies.DataObject, foreign: int) -> None:
        call = data.draw(strategies.sampled_from(self.out))
        self.out.remove(call)
        self._answers(call, data.draw(strategies.sampled_from(REPLIES[call.step])), foreign_awb=foreign == 0)

    @precondition(lambda self: self.claimable())
    @rule(data=strategies.data(), times=strategies.integers(1, 9))
    def calls_and_hears(self, data: strategies.DataObject, times: int) -> None:
        """The same again and again: most windows end so."""
        turn = data.draw(strategies.sampled_from(self.claimable()))
        reply = data.draw(strategies.sampled_from(REPLIES[self.at.turn(turn).step or Step.RANK]))
        for _ in range(times):
            now = self.at.turn(turn)
            if now in self.claimable() and now.step == turn.step:
                self._answers(self.at.calls_for(now), reply, foreign_awb=False)

    @precondition(lambda self: self.out)
    @rule(data=strategies.data())
    def dies_over_a_call(self, data: strategies.DataObject) -> None:
        self.out.remove(data.draw(strategies.sampled_from(self.out)))

    def claimable(self) -> list[Turn]:
        out = {call.reference for call in self.out}
        return [turn for turn in self.at.progress.turns if turn.due_at and turn.reference not in out]

    def _answers(self, call: Call, reply: Reply, *, foreign_awb: bool) -> None:
        ready = self.at.status == Status.LABEL_READY and self.at.progress.holder
        before = self.at.progress
        after = self.at.answers(call, reply, foreign_awb=foreign_awb)
        if ready:
            assert self.at.progress.holder == ready
        if self.at.progress != before and after.due_at:
            assert after.due_at >= self.at.now

    @invariant()
    def one_turn_is_open_or_has_the_shipment(self) -> None:
        kinds = [turn.kind for turn in self.at.progress.turns]
        assert sum(kind in (Kind.OPEN, Kind.HOLDS) for kind in kinds) <= 1

    @invariant()
    def no_awb_is_two_turns_own(self) -> None:
        awbs = [t.awb for t in self.at.progress.turns if t.awb and t.state != State.CONFLICT]
        assert len(awbs) == len(set(awbs))

    @invariant()
    def a_step_is_due_and_only_a_step(self) -> None:
        for turn in self.at.progress.turns:
            if turn.state == State.OFFERED and turn.entered:
                assert turn.due_at is None
            elif turn.state == State.LAPSED and turn.due_at is None:
                assert turn.lapsed_at is not None
                assert self.at.now - turn.lapsed_at >= WEEK
            else:
                assert (turn.due_at is None) == (turn.step is None)

    @invariant()
    def references_are_distinct_and_ascending_in_runs(self) -> None:
        turns = self.at.progress.turns
        assert len({turn.reference for turn in turns}) == len(turns)
        assert [(t.run, t.priority) for t in turns] == sorted((t.run, t.priority) for t in turns)

    @invariant()
    def status_is_shown_with_its_reason(self) -> None:
        if self.at.status == Status.NEEDS_ATTENTION:
            assert self.at.concerns
        if self.at.progress.cancel_asked:
            assert self.at.status in (Status.CANCELLING, Status.CANCELLED, Status.NEEDS_ATTENTION)
            assert not any(turn.step == Step.ASK for turn in self.at.progress.turns)

    @invariant()
    def what_is_carried_is_what_is_to_be_sent(self) -> None:
        progress = self.at.progress
        assert all(turn.version == progress.version for turn in progress.turns if turn.kind == Kind.HOLDS)
        assert not (progress.outdated and progress.run_turns)
        if progress.dispatched:
            assert progress.holder
            assert progress.holder.step in (None, Step.RETURN)

    @invariant()
    def what_follows_of_itself_has_followed(self) -> None:
        assert self.at.machine.go_on(self.at.progress, self.at.now) == self.at.progress

    @invariant()
    def whoever_must_decide_has_a_button(self) -> None:
        offers = possible(self.at.progress)
        offered = {offer.reference for offer in offers}
        again = any(offer.kind is ActKind.SCHEDULE for offer in offers)
        for _, turn in concerns(self.at.progress):
            assert turn.reference in offered or (turn.state == State.STOPPED and again)

    @invariant()
    def counts_stay_in_their_bounds(self) -> None:
        for turn in self.at.progress.turns:
            assert 0 <= turn.asks <= 2
            assert turn.state != State.WAITING or turn.polls_done < self.at.rules.polls_max
            assert turn.asked_at is not None or turn.asks == 0 or turn.courier is None


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
