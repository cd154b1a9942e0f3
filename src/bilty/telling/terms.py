"""The times that a connector promises, as a person says them who looks at a calendar."""

from datetime import date, datetime, timedelta, tzinfo

from bilty.shipment import Appointment
from bilty.shipping_provider import Terms
from bilty.words import day

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def told_terms(terms: Terms, now: datetime, zone: tzinfo) -> str:
    """`pickup today 16:40, appointment Thu 26 Nov 2026, 10:00 to 18:00`, by the clocks of `zone`."""
    pickup, today = terms.pickup_at.astimezone(zone), now.astimezone(zone).date()
    near = pickup.date() - today <= timedelta(days=1)
    told = f"pickup {_day(pickup.date(), today)}{'' if near else ','} {pickup:%H:%M}"
    if terms.appointment is None:
        return f"{told}, no appointment"
    opens, closes = (each.astimezone(zone) for each in (terms.appointment.starts_at, terms.appointment.ends_at))
    return f"{told}, appointment {_day(opens.date(), today)}, {opens:%H:%M} to {closes:%H:%M}"


def told_slot(slot: Appointment, zone: tzinfo) -> str:
    """`Thu 26 Nov 2026, 10:00 to 13:00`, by the clocks of `zone`."""
    opens, closes = (each.astimezone(zone) for each in (slot.starts_at, slot.ends_at))
    until = "" if closes.date() == opens.date() else f"{_calendar_day(closes.date())}, "
    return f"{_calendar_day(opens.date())}, {opens:%H:%M} to {until}{closes:%H:%M}"


def told_hour(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{_calendar_day(local.date())}, {local:%H:%M}"


def doubt_of(terms: Terms) -> str:
    """What cannot be meant, as a sentence; blank where the times can be kept."""
    if terms.appointment and terms.pickup_at >= terms.appointment.ends_at:
        return "The appointment is over before the boxes are fetched: give more days in Appointment After."
    return ""


def _day(when: date, today: date) -> str:
    return {0: "today", 1: "tomorrow"}.get((when - today).days) or _calendar_day(when)


def _calendar_day(when: date) -> str:
    """Month and weekday do not follow the machine's locale."""
    return f"{WEEKDAYS[when.weekday()]} {day(when)}"
