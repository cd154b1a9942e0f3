"""What an exported table has: a row a shipment, or a row a box with the box's own waybill.

A row a box repeats its shipment's names and papers, and none of its amounts: what stands on several rows is added up
several times by whoever makes a sum of the column.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from bilty import telling
from bilty.jobs.tables import Cell, Column
from bilty.shipment import Box, Item
from bilty.store.exporting import Portion
from bilty.store.showing import Seen
from bilty.workflow import status


class Rows(StrEnum):
    SHIPMENTS = "shipments"
    BOXES = "boxes"


Value = Callable[[Seen, ZoneInfo], Cell]
BoxValue = Callable[[Seen, int, Box, str], Cell]

_NAMES: tuple[tuple[Column, Value], ...] = (
    (Column("Number", 16), lambda seen, _: seen.shipment.number),
    (Column("Order number", 16), lambda seen, _: seen.shipment.order_number),
    (Column("Facility"), lambda seen, _: seen.shipment.facility),
    (Column("Shipping Provider", 16), lambda seen, _: seen.shipment.shipping_provider),
    (Column("Status", 22), lambda seen, _: telling.STATUS_WORDS[status(seen.progress)]),
    (Column("Courier", 18), lambda seen, _: _courier(seen)),
    (Column("AWB", 18), lambda seen, _: seen.progress.holder.awb if seen.progress.holder else ""),
    (Column("Reference", 23), lambda seen, _: seen.progress.holder.reference if seen.progress.holder else ""),
    (Column("Consignee", 30), lambda seen, _: seen.shipment.consignee.organisation or seen.shipment.consignee.name),
    (Column("City", 16), lambda seen, _: seen.shipment.consignee.city),
    (Column("State", 16), lambda seen, _: seen.shipment.consignee.state),
    (Column("PIN"), lambda seen, _: seen.shipment.consignee.pincode),
)
_SUMS: tuple[tuple[Column, Value], ...] = (
    (Column("Boxes"), lambda seen, _: len(seen.shipment.boxes)),
    (Column("Weight (kg)"), lambda seen, _: _kilograms(seen.shipment.weight_g)),
    (Column("Value (INR)", 14), lambda seen, _: seen.shipment.value),
)
_CREATED: tuple[Column, Value] = (Column("Created", 17), lambda seen, zone: _local(seen.created_at, zone))
_PAPERS: tuple[tuple[Column, Value], ...] = (
    (Column("Contact", 20), lambda seen, _: seen.shipment.consignee.name),
    (Column("Phone", 13), lambda seen, _: seen.shipment.consignee.phone),
    (Column("Address", 40), lambda seen, _: " ".join(seen.shipment.consignee.address.split())),
    (Column("GSTIN", 18), lambda seen, _: seen.shipment.consignee.gstin),
    (Column("Payment"), lambda seen, _: seen.shipment.payment.mode.value),
    (Column("To collect (INR)"), lambda seen, _: seen.shipment.payment.cod_amount),
    (Column("Invoices", 20), lambda seen, _: _joined(each.number for each in seen.shipment.invoices)),
    (Column("E-way bills", 16), lambda seen, _: _joined(each.ewaybill_number for each in seen.shipment.invoices)),
    (Column("Purchase orders", 20), lambda seen, _: _joined(each.number for each in seen.shipment.purchase_orders)),
)
_OF_BOXES: tuple[tuple[Column, BoxValue], ...] = (
    (Column("Box"), lambda _, number, __, ___: number),
    (Column("Of"), lambda seen, _, __, ___: len(seen.shipment.boxes)),
    (Column("Box reference", 20), lambda seen, number, _, __: seen.shipment.box_reference(number)),
    (Column("Child AWB", 18), lambda _, __, ___, awb: awb),
    (Column("Length (cm)"), lambda _, __, box, ___: box.length_cm),
    (Column("Breadth (cm)"), lambda _, __, box, ___: box.breadth_cm),
    (Column("Height (cm)"), lambda _, __, box, ___: box.height_cm),
    (Column("Box weight (kg)"), lambda _, __, box, ___: _kilograms(box.weight_g)),
    (Column("Invoice", 18), lambda _, __, box, ___: box.invoice),
    (Column("Purchase order", 18), lambda _, __, box, ___: box.purchase_order),
    (Column("Items", 40), lambda _, __, box, ___: _items(box.items)),
)
_SHIPMENT = (*_NAMES, *_SUMS, _CREATED, *_PAPERS)
_SHIPMENT_OF_BOX = (*_NAMES, _CREATED)
COLUMNS: Mapping[Rows, tuple[Column, ...]] = {
    Rows.SHIPMENTS: tuple(column for column, _ in _SHIPMENT),
    Rows.BOXES: (*(column for column, _ in _SHIPMENT_OF_BOX), *(column for column, _ in _OF_BOXES)),
}
SHEETS: Mapping[Rows, str] = {Rows.SHIPMENTS: "Shipments", Rows.BOXES: "Boxes"}


def rows_of(found: Portion, rows: Rows) -> Iterator[list[Cell]]:
    for each in found.seen:
        zone = ZoneInfo(found.zones[each.shipment.facility])
        if rows is Rows.SHIPMENTS:
            yield [value(each, zone) for _, value in _SHIPMENT]
            continue
        common = [value(each, zone) for _, value in _SHIPMENT_OF_BOX]
        for number, box in enumerate(each.shipment.boxes, 1):
            awb = found.awbs.get((each.id, number), "")
            yield [*common, *(value(each, number, box, awb) for _, value in _OF_BOXES)]


def _courier(seen: Seen) -> str:
    holder = seen.progress.holder
    return holder.courier.name if holder and holder.courier else ""


def _kilograms(grams: int) -> Decimal:
    return Decimal(grams) / 1000


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _joined(numbers: Iterator[str]) -> str:
    return ", ".join(each for each in numbers if each)


def _items(items: Sequence[Item]) -> str:
    return ", ".join(f"{each.quantity} x {each.sku}" for each in items)
