"""A line of the timeline as a sentence about the past."""

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Protocol

from bilty.deciding import ActKind
from bilty.telling.afterwards import AFTERWARDS
from bilty.telling.phrases import clock, said
from bilty.turn import Rules, State
from bilty.workflow import Status


class Deed(Protocol):
    """What `actor` did."""

    @property
    def courier(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def actor(self) -> str: ...


class Moment(Deed, Protocol):
    """A line of the timeline: a turn's (`priority` set), the shipment's own, or what a person did (`actor` set)."""

    @property
    def priority(self) -> int | None: ...
    @property
    def polls_done(self) -> int: ...


_TOLD = {
    State.RANKING: "Asked ClickPost which couriers serve this lane.",
    State.RANKED: "ClickPost ranked the couriers.",
    State.UNSERVICEABLE: "ClickPost named no courier for this lane: {words}",
    State.ASKING: "{name}'s turn began (P{priority}).",
    State.UNCLEAR: "{name} was asked; no usable answer came. Asking ClickPost whether it was booked.",
    State.WAITING: "{name} accepted the booking. Its label comes later: LABEL REQUESTED.",
    State.UNDECIDED: "The time is over, and ClickPost has not said whether {name} booked it.",
    State.FETCHING: "{name} booked it and gave the AWB. Fetching its label.",
    State.UNLABELLED: "{name}'s label does not come.",
    State.WON: "{name}'s label is here.",
    State.REFUSED: "{name} refused: {words}",
    State.STOPPED: "{name} refused for a reason that other couriers share: {words}",
    State.WITHDRAWN: "{name} was not asked: it was no longer needed.",
    State.LAPSED: "{name}'s turn ended without a label.",
    State.OFFERED: "{name}'s label came late. It may be used for a while, then it is cancelled.",
    State.SURPLUS: "{name}'s AWB is not wanted. Cancelling it.",
    State.UNCANCELLED: "{name} would not cancel its AWB: {words}",
    State.PICKED_UP: "{name} has already picked up under an AWB that is not wanted.",
    State.CONFLICT: "{name} gave an AWB that is already another's.",
    State.CANCELLED: "{name}'s AWB is cancelled.",
    State.RETURNING: "{name} is asked to bring it back.",
    State.UNRETURNED: "{name} would not bring it back: {words}",
    State.RETURNED: "{name} brings it back.",
}
_TOLD_AGAIN = {
    State.WAITING: "Asked {polls} of {polls_max} times: no label from {name} yet.",
    State.FETCHING: "{name}'s label was not there yet.",
    State.LAPSED: "Looked for a late label of {name}: none.",
}
_TOLD_OWN = {
    Status.CREATED: "Taken in.",
    Status.ON_HOLD: "On hold. {words}",
    Status.SCHEDULING: "Scheduling.",
    Status.LABEL_REQUESTED: "LABEL REQUESTED.",
    Status.LABEL_READY: "Success: label ready.",
    Status.NEEDS_ATTENTION: "Needs attention.",
    Status.NOT_SERVICEABLE: "Not serviceable.",
    Status.FAILED: "Failed: no courier took it.",
    Status.CANCELLING: "Cancelled here; couriers have yet to confirm.",
    Status.CANCELLED: "Cancelled.",
    Status.DISPATCHED: "Handed to the courier.",
}
_TOLD_ACTS: Mapping[str, str] = {
    ActKind.SCHEDULE: "{actor} scheduled it.",
    ActKind.CANCEL: "{actor} cancelled it.",
    ActKind.POLL_NOW: "{actor} had {name} asked at once; that uses up no poll.",
    ActKind.FALL_OVER: "{actor} ended {name}'s turn before its time.",
    ActKind.ASK_AGAIN: "{actor} had ClickPost asked again whether {name} booked it.",
    ActKind.NOT_BOOKED: "{actor} found at ClickPost that {name} has not booked it.",
    ActKind.ENTER_AWB: "{actor} entered {name}'s AWB {message}, as ClickPost shows it.",
    ActKind.FETCH_AGAIN: "{actor} had {name}'s label fetched again.",
    ActKind.USE_PAPER: "{actor} uploaded {name}'s label.",
    ActKind.GIVE_UP_AWB: "{actor} gave up {name}'s AWB: it is cancelled, then the next courier is asked.",
    ActKind.USE_LATE: "{actor} chose to use {name}'s late label.",
    ActKind.CANCEL_LATE: "{actor} chose to cancel {name}'s late AWB.",
    ActKind.WRONG_AWB: "{actor} took back AWB {message}: it is not {name}'s.",
    ActKind.GO_ON: "{actor} let the next courier be asked.",
    ActKind.DISPATCH: "{actor} marked it dispatched.",
    ActKind.ORDER_RETURN: "{actor} ordered its return from {name} (RTO), which is charged.",
    ActKind.SETTLED: "{actor} has seen to {name}'s outside Bilty.",
    "ewaybill": "{actor} saw to its e-way bills. {message}",
    "transporter": "{message}",
    "transporter_changed": "{actor} changed the transporter of {message} at the portal.",
    "amended": "{actor} put it right before anybody was asked. {message}",
    "changed": "{actor} changed it. {message}",
}


def told_moment(moment: Moment, rules: Rules) -> str:
    if moment.actor:
        return _TOLD_ACTS[moment.state].format_map(_facts(moment)).rstrip()
    if moment.state.startswith(AFTERWARDS):
        return moment.message
    if moment.priority is None:
        return _TOLD_OWN[Status(moment.state)].format_map({"words": moment.message}).rstrip()
    state = State(moment.state)
    told = _TOLD_AGAIN.get(state, _TOLD[state]) if moment.polls_done else _TOLD[state]
    return told.format_map(
        {
            "name": moment.courier or "ClickPost",
            "words": said(moment.message),
            "priority": moment.priority,
            "polls": moment.polls_done,
            "polls_max": rules.polls_max,
        }
    )


_FIRST_CLAUSE = re.compile(r"[.,:;](?: .*)?$")


def told_faster(deed: Deed, at: datetime, now: datetime, zone: tzinfo) -> str:
    """What a person did and when, for whoever came second: as short as it goes."""
    did = _FIRST_CLAUSE.sub("", _TOLD_ACTS[deed.state]).format_map(_facts(deed))
    return f"{did} at {clock(at, now, zone)}."


def _facts(deed: Deed) -> dict[str, str]:
    return {"actor": deed.actor, "name": deed.courier or "ClickPost", "message": deed.message}
