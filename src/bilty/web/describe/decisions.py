"""Operations on decisions: what may be decided about a shipment now, and deciding it."""

from bilty.deciding.refusals import ASK_FOR_RETURN
from bilty.store.access import Scope
from bilty.web.act_forms import too_large
from bilty.web.api.decisions import NOT_PDF
from bilty.web.decision_documents import DecisionsAnswer
from bilty.web.describe.common import PREFER, SHIPMENT_ID
from bilty.web.describe.examples import READY, SCHEDULING
from bilty.web.describe.shapes import Answer, Body, Operation, Parameter, Problem, Schema
from bilty.web.describe.shipments import TOPIC, invalid, shipment

_ABOUT_WAIT = ("Location", "Preference-Applied")
REFERENCE = Parameter(
    name="reference",
    place="path",
    about="What the courier was told as the shipment's reference, as the list of decisions says it.",
    schema={"type": "string", "minLength": 1, "maxLength": 20},
    example="SO-1001-K7QXA2M4TWB",
    required=True,
)
_PDF: Schema = {"type": "string", "contentMediaType": "application/pdf"}
_LATE: Schema = {
    "act": "use-late",
    "reference": "SO-1001-K7QXA2M4TWB",
    "courier": {"cp_id": 5, "account_code": "main", "name": "Blue Dart"},
    "awb": "59812345675",
    "words": "Use it",
    "risk": "",
    "wait": "",
    "needs": [],
    "couriers": [],
    "scope": "dispatch",
    "method": "POST",
    "url": "https://bilty.example/api/v1/shipments/1041/decisions",
}
_CANCEL: Schema = {
    **_LATE,
    "act": "cancel",
    "reference": "",
    "courier": None,
    "awb": "",
    "words": "Cancel the shipment",
    "risk": "No courier is asked any more, and an AWB that still comes is cancelled. This cannot be taken back.",
}

OPERATIONS = (
    Operation(
        id="listDecisions",
        topic=TOPIC,
        method="GET",
        path="/shipments/{shipment_id}/decisions",
        summary="What may be decided about a shipment now",
        about="What the panel has a button for at this moment: about a courier's turn, which `reference` names, or "
        "about the whole shipment. Another person may be faster: it is looked at anew when it is done.",
        scope=Scope.READ,
        parameters=(SHIPMENT_ID,),
        answers=(
            Answer(
                status=200,
                about="Those of the turns first.",
                shape=DecisionsAnswer,
                example={
                    "items": [_LATE, {**_LATE, "act": "cancel-late", "words": "Cancel it"}, _CANCEL],
                    "next": None,
                },
            ),
        ),
    ),
    Operation(
        id="decideShipment",
        topic=TOPIC,
        method="POST",
        path="/shipments/{shipment_id}/decisions",
        summary="Decide about a shipment",
        about="`act` is one of the list of decisions. One about a courier's turn names its `reference`; `enter-awb` "
        "needs the `awb` as it stands in the ClickPost B2B dashboard; `schedule` may name the one courier that is to "
        "be asked, and `without_ewaybill`. `dispatch` says that the courier has the boxes: from then on nothing is "
        "changed or cancelled. `order-return` has what was dispatched brought back (RTO), which the courier charges: "
        "it takes a key of scope admin. `use-paper` is a PUT of the PDF to the turn's label.pdf. Where somebody was "
        "faster, 409 says who, and what they did; nothing is changed then.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, PREFER),
        body=Body(
            schema="NewDecision",
            examples={"book it": {"act": "schedule"}, "cancel the shipment": {"act": "cancel"}},
        ),
        answers=(
            shipment(200, "It is done.", READY, *_ABOUT_WAIT),
            shipment(
                202,
                "It is done; couriers are being asked, or have yet to confirm.",
                SCHEDULING,
                *_ABOUT_WAIT,
                "Retry-After",
            ),
        ),
        problems=(
            Problem(
                status=409,
                code="not_possible",
                detail=ASK_FOR_RETURN,
            ),
            Problem(
                status=409,
                code="being_asked",
                detail="ClickPost is being asked about Gati B2B's booking right now; its answer comes within two "
                "minutes.",
                headers=("Retry-After",),
            ),
            invalid("reference", "", "reference is missing: give that of the turn which use-late is about."),
        ),
    ),
    Operation(
        id="uploadLabel",
        topic=TOPIC,
        method="PUT",
        path="/shipments/{shipment_id}/turns/{reference}/label.pdf",
        summary="Upload the courier's PDF",
        about="For a courier whose AWB is here and whose label does not come: the PDF as the courier gave it to you. "
        "It is the shipment's label then. 20 MB at most. The same again changes nothing.",
        scope=Scope.DISPATCH,
        parameters=(SHIPMENT_ID, REFERENCE),
        body=Body(
            schema=_PDF,
            examples={"the file": "%PDF-1.4"},
            media="application/pdf",
        ),
        answers=(
            shipment(200, "It is the shipment's label.", READY, "Location"),
            shipment(202, "The shipment is being cancelled, or asked about.", SCHEDULING, "Location", "Retry-After"),
        ),
        problems=(
            Problem(status=409, code="not_possible", detail="Delhivery B2B's label is here, under AWB 1490810000017."),
            Problem(status=415, code="not_pdf", detail=NOT_PDF),
            invalid("", "", "The file cannot be read as a PDF. Ask the courier for the label again."),
            invalid("", "", too_large().message),
        ),
    ),
)
