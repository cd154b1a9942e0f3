"""`/api/v1`: what an order system says to Bilty, a file a resource."""

from litestar import Router

from bilty.web.api import facilities, keys, parts, providers, schedules, shipments

ROUTER = Router(
    "/api/v1",
    route_handlers=[
        keys.tell,
        providers.listed,
        providers.one,
        providers.put_provider,
        providers.connector,
        providers.put_connector,
        facilities.one,
        facilities.put_facility,
        shipments.create,
        shipments.listed,
        shipments.one,
        parts.timeline,
        parts.label,
        parts.boxes,
        schedules.create,
    ],
)
