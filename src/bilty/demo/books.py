"""Bilty's books held against the sandbox's truth: what was booked, what is known of it, which box has which number."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bilty.demo.sandbox import Sandbox
from bilty.running import Opened
from bilty.turn import State
from bilty.workflow import Status

ENDED = (Status.LABEL_READY, Status.FAILED, Status.NOT_SERVICEABLE, Status.NEEDS_ATTENTION, Status.ON_HOLD)
BOOKINGS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Bilty's books beside the sandbox's truth."""

    ended: int
    open_cancels: int
    live: int
    unheard: int
    doubled: int
    counts_off: int
    boxes_off: int


async def compare(state: Opened, sandbox: Sandbox, ids: list[int]) -> Comparison:
    truth = msgspec.convert(await asyncio.to_thread(sandbox.tell, f"/sandbox/truth?limit={BOOKINGS_MAX}"), _Truth)
    turns = {
        row["reference"]: row
        for row in await state.pool.fetch(
            """SELECT t.reference, t.awb, t.state, t.shipment_id, s.box_count FROM turns t
                 JOIN shipments s ON s.id = t.shipment_id WHERE t.priority > 0"""
        )
    }
    ended = await state.pool.fetchval(
        "SELECT count(*) FROM shipments WHERE id = ANY($1) AND status = ANY($2)", ids, list(ENDED)
    )
    live = [booking for booking in truth.bookings if booking.live]
    known = [booking for booking in live if booking.reference in turns]
    by_shipment = Counter(turns[booking.reference]["shipment_id"] for booking in known)
    return Comparison(
        ended=ended,
        open_cancels=sum(turn["state"] in (State.SURPLUS, State.UNCANCELLED) for turn in turns.values()),
        live=len(live),
        unheard=len(truth.pending) + sum(b not in known or turns[b.reference]["awb"] != b.awb for b in live),
        doubled=sum(count > 1 for count in by_shipment.values()),
        counts_off=sum(booking.boxes_count != turns[booking.reference]["box_count"] for booking in known),
        boxes_off=await _boxes_off(state, known),
    )


async def _boxes_off(state: Opened, known: Sequence["_Booking"]) -> int:
    """Boxes that have a number which, at the courier, is another box's."""
    boxes = await state.pool.fetch(
        """SELECT t.reference, b.number, b.awb FROM boxes b JOIN turns t USING (shipment_id, version)
            WHERE t.state = 'won' AND b.awb <> ''"""
    )
    right = {(booking.reference, child.box): child.awb for booking in known for child in booking.children}
    alone = {booking.reference: booking.awb for booking in known if not booking.children}
    return sum(
        row["awb"] != right.get((row["reference"], row["number"]), alone.get(row["reference"]))
        for row in boxes
        if row["reference"] in {booking.reference for booking in known}
    )


class _Child(msgspec.Struct):
    awb: str
    box: int


class _Booking(msgspec.Struct):
    reference: str
    awb: str
    live: bool
    boxes_count: int
    children: list[_Child]


class _Truth(msgspec.Struct):
    """What of the sandbox's truth is looked at here."""

    pending: list[str]
    bookings: list[_Booking]
