"""When a facility works: its hours, its weekly days off, its holidays. Pure.

A day's hours are the span between two moments, found by the facility's clocks. Where these are put forward or back,
hours that are skipped are nobody's, and hours that come twice belong to the day they are of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bilty.shipment import Facility, Weekday

HOLIDAYS_MAX = 100
LOOKED_AHEAD_DAYS = 7 * (HOLIDAYS_MAX + 2)
"""Of the one day a week on which a facility may work, every holiday may take one away."""

MIDNIGHT = time(0)
DAY = timedelta(days=1)
WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A facility's, as `bilty.intake` takes it: it works on one day a week at least."""

    zone: ZoneInfo
    opens_at: time = MIDNIGHT
    closes_at: time = MIDNIGHT
    days_off: frozenset[Weekday] = frozenset()
    holidays: frozenset[date] = frozenset()

    @property
    def is_always_open(self) -> bool:
        return not self.days_off and not self.holidays and self.opens_at == self.closes_at == MIDNIGHT

    def works_on(self, day: date) -> bool:
        return WEEK[day.weekday()] not in self.days_off and day not in self.holidays

    def next_working_day(self, day: date) -> date:
        """The day itself where the facility works on it."""
        return next(filter(self.works_on, _days_from(day)), day)

    def hours_of(self, day: date) -> tuple[datetime, datetime]:
        """From the first moment of its hours to the first behind them, were it a working day."""
        closes_on = day + DAY if self.closes_at == MIDNIGHT else day
        return self._moment(day, self.opens_at), self._moment(closes_on, self.closes_at)

    def next_open(self, moment: datetime) -> datetime:
        """The first moment from this one on at which the facility is open, by its clocks."""
        if self.is_always_open:
            return moment.astimezone(self.zone)
        at = moment.astimezone(UTC)
        for day in filter(self.works_on, _days_from(moment.astimezone(self.zone).date())):
            opens, closes = self.hours_of(day)
            if max(opens, at) < closes:
                return max(opens, at).astimezone(self.zone)
        return moment.astimezone(self.zone)  # it never opens, which intake refuses: the plain sum is as good as any

    def _moment(self, day: date, clock: time) -> datetime:
        """In UTC: in a zone, two times are compared by what their clocks show."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def calendar_of(facility: Facility) -> Calendar:
    return Calendar(
        zone=ZoneInfo(facility.time_zone),
        opens_at=facility.opens_at or MIDNIGHT,
        closes_at=facility.closes_at or MIDNIGHT,
        days_off=frozenset(facility.days_off),
        holidays=frozenset(facility.holidays),
    )


def _days_from(day: date) -> Iterator[date]:
    return (day + ahead * DAY for ahead in range(LOOKED_AHEAD_DAYS))
