"""One shipment at a desk whose clock is set by hand: the words in which the specification is written."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bilty.concerns import Concern
from bilty.reply import Courier, Label, Paper, Ranking, Refusal, Refused, Reply, Unclear
from bilty.turn import Kind, Rules, State, Step, Turn
from bilty.workflow import Progress, Status
from workflow.machine import Machine

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
P1, P2, P3 = (Courier(4, "main", "Delhivery"), Courier(5, "main", "Blue Dart"), Courier(4, "heavy", "Delhivery Heavy"))
SILENT = Unclear("nothing came", silent=True)
GARBAGE = Unclear("<html>")
PAPER = Paper("5ha", 1)
NO = Refused(Refusal.COURIER, 319, "no")


def refused(code: int, message: str, refusal: Refusal = Refusal.COURIER) -> Refused:
    return Refused(refusal, code, message)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is out: answered later, or never."""

    reference: str
    step: Step


@dataclass(slots=True)
class Desk:
    """`calls` says what was called for and when: (minutes since noon, step, priority)."""

    machine: Machine
    rules: Rules
    progress: Progress
    now: datetime
    calls: list[tuple[float, Step, int]]

    # --- what a person does

    def schedules(self, courier: Courier | None = None) -> None:
        self.progress = self.machine.schedule(self.progress, self.now, courier)

    def cancels(self) -> None:
        self.progress = self.machine.cancel(self.progress, self.now)

    def amends(self, *, schedule: bool = True, hold: str = "", out: Collection[Call] = ()) -> str:
        """What is to be sent is changed: the reason where that is refused, blank where it is done."""
        digest = f"{self.progress.digest}, changed"
        references = frozenset(call.reference for call in out)
        after = self.machine.amend(self.progress, digest, hold, self.now, schedule=schedule, call_out=references)
        return self._becomes(after)

    def is_held(self, why: str) -> None:
        self.progress = self.machine.hold_is(self.progress, why, self.now)

    def polls_now(self, turn: Turn) -> None:
        self.does("poll-now", turn)

    def does(self, kind: str, turn: Turn | None = None, *, call_out: bool = False, **with_: Any) -> str:
        """A person's act, about `turn` or the shipment: the reason where it is refused, blank where it is done."""
        about = {"reference": turn.reference} if turn else {}
        act = self.machine.acts[kind](**about, **with_)
        out = frozenset(about.values() if call_out else ())
        return self._becomes(self.machine.decide(self.progress, act, self.now, self.rules, call_out=out))

    @property
    def offers(self) -> set[tuple[str, str]]:
        """(kind, reference) of each act that has a button."""
        return {(offer.kind, offer.reference) for offer in self.machine.possible(self.progress)}

    def changes(self, **facts: Any) -> None:
        self.progress = replace(self.progress, **facts)

    # --- what the dispatcher does

    def waits(self, **units: float) -> None:
        self.now += timedelta(**units)

    def next_due(self, turn: Turn | None = None) -> Turn:
        """The turn whose call is owed next, or `turn` itself."""
        if turn is not None:
            return self.turn(turn)
        due = [turn for turn in self.progress.turns if turn.due_at]
        return min(due, key=lambda turn: turn.due_at or self.now)

    def calls_for(self, turn: Turn | None = None) -> Call:
        """Claims the next turn that is due (or `turn`), as soon as it is due: the call is out."""
        turn = self.next_due(turn)
        assert turn.step is not None
        assert turn.due_at is not None
        self.now = max(self.now, turn.due_at)
        self.calls.append(((self.now - NOON) / timedelta(minutes=1), turn.step, turn.priority))
        self._put(self.machine.claimed(turn, self.now))
        return Call(turn.reference, turn.step)

    def answers(self, call: Call, reply: Reply, *, foreign_awb: bool = False) -> Turn:
        """The call comes back; the turn it was for, as it is then."""
        turn = self.find(call.reference)
        self.progress = self.machine.hear(
            self.progress, turn, call.step, reply, self.now, self.rules, foreign_awb=foreign_awb
        )
        return self.find(call.reference)

    def hears(self, *replies: Reply, turn: Turn | None = None) -> Turn:
        """Each of `replies` in turn, to the call that is due next (or to `turn`'s)."""
        heard = None
        for reply in replies:
            heard = self.answers(self.calls_for(turn), reply)
        assert heard is not None
        return heard

    # --- what is seen

    @property
    def status(self) -> Status:
        return self.machine.status(self.progress)

    @property
    def concerns(self) -> list[tuple[Concern, int]]:
        return [(concern, turn.priority) for concern, turn in self.machine.concerns(self.progress)]

    @property
    def states(self) -> list[State]:
        """Of the present run, from P1."""
        return [turn.state for turn in self.progress.run_turns if turn.priority]

    @property
    def open_turn(self) -> Turn:
        assert self.progress.open_turn is not None
        return self.progress.open_turn

    def turn(self, turn: Turn) -> Turn:
        """`turn` as it is now."""
        return self.find(turn.reference)

    def p(self, priority: int, run: int | None = None) -> Turn:
        run = run or self.progress.run
        return next(t for t in self.progress.turns if (t.run, t.priority) == (run, priority))

    @property
    def open_priorities(self) -> list[int]:
        return [turn.priority for turn in self.progress.turns if turn.kind == Kind.OPEN]

    def called(self, step: Step) -> list[float]:
        """The minutes since noon at which `step` was called for."""
        return [minute for minute, made, _ in self.calls if made == step]

    def find(self, reference: str) -> Turn:
        return next(turn for turn in self.progress.turns if turn.reference == reference)

    def _becomes(self, after: Any) -> str:
        if isinstance(after, self.machine.progress):
            self.progress = after
            return ""
        return str(after.reason)

    def _put(self, turn: Turn) -> None:
        turns = tuple(turn if turn.reference == other.reference else other for other in self.progress.turns)
        self.progress = replace(self.progress, turns=turns)


def desk(machine: Machine, *, stop_on_faulty_data: bool = False) -> Desk:
    """A shipment just taken in, at noon."""
    progress = machine.progress(installation="in-1", facility="BLR", number="SO-10017/A", digest="d1")
    return Desk(machine, machine.rules(stop_on_faulty_data=stop_on_faulty_data), progress, NOON, [])


def ranked(machine: Machine, *couriers: Courier, stop_on_faulty_data: bool = False) -> Desk:
    """Scheduled and ranked: P1 is to be asked."""
    at = desk(machine, stop_on_faulty_data=stop_on_faulty_data)
    at.schedules()
    at.hears(Ranking(couriers or (P1, P2, P3)))
    return at


def labelled(machine: Machine, awb: str = "AWB1") -> Desk:
    """P1 has the shipment and its label."""
    at = ranked(machine)
    at.hears(Label(awb), PAPER)
    return at


def dispatched(machine: Machine) -> Desk:
    """P1 has the boxes on its truck."""
    at = labelled(machine)
    assert at.does("dispatch") == ""
    return at
