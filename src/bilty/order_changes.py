"""What another version of a shipment would change, field by field, in the words of an order file's columns."""

import re

import msgspec

from bilty.order_columns import column_of
from bilty.shipment import Shipment, ewaybills_of, with_ewaybills

CHANGES_MAX = 50
_PLACES = {"boxes": "box", "invoices": "invoice", "purchase_orders": "purchase order"}
_INDEX = re.compile(r"^([a-z_]+)\[([0-9]+)\]")


class Change(msgspec.Struct, frozen=True):
    """`field`: "consignee_city", "weight_g of box 4". Blank where there is nothing on that side."""

    field: str
    before: str
    after: str


def is_same(known: Shipment, given: Shipment) -> bool:
    """E-way bills that came since are not missed: whoever sends it again as before means the same."""
    return known == _with_known_ewaybills(known, given)


def changes(known: Shipment, given: Shipment) -> tuple[Change, ...]:
    """Those that `given` would make, the first CHANGES_MAX of them."""
    before, after = _leaves(known), _leaves(_with_known_ewaybills(known, given))
    boxes = min(len(known.boxes), len(given.boxes))
    found = [
        Change(_words(path), before.get(path, ""), after.get(path, ""))
        for path in dict.fromkeys([*before, *after])
        if before.get(path, "") != after.get(path, "") and not _is_of_a_box_more(path, boxes)
    ]
    return tuple(found[:CHANGES_MAX])


def _is_of_a_box_more(path: str, boxes: int) -> bool:
    """Of a box that is on one side only: the count of boxes says enough."""
    place = _INDEX.match(path)
    return place is not None and place[1] == "boxes" and int(place[2]) >= boxes


def _with_known_ewaybills(known: Shipment, given: Shipment) -> Shipment:
    return with_ewaybills(given, {**ewaybills_of(known), **ewaybills_of(given)})


def _leaves(shipment: Shipment) -> dict[str, str]:
    found = {"boxes": str(len(shipment.boxes))}
    _walk(msgspec.to_builtins(shipment), "", found)
    return found


def _walk(value: object, path: str, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _walk(inner, f"{path}.{name}" if path else str(name), found)
    elif isinstance(value, (list, tuple)):
        for nth, inner in enumerate(value):
            _walk(inner, f"{path}[{nth}]", found)
    else:
        found[path] = str(value)


def _words(path: str) -> str:
    column = column_of(path)
    place = _INDEX.match(path)
    return f"{column} of {_PLACES[place[1]]} {int(place[2]) + 1}" if place and place[1] in _PLACES else column
