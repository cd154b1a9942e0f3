"""A person's act, done or refused."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bilty.deciding.acts import (
    AWB_CHARS_MIN,
    PERSON,
    Act,
    AskAgain,
    Cancel,
    CancelLate,
    Dispatch,
    EnterAwb,
    FallOver,
    FetchAgain,
    GiveUpAwb,
    GoOn,
    No,
    NotBooked,
    OrderReturn,
    PollNow,
    Schedule,
    Settled,
    TurnAct,
    UseLate,
    UsePaper,
    WrongAwb,
)
from bilty.deciding.refusals import (
    stands,
    turn_of,
    unknown_turn,
    why_not,
    why_not_amend,
    why_not_cancel,
    why_not_dispatch,
    why_not_schedule,
)
from bilty.reply import AWB_CHARS_MAX, Label, Paper
from bilty.turn import Kind, Rules, State, Step, Turn
from bilty.workflow import Progress, go_on, hear, lapsed, put, schedule, step_aside


def decide(
    progress: Progress, act: Act, now: datetime, rules: Rules, *, call_out: frozenset[str] = frozenset()
) -> Progress | No:
    """The shipment after a person's act, or why it cannot be. `call_out`: of these references a call is out."""
    match act:
        case Schedule():
            why = why_not_schedule(progress, act.courier, without_ewaybill=act.without_ewaybill)
            scheduled = schedule(progress, now, act.courier, without_ewaybill=act.without_ewaybill)
            return No(why) if why else scheduled
        case Cancel():
            why = why_not_cancel(progress)
            return No(why) if why else cancel(progress, now)
        case Dispatch():
            why = why_not_dispatch(progress)
            return No(why) if why else replace(progress, dispatched=True)
        case _:
            turn = turn_of(progress, act.reference)
            if turn is None:
                return No(unknown_turn(act.reference))
            why = why_not(progress, act.kind, turn, call_out)
            return No(why) if why else _decide(progress, act, turn, now, rules)


def cancel(progress: Progress, now: datetime) -> Progress:
    """A person does not want it sent: an AWB is cancelled, one that still comes will be, and nobody else is asked."""
    if progress.dispatched:
        return progress
    return go_on(_nobodys(replace(progress, cancel_asked=True, schedule_asked=False), now), now)


def amend(
    progress: Progress,
    digest: str,
    hold: str,
    now: datetime,
    *,
    schedule: bool,
    call_out: frozenset[str] = frozenset(),
) -> Progress | No:
    """The shipment is from now on what `digest` stands for: a version of its own, once anybody was asked to carry it.

    What was asked for the old version is ended as if that were cancelled. With `schedule` a run for the new one begins
    when every AWB of the old is void and every turn of it over; without, when a person says so. `hold`: the new one's,
    which keeps a run from beginning until `hold_is` says that there is none. An AWB that a person typed is theirs to
    cancel, unless its label is here.
    """
    why = why_not_amend(progress, call_out)
    if why:
        return No(why)
    if progress.run == 0:
        return replace(progress, digest=digest, hold=hold)
    renewed = replace(progress, version=progress.version + 1, digest=digest, hold=hold, schedule_asked=schedule)
    for turn in progress.turns:
        renewed = put(renewed, _asked_about_anew(progress, turn))
    return go_on(_nobodys(renewed, now), now)


def _asked_about_anew(progress: Progress, turn: Turn) -> Turn:
    """The turn as it stands once its version is an old one."""
    if turn.state is State.LAPSED and turn.version == progress.version:
        # One word may have stood for all of them; and it was said of a shipment that nothing waited for.
        return replace(turn, settled=False)
    if turn.entered and turn.state in (State.FETCHING, State.UNLABELLED):
        return replace(turn, state=State.OFFERED, due_at=None, polls_done=0, tries=0)
    return turn


def hold_is(progress: Progress, why: str, now: datetime) -> Progress:
    """Why it may not be scheduled, from now on; where that is blank, a run that was asked for begins."""
    return go_on(replace(progress, hold=why), now)


def held_back(before: Progress, after: Progress, why: str) -> Progress:
    """`after`, but the run that has begun of itself since `before` has not: it is held, and still asked for."""
    turns = tuple(turn for turn in after.turns if turn.run <= before.run)
    asked = replace(after, run=before.run, schedule_asked=True, failed_told=before.failed_told, turns=turns)
    return replace(asked, hold=why)


def begins_of_itself(before: Progress, after: Progress) -> bool:
    """A run that was asked for some time ago, of what the shipment still is, begins only now."""
    return before.schedule_asked and before.version == after.version and after.run > before.run


def _nobodys(progress: Progress, now: datetime) -> Progress:
    """The AWB that it has is given up, and one on offer, unless a person typed that: it may be a stranger's."""
    for turn in progress.turns:
        if turn.kind is Kind.HOLDS or (turn.state is State.OFFERED and not turn.entered):
            progress = put(progress, _given_up(turn, now))
    return progress


def _decide(progress: Progress, act: TurnAct, turn: Turn, now: datetime, rules: Rules) -> Progress | No:
    state = PERSON[act.kind][turn.state]
    match act:
        case PollNow() | AskAgain():
            # Once, uncounted, and then the rhythm as it was.
            return put(progress, replace(turn, planned_due=turn.due_at, due_at=now))
        case FetchAgain():
            return put(progress, replace(turn, due_at=now))
        case FallOver() | NotBooked():
            # Of what the shipment was, that is enough: nothing waits for it, and it is watched all the same.
            ended = lapsed(replace(turn, settled=turn.version < progress.version), now, now + rules.watch_interval)
            return go_on(put(progress, ended), now)
        case EnterAwb():
            return _heard_awb(progress, act, turn, now, rules)
        case UsePaper():
            return hear(progress, turn, Step.FETCH_LABEL, Paper(act.sha256, act.pages), now, rules)
        case GiveUpAwb() | CancelLate():
            return go_on(put(progress, _given_up(turn, now)), now)
        case WrongAwb():
            return go_on(put(progress, _taken_back(progress, turn, now, rules)), now)
        case UseLate():
            # What was picked up for this shipment is its courier's, whoever typed the AWB.
            entered = turn.entered and turn.state is State.OFFERED
            holds = replace(turn, state=state, due_at=now, polls_done=0, tries=0, settled=False, entered=entered)
            return step_aside(put(progress, holds), now, rules)
        case GoOn():
            return go_on(put(progress, replace(turn, state=state)), now)
        case OrderReturn():
            return put(progress, replace(turn, state=state, due_at=now, polls_done=0, tries=0, settled=False))
        case Settled():
            return go_on(_settled(progress, turn), now)
        case _:
            assert_never(act)


def _given_up(turn: Turn, now: datetime) -> Turn:
    """Its AWB is too many: cancelled at once, after a tracking read."""
    return replace(turn, state=State.SURPLUS, polls_done=0, tries=0, due_at=now)


def _taken_back(progress: Progress, turn: Turn, now: datetime, rules: Rules) -> Turn:
    """Without the AWB that was entered, and inquired about: it may be booked under another."""
    # A run since its version was the shipment's says that a person has seen to it; which is forgotten meanwhile.
    settled = turn.version < progress.version and bool(progress.run_turns)
    blank = replace(turn, awb="", entered=False, settled=settled)
    due_at, elsewhere = now + rules.watch_interval, progress.holder or progress.open_turn
    if turn.lapsed_at or (elsewhere and elsewhere is not turn):
        return lapsed(blank, now, due_at)
    return replace(blank, state=State.UNDECIDED, due_at=due_at, polls_done=0, tries=0)


def _heard_awb(progress: Progress, act: EnterAwb, turn: Turn, now: datetime, rules: Rules) -> Progress | No:
    """Refused where hearing it would be a conflict: a person can look again. Not cancelled where it is too many."""
    if not act.is_plausible:
        chars = f"{AWB_CHARS_MIN} to {AWB_CHARS_MAX} letters, digits and dashes"
        return No(f"That is no AWB: one has {chars}. Copy it from ClickPost's dashboard.")
    for other in progress.turns:
        if other.awb == act.awb and other is not turn:
            return No(f"AWB {act.awb} is another turn's. {stands(other)}")
    turn = replace(turn, settled=False, entered=True)
    return hear(put(progress, turn), turn, Step.INQUIRE, Label(act.awb), now, rules)


def _settled(progress: Progress, turn: Turn) -> Progress:
    """Lapsed turns are one matter: none of them brought a label. A label that is here is right as it is.

    Of what the shipment was each is its own: nothing is booked anew before a person has asked every one of them; and
    where its boxes are on a truck, nothing is before a person says so: they may still be the very ones to be sent.
    """
    if turn.state is State.WON:
        return put(progress, replace(turn, miscount=""))
    if turn.state is State.PICKED_UP and turn.version < progress.version:
        progress = replace(progress, schedule_asked=False)
    one_matter = turn.state is State.LAPSED and turn.version == progress.version
    together = [other for other in progress.turns if other.state is State.LAPSED] if one_matter else [turn]
    for other in together:
        progress = put(progress, replace(other, settled=True))
    return progress
