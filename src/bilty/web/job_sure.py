"""What a person is asked before many shipments are acted upon, where it cannot be taken back or may end otherwise."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bilty.store.jobs import JobKind, Risks
from bilty.telling.acts import FINAL
from bilty.words import grouped

CHANGED = "What you chose has changed since you were asked: look once more."


@dataclass(frozen=True, slots=True)
class Question:
    """`sure` stands for all that was asked: an answer that gives another was to another question."""

    heading: str
    tells: tuple[str, ...]
    yes: str
    no: str
    is_danger: bool
    sure: str


def question(kind: JobKind, chosen: Sequence[int], risks: Risks, printed: str) -> Question | None:
    """None where nothing needs to be asked. `printed`: which labels of theirs are on paper, by whom."""
    shipments = "1 shipment" if len(chosen) == 1 else f"{grouped(len(chosen))} shipments"
    asked = f"{kind} {sorted(chosen)} {risks}"
    sure = hashlib.sha256(asked.encode()).hexdigest()
    if kind is JobKind.CANCEL:
        tells = [_what_cancelling_does(len(chosen)), _printed(risks.printed, len(chosen), printed), FINAL]
        no = "Keep it" if len(chosen) == 1 else "Keep them"
        return Question(f"Cancel {shipments}?", _said(tells), f"Cancel {shipments}", no, is_danger=True, sure=sure)
    if kind is JobKind.DISPATCH:
        yes = f"Mark {shipments} dispatched"
        no = "No, go back"
        return Question(f"{yes}?", (_what_dispatching_does(len(chosen)), FINAL), yes, no, is_danger=False, sure=sure)
    if kind is JobKind.SCHEDULE_AGAIN and risks.late:
        tells = ["The couriers are asked anew, in ClickPost's order.", _late(risks.late, len(chosen))]
        yes = f"Schedule {shipments} again"
        return Question(f"{yes}?", _said(tells), yes, "No, go back", is_danger=False, sure=sure)
    return None


def _said(tells: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in tells if each)


def _what_cancelling_does(count: int) -> str:
    awb = "its AWB is cancelled with the courier" if count == 1 else "each AWB is cancelled with its courier"
    return (
        f"No courier is asked any more, and {awb}; one that still comes is cancelled, too. "
        "What a courier has already picked up is left as it is and shown to you."
    )


def _what_dispatching_does(count: int) -> str:
    them = "it" if count == 1 else "them"
    return (
        f"The courier has {them}: from now on nothing of {them} is changed or cancelled. What has gone is only brought "
        "back by a return (RTO), which is charged."
    )


def _printed(count: int, among: int, which: str) -> str:
    if not count:
        return ""
    have = _some(count, among, "It has a printed label", "has a printed label", "have printed labels")
    return f"{have}. {which or 'Destroy every copy.'}"


def _late(count: int, among: int) -> str:
    have = _some(
        count,
        among,
        "It was with a courier who may still book it",
        "was with a courier who may still book it",
        "were with couriers who may still book them",
    )
    return f"{have}; a late label of such a courier is cancelled or offered to you, never printed."


def _some(count: int, among: int, the_only: str, one: str, many: str) -> str:
    if among == 1:
        return the_only
    return f"1 of them {one}" if count == 1 else f"{grouped(count)} of them {many}"
