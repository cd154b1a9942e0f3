"""Why a shipment that was read well is not kept, changed or booked: in the same words whatever was asked."""

from bilty.intake import Fault
from bilty.shipment import Shipment
from bilty.store.access import Caller
from bilty.store.shipments import Intake
from bilty.web.arriving import Taken
from bilty.web.keys import no_facility
from bilty.web.problems import ProblemError, rejected

CANCELLED = "This shipment is cancelled: send it anew under another number."


def refused(taken: Taken, shipment: Shipment, whose: Caller) -> ProblemError | None:
    """None where it was kept."""
    if taken.intake in (Intake.NEW, Intake.SAME):
        return None
    if taken.intake is Intake.DIFFERS:
        detail = (
            f"Shipment {shipment.number} of facility {shipment.facility} is known with other content "
            f"(/api/v1/shipments/{taken.shipment_id}), and nothing was changed. "
            "Send it as before, or under another number."
        )
        return ProblemError(409, "number_taken", detail, faults=[Fault("number", shipment.number, detail)])
    if taken.intake is Intake.NO_FACILITY:
        return rejected([Fault("facility", shipment.facility, no_facility(whose, shipment.facility))])
    return no_provider(shipment.shipping_provider)


def no_provider(code: str) -> ProblemError:
    message = f"There is no shipping provider {code!r}: PUT /api/v1/shipping-providers/{code} first."
    return rejected([Fault("shipping_provider", code, message)])
