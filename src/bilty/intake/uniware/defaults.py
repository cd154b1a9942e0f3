"""What a facility has set down once for all that Uniware asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bilty.intake.parties import CODE
from bilty.intake.reader import Fault, Findings, Reader, Rejected
from bilty.intake.values import BOOLEAN, text, whole
from bilty.shipment import BOX_SIDE_CM_MAX

SIDES = ("box_length_cm", "box_breadth_cm", "box_height_cm")
FIELDS = frozenset({"pickup_address_id", "shipping_provider", "invoice_of_the_day", *SIDES})
PICKUP_ADDRESS_ID_CHARS_MAX = 60
_SIDE = whole("whole centimetres", 1, BOX_SIDE_CM_MAX)


class Need(StrEnum):
    """What this facility never sends without, though Bilty itself would."""

    GSTIN = "gstin"
    PURCHASE_ORDER = "purchase_order"
    GST_SPLIT = "gst_split"


@dataclass(frozen=True, slots=True)
class Defaults:
    """`pickup_address_id`: Uniware's own id of the facility, where it sends that and not the code.

    `invoice_of_the_day`: an invoice whose date is not told is of the day on which Uniware first asked.

    `box_cm`: length, breadth and height of a box whose size Uniware does not know; None: it must tell it.
    """

    pickup_address_id: str = ""
    shipping_provider: str = ""
    invoice_of_the_day: bool = False
    box_cm: tuple[int, int, int] | None = None
    needs: frozenset[Need] = frozenset()


def parse_defaults(given: Mapping[str, object]) -> Defaults | Rejected:
    """From the fields of the form: each side by its name in SIDES, each need as a flag under its own name."""
    findings = Findings()
    reader = Reader(dict(given), FIELDS | frozenset(Need), findings)
    sides = [reader.take(name, _SIDE, 0) for name in SIDES]
    if any(sides) and not all(sides):
        for name in SIDES:
            if not reader.has(name):
                message = f"{name} is missing: give all three sides of the box, or none."
                findings.faults.append(Fault(name, "", message))
    defaults = Defaults(
        pickup_address_id=reader.take("pickup_address_id", text(PICKUP_ADDRESS_ID_CHARS_MAX), ""),
        shipping_provider=reader.take("shipping_provider", CODE, ""),
        invoice_of_the_day=reader.take("invoice_of_the_day", BOOLEAN, default=False),
        box_cm=(sides[0], sides[1], sides[2]) if all(sides) else None,
        needs=frozenset(need for need in Need if reader.take(need, BOOLEAN, default=False)),
    )
    return Rejected(tuple(findings.faults)) if findings.faults else defaults
