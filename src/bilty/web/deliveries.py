"""What order systems were told, as pages show it: which event, to which endpoint, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from bilty.hand_off import EventKind
from bilty.store.hand_off.deliveries import Delivery, DeliveryState
from bilty.store.hand_off.events import event_id
from bilty.telling.endpoints import EVENT_WORDS, told_delivery
from bilty.web import rows
from bilty.words import day

SHAPES: Mapping[DeliveryState, tuple[str, str, str]] = {
    DeliveryState.WAITING: ("waiting", "◑", "Owed"),
    DeliveryState.DELIVERED: ("done", "●", "Received"),
    DeliveryState.GIVEN_UP: ("bad", "✕", "Given up"),
}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """`event` is its id. `may_again`: it is not owed now, so that it can be told once more."""

    event: str
    words: str
    kind: str
    at: str
    clock: str
    iso: str
    shipment_id: int
    number: str
    endpoint: str
    shape: str
    glyph: str
    told: str
    may_again: bool


def delivery_rows(deliveries: Sequence[Delivery], now: datetime, zone: tzinfo) -> list[DeliveryRow]:
    return [_row(each, now, zone) for each in deliveries]


def by_day(deliveries: Sequence[Delivery], now: datetime, zone: tzinfo) -> list[tuple[str, list[DeliveryRow]]]:
    """A shipment's, in the order in which they were told, for its page."""
    return [
        (day(date), delivery_rows(list(of_day), now, zone))
        for date, of_day in groupby(deliveries, lambda each: each.at.astimezone(zone).date())
    ]


def _row(delivery: Delivery, now: datetime, zone: tzinfo) -> DeliveryRow:
    shape, glyph, _ = SHAPES[delivery.state]
    if delivery.state is DeliveryState.WAITING and delivery.tries:
        shape, glyph = "person", "▲"
    return DeliveryRow(
        event=event_id(delivery.event),
        words=EVENT_WORDS[EventKind(delivery.kind)],
        kind=delivery.kind,
        at=rows.moment(delivery.at, zone),
        clock=f"{delivery.at.astimezone(zone):%H:%M:%S}",
        iso=delivery.at.isoformat(),
        shipment_id=delivery.shipment_id,
        number=delivery.number,
        endpoint=delivery.endpoint,
        shape=shape,
        glyph=glyph,
        told=told_delivery(delivery, now, zone),
        may_again=delivery.state is not DeliveryState.WAITING,
    )
