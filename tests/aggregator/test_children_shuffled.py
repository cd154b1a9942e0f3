"""Ten thousand boxes over ClickPost's wire, their waybills in any order: none gets another box's."""

import random
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_struct

from aggregator.samples import CONNECTOR, SHIPMENT, booking
from bilty.aggregator.clickpost import ClickPost, CreateStyle, Endpoints
from bilty.children import match_children
from bilty.outgoing.http import Http
from bilty.reply import Accepted, Label
from bilty.shipment import Box, Shipment
from bilty_sandbox import Kind, ManualClock, Options, Policy, Rule, Sandbox, serve

BOXES, AT_MOST = 10_000, 500
WAIT_S = 300.0
NAMES = {CreateStyle.B2B_V1: ("reference", "description"), CreateStyle.MPS_V3: ("sku", "description")}
"""What names a box, and comes back with its waybill."""


def shipments(dice: random.Random) -> list[Shipment]:
    """Small ones and large ones, with so many boxes together."""
    made: list[Shipment] = []
    left = BOXES
    while left:
        count = min(left, dice.choice((1, 2, 5, 40, 120, AT_MOST)))
        box = Box(30, 20, 10, 2_500, "INV-1", "PO-1")
        made.append(replace_struct(SHIPMENT, number=f"SO{len(made)}", boxes=(box,) * count))
        left -= count
    return made


def shuffle(sandbox: Sandbox, style: CreateStyle, reference: str, dice: random.Random) -> dict[str, int]:
    """The courier sends its waybills in any order, each with one or both of what names its box. Whose each is."""
    known = next(each for each in sandbox.book.bookings() if each.reference == reference)
    left_out = dice.choice((*NAMES[style], ""))
    blank = {left_out: ""} if left_out else {}
    children = [replace_struct(child, **blank) if child.box else child for child in known.children]
    dice.shuffle(children)
    known.children = tuple(children)
    return {child.awb: child.box for child in children}


@pytest.mark.parametrize("style", CreateStyle)
@pytest.mark.parametrize("document", [True, False], ids=["and a document's", "alone"])
async def test_no_box_gets_anothers_waybill(style: CreateStyle, *, document: bool) -> None:
    dice, clock = random.Random(6), ManualClock()
    kinds = (Kind.ASYNC, Kind.CHILD_EXTRA) if document else (Kind.ASYNC,)
    policy = Policy(enabled=False, rules=(Rule(kinds),))
    wrong = right = 0
    async with serve(Options(policy=policy), clock) as sandbox, Http() as http:
        endpoints = Endpoints(sandbox.url, create_style=style, allow_private_addresses=True)
        account = replace_struct(CONNECTOR, username=sandbox.username, key=sandbox.key)
        clickpost = ClickPost(account, endpoints, http)
        for nth, shipment in enumerate(shipments(dice)):
            asked = replace(booking(shipment), reference=f"SO{nth}-ABCDEFGHIJK")
            assert isinstance((await clickpost.ask(asked)).reply, Accepted)
            truth = shuffle(sandbox, style, asked.reference, dice)
            clock.advance(WAIT_S)
            label = (await clickpost.inquire(asked)).reply
            assert isinstance(label, Label)
            matched = match_children(shipment, label.children, label.awb)
            assert matched.warning == ""
            own = {number: awb for awb, number in truth.items() if number}
            wrong += sum(own.get(number, label.awb) != awb for number, awb in matched.by_box)
            right += len(matched.by_box)
    assert (wrong, right) == (0, BOXES)
