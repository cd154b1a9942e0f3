"""Why an act cannot be done, in a sentence; and so which acts can."""

from collections.abc import Mapping
from dataclasses import replace

from bilty.concerns import concerns
from bilty.deciding.acts import PERSON, ActKind, Offer
from bilty.reply import Courier
from bilty.shipment import may_be_waived, standing
from bilty.turn import Kind, State, Turn
from bilty.workflow import Progress

NOT_WHILE_ASKED = {
    ActKind.POLL_NOW,
    ActKind.FALL_OVER,
    ActKind.ASK_AGAIN,
    ActKind.NOT_BOOKED,
    ActKind.ENTER_AWB,
    ActKind.FETCH_AGAIN,
}
"""An answer that is under way may be what the person decides about. The other acts do not mind it."""
_STANDS: Mapping[State, str] = {
    State.RANKING: "ClickPost is still asked which couriers serve the lane.",
    State.RANKED: "ClickPost has ranked the couriers.",
    State.UNSERVICEABLE: "ClickPost names no courier for the lane.",
    State.ASKING: "{name} is about to be asked.",
    State.UNCLEAR: "Bilty is still asking ClickPost whether {name} booked it.",
    State.WAITING: "{name} has accepted it, and its label is waited for.",
    State.UNDECIDED: "Whether {name} booked it is not known.",
    State.FETCHING: "{name} has booked it under AWB {awb}, and its label is being fetched.",
    State.UNLABELLED: "{name} has booked it under AWB {awb}; only its label does not come.",
    State.WON: "{name}'s label is here, under AWB {awb}.",
    State.REFUSED: "{name} has refused.",
    State.STOPPED: "{name} has refused for a reason that other couriers share.",
    State.WITHDRAWN: "{name} was never asked.",
    State.LAPSED: "{name}'s turn has ended without a label.",
    State.OFFERED: "{name}'s label came late, under AWB {awb}, and is to be used or cancelled.",
    State.SURPLUS: "{name}'s AWB {awb} is being cancelled.",
    State.UNCANCELLED: "{name} does not cancel AWB {awb}.",
    State.PICKED_UP: "{name} has picked up under AWB {awb}.",
    State.CONFLICT: "{name} gave AWB {awb}, which is already another's.",
    State.CANCELLED: "{name}'s AWB {awb} is cancelled.",
    State.RETURNING: "{name} is asked to bring AWB {awb} back.",
    State.UNRETURNED: "{name} does not bring AWB {awb} back.",
    State.RETURNED: "{name} brings AWB {awb} back.",
}
CANCELLED = "The shipment is cancelled: nothing is booked for it any more."
DISPATCHED = "The shipment is with the courier."
ASK_FOR_RETURN = f"{DISPATCHED} It can only be brought back: an admin may order a return (RTO), which is charged."


def possible(progress: Progress, *, call_out: frozenset[str] = frozenset()) -> tuple[Offer, ...]:
    """The acts that may be done now, those of the turns first. `call_out`: of these references a call is out."""
    offers = [
        Offer(kind, turn.reference, _asked(kind, turn, call_out))
        for turn in progress.turns
        for kind, states in PERSON.items()
        if turn.state in states and not why_not_turn(progress, kind, turn)
    ]
    if not why_not_schedule(_looked_at_anew(progress), without_ewaybill=True):
        offers.append(Offer(ActKind.SCHEDULE, couriers=ranked_before(progress)))
    if not why_not_cancel(progress):
        offers.append(Offer(ActKind.CANCEL))
    if not why_not_dispatch(progress):
        offers.append(Offer(ActKind.DISPATCH))
    return tuple(offers)


def why_not_now(progress: Progress, kind: ActKind, reference: str, *, call_out: frozenset[str] = frozenset()) -> str:
    """Why an act of this kind cannot be done, whatever else it says; blank where it can."""
    if kind is ActKind.SCHEDULE:
        return why_not_schedule(_looked_at_anew(progress), without_ewaybill=True)
    if kind is ActKind.CANCEL:
        return why_not_cancel(progress)
    if kind is ActKind.DISPATCH:
        return why_not_dispatch(progress)
    turn = turn_of(progress, reference)
    return why_not(progress, kind, turn, call_out) if turn else unknown_turn(reference)


def turn_of(progress: Progress, reference: str) -> Turn | None:
    return next((turn for turn in progress.turns if turn.reference == reference), None)


def unknown_turn(reference: str) -> str:
    return f"This shipment has no turn of the reference {reference[:40]}."


def ranked_before(progress: Progress) -> tuple[Courier, ...]:
    """Every courier that ClickPost ranked for the shipment, the latest ranking first."""
    ranked = [courier for turn in reversed(progress.turns) for courier in turn.couriers]
    return tuple({courier.identity: courier for courier in reversed(ranked)}.values())[::-1]


def why_not_schedule(progress: Progress, courier: Courier | None = None, *, without_ewaybill: bool = False) -> str:
    if progress.dispatched:
        return DISPATCHED
    if progress.cancel_asked:
        return CANCELLED
    if progress.outdated:
        return f"{stands(progress.outdated[0])} It was asked before the shipment was changed: that must be over first."
    if turn := progress.holder or progress.open_turn:
        return f"It is scheduled already. {stands(turn)}"
    if progress.extras:
        return f"{stands(progress.extras[0])} Nobody else is asked before that is settled."
    if courier and courier.identity not in {each.identity for each in ranked_before(progress)}:
        return f"ClickPost has not ranked {courier.name} for this shipment."
    return "" if without_ewaybill and may_be_waived(progress.hold) else progress.hold


def _looked_at_anew(progress: Progress) -> Progress:
    """That its days did not fit is no reason not to try: whoever schedules it has them looked at anew."""
    return replace(progress, hold=standing(progress.hold))


def why_not_cancel(progress: Progress) -> str:
    if progress.dispatched:
        return ASK_FOR_RETURN
    return "The shipment is cancelled already." if progress.cancel_asked else ""


def why_not_dispatch(progress: Progress) -> str:
    if progress.dispatched:
        return DISPATCHED
    if progress.cancel_asked:
        return CANCELLED
    holder = progress.holder
    return "" if holder and holder.state is State.WON else "It has no label yet: no courier can have taken it."


def why_not_amend(progress: Progress, call_out: frozenset[str]) -> str:
    """`call_out` as for `possible`. What is merely watched, or being cancelled, ends the same whatever the answer."""
    if progress.dispatched:
        return f"{DISPATCHED} What it is cannot be changed any more."
    if progress.cancel_asked:
        return CANCELLED
    asked = [turn for turn in progress.turns if turn.kind in (Kind.OPEN, Kind.HOLDS) and turn.reference in call_out]
    return _under_way(asked[0]) if asked else ""


def why_not(progress: Progress, kind: ActKind, turn: Turn, call_out: frozenset[str]) -> str:
    return why_not_turn(progress, kind, turn) or _asked(kind, turn, call_out)


def why_not_turn(progress: Progress, kind: ActKind, turn: Turn) -> str:
    """Whatever call is out."""
    if turn.state not in PERSON[kind]:
        return stands(turn)
    match kind:
        case ActKind.POLL_NOW | ActKind.ASK_AGAIN if turn.planned_due is not None:
            return f"{_name(turn)} is about to be asked."
        case ActKind.FALL_OVER | ActKind.GO_ON:
            return _why_nobody_next(progress, turn)
        case ActKind.ORDER_RETURN if not progress.dispatched:
            return "The shipment is not dispatched: cancel it, which is not charged."
        case ActKind.GIVE_UP_AWB | ActKind.WRONG_AWB if progress.dispatched and turn.kind is Kind.HOLDS:
            return DISPATCHED
        case ActKind.GIVE_UP_AWB if turn.state is State.WON and not turn.miscount:
            return stands(turn)
        case ActKind.WRONG_AWB if not turn.entered:
            return f"AWB {turn.awb} was not entered by a person: ClickPost named it."
        case ActKind.USE_LATE:
            return _why_not_use(progress, turn)
        case ActKind.SETTLED if turn.reference not in {shown.reference for _, shown in concerns(progress)}:
            return f"There is nothing to be seen to. {stands(turn)}"
        case _:
            return ""


def _why_nobody_next(progress: Progress, turn: Turn) -> str:
    """Were `turn` to end now."""
    if progress.cancel_asked:
        return CANCELLED
    if turn.version < progress.version:
        return f"The shipment was changed since {_name(turn)} was asked: what comes of that is cancelled."
    if turn.run != progress.run:
        return "The shipment was scheduled again since."
    others = [other for other in progress.turns if other is not turn]
    for other in others:
        if other.kind in (Kind.HOLDS, Kind.OPEN) or (other.settled and other.run == turn.run):
            return stands(other)
    if progress.extras:
        return stands(progress.extras[0])
    if turn.priority >= len(progress.couriers):
        return "No courier is left to ask."
    return ""


def _why_not_use(progress: Progress, turn: Turn) -> str:
    if progress.cancel_asked:
        return CANCELLED
    if progress.holder:
        return stands(progress.holder)
    if turn.version < progress.version:
        return f"The shipment has changed since {_name(turn)} was asked: that label is not of what is to be sent."
    others = [other for other in progress.live_extras if other is not turn]
    return stands(others[0]) if others else ""


def _asked(kind: ActKind, turn: Turn, call_out: frozenset[str]) -> str:
    if kind not in NOT_WHILE_ASKED or turn.reference not in call_out:
        return ""
    return _under_way(turn)


def _under_way(turn: Turn) -> str:
    if turn.courier is None:
        return "ClickPost is being asked which couriers serve the lane right now; its answer comes within two minutes."
    return f"ClickPost is being asked about {_name(turn)}'s booking right now; its answer comes within two minutes."


def stands(turn: Turn) -> str:
    """Where a turn stands, in a sentence, for whoever wanted it to stand elsewhere."""
    return _STANDS[turn.state].format_map({"name": _name(turn), "awb": turn.awb})


def _name(turn: Turn) -> str:
    return turn.courier.name if turn.courier else "ClickPost"
