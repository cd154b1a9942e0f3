"""The documents of the API as they are answered. What may be sent is described in `bilty.web.describe.bodies`.

It is not parsed into structs: `bilty.intake` reads it, since it tells every fault at once.
"""

from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import TypeAlias, TypeVar

import msgspec

from bilty import telling
from bilty.shipment import Box, PaymentMode, Weekday
from bilty.shipping_provider import Kind
from bilty.store.showing import Moment, Seen
from bilty.turn import Rules, State, window_ends_at
from bilty.words import PAISE
from bilty.workflow import Status, status

Day: TypeAlias = date  # `date` is also a field's name
Value = TypeVar("Value", bound=msgspec.Struct)


class Document(msgspec.Struct, frozen=True):
    """Every field is written, so that a reader finds them all."""


class Party(Document, frozen=True, kw_only=True):
    name: str
    organisation: str
    phone: str
    email: str = ""
    address: str
    city: str
    state: str
    pincode: str
    country: str = "IN"
    gstin: str = ""


class Payment(Document, frozen=True, kw_only=True):
    mode: PaymentMode
    cod_amount: Decimal = Decimal("0.00")


class Invoice(Document, frozen=True, kw_only=True):
    number: str
    date: Day
    value: Decimal
    taxable_value: Decimal | None = None
    cgst: Decimal | None = None
    sgst: Decimal | None = None
    igst: Decimal | None = None
    ewaybill_number: str = ""
    ewaybill_expires_on: Day | None = None


class PurchaseOrder(Document, frozen=True, kw_only=True):
    number: str
    expires_on: Day | None = None


class Item(Document, frozen=True, kw_only=True):
    sku: str
    description: str = ""
    hsn: str = ""
    quantity: int
    unit_price: Decimal


class Boxes(Document, frozen=True, kw_only=True):
    """`count` boxes that are alike."""

    count: int = 1
    length_cm: int
    breadth_cm: int
    height_cm: int
    weight_g: int
    invoice: str = ""
    purchase_order: str = ""
    items: tuple[Item, ...] = ()


class Appointment(Document, frozen=True, kw_only=True):
    starts_at: datetime
    ends_at: datetime
    id: str = ""


class ShipmentDocument(Document, frozen=True, kw_only=True):
    number: str
    order_number: str = ""
    facility: str
    shipping_provider: str
    consignee: Party
    payment: Payment
    invoices: tuple[Invoice, ...]
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    boxes: tuple[Boxes, ...]
    appointment: Appointment | None = None
    pickup_at: datetime | None = None


class CourierTaken(Document, frozen=True, kw_only=True):
    """Who has the shipment, or is being asked for it."""

    cp_id: int
    account_code: str
    name: str
    priority: int


class PickupAnswer(Document, frozen=True, kw_only=True):
    """A pickup that was asked for apart."""

    at: datetime
    confirmation: str


class ShipmentAnswer(ShipmentDocument, frozen=True, kw_only=True):
    id: int
    status: Status
    courier: CourierTaken | None
    awb: str | None
    label_url: str | None
    papers_url: str | None
    run: int
    version: int
    polls_done: int
    next_poll_at: datetime | None
    window_ends_at: datetime | None
    problem: telling.Problem | None
    warnings: tuple[str, ...]
    pickup: PickupAnswer | None
    created_at: datetime


class ShipmentPage(Document, frozen=True, kw_only=True):
    items: tuple[ShipmentAnswer, ...]
    next: str | None


class BoxAnswer(Document, frozen=True, kw_only=True):
    number: int
    reference: str
    awb: str | None


class BoxesAnswer(Document, frozen=True, kw_only=True):
    items: tuple[BoxAnswer, ...]


class MomentAnswer(Document, frozen=True, kw_only=True):
    at: datetime
    run: int | None
    priority: int | None
    courier: str
    reference: str
    state: str
    polls_done: int
    message: str
    told: str


class TimelineAnswer(Document, frozen=True, kw_only=True):
    items: tuple[MomentAnswer, ...]
    next: None = None


class ConnectorAnswer(Document, frozen=True, kw_only=True):
    """The key is never told again; its end lets a person recognise it."""

    username: str
    key_ends_with: str
    packslip_required: bool
    pickup_after_minutes: int
    appointment_after_days: int | None
    calls_at_once: int | None
    calls_per_second: int | None


class ProviderAnswer(Document, frozen=True, kw_only=True):
    code: str
    kind: Kind
    name: str
    enabled: bool
    connector_set: bool
    paused_at: datetime | None
    alarmed_at: datetime | None
    silent_since: datetime | None
    quiet_until: datetime | None
    problems: tuple[str, ...]


class ProvidersAnswer(Document, frozen=True, kw_only=True):
    items: tuple[ProviderAnswer, ...]
    next: None = None


class FacilityAnswer(Party, frozen=True, kw_only=True):
    location_code: str = ""
    time_zone: str = "Asia/Kolkata"
    opens_at: str = ""
    closes_at: str = ""
    days_off: tuple[Weekday, ...] = ()
    holidays: tuple[Day, ...] = ()
    code: str
    warnings: tuple[str, ...]


class FacilitiesAnswer(Document, frozen=True, kw_only=True):
    items: tuple[FacilityAnswer, ...]
    next: str | None


class KeyAnswer(Document, frozen=True, kw_only=True):
    """`facilities`: the codes of those that the key opens, null for all, also those that are added later."""

    name: str
    scope: str
    facilities: tuple[str, ...] | None
    expires_at: datetime | None


def shipment_answer(seen: Seen, rules: Rules, base_url: str) -> ShipmentAnswer:
    shipment, progress = seen.shipment, seen.progress
    holder, opened = progress.holder, progress.open_turn
    taken = holder or opened
    courier = taken.courier if taken else None
    waiting = opened if opened and not holder and opened.state is State.WAITING else None
    ready = holder is not None and holder.label_sha256 != "" and holder.state is not State.RETURNED
    return ShipmentAnswer(
        number=shipment.number,
        order_number=shipment.order_number,
        facility=shipment.facility,
        shipping_provider=shipment.shipping_provider,
        consignee=_as(shipment.consignee, Party),
        payment=Payment(mode=shipment.payment.mode, cod_amount=shipment.payment.cod_amount.quantize(PAISE)),
        invoices=tuple(_as(invoice, Invoice) for invoice in shipment.invoices),
        purchase_orders=tuple(_as(order, PurchaseOrder) for order in shipment.purchase_orders),
        boxes=_alike(shipment.boxes),
        appointment=_as(shipment.appointment, Appointment) if shipment.appointment else None,
        pickup_at=shipment.pickup_at,
        id=seen.id,
        status=status(progress),
        courier=CourierTaken(
            cp_id=courier.cp_id, account_code=courier.account_code, name=courier.name, priority=taken.priority
        )
        if courier and taken
        else None,
        awb=holder.awb or None if holder else None,
        label_url=f"{base_url}/api/v1/shipments/{seen.id}/label.pdf" if ready else None,
        papers_url=f"{base_url}/api/v1/shipments/{seen.id}/papers.pdf" if ready and seen.packslip_required else None,
        run=progress.run,
        version=progress.version,
        polls_done=waiting.polls_done if waiting else 0,
        next_poll_at=waiting.due_at if waiting else None,
        window_ends_at=window_ends_at(waiting, rules) if waiting else None,
        problem=telling.problem(progress, rules),
        warnings=tuple(filter(None, (*seen.to_look_at, telling.told_return(progress)))),
        pickup=PickupAnswer(at=seen.pickup.at, confirmation=seen.pickup.confirmation) if seen.pickup else None,
        created_at=seen.created_at,
    )


def _alike(boxes: tuple[Box, ...]) -> tuple[Boxes, ...]:
    """Boxes that follow each other and are alike are counted, as they may be sent."""
    return tuple(msgspec.structs.replace(_as(box, Boxes), count=len(list(same))) for box, same in groupby(boxes))


def _as(value: msgspec.Struct, wanted: type[Value]) -> Value:
    return msgspec.convert(value, wanted, from_attributes=True)


def moment_answer(moment: Moment, rules: Rules) -> MomentAnswer:
    return MomentAnswer(
        at=moment.at,
        run=moment.run,
        priority=moment.priority,
        courier=moment.courier,
        reference=moment.reference,
        state=moment.state,
        polls_done=moment.polls_done,
        message=moment.message,
        told=telling.told_moment(moment, rules),
    )
