"""Why a shipment waits for a person, and what that person can do."""

from dataclasses import dataclass

from bilty.telling.phrases import name_of, said, span
from bilty.turn import Rules, State, Turn
from bilty.words import listed
from bilty.workflow import Concern, Progress, Status, concerns, status


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a shipment waits for a person. `code` is for programs; `remedy` says what the reader can do."""

    code: str
    message: str
    remedy: str


def problem(progress: Progress, rules: Rules) -> Problem | None:
    """What a person must see: None while everything goes its way."""
    shown = status(progress)
    if shown is Status.ON_HOLD:
        return Problem(
            "on_hold",
            progress.hold,
            'If its goods may move without, schedule it so: {"without_ewaybill": true} in the API.',
        )
    if shown is Status.NOT_SERVICEABLE:
        return _not_serviceable(progress)
    if shown is Status.FAILED:
        return _failed(progress)
    found = concerns(progress)
    if not found:
        return None
    if all(concern is Concern.NO_LABEL for concern, _ in found):
        return _no_label(progress, [turn for _, turn in found], rules)
    told = [_concern(concern, turn) for concern, turn in found]
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
    words = " ".join(f"{name_of(turn)}: {said(turn.message, turn.code)}" for turn in refused)
    return Problem(
        "failed",
        f"No courier took it. {words}".rstrip(),
        "Put right what they name, or change the couriers' order in the ClickPost B2B dashboard; "
        "then schedule it again.",
    )


def _no_label(progress: Progress, lapsed: list[Turn], rules: Rules) -> Problem:
    waited = span(rules.poll_interval * rules.polls_max)
    refused = [turn for turn in progress.run_turns if turn.state is State.REFUSED]
    words = [f"{name_of(turn)} refused: {said(turn.message, turn.code)}" for turn in refused]
    silent = f"{listed([name_of(turn) for turn in lapsed])} gave no label within {waited}; one may still come."
    return Problem(
        Concern.NO_LABEL,
        " ".join([silent, *words]),
        "Ask the courier by the reference, or schedule it again: a late label is then cancelled, never printed.",
    )


_TOLD = {
    Concern.UNDECIDED: (
        "ClickPost gave no usable answer on whether {name} booked it under reference {reference}.",
        "Look the reference up in the ClickPost B2B dashboard: nobody else is asked until it is known, so that "  # noqa: ISC004 - one sentence
        "nothing is booked twice.",
    ),
    Concern.UNLABELLED: (
        "{name} booked it under AWB {awb}, but its label does not come.",
        "Ask {name} for the label of AWB {awb}; Bilty keeps trying.",
    ),
    Concern.STOPPED: (
        "{name} refused for a reason that other couriers share: {words}",
        "Put right what it names, then schedule it again.",
    ),
    Concern.OFFERED: (
        "{name}'s label came late: AWB {awb}.",
        "Decide whether it is used or cancelled; nobody else is asked before.",
    ),
    Concern.UNCANCELLED: (
        "{name} will not cancel AWB {awb}, which is one too many: {words}",
        "Ask {name} to cancel AWB {awb}; Bilty keeps trying.",
    ),
    Concern.PICKED_UP: (
        "{name} has picked up under AWB {awb}, which is one too many.",
        "Ask {name} to return what it has under AWB {awb}.",
    ),
    Concern.CONFLICT: (
        "{name} gave AWB {awb}, which is already another's.",
        "Ask {name} whose AWB {awb} is; its label is not used here.",
    ),
    Concern.NO_LABEL: ("{name} gave no label in its time; one may still come.", "Ask {name} by reference {reference}."),
}


def _concern(concern: Concern, turn: Turn) -> Problem:
    message, remedy = _TOLD[concern]
    words = {
        "name": name_of(turn),
        "reference": turn.reference,
        "awb": turn.awb,
        "words": said(turn.message, turn.code),
    }
    return Problem(concern, message.format_map(words), remedy.format_map(words))
