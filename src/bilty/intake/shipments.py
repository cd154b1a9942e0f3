"""Reading one shipment as `POST /shipments` is given it: every fault at once, else a `Shipment` to rely on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from bilty.intake import limits
from bilty.intake.boxes import boxes
from bilty.intake.concerns import INDIA, concerns, days_hold, ewaybill_hold
from bilty.intake.consignees import NOBODY, WHOM, consignee
from bilty.intake.not_carried import NAMES as NOT_CARRIED
from bilty.intake.not_carried import refuse_not_carried
from bilty.intake.papers import PAYMENT, invoices, payment, purchase_orders
from bilty.intake.parties import CODE
from bilty.intake.reader import Fault, Findings, Reader, Rejected
from bilty.intake.values import BOOLEAN, MOMENT, name_of, text
from bilty.shipment import EWAYBILL_THRESHOLD, Appointment, Invoice, Party, PurchaseOrder, Shipment
from bilty.words import day

SHIPMENT = frozenset(
    {
        "number",
        "order_number",
        "facility",
        "shipping_provider",
        "consignee",
        "payment",
        "invoices",
        "purchase_orders",
        "boxes",
        "appointment",
        "pickup_at",
        "schedule",
    }
)
APPOINTMENT = frozenset({"starts_at", "ends_at", "id"})

NUMBER = name_of(
    f"[A-Za-z0-9/_.-]{{1,{limits.NUMBER_CHARS_MAX}}}",
    f"1 to {limits.NUMBER_CHARS_MAX} letters, digits or the signs / _ . and -",
)
ORDER_NUMBER = text(limits.ORDER_NUMBER_CHARS_MAX)
APPOINTMENT_ID = text(limits.APPOINTMENT_ID_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """`ewaybill_missing`: a shipment that lacks an e-way bill waits on hold, or is sent with a warning."""

    ewaybill_threshold: Decimal = EWAYBILL_THRESHOLD
    ewaybill_missing: Literal["hold", "send"] = "hold"


@dataclass(frozen=True, slots=True)
class Accepted:
    """`schedule`: book it at once. `hold`: None, or the sentence that says what booking has to wait for."""

    shipment: Shipment
    schedule: bool
    warnings: tuple[Fault, ...]
    hold: str | None


def parse_shipment(
    document: object, rules: IntakeRules, today: date, saved: Mapping[str, Party] = NOBODY
) -> Accepted | Rejected:
    """`document` is decoded JSON of any shape. `today` is the day in India: invoices and e-way bills are held to it.

    `saved`: the consignees that the document may name by their codes.
    """
    findings = Findings()
    reader = Reader(document, SHIPMENT, findings, noun="The shipment", told_elsewhere=NOT_CARRIED)
    refuse_not_carried(reader)
    schedule = reader.take("schedule", BOOLEAN, default=False)
    shipment = _shipment(reader, today, saved)
    if findings.faults:
        return Rejected(tuple(findings.faults))
    warnings = findings.warnings + concerns(shipment, rules.ewaybill_threshold, today)
    hold = ewaybill_hold(shipment, rules.ewaybill_threshold)
    if hold and rules.ewaybill_missing == "send":
        warnings.append(Fault("invoices", "", hold))
        hold = None
    holds = " ".join(filter(None, (hold, days_hold(shipment))))  # the days come last: they are looked at anew
    return Accepted(shipment, schedule, tuple(warnings), holds or None)


def _shipment(reader: Reader, today: date, saved: Mapping[str, Party]) -> Shipment:
    """The shipment's own order number is its number, where the order system makes no difference."""
    number = reader.need("number", NUMBER)
    paper = invoices(reader, today)
    orders = purchase_orders(reader)
    payer = reader.inner("payment", PAYMENT, told_elsewhere=NOT_CARRIED)
    refuse_not_carried(payer)
    return Shipment(
        number=number,
        order_number=reader.take("order_number", ORDER_NUMBER, number),
        facility=reader.need("facility", CODE),
        shipping_provider=reader.need("shipping_provider", CODE),
        consignee=consignee(reader.inner("consignee", WHOM), saved),
        payment=payment(payer),
        invoices=paper,
        boxes=boxes(reader, _numbers(reader, "invoices", paper), _numbers(reader, "purchase_orders", orders)),
        purchase_orders=orders,
        appointment=_appointment(reader, today),
        pickup_at=reader.maybe("pickup_at", MOMENT),
    )


def _numbers(reader: Reader, name: str, documents: tuple[Invoice, ...] | tuple[PurchaseOrder, ...]) -> frozenset[str]:
    """What boxes may name. Where the list could not be read, "" says so, and boxes are not blamed for it."""
    unread = {""} if reader.is_faulty(name) else set()
    return frozenset(document.number for document in documents) | unread


def _appointment(reader: Reader, today: date) -> Appointment | None:
    if not reader.has("appointment"):
        return None
    slot = reader.inner("appointment", APPOINTMENT)
    value = Appointment(
        starts_at=slot.need("starts_at", MOMENT),
        ends_at=slot.need("ends_at", MOMENT),
        id=slot.take("id", APPOINTMENT_ID, ""),
    )
    if not (slot.is_faulty("starts_at") or slot.is_faulty("ends_at")):
        _refuse_wrong_slot(slot, value, today)
    return value


def _refuse_wrong_slot(slot: Reader, value: Appointment, today: date) -> None:
    """A slot of today may be over by the hour and still be kept: only a day that is past cannot be meant."""
    ends_on = value.ends_at.astimezone(INDIA).date()
    if value.starts_at >= value.ends_at:
        slot.fault("ends_at", "ends_at is not after starts_at: give the hour at which the consignee's slot closes.")
    elif value.ends_at - value.starts_at > limits.APPOINTMENT_MAX:
        slot.fault("ends_at", "ends_at is more than 24 hours after starts_at: give the slot of one day.")
    elif ends_on < today:
        slot.fault(
            "ends_at", f"The appointment was over on {day(ends_on)}: give one of today or later, or leave it out."
        )
