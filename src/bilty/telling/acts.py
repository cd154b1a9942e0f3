"""People's acts: what each button says, what may come of it, and what was done.

A risk is told before the act, not after. What has one, or needs something from the person, asks first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bilty.deciding import ActKind, Offer
from bilty.shipment import standing
from bilty.telling.phrases import name_of
from bilty.telling.turns import asked_after
from bilty.turn import Kind, State, Turn
from bilty.words import listed
from bilty.workflow import Progress

FINAL = "This cannot be taken back."


@dataclass(frozen=True, slots=True)
class Button:
    """`risk` is blank where nothing can go wrong. `asks`: the act has a page of its own before it is done."""

    words: str
    risk: str
    asks: bool


NEEDS_INPUT = (ActKind.ENTER_AWB, ActKind.USE_PAPER)

ACT_WORDS: Mapping[ActKind, str] = {
    ActKind.SCHEDULE: "Schedule",
    ActKind.CANCEL: "Cancel the shipment",
    ActKind.POLL_NOW: "Poll now",
    ActKind.FALL_OVER: "Fall over now",
    ActKind.ASK_AGAIN: "Ask again",
    ActKind.NOT_BOOKED: "Not booked: go on",
    ActKind.ENTER_AWB: "Enter its AWB",
    ActKind.FETCH_AGAIN: "Fetch again",
    ActKind.USE_PAPER: "Upload the courier's PDF",
    ActKind.GIVE_UP_AWB: "Cancel this AWB and go on",
    ActKind.USE_LATE: "Use it",
    ActKind.CANCEL_LATE: "Cancel it",
    ActKind.WRONG_AWB: "Wrong AWB: take it back",
    ActKind.GO_ON: "Ask the next courier",
    ActKind.SETTLED: "I have seen to it",
    ActKind.DISPATCH: "Mark dispatched",
    ActKind.ORDER_RETURN: "Order a return (RTO), charged",
}
_RISKS: Mapping[ActKind, str] = {
    ActKind.FALL_OVER: "{name} may still book it. {Next} is asked now; the label that comes first is used, and the "
    "other's AWB is cancelled.",
    ActKind.NOT_BOOKED: "First look up reference {reference} in the ClickPost B2B dashboard. If {name} has booked it "
    "after all, it is booked twice until Bilty hears of it and cancels one of the two. {Then}",
    ActKind.ENTER_AWB: "Copy it from the ClickPost B2B dashboard, where it stands under reference {reference}. Bilty "
    "cannot check it: {wrong}",
    ActKind.USE_PAPER: "It is printed as the label of AWB {awb}: see that this AWB stands on it.",
    ActKind.GIVE_UP_AWB: "AWB {awb} of {name} is cancelled. {Once} " + FINAL,
    ActKind.CANCEL_LATE: "AWB {awb} of {name} is cancelled. " + FINAL,
    ActKind.WRONG_AWB: "AWB {awb} is no longer this shipment's; it is not cancelled. Choose this if {name} has not "
    "booked reference {reference} under it. ClickPost is asked again, and the right AWB can be entered.",
    ActKind.ORDER_RETURN: "{name} is asked to bring back what it has under AWB {awb}, and charges for the way back. "
    + FINAL,
}
_TYPED = " It was entered by hand: if it is mistyped, choose Wrong AWB instead, or another's parcel is cancelled."
_GONE = (
    "The courier has the boxes: from now on nothing of the shipment is changed or cancelled, and it is only brought "
    "back by a return (RTO), which is charged."
)
_NOT_OF_ITSELF = " The shipment as it is now is not booked of itself then: schedule it once its boxes are here."
_SETTLED: Mapping[State, str] = {
    State.LAPSED: "It then counts as failed. Bilty still looks for a late label; should one come, you are asked.",
    State.CONFLICT: "Do so once {name} has told you whose AWB {awb} is. Its label is not used here.",
    State.PICKED_UP: "Do so once {name} brings back what it has under AWB {awb}.",
    State.WON: "Do so once every box has a label of its own: {miscount}",
    State.UNRETURNED: "Do so once {name} has told you what becomes of AWB {awb}.",
    State.UNCANCELLED: "Do so once {name} has told you that AWB {awb} is void. Bilty goes on cancelling it.",
}
_DONE: Mapping[ActKind, str] = {
    ActKind.SCHEDULE: "It is scheduled.",
    ActKind.CANCEL: "It is cancelled here; couriers have yet to confirm it.",
    ActKind.POLL_NOW: "{name} is asked at once; this uses up no poll.",
    ActKind.FALL_OVER: "{name}'s turn has ended, and the next courier is asked.",
    ActKind.ASK_AGAIN: "ClickPost is asked at once whether {name} booked it; that it knows of nothing does not count.",
    ActKind.NOT_BOOKED: "{name}'s turn has ended. Bilty still looks for a label of it.",
    ActKind.ENTER_AWB: "The AWB of {name} is entered.",
    ActKind.FETCH_AGAIN: "{name}'s label is fetched at once.",
    ActKind.USE_PAPER: "The PDF is the label now. Success: label ready.",
    ActKind.GIVE_UP_AWB: "AWB {awb} of {name} is being cancelled.",
    ActKind.USE_LATE: "AWB {awb} of {name} is the shipment's now; its label is being fetched.",
    ActKind.CANCEL_LATE: "AWB {awb} of {name} is being cancelled.",
    ActKind.WRONG_AWB: "AWB {awb} is no longer this shipment's. It was not cancelled.",
    ActKind.GO_ON: "The next courier is asked.",
    ActKind.SETTLED: "It is off the list.",
    ActKind.DISPATCH: "It is dispatched.",
    ActKind.ORDER_RETURN: "{name} is asked to bring back AWB {awb}.",
}


def button(progress: Progress, offer: Offer, *, printed: str = "") -> Button:
    """`printed`: which of its labels are on paper, and must be destroyed."""
    if offer.kind is ActKind.SCHEDULE:
        return _schedule(progress)
    if offer.kind is ActKind.CANCEL:
        return Button(ACT_WORDS[offer.kind], _risk_of_cancel(progress, printed=printed), asks=True)
    if offer.kind is ActKind.DISPATCH:
        return Button(ACT_WORDS[offer.kind], f"{_GONE} {FINAL}", asks=True)
    turn = next(turn for turn in progress.turns if turn.reference == offer.reference)
    risk = _risk(progress, offer.kind, turn)
    if offer.kind is ActKind.GIVE_UP_AWB and turn is progress.holder and printed:
        risk = f"{risk} {printed}"
    return Button(_words(progress, offer.kind, turn), risk, asks=bool(risk) or offer.kind in NEEDS_INPUT)


def told_done(progress: Progress, kind: ActKind, reference: str) -> str:
    """What was done, to the shipment as it was before."""
    turn = next((turn for turn in progress.turns if turn.reference == reference), None)
    return _DONE[kind].format_map({"name": name_of(turn), "awb": turn.awb} if turn else {})


def _schedule(progress: Progress) -> Button:
    if waived := standing(progress.hold):
        risk = f"{waived} Schedule it without only if these goods may move so."
        return Button("Schedule without e-way bill", risk, asks=True)
    if progress.run == 0:
        return Button(ACT_WORDS[ActKind.SCHEDULE], "", asks=False)
    lapsed = list(dict.fromkeys(name_of(turn) for turn in progress.turns if turn.kind is Kind.WATCHED))
    risk = f"{listed(lapsed)} may still book it; a late label is then cancelled or offered to you, never printed."
    return Button("Schedule again", risk if lapsed else "", asks=True)


def _risk_of_cancel(progress: Progress, *, printed: str) -> str:
    holder = progress.holder
    if holder is None:
        return f"No courier is asked any more, and an AWB that still comes is cancelled. {FINAL}"
    label = f" {printed}" if printed else ""
    typed = _TYPED if holder.entered and holder.state is not State.WON else ""
    return f"AWB {holder.awb} of {name_of(holder)} is cancelled with the courier.{typed}{label} {FINAL}"


def _words(progress: Progress, kind: ActKind, turn: Turn) -> str:
    if kind is ActKind.GIVE_UP_AWB and not asked_after(progress, turn):
        return "Cancel this AWB"
    if kind is ActKind.NOT_BOOKED and not asked_after(progress, turn):
        return "Not booked"
    if kind is ActKind.SETTLED and turn.state is State.WON:
        return "It is right"
    return "Use it after all" if kind is ActKind.USE_LATE and turn.state is State.PICKED_UP else ACT_WORDS[kind]


def _risk(progress: Progress, kind: ActKind, turn: Turn) -> str:
    courier = asked_after(progress, turn)
    after = courier.name if courier else ""
    facts = {
        "name": name_of(turn),
        "awb": turn.awb,
        "reference": turn.reference,
        "Next": after or "Nobody else",
        "Then": f"{after} is asked now." if after else "Nobody else is asked of itself.",
        "Once": f"Once that is confirmed, {after} is asked." if after else "It can then be scheduled again.",
        "wrong": _wrong_awb(progress),
        "miscount": turn.miscount,
    }
    if kind is ActKind.SETTLED:
        then = _NOT_OF_ITSELF if turn.state is State.PICKED_UP and progress.schedule_asked else ""
        return _SETTLED[turn.state].format_map(facts) + then
    if kind is ActKind.USE_LATE:
        return _risk_of_use(progress, turn)
    typed = _TYPED if turn.entered and kind in (ActKind.GIVE_UP_AWB, ActKind.CANCEL_LATE) else ""
    return _RISKS.get(kind, "").format_map(facts) + typed


def _wrong_awb(progress: Progress) -> str:
    if progress.holder:
        wherefore = f"{name_of(progress.holder)} has the shipment under AWB {progress.holder.awb}"
    elif progress.cancel_asked:
        wherefore = "the shipment is cancelled"
    else:
        return "a wrong one puts another shipment's label on these boxes, and the true booking is watched no more."
    return f"{wherefore}, so this one is not used. Whether it is cancelled you are asked then."


def _risk_of_use(progress: Progress, turn: Turn) -> str:
    told = []
    if opened := progress.open_turn:
        told.append(f"{name_of(opened)} is no longer waited for; an AWB of it that still comes is cancelled.")
    if turn.state is State.PICKED_UP:
        told.append(f"{name_of(turn)} has picked up under AWB {turn.awb}: it is the shipment's again.")
    if progress.failed_told:
        told.append("Your order system was told that it failed.")
    return " ".join(told)
