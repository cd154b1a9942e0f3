"""What an order system is told: the webhooks of the OpenAPI document, and the reference page's section on events.

A test compares the examples with what is sent, and docs/integrate.md with both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from bilty.hand_off import EventKind
from bilty.oms.payload import EventBox, EventCourier, EventData, EventMessage, EventShipment
from bilty.telling import Problem
from bilty.web.describe.shapes import Parameter

TOPIC = "Events"
ABOUT = (
    "Bilty sends each event by POST to every hand-off endpoint that wants its kind and facility, signed as Standard "
    "Webhooks asks. It is told until it is received, for 3 days, so expect it more than once: `webhook-id` stays. The "
    "events of a shipment come in their order, those of different shipments in any. New fields may be added: pass "
    "over what you do not know."
)
ANSWERS: Mapping[str, str] = {
    "2XX": "It is received. To be answered within 10 seconds: write it down, answer, and do the work afterwards.",
    "410": "No more of these: the endpoint is disabled at once, and what is owed to it is kept.",
    "default": "Anything else, a redirect, or no answer within 10 seconds: it is told again, later each time; after "
    "`Retry-After` where that is longer, up to an hour.",
}
"""What a receiver may answer, and what Bilty makes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: EventKind
    summary: str
    about: str
    example: EventMessage

    @property
    def id(self) -> str:
        """As an operation's: receiveLabelReady."""
        return "receive" + "".join(word.capitalize() for word in self.kind.partition(".")[2].split("_"))

    @property
    def headers(self) -> tuple[Parameter, ...]:
        return (
            _header(
                "webhook-id",
                "The event's id, as `data.event`. A repeat has the same.",
                "^evt_[0-9a-f]{32}$",
                self.example.data.event,
            ),
            _header(
                "webhook-timestamp",
                "When it was sent, in seconds since 1970. Refuse what is five minutes older or newer than your clock.",
                "^[0-9]+$",
                str(int(self.example.timestamp.timestamp()) + 1),
            ),
            _header(
                "webhook-signature",
                "`v1,` and the base64 of an HMAC-SHA256 over id, timestamp and body, joined by full stops, under the "
                "endpoint's secret. Where there are more, with a blank between them, one that is right is enough.",
                "^v1,[A-Za-z0-9+/]{43}=(?: v1,[A-Za-z0-9+/]{43}=)*$",
                "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            ),
        )


def _header(name: str, about: str, pattern: str, example: str) -> Parameter:
    schema = {"type": "string", "pattern": pattern}
    return Parameter(name=name, place="header", about=about, schema=schema, example=example, required=True)


def _boxes(number: str, *awbs: str | None) -> list[EventBox]:
    return [EventBox(each, f"{number}-{each}", awb) for each, awb in enumerate(awbs or (None,) * 3, 1)]


_BOOKED = EventShipment(
    id=1041,
    number="SO-1001",
    order_number="PO/26-27/88",
    facility="BLR-1",
    shipping_provider="clickpost-b2b",
    status="label_requested",
    run=1,
    version=1,
    courier=EventCourier(5, "main", "Blue Dart", 2),
    awb=None,
    void_awb=None,
    boxes=_boxes("SO-1001"),
    label_url=None,
    label_expires_at=None,
    papers_url=None,
    problem=None,
)
_READY = replace(
    _BOOKED,
    status="label_ready",
    awb="7540911200",
    boxes=_boxes("SO-1001", "75409112001", "75409112002", "75409112003"),
    label_url="https://bilty.example.com/labels/i6pUZ8pWAbdrPAa8dNU69YfoEO6xNEmtE_M0XZzXhZsx…",
    label_expires_at=datetime(2026, 11, 30, 6, 37, 9, tzinfo=UTC),
)
_DISPATCHED = replace(
    _BOOKED,
    id=1045,
    number="SO-1005",
    status="dispatched",
    courier=EventCourier(4, "main", "Delhivery B2B", 1),
    awb="7540911500",
    boxes=_boxes("SO-1005", "75409115001", "75409115002", "75409115003"),
)
_CHANGED = replace(
    _BOOKED,
    status="scheduling",
    version=2,
    courier=None,
    void_awb="7540911200",
    boxes=_boxes("SO-1001", *(None,) * 4),
)
_REFUSED = "Pincode 411018 is not served (ClickPost code 319)."
_FAILED = Problem(
    "failed",
    f"No courier took it. Delhivery B2B: {_REFUSED} Blue Dart: {_REFUSED} DTDC: {_REFUSED}",
    "Put right what they name, or change the couriers' order in the ClickPost B2B dashboard; then schedule it again.",
)
_NO_LABEL = Problem(
    "no_label",
    f"DTDC gave no label in time; one may still come. Delhivery B2B refused: {_REFUSED} Blue Dart refused: {_REFUSED}",
    "Ask the courier by the reference. Or choose Schedule again: a late label is then cancelled or offered to you. If "
    "it is booked elsewhere, choose I have seen to it.",
)


def _of_nobody(shipment_id: int, number: str, status: str, run: int, problem: Problem | None) -> EventShipment:
    boxes = _boxes(number)
    return replace(
        _BOOKED, id=shipment_id, number=number, status=status, run=run, courier=None, boxes=boxes, problem=problem
    )


def _message(kind: EventKind, at: str, event: str, shipment: EventShipment) -> EventMessage:
    return EventMessage(kind, datetime.fromisoformat(at), EventData(f"evt_{event}", shipment))


EVENTS = (
    Event(
        kind=EventKind.COURIER_CHANGED,
        summary="Another courier has it, or is asked for it",
        about="Than before in the same booking. At each change.",
        example=_message(
            EventKind.COURIER_CHANGED,
            "2026-11-23T06:31:07.218304Z",
            "baf50362d49e34de3800b03d89b5eaae",
            replace(_BOOKED, status="scheduling"),
        ),
    ),
    Event(
        kind=EventKind.LABEL_REQUESTED,
        summary="A courier accepted it, and its label takes a while",
        about="Each time that it comes to this.",
        example=_message(
            EventKind.LABEL_REQUESTED, "2026-11-23T06:31:08.902117Z", "e8863211f0a326494e9ab252f9e0f5d6", _BOOKED
        ),
    ),
    Event(
        kind=EventKind.LABEL_READY,
        summary="AWB and label are there",
        about="Once a booking. `label_url` opens the PDF without a key.",
        example=_message(
            EventKind.LABEL_READY, "2026-11-23T06:37:09.440925Z", "98cb4f23b4a5dfc8b315eb2983d4d8d9", _READY
        ),
    ),
    Event(
        kind=EventKind.CHANGED,
        summary="It was changed after a courier was asked",
        about="It is a new version. What was told of the version before is void: a label that was printed of it must "
        "be destroyed, and `void_awb` is being cancelled. If it is booked again, `shipment.label_ready` follows.",
        example=_message(
            EventKind.CHANGED,
            "2026-11-23T07:20:41.302884Z",
            "5d0c1e9ab84f4a7f93c2f60de7ab1b35",
            _CHANGED,
        ),
    ),
    Event(
        kind=EventKind.DISPATCHED,
        summary="Its courier has its boxes",
        about="Once a booking: it was marked so, or its handover was closed.",
        example=_message(
            EventKind.DISPATCHED, "2026-11-23T11:40:02.118205Z", "c1a7e02f5e0b4d0e8e6f3a9917d2b6c4", _DISPATCHED
        ),
    ),
    Event(
        kind=EventKind.NEEDS_ATTENTION,
        summary="A person must decide",
        about="Each time that it comes to this. `problem` says what, and the panel has the buttons.",
        example=_message(
            EventKind.NEEDS_ATTENTION,
            "2026-11-23T06:49:30.071202Z",
            "6554195a685f65a7e61720c014a30d70",
            _of_nobody(1043, "SO-1003", "needs_attention", 1, _NO_LABEL),
        ),
    ),
    Event(
        kind=EventKind.FAILED,
        summary="Every courier said no, or none serves the lane",
        about="Once a booking. Where none serves the lane, `status` is `not_serviceable`.",
        example=_message(
            EventKind.FAILED,
            "2026-11-23T06:31:41.550018Z",
            "26934eb377001f66e37289a5c93fe284",
            _of_nobody(1042, "SO-1002", "failed", 1, _FAILED),
        ),
    ),
    Event(
        kind=EventKind.CANCELLED,
        summary="It is cancelled, and so is every AWB of it",
        about="Once.",
        example=_message(
            EventKind.CANCELLED,
            "2026-11-23T07:02:15.633471Z",
            "38881e0a24039dc2621e1d6f86cb71f7",
            _of_nobody(1044, "SO-1004", "cancelled", 0, None),
        ),
    ),
)
