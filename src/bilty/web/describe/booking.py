"""Operations on one shipment: booked, cancelled, and what belongs to it."""

from bilty.deciding.refusals import ASK_FOR_RETURN
from bilty.store.access import Scope
from bilty.web.describe.common import IF_NONE_MATCH, PREFER, SHIPMENT_ID
from bilty.web.describe.examples import BOXES, READY, SCHEDULING, TIMELINE
from bilty.web.describe.shapes import Answer, Body, Operation, Parameter, Problem
from bilty.web.describe.shipments import CANCELLED, TOPIC, UNCHANGED, invalid, shipment
from bilty.web.documents import BoxesAnswer, TimelineAnswer
from bilty.web.papers import NO_LABEL, NOT_DRAWN

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
        about="The couriers are asked one after the other, as ClickPost ranks them. `run` says which booking is begun: "
        "the first where it is left out, and with it the whole body. A run that has begun already is not begun again "
        "whatever became of it, and the shipment is answered as it is; so a request whose answer was lost is sent "
        'again without fear. To book anew what has failed, give the next run, {"run": 2} after the first.',
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, PREFER),
        body=Body(
            schema="NewSchedule",
            examples={
                "the first booking": {"run": 1},
                "again, after the first has failed": {"run": 2},
                "though an e-way bill is missing": {"without_ewaybill": True},
            },
            required=False,
        ),
        answers=(
            shipment(200, "It has its label, or that run is over, or waits for a person.", READY, *_ABOUT_WAIT),
            shipment(202, "It is being booked, or cancelled.", SCHEDULING, *_ABOUT_WAIT, "Retry-After"),
        ),
        problems=(
            Problem(status=409, code="on_hold", detail=_ON_HOLD),
            CANCELLED,
            Problem(
                status=409,
                code="unsettled",
                detail="Gati B2B's AWB 3456789012 is being cancelled. Nobody else is asked before that is settled.",
            ),
            Problem(
                status=409,
                code="scheduled",
                detail="It is scheduled already. Delhivery B2B's label is here, under AWB 1490810000017.",
            ),
            invalid(
                "run",
                "3",
                "run is 3: this shipment's next run is 2. Give that to begin it; a run that has begun may be named "
                "again, and is not begun twice.",
            ),
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
                detail=ASK_FOR_RETURN,
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
        answers=(Answer(status=200, about="The lines of its timeline.", shape=TimelineAnswer, example=TIMELINE),),
    ),
    Operation(
        id="readLabel",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/label.pdf",
        summary="The label",
        about="The PDF as the courier made it, byte for byte. With `reference` the label that came under it: VOID is "
        "written all over one that is not the shipment's, or no longer.",
        scope=Scope.READ,
        parameters=(
            SHIPMENT_ID,
            Parameter(
                name="reference",
                place="query",
                about="Of the turn, as the timeline has it.",
                schema={"type": "string", "maxLength": 40},
                example="",
            ),
            IF_NONE_MATCH,
        ),
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
                status=410,
                code="label_void",
                detail="This label is void, and Bilty cannot write that on it: it is not handed out.",
            ),
            Problem(
                status=404,
                code="label_lost",
                detail="The label store no longer has this label: it is fetched again.",
            ),
            Problem(
                status=500,
                code="label_damaged",
                detail="The stored file 9f86d081884c… was changed behind Bilty's back. It is fetched again.",
            ),
        ),
    ),
    Operation(
        id="readPapers",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/papers.pdf",
        summary="Its box stickers and packing slips",
        about="One PDF, as Bilty makes them: a sticker for each box with its number, a packing slip of the shipment, "
        "and one of each box whose items are known. Made when it is asked for, while the label is good.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(
            Answer(
                status=200,
                about="The PDF.",
                shape={"type": "string", "contentMediaType": "application/pdf"},
                media="application/pdf",
                headers=("Content-Disposition",),
            ),
        ),
        problems=(
            Problem(status=404, code="no_label", detail=NO_LABEL),
            Problem(status=503, code="not_drawn", detail=NOT_DRAWN, headers=("Retry-After",)),
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
        answers=(
            Answer(
                status=200, about="Its boxes, with the waybill of each that has one.", shape=BoxesAnswer, example=BOXES
            ),
        ),
    ),
)
