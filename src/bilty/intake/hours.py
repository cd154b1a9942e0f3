"""Reading when a facility works: opening hours, weekly days off, holidays."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

from bilty.intake.reader import Reader, Rule, Wrong, show
from bilty.intake.values import DAY
from bilty.shipment import Weekday
from bilty.shipping_provider.opening import HOLIDAYS_MAX, MIDNIGHT

T = TypeVar("T")

HOURS = frozenset({"opens_at", "closes_at", "days_off", "holidays"})
DAYS_OFF_MAX = 6
"""A facility that never works is none."""
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    opens_at: time | None
    closes_at: time | None
    days_off: tuple[Weekday, ...]
    holidays: tuple[date, ...]


def _clock(given: object) -> time:
    if not isinstance(given, str) or not _CLOCK.fullmatch(given.strip()):
        raise Wrong
    return time.fromisoformat(given.strip())


CLOCK = Rule(_clock, MIDNIGHT, 'a time of day as hours and minutes, as in "09:30" (24 hours)')


def _each(parse: Callable[[object], T], given: object, at_most: int, too_many: str) -> tuple[T, ...]:
    if not isinstance(given, list):
        raise Wrong
    if len(given) > at_most:
        raise Wrong(too_many)
    return tuple(map(parse, given))


def _weekday(given: object) -> Weekday:
    word = given.strip().lower() if isinstance(given, str) else ""
    if word not in set(Weekday):
        raise Wrong(f'{show(given)} in it is no day of the week: write it out, as in "sunday"')
    return Weekday(word)


def _days_off(given: object) -> tuple[Weekday, ...]:
    """In the order of the week, each once, so that one calendar is always written the same."""
    found = _each(_weekday, given, DAYS_OFF_MAX, "leave out those on which boxes are fetched, one day a week at least")
    return tuple(day for day in Weekday if day in found)


def _holiday(given: object) -> date:
    try:
        return DAY.parse(given)
    except Wrong as wrong:
        why = str(wrong) if wrong.args else f"give {DAY.wants}"
        raise Wrong(f"{show(given)} in it is no day that can be taken: {why}") from None


def _holidays(given: object) -> tuple[date, ...]:
    return tuple(sorted(set(_each(_holiday, given, HOLIDAYS_MAX, f"give {HOLIDAYS_MAX} at most"))))


DAYS_OFF: Rule[tuple[Weekday, ...]] = Rule(_days_off, (), 'a list of days of the week, as in ["saturday", "sunday"]')
HOLIDAYS: Rule[tuple[date, ...]] = Rule(
    _holidays, (), f'a list of at most {HOLIDAYS_MAX} dates, as in ["2027-01-26", "2027-03-22"]'
)


def hours(reader: Reader) -> Hours:
    """All that is left out restricts nothing."""
    found = Hours(
        opens_at=reader.maybe("opens_at", CLOCK),
        closes_at=reader.maybe("closes_at", CLOCK),
        days_off=reader.take("days_off", DAYS_OFF, ()),
        holidays=reader.take("holidays", HOLIDAYS, ()),
    )
    _refuse_wrong_hours(reader, found)
    return found


def _refuse_wrong_hours(reader: Reader, found: Hours) -> None:
    if reader.is_faulty("opens_at") or reader.is_faulty("closes_at"):
        return
    if reader.has("closes_at") and not reader.has("opens_at"):
        reader.fault("opens_at", "opens_at is missing, and an hour of closing is given: give both, or leave both out.")
    if reader.has("opens_at") and not reader.has("closes_at"):
        reader.fault(
            "closes_at", "closes_at is missing, and an hour of opening is given: give both, or leave both out."
        )
    if found.opens_at is None or found.closes_at in (None, MIDNIGHT):
        return
    if found.closes_at <= found.opens_at:
        reader.fault(
            "closes_at",
            "closes_at is not after the hour of opening: give when it closes on the same day, 00:00 for midnight.",
        )
