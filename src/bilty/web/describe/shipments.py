"""Operations on shipments: taken in, listed, read, changed."""

from bilty.intake import limits
from bilty.reply import AWB_CHARS_MAX
from bilty.store.access import Scope
from bilty.web import refusing
from bilty.web.describe.common import IF_MATCH, IF_NONE_MATCH, LIMIT, PREFER, SHIPMENT_ID
from bilty.web.describe.examples import NEW_SHIPMENT, READY, SCHEDULING
from bilty.web.describe.shapes import Answer, Body, Link, Operation, Parameter, Problem, Schema
from bilty.web.documents import ShipmentAnswer, ShipmentPage
from bilty.workflow import Status

TOPIC = "Shipments"
_FOLLOWING = {
    "shipment": "readShipment",
    "change": "amendShipment",
    "booking": "scheduleShipment",
    "cancellation": "cancelShipment",
    "timeline": "readTimeline",
    "label": "readLabel",
    "boxes": "readBoxes",
}
CREATED = {**SCHEDULING, "status": "created", "run": 0}
_MERGE_PATCH = "application/merge-patch+json"
_CHANGES = {
    "another phone and PIN code": {"consignee": {"phone": "9876543219", "pincode": "411019"}},
    "no purchase orders, and not booked yet": {"purchase_orders": None, "schedule": False},
}


def links(shipment_id: str) -> tuple[Link, ...]:
    return tuple(
        Link(name=name, to=operation, parameters={"shipment_id": shipment_id}) for name, operation in _FOLLOWING.items()
    )


def shipment(status: int, about: str, example: Schema, *headers: str) -> Answer:
    return Answer(
        status=status,
        about=about,
        shape=ShipmentAnswer,
        example=example,
        headers=("ETag", *headers),
        links=links("$response.body#/id"),
    )


def invalid(field: str, value: str, message: str) -> Problem:
    return Problem(status=422, code="invalid", detail=message, field=field, value=value)


UNCHANGED = Answer(status=304, about="It is as `If-None-Match` says.", headers=("ETag",))
CANCELLED = Problem(status=409, code="cancelled", detail=refusing.CANCELLED)


def _asked(name: str, about: str, at_most: int, example: str) -> Parameter:
    schema = {"type": "string", "maxLength": at_most, "pattern": "^[ -~]*$"}
    return Parameter(name=name, place="query", about=about, schema=schema, example=example)


def _moment(name: str, about: str) -> Parameter:
    schema = {"type": "string", "format": "date-time"}
    return Parameter(name=name, place="query", about=about, schema=schema, example="2026-11-25T00:00:00Z")


OPERATIONS = (
    Operation(
        id="createShipment",
        topic=TOPIC,
        method="POST",
        path="/shipments",
        summary="Take a shipment in, and book it if it says so",
        about="The same again changes nothing and answers with the shipment as it is: a number is unique in its "
        "facility, so a request whose answer was lost is sent again without fear.",
        scope=Scope.DISPATCH,
        parameters=(PREFER,),
        body=Body(
            schema="NewShipment",
            examples={"book it at once": NEW_SHIPMENT, "only take it in": {**NEW_SHIPMENT, "schedule": False}},
        ),
        answers=(
            shipment(
                200,
                "It was known, and is shown as it is; or its label came within the wait.",
                READY,
                "Location",
                "Preference-Applied",
            ),
            shipment(201, "It is new.", CREATED, "Location", "Preference-Applied"),
            shipment(
                202,
                "It is being booked. Look again at `Location`, or wait for the event.",
                SCHEDULING,
                "Location",
                "Preference-Applied",
                "Retry-After",
            ),
        ),
        problems=(
            Problem(
                status=409,
                code="number_taken",
                detail="Shipment SO-1001 of facility BLR-1 is known with other content (/api/v1/shipments/1041), "
                "and nothing was changed. Send it as before, or under another number.",
                field="number",
                value="SO-1001",
            ),
            invalid("boxes[0].weight_g", "0", "weight_g is 0: give whole grams from 1 to 10,00,000 (1,000 kg)."),
        ),
    ),
    Operation(
        id="listShipments",
        topic=TOPIC,
        method="GET",
        path="/shipments",
        summary="Shipments, newest first, by the page",
        about="Each question is exact, and all that are asked must fit. The next page is where `next` says; a page "
        "that is fetched later shows no shipment twice.",
        scope=Scope.READ,
        parameters=(
            Parameter(
                name="status",
                place="query",
                about="Only those of this status.",
                schema={"type": "string", "enum": list(Status)},
                example="label_ready",
            ),
            _asked("facility", "Only those of this facility.", limits.CODE_CHARS_MAX, "BLR-1"),
            _asked("number", "Only those of this number.", limits.NUMBER_CHARS_MAX, "SO-1001"),
            _asked("order_number", "Only those of this order.", limits.ORDER_NUMBER_CHARS_MAX, "PO/26-27/88"),
            _asked("awb", "Only the one with this waybill.", AWB_CHARS_MAX, "1490810000017"),
            _moment("created_after", "Only those that were taken in then or later."),
            _moment("created_before", "Only those that were taken in before."),
            LIMIT,
            Parameter(
                name="after",
                place="query",
                about="Only those older than the one with this `id`. `next` fills it in.",
                schema={"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
                example=1041,
            ),
        ),
        answers=(
            Answer(
                status=200,
                about="A page of shipments, each as it is now.",
                shape=ShipmentPage,
                example={"items": [READY], "next": "https://bilty.example.com/api/v1/shipments?limit=1&after=1041"},
            ),
        ),
    ),
    Operation(
        id="readShipment",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}",
        summary="One shipment",
        about="As it was sent, and where it stands. With `Prefer: wait` it is answered when it is no longer under "
        "way, or when the wait is over.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID, PREFER, IF_NONE_MATCH),
        answers=(
            shipment(
                200,
                "The shipment as it was sent, with its status, courier, AWB and label, and what a person must decide.",
                READY,
                "Preference-Applied",
            ),
            UNCHANGED,
        ),
    ),
    Operation(
        id="amendShipment",
        topic=TOPIC,
        method="PATCH",
        path="/shipments/{shipment_id}",
        summary="Change a shipment",
        about="A merge patch (RFC 7396): a field that is named is replaced, a list as a whole; null takes it away. "
        "Once a courier was asked to carry it, a change opens a new `version`: the AWB of the old one is cancelled, "
        "its label is void, and the new one is booked as soon as nothing of the old may be any more, unless `schedule` "
        "is false. The e-way bills of invoices open none.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, IF_MATCH),
        body=Body(schema="ShipmentChange", examples=_CHANGES, media=_MERGE_PATCH),
        also=(Body(schema="ShipmentChange", examples=_CHANGES),),
        answers=(
            shipment(
                200,
                "The shipment as it is now: `scheduling` while the AWB that it had is being cancelled.",
                CREATED,
                "Location",
            ),
        ),
        problems=(
            Problem(
                status=409,
                code="call_out",
                detail="ClickPost is being asked about Delhivery B2B's booking right now; its answer comes within two "
                "minutes. Nothing was changed: send the change again in 2 s.",
                headers=("Retry-After",),
            ),
            Problem(
                status=409,
                code="dispatched",
                detail="The shipment is with the courier. What it is cannot be changed any more.",
            ),
            CANCELLED,
            Problem(
                status=412,
                code="changed_since",
                detail="The shipment is no longer what `If-Match` says: read it again, and see whether the change "
                "still fits.",
                headers=("ETag",),
            ),
            Problem(
                status=428,
                code="if_match_missing",
                detail="Say which version is meant: send `If-Match` with the `ETag` of the shipment as it was last "
                "read.",
            ),
            invalid("consignee.pincode", '"12"', 'pincode is "12": give a PIN code of 6 digits, as in 560001.'),
        ),
    ),
)
