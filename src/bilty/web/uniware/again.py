"""What becomes of a shipment that Bilty has when Uniware asks for its waybill again. Pure."""

from enum import StrEnum

from bilty.shipment import lacks_data
from bilty.store.amending import begun
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.workflow import Status, status


class Again(StrEnum):
    LEAVE = "leave"  # booked, under way, or a person's to decide: Uniware is told how far it is
    GO_ON = "go_on"  # booked as it is, unless something holds it
    PUT_RIGHT = "put_right"  # it becomes what is asked for now, and goes on
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
        if differs and last != asked:
            return Again.BEGUN if last else Again.NOT_OURS
        return Again.GO_ON if status(progress) in (Status.FAILED, Status.NOT_SERVICEABLE) else Again.LEAVE
    if not differs and progress.hold == arrival.hold:
        return Again.GO_ON
    if last == asked and progress.hold in ("", arrival.hold):
        return Again.GO_ON
    if differs and not last and not lacks_data(progress.hold):
        return Again.NOT_OURS
    return Again.PUT_RIGHT
