"""Boxes and waybills: by what names the box, never by place in the list."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregator.samples import SHIPMENT
from bilty.children import BoxAwbs, box_description, match_children, miscount
from bilty.reply import Child
from bilty.shipment import Box, Item, Shipment

PARENT = "AWB"


def shipment_of(boxes: int, *skus: tuple[str, ...]) -> Shipment:
    items = [tuple(Item(sku=sku, quantity=1, unit_price=Decimal(1)) for sku in box) for box in skus]
    listed = [Box(1, 1, 1, 1, items=items[n] if n < len(items) else ()) for n in range(boxes)]
    return replace(SHIPMENT, boxes=tuple(listed))


def by_reference(number: int, suffix: str = "") -> Child:
    return Child(f"{PARENT}{number}", reference=f"SHP-1-{number}{suffix}")


def by_description(number: int, boxes: int) -> Child:
    return Child(f"{PARENT}{number}", description=box_description(number, boxes))


def pairs(*numbers: int) -> tuple[tuple[int, str], ...]:
    return tuple((number, f"{PARENT}{number}") for number in numbers)


@pytest.mark.parametrize(
    "children",
    [
        [by_reference(3), by_reference(1), by_reference(2)],
        [by_reference(3, ".001"), by_reference(1, ".1"), by_reference(2)],
        [by_description(2, 3), by_description(3, 3), by_description(1, 3)],
        [Child("AWB3", description=" BOX 3 of 3"), by_reference(1), by_description(2, 3)],
        [Child(f"AWB{n}", reference="SHP-1-ABCDEFGHIJK", sku=f"SHP-1-{n}") for n in (2, 3, 1)],
        [Child("AWB2", sku="B"), Child("AWB1", sku="A"), Child("AWB3", description="Box 3 of 3")],
        [by_reference(3), by_reference(1), by_reference(2), by_reference(2)],
    ],
    ids=["references", "counted", "descriptions", "each its own way", "our sku", "their sku", "told twice"],
)
def test_children_go_to_the_boxes_they_name(children: list[Child]) -> None:
    assert match_children(shipment_of(3, ("A",), ("B",)), children, PARENT) == BoxAwbs(pairs(1, 2, 3))


def test_what_says_little_alone_may_say_enough_together() -> None:
    shipment = shipment_of(3, ("A",), ("A",), ("B",))
    vague = Child("AWB1", sku="A")
    assert match_children(shipment, [vague], PARENT).by_box == ()
    exact = replace(vague, description="Box 1 of 3")
    assert match_children(shipment, [exact], PARENT).by_box == pairs(1)


def test_one_too_many_that_names_no_box_is_the_papers() -> None:
    children = [Child("DOC", description="Document"), by_reference(2), by_reference(1)]
    assert match_children(shipment_of(2), children, PARENT) == BoxAwbs(pairs(1, 2), ("DOC",))


def test_the_parents_number_among_the_children_is_a_box_or_nothing() -> None:
    master = [Child(PARENT, reference="SHP-1-1"), by_reference(2)]
    assert match_children(shipment_of(2), master, PARENT) == BoxAwbs(((1, PARENT), (2, "AWB2")))
    beside = [Child(PARENT), by_reference(1), by_reference(2)]
    assert match_children(shipment_of(2), beside, PARENT) == BoxAwbs(pairs(1, 2))


@pytest.mark.parametrize(
    ("children", "by_box", "words"),
    [
        ([], (), "no waybills for the 3 boxes"),
        ([by_reference(1), by_reference(3)], pairs(1, 3), "without one: box 2"),
        ([Child("X"), Child("Y"), Child("Z")], (), "for no box that is known: X, Y, Z"),
        (
            [by_reference(1), by_reference(2), Child("X")],
            pairs(1, 2),
            "without one: box 3; for no box that is known: X",
        ),
        ([*map(by_reference, (1, 2, 3)), Child("X"), Child("Y")], pairs(1, 2, 3), "3 boxes, 5 waybills"),
        ([Child("X", "SHP-1-1"), Child("Y", "SHP-1-1"), by_reference(2), by_reference(3)], pairs(2, 3), "box 1"),
        ([Child("X", "SHP-1-1"), Child("X", "SHP-1-2"), by_reference(3)], pairs(3), "box 1, 2"),
        ([by_reference(1), by_reference(2), Child("X", "SHP-1-3", "Box 2 of 3")], pairs(1, 2), "box 3"),
        ([by_reference(1), by_reference(2), by_description(3, 4)], pairs(1, 2), "box 3"),
        ([by_reference(1), by_reference(2), by_reference(9)], pairs(1, 2), "box 3"),
    ],
    ids=[
        "none",
        "one too few",
        "unnamed",
        "a document in place of a box",
        "two too many",
        "two for a box",
        "one for two boxes",
        "contradicting itself",
        "of another count",
        "of no box of ours",
    ],
)
def test_what_is_not_sure_stays_open_and_is_told(
    children: list[Child], by_box: tuple[tuple[int, str], ...], words: str
) -> None:
    matched = match_children(shipment_of(3), children, PARENT)
    assert matched.by_box == by_box
    assert matched.documents == ()
    assert words in matched.warning


def test_a_single_box_has_the_shipments_own_waybill() -> None:
    assert match_children(shipment_of(1), [], PARENT) == BoxAwbs(((1, PARENT),))


@pytest.mark.parametrize("child", [Child(PARENT), Child("AWB-1"), Child("AWB-1", description="Box 1 of 1")])
def test_a_single_box_takes_a_single_child(child: Child) -> None:
    assert match_children(shipment_of(1), [child], PARENT) == BoxAwbs(((1, child.awb),))


def test_a_single_box_does_not_take_a_child_of_another() -> None:
    assert match_children(shipment_of(1), [Child("X", "SHP-1-2")], PARENT).by_box == ()


def test_a_warning_stays_a_sentence_however_many_boxes() -> None:
    matched = match_children(shipment_of(999), [Child("X")], PARENT)
    assert "box 1, 2, 3, 4, 5 and 994 more" in matched.warning


@st.composite
def told(draw: st.DrawFn) -> tuple[Shipment, list[Child], dict[str, int]]:
    """A shipment, children that each tell something true or nothing, and the truth."""
    boxes = draw(st.integers(1, 12))
    skus = [tuple(draw(st.lists(st.sampled_from("ABC"), max_size=2))) for _ in range(boxes)]
    shipment = shipment_of(boxes, *skus)
    children, truth = [], {}
    for number in draw(st.lists(st.integers(1, boxes), unique=True)):
        child = Child(
            awb=f"W{number}",
            reference=draw(st.sampled_from(["", "SHP-1-ABCDEFGHIJK", f"SHP-1-{number}", f"SHP-1-{number}.001"])),
            description=draw(st.sampled_from(["", "Carton", box_description(number, boxes)])),
            sku=draw(st.sampled_from(["", *skus[number - 1]])),
        )
        children.append(child)
        truth[child.awb] = number
    children += [Child("DOC", description="Document")] * draw(st.integers(0, 1))
    return shipment, draw(st.permutations(children)), truth


@given(told())
def test_no_box_ever_gets_anothers_waybill(case: tuple[Shipment, list[Child], dict[str, int]]) -> None:
    shipment, children, truth = case
    matched = match_children(shipment, children, PARENT)
    alone = len(shipment.boxes) == 1
    assert all(truth.get(awb) == number or alone for number, awb in matched.by_box)
    assert match_children(shipment, children[::-1], PARENT).by_box == matched.by_box
    if not matched.warning:
        assert [number for number, _ in matched.by_box] == list(range(1, len(shipment.boxes) + 1))


@pytest.mark.parametrize(
    ("boxes", "children", "differs"),
    [
        (3, 0, False),
        (3, 3, False),
        (3, 4, False),
        (3, 2, True),
        (3, 5, True),
        (1, 0, False),
        (1, 2, False),
        (1, 3, True),
    ],
)
def test_waybills_that_are_not_as_many_as_the_boxes_or_one_more_are_told(
    boxes: int, children: int, *, differs: bool
) -> None:
    shipment = shipment_of(boxes)
    named = tuple(by_description(number, boxes) for number in range(1, children + 1))
    told = miscount(shipment, (*named, *named), PARENT)  # a waybill that is listed twice is one
    assert bool(told) is differs
    assert not told or told.startswith(f"{boxes} box")
