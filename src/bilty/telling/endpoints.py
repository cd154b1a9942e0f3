"""Hand-off in words: what an event is, how an endpoint is, and how far the telling of one event is."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Protocol

from bilty.hand_off import EventKind
from bilty.telling.phrases import clock
from bilty.words import counted, day, sentence

EVENT_WORDS: Mapping[EventKind, str] = {
    EventKind.LABEL_REQUESTED: "Label requested",
    EventKind.LABEL_READY: "Label ready",
    EventKind.COURIER_CHANGED: "Courier changed",
    EventKind.CHANGED: "Changed",
    EventKind.DISPATCHED: "Dispatched",
    EventKind.NEEDS_ATTENTION: "Needs attention",
    EventKind.FAILED: "Failed",
    EventKind.CANCELLED: "Cancelled",
}
EVENT_HELP: Mapping[EventKind, str] = {
    EventKind.LABEL_REQUESTED: "A courier has the booking, and its label is waited for.",
    EventKind.LABEL_READY: "AWB, waybills of the boxes and the label are there.",
    EventKind.COURIER_CHANGED: "Another courier than before has it, or is asked for it.",
    EventKind.CHANGED: "Its boxes, address or papers were changed: the AWB and the label that it had are void.",
    EventKind.DISPATCHED: "Its courier has its boxes.",
    EventKind.NEEDS_ATTENTION: "It waits for a person's decision in Bilty.",
    EventKind.FAILED: "Each courier refused it, or none serves the lane.",
    EventKind.CANCELLED: "It is cancelled, and each AWB with it.",
}


class Endpoint(Protocol):
    """How an endpoint is."""

    @property
    def code(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def failing_since(self) -> datetime | None: ...
    @property
    def disabled_at(self) -> datetime | None: ...
    @property
    def disabled_why(self) -> str: ...


class Delivery(Protocol):
    """One event for one endpoint, and how far it is."""

    @property
    def state(self) -> str: ...
    @property
    def tries(self) -> int: ...
    @property
    def last_at(self) -> datetime | None: ...
    @property
    def why(self) -> str: ...
    @property
    def next_at(self) -> datetime | None: ...
    @property
    def behind(self) -> bool: ...
    @property
    def out(self) -> bool: ...
    @property
    def stopped(self) -> bool: ...


def told_endpoint(endpoint: Endpoint, last: str, now: datetime, zone: tzinfo) -> str:
    """What is wrong with it, blank while it is well. `last`: the answer to the last failed try, if that is known."""
    if not endpoint.enabled:
        return f"{endpoint.code} is switched off: it is told nothing, and what happens meanwhile is not kept for it."
    if endpoint.disabled_at is not None:
        since = clock(endpoint.disabled_at, now, zone)
        return (
            f"Bilty disabled the hand-off endpoint {endpoint.code} at {since}: {sentence(endpoint.disabled_why)} "
            "What happens is kept for it, and goes out when it is enabled again."
        )
    if endpoint.failing_since is not None:
        answered = f" {sentence(last)}" if last else ""
        return (
            f"{endpoint.code} has received nothing since {clock(endpoint.failing_since, now, zone)}.{answered} "
            "Bilty keeps trying; after 3 days without success it disables the endpoint."
        )
    return ""


def told_delivery(delivery: Delivery, now: datetime, zone: tzinfo) -> str:
    """In a sentence or two: received, given up, or what it waits for."""
    if delivery.state == "delivered":
        return f"Received {_at(delivery.last_at, now, zone)}{_after(delivery.tries)}."
    why = f"{sentence(delivery.why)} " if delivery.why else ""
    if delivery.state == "given_up" and not delivery.tries:
        return f"{why}Not sent."
    if delivery.state == "given_up":
        when = _at(delivery.last_at, now, zone)
        return f"{why}Given up {when} after {counted(delivery.tries, 'try', 'tries')}."
    if delivery.behind:
        return "Waits for the one before it of this shipment."
    tried = f"{why}Tried {_times(delivery.tries)}" if delivery.tries else "Not tried yet"
    if delivery.out:
        return f"{tried}, and is being told now." if delivery.tries else "Is being told now."
    if delivery.stopped:
        return f"{tried}; it goes out when the endpoint is enabled again."
    if delivery.next_at is None or delivery.next_at <= now:
        return f"{tried}; goes out now." if delivery.tries else "Goes out now."
    return f"{tried}; next at {clock(delivery.next_at, now, zone)}."


def _at(moment: datetime | None, now: datetime, zone: tzinfo) -> str:
    """To the second, so that it can be compared with when it happened."""
    if moment is None:
        return "at once"
    local = moment.astimezone(zone)
    time = f"{local:%H:%M:%S}"
    return f"at {time}" if local.date() == now.astimezone(zone).date() else f"on {day(local.date())}, {time}"


def _after(tries: int) -> str:
    return f", at try {tries}" if tries > 1 else ""


def _times(tries: int) -> str:
    return {1: "once", 2: "twice"}.get(tries, f"{tries} times")
