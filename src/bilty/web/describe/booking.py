"""Operations on one shipment: booked, cancelled, and what belongs to it."""

from bilty.store.access import Scope
from bilty.web.describe.common import IF_NONE_MATCH, PREFER, SHIPMENT_ID
from bilty.web.describe.examples import BOXES, READY, SCHEDULING, TIMELINE
from bilty.web.describe.shapes import Answer, Body, Operation, Problem
from bilty.web.describe.shipments import CANCELLED, TOPIC, UNCHANGED, invalid, shipment
from bilty.web.documents import BoxesAnswer, TimelineAnswer

_ON_HOLD = (
    "Invoice INV-1 of ₹60,000.00 has no e-way bill, which goods above ₹50,000.00 may not move without: "
    "give its number of 12 digits with the order, or schedule it without one."
)
_ABOUT_WAIT = ("Location", "Preference-Applied")

OPERATIONS = (
    Operation(
        id="scheduleShipment",
        topic=TOPIC,
        method="POST",
        path="/shipments/{shipment_id}/schedules",
        summary="Book a shipment",
        about="The couriers are asked one after the other, as ClickPost ranks them. Again while one is open is that "
        "one, so it may be repeated without fear. The body may be left out.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, PREFER),
        body=Body(
            schema="NewSchedule",
            examples={"though an e-way bill is missing": {"without_ewaybill": True}},
            required=False,
        ),
        answers=(
            shipment(200, "It has its label.", READY, *_ABOUT_WAIT),
            shipment(202, "It is being booked.", SCHEDULING, *_ABOUT_WAIT, "Retry-After"),
        ),
        problems=(
            Problem(status=409, code="on_hold", detail=_ON_HOLD),
            CANCELLED,
            Problem(
                status=409,
                code="unsettled",
                detail="An AWB of the booking before is not settled yet: decide about it first.",
            ),
            invalid("", "", 'A schedule takes one field: send no body, or {"without_ewaybill": true}.'),
        ),
    ),
    Operation(
        id="cancelShipment",
        topic=TOPIC,
        method="POST",
        path="/shipments/{shipment_id}/cancellation",
        summary="Cancel a shipment",
        about="What couriers gave is cancelled with them. Again is the one that is there. The body is left out, or {}.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, PREFER),
        body=Body(schema="NewCancellation", examples={"nothing": {}}, required=False),
        answers=(
            shipment(200, "It is cancelled.", {**SCHEDULING, "status": "cancelled"}, *_ABOUT_WAIT),
            shipment(
                202,
                "It is being cancelled with its courier.",
                {**SCHEDULING, "status": "cancelling"},
                *_ABOUT_WAIT,
                "Retry-After",
            ),
        ),
        problems=(
            Problem(
                status=409,
                code="not_cancellable",
                detail="The courier has picked it up: agree the return with the courier.",
            ),
            invalid("", "", "A cancellation takes no fields: send no body, or {}."),
        ),
    ),
    Operation(
        id="readTimeline",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/timeline",
        summary="What happened, line by line",
        about="The oldest line first.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(Answer(status=200, about="It is.", shape=TimelineAnswer, example=TIMELINE),),
    ),
    Operation(
        id="readLabel",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/label.pdf",
        summary="The label",
        about="The PDF as the courier made it, byte for byte.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID, IF_NONE_MATCH),
        answers=(
            Answer(
                status=200,
                about="The PDF.",
                shape={"type": "string", "contentMediaType": "application/pdf"},
                media="application/pdf",
                headers=("Content-Disposition", "ETag"),
            ),
            UNCHANGED,
        ),
        problems=(
            Problem(status=404, code="no_label", detail="There is no label yet. Asking Delhivery B2B."),
            Problem(
                status=404,
                code="label_lost",
                detail="The label store no longer has this label: see BILTY_LABEL_STORE.",
            ),
            Problem(status=500, code="label_damaged", detail="The label is not what was stored. It is not handed out."),
        ),
    ),
    Operation(
        id="readBoxes",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/boxes",
        summary="Its boxes and their waybills",
        about="Each box is one, whatever `count` it was sent with.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(Answer(status=200, about="They are.", shape=BoxesAnswer, example=BOXES),),
    ),
)
