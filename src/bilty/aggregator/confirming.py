"""An answer about our own account, checked once: is it this call's trouble or everybody's?"""

from typing import TypeVar

from bilty.aggregator import Aggregator, Listed, Said
from bilty.reply import Busy, Denied, Refusal, Refused

T = TypeVar("T")


async def confirmed(aggregator: Aggregator, said: Said[T]) -> Said[T | Denied | Busy]:
    """If fetch-accounts is refused too, it is everybody's trouble."""
    reply = said.reply
    if not isinstance(reply, Refused) or reply.refusal is not Refusal.ACCOUNT:
        return Said(reply, said.exchanges)
    checked = await aggregator.accounts()
    told = said.exchanges + checked.exchanges
    if isinstance(checked.reply, Refused):
        return Said(Denied(reply.message or checked.reply.message), told)
    if not isinstance(checked.reply, Listed):
        return Said(Busy(reply.message), told)  # cannot tell now: nothing was done, so the same is said again
    return Said(reply, told)
