"""The key itself: an order system's first question."""

from litestar import get

from bilty.store import places
from bilty.store.access import Scope
from bilty.web.documents import KeyAnswer
from bilty.web.keys import caller, needs
from bilty.web.tools import AnyRequest, tools_of


@get("/key", guards=[needs(Scope.READ)], summary="Who this key is")
async def tell(request: AnyRequest) -> KeyAnswer:
    found = caller(request)
    facilities = None
    if found.facilities is not None:
        async with tools_of(request).pool.acquire() as connection:
            facilities = tuple(await places.codes(connection, found.facilities))
    return KeyAnswer(name=found.name, scope=found.scope, facilities=facilities, expires_at=found.expires_at)
