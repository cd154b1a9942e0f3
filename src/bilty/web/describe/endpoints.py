"""Operations on hand-off endpoints: where an order system is told of what becomes of its shipments."""

from bilty.hand_off import EventKind
from bilty.intake.endpoints import FACILITIES_MAX, SECRET_BYTES, URL_CHARS_MAX, WHSEC
from bilty.store.access import Scope
from bilty.store.hand_off.deliveries import DeliveryState
from bilty.store.hand_off.replays import REPLAYED_MAX
from bilty.web.describe.bodies import CODE
from bilty.web.describe.common import LIMIT, code_of
from bilty.web.describe.schemas import closed, formatted, many, moment, named, one_of, or_null, yes_or_no
from bilty.web.describe.shapes import Answer, Body, Link, Operation, Parameter, Problem, Schema
from bilty.web.endpoint_documents import (
    DeliveriesAnswer,
    EndpointAnswer,
    EndpointsAnswer,
    ReplayAnswer,
    SecretAnswer,
)
from bilty.words import grouped

TOPIC = "Hand-off endpoints"
_PATH = "/hand-off-endpoints"
_CODE = code_of("endpoint", "oms")
_EVENT = "evt_018f7d1c2b7e4c0f9a5d3e6b7c8d9e0f"
_EXAMPLE_SECRET = WHSEC + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_SECRET = named(
    f"^{WHSEC}(?:[A-Za-z0-9+/]{{4}}){{8,21}}$",
    f"`{WHSEC}` and then {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} random bytes in base64. Left out, one is made.",
    _EXAMPLE_SECRET,
)
_ENDPOINT = closed(
    "Where to tell, and what of.",
    {
        "url": formatted(
            "uri",
            "Begins with https://, has no user or password and no part behind #, and is no private address unless "
            "Bilty is set to allow them.",
            "https://oms.example.com/bilty",
            pattern="^https?://[!-~]+$",
            maxLength=URL_CHARS_MAX,
        ),
        "events": many(one_of(list(EventKind), "", EventKind.LABEL_READY), 1, 10 * len(EventKind), "Of what to tell."),
    },
    {
        "secret": {**_SECRET, "description": "Signs what is sent. Left out, the present one stays, or one is made."},
        "facilities": many(CODE, 1, FACILITIES_MAX, "Only of shipments from these. Left out, of all."),
        "enabled": yes_or_no("true unless it is given. Bilty goes on with what it had disabled.", example=True),
    },
)
_RANGE: Schema = {
    "oneOf": [
        closed("One event.", {"event": named("^evt_[0-9a-f]{32}$", "Its id.", _EVENT)}),
        closed(
            f"What happened in a time, {grouped(REPLAYED_MAX)} events at most.",
            {
                "from": moment("What happened then or later.", "2026-11-25T00:00:00+05:30"),
                "until": moment("What happened before.", "2026-11-26T00:00:00+05:30"),
            },
        ),
    ]
}
_ANSWER: Schema = {
    "code": "oms",
    "url": "https://oms.example.com/bilty",
    "events": ["shipment.label_ready", "shipment.failed"],
    "facilities": None,
    "enabled": True,
    "state": "well",
    "failing_since": None,
    "disabled_at": None,
    "disabled_why": "",
    "owed": 0,
    "owed_since": None,
    "old_secret_until": None,
    "created_at": "2026-11-25T04:31:07.120000Z",
    "secret": None,
}
_DELIVERY: Schema = {
    "id": 77,
    "event": _EVENT,
    "type": "shipment.label_ready",
    "at": "2026-11-25T04:33:12.004000Z",
    "shipment_id": 1041,
    "shipment_number": "SO-1001",
    "state": "delivered",
    "tries": 1,
    "first_try_at": "2026-11-25T04:33:12.020000Z",
    "last_try_at": "2026-11-25T04:33:12.020000Z",
    "status": 200,
    "why": "",
    "next_try_at": None,
}
_SAME_CODE = {"code": "$request.path.code"}
_LINKS = tuple(
    Link(name=name, to=operation, parameters=_SAME_CODE)
    for name, operation in {
        "endpoint": "readEndpoint",
        "deliveries": "listDeliveries",
        "secret": "rotateSecret",
        "replays": "replayEvents",
        "removal": "deleteEndpoint",
    }.items()
)


def _endpoint(status: int, about: str, secret: str | None = None) -> Answer:
    example = {**_ANSWER, "secret": secret}
    return Answer(status=status, about=about, shape=EndpointAnswer, example=example, links=_LINKS)


OPERATIONS = (
    Operation(
        id="listEndpoints",
        topic=TOPIC,
        method="GET",
        path=_PATH,
        summary="The hand-off endpoints, and how they are",
        about="All of them, on one page.",
        scope=Scope.ADMIN,
        all_facilities=True,
        answers=(
            Answer(
                status=200,
                about="The endpoints, without their secrets.",
                shape=EndpointsAnswer,
                example={"items": [_ANSWER], "next": None},
            ),
        ),
    ),
    Operation(
        id="readEndpoint",
        topic=TOPIC,
        method="GET",
        path=f"{_PATH}/{{code}}",
        summary="One hand-off endpoint",
        about="Without its secret.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(_CODE,),
        answers=(_endpoint(200, "The endpoint, and how it is."),),
    ),
    Operation(
        id="putEndpoint",
        topic=TOPIC,
        method="PUT",
        path=f"{_PATH}/{{code}}",
        summary="Add or change a hand-off endpoint",
        about="The whole of it is sent each time, but for the secret. One that Bilty makes is in this answer, and in "
        "no other. Messages are signed as Standard Webhooks asks.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(_CODE,),
        body=Body(
            schema=_ENDPOINT,
            examples={
                "labels and failures": {
                    "url": "https://oms.example.com/bilty",
                    "events": ["shipment.label_ready", "shipment.failed"],
                }
            },
        ),
        answers=(
            _endpoint(200, "It was there, and is now so."),
            _endpoint(201, "It is new.", _EXAMPLE_SECRET),
        ),
        problems=(
            Problem(
                status=409,
                code="too_many_endpoints",
                detail="There are 1,000 hand-off endpoints, which is the most: remove one first.",
            ),
            Problem(
                status=422,
                code="invalid",
                detail=f"events is missing: give a list of at least one of {', '.join(EventKind)}.",
                field="events",
                value="null",
            ),
        ),
    ),
    Operation(
        id="deleteEndpoint",
        topic=TOPIC,
        method="DELETE",
        path=f"{_PATH}/{{code}}",
        summary="Remove a hand-off endpoint",
        about="With what it was told and is still owed.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(_CODE,),
        answers=(Answer(status=204, about="It is gone."),),
    ),
    Operation(
        id="rotateSecret",
        topic=TOPIC,
        method="POST",
        path=f"{_PATH}/{{code}}/secret",
        summary="Exchange its secret",
        about="The one before signs beside the new one for 24 hours. The body may be left out: then one is made.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(_CODE,),
        body=Body(
            schema=or_null(closed("", {}, {"secret": _SECRET})),
            examples={"one of yours": {"secret": _EXAMPLE_SECRET}},
            required=False,
        ),
        answers=(
            Answer(
                status=200,
                about="The secret that signs from now on, told this once.",
                shape=SecretAnswer,
                example={"secret": _EXAMPLE_SECRET, "old_secret_until": "2026-11-26T04:31:07.120000Z"},
            ),
        ),
        problems=(
            Problem(
                status=422,
                code="invalid",
                detail=f"secret is not usable: give {WHSEC} and then 24 to 64 random bytes in base64, or leave it out "
                "to have one made.",
                field="secret",
                value="(hidden)",
            ),
        ),
    ),
    Operation(
        id="listDeliveries",
        topic=TOPIC,
        method="GET",
        path=f"{_PATH}/{{code}}/deliveries",
        summary="What it was told, and what it is owed",
        about="The newest first, a page at a time. The next page is where `next` says.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(
            _CODE,
            Parameter(
                name="state",
                place="query",
                about="Only those of this state.",
                schema={"type": "string", "enum": list(DeliveryState)},
                example="waiting",
            ),
            LIMIT,
            Parameter(
                name="after",
                place="query",
                about="Only those older than the one with this `id`. `next` fills it in.",
                schema={"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
                example=77,
            ),
        ),
        answers=(
            Answer(
                status=200,
                about="A page of deliveries.",
                shape=DeliveriesAnswer,
                example={"items": [_DELIVERY], "next": None},
            ),
        ),
    ),
    Operation(
        id="replayEvents",
        topic=TOPIC,
        method="POST",
        path=f"{_PATH}/{{code}}/replays",
        summary="Tell it once more",
        about="One event, or those of a time. Each goes out under the id that it had, so that the receiver knows it "
        "again. What is still owed is not owed twice.",
        scope=Scope.ADMIN,
        all_facilities=True,
        parameters=(_CODE,),
        body=Body(
            schema=_RANGE,
            examples={"a day": {"from": "2026-11-25T00:00:00+05:30", "until": "2026-11-26T00:00:00+05:30"}},
        ),
        answers=(Answer(status=202, about="They are on their way.", shape=ReplayAnswer, example={"deliveries": 12}),),
        problems=(
            Problem(
                status=409,
                code="not_replayed",
                detail=f"There is no event {_EVENT}, or it is so old that it is cleared away.",
            ),
            Problem(
                status=422,
                code="invalid",
                detail="event is missing: give an event's id, or a range by from and until.",
                field="event",
            ),
        ),
    ),
)
