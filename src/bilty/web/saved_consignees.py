"""The consignees that what comes in may name by their codes."""

from collections.abc import Mapping

from bilty.intake import NOBODY, code_named
from bilty.shipment import Party
from bilty.store import consignees
from bilty.web.tools import AnyRequest, tools_of


async def saved_for(request: AnyRequest, document: object) -> Mapping[str, Party]:
    """As many as the document names: mostly none, and then nothing is asked of the database."""
    code = code_named(document)
    if not code:
        return NOBODY
    async with tools_of(request).pool.acquire() as connection:
        return await consignees.named(connection, [code])
