"""What must be right before a courier is asked: papers that are still good on the days they are needed. Pure.

Each check is a function of the shipment and the days it would be promised, and answers with a sentence that says what
does not fit and what to do, or with none. A day is blank where it is not known: at intake only the shipment's own
times are, when a run is begun all of them. To add a check, write the function and put it into `CHECKS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from bilty.shipment import DAYS_DO_NOT_FIT, Facility, Shipment
from bilty.shipping_provider import Connector, terms
from bilty.words import day


@dataclass(frozen=True, slots=True)
class Days:
    """On which days the boxes are fetched and delivered, by the facility's clocks."""

    pickup: date | None
    appointment: date | None


def promised(shipment: Shipment, facility: Facility, connector: Connector | None, now: datetime) -> Days:
    """What the first courier of a run that begins now would be promised.

    Before Update Connector nothing follows from the connector: the shipment's own times are all there is.
    """
    if connector is None:
        return own_days(shipment, ZoneInfo(facility.time_zone))
    made = terms(shipment, facility, connector, now)
    return Days(made.pickup_at.date(), made.appointment.starts_at.date() if made.appointment else None)


def own_days(shipment: Shipment, zone: tzinfo) -> Days:
    """Those that the shipment brings itself."""
    slot = shipment.appointment
    return Days(
        pickup=shipment.pickup_at.astimezone(zone).date() if shipment.pickup_at else None,
        appointment=slot.starts_at.astimezone(zone).date() if slot else None,
    )


def why_held(shipment: Shipment, days: Days) -> str:
    """The hold, blank where nothing is against booking it for these days."""
    told = " ".join(filter(None, (check(shipment, days) for check in CHECKS)))
    return DAYS_DO_NOT_FIT + told if told else ""


def expired_purchase_order(shipment: Shipment, days: Days) -> str:
    """A fulfilment centre turns away what it has no valid order for, and the way back is paid by who sent it."""
    if days.appointment is None:
        return ""
    for order in shipment.purchase_orders:
        if order.expires_on and order.expires_on < days.appointment:
            return (
                f"Purchase order {order.number} expires on {day(order.expires_on)}, and the appointment is on "
                f"{day(days.appointment)}: give another appointment, or ask the buyer for a longer purchase order "
                "and enter its last day."
            )
    return ""


def expired_ewaybill(shipment: Shipment, days: Days) -> str:
    """Goods may not be moved under one that is over: whoever stops the truck keeps both."""
    if days.pickup is None:
        return ""
    for each in shipment.invoices:
        if each.ewaybill_expires_on and each.ewaybill_expires_on < days.pickup:
            return (
                f"E-way bill {each.ewaybill_number} of invoice {each.number} expires on "
                f"{day(each.ewaybill_expires_on)}, before the pickup on {day(days.pickup)}: extend it at the portal "
                "and enter its new last day, or make a new one."
            )
    return ""


Check = Callable[[Shipment, Days], str]
CHECKS: tuple[Check, ...] = (expired_purchase_order, expired_ewaybill)
