"""What becomes of a shipment when Uniware asks for it again: decided on what Bilty has, and what Uniware said."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from bilty.reply import Courier
from bilty.shipment import DATA_MISSING, Ewaybill, Shipment, with_ewaybills
from bilty.store.shipments import Arrival
from bilty.store.showing import Seen
from bilty.turn import State, Turn
from bilty.web.uniware.again import Again, decide
from bilty.workflow import Progress
from web.test_uniware_mapping import taken
from web.uniware import asked

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAME, OTHER, NEVER = b"what it says", b"what it said", b""
LACKING = f"{DATA_MISSING} the day of the invoice."
DEAR = "Invoice INV-1 has no e-way bill."
NEW: Shipment = taken(asked()).shipment
OLD = msgspec.structs.replace(NEW, order_number="SO-1")
P1 = Courier(4, "main", "Delhivery B2B")


def seen(shipment: Shipment, hold: str = "", *, run: int = 0, state: State | None = None) -> Seen:
    turns = () if state is None else (Turn(1, 1, P1, "SP-1001-A", "d", state, None),)
    progress = Progress("here", "BLR-1", NEW.number, "d", run=run, hold=hold, turns=turns)
    return Seen(1, 1, shipment, progress, (), NOW)


@pytest.mark.parametrize(
    ("last", "shipment", "hold", "arrives_held", "what"),
    [
        # As it is asked for: it is booked, or held as it was.
        (SAME, NEW, "", "", Again.GO_ON),
        (SAME, NEW, LACKING, LACKING, Again.GO_ON),
        (OTHER, NEW, "", "", Again.GO_ON),
        (NEVER, NEW, "", "", Again.GO_ON),
        # The same again: what a person has put right stays, and a person's word that no e-way bill is needed.
        (SAME, OLD, "", LACKING, Again.GO_ON),
        (SAME, NEW, "", DEAR, Again.GO_ON),
        (SAME, OLD, LACKING, LACKING, Again.GO_ON),
        # The same again, with other defaults: what was missing is there now, or something else is missing.
        (SAME, OLD, LACKING, "", Again.PUT_RIGHT),
        (SAME, NEW, DEAR, LACKING, Again.PUT_RIGHT),
        # Uniware has put it right.
        (OTHER, OLD, LACKING, "", Again.PUT_RIGHT),
        (OTHER, OLD, "", "", Again.PUT_RIGHT),
        (OTHER, NEW, DEAR, "", Again.PUT_RIGHT),
        # Uniware never asked for it: another's is not changed, but what lacks data is nobody else's.
        (NEVER, OLD, "", "", Again.NOT_OURS),
        (NEVER, OLD, DEAR, DEAR, Again.NOT_OURS),
        (NEVER, OLD, LACKING, "", Again.PUT_RIGHT),
        (NEVER, NEW, DEAR, "", Again.PUT_RIGHT),
    ],
)
def test_before_anybody_was_asked(last: bytes, shipment: Shipment, hold: str, arrives_held: str, what: Again) -> None:
    arrival = Arrival(NEW, hold=arrives_held)
    assert decide(seen(shipment, hold), arrival, asked=SAME, last=last) is what


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (State.WAITING, Again.LEAVE),
        (State.UNDECIDED, Again.LEAVE),
        (State.WON, Again.LEAVE),
        (State.REFUSED, Again.GO_ON),
        (State.UNSERVICEABLE, Again.GO_ON),
    ],
)
@pytest.mark.parametrize(("last", "shipment"), [(SAME, NEW), (SAME, OLD), (OTHER, NEW), (NEVER, NEW)])
def test_once_couriers_were_asked(last: bytes, shipment: Shipment, state: State, what: Again) -> None:
    found = seen(shipment, run=1, state=state)
    assert decide(found, Arrival(NEW), asked=SAME, last=last) is what


@pytest.mark.parametrize(("last", "what"), [(OTHER, Again.BEGUN), (NEVER, Again.NOT_OURS)])
@pytest.mark.parametrize("state", [State.WAITING, State.WON, State.REFUSED])
def test_other_content_is_refused_once_couriers_were_asked(last: bytes, what: Again, state: State) -> None:
    assert decide(seen(OLD, run=1, state=state), Arrival(NEW), asked=SAME, last=last) is what


def billed(shipment: Shipment, number: str) -> Shipment:
    return with_ewaybills(shipment, {shipment.invoices[0].number: Ewaybill(number)})


@pytest.mark.parametrize(
    ("known", "arrives", "last", "what"),
    [
        (NEW, billed(NEW, "331001234567"), OTHER, Again.BILLED),
        (billed(NEW, "331007654321"), billed(NEW, "331001234567"), OTHER, Again.BILLED),
        # What it leaves out was given in Bilty.
        (billed(NEW, "331007654321"), NEW, OTHER, Again.LEAVE),
        (billed(NEW, "331007654321"), NEW, NEVER, Again.LEAVE),
        (NEW, billed(NEW, "331001234567"), NEVER, Again.NOT_OURS),
        (OLD, billed(NEW, "331001234567"), OTHER, Again.BEGUN),
        # The same again takes nothing back.
        (billed(NEW, "331007654321"), billed(NEW, "331001234567"), SAME, Again.LEAVE),
    ],
)
def test_an_ewaybill_may_come_once_couriers_were_asked(
    known: Shipment, arrives: Shipment, last: bytes, what: Again
) -> None:
    assert decide(seen(known, run=1, state=State.WON), Arrival(arrives), asked=SAME, last=last) is what


def test_a_cancelled_one_is_left() -> None:
    found = seen(NEW, run=1, state=State.CANCELLED)
    cancelled = replace(found, progress=replace(found.progress, cancel_asked=True))
    assert decide(cancelled, Arrival(NEW), asked=SAME, last=SAME) is Again.LEAVE
