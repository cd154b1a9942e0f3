"""Reading box groups. A group of `count` like boxes becomes that many boxes, numbered from 1 across the shipment."""

from bilty.intake import limits
from bilty.intake.reader import Reader, Rule
from bilty.intake.values import MONEY, name_of, text, whole
from bilty.shipment import BOX_SIDE_CM_MAX, BOX_WEIGHT_G_MAX, BOXES_MAX, Box, Item
from bilty.words import grouped, kilograms

GROUP = frozenset({"count", "length_cm", "breadth_cm", "height_cm", "weight_g", "invoice", "purchase_order", "items"})
ITEM = frozenset({"sku", "description", "hsn", "quantity", "unit_price"})

COUNT = whole("a whole number of boxes", 1, BOXES_MAX)
SIDE = whole("whole centimetres", 1, BOX_SIDE_CM_MAX)
WEIGHT = whole("whole grams", 1, BOX_WEIGHT_G_MAX, kilograms(BOX_WEIGHT_G_MAX))
INVOICE = text(limits.INVOICE_NUMBER_CHARS_MAX)
PURCHASE_ORDER = text(limits.PURCHASE_ORDER_NUMBER_CHARS_MAX)
SKU = text(limits.SKU_CHARS_MAX)
DESCRIPTION = text(limits.DESCRIPTION_CHARS_MAX)
HSN = name_of("(?:[0-9]{2}){1,4}", "an HSN code of 2, 4, 6 or 8 digits, as in 61091000")
QUANTITY = whole("a whole number of pieces", 1, limits.QUANTITY_MAX)


def boxes(reader: Reader, invoices: frozenset[str], purchase_orders: frozenset[str]) -> tuple[Box, ...]:
    """The boxes, each naming only an invoice and a purchase order that the shipment has."""
    found: list[Box] = []
    total = items = 0
    for group in reader.each("boxes", GROUP, 1, BOXES_MAX):
        count = group.take("count", COUNT, 1)
        total += count
        box = _box(group, invoices, purchase_orders)
        items += count * len(box.items)
        if total <= BOXES_MAX and items <= limits.ITEMS_PER_SHIPMENT_MAX:
            found.extend([box] * count)
    if total > BOXES_MAX:
        reader.fault(
            "boxes",
            f"The counts of boxes add up to {grouped(total)}: divide the shipment, {BOXES_MAX} boxes at most.",
        )
    if items > limits.ITEMS_PER_SHIPMENT_MAX:
        reader.fault(
            "boxes",
            f"The items of all boxes add up to {grouped(items)} lines: join like items, "
            f"{grouped(limits.ITEMS_PER_SHIPMENT_MAX)} lines at most.",
        )
    return tuple(found)


def _box(group: Reader, invoices: frozenset[str], purchase_orders: frozenset[str]) -> Box:
    return Box(
        length_cm=group.need("length_cm", SIDE),
        breadth_cm=group.need("breadth_cm", SIDE),
        height_cm=group.need("height_cm", SIDE),
        weight_g=group.need("weight_g", WEIGHT),
        invoice=_named(group, "invoice", INVOICE, invoices, "invoices"),
        purchase_order=_named(group, "purchase_order", PURCHASE_ORDER, purchase_orders, "purchase_orders"),
        items=tuple(_item(item) for item in group.each("items", ITEM, 0, limits.ITEMS_PER_BOX_MAX)),
    )


def _named(group: Reader, name: str, rule: Rule[str], known: frozenset[str], where: str) -> str:
    """The number given; it must be one of `known`. An empty string there says that not all of them could be read."""
    number = group.take(name, rule, "")
    if number and number not in known and "" not in known:
        group.fault(name, f'{name} "{number}" is not among the shipment\'s {where}: add it there, or name one that is.')
    return number


def _item(item: Reader) -> Item:
    return Item(
        sku=item.need("sku", SKU),
        quantity=item.need("quantity", QUANTITY),
        unit_price=item.need("unit_price", MONEY),
        description=item.take("description", DESCRIPTION, ""),
        hsn=item.take("hsn", HSN, ""),
    )
