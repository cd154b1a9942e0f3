"""Why a shipment waits for a person, and what that person can do."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from bilty.concerns import Concern, concerns
from bilty.shipment import lacks_data, standing
from bilty.telling.phrases import name_of, said, span, told_deadline
from bilty.turn import Rules, State, Turn
from bilty.words import listed
from bilty.workflow import Progress, Status, status


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a shipment waits for a person. `code` is for programs; `remedy` says what the reader can do."""

    code: str
    message: str
    remedy: str


CONCERN_WORDS = {
    Concern.UNDECIDED: "Booked or not?",
    Concern.UNLABELLED: "AWB without a label",
    Concern.STOPPED: "Refused for all",
    Concern.OFFERED: "Late label",
    Concern.UNCANCELLED: "Not cancelled",
    Concern.PICKED_UP: "Picked up, not wanted",
    Concern.CONFLICT: "AWB of another",
    Concern.NO_LABEL: "No label came",
    Concern.MISCOUNTED: "Box count differs",
    Concern.OUTDATED: "Old version open",
    Concern.UNRETURNED: "Not brought back",
}
"""What a shipment waits for, in the words of a tab."""


_EWAYBILL_REMEDY = "If its goods may move without, choose Schedule without e-way bill."
_DATA_REMEDY = "Nothing is booked before the order system has sent it again with what is missing; or cancel it."


_DAYS_REMEDY = "Then schedule it: its days are looked at anew."


def _remedy_of(hold: str) -> str:
    if lacks_data(hold):
        return _DATA_REMEDY
    return _EWAYBILL_REMEDY if standing(hold) else _DAYS_REMEDY


def problem(progress: Progress, rules: Rules | None, at: tuple[datetime, tzinfo] | None = None) -> Problem | None:
    """What a person must see: None while everything goes its way. Without `rules` no wait is told in minutes.

    `at` is when and where it is read: without it nothing is told by the clock.
    """
    shown = status(progress)
    if shown is Status.ON_HOLD:
        return Problem("on_hold", progress.hold, _remedy_of(progress.hold))
    if shown is Status.NOT_SERVICEABLE:
        return _not_serviceable(progress)
    if shown is Status.FAILED:
        return _failed(progress)
    found = concerns(progress)
    if not found:
        return None
    if all(concern is Concern.NO_LABEL for concern, _ in found):
        return _no_label(progress, [turn for _, turn in found], rules)
    told = [_concern(progress, concern, turn, _until(turn, rules, at)) for concern, turn in found]
    # One code for programs: the first. A person is told of all.
    remedies = dict.fromkeys(each.remedy for each in told)
    return Problem(told[0].code, " ".join(each.message for each in told), " ".join(remedies))


def _not_serviceable(progress: Progress) -> Problem:
    words = next((turn.message for turn in progress.run_turns if turn.state is State.UNSERVICEABLE), "")
    because = f" It says: {said(words)}" if words else ""
    return Problem(
        "not_serviceable",
        f"ClickPost names no courier for this lane.{because}",
        "Check the PIN codes, or add a courier for the lane in the ClickPost B2B dashboard; then schedule it again.",
    )


def _failed(progress: Progress) -> Problem:
    refused = [turn for turn in progress.run_turns if turn.state is State.REFUSED]
    words = [f"{name_of(turn)}: {said(turn.message, turn.code)}" for turn in refused]
    given_up = [turn for turn in progress.run_turns if turn.state is State.CANCELLED]
    words += [f"AWB {turn.awb} of {name_of(turn)} was given up and is cancelled." for turn in given_up]
    settled = list(dict.fromkeys(name_of(turn) for turn in progress.turns if turn.settled))
    words += [f"What was open with {listed(settled)}, a person has seen to."] if settled else []
    return Problem(
        "failed",
        " ".join(["No courier took it.", *words]),
        "Put right what they name, or change the couriers' order in the ClickPost B2B dashboard; "
        "then schedule it again.",
    )


def _no_label(progress: Progress, lapsed: list[Turn], rules: Rules | None) -> Problem:
    waited = f"within {span(rules.poll_interval * rules.polls_max)}" if rules else "in time"
    refused = [turn for turn in progress.run_turns if turn.state is State.REFUSED]
    words = [f"{name_of(turn)} refused: {said(turn.message, turn.code)}" for turn in refused]
    silent = f"{listed([name_of(turn) for turn in lapsed])} gave no label {waited}; one may still come."
    return Problem(
        Concern.NO_LABEL,
        " ".join([silent, *words]),
        "Ask the courier by the reference. Or choose Schedule again: a late label is then cancelled or offered to you. "
        "If it is booked elsewhere, choose I have seen to it.",
    )


_TOLD = {
    Concern.UNDECIDED: (
        "ClickPost gave no usable answer on whether {name} booked it under reference {reference}.",
        (
            "Look the reference up in the ClickPost B2B dashboard. If it is there, choose Enter its AWB; if not, Not "
            "booked. Nobody else is asked until it is known, so that nothing is booked twice."
        ),
    ),
    Concern.UNLABELLED: (
        "{name} booked it under AWB {awb}, but its label does not come.",
        (
            "Ask {name} for the label of AWB {awb} and choose Upload the courier's PDF, or Cancel this AWB. Bilty "
            "keeps trying."
        ),
    ),
    Concern.STOPPED: (
        "{name} refused for a reason that other couriers share: {words}",
        "Put right what it names, then choose Schedule again; or ask the next courier all the same.",
    ),
    Concern.OFFERED: (
        "{name}'s label came late: AWB {awb}.",
        "Choose Use it or Cancel it; nobody else is asked before. {until}",
    ),
    Concern.UNCANCELLED: (
        "{name} will not cancel AWB {awb}, which is not wanted: {words}",
        "Ask {name} to cancel AWB {awb}, then choose I have seen to it; Bilty keeps trying.",
    ),
    Concern.PICKED_UP: (
        "{name} has picked up under AWB {awb}, which is not wanted.",
        "Ask {name} to return what it has under AWB {awb}, then choose I have seen to it.",
    ),
    Concern.CONFLICT: (
        "{name} gave AWB {awb}, which is already another's.",
        "Ask {name} whose AWB {awb} is, then choose I have seen to it; its label is not used here.",
    ),
    Concern.OUTDATED: (
        "{name} may still book what the shipment was before it was changed, under reference {reference}.",
        (
            "Look the reference up in the ClickPost B2B dashboard, or ask {name}. If it is not booked, choose I have "
            "seen to it; nothing is booked as it is now before."
        ),
    ),
    Concern.UNRETURNED: (
        "{name} will not bring back AWB {awb}: {words}",
        "Ask {name} about AWB {awb}; then choose Order a return again, or I have seen to it.",
    ),
    Concern.MISCOUNTED: (
        "{name}'s waybills do not fit the boxes of AWB {awb}: {miscount}",
        "Look at the label. If every box has a page of its own, choose It is right; otherwise Cancel this AWB.",
    ),
    Concern.NO_LABEL: ("{name} gave no label in its time; one may still come.", "Ask {name} by reference {reference}."),
}


_USE_AFTER_ALL = " Or choose Use it after all, if the boxes may travel under it."
_TYPED = (
    "AWB {awb} was entered for {name}, and it is not the shipment's: it came late, or is not wanted.",
    "See that it is {name}'s for reference {reference}. If so, choose {what}; if it was mistyped, Wrong AWB.",
)


def _until(turn: Turn, rules: Rules | None, at: tuple[datetime, tzinfo] | None) -> str:
    """How long a late label may be used."""
    if at and turn.due_at:
        return told_deadline(turn.due_at, *at)
    return f"Left alone{f' for {span(rules.late_label_wait)}' if rules else ''}, it is cancelled."


def _concern(progress: Progress, concern: Concern, turn: Turn, until: str) -> Problem:
    message, remedy = _TYPED if concern is Concern.OFFERED and turn.entered else _TOLD[concern]
    if concern is Concern.UNLABELLED and turn.entered:
        remedy += " If it was mistyped, choose Wrong AWB."
    if concern is Concern.PICKED_UP and not (progress.holder or progress.cancel_asked):
        is_old = turn.version < progress.version
        remedy += " Then schedule it as it is now." if is_old else _USE_AFTER_ALL
    words = {
        "name": name_of(turn),
        "reference": turn.reference,
        "awb": turn.awb,
        "words": said(turn.message, turn.code),
        "miscount": turn.miscount,
        "until": until,
        "what": "Cancel it"
        if progress.holder or progress.cancel_asked or turn.version < progress.version
        else "Use it or Cancel it",
    }
    return Problem(concern, message.format_map(words), remedy.format_map(words))
