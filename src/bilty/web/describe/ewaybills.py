"""Operations on e-way bills: what each invoice has, and giving them later."""

from bilty.store.access import Scope
from bilty.store.ewaybills import CANCELLED
from bilty.web.describe.common import SHIPMENT_ID
from bilty.web.describe.examples import READY, SCHEDULING
from bilty.web.describe.shapes import Answer, Body, Operation, Problem
from bilty.web.describe.shipments import TOPIC, invalid, shipment
from bilty.web.ewaybill_documents import EwaybillsAnswer

OPERATIONS = (
    Operation(
        id="listEwaybills",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/ewaybills",
        summary="Its e-way bills",
        about="One of each invoice, also where there is none.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(
            Answer(
                status=200,
                about="What each invoice has, and whether its courier knows.",
                shape=EwaybillsAnswer,
                example={
                    "items": [
                        {
                            "invoice": "INV-1",
                            "value": "60000.00",
                            "number": "331001234567",
                            "expires_on": "2026-11-30",
                            "required": True,
                            "expired": False,
                            "told": True,
                            "transporter": None,
                        }
                    ],
                    "next": None,
                },
            ),
        ),
    ),
    Operation(
        id="giveEwaybills",
        topic=TOPIC,
        method="PUT",
        path="/shipments/{shipment_id}/ewaybills",
        summary="Give e-way bills",
        about="At any time until it is cancelled: before it is booked, while a courier is asked, with its label, after "
        "dispatch. A hold for want of one is lifted. No label becomes void by it, and no version is begun: the courier "
        "that has the shipment is told the number by another call of ClickPost's. Again changes nothing.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID,),
        body=Body(
            schema="NewEwaybills",
            examples={
                "one, and book it": {
                    "items": [{"invoice": "INV-1", "number": "331001234567", "expires_on": "2099-12-31"}],
                    "schedule": True,
                },
                "one taken away": {"items": [{"invoice": "INV-1"}]},
            },
        ),
        answers=(
            shipment(200, "The shipment as it is now.", READY, "Location"),
            shipment(202, "It is being booked.", SCHEDULING, "Location", "Retry-After"),
        ),
        problems=(
            Problem(status=409, code="cancelled", detail=CANCELLED),
            invalid("items[0].invoice", "INV-9", "Shipment SO-1001 has no invoice INV-9: its invoices are INV-1."),
        ),
    ),
)
