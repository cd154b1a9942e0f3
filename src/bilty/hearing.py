"""What a reply means for a turn, what the turn is then, and when its next call is due. Pure, like `bilty.workflow`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Courier,
    Denied,
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
from bilty.turn import TABLE, TRAITS, Heard, Kind, Rules, State, Step, Turn

COURIERS_MAX = 3
BACKOFF_MAX_S = 60
WATCH_OFTEN, WATCH_DAILY = timedelta(hours=24), timedelta(days=7)
INQUIRY_GAPS = (0.25, 0.25, 0.5)
"""After an unclear answer, in poll intervals: asked at a quarter, a half and one interval, then in the poll rhythm."""
LABEL_GAPS_S = (1, 5, 20)
"""After an AWB without its label, in seconds; then in the poll rhythm."""


def claimed(turn: Turn, now: datetime) -> Turn:
    """The turn as it is written down before its call is made: from the first byte on it may be booked, or cancelled."""
    if turn.state is State.OFFERED:
        return replace(turn, state=State.SURPLUS)
    if turn.state is not State.ASKING:
        return turn
    return replace(turn, state=State.UNCLEAR, asks=turn.asks + 1, unknowns=0, polls_done=0, asked_at=now)


def read(turn: Turn, step: Step, reply: Reply, rules: Rules, awb: Heard) -> Heard:
    """What `reply` to `step` means for this turn. `awb` is what an AWB would mean, which the shipment decides."""
    match reply:
        case Label():
            return awb
        case Ranking():
            return Heard.RANKED if reply.couriers else Heard.NOBODY
        case Paper():
            return Heard.PAPER
        case PickedUp():
            return Heard.PICKED_UP
        case Cancelled():
            return Heard.CANCELLED
        case Busy() | Denied():
            # A second asking that never left does not unsay the first, so a lapsed turn stays watched.
            unsaid = step is Step.ASK and (turn.state is State.UNCLEAR or turn.asks <= 1)
            return Heard.NOTHING_SENT if unsaid else Heard.SILENCE
        case Refused():
            return _read_refusal(turn, step, reply, rules)
        case Unclear():
            return _read_unclear(turn, step, reply, rules)
        case Unknown():
            return _read_unknown(turn, step, rules)
        case Accepted() | NotYet():
            return _read_not_yet(turn, step, rules)
        case _:
            assert_never(reply)


def _read_refusal(turn: Turn, step: Step, reply: Refused, rules: Rules) -> Heard:
    if step is Step.RANK:
        return Heard.STOPPING
    if step is not Step.ASK and reply.refusal is Refusal.ACCOUNT:
        return Heard.SILENCE  # about who asks, not about what was booked
    if step is Step.FETCH_LABEL:
        return _read_not_yet(turn, step, rules)
    stops = reply.refusal is Refusal.ACCOUNT or (reply.refusal is Refusal.DATA and rules.stop_on_faulty_data)
    return Heard.STOPPING if stops and turn.state in (State.UNCLEAR, State.UNDECIDED) else Heard.REFUSED


def _read_unclear(turn: Turn, step: Step, reply: Unclear, rules: Rules) -> Heard:
    if step is Step.FETCH_LABEL and not reply.silent:
        return _read_not_yet(turn, step, rules)
    if turn.state is State.UNCLEAR and (step is Step.ASK or not reply.silent):
        # The asking itself, then the early inquiries, then those of the window.
        last = turn.polls_done + 1 >= 1 + len(INQUIRY_GAPS) + rules.polls_max - 1
        return Heard.LAST_NO_VERDICT if last else Heard.NO_VERDICT
    if turn.state is State.UNDECIDED and not reply.silent:
        return Heard.LAST_NO_VERDICT
    return Heard.SILENCE


def _read_unknown(turn: Turn, step: Step, rules: Rules) -> Heard:
    if step in (Step.CANCEL, Step.RETURN):
        return Heard.REFUSED
    if turn.state not in (State.UNCLEAR, State.UNDECIDED):
        return _read_not_yet(turn, step, rules)
    if step is Step.ASK:
        return Heard.NO_VERDICT
    if turn.unknowns == 0 or turn.planned_due is not None:
        return Heard.UNKNOWN
    return Heard.UNKNOWN_TWICE if turn.asks <= 1 else Heard.UNKNOWN_AFTER_ALL


def _read_not_yet(turn: Turn, step: Step, rules: Rules) -> Heard:
    if step is Step.RANK:
        return Heard.SILENCE
    if turn.state in (State.UNCLEAR, State.UNDECIDED):
        return Heard.ACCEPTED
    polls_max = {
        State.WAITING: rules.polls_max,
        State.FETCHING: len(LABEL_GAPS_S) + rules.polls_max,
        State.UNLABELLED: 0,
    }.get(turn.state)
    last = polls_max is not None and turn.planned_due is None and turn.polls_done + 1 >= polls_max
    return Heard.LAST_NOT_YET if last else Heard.NOT_YET


def moved(turn: Turn, heard: Heard, reply: Reply, now: datetime, rules: Rules) -> Turn:
    """The turn after it heard that. Raises KeyError where the table has no such step."""
    state = TABLE[turn.state][heard]
    silent = heard in (Heard.SILENCE, Heard.NOTHING_SENT)
    entered = state is not turn.state
    counted = not entered and not silent and turn.planned_due is None
    # Why a courier does not cancel is shown for as long as it does not: silence is no reason.
    spoken = "" if silent and state is State.UNCANCELLED else reply.message
    after = replace(
        turn,
        state=state,
        asks=turn.asks - (heard is Heard.NOTHING_SENT),
        asked_at=None if heard is Heard.NOTHING_SENT and turn.asks <= 1 else turn.asked_at,
        unknowns=turn.unknowns + (heard is Heard.UNKNOWN and turn.planned_due is None),
        polls_done=0 if entered else turn.polls_done + counted,
        tries=turn.tries + 1 if silent else 0,
        planned_due=turn.planned_due if silent and not entered and state is State.WAITING else None,
        lapsed_at=now if entered and state is State.LAPSED else turn.lapsed_at,
        awb=reply.awb if isinstance(reply, Label) else turn.awb,
        label_url=reply.label_url if isinstance(reply, Label) else turn.label_url,
        label_sha256=reply.sha256 if isinstance(reply, Paper) else turn.label_sha256,
        label_pages=reply.pages if isinstance(reply, Paper) else turn.label_pages,
        code=reply.code if isinstance(reply, Refused) else 0 if spoken else turn.code,
        message=spoken or turn.message,
        couriers=first_three(reply.couriers) if isinstance(reply, Ranking) else turn.couriers,
        settled=turn.settled and (TRAITS[state][0] is Kind.OVER or TRAITS[state][1] is turn.step),
    )
    due_at = _due(turn, after, heard, now, rules)
    if due_at and isinstance(reply, Busy):
        due_at = max(due_at, now + timedelta(seconds=reply.retry_after_s))
    return replace(after, due_at=due_at)


def _due(before: Turn, turn: Turn, heard: Heard, now: datetime, rules: Rules) -> datetime | None:
    if turn.step is None:
        return None
    if turn.state is State.LAPSED:
        return watch_due(turn, now, rules)
    if turn.state is State.OFFERED:  # what a person typed is never cancelled of itself
        return None if turn.entered else now + rules.late_label_wait
    if before.planned_due is not None and turn.planned_due is None and turn.state is before.state:
        return max(before.planned_due, now)
    if turn.state in (State.UNDECIDED, State.UNLABELLED, State.UNCANCELLED):
        return now + rules.watch_interval
    if heard in (Heard.SILENCE, Heard.NOTHING_SENT):
        return now + timedelta(seconds=min(BACKOFF_MAX_S, 2 ** (turn.tries - 1)))
    if turn.state is State.UNCLEAR:
        return now + _gap(INQUIRY_GAPS, turn.polls_done, rules.poll_interval, rules)
    entered = turn.state is not before.state
    if turn.state is State.WAITING:
        return now + rules.poll_interval if entered or before.due_at is None else _on_the_beat(before, now, rules)
    if entered:
        return now
    if turn.state is State.FETCHING:
        return now + _gap(LABEL_GAPS_S, turn.polls_done, timedelta(seconds=1), rules)
    return now + rules.poll_interval


def _gap(gaps: tuple[float, ...], heard: int, unit: timedelta, rules: Rules) -> timedelta:
    """The wait after the `heard`th answer, from 1: first the early gaps, in `unit`, then the poll rhythm."""
    return gaps[heard - 1] * unit if heard <= len(gaps) else rules.poll_interval


def _on_the_beat(before: Turn, now: datetime, rules: Rules) -> datetime:
    """The next poll counts from when this one was due, not from when it was made, so that a window keeps its length.

    After a silence it is an interval from now.
    """
    beat = (before.due_at or now) + rules.poll_interval
    return beat if beat > now else now + rules.poll_interval


def watch_due(turn: Turn, now: datetime, rules: Rules) -> datetime | None:
    """When a lapsed turn is inquired about again: often for a day, daily for a week, then it is only listed."""
    since = now - (turn.lapsed_at or now)
    if since < WATCH_OFTEN:
        return now + rules.watch_interval
    return now + timedelta(days=1) if since < WATCH_DAILY else None


def first_three(couriers: Sequence[Courier]) -> tuple[Courier, ...]:
    """P1, P2 and P3 of a list that is in ClickPost's order. A courier that is ranked twice counts where it is first.

    Two accounts with one carrier have one name: then each is called by its account, too, or nobody could choose.
    """
    first = {courier.identity: courier for courier in reversed(couriers)}
    three = [first[identity] for identity in dict.fromkeys(c.identity for c in couriers)][:COURIERS_MAX]
    names = Counter(courier.name for courier in three)
    return tuple(_by_account(courier) if names[courier.name] > 1 else courier for courier in three)


def _by_account(courier: Courier) -> Courier:
    return Courier(courier.cp_id, courier.account_code, f"{courier.name} ({courier.account_code})")
