"""The form of a new shipment: what was typed, and its rows that come and go. Pure.

A field is named as intake names it (`boxes[2].length_cm`), so that a fault finds its field by itself. One is not: a
bench weighs in kilograms, so a box has `weight_kg` here and `weight_g` there.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bilty.intake.limits import INVOICES_MAX, ITEMS_PER_BOX_MAX, PURCHASE_ORDERS_MAX
from bilty.shipment import BOXES_MAX

T = TypeVar("T")
Row = Mapping[str, str]

FIELDS = (
    "number",
    "order_number",
    "facility",
    "shipping_provider",
    *(
        f"consignee.{name}"
        for name in ("organisation", "name", "phone", "email", "address", "pincode", "city", "state", "gstin")
    ),
    "payment.mode",
    "payment.cod_amount",
    "pickup_at",
    "appointment.starts_at",
    "appointment.ends_at",
    "appointment.id",
)
INVOICE = (
    "number",
    "date",
    "value",
    "ewaybill_number",
    "ewaybill_expires_on",
    "taxable_value",
    "cgst",
    "sgst",
    "igst",
)
ORDER = ("number", "expires_on")
BOX = ("count", "length_cm", "breadth_cm", "height_cm", "weight_kg", "invoice", "purchase_order")
ITEM = ("sku", "description", "hsn", "quantity", "unit_price")
_INDEX_DIGITS = 4
_ROW = re.compile(rf"(invoices|purchase_orders|boxes)\[([0-9]{{1,{_INDEX_DIGITS}}})\]\.([a-z_]+)")
_ITEM = re.compile(rf"boxes\[([0-9]{{1,{_INDEX_DIGITS}}})\]\.items\[([0-9]{{1,{_INDEX_DIGITS}}})\]\.([a-z_]+)")


def blank(names: Iterable[str]) -> Row:
    return dict.fromkeys(names, "")


@dataclass(frozen=True, slots=True)
class BoxRow:
    """Boxes that are alike, as many as its `count` says."""

    fields: Row = field(default_factory=lambda: {**blank(BOX), "count": "1"})
    items: tuple[Row, ...] = ()

    @property
    def is_blank(self) -> bool:
        """A count alone is no box: it stands in a new row already."""
        typed = [value for name, value in self.fields.items() if name != "count"]
        return not any(typed) and not any(map(_is_typed, self.items))


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, exactly as it was typed."""

    fields: Row = field(default_factory=lambda: {**blank(FIELDS), "payment.mode": "prepaid"})
    invoices: tuple[Row, ...] = (blank(INVOICE),)
    orders: tuple[Row, ...] = ()
    boxes: tuple[BoxRow, ...] = (BoxRow(),)


def _is_typed(row: Row) -> bool:
    return any(row.values())


def read(form: Mapping[str, str]) -> Typed:
    """The form as a browser sends it. Rows keep their order, whatever their numbers; other fields are passed over."""
    rows: dict[str, dict[int, dict[str, str]]] = {"invoices": {}, "purchase_orders": {}, "boxes": {}}
    items: dict[int, dict[int, dict[str, str]]] = {}
    for name, value in form.items():
        if found := _ROW.fullmatch(name):
            rows[found[1]].setdefault(int(found[2]), {})[found[3]] = value
        elif found := _ITEM.fullmatch(name):
            items.setdefault(int(found[1]), {}).setdefault(int(found[2]), {})[found[3]] = value
    boxes = [
        BoxRow(_only(row, BOX), tuple(_only(item, ITEM) for _, item in sorted(items.get(n, {}).items())))
        for n, row in sorted(rows["boxes"].items())
    ]
    return Typed(
        fields={name: form.get(name, "").replace("\r\n", "\n") for name in FIELDS},
        invoices=_rows(rows["invoices"], INVOICE, INVOICES_MAX) or (blank(INVOICE),),
        orders=_rows(rows["purchase_orders"], ORDER, PURCHASE_ORDERS_MAX),
        boxes=tuple(boxes[:BOXES_MAX]) or (BoxRow(),),
    )


def _rows(found: Mapping[int, Row], names: Iterable[str], at_most: int) -> tuple[Row, ...]:
    return tuple(_only(row, names) for _, row in sorted(found.items()))[:at_most]


def _only(row: Row, names: Iterable[str]) -> Row:
    return {name: row.get(name, "") for name in names}


def tidy(typed: Typed) -> Typed:
    """Without rows in which nothing stands; a first invoice and a first box stay, because each shipment needs one."""
    return replace(
        typed,
        invoices=tuple(filter(_is_typed, typed.invoices)) or typed.invoices[:1],
        orders=tuple(filter(_is_typed, typed.orders)),
        boxes=tuple(replace(row, items=tuple(filter(_is_typed, row.items))) for row in typed.boxes if not row.is_blank)
        or typed.boxes[:1],
    )


def change(typed: Typed, order: str) -> tuple[Typed, str]:
    """A row more or less: `add-box`, `copy-box:2`, `drop-item:2.0`. And the field in which typing goes on."""
    what, _, where = order.partition(":")
    places = [int(each) for each in where.split(".") if re.fullmatch(f"[0-9]{{1,{_INDEX_DIGITS}}}", each)]
    first = places[0] if places else -1
    if what in ("add-item", "drop-item"):
        return _change_items(typed, what, first, places[1] if len(places) > 1 else -1)
    return _change_boxes(typed, what, first) if what.endswith("-box") else _change_papers(typed, what, first)


def _change_papers(typed: Typed, what: str, place: int) -> tuple[Typed, str]:
    match what:
        case "add-invoice" if len(typed.invoices) < INVOICES_MAX:
            more = replace(typed, invoices=(*typed.invoices, blank(INVOICE)))
            return more, f"invoices[{len(typed.invoices)}].number"
        case "drop-invoice":
            return replace(typed, invoices=_without(typed.invoices, place) or (blank(INVOICE),)), ""
        case "add-order" if len(typed.orders) < PURCHASE_ORDERS_MAX:
            more = replace(typed, orders=(*typed.orders, blank(ORDER)))
            return more, f"purchase_orders[{len(typed.orders)}].number"
        case "drop-order":
            return replace(typed, orders=_without(typed.orders, place)), ""
    return typed, ""


def _change_boxes(typed: Typed, what: str, place: int) -> tuple[Typed, str]:
    room = len(typed.boxes) < BOXES_MAX
    match what:
        case "add-box" if room:
            return replace(typed, boxes=(*typed.boxes, BoxRow())), f"boxes[{len(typed.boxes)}].count"
        case "copy-box" if room and 0 <= place < len(typed.boxes):
            boxes = (*typed.boxes[: place + 1], *typed.boxes[place:])
            return replace(typed, boxes=boxes), f"boxes[{place + 1}].count"
        case "drop-box":
            return replace(typed, boxes=_without(typed.boxes, place) or (BoxRow(),)), ""
    return typed, ""


def _change_items(typed: Typed, what: str, box: int, place: int) -> tuple[Typed, str]:
    if not 0 <= box < len(typed.boxes):
        return typed, ""
    items = typed.boxes[box].items
    if what == "drop-item":
        return _with_items(typed, box, _without(items, place)), ""
    if len(items) >= ITEMS_PER_BOX_MAX:
        return typed, ""
    return _with_items(typed, box, (*items, blank(ITEM))), f"boxes[{box}].items[{len(items)}].sku"


def _without(rows: tuple[T, ...], place: int) -> tuple[T, ...]:
    return tuple(row for n, row in enumerate(rows) if n != place)


def _with_items(typed: Typed, place: int, items: tuple[Row, ...]) -> Typed:
    box = replace(typed.boxes[place], items=items)
    return replace(typed, boxes=(*typed.boxes[:place], box, *typed.boxes[place + 1 :]))
