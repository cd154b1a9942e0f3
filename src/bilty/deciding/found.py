"""What a reconciliation finds: an AWB under a reference of ours that Bilty had given up, or books that differ. Pure."""

from datetime import datetime
from enum import StrEnum

from bilty.reply import Label
from bilty.turn import Kind, Rules, Step, Turn
from bilty.workflow import Progress, hear, lapsed, put


class Difference(StrEnum):
    """How ClickPost's books differ from ours."""

    TAKEN_IN = "taken_in"  # they had an AWB that we had not: it is the turn's now
    ANOTHER_AWB = "another_awb"  # under one reference they have one, and we another
    CANCELLED_THERE = "cancelled_there"  # the AWB has the shipment here, and is void there
    UNKNOWN_THERE = "unknown_there"  # they know neither the AWB nor its reference


def found(
    progress: Progress, turn: Turn, label: Label, now: datetime, rules: Rules, *, foreign_awb: bool = False
) -> Progress:
    """The shipment after an AWB was found under the reference of a turn that nobody inquires about any more.

    The turn was not over after all: it lapsed, and its label comes late.
    """
    if turn.step is not Step.INQUIRE:
        if turn.awb or turn.courier is None or turn.kind not in (Kind.OVER, Kind.OPEN):
            return progress
        turn = lapsed(turn, now, now)
        progress = put(progress, turn)
    return hear(progress, turn, Step.INQUIRE, label, now, rules, foreign_awb=foreign_awb)
