"""When a facility works, as it decides pickups and appointments: rules that hold for any calendar, and days by name."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.samples import SHIPMENT
from bilty import telling
from bilty.shipment import Appointment, Facility, Party, Weekday
from bilty.shipping_provider import Connector, Terms, own_terms, terms
from bilty.shipping_provider.opening import Calendar, calendar_of
from bilty.words import INDIA

NEW_YORK, HAVANA, APIA, CAIRO = (
    ZoneInfo(name) for name in ("America/New_York", "America/Havana", "Pacific/Apia", "Africa/Cairo")
)
SUNDAY_OFF = Calendar(INDIA, time(9), time(18, 30), frozenset({Weekday.SUNDAY}), frozenset({date(2027, 1, 26)}))
FACILITY = Facility("BLR-1", Party("Store", "Malnad", "9876543210", "7 Peenya", "Bengaluru", "Karnataka", "560058"))

CLOCKS = st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """As intake takes them: it closes after it opens, or at midnight, and works on one day a week at least."""
    opens, closes = sorted((draw(CLOCKS), draw(CLOCKS)))
    return Calendar(
        zone=draw(st.sampled_from([INDIA, NEW_YORK, HAVANA, CAIRO, ZoneInfo("UTC")])),
        opens_at=opens,
        closes_at=time(0) if opens == closes else closes,
        days_off=draw(st.frozensets(st.sampled_from(Weekday), max_size=6)),
        holidays=draw(st.frozensets(DAYS, max_size=20)),
    )


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - strategies


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Said anew, by what the clocks on the wall show: true where no clock is put forward or back."""
    wall = moment.astimezone(calendar.zone)
    closes = calendar.closes_at if calendar.closes_at != time(0) else time.max
    day_off = Weekday(wall.strftime("%A").lower()) in calendar.days_off
    return not day_off and wall.date() not in calendar.holidays and calendar.opens_at <= wall.time() <= closes


@given(calendars(), MOMENTS)
@example(SUNDAY_OFF, datetime(2026, 11, 28, 13, 0, tzinfo=UTC))
def test_it_is_the_first_open_moment_and_never_an_earlier_one(calendar: Calendar, moment: datetime) -> None:
    found = calendar.next_open(moment)
    assert found >= moment
    assert found.tzinfo is calendar.zone
    opens, closes = calendar.hours_of(found.date())
    assert calendar.works_on(found.date())
    assert opens <= found.astimezone(UTC) < closes
    assert calendar.next_open(found) == found
    if found > moment:
        assert found.astimezone(UTC) == opens, "put off, it is put off to an hour of opening"
        days = [moment.astimezone(calendar.zone).date() + timedelta(days=n) for n in range(-1, 800)]
        spans = [calendar.hours_of(day) for day in days if day <= found.date() and calendar.works_on(day)]
        assert not any(starts < ends and starts <= moment < ends for starts, ends in spans), "it was open"
        assert not any(moment < starts < min(ends, found) for starts, ends in spans), "it opened before"


@given(calendars().filter(lambda each: each.zone is INDIA), MOMENTS)
def test_the_clocks_on_the_wall_agree_where_none_is_put_forward(calendar: Calendar, moment: datetime) -> None:
    found = calendar.next_open(moment)
    assert is_open(calendar, found)
    step = (found - moment) / 50
    between = [moment + step * n for n in range(50)] if found > moment else []
    assert not any(is_open(calendar, each) for each in between if each < found - timedelta(minutes=1))


@given(calendars(), DAYS)
def test_it_is_the_first_working_day_and_never_an_earlier_one(calendar: Calendar, day: date) -> None:
    found = calendar.next_working_day(day)
    assert found >= day
    assert calendar.works_on(found)
    assert not any(calendar.works_on(day + timedelta(days=n)) for n in range((found - day).days))


@given(MOMENTS, st.integers(0, 10_080), st.none() | st.integers(0, 90))
def test_where_nothing_is_said_the_plain_sum_stands(now: datetime, minutes: int, days: int | None) -> None:
    connector = Connector("", pickup_after_minutes=minutes, appointment_after_days=days)
    made = own_terms(connector, now, calendar_of(FACILITY))
    slot = None
    if days is not None:
        day = now.astimezone(INDIA).date() + timedelta(days=days)
        slot = Appointment(datetime.combine(day, time(10), INDIA), datetime.combine(day, time(18), INDIA))
    assert made == Terms(now + timedelta(minutes=minutes), slot)
    assert made.pickup_at.tzinfo == INDIA


def at(words: str, zone: ZoneInfo = INDIA) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        ("2026-11-23 12:00", "2026-11-23 12:00"),
        ("2026-11-23 08:59", "2026-11-23 09:00"),
        ("2026-11-23 09:00", "2026-11-23 09:00"),
        ("2026-11-23 18:29", "2026-11-23 18:29"),
        ("2026-11-23 18:30", "2026-11-24 09:00"),
        ("2026-11-28 19:00", "2026-11-30 09:00"),  # Saturday evening: over Sunday
        ("2026-11-29 00:00", "2026-11-30 09:00"),
        ("2027-01-25 20:00", "2027-01-27 09:00"),  # over Republic Day
        ("2027-01-26 23:59", "2027-01-27 09:00"),
    ],
)
def test_a_pickup_is_put_off_to_the_next_hour_of_opening(moment: str, found: str) -> None:
    assert SUNDAY_OFF.next_open(at(moment)) == at(found)


def until_midnight(zone: ZoneInfo) -> Calendar:
    return Calendar(zone, time(20), time(0))


@pytest.mark.parametrize(
    ("calendar", "moment", "found"),
    [
        (until_midnight(INDIA), at("2026-11-23 23:59"), at("2026-11-23 23:59")),
        (until_midnight(INDIA), at("2026-11-24 00:00"), at("2026-11-24 20:00")),
        # Clocks are put forward from 02:00 to 03:00: it opens when they would have shown 02:30.
        (Calendar(NEW_YORK, time(2, 30), time(5)), at("2026-03-08 01:00", NEW_YORK), at("2026-03-08 03:30", NEW_YORK)),
        # Its hours of that day are over before they begin, so skipped: it opens on the next.
        (
            Calendar(NEW_YORK, time(2, 30), time(3, 10)),
            at("2026-03-08 00:30", NEW_YORK),
            at("2026-03-09 02:30", NEW_YORK),
        ),
        # 01:30 comes twice; the first is when it opens, and the second is within its hours.
        (Calendar(NEW_YORK, time(1, 30), time(4)), at("2026-11-01 00:00", NEW_YORK), at("2026-11-01 01:30", NEW_YORK)),
        # Here midnight itself is skipped, and there a whole day.
        (
            Calendar(CAIRO, days_off=frozenset({Weekday.THURSDAY})),
            at("2026-04-23 12:00", CAIRO),
            at("2026-04-24 01:00", CAIRO),
        ),
        (
            Calendar(APIA, days_off=frozenset({Weekday.THURSDAY})),
            at("2011-12-29 12:00", APIA),
            at("2011-12-31 00:00", APIA),
        ),
    ],
)
def test_midnight_and_clocks_that_are_put_forward_and_back(
    calendar: Calendar, moment: datetime, found: datetime
) -> None:
    assert calendar.next_open(moment).astimezone(UTC) == found.astimezone(UTC)


def test_the_same_hour_the_second_time_is_open_too() -> None:
    second = datetime(2026, 11, 1, 1, 10, tzinfo=NEW_YORK, fold=1)
    assert Calendar(NEW_YORK, time(1, 30), time(4)).next_open(second) == second


def test_one_day_a_week_and_each_of_them_a_holiday_for_nearly_two_years() -> None:
    holidays = frozenset(date(2026, 11, 23) + timedelta(weeks=n) for n in range(100))
    mondays = Calendar(INDIA, time(9), time(18), frozenset(Weekday) - {Weekday.MONDAY}, holidays)
    assert mondays.next_open(at("2026-11-23 12:00")) == at("2028-10-23 09:00")
    assert mondays.next_working_day(date(2026, 11, 23)) == date(2028, 10, 23)


def test_a_facility_that_never_opens_puts_nothing_off() -> None:
    never = Calendar(INDIA, days_off=frozenset(Weekday))
    assert never.next_open(at("2026-11-23 12:00")) == at("2026-11-23 12:00")
    assert never.next_working_day(date(2026, 11, 23)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("now", "minutes", "days", "words"),
    [
        ("2026-11-23 12:00", 30, 3, "pickup today 12:30, appointment Thu 26 Nov 2026, 10:00 to 18:00"),
        ("2026-11-23 18:10", 30, 1, "pickup tomorrow 09:00, appointment tomorrow, 10:00 to 18:00"),
        ("2026-11-28 18:10", 30, 1, "pickup Mon 30 Nov 2026, 09:00, appointment Mon 30 Nov 2026, 10:00 to 18:00"),
        ("2027-01-25 11:00", 0, 1, "pickup today 11:00, appointment Wed 27 Jan 2027, 10:00 to 18:00"),
    ],
)
def test_what_follows_from_a_connector_honours_the_calendar(now: str, minutes: int, days: int, words: str) -> None:
    connector = Connector("", pickup_after_minutes=minutes, appointment_after_days=days)
    moment = at(now)
    assert telling.told_terms(own_terms(connector, moment, SUNDAY_OFF), moment, INDIA) == words


def test_a_shipments_own_times_are_not_moved() -> None:
    sunday = at("2026-11-29 23:00").astimezone(UTC)
    slot = Appointment(sunday, sunday + timedelta(hours=1), "A-1")
    shipment = msgspec.structs.replace(SHIPMENT, appointment=slot, pickup_at=sunday)
    closed = msgspec.structs.replace(FACILITY, opens_at=time(9), closes_at=time(18), days_off=(Weekday.SUNDAY,))
    made = terms(shipment, closed, Connector("", appointment_after_days=1), at("2026-11-23 12:00"))
    assert (made.pickup_at, made.appointment) == (sunday, slot)


def test_the_json_of_a_facility_without_hours_is_what_it_was() -> None:
    written = msgspec.json.encode(FACILITY).decode()
    assert not [name for name in ("opens_at", "closes_at", "days_off", "holidays") if name in written]
    assert msgspec.json.decode(written, type=Facility) == FACILITY
    full = msgspec.structs.replace(FACILITY, opens_at=time(9), closes_at=time(0), holidays=(date(2027, 1, 26),))
    assert msgspec.json.decode(msgspec.json.encode(full), type=Facility) == full


@pytest.mark.parametrize(
    ("works", "words"),
    [
        ({}, "at any hour of every day"),
        ({"opens_at": time(9), "closes_at": time(0)}, "09:00 to midnight of every day"),
        (
            {"days_off": (Weekday.SATURDAY, Weekday.SUNDAY)},
            "at any hour, not on Saturdays and Sundays",
        ),
        (
            {"opens_at": time(9), "closes_at": time(18), "holidays": (date(2027, 1, 26),)},
            "09:00 to 18:00, not on 26 Jan 2027",
        ),
        (
            {"holidays": tuple(date(2027, 1, n) for n in range(1, 8))},
            "at any hour, not on 7 holidays from 1 Jan 2027 to 7 Jan 2027",
        ),
    ],
)
def test_when_it_works_in_words(works: dict[str, object], words: str) -> None:
    assert telling.told_hours(msgspec.structs.replace(FACILITY, **works)) == words
