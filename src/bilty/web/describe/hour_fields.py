"""When a facility works, as it is sent."""

from bilty.intake.hours import DAYS_OFF_MAX
from bilty.shipment import Weekday
from bilty.shipping_provider.opening import HOLIDAYS_MAX
from bilty.web.describe.schemas import day, many, named, one_of
from bilty.web.describe.shapes import Schema

CLOCK = "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$"
TOGETHER = "Give opens_at and closes_at, or neither."
HOURS: dict[str, Schema] = {
    "opens_at": named(CLOCK, "By its own clock; at any hour unless both are given.", "09:00"),
    "closes_at": named(CLOCK, "After `opens_at`, on the same day; 00:00 is midnight.", "18:30"),
    "days_off": many(
        one_of(list(Weekday), "", Weekday.SUNDAY), 0, DAYS_OFF_MAX, "Days of the week on which nothing is fetched."
    ),
    "holidays": many(
        day("", "2027-01-26"),
        0,
        HOLIDAYS_MAX,
        "Dates on which nothing is fetched. Pickups are put off to when the facility is open, appointments to a day on "
        "which it works; a shipment's own times are not.",
    ),
}
