"""`POST /waybill/update`: what Uniware weighs and measures again. What it leaves blank stays as it is."""

import msgspec

from bilty.intake.reader import Findings, Reader, Rejected
from bilty.intake.shipments import ORDER_NUMBER
from bilty.intake.uniware.boxes import split
from bilty.intake.uniware.names import in_uniwares_words
from bilty.intake.uniware.values import BOX_COUNT, GRAMS, SIDE, first_given, is_zero, keys_of
from bilty.intake.uniware.waybill import RETURNS, inner
from bilty.intake.values import BOOLEAN
from bilty.shipment import BOX_WEIGHT_G_MAX, Box, Shipment
from bilty.words import counted, kilograms

UPDATE = frozenset({"waybill", "code", "weight", "length", "breadth", "height", "numberOfBoxes"})


def parse_update(document: object, stored: Shipment) -> Shipment | Rejected:
    """The shipment as Uniware has it now. The very one given where nothing differs."""
    findings = Findings()
    outer = Reader(document, frozenset({"Shipment"}), findings, told_elsewhere=keys_of(document))
    said = inner(outer, "Shipment", UPDATE)
    if said.take("returnShipmentFlag", BOOLEAN, default=False):
        said.refuse("returnShipmentFlag", RETURNS)
    number = first_given(said, "SaleOrderCode", "orderCode")
    order = Reader({"SaleOrderCode": number}, frozenset({"SaleOrderCode"}), findings, "Shipment")
    changed = msgspec.structs.replace(
        stored,
        order_number=order.take("SaleOrderCode", ORDER_NUMBER, stored.order_number),
        boxes=_boxes(said, stored),
    )
    if findings.faults:
        return Rejected(tuple(in_uniwares_words(findings.faults, ())))
    return stored if changed == stored else changed


def _boxes(said: Reader, stored: Shipment) -> tuple[Box, ...]:
    first = stored.boxes[0]
    sizes = {(box.length_cm, box.breadth_cm, box.height_cm) for box in stored.boxes}
    count = said.take("numberOfBoxes", BOX_COUNT, len(stored.boxes))
    weight_g = _taken(said, "weight", stored.weight_g)
    if len(sizes) > 1:
        if (count, weight_g) != (len(stored.boxes), stored.weight_g):
            said.refuse("numberOfBoxes", "its boxes differ in size; send /waybill again with custom field boxes")
        return stored.boxes
    if weight_g < count or weight_g > count * BOX_WEIGHT_G_MAX:
        wants = f"{counted(count, 'box', 'boxes')} of 1 g to {kilograms(BOX_WEIGHT_G_MAX)} each"
        said.refuse("weight", f"give the grams of {wants}")
        return stored.boxes
    like = msgspec.structs.replace(
        first,
        length_cm=_side(said, "length", first.length_cm),
        breadth_cm=_side(said, "breadth", first.breadth_cm),
        height_cm=_side(said, "height", first.height_cm),
        items=first.items if count == len(stored.boxes) else (),
    )
    parts = split(weight_g, count)
    return tuple(msgspec.structs.replace(like, weight_g=part.weight_g) for part in parts for _ in range(part.count))


def _side(said: Reader, name: str, as_it_is: int) -> int:
    return as_it_is if is_zero(said.raw(name)) else said.take(name, SIDE, as_it_is)


def _taken(said: Reader, name: str, as_it_is: int) -> int:
    return as_it_is if is_zero(said.raw(name)) else said.take(name, GRAMS, as_it_is)
