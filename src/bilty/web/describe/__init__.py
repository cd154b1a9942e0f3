"""The API described once, in a table: the OpenAPI document and the reference page are both written from it."""

from functools import cache

from bilty.web.describe import booking, bulk, decisions, documents, endpoints, ewaybills, setting_up, shipments
from bilty.web.describe.events import EVENTS
from bilty.web.describe.openapi import document
from bilty.web.describe.shapes import Operation, Schema

OPERATIONS: tuple[Operation, ...] = (
    *shipments.OPERATIONS,
    *booking.OPERATIONS,
    *decisions.OPERATIONS,
    *documents.OPERATIONS,
    *ewaybills.OPERATIONS,
    *bulk.OPERATIONS,
    *setting_up.OPERATIONS,
    *endpoints.OPERATIONS,
)
"""In the order of the reference page. A test compares it with the routes."""


@cache
def description() -> Schema:
    return document(OPERATIONS, EVENTS)
