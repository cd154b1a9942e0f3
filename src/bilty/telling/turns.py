"""What a turn did, what comes of it, and where the shipment stands."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from bilty.reply import Courier
from bilty.telling.phrases import STATUS_WORDS, clock, name_of, said, told_deadline
from bilty.telling.problems import problem
from bilty.turn import Rules, State, Turn, window_ends_at
from bilty.words import listed
from bilty.workflow import Progress, Status, status

CALL_MAX = timedelta(seconds=60)
"""A call that is out longer than this will not be answered: whoever asked has died."""

_TOLD = {
    State.RANKING: "Asking ClickPost which couriers serve this lane.",
    State.RANKED: "ClickPost ranked {couriers}.",
    State.UNSERVICEABLE: "No courier of this ClickPost account serves the lane: {words}",
    State.UNDECIDED: "ClickPost gave no usable answer on whether {name} booked it. Bilty keeps asking{next_at}.",
    State.FETCHING: "{name} booked it under AWB {awb}. Its label is being fetched.",
    State.UNLABELLED: "{name} booked it under AWB {awb}, but its label does not come. Bilty keeps trying{next_at}.",
    State.WON: "{name}'s label is ready: AWB {awb}.",
    State.REFUSED: "{name} refused: {words}{follows}",
    State.STOPPED: "{name} refused for a reason that other couriers share: {words}",
    State.WITHDRAWN: "{name} was not asked: it was no longer needed.",
    State.LAPSED: "{no_label}{follows}{watch}",
    State.OFFERED: "{name}'s label came late: AWB {awb}.{unless} Nobody else is asked before.",
    State.SURPLUS: "AWB {awb} of {name} is not wanted: it is being cancelled.",
    State.UNCANCELLED: "{name} will not cancel AWB {awb}: {words} It is tried again{next_at}.",
    State.PICKED_UP: "{name} has already picked up under AWB {awb}, which is not wanted.",
    State.CONFLICT: "{name} gave AWB {awb}, which is already another's.",
    State.CANCELLED: "AWB {awb} of {name} is cancelled.",
    State.RETURNING: "{name} is asked to bring back AWB {awb} (RTO).{next_try}",
    State.UNRETURNED: "{name} will not bring back AWB {awb}: {words}",
    State.RETURNED: "{name} brings back AWB {awb} (RTO), and charges for it.",
}


def told_turn(turn: Turn, next_courier: Courier | None, rules: Rules, now: datetime, zone: tzinfo) -> str:
    """`next_courier` is asked if this one does not take the shipment."""
    if turn.state in (State.ASKING, State.UNCLEAR):
        return _told_asking(turn, now, zone)
    if turn.state is State.WAITING:
        return _told_waiting(turn, next_courier, rules, now, zone)
    next_at = f", next at {clock(turn.due_at, now, zone)}" if turn.due_at else ""
    if turn.state is State.RANKING and turn.tries:
        return f"ClickPost does not answer which couriers serve this lane. It is asked again{next_at}."
    return _TOLD[turn.state].format_map(
        {
            "name": name_of(turn),
            "awb": turn.awb,
            "couriers": listed([courier.name for courier in turn.couriers]),
            "words": said(turn.message, turn.code),
            "no_label": _no_label(turn, rules),
            "next_at": next_at,
            "follows": f" {next_courier.name} is being asked." if next_courier else "",
            "next_try": f" Next try {clock(turn.due_at, now, zone)}." if turn.due_at and turn.tries else "",
            "unless": _told_deadline(turn, now, zone),
            "watch": f" Bilty still looks for a late one{next_at}." if next_at else "",
        }
    )


def _told_deadline(turn: Turn, now: datetime, zone: tzinfo) -> str:
    """Of a late label, after a space: until when it may be used. Blank where a person typed it: that one stands."""
    if turn.state is not State.OFFERED or turn.due_at is None:
        return ""
    return f" {told_deadline(turn.due_at, now, zone)}"


def _told_asking(turn: Turn, now: datetime, zone: tzinfo) -> str:
    name = name_of(turn)
    if turn.state is State.ASKING:
        if turn.tries and turn.due_at:
            return f"ClickPost cannot be reached. {name} is asked at {clock(turn.due_at, now, zone)}; nothing was sent."
        if turn.asks:
            return f"ClickPost knows nothing of the booking. {name} is asked once more, under the same reference."
        return f"{name} is being asked."
    out = turn.polls_done == 0 and turn.tries == 0 and turn.asked_at is not None and now - turn.asked_at < CALL_MAX
    if out:
        return f"{name} is being asked."
    next_at = f" Next at {clock(turn.due_at, now, zone)}." if turn.due_at else ""
    return f"{name} was asked and no usable answer came: asking ClickPost whether it was booked.{next_at}"


def _told_waiting(turn: Turn, next_courier: Courier | None, rules: Rules, now: datetime, zone: tzinfo) -> str:
    parts = [f"Waiting for {name_of(turn)}'s label."]
    if turn.due_at:
        asked = f"Asked {turn.polls_done} of {rules.polls_max} times, next at {clock(turn.due_at, now, zone)}."
        parts.append(asked)
    if turn.tries:
        parts.append("ClickPost does not answer; silence uses up no try.")
    elif ends_at := window_ends_at(turn, rules):
        then = f"{next_courier.name} takes over." if next_courier else "there is no courier left to ask."
        parts.append(f"At {clock(ends_at, now, zone)} {then}")
    return " ".join(parts)


def next_courier(progress: Progress, turn: Turn) -> Courier | None:
    """Who takes over from an open turn if it brings nothing, or is being asked because an ended one brought nothing."""
    if (
        (turn.run, turn.version) != (progress.run, progress.version)
        or turn.priority == 0
        or turn.priority >= len(progress.couriers)
    ):
        return None
    opened = progress.open_turn
    if turn.state in (State.REFUSED, State.LAPSED):
        is_asked = opened and opened.priority == turn.priority + 1 and opened.state in (State.ASKING, State.UNCLEAR)
        return opened.courier if opened and is_asked else None
    return progress.couriers[turn.priority]


def told_status(progress: Progress, rules: Rules, now: datetime, zone: tzinfo) -> str:
    """Where the shipment stands, in a sentence or three."""
    shown = status(progress)
    match shown:
        case Status.CREATED:
            return "Not scheduled yet." if progress.version == 1 else "Changed, and not scheduled yet as it is now."
        case Status.ON_HOLD:
            return progress.hold
        case Status.NEEDS_ATTENTION | Status.FAILED | Status.NOT_SERVICEABLE:
            trouble = problem(progress, rules, (now, zone))
            return f"{trouble.message} {trouble.remedy}" if trouble else STATUS_WORDS[shown] + "."
        case Status.CANCELLING:
            return "Cancelled here. Couriers have yet to confirm it: an AWB that still comes is cancelled too."
        case Status.CANCELLED:
            settled = [turn.awb for turn in progress.turns if turn.settled and turn.awb]
            if settled:
                return f"Cancelled. What is left of AWB {listed(settled)}, a person has seen to."
            return "Cancelled. It has no live AWB."
        case Status.DISPATCHED:
            holder = progress.holder
            if holder and holder.state is not State.WON:
                return f"Dispatched. {told_turn(holder, None, rules, now, zone)}"
            return f"With {name_of(holder)} under AWB {holder.awb}." if holder else "With the courier."
        case Status.SCHEDULING | Status.LABEL_REQUESTED | Status.LABEL_READY:
            turn = progress.holder or progress.open_turn
            if turn is None:
                return _told_giving_up(progress, rules, now, zone) or STATUS_WORDS[shown] + "."
            told = told_turn(turn, next_courier(progress, turn), rules, now, zone)
            if turn in progress.outdated:
                return f"It was changed. An AWB for what it was is cancelled when it comes. {told}"
            return " ".join([*_told_refusals(progress, turn, rules), told])


_COMING_BACK: Mapping[State, str] = {
    State.RETURNING: "{name} is asked to bring back AWB {awb} (RTO).",
    State.RETURNED: "{name} brings back AWB {awb} (RTO), and charges for it.",
}


def told_return(progress: Progress) -> str:
    """What was dispatched and is to come back; blank where it is not. That a courier will not is a problem's to say."""
    holder = progress.holder
    words = _COMING_BACK.get(holder.state, "") if holder else ""
    return words.format(name=name_of(holder), awb=holder.awb) if holder else ""


def asked_after(progress: Progress, turn: Turn) -> Courier | None:
    """Who is asked once `turn` has ended without a label, or its AWB is given up."""
    if progress.cancel_asked or turn not in progress.run_turns:
        return None
    tried = max(other.priority for other in progress.run_turns)
    return progress.couriers[tried] if tried < len(progress.couriers) else None


def _told_giving_up(progress: Progress, rules: Rules, now: datetime, zone: tzinfo) -> str:
    """An AWB is being cancelled before anybody else is asked; blank where none is."""
    turn = next((turn for turn in progress.extras if turn.state is State.SURPLUS), None)
    if turn is None:
        return ""
    after = asked_after(progress, turn)
    if after:
        then = f"{after.name} is asked once that is confirmed."
    elif progress.schedule_asked:
        then = "The changed shipment is booked once that is confirmed."
    else:
        then = "It can then be scheduled again."
    return f"{told_turn(turn, None, rules, now, zone)} {then}"


def told_briefly(progress: Progress, rules: Rules, now: datetime, zone: tzinfo) -> str:
    """What a line of a list has room for beside the status: blank where that says it all."""
    shown = status(progress)
    if shown in (Status.CREATED, Status.CANCELLED, Status.DISPATCHED):
        return ""
    if trouble := problem(progress, rules):
        return trouble.message.removeprefix("No courier took it. ")
    turn = progress.holder or progress.open_turn
    if turn is None:
        return _told_giving_up(progress, rules, now, zone)
    if turn.state is State.WON:
        return ""
    if turn.state is State.WAITING and turn.due_at and not turn.tries:
        after = next_courier(progress, turn)
        ends_at = window_ends_at(turn, rules)
        then = f", {after.name} at {clock(ends_at, now, zone)}" if after and ends_at else ""
        return f"next {clock(turn.due_at, now, zone)}{then}"
    if turn.state is State.FETCHING:
        return "booked, label on its way"
    return told_turn(turn, next_courier(progress, turn), rules, now, zone)


def _no_label(turn: Turn, rules: Rules) -> str:
    """A person may end a turn, and another's label may come first."""
    ran = turn.lapsed_at - turn.asked_at if turn.lapsed_at and turn.asked_at else None
    if ran is not None and ran < (rules.polls_max - 0.5) * rules.poll_interval:
        return f"{name_of(turn)}'s turn was ended before its time was over."
    return f"{name_of(turn)} gave no label in its time."


def _told_refusals(progress: Progress, turn: Turn, rules: Rules) -> list[str]:
    """Why those before were passed over: only while the question is open, else it is history."""
    if turn.state not in (State.ASKING, State.UNCLEAR, State.WAITING):
        return []
    passed = [other for other in progress.run_turns if 0 < other.priority < turn.priority]
    return [
        f"{name_of(other)} refused: {said(other.message, other.code)}"
        if other.state is State.REFUSED
        else _no_label(other, rules)
        for other in passed
        if other.state in (State.REFUSED, State.LAPSED)
    ]
