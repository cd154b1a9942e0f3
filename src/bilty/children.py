"""Which waybill is for which box. Pure.

Couriers send children in any order, with one too many (a waybill for the papers) or too few, so a child goes to the
box that it names and never to the one whose turn it is. A box that nothing names stays without a waybill, and a
person is told: a box without a label is found in the warehouse, a box with another's label at the wrong customer.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bilty.reply import Child
from bilty.shipment import Shipment

NAMED_MAX = 5
"""Boxes or waybills that a warning lists before it says how many more."""

_DESCRIPTION = re.compile(r"\s*box\s+(\d{1,4})\s+of\s+(\d{1,4})\s*", re.IGNORECASE | re.ASCII)
_REFERENCE = re.compile(r"(.+)-([1-9]\d{0,3})(?:\.0*1)?", re.ASCII | re.DOTALL)
"""`Shipment.box_reference`, behind which ClickPost counts the pieces; ours are one piece each."""

Skus: TypeAlias = Mapping[str, set[int]]


@dataclass(frozen=True, slots=True)
class BoxAwbs:
    """`by_box` holds (box number, AWB) of the boxes that are sure; `documents` the waybills of the papers alone."""

    by_box: tuple[tuple[int, str], ...] = ()
    documents: tuple[str, ...] = ()
    warning: str = ""


def box_description(number: int, boxes: int) -> str:
    """How box `number` is described to a courier: `match_children` reads it back."""
    return f"Box {number} of {boxes}"


def match_children(shipment: Shipment, children: Sequence[Child], parent_awb: str) -> BoxAwbs:
    """Each box's AWB as far as the children tell; `warning` is one sentence for a person, blank if all is well.

    A shipment of one box needs no children: its box has the shipment's AWB.
    """
    awbs = tuple(dict.fromkeys(child.awb for child in children))
    if len(shipment.boxes) == 1 and (not awbs or (len(awbs) == 1 and _may_be_box_1(shipment, children))):
        return BoxAwbs(by_box=((1, awbs[0] if awbs else parent_awb),))
    if not awbs:
        count = len(shipment.boxes)
        return BoxAwbs(warning=f"The courier sent no waybills for the {count} boxes, only the shipment's own.")
    by_box = _sure(shipment, children)
    given = {awb for _, awb in by_box}
    left = tuple(awb for awb in awbs if awb not in given and awb != parent_awb)
    if len(by_box) == len(shipment.boxes) and len(left) <= 1:
        return BoxAwbs(by_box=by_box, documents=left)
    return BoxAwbs(by_box=by_box, warning=_warning(shipment, by_box, awbs, left))


def miscount(shipment: Shipment, children: Sequence[Child], parent_awb: str) -> str:
    """How the boxes' waybills do not fit the boxes, in a sentence; blank where they do.

    They fit if there are as many, or one more, and they name each box or none. A courier that gives none at all goes by
    its own AWB alone: that is no count.
    """
    count, boxes = len({child.awb for child in children}), len(shipment.boxes)
    matched = match_children(shipment, children, parent_awb)
    if count in (0, boxes, boxes + 1) and not matched.by_box:
        return ""
    return matched.warning


def _may_be_box_1(shipment: Shipment, children: Sequence[Child]) -> bool:
    skus = _boxes_by_sku(shipment)
    return all(1 in numbers for child in children for numbers in _evidence(shipment, skus, child))


def _sure(shipment: Shipment, children: Sequence[Child]) -> tuple[tuple[int, str], ...]:
    """Pairs where an AWB names one box alone and no other AWB names that box."""
    skus = _boxes_by_sku(shipment)
    pairs = {(number, child.awb) for child in children if (number := _box_of(shipment, skus, child)) is not None}
    boxes = Counter(number for number, _ in pairs)
    awbs = Counter(awb for _, awb in pairs)
    return tuple(sorted((number, awb) for number, awb in pairs if boxes[number] == 1 and awbs[awb] == 1))


def _boxes_by_sku(shipment: Shipment) -> Skus:
    boxes: dict[str, set[int]] = {}
    for number, box in enumerate(shipment.boxes, start=1):
        for item in box.items:
            boxes.setdefault(item.sku, set()).add(number)
    return boxes


def _box_of(shipment: Shipment, skus: Skus, child: Child) -> int | None:
    """The one box on which everything that the child says agrees."""
    evidence = _evidence(shipment, skus, child)
    common = set.intersection(*evidence) if evidence else set()
    return common.pop() if len(common) == 1 else None


def _evidence(shipment: Shipment, skus: Skus, child: Child) -> list[set[int]]:
    """For each thing that the child says of its box, the boxes it may mean; what says nothing of ours is left out."""
    by_sku = _by_reference(shipment, child.sku)
    said = (
        _by_reference(shipment, child.reference),
        _by_description(shipment, child.description),
        skus.get(child.sku) if by_sku is None else by_sku,
    )
    return [numbers for numbers in said if numbers is not None]


def _by_reference(shipment: Shipment, reference: str) -> set[int] | None:
    found = _REFERENCE.fullmatch(reference)
    if found is None or found[1] != shipment.number:
        return None
    number = int(found[2])
    return {number} if number <= len(shipment.boxes) else set()


def _by_description(shipment: Shipment, description: str) -> set[int] | None:
    found = _DESCRIPTION.fullmatch(description)
    if found is None:
        return None
    number, boxes = int(found[1]), int(found[2])
    return {number} if boxes == len(shipment.boxes) and 1 <= number <= boxes else set()


def _warning(shipment: Shipment, by_box: Sequence[tuple[int, str]], awbs: Sequence[str], left: Sequence[str]) -> str:
    known = {number for number, _ in by_box}
    without = [str(n) for n in range(1, len(shipment.boxes) + 1) if n not in known]
    told = f"{_counted(len(shipment.boxes), 'box', 'boxes')}, {_counted(len(awbs), 'waybill', 'waybills')} for them"
    if without:
        told += f"; without one: box {_some(without)}"
    if left:
        told += f"; for no box that is known: {_some(left)}"
    return f"{told}."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
