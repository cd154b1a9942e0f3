"""Labels that are on paper, and who put them there: to be destroyed before they go on a box."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from bilty.telling.phrases import clock
from bilty.words import grouped, listed


class Printed(Protocol):
    """What one person printed of one label: `copies` of it, each a sheet for every one of its `boxes`."""

    @property
    def boxes(self) -> int: ...
    @property
    def copies(self) -> int: ...
    @property
    def by(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def told_destroy(labels: Sequence[Printed], now: datetime, zone: tzinfo) -> str:
    """Destroy 7 printed labels: asha@example.com printed them at 10:02. Blank where none was printed."""
    people = list(dict.fromkeys(each.by for each in labels))
    theirs = [[each for each in labels if each.by == person] for person in people]
    if not theirs:
        return ""
    sheets = sheets_of(labels)
    told = f"Destroy {grouped(sheets)} printed label{'' if sheets == 1 else 's'}: "
    if len(theirs) == 1:
        return f"{told}{people[0]} printed {'it' if sheets == 1 else 'them'}{_when(theirs[0], now, zone)}."
    each_told = [f"{each[0].by} printed {grouped(sheets_of(each))}{_when(each, now, zone)}" for each in theirs]
    return f"{told}{listed(each_told)}."


def sheets_of(labels: Sequence[Printed]) -> int:
    """How many there are of them all on paper."""
    return sum(each.boxes * each.copies for each in labels)


def _when(labels: Sequence[Printed], now: datetime, zone: tzinfo) -> str:
    """One time where there was one; else the last."""
    told = clock(max(each.at for each in labels), now, zone)
    at = f"on {told}" if "," in told else f"at {told}"
    once = len(labels) == 1 and labels[0].copies == 1
    return f" {at}" if once else f", the last {at}"
