"""The boxes of a shipment of Uniware's: so many of one size, whose weight is split evenly and adds up to the gram."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bilty.intake.limits import ITEMS_PER_SHIPMENT_MAX
from bilty.intake.reader import Reader, Rule, Wrong
from bilty.intake.uniware.customs import label
from bilty.intake.uniware.values import BOX_COUNT, GRAMS, SIDE, is_zero, number, rupees_text
from bilty.intake.values import as_text
from bilty.words import counted, grouped

SIDES = {"length_cm": "length", "breadth_cm": "breadth", "height_cm": "height"}
DESCRIPTION_CHARS = 100
_GROUP = re.compile(
    r"(?:(?P<count>[0-9]{1,3})\s*\*\s*)?(?P<length_cm>[0-9]{1,3})\s*x\s*(?P<breadth_cm>[0-9]{1,3})\s*x\s*"
    r"(?P<height_cm>[0-9]{1,3})(?:\s*@\s*(?P<weight_g>[0-9]{1,7}))?",
    re.IGNORECASE,
)
EXAMPLE = "2*40x30x25@12500; 1*60x30x25@8000"

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Weighed:
    count: int
    weight_g: int


def split(weight_g: int, count: int) -> list[Weighed]:
    """As evenly as whole grams allow; the heavier boxes first. The sum is exact."""
    each, over = divmod(weight_g, count)
    parts = [Weighed(over, each + 1), Weighed(count - over, each)]
    return [part for part in parts if part.count and part.weight_g]


def boxes(shipment: Reader, customs: Mapping[str, object], default_cm: tuple[int, int, int] | None) -> list[Document]:
    """Groups as Bilty's document has them, each with the contents where it can be known what is in which."""
    count = shipment.need("numberOfBoxes", BOX_COUNT)
    weight_g = shipment.need("weight", GRAMS)
    if weight_g < count and not (shipment.is_faulty("weight") or shipment.is_faulty("numberOfBoxes")):
        shipment.refuse("weight", f"that is too little for {counted(count, 'box', 'boxes')} of a gram each; give grams")
    groups = _told_apart(shipment, customs, count) if "boxes" in customs else []
    if not groups:
        sides = _sides(shipment, default_cm) if "boxes" not in customs else dict.fromkeys(SIDES, 1)
        groups = [{"count": count, **sides}]
    contents = _contents(shipment, count)
    return [{**group, "items": contents} for group in _weighed(groups, weight_g, count)]


def _sides(shipment: Reader, default_cm: tuple[int, int, int] | None) -> dict[str, int]:
    if default_cm and any(is_zero(shipment.raw(name)) or not shipment.has(name) for name in SIDES.values()):
        return dict(zip(SIDES, default_cm, strict=True))
    return {cm: shipment.need(name, SIDE) for cm, name in SIDES.items()}


def _weighed(groups: list[Document], weight_g: int, count: int) -> list[Document]:
    """Groups without weights share the shipment's."""
    if all("weight_g" in group for group in groups):
        return groups
    parts, weighed = split(max(weight_g, count), count), []
    for group in groups:
        left = int(str(group["count"]))
        while left and parts:
            taken = min(left, parts[0].count)
            weighed.append({**group, "count": taken, "weight_g": parts[0].weight_g})
            left -= taken
            parts[0] = Weighed(parts[0].count - taken, parts[0].weight_g)
            parts = [part for part in parts if part.count]
    return weighed


def _told_apart(shipment: Reader, customs: Mapping[str, object], count: int) -> list[Document]:
    """What the custom field says of boxes that differ; none where it cannot be read, which is then told."""
    field = Reader({label("boxes"): customs["boxes"]}, frozenset({label("boxes")}), shipment.findings)
    groups = field.need(label("boxes"), _GROUPS)
    told = sum(int(str(group["count"])) for group in groups)
    if groups and told != count and not shipment.is_faulty("numberOfBoxes"):
        field.refuse(label("boxes"), f"its counts add up to {grouped(told)}, and numberOfBoxes is {grouped(count)}")
        return []
    return groups


def _groups(given: object) -> list[Document]:
    groups: list[dict[str, int]] = []
    for part in filter(None, (part.strip() for part in as_text(given).split(";"))):
        found = _GROUP.fullmatch(part)
        if not found or len(groups) >= 999:
            raise Wrong
        groups.append(
            {name: int(value) for name, value in found.groupdict("1").items() if found[name] or name == "count"}
        )
    if not groups or len({"weight_g" in group for group in groups}) > 1:
        raise Wrong
    if any(side == 0 for group in groups for side in group.values()):
        raise Wrong("a count, size or weight of 0 is none")
    return [dict(group) for group in groups]


_GROUPS: Rule[list[Document]] = Rule(
    _groups, [], f"boxes as in {EXAMPLE}: count, centimetres, grams of each, the grams for all groups or for none"
)


def _contents(shipment: Reader, count: int) -> list[object]:
    """What is in each box. Of several boxes Uniware does not say it, so that they are told alike, or not at all."""
    given = shipment.raw("items")
    if not shipment.has("items"):
        return []
    if not isinstance(given, list):
        shipment.refuse("items", "give a list of objects")
        return []
    items = [_item(entry) if isinstance(entry, dict) else entry for entry in given]
    if count == 1:
        return items
    quantities = [item.get("quantity") if isinstance(item, dict) else None for item in items]
    even = all(isinstance(each, int) and not isinstance(each, bool) and each % count == 0 for each in quantities)
    if not even or count * len(items) > ITEMS_PER_SHIPMENT_MAX:
        return []
    return [{**item, "quantity": int(str(item["quantity"])) // count} for item in items if isinstance(item, dict)]


def _item(entry: Document) -> Document:
    """Names in a catalogue are longer than a label has room for: they are cut, as nothing else is."""
    name = entry.get("name")
    return {
        "sku": entry.get("skuCode"),
        "description": " ".join(name.split())[:DESCRIPTION_CHARS] if isinstance(name, str) else name,
        "hsn": entry.get("hsnCode"),
        "quantity": _pieces(entry.get("quantity")),
        "unit_price": rupees_text(entry.get("itemPrice")),
    }


def _pieces(given: object) -> object:
    """`2`, "2" and "2.0000" alike."""
    try:
        pieces = number(given)
    except Wrong:
        return given
    return int(pieces) if pieces == pieces.to_integral_value() else given
