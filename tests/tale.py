"""What happened to one shipment, with the timeline as the store would have written it: to be told and drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bilty.deciding import cancel
from bilty.hearing import claimed
from bilty.reply import Accepted, Busy, Cancelled, Courier, Label, NotYet, PickedUp, Ranking, Reply
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress, hear, schedule
from workflow.desk import GARBAGE, NO, NOON, P1, P2, P3, PAPER, SILENT

COUNTING = (State.UNCLEAR, State.WAITING, State.FETCHING)


@dataclass(frozen=True)
class Happening:
    at: datetime
    run: int | None
    priority: int | None
    courier: str
    reference: str
    state: str
    polls_done: int
    message: str


@dataclass
class Tale:
    progress: Progress = field(default_factory=lambda: Progress("in-1", "BLR", "SO-10017/A", "d1"))
    now: datetime = NOON
    rules: Rules = field(default_factory=Rules)
    happenings: list[Happening] = field(default_factory=list)

    def becomes(self, progress: Progress) -> "Tale":
        """The timeline gets its lines as `bilty.store.progress` writes them."""
        old = {turn.reference: turn for turn in self.progress.turns}
        self.progress = progress
        for turn in progress.turns:
            was = old.get(turn.reference)
            counted = was is not None and turn.state in COUNTING and was.polls_done != turn.polls_done
            if was is None or was.state is not turn.state or counted:
                self.happenings.append(self._happening(turn))
        return self

    def _happening(self, turn: Turn) -> Happening:
        name = turn.courier.name if turn.courier else ""
        return Happening(
            self.now, turn.run, turn.priority, name, turn.reference, turn.state, turn.polls_done, turn.message
        )

    def scheduled(self, courier: Courier | None = None) -> "Tale":
        return self.becomes(schedule(self.progress, self.now, courier))

    def cancelled(self) -> "Tale":
        return self.becomes(cancel(self.progress, self.now))

    def hears(
        self, *replies: Reply, priority: int | None = None, turn: Turn | None = None, after_s: float = 1
    ) -> "Tale":
        """Each reply comes `after_s` after its call; `priority`: to the calls of that courier of the run alone."""
        for reply in replies:
            turn = turn or self._due(priority)
            assert turn.due_at is not None
            assert turn.step is not None
            self.now = max(self.now, turn.due_at)
            out = claimed(turn, self.now)
            turns = tuple(out if each.reference == turn.reference else each for each in self.progress.turns)
            self.progress = replace(self.progress, turns=turns)
            self.waits(seconds=after_s)
            self.becomes(hear(self.progress, out, turn.step, reply, self.now, self.rules))
            turn = None
        return self

    def _due(self, priority: int | None) -> Turn:
        asked = [turn for turn in self.progress.run_turns if priority in (None, turn.priority)]
        return min((turn for turn in asked if turn.due_at), key=lambda turn: turn.due_at or self.now)

    def waits(self, **units: float) -> "Tale":
        self.now += timedelta(**units)
        return self

    def silent(self, length: timedelta, priority: int | None = None) -> "Tale":
        """ClickPost does not answer, however often it is asked."""
        until = self.now + length
        while self.now < until:
            self.hears(SILENT, priority=priority)
        return self


def ranked(*couriers: Courier) -> Tale:
    return Tale().scheduled().hears(Ranking(couriers or (P1, P2, P3)))


def lapsed(tale: Tale, priority: int = 1) -> Tale:
    """Accepted, and not yet for six times."""
    return tale.hears(Accepted(), *[NotYet()] * 6, priority=priority)


def all_lapsed() -> Tale:
    return lapsed(lapsed(lapsed(ranked()), 2), 3)


def waiting() -> Tale:
    return lapsed(ranked()).hears(Accepted(), *[NotYet()] * 3, priority=2).waits(seconds=70)


def two_runs() -> Tale:
    tale = ranked().hears(NO, NO, NO).waits(minutes=9).scheduled(P2)
    return tale.hears(Accepted(), NotYet(), NotYet()).waits(seconds=30)


TALES: dict[str, Callable[[], Tale]] = {
    "asked for the ranking": lambda: Tale().scheduled(),
    "being asked": lambda: ranked().waits(seconds=2),
    "waiting, first of three": lambda: ranked().hears(Accepted(), *[NotYet()] * 3).waits(seconds=70),
    "waiting after a lapse": waiting,
    "waiting after a refusal": lambda: ranked().hears(NO, Accepted(), NotYet()).waits(seconds=100),
    "won at once": lambda: ranked().hears(Label("A1"), PAPER),
    "won at the third poll": lambda: ranked().hears(NO, Accepted(), NotYet(), NotYet(), Label("A1"), PAPER),
    "won at the last minute": lambda: lapsed(lapsed(ranked()), 2).hears(
        Accepted(), *[NotYet()] * 5, Label("A1"), PAPER, priority=3
    ),
    "fetching the label": lambda: (
        ranked().hears(Accepted(), NotYet(), Label("A1"), NotYet(), NotYet()).waits(seconds=4)
    ),
    "refused by three": lambda: ranked().hears(NO, NO, NO),
    "lapsed by three": lambda: all_lapsed().waits(minutes=6),
    "lapsed by three, next day": lambda: all_lapsed().waits(hours=20),
    "unclear": lambda: ranked().hears(GARBAGE, GARBAGE, GARBAGE, GARBAGE).waits(seconds=40),
    "unclear, then accepted": lambda: ranked().hears(GARBAGE, GARBAGE, GARBAGE, NotYet(), NotYet()).waits(seconds=40),
    "undecided": lambda: ranked().hears(*[GARBAGE] * 9).waits(minutes=3),
    "silent for three hours": lambda: ranked().hears(NO, Accepted(), NotYet()).silent(timedelta(hours=3), 2),
    "silent, and back": lambda: (
        ranked()
        .hears(Accepted(), NotYet())
        .silent(timedelta(hours=1), 1)
        .hears(NotYet(), NotYet(), priority=1)
        .waits(seconds=50)
    ),
    "cannot be reached": lambda: ranked().hears(Busy(), Busy(), Busy(), Busy()),
    "late label too many": lambda: (
        lapsed(ranked()).hears(Accepted(), NotYet(), Label("A2"), PAPER, priority=2).hears(Label("A1"), priority=1)
    ),
    "late label cancelled": lambda: (
        lapsed(ranked())
        .hears(Accepted(), NotYet(), Label("A2"), PAPER, priority=2)
        .hears(Label("A1"), Cancelled(), priority=1)
    ),
    "late label the next day, picked up": lambda: (
        lapsed(ranked())
        .hears(Accepted(), NotYet(), Label("A2"), PAPER, priority=2)
        .waits(hours=19)
        .hears(Label("A1"), PickedUp(), priority=1)
    ),
    "late label wins": lambda: (
        lapsed(ranked())
        .hears(Accepted(), NotYet(), NotYet(), NotYet(), NotYet(), priority=2)
        .hears(Label("A1"), PAPER, priority=1)
    ),
    "cancelled with its label": lambda: (
        ranked().hears(Label("A1"), PAPER).waits(minutes=30).cancelled().hears(Cancelled())
    ),
    "cancelled while waiting": lambda: ranked().hears(Accepted(), NotYet()).cancelled().waits(seconds=20),
    "two runs": two_runs,
    "one courier": lambda: Tale().scheduled(P1).hears(Accepted(), NotYet()).waits(seconds=30),
    "nobody serves the lane": lambda: Tale().scheduled().hears(Ranking(())),
    "ranking unanswered": lambda: Tale().scheduled().hears(SILENT, SILENT, SILENT, SILENT),
    "across midnight": lambda: (
        lapsed(Tale().waits(hours=6, minutes=25).scheduled().hears(Ranking((P1, P2, P3))))
        .hears(Accepted(), NotYet(), priority=2)
        .waits(seconds=30)
    ),
}
"""What a shipment may have been through, by its name."""
