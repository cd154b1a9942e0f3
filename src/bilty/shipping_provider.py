"""A shipping provider: the connector that Settings lists, its parameters, and the times that follow from them."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bilty.shipment import Appointment, Facility, Frozen, Shipment

PICKUP_AFTER_MINUTES_MAX = 7 * 24 * 60
APPOINTMENT_AFTER_DAYS_MAX = 90
APPOINTMENT_OPENS, APPOINTMENT_CLOSES = time(10), time(18)


class Kind(StrEnum):
    CLICKPOST_B2B = "clickpost_b2b"


class Connector(Frozen, frozen=True):
    """What the panel's Connector tab holds. `key` is a secret: it is kept apart, encrypted, and never shown again."""

    username: str
    key: str = ""
    packslip_required: bool = False
    pickup_after_minutes: int = 30
    appointment_after_days: int | None = None

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


def own_terms(connector: Connector, now: datetime, zone: ZoneInfo) -> Terms:
    """`now` plus the buffer, and today plus the days where the boxes leave."""
    appointment = None
    if connector.appointment_after_days is not None:
        day = now.astimezone(zone).date() + timedelta(days=connector.appointment_after_days)
        appointment = Appointment(
            starts_at=datetime.combine(day, APPOINTMENT_OPENS, zone),
            ends_at=datetime.combine(day, APPOINTMENT_CLOSES, zone),
        )
    pickup_at = (now + timedelta(minutes=connector.pickup_after_minutes)).astimezone(zone)
    return Terms(pickup_at=pickup_at, appointment=appointment)


def terms(shipment: Shipment, facility: Facility, connector: Connector, now: datetime) -> Terms:
    """The shipment's own times go first; else those that follow from the connector."""
    zone = ZoneInfo(facility.time_zone)
    own = own_terms(connector, now, zone)
    pickup_at = shipment.pickup_at.astimezone(zone) if shipment.pickup_at else own.pickup_at
    return Terms(pickup_at=pickup_at, appointment=shipment.appointment or own.appointment)
