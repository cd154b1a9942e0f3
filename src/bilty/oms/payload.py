"""The message of one event, as Standard Webhooks has it. Pure but for the signature in the label's link.

It is made anew at each try, from what does not change: the same event tells the same of the shipment, however late it
is told. The link to the label alone is new each time, so that it lives its full time from when it is received.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from bilty import telling
from bilty.children import match_children
from bilty.hand_off import EventKind
from bilty.oms.label_link import PAPERS, link
from bilty.store.hand_off import events
from bilty.store.hand_off.lanes import Event
from bilty.store.secrets import Vault


class EventCourier(msgspec.Struct, frozen=True):
    cp_id: int
    account_code: str
    name: str
    priority: int


class EventBox(msgspec.Struct, frozen=True):
    number: int
    reference: str
    awb: str | None


class EventShipment(msgspec.Struct, frozen=True):
    """`awb`, the boxes' AWBs and `label_url` are there as soon as they are known. `void_awb`: was its AWB until now.

    `papers_url` is there with the label where the connector says Packslip Required.
    """

    id: int
    number: str
    order_number: str
    facility: str
    shipping_provider: str
    status: str
    run: int
    version: int
    courier: EventCourier | None
    awb: str | None
    void_awb: str | None
    boxes: Sequence[EventBox]
    label_url: str | None
    label_expires_at: datetime | None
    papers_url: str | None
    problem: telling.Problem | None


class EventData(msgspec.Struct, frozen=True):
    event: str
    shipment: EventShipment


class EventMessage(msgspec.Struct, frozen=True):
    """`timestamp` is when it happened; when it is told stands in the header."""

    type: EventKind
    timestamp: datetime
    data: EventData


def message(event: Event, vault: Vault, base_url: str, label_expires_at: datetime) -> EventMessage:
    content, shipment = event.content, event.shipment
    until = label_expires_at.replace(microsecond=0) if content.label_sha256 else None
    return EventMessage(
        type=event.kind,
        timestamp=event.at.astimezone(UTC),
        data=EventData(
            event=events.event_id(event.uid),
            shipment=EventShipment(
                id=event.shipment_id,
                number=shipment.number,
                order_number=shipment.order_number,
                facility=shipment.facility,
                shipping_provider=shipment.shipping_provider,
                status=content.status,
                run=content.run,
                version=content.version,
                courier=_courier(event),
                awb=content.awb or None,
                void_awb=content.void_awb or None,
                boxes=_boxes(event),
                label_url=link(vault, base_url, event.shipment_id, content.label_sha256, until) if until else None,
                label_expires_at=until,
                papers_url=_papers(event, vault, base_url, until),
                problem=content.problem,
            ),
        ),
    )


def body(event: Event, vault: Vault, base_url: str, now: datetime, label_good_for: timedelta) -> bytes:
    return msgspec.json.encode(message(event, vault, base_url, now.astimezone(UTC) + label_good_for))


def _papers(event: Event, vault: Vault, base_url: str, until: datetime | None) -> str | None:
    if until is None or not event.packslip_required:
        return None
    return link(vault, base_url, event.shipment_id, event.content.label_sha256, until, path=PAPERS)


def _courier(event: Event) -> EventCourier | None:
    courier = event.content.courier
    if courier is None:
        return None
    return EventCourier(courier.cp_id, courier.account_code, courier.name, event.content.priority)


def _boxes(event: Event) -> list[EventBox]:
    shipment, awb = event.shipment, event.content.awb
    awbs = dict(match_children(shipment, event.children, awb).by_box) if awb else {}
    return [
        EventBox(number, shipment.box_reference(number), awbs.get(number))
        for number in range(1, len(shipment.boxes) + 1)
    ]
