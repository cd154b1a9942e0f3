"""A shipping provider: the connector that Settings lists, its parameters, and the times that follow from them.

`opening` knows when a facility works; `preflight` what must be right before a courier is asked for such times.
"""

from datetime import datetime, time, timedelta
from enum import StrEnum

from bilty.shipment import Appointment, Facility, Frozen, Shipment
from bilty.shipping_provider.opening import Calendar, calendar_of

PICKUP_AFTER_MINUTES_MAX = 7 * 24 * 60
APPOINTMENT_AFTER_DAYS_MAX = 90
CALLS_AT_ONCE_MAX, CALLS_PER_SECOND_MAX = 5_000, 5_000
APPOINTMENT_OPENS, APPOINTMENT_CLOSES = time(10), time(18)


class Kind(StrEnum):
    CLICKPOST_B2B = "clickpost_b2b"


class Connector(Frozen, frozen=True):
    """What the panel's Connector tab holds. `key` is a secret: it is kept apart, encrypted, and never shown again.

    `calls_at_once` and `calls_per_second` hold for all programs together. None: as many at once as BILTY_CALLS_MAX
    says for each, and as many a second as there are.
    """

    username: str
    key: str = ""
    packslip_required: bool = False
    pickup_after_minutes: int = 30
    appointment_after_days: int | None = None
    calls_at_once: int | None = None
    calls_per_second: int | None = None

    def __repr__(self) -> str:
        return f"Connector(username={self.username!r}, key=…)"  # a repr finds its way into logs and traces


class ShippingProvider(Frozen, frozen=True):
    code: str
    kind: Kind
    name: str
    enabled: bool = True


class Terms(Frozen, frozen=True):
    """The times that are promised to one courier. Repeats of a turn send the same; the next courier gets new ones."""

    pickup_at: datetime
    appointment: Appointment | None


def own_terms(connector: Connector, now: datetime, calendar: Calendar) -> Terms:
    """`now` plus the buffer, and today plus the days where the boxes leave; each put off until the facility works.

    Whether the consignee takes delivery that day nobody has told us. Its days off are mostly those of who sends, so the
    facility's calendar stands for it.
    """
    appointment = None
    if connector.appointment_after_days is not None:
        today = now.astimezone(calendar.zone).date()
        day = calendar.next_working_day(today + timedelta(days=connector.appointment_after_days))
        appointment = Appointment(
            starts_at=datetime.combine(day, APPOINTMENT_OPENS, calendar.zone),
            ends_at=datetime.combine(day, APPOINTMENT_CLOSES, calendar.zone),
        )
    return Terms(calendar.next_open(now + timedelta(minutes=connector.pickup_after_minutes)), appointment)


def terms(shipment: Shipment, facility: Facility, connector: Connector, now: datetime) -> Terms:
    """The shipment's own times go first, whatever day they are on; else those that follow from the connector.

    All are by the facility's clocks.
    """
    calendar = calendar_of(facility)
    own = own_terms(connector, now, calendar)
    pickup_at = shipment.pickup_at.astimezone(calendar.zone) if shipment.pickup_at else own.pickup_at
    return Terms(pickup_at, _by_clocks_of(calendar, shipment.appointment) or own.appointment)


def _by_clocks_of(calendar: Calendar, slot: Appointment | None) -> Appointment | None:
    if slot is None:
        return None
    return Appointment(slot.starts_at.astimezone(calendar.zone), slot.ends_at.astimezone(calendar.zone), slot.id)
