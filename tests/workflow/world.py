"""A small world to walk: one shipment, the truth at ClickPost about each reference, and the calls that are out.

A `Scene` is everything that decides what may happen next, with times and words taken out; `moves` says what may. The
ClickPost here is hostile but not a liar: every answer is consistent with its truth, or is silence, garbage, "busy" or
"wrong key"; once for each reference it says "unknown" of something that it has. WORKING covers what is booked and not
told yet. Any number of turns step while a call is out, and the process may die over any call.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain

from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Courier,
    Label,
    NotYet,
    Paper,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Reply,
    Unclear,
    Unknown,
)
from bilty.turn import Kind, Rules, State, Step, Turn
from bilty.workflow import Progress, Status
from workflow.machine import Machine

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEKS_LATER = NOW + timedelta(days=15)
"""A lapsed turn's week is over. No other decision depends on how late it is."""
SILENT, GARBAGE = Unclear("", silent=True), Unclear("")
NOTHING_HEARD: tuple[Reply, ...] = (SILENT, GARBAGE, Busy())
"""`Denied` is read as `Busy` is; the specification says so."""
NOTHING_HEARD_TERSE = {
    Step.RANK: (SILENT,),
    Step.ASK: (SILENT, Busy()),
    Step.INQUIRE: (SILENT, GARBAGE),
    Step.FETCH_LABEL: (SILENT,),
    Step.CANCEL: (SILENT,),
    Step.RETURN: (SILENT,),
}
NO = Refused(Refusal.COURIER, 319)
NOT_WE = Refused(Refusal.ACCOUNT, 301)
FAULTY = Refused(Refusal.DATA, 311)
COUNTING = {State.UNCLEAR, State.WAITING, State.FETCHING}
"""Where the number of polls decides something."""
FORGETFUL = {Kind.OVER, Kind.EXTRA, Kind.HOLDS}
MAY_BE_TAKEN_BACK = {State.FETCHING, State.UNLABELLED, State.OFFERED}
CHANGES = (("and books", True, ""), ("only", False, ""), ("for later", True, "held"))
"""Whether it is then scheduled, and why not."""
COURIERS = (Courier(1, "a", ""), Courier(1, "b", ""), Courier(2, "a", ""))


class Truth(StrEnum):
    """What ClickPost has under a reference."""

    NOTHING = "nothing"
    WORKING = "working"  # or booked, and never told
    BOOKED = "booked"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    PICKED_UP = "picked up"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Side:
    """The other side of a turn. `out` is the step whose call is out; `doubted`: "unknown" was said in error."""

    truth: Truth = Truth.NOTHING
    doubted: bool = False
    out: Step | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """`sides` are those of `progress.turns`, in order."""

    progress: Progress
    sides: tuple[Side, ...] = ()

    @property
    def key(self) -> Hashable:
        progress = self.progress
        turns = tuple(
            (
                *(t.reference, t.state, t.due_at is None, t.asks, t.unknowns, t.polls_done, t.planned_due is None),
                *(t.awb, t.settled, t.entered, t.entered and t.lapsed_at is None),
            )
            for t in progress.turns
        )
        asked = progress.schedule_asked, progress.cancel_asked, progress.failed_told, progress.dispatched
        return progress.run, progress.version, progress.hold, *asked, turns, self.sides

    def pairs(self) -> Iterator[tuple[Turn, Side]]:
        return zip(self.progress.turns, self.sides, strict=True)

    @property
    def calls_out(self) -> list[Step]:
        return [side.out for side in self.sides if side.out]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, the truth it leaves behind, and when it comes. `reply` None: the process died over the call."""

    reply: Reply | None
    truth: Truth
    doubted: bool = False
    now: datetime = NOW


@dataclass(frozen=True, slots=True)
class Move:
    """`helps`: the one that a cooperative ClickPost would make here. `claims` is the turn whose call it lets out.

    `decides` is the kind of a person's act, `refused` the reason where it is. `amends`: it changes what is to be sent.
    """

    name: str
    after: Scene
    helps: bool = False
    claims: Turn | None = None
    reply: Reply | None = None
    decides: str = ""
    refused: str = ""
    amends: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """How much may happen: `calls_out` at once; `others_awb` in an answer; `cancels`, `dispatches` and `changes` (so
    many times, with `holds` or without) by a person.

    `decides`: a person also does whatever has a button, at any time; of these kinds where `decides_only` names some.
    `doubts`: "unknown" is said in error. `terse`: of the answers that a step reads alike (the specification says
    which) one is given.
    """

    machine: Machine
    couriers: int = 2
    polls_max: int = 1
    runs: int = 1
    calls_out: int = 2
    others_awb: bool = True
    cancels: bool = True
    changes: int = 0
    holds: bool = False
    dispatches: bool = False
    decides: bool = False
    decides_only: tuple[str, ...] = ()
    stop_on_faulty_data: bool = False
    terse: bool = False
    doubts: bool = True

    def start(self) -> Scene:
        progress = self.machine.progress(installation="i", facility="f", number="S", digest="d")
        return Scene(progress)

    def moves(self, scene: Scene) -> Iterator[Move]:
        return chain(self._answers(scene), self._claims(scene), self._persons(scene))

    # --- what the dispatcher does

    def _claims(self, scene: Scene) -> Iterator[Move]:
        out = len(scene.calls_out)
        if out >= self.calls_out:
            return
        helps = out == 0
        for at, (turn, side) in enumerate(scene.pairs()):
            if turn.due_at is None or turn.step is None or side.out:
                continue
            claimed = replace(side, out=turn.step)
            after = Scene(_put(scene.progress, at, self.machine.claimed(turn, NOW)), _at(scene.sides, at, claimed))
            yield Move(f"claims {turn.step} of {turn.reference}", plain(after, scene), helps, turn)
            helps = False

    def _answers(self, scene: Scene) -> Iterator[Move]:
        helps = True
        for at, (turn, side) in enumerate(scene.pairs()):
            if side.out is None:
                continue
            for answer in self._said(scene, turn, side):
                after = self._heard(scene, at, turn, side, answer)
                name = f"{side.out} of {turn.reference} hears {answer.reply}; {answer.truth}"
                yield Move(name, after, helps, reply=answer.reply)
                helps = False

    def _heard(self, scene: Scene, at: int, turn: Turn, side: Side, answer: Answer) -> Scene:
        assert side.out is not None
        sides = _at(scene.sides, at, Side(answer.truth, answer.doubted or side.doubted))
        if answer.reply is None:
            return Scene(scene.progress, sides)
        foreign = isinstance(answer.reply, Label) and answer.reply.awb == "foreign"
        progress = self.machine.hear(
            scene.progress, turn, side.out, answer.reply, answer.now, self._rules, foreign_awb=foreign
        )
        return plain(Scene(progress, sides), scene)

    # --- what a person does

    def _persons(self, scene: Scene) -> Iterator[Move]:
        for name, progress in self._wishes(scene.progress):
            yield Move(name, plain(Scene(progress, scene.sides), scene))
        yield from self._changes(scene)
        if self.dispatches:
            yield from self._dispatches(scene)
        if self.decides:
            yield from self._decisions(scene)

    def _changes(self, scene: Scene) -> Iterator[Move]:
        """Of what is to be sent; and what a change held is released."""
        progress, machine = scene.progress, self.machine
        out = frozenset(turn.reference for turn, side in scene.pairs() if side.out)
        if progress.version <= self.changes:
            for name, schedule, hold in CHANGES if self.holds else CHANGES[:2]:
                after = machine.amend(progress, f"d{progress.version}", hold, NOW, schedule=schedule, call_out=out)
                if not hasattr(after, "reason"):
                    yield Move(f"changes {name}", plain(Scene(after, scene.sides), scene), amends=True)
        if progress.hold:
            released = machine.hold_is(progress, "", NOW)
            yield Move("releases", plain(Scene(released, scene.sides), scene), helps=not any(scene.calls_out))

    def _dispatches(self, scene: Scene) -> Iterator[Move]:
        """The courier has the boxes."""
        progress = scene.progress
        after = self.machine.decide(progress, self.machine.acts["dispatch"](), NOW, self._rules)
        if hasattr(after, "reason"):
            return
        at = next(at for at, turn in enumerate(progress.turns) if turn is progress.holder)
        sides = _at(scene.sides, at, replace(scene.sides[at], truth=Truth.PICKED_UP))
        yield Move("dispatches", plain(Scene(after, sides), scene), decides="dispatch")

    def _decisions(self, scene: Scene) -> Iterator[Move]:
        """Every button about a turn. Whoever enters an AWB has read it at ClickPost; otherwise people may be wrong."""
        out = frozenset(turn.reference for turn, side in scene.pairs() if side.out)
        at = {turn.reference: at for at, turn in enumerate(scene.progress.turns)}
        for offer in self.machine.possible(scene.progress, call_out=out):
            if not offer.reference or offer.wait or (self.decides_only and offer.kind not in self.decides_only):
                continue
            turn, side = scene.progress.turns[at[offer.reference]], scene.sides[at[offer.reference]]
            sides = scene.sides
            said: dict[str, object] = {}
            if offer.kind == "enter-awb":
                if side.truth != Truth.WORKING:
                    continue
                said = {"awb": own_awb(turn)}
                sides = _at(sides, at[offer.reference], replace(side, truth=Truth.BOOKED))
            if offer.kind == "wrong-awb" and side.truth == Truth.BOOKED:  # though it was right
                sides = _at(sides, at[offer.reference], replace(side, truth=Truth.WORKING))
            if offer.kind == "use-paper":
                said = {"sha256": "5ha", "pages": 1}
            act = self.machine.acts[offer.kind](offer.reference, **said)
            progress = self.machine.decide(scene.progress, act, NOW, self._rules, call_out=out)
            refused = getattr(progress, "reason", "")
            after = scene if refused else plain(Scene(progress, sides), scene)
            yield Move(f"a person: {offer.kind} of {offer.reference}", after, decides=offer.kind, refused=refused)

    @property
    def _rules(self) -> Rules:
        return self.machine.rules(polls_max=self.polls_max, stop_on_faulty_data=self.stop_on_faulty_data)

    def _wishes(self, progress: Progress) -> Iterator[tuple[str, Progress]]:
        machine = self.machine
        if progress.run < self.runs:
            yield "schedules", machine.schedule(progress, NOW)
            if progress.run:
                yield "schedules by name", machine.schedule(progress, NOW, COURIERS[0])
        if self.cancels and not progress.cancel_asked:
            yield "cancels", machine.cancel(progress, NOW)
        if self.runs > 1 and not progress.failed_told and machine.status(progress) == Status.FAILED:
            yield "is told failed", replace(progress, failed_told=True)
        for turn in progress.turns:
            if turn.state == State.WAITING and turn.planned_due is None and self.polls_max > 1:
                yield "polls now", machine.decide(progress, machine.acts["poll-now"](turn.reference), NOW, self._rules)

    # --- what ClickPost says: the first answer is the cooperative one

    def _said(self, scene: Scene, turn: Turn, side: Side) -> Iterator[Answer]:
        assert side.out is not None
        truth = side.truth
        match side.out:
            case Step.RANK:
                yield from self._ranks()
            case Step.ASK:
                yield from self._books(scene, turn, truth)
            case Step.INQUIRE:
                yield from self._tells(scene, turn, side)
            case Step.FETCH_LABEL:
                for reply in (Paper("5ha", 1), NotYet(), *(() if self.terse else (NO, Unknown()))):
                    yield Answer(reply, truth)
            case Step.CANCEL:
                yield from _cancels(truth)
            case Step.RETURN:
                yield from _returns(truth)
        for nothing in NOTHING_HEARD if not self.terse else NOTHING_HEARD_TERSE[side.out]:
            yield Answer(nothing, truth)
        yield Answer(None, truth)

    def _ranks(self) -> Iterator[Answer]:
        for reply in (Ranking(COURIERS[: self.couriers]), Ranking(()), NO, NOT_WE):
            yield Answer(reply, Truth.NOTHING)

    def _books(self, scene: Scene, turn: Turn, truth: Truth) -> Iterator[Answer]:
        """Asked a second time, it has what it has: the reference is the key."""
        if truth in (Truth.NOTHING, Truth.WORKING):
            yield Answer(Label(own_awb(turn)), Truth.BOOKED)
            yield from self._books_oddly(scene, turn)
            yield Answer(Accepted(), Truth.WORKING)
            for unheard in (SILENT, GARBAGE, None):
                yield Answer(unheard, Truth.WORKING)
        if truth != Truth.BOOKED:
            for refused in (NO, NOT_WE, FAULTY):
                yield Answer(refused, Truth.REFUSED)

    def _books_oddly(self, scene: Scene, turn: Turn) -> Iterator[Answer]:
        if not self.others_awb:
            return
        others = {other.awb for other in scene.progress.turns if other.awb and other.reference != turn.reference}
        for awb in (*sorted(others), "foreign"):
            yield Answer(Label(awb), Truth.NOTHING)

    def _tells(self, scene: Scene, turn: Turn, side: Side) -> Iterator[Answer]:
        lapsed = turn.state == State.LAPSED
        match side.truth:
            case Truth.WORKING:
                yield Answer(Label(own_awb(turn)), Truth.BOOKED)
                yield from self._books_oddly(scene, turn)
                for refused in (NO, FAULTY):
                    yield Answer(refused, Truth.REFUSED)
                for now in (NOW, WEEKS_LATER) if lapsed else (NOW,):
                    yield Answer(NotYet(), Truth.WORKING, now=now)
                if self.doubts and not side.doubted:
                    yield Answer(Unknown(), Truth.WORKING, doubted=True)
            case Truth.REFUSED:
                yield Answer(NO, Truth.REFUSED)
                yield Answer(Unknown(), Truth.REFUSED)
            case _:
                yield Answer(Unknown(), side.truth, now=WEEKS_LATER if lapsed else NOW)
                if lapsed:
                    yield Answer(Unknown(), side.truth)
        yield Answer(NOT_WE, side.truth)


def _cancels(truth: Truth) -> Iterator[Answer]:
    if truth == Truth.PICKED_UP:
        yield Answer(PickedUp(), truth)
        return
    yield Answer(Cancelled(), Truth.CANCELLED)
    yield Answer(None, Truth.CANCELLED)
    if truth == Truth.BOOKED:
        yield Answer(PickedUp(), Truth.PICKED_UP)
        for reply in (Refused(Refusal.COURIER, 350), NotYet(), Unknown()):
            yield Answer(reply, truth)


def _returns(truth: Truth) -> Iterator[Answer]:
    yield Answer(Cancelled(), Truth.RETURNED)
    yield Answer(None, Truth.RETURNED)
    for reply in (Refused(Refusal.COURIER, 350), NotYet(), Unknown()):
        yield Answer(reply, truth)


def own_awb(turn: Turn) -> str:
    return f"of-{turn.reference}"


def plain(scene: Scene, before: Scene) -> Scene:
    """Without what decides nothing: times but for "due or not", words, and counts where they do not matter.

    Turns that are the very ones of `before` are plain already.
    """
    known = {id(turn) for turn in before.progress.turns}
    turns = tuple(turn if id(turn) in known else _plain(turn) for turn in scene.progress.turns)
    sides = scene.sides + (Side(),) * (len(turns) - len(scene.sides))
    return Scene(replace(scene.progress, turns=turns), sides)


def _plain(turn: Turn) -> Turn:
    entered = turn.entered and turn.state in MAY_BE_TAKEN_BACK
    forgets = turn.kind in FORGETFUL and not entered
    asked = entered or turn.state in (State.UNCLEAR, State.UNDECIDED)
    return replace(
        turn,
        due_at=turn.due_at and NOW,
        asks=0 if forgets else turn.asks,
        unknowns=turn.unknowns if asked else 0,
        polls_done=turn.polls_done if turn.state in COUNTING else 0,
        tries=0,
        planned_due=turn.planned_due and NOW,
        asked_at=None,
        lapsed_at=NOW if turn.state == State.LAPSED or (entered and turn.lapsed_at) else None,
        entered=entered,
        label_url="",
        label_sha256="",
        label_pages=0,
        code=0,
        message="",
    )


def _at(sides: tuple[Side, ...], at: int, side: Side) -> tuple[Side, ...]:
    return (*sides[:at], side, *sides[at + 1 :])


def _put(progress: Progress, at: int, turn: Turn) -> Progress:
    return replace(progress, turns=(*progress.turns[:at], turn, *progress.turns[at + 1 :]))
