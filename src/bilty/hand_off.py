"""What an order system is told: which change of a shipment is which event. Pure.

An event is written in the transaction of the fact, by `bilty.store.progress`, and delivered by `bilty.oms`.
"""

from enum import StrEnum


class EventKind(StrEnum):
    """The values are the API's, and stand in every message."""

    LABEL_REQUESTED = "shipment.label_requested"
    LABEL_READY = "shipment.label_ready"
    COURIER_CHANGED = "shipment.courier_changed"
    NEEDS_ATTENTION = "shipment.needs_attention"
    FAILED = "shipment.failed"
    CANCELLED = "shipment.cancelled"
