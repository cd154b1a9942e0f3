"""What sentences are made of: names, clock times, spans, and the other side's own words."""

from datetime import datetime, timedelta, tzinfo

from bilty.turn import Turn
from bilty.words import MONTHS
from bilty.workflow import Status

STATUS_WORDS = {
    Status.CREATED: "Created",
    Status.ON_HOLD: "On hold",
    Status.SCHEDULING: "Scheduling",
    Status.LABEL_REQUESTED: "LABEL REQUESTED",
    Status.LABEL_READY: "Success: label ready",
    Status.NEEDS_ATTENTION: "Needs attention",
    Status.NOT_SERVICEABLE: "Not serviceable",
    Status.FAILED: "Failed",
    Status.CANCELLING: "Cancelling",
    Status.CANCELLED: "Cancelled",
    Status.DISPATCHED: "Dispatched",
}


def clock(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """10:10; with its seconds where they matter; with its day where it is another."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    soon = abs(moment - now) < timedelta(minutes=1)
    time = f"{local:%H:%M:%S}" if soon else f"{local:%H:%M}"
    return time if local.date() == today else f"{local.day} {MONTHS[local.month - 1]}, {time}"


def told_deadline(due_at: datetime, now: datetime, zone: tzinfo) -> str:
    """Until when a late label may be used."""
    if due_at <= now:
        return "Nobody used it: it is about to be cancelled."
    return f"It is cancelled at {clock(due_at, now, zone)} unless somebody uses it."


def span(length: timedelta) -> str:
    """12 minutes, 2 hours, 45 seconds: the largest unit that loses little."""
    seconds = max(0, round(length.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size * 2 or (seconds >= size and seconds % size == 0):
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def said(message: str, code: int = 0) -> str:
    """The other side's own words as the end of a sentence."""
    words = " ".join(message.split()).rstrip(".") or "it gave no reason"
    return f"{words} (ClickPost code {code})." if code else f"{words}."


def name_of(turn: Turn) -> str:
    return turn.courier.name if turn.courier else "ClickPost"
