"""`/api/v1`: what an order system says to Bilty, a file a resource."""

from litestar import Router

from bilty.web import idempotency
from bilty.web.api import (
    amending,
    bulk,
    cancellation,
    decisions,
    documents,
    endpoints,
    ewaybills,
    facilities,
    keys,
    pages,
    parts,
    providers,
    schedules,
    shipments,
)

ROUTER = Router(
    "/api/v1",
    before_request=idempotency.before_request,
    middleware=[idempotency.IdempotencyMiddleware()],
    route_handlers=[
        keys.tell,
        providers.listed,
        providers.one,
        providers.put_provider,
        providers.connector,
        providers.put_connector,
        facilities.listed,
        facilities.one,
        facilities.put_facility,
        shipments.create,
        bulk.create,
        pages.listed,
        shipments.one,
        amending.amend,
        parts.timeline,
        parts.label,
        parts.papers,
        parts.boxes,
        schedules.create,
        cancellation.create,
        decisions.listed,
        decisions.create,
        decisions.upload,
        *documents.ROUTES,
        *ewaybills.ROUTES,
        *endpoints.ROUTES,
    ],
)
