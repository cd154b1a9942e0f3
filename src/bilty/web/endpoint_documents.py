"""The API's documents about hand-off endpoints, as they are answered."""

from datetime import datetime

from bilty.hand_off import EventKind
from bilty.store.hand_off.deliveries import COUNTED_MAX, Delivery, DeliveryState, Owed
from bilty.store.hand_off.endpoints import Endpoint, Manner
from bilty.store.hand_off.events import event_id
from bilty.web.documents import Document


class EndpointAnswer(Document, frozen=True, kw_only=True):
    """`state` is how it is: disabled by Bilty after long failure, off by a person. `secret` is told once, when made."""

    code: str
    url: str
    events: tuple[EventKind, ...]
    facilities: tuple[str, ...] | None
    enabled: bool
    state: Manner
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str
    owed: int
    owed_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    secret: str | None = None


class EndpointsAnswer(Document, frozen=True):
    items: tuple[EndpointAnswer, ...]
    next: str | None = None


class SecretAnswer(Document, frozen=True, kw_only=True):
    """The secret that signs from now on; those before it sign, too, until `old_secret_until`."""

    secret: str
    old_secret_until: datetime | None


class DeliveryAnswer(Document, frozen=True, kw_only=True):
    """`status` and `why` are of the last try. `next_try_at` is null while it waits behind another of its shipment."""

    id: int
    event: str
    type: EventKind
    at: datetime
    shipment_id: int
    shipment_number: str
    state: DeliveryState
    tries: int
    first_try_at: datetime | None
    last_try_at: datetime | None
    status: int | None
    why: str
    next_try_at: datetime | None


class DeliveriesAnswer(Document, frozen=True, kw_only=True):
    items: tuple[DeliveryAnswer, ...]
    next: str | None


class ReplayAnswer(Document, frozen=True):
    """How many deliveries are new. What is still owed is not owed twice."""

    deliveries: int


def endpoint_answer(endpoint: Endpoint, owed: Owed, secret: str | None = None) -> EndpointAnswer:
    return EndpointAnswer(
        code=endpoint.code,
        url=endpoint.url,
        events=tuple(EventKind(kind) for kind in endpoint.events),
        facilities=endpoint.facilities,
        enabled=endpoint.enabled,
        state=endpoint.manner,
        failing_since=endpoint.failing_since,
        disabled_at=endpoint.disabled_at,
        disabled_why=endpoint.disabled_why,
        owed=min(owed.count, COUNTED_MAX),
        owed_since=owed.oldest_at,
        old_secret_until=endpoint.old_secret_until,
        created_at=endpoint.created_at,
        secret=secret,
    )


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer(
        id=delivery.id,
        event=event_id(delivery.event),
        type=EventKind(delivery.kind),
        at=delivery.at,
        shipment_id=delivery.shipment_id,
        shipment_number=delivery.number,
        state=delivery.state,
        tries=delivery.tries,
        first_try_at=delivery.first_at,
        last_try_at=delivery.last_at,
        status=delivery.status,
        why=delivery.why,
        next_try_at=delivery.next_at,
    )
