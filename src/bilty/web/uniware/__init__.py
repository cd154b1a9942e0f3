"""`/uniware`: Bilty as a custom courier inside an existing Uniware, by Uniware's own contract (docs/uniware.md)."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from bilty.web.uniware import cancelling, coming_in, details, manifesting, taking, updating
from bilty.web.uniware.answers import EXCEPTION_HANDLERS, PATH, of_litestar

__all__ = ["PATH", "ROUTER", "ROUTES", "of_litestar"]

ROUTER = Router(
    PATH,
    route_handlers=[
        coming_in.auth_token,
        taking.waybill,
        updating.update,
        cancelling.cancel,
        details.waybill_details,
        manifesting.make,
    ],
    exception_handlers=EXCEPTION_HANDLERS,
)
ROUTES: list[ControllerRouterHandler] = [ROUTER, manifesting.download]
