"""What a document says of the facility that it is for, and how it is told that this is none.

What names a facility is never passed over: boxes that are booked from another warehouse than was meant cost more than
a waybill that is refused.
"""

from dataclasses import dataclass

from bilty.intake.reader import Fault, Wrong, show
from bilty.intake.uniware.customs import label
from bilty.intake.values import as_text

PICKUP, CUSTOM = "pickupAddressId", label("facility")
NONE_OF_ITS = "is no facility of this key's"
MANY_OF_ITS = "is Uniware's id of more than one facility of this key's"


@dataclass(frozen=True, slots=True)
class Naming:
    """As it came. Pickup Address Id may be an id of Uniware's own; the custom field can only be meant for Bilty."""

    pickup_address_id: object
    custom: object

    def other(self, code: str) -> Fault:
        """The custom field names one facility, and Pickup Address Id that of `code`."""
        message = (
            f"{CUSTOM} is {show(self.custom)}, and {PICKUP} names {code}: leave one out, or name the same in both."
        )
        return Fault(CUSTOM, show(self.custom), message)


def name_of(given: object) -> str:
    """Blank where it can name nothing."""
    try:
        name = as_text(given).strip()
    except Wrong:
        return ""
    return name if name.isprintable() else ""


def not_its(field: str, given: object, why: str = NONE_OF_ITS) -> Fault:
    """In the same words whether the facility is another's or nobody's."""
    shown = show(given)
    remedy = "give one that is, or leave it out"
    if field == PICKUP:
        remedy = f"give a facility's code in Bilty there or as {CUSTOM}"
    if field == PICKUP and why == NONE_OF_ITS:
        remedy += f", or enter {shown} for its facility in Settings, Uniware"
    return Fault(field, shown, f"{field} is {shown}, which {why}: {remedy}.")


def missing() -> Fault:
    message = f"{PICKUP} is missing: give a facility's code in Bilty there or as {CUSTOM}."
    return Fault(PICKUP, "", message)
