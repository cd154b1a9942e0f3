"""What becomes of a shipment that Bilty has when Uniware asks for its waybill again. Pure."""

from enum import StrEnum

from bilty.shipment import Shipment, ewaybills_of, lacks_data, with_ewaybills
from bilty.store.amending import begun
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.workflow import Status, status

ENDED = (Status.FAILED, Status.NOT_SERVICEABLE)
"""Whoever asks then wishes that the couriers be asked anew."""


class Again(StrEnum):
    LEAVE = "leave"  # booked, under way, or a person's to decide: Uniware is told how far it is
    GO_ON = "go_on"  # booked as it is, unless something holds it
    PUT_RIGHT = "put_right"  # it becomes what is asked for now, and goes on
    BILLED = "billed"  # it has e-way bills that came since, and nothing else is another
    BEGUN = "begun"  # refused: other content, and couriers were asked to carry what it was
    NOT_OURS = "not_ours"  # refused: other content than what came by another way


def decide(seen: Seen, arrival: Arrival, *, asked: bytes, last: bytes) -> Again:
    """`arrival` is what Uniware's document comes to now, with the facility's defaults of today.

    `asked` is a hash of the document alone, `last` of the one before, blank where Uniware never asked. Who says the
    same again means the same, whatever the defaults have become, and takes nothing back of what a person, or an
    update, has put right since.
    """
    progress, differs = seen.progress, seen.shipment != arrival.shipment
    if begun(progress):
        if last != asked and (refused := _bills_or_refused(seen.shipment, arrival.shipment, is_ours=bool(last))):
            return refused
        return Again.GO_ON if status(progress) in ENDED else Again.LEAVE
    if not differs and progress.hold == arrival.hold:
        return Again.GO_ON
    if last == asked and progress.hold in ("", arrival.hold):
        return Again.GO_ON
    if differs and not last and not lacks_data(progress.hold):
        return Again.NOT_OURS
    return Again.PUT_RIGHT


def _bills_or_refused(known: Shipment, asked: Shipment, *, is_ours: bool) -> Again | None:
    """None where it is the same. An e-way bill that it leaves out may have come by another way, and stays."""
    bills = {**ewaybills_of(known), **ewaybills_of(asked)}
    if known == with_ewaybills(asked, bills):
        return None
    if not is_ours:
        return Again.NOT_OURS
    only_bills = with_ewaybills(known, {}) == with_ewaybills(asked, {})
    return Again.BILLED if only_bills else Again.BEGUN
