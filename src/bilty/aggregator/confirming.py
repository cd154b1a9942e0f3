"""An answer about our own account, checked once: is it this call's trouble or everybody's?"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bilty.aggregator import Aggregator, Listed, Said
from bilty.reply import Busy, Denied, Refusal, Refused

T = TypeVar("T")


async def _at_once() -> None:
    """Nothing is in the way of one more call."""


async def confirmed(
    aggregator: Aggregator, said: Said[T], before: Callable[[], Awaitable[None]] = _at_once
) -> Said[T | Denied | Busy]:
    """If fetch-accounts is refused too, it is everybody's trouble. `before` is waited for if it is asked."""
    reply = said.reply
    if not isinstance(reply, Refused) or reply.refusal is not Refusal.ACCOUNT:
        return Said(reply, said.exchanges)
    await before()
    checked = await aggregator.accounts()
    told = said.exchanges + checked.exchanges
    if isinstance(checked.reply, Refused):
        return Said(Denied(reply.message or checked.reply.message), told)
    if not isinstance(checked.reply, Listed):
        wait_s = checked.reply.retry_after_s if isinstance(checked.reply, Busy) else 0.0
        return Said(Busy(reply.message, wait_s), told)  # cannot tell now: nothing was done, so the same is said again
    return Said(reply, told)
