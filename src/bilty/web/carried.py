"""What a shipment is, in words, for a person who compares it with the paper in hand."""

from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby

from bilty import telling
from bilty.shipment import Box, Day, Item, Party, Shipment
from bilty.words import day, grouped, kilograms, rupees


@dataclass(frozen=True, slots=True)
class Address:
    organisation: str
    name: str
    street: str
    place: str
    phone: str
    email: str
    gstin: str


@dataclass(frozen=True, slots=True)
class BoxesRow:
    """Boxes that follow each other and are alike: one line."""

    numbers: str
    count: str
    size: str
    weight: str
    weight_together: str
    invoice: str
    purchase_order: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    number: str
    date: str
    value: str
    ewaybill: str
    ewaybill_until: str
    ewaybill_last: Day | None


@dataclass(frozen=True, slots=True)
class Carried:
    to: Address
    facility: str
    order_number: str
    payment: str
    boxes: tuple[BoxesRow, ...]
    invoices: tuple[InvoiceRow, ...]
    purchase_orders: tuple[tuple[str, str], ...]
    box_count: str
    weight: str
    value: str
    pickup: str
    appointment: str
    appointment_id: str


def carried(shipment: Shipment, zone: tzinfo) -> Carried:
    """Its own times, blank where they are left to the connector, by the clocks of `zone`, the facility's."""
    slot = shipment.appointment
    return Carried(
        to=_address(shipment.consignee),
        facility=shipment.facility,
        order_number=shipment.order_number,
        payment=f"Collect {rupees(shipment.payment.cod_amount)}" if shipment.payment.cod_amount else "Prepaid",
        boxes=_boxes(shipment.boxes),
        invoices=tuple(
            InvoiceRow(
                number=each.number,
                date=day(each.date),
                value=rupees(each.value),
                ewaybill=each.ewaybill_number,
                ewaybill_until=day(each.ewaybill_expires_on) if each.ewaybill_expires_on else "",
                ewaybill_last=each.ewaybill_expires_on,
            )
            for each in shipment.invoices
        ),
        purchase_orders=tuple(
            (each.number, day(each.expires_on) if each.expires_on else "") for each in shipment.purchase_orders
        ),
        box_count=grouped(len(shipment.boxes)) + (" box" if len(shipment.boxes) == 1 else " boxes"),
        weight=kilograms(shipment.weight_g),
        value=rupees(shipment.value),
        pickup=telling.told_hour(shipment.pickup_at, zone) if shipment.pickup_at else "",
        appointment=telling.told_slot(slot, zone) if slot else "",
        appointment_id=slot.id if slot else "",
    )


def _address(party: Party) -> Address:
    return Address(
        organisation=party.organisation or party.name,
        name=party.name if party.organisation else "",
        street=" ".join(party.address.split()).rstrip(","),
        place=f"{party.city} {party.pincode}, {party.state}",
        phone=party.phone,
        email=party.email,
        gstin=party.gstin,
    )


def _boxes(boxes: tuple[Box, ...]) -> tuple[BoxesRow, ...]:
    rows, first = [], 1
    for box, same in groupby(boxes):
        count = len(list(same))
        last = first + count - 1
        rows.append(
            BoxesRow(
                numbers=str(first) if count == 1 else f"{first}\N{EN DASH}{last}",
                count=str(count),
                size=f"{box.length_cm} × {box.breadth_cm} × {box.height_cm} cm",  # noqa: RUF001 - times it is
                weight=kilograms(box.weight_g),
                weight_together=kilograms(box.weight_g * count),
                invoice=box.invoice,
                purchase_order=box.purchase_order,
                items=tuple(_item(item) for item in box.items),
            )
        )
        first = last + 1
    return tuple(rows)


def _item(item: Item) -> str:
    described = f" {item.description}" if item.description else ""
    return f"{grouped(item.quantity)} × {item.sku}{described}"  # noqa: RUF001 - times it is
