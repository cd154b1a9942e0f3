"""What a shipment booked now would be promised, in words: today, tomorrow, or the day with its weekday."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bilty import telling
from bilty.shipping_provider import Connector, own_terms
from bilty.shipping_provider.opening import Calendar
from bilty.words import INDIA

MONDAY_NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
LATE = MONDAY_NOON + timedelta(hours=11, minutes=50)  # 23:50 in India, and still Monday in London
NEW_YEARS_EVE = datetime(2026, 12, 31, 10, 0, tzinfo=UTC)


def told(now: datetime, minutes: int, days: int | None, zone: ZoneInfo = INDIA) -> str:
    connector = Connector("", pickup_after_minutes=minutes, appointment_after_days=days)
    return telling.told_terms(own_terms(connector, now, Calendar(zone)), now, zone)


@pytest.mark.parametrize(
    ("now", "minutes", "days", "words"),
    [
        (MONDAY_NOON, 0, None, "pickup today 12:00, no appointment"),
        (MONDAY_NOON, 280, 3, "pickup today 16:40, appointment Thu 26 Nov 2026, 10:00 to 18:00"),
        (MONDAY_NOON, 719, 1, "pickup today 23:59, appointment tomorrow, 10:00 to 18:00"),
        (MONDAY_NOON, 720, 0, "pickup tomorrow 00:00, appointment today, 10:00 to 18:00"),
        (MONDAY_NOON, 1440, 6, "pickup tomorrow 12:00, appointment Sun 29 Nov 2026, 10:00 to 18:00"),
        (MONDAY_NOON, 2880, 7, "pickup Wed 25 Nov 2026, 12:00, appointment Mon 30 Nov 2026, 10:00 to 18:00"),
        (LATE, 9, 1, "pickup today 23:59, appointment tomorrow, 10:00 to 18:00"),
        (LATE, 20, 1, "pickup tomorrow 00:10, appointment tomorrow, 10:00 to 18:00"),
        (NEW_YEARS_EVE, 10080, 90, "pickup Thu 7 Jan 2027, 15:30, appointment Wed 31 Mar 2027, 10:00 to 18:00"),
    ],
)
def test_times_are_told_as_a_calendar_has_them(now: datetime, minutes: int, days: int | None, words: str) -> None:
    assert told(now, minutes, days) == words


def test_days_begin_where_the_boxes_leave() -> None:
    assert told(LATE, 20, 1, ZoneInfo("Asia/Dubai")) == "pickup today 22:40, appointment tomorrow, 10:00 to 18:00"


@pytest.mark.parametrize(
    ("now", "minutes", "days", "doubtful"),
    [
        (MONDAY_NOON, 30, 0, False),
        (MONDAY_NOON, 360, 0, True),
        (MONDAY_NOON, 359, 0, False),
        (LATE, 0, 0, True),
        (LATE, 0, None, False),
        (MONDAY_NOON, 2880, 1, True),
        (MONDAY_NOON, 2880, 2, False),
    ],
)
def test_an_appointment_before_the_pickup_is_doubted(
    now: datetime, minutes: int, days: int | None, doubtful: bool
) -> None:
    connector = Connector("", pickup_after_minutes=minutes, appointment_after_days=days)
    assert bool(telling.doubt_of(own_terms(connector, now, Calendar(INDIA)))) is doubtful
