"""Where a shipment goes next. What decides it of itself is in this file; what people decide is in `bilty.deciding`.

Theory of operation
-------------------
A shipment is scheduled in *runs*. A run begins by asking ClickPost who may carry the boxes: that is turn 0, which
books nothing. Its couriers then take *turns* 1 to 3 under a reference of their own. A turn is a small machine: it has
a `State`; the state says which `Step` is owed to the world; the reply to it, read in the light of the turn's counters,
is a `Heard`; and `TABLE[state][heard]` in `bilty.turn` is the next state. There is no other way to move.

Three things hold the machines of one shipment together (`hear`):
 1. The first AWB takes the shipment. Every other turn steps aside: it lapses, and its AWB, if one comes, is surplus.
 2. While nobody has the shipment and no turn is open, the next courier's turn begins.
 3. A turn that ended without a definite no is never over. It is watched by calls that cannot book.

What a shipment is may change after somebody was asked: that is a new *version* of it (`bilty.deciding.amend`). What
the old one's turns still bring is cancelled, and the new one's run begins when each of them is over and each of their
AWBs void, or a person has seen to it.

A call is written down before it is made: claiming a turn in ASKING turns it UNCLEAR (`claimed`), because from then
on ClickPost may have heard us. A process that dies in the middle so leaves the truth behind, and the next one
inquires instead of asking again. Silence teaches nothing: it is repeated with back-off and uses up no poll, since all
couriers sit behind one host and an outage must not lapse four hundred turns.

The shipment's status is derived from its turns (`status`), never stored as a fact of its own. Functions take `now`
and return values; `bilty.dispatcher` does what they say.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bilty.hearing import moved, read
from bilty.reply import Courier, Label, Reply
from bilty.turn import Heard, Kind, Rules, State, Step, Turn

NUMBER_CHARS, HASH_CHARS = 8, 11
"""Of a reference: with the dash between them the 20 characters that ClickPost takes at most."""


class Status(StrEnum):
    """What is shown. The values are the API's."""

    CREATED = "created"
    ON_HOLD = "on_hold"
    SCHEDULING = "scheduling"
    LABEL_REQUESTED = "label_requested"
    LABEL_READY = "label_ready"
    NEEDS_ATTENTION = "needs_attention"
    NOT_SERVICEABLE = "not_serviceable"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DISPATCHED = "dispatched"


@dataclass(frozen=True, slots=True)
class Progress:
    """All that decides one shipment's course.

    `installation`, `facility` and `number` name it for references; `digest` is of its present content, which is its
    `version`. `run` is 0 until it is scheduled. `hold` says why it may not be scheduled, blank if it may. `turns` are
    those of all runs, in order. `schedule_asked`: a run begins by itself as soon as nothing of an older version may
    still be booked.
    """

    installation: str
    facility: str
    number: str
    digest: str
    version: int = 1
    run: int = 0
    hold: str = ""
    schedule_asked: bool = False
    cancel_asked: bool = False
    failed_told: bool = False
    dispatched: bool = False
    turns: tuple[Turn, ...] = ()

    @property
    def run_turns(self) -> tuple[Turn, ...]:
        """Those of the present run, unless the shipment was changed since."""
        return tuple(turn for turn in self.turns if (turn.run, turn.version) == (self.run, self.version))

    @property
    def holder(self) -> Turn | None:
        """The turn that has the shipment. There is at most one, over all runs."""
        return next((turn for turn in self.turns if turn.kind is Kind.HOLDS), None)

    @property
    def open_turn(self) -> Turn | None:
        return next((turn for turn in self.turns if turn.kind is Kind.OPEN), None)

    @property
    def extras(self) -> tuple[Turn, ...]:
        """Turns whose AWB is not the shipment's and not void: until each is, or is settled, nobody else is asked."""
        return tuple(turn for turn in self.turns if turn.kind is Kind.EXTRA and not turn.settled)

    @property
    def live_extras(self) -> tuple[Turn, ...]:
        """Those of the present version whose AWB is known to be too many."""
        own = [turn for turn in self.extras if turn.version == self.version]
        return tuple(turn for turn in own if turn.state not in (State.OFFERED, State.CONFLICT))

    @property
    def outdated(self) -> tuple[Turn, ...]:
        """Turns that may still bring an AWB for what the shipment was: until each is over, no run begins."""
        old = [turn for turn in self.turns if turn.version < self.version and not turn.settled]
        return tuple(turn for turn in old if turn.kind in (Kind.OPEN, Kind.WATCHED))

    @property
    def couriers(self) -> tuple[Courier, ...]:
        """P1, P2, P3 of the present run, frozen when it began."""
        return next((turn.couriers for turn in self.run_turns if turn.state is State.RANKED), ())


def reference(progress: Progress, run: int, courier: Courier | None) -> str:
    """The name of a turn to ClickPost: the same again after a restore from backup, and never another courier's."""
    identity = courier.identity if courier else ("ranking",)
    named = "\n".join(
        map(str, (progress.installation, progress.facility, progress.number, progress.version, run, *identity))
    )
    code = base64.b32encode(hashlib.sha256(named.encode()).digest()).decode()[:HASH_CHARS]
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in progress.number[:NUMBER_CHARS])
    return f"{readable}-{code}"


def schedule(
    progress: Progress, now: datetime, courier: Courier | None = None, *, without_ewaybill: bool = False
) -> Progress:
    """Begins a run, or changes nothing: where one is open, where an AWB is live, where it is held or cancelled, and
    where what it was may still be booked.

    `courier`: it alone is asked, not ClickPost's order. `without_ewaybill`: a person's word that none is needed.
    """
    if without_ewaybill:
        progress = replace(progress, hold="")
    taken = progress.holder or progress.open_turn or progress.extras or progress.outdated
    if taken or progress.hold or progress.cancel_asked:
        return progress
    run = progress.run + 1
    ranking = Turn(
        run=run,
        priority=0,
        courier=None,
        reference=reference(progress, run, None),
        digest=progress.digest,
        state=State.RANKED if courier else State.RANKING,
        due_at=None if courier else now,
        couriers=(courier,) if courier else (),
        version=progress.version,
    )
    begun = replace(progress, run=run, schedule_asked=False, failed_told=False, turns=(*progress.turns, ranking))
    return _begin_next(begun, now)


def hear(
    progress: Progress, turn: Turn, step: Step, reply: Reply, now: datetime, rules: Rules, *, foreign_awb: bool = False
) -> Progress:
    """The shipment after `turn` heard `reply` to `step`.

    `foreign_awb`: the reply's AWB is another shipment's. A reply to a step that is no longer owed changes nothing.
    """
    asked = Step.INQUIRE if step is Step.ASK else step  # a turn whose asking is out is UNCLEAR, and owes an inquiry
    if turn.step is not asked:
        return progress
    heard = read(turn, step, reply, rules, _meaning_of_awb(progress, turn, reply, foreign_awb=foreign_awb))
    if heard is Heard.UNKNOWN_TWICE and (progress.cancel_asked or turn.version < progress.version):
        heard = Heard.UNKNOWN_AFTER_ALL  # nobody wants it any more: not asked again
    after = moved(turn, heard, reply, now, rules)
    progress = put(progress, after)
    if after.kind is Kind.HOLDS and turn.kind is not Kind.HOLDS:
        progress = step_aside(progress, now, rules)
    return go_on(progress, now)


def _meaning_of_awb(progress: Progress, turn: Turn, reply: Reply, *, foreign_awb: bool) -> Heard:
    if not isinstance(reply, Label):
        return Heard.AWB
    if foreign_awb or any(reply.awb == other.awb for other in progress.turns if other.reference != turn.reference):
        return Heard.AWB_CONFLICT
    if progress.cancel_asked or progress.holder or turn.version < progress.version:
        return Heard.AWB_OFFERED if turn.entered else Heard.AWB_SURPLUS
    current = turn.run == progress.run and not turn.settled and not progress.failed_told
    return Heard.AWB if current and not progress.live_extras else Heard.AWB_OFFERED


def put(progress: Progress, turn: Turn) -> Progress:
    """With `turn` in the place of the one of its reference."""
    turns = tuple(turn if turn.reference == other.reference else other for other in progress.turns)
    return replace(progress, turns=turns)


def step_aside(progress: Progress, now: datetime, rules: Rules) -> Progress:
    """Somebody has the shipment: what was never said is withdrawn, what was said is watched, what was offered goes."""
    progress = _ask_nobody(progress, now)
    for turn in progress.turns:
        if turn.kind is Kind.OPEN:
            progress = put(progress, lapsed(turn, now, now + rules.watch_interval))
        elif turn.state is State.OFFERED and not turn.entered:
            progress = put(progress, replace(turn, state=State.SURPLUS, due_at=now))
    return progress


def go_on(progress: Progress, now: datetime) -> Progress:
    """What follows of itself: the next courier's turn, or the run that was asked for.

    Nobody is asked to carry what is cancelled, or what the shipment is no longer.
    """
    if progress.cancel_asked or progress.outdated:
        progress = _ask_nobody(progress, now)
    if progress.cancel_asked:
        return progress
    progress = _begin_next(progress, now)
    return schedule(progress, now) if progress.schedule_asked else progress


def _ask_nobody(progress: Progress, now: datetime) -> Progress:
    """What was to be said is not said any more: withdrawn, or watched if it was said before."""
    turn = progress.open_turn
    if turn is None or turn.step not in (Step.RANK, Step.ASK):
        return progress
    said = turn.asks > 0
    return put(progress, lapsed(turn, now, now) if said else replace(turn, state=State.WITHDRAWN, due_at=None))


def lapsed(turn: Turn, now: datetime, due_at: datetime) -> Turn:
    """Ended without a definite no: watched, from `due_at`."""
    return replace(turn, state=State.LAPSED, due_at=due_at, lapsed_at=now, polls_done=0, tries=0, planned_due=None)


def _begin_next(progress: Progress, now: datetime) -> Progress:
    """The next courier's turn, if no turn is open, none has an AWB, and none waits for a person or was settled."""
    waits = any(turn.settled or turn.state is State.STOPPED for turn in progress.run_turns)
    if progress.holder or progress.open_turn or progress.extras or waits:
        return progress
    priority = max((turn.priority for turn in progress.run_turns), default=0) + 1
    if priority > len(progress.couriers):
        return progress
    courier = progress.couriers[priority - 1]
    turn = Turn(
        run=progress.run,
        priority=priority,
        courier=courier,
        reference=reference(progress, progress.run, courier),
        digest=progress.digest,
        state=State.ASKING,
        due_at=now,
        version=progress.version,
    )
    return replace(progress, turns=(*progress.turns, turn))


def status(progress: Progress) -> Status:
    """What is shown: the first line that holds."""
    states = {turn.state for turn in progress.run_turns}
    if progress.dispatched:
        return Status.DISPATCHED
    if progress.cancel_asked:
        return _status_of_cancelling(progress)
    if progress.holder:
        return {State.WON: Status.LABEL_READY, State.UNLABELLED: Status.NEEDS_ATTENTION}.get(
            progress.holder.state, Status.LABEL_REQUESTED
        )
    if not states:
        return _status_between_runs(progress)
    given_up = any(turn.state is State.SURPLUS for turn in progress.extras)
    if given_up or states & {State.RANKING, State.ASKING, State.UNCLEAR}:
        return Status.SCHEDULING
    if State.WAITING in states:
        return Status.LABEL_REQUESTED
    if State.UNSERVICEABLE in states:
        return Status.NOT_SERVICEABLE
    definite = State.STOPPED not in states and all(turn.kind is Kind.OVER or turn.settled for turn in progress.turns)
    return Status.FAILED if definite else Status.NEEDS_ATTENTION


def _status_between_runs(progress: Progress) -> Status:
    """Of a version that nobody was asked to carry yet."""
    old = {turn.state for turn in (*progress.extras, *progress.outdated)}
    if old - {State.SURPLUS, State.UNCLEAR, State.WAITING}:
        return Status.NEEDS_ATTENTION
    if old:
        return Status.SCHEDULING  # what it was is being cancelled, or asked about
    return Status.ON_HOLD if progress.hold else Status.CREATED


def _status_of_cancelling(progress: Progress) -> Status:
    if any(turn.due_at is None for turn in progress.extras):
        return Status.NEEDS_ATTENTION  # no cancel will be tried: it is a person's to settle
    under_way = any(turn.kind is Kind.OPEN or turn.step is Step.CANCEL for turn in progress.turns)
    return Status.CANCELLING if under_way else Status.CANCELLED
