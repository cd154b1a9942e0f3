"""The key itself: an order system's first question."""

from litestar import get

from bilty.store.access import Scope
from bilty.web.documents import KeyAnswer
from bilty.web.keys import caller, needs
from bilty.web.tools import AnyRequest


@get("/key", guards=[needs(Scope.READ)], summary="Who this key is")
async def tell(request: AnyRequest) -> KeyAnswer:
    found = caller(request)
    return KeyAnswer(name=found.name, scope=found.scope)
