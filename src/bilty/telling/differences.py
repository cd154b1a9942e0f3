"""Where ClickPost's books and ours differ, and what a person can do about it."""

from datetime import datetime
from typing import Protocol

from bilty.deciding.found import Difference
from bilty.deciding.refusals import stands
from bilty.reply import Courier
from bilty.telling.phrases import span
from bilty.turn import Turn
from bilty.words import counted, grouped, sentence


def told_difference(
    kind: Difference, courier: Courier, turn: Turn, awb: str, their_awb: str, message: str
) -> tuple[str, str]:
    """What is the matter, and the remedy. `awb` is ours; where it was taken in, theirs. `message` is their word."""
    words = f" ({message.rstrip('.')})" if message else ""
    match kind:
        case Difference.TAKEN_IN:
            told = f"ClickPost had AWB {awb} of {courier.name} under reference {turn.reference}, and Bilty had not."
            return told, f"It is taken in, and needs nobody: {stands(turn)}"
        case Difference.ANOTHER_AWB:
            told = (
                f"Under reference {turn.reference} ClickPost has AWB {their_awb} of {courier.name}, and Bilty has "
                f"AWB {awb}, which its label bears."
            )
            remedy = (
                "Look the reference up in the ClickPost B2B dashboard, and have the AWB cancelled there that is not "
                "on the boxes."
            )
            return told, remedy
        case Difference.CANCELLED_THERE:
            told = f"AWB {awb} of {courier.name} has the shipment here, and is cancelled at ClickPost{words}."
            remedy = (
                "Do not hand its boxes over with this label. Change the shipment to have it booked anew, or cancel "
                "it; if the courier says that the AWB is good, choose Seen to."
            )
            return told, remedy
        case Difference.UNKNOWN_THERE:
            told = (
                f"ClickPost knows neither AWB {awb} of {courier.name}, which has the shipment here, nor its reference "
                f"{turn.reference}{words}."
            )
            remedy = (
                "Ask the courier about the AWB before the boxes are handed over. If it is not known there either, "
                "change the shipment to have it booked anew, or cancel it; else choose Seen to."
            )
            return told, remedy


class Round(Protocol):
    """How far a comparison has come, or came."""

    @property
    def asked(self) -> int: ...
    @property
    def unanswered(self) -> int: ...
    @property
    def taken_in(self) -> int: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def problem(self) -> str: ...


def told_round(last: Round | None, now: datetime) -> str:
    """When ClickPost's books were last held against ours, and what came of it."""
    if last is None:
        return "ClickPost's books were not compared with Bilty's yet."
    asked = f"{grouped(last.asked)} {'reference' if last.asked == 1 else 'references'} asked about"
    if last.ended_at is None:
        return f"ClickPost's books are being compared with Bilty's: {asked} so far."
    came = f"{counted(last.taken_in, 'AWB')} taken in that Bilty had not" if last.taken_in else "no AWB was missing"
    silent = f", {last.unanswered} without a readable answer" if last.unanswered else ""
    when = f"ClickPost's books were compared with Bilty's {span(now - last.ended_at)} ago: {asked}, {came}{silent}."
    return f"{when} {sentence(last.problem)}" if last.problem else when
