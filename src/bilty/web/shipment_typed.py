"""From a shipment to its form: as if somebody had typed it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import groupby, zip_longest

import msgspec

from bilty.shipment import Box, Frozen, Shipment
from bilty.web.shipment_form import BOX, INVOICE, ITEM, ORDER, BoxRow, Row, Typed, blank
from bilty.words import kilograms


def like(shipment: Shipment) -> Typed:
    """A form for another shipment like this one: the same consignee and boxes, and papers of its own."""
    start = Typed()
    fields = {**start.fields, **_named(shipment), **_consignee(shipment), "payment.mode": str(shipment.payment.mode)}
    loose = [_without(box, ("invoice", "purchase_order")) for box in shipment.boxes]
    return replace(start, fields=fields, boxes=_boxes(loose))


def filled(shipment: Shipment, zone: tzinfo) -> Typed:
    """The form of the shipment itself; sent as it is, it changes nothing. Times by the clock of `zone`."""
    start, slot, payment = Typed(), shipment.appointment, shipment.payment
    fields = {
        **start.fields,
        **_named(shipment),
        **_consignee(shipment),
        "number": shipment.number,
        "order_number": shipment.order_number,
        "payment.mode": str(payment.mode),
        "payment.cod_amount": str(payment.cod_amount) if payment.cod_amount else "",
        "pickup_at": _local(shipment.pickup_at, zone),
        "appointment.starts_at": _local(slot.starts_at if slot else None, zone),
        "appointment.ends_at": _local(slot.ends_at if slot else None, zone),
        "appointment.id": slot.id if slot else "",
    }
    return Typed(
        fields=fields,
        invoices=tuple(_row(each, INVOICE) for each in shipment.invoices) or (blank(INVOICE),),
        orders=tuple(_row(each, ORDER) for each in shipment.purchase_orders),
        boxes=_boxes(shipment.boxes) or (BoxRow(),),
    )


def named_as_before(before: Shipment, after: Shipment) -> Shipment:
    """A box that did not name the only invoice or purchase order does not now: the form asks only between several."""
    counts = {
        "invoice": (len(before.invoices), len(after.invoices)),
        "purchase_order": (len(before.purchase_orders), len(after.purchase_orders)),
    }
    only = [name for name, count in counts.items() if count == (1, 1)]
    never = {name for name in only if not any(getattr(box, name) for box in before.boxes)}

    def named(box: Box, was: Box | None) -> Box:
        is_same = was is not None and _without(box, only) == _without(was, only)
        return _without(box, [name for name in only if name in never or (is_same and not getattr(was, name))])

    boxes = zip_longest(after.boxes, before.boxes[: len(after.boxes)])
    return msgspec.structs.replace(after, boxes=tuple(named(box, was) for box, was in boxes))


def _without(box: Box, names: Sequence[str]) -> Box:
    return msgspec.structs.replace(box, **dict.fromkeys(names, ""))


def _named(shipment: Shipment) -> Row:
    return {"facility": shipment.facility, "shipping_provider": shipment.shipping_provider}


def _consignee(shipment: Shipment) -> Row:
    names = [name for name in Typed().fields if name.startswith("consignee.")]
    return {name: str(getattr(shipment.consignee, name.removeprefix("consignee."))) for name in names}


def _boxes(boxes: Sequence[Box]) -> tuple[BoxRow, ...]:
    return tuple(_box(box, len(list(alike))) for box, alike in groupby(boxes))


def _box(box: Box, count: int) -> BoxRow:
    weight = kilograms(box.weight_g).removesuffix(" kg").replace(",", "")
    fields = {**_row(box, BOX), "count": str(count), "weight_kg": weight}
    return BoxRow(fields, tuple(_row(item, ITEM) for item in box.items))


def _row(value: Frozen, names: Sequence[str]) -> Row:
    """What `value` does not have, or has not got, is blank."""
    found = {name: getattr(value, name, None) for name in names}
    return {name: "" if each is None else str(each) for name, each in found.items()}


def _local(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")
