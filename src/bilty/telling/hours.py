"""When a facility works, in words."""

from datetime import date, time

from bilty.shipment import Facility, Weekday
from bilty.words import day, listed

HOLIDAYS_TOLD_MAX = 5


def hour_of(at: time | None) -> str:
    """Blank for none."""
    return "" if at is None else f"{at:%H:%M}"


def told_hours(facility: Facility) -> str:
    """`09:00 to 18:00, but not on Sundays, and not on 26 Jan 2027`."""
    opens, closes = hour_of(facility.opens_at), hour_of(facility.closes_at)
    told = f"{opens} to {'midnight' if closes == '00:00' else closes}" if opens and closes else "at any hour"
    days = [Weekday(each).capitalize() + "s" for each in facility.days_off]
    parts = [told, f"not on {listed(days)}" if days else "", _holidays(facility.holidays)]
    return ", ".join(filter(None, parts)) if days or facility.holidays else f"{told} of every day"


def _holidays(holidays: tuple[date, ...]) -> str:
    if not holidays:
        return ""
    if len(holidays) > HOLIDAYS_TOLD_MAX:
        return f"not on {len(holidays)} holidays from {day(holidays[0])} to {day(holidays[-1])}"
    return f"not on {listed([day(each) for each in holidays])}"
