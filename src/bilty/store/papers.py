"""What Bilty itself draws for a shipment that has its label: stickers of its boxes, packing slips.

A box wears the waybill that is known to be its own (`bilty.children`), and else Bilty's own reference of it: never the
number of another box.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from bilty.documents.slips import Packed, Slip
from bilty.documents.stickers import Sticker
from bilty.shipment import Facility, Party, PaymentMode
from bilty.store import showing
from bilty.store.database import Connection
from bilty.store.showing import Seen
from bilty.words import rupees


@dataclass(frozen=True, slots=True)
class Source:
    """All that its papers say. `awbs` by the boxes' numbers, of those that have one of their own."""

    seen: Seen
    awbs: Mapping[int, str]
    sender: Party

    @property
    def courier(self) -> str:
        holder = self.seen.progress.holder
        return holder.courier.name if holder and holder.courier else ""


async def sources(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, Source]:
    found = await showing.see(connection, shipment_ids)
    awbs = await _awbs(connection, list(found))
    facilities = await _facilities(connection, {each.shipment.facility for each in found.values()})
    return {
        shipment_id: Source(
            seen=each,
            awbs=awbs.get(shipment_id, {}),
            sender=facilities[each.shipment.facility].pickup,
        )
        for shipment_id, each in found.items()
    }


async def _awbs(connection: Connection, shipment_ids: Sequence[int]) -> dict[int, dict[int, str]]:
    rows = await connection.fetch(
        """SELECT b.shipment_id, b.number, b.awb FROM boxes b
             JOIN shipments s ON s.id = b.shipment_id AND s.version = b.version
            WHERE b.shipment_id = ANY($1) AND b.awb <> ''""",
        shipment_ids,
    )
    found: dict[int, dict[int, str]] = {}
    for row in rows:
        found.setdefault(row["shipment_id"], {})[row["number"]] = row["awb"]
    return found


async def _facilities(connection: Connection, codes: set[str]) -> dict[str, Facility]:
    rows = await connection.fetch("SELECT code, content FROM facilities WHERE code = ANY($1)", list(codes))
    return {row["code"]: msgspec.json.decode(row["content"], type=Facility) for row in rows}


def stickers(source: Source, *, box: int = 0, mark: str = "") -> tuple[Sticker, ...]:
    """Of each box in their order, or of that one alone."""
    shipment, holder = source.seen.shipment, source.seen.progress.holder
    to_collect = rupees(shipment.payment.cod_amount) if shipment.payment.mode is PaymentMode.COD else ""
    return tuple(
        Sticker(
            number=number,
            of=len(shipment.boxes),
            code=source.awbs.get(number, shipment.box_reference(number)),
            is_awb=number in source.awbs,
            awb=holder.awb if holder else "",
            courier=source.courier,
            facility=shipment.facility,
            shipment=shipment.number,
            order_number=shipment.order_number if shipment.order_number != shipment.number else "",
            purchase_order=each.purchase_order or _only([one.number for one in shipment.purchase_orders]),
            invoice=each.invoice or _only([one.number for one in shipment.invoices]),
            to=shipment.consignee,
            weight_g=each.weight_g,
            length_cm=each.length_cm,
            breadth_cm=each.breadth_cm,
            height_cm=each.height_cm,
            cod=f"COD {to_collect}" if to_collect else "",
            mark=mark,
        )
        for number, each in enumerate(shipment.boxes, start=1)
        if box in (0, number)
    )


def slips(source: Source, *, box: int = 0, mark: str = "") -> tuple[Slip, ...]:
    """The shipment's, and behind it one of each box whose content is known; or of that one box alone."""
    shipment = source.seen.shipment
    packed = tuple(
        Packed(number, source.awbs.get(number, ""), each) for number, each in enumerate(shipment.boxes, start=1)
    )
    whole = _slip(source, packed, mark)
    if len(packed) == 1:
        return (whole,)
    by_box = tuple(
        _slip(source, (each,), mark) for each in packed if (each.box.items if not box else each.number == box)
    )
    return by_box if box else (whole, *by_box)


def _slip(source: Source, packed: tuple[Packed, ...], mark: str) -> Slip:
    """With the papers that its boxes name, or all of the shipment's where they name none."""
    shipment, holder = source.seen.shipment, source.seen.progress.holder
    named = {each.box.invoice for each in packed} - {""}
    orders = {each.box.purchase_order for each in packed} - {""}
    alone = len(packed) < len(shipment.boxes)
    invoices = [each for each in shipment.invoices if not alone or not named or each.number in named]
    return Slip(
        boxes=packed,
        of=len(shipment.boxes),
        shipment=shipment.number,
        order_number=shipment.order_number,
        awb=holder.awb if holder else "",
        courier=source.courier,
        sender=source.sender,
        to=shipment.consignee,
        invoices=tuple(each.number for each in invoices),
        purchase_orders=tuple(
            each.number for each in shipment.purchase_orders if not alone or not orders or each.number in orders
        ),
        ewaybills=tuple(each.ewaybill_number for each in invoices if each.ewaybill_number),
        mark=mark,
    )


def _only(numbers: Sequence[str]) -> str:
    """A box that names none has the shipment's, where there is one alone."""
    return numbers[0] if len(numbers) == 1 else ""
