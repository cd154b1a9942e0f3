"""Names that are looked up, found public and pinned: whoever calls them reaches the very address that was checked,
however the name resolves a moment later.

A name service may hang for as long as it likes: a name is looked up once at a time, whoever asks for it meanwhile waits
for that one, and look-ups have threads of their own, so that a dead one holds up nobody who goes elsewhere.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from bilty.outgoing.outcome import NothingSent

PINS_MAX = 256
"""About 120 KB each."""
PIN_S = 60.0
"""How long an address that was looked up and found public is used; then it is looked up again."""
LOOK_UPS_MAX = 32
"""Threads. A look-up that nobody waits for any more keeps its thread until the name service gives up."""

LookUp: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host and port. Raises OSError where there are none."""
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class _Pin(Generic[C]):
    client: C
    address: str
    until: float


class Pins(Generic[C]):
    """Clients by the host that each is pinned to. `make` makes one that connects to an address for a host.

    It takes some 10 ms, so it is done in a thread, one of the look-ups'; and a client is kept for as long as its host
    has its address.
    """

    def __init__(
        self,
        make: Callable[[str, str], C],
        *,
        may_reach: Callable[[str], bool],
        within_s: float,
        look_up: LookUp | None = None,
        pin_s: float = PIN_S,
    ) -> None:
        self._pin_s = pin_s
        self._make = make
        self._may_reach = may_reach
        self._within_s = within_s
        self._threads = ThreadPoolExecutor(LOOK_UPS_MAX, thread_name_prefix="look-up")
        self._look_up = look_up or self._ask_the_system
        self._pins: OrderedDict[str, _Pin[C]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[C | NothingSent]] = {}

    async def client_for(self, host: str, port: int) -> C | NothingSent:
        """For a host as it stands in a URL."""
        host = host.strip("[]")
        now = asyncio.get_running_loop().time()
        pin = self._pins.get(host)
        if pin is not None and pin.until > now:
            self._pins.move_to_end(host)
            return pin.client
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = asyncio.create_task(self._pinned(host, port))
            asking.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(asking)  # one who is cancelled takes nothing from the others

    def drop(self, host: str) -> None:
        """The next look-up is a new one."""
        self._pins.pop(host.strip("[]"), None)

    async def close(self) -> list[C]:
        """No more look-ups. Returns the clients, for the caller to close."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        return [pin.client for pin in self._pins.values()]

    async def _pinned(self, host: str, port: int) -> C | NothingSent:
        addresses = await self._resolve(host, port)
        if isinstance(addresses, NothingSent):
            return addresses
        if not addresses or not all(self._may_reach(address) for address in addresses):
            return NothingSent(f"{host} is a private address, which BILTY_ALLOW_PRIVATE_ADDRESSES does not allow")
        known = self._pins.get(host)
        if known is not None and known.address in addresses:
            client, address = known.client, known.address
        else:
            address = addresses[0]
            client = await asyncio.get_running_loop().run_in_executor(self._threads, self._make, host, address)
        self._pins[host] = _Pin(client, address, asyncio.get_running_loop().time() + self._pin_s)
        self._pins.move_to_end(host)
        if len(self._pins) > PINS_MAX:
            self._pins.popitem(last=False)  # not closed: somebody may be reading through it
        return client

    async def _resolve(self, host: str, port: int) -> list[str] | NothingSent:
        try:
            async with asyncio.timeout(self._within_s):
                return await self._look_up(host, port)
        except TimeoutError:
            return NothingSent(f"{host} was not looked up within {self._within_s:g} s")
        except (OSError, UnicodeError):
            return NothingSent(f"{host} is not known to the name service")

    async def _ask_the_system(self, host: str, port: int) -> list[str]:
        def ask() -> list[str]:
            return [str(where[0]) for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
