"""The one module that speaks HTTP. What it must never do: raise because of the other side, follow a redirect, or let
our key out of its hands but in the request itself.

Three traps of the client are handled here, each with a test on real sockets. The type of an exception tells nothing:
"sent and never answered" comes as a time-out of connecting; only the cause `client error (Connect)` means that not a
byte was sent. The URL, and with it the key, stands in the error text. And bodies unpack as they are read, so their
size is counted while they do.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import urlencode

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError
from pyreqwest.http import Url
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from bilty.outgoing.addresses import is_public
from bilty.outgoing.outcome import Method, NothingSent, Outcome, Received, Silence
from bilty.outgoing.redaction import hide, hide_in_bytes

ANSWER_BYTES_MAX = 8 * 2**20
LABEL_BYTES_MAX = 20 * 2**20
PINS_MAX = 32
IDLE_S = 30.0
"""A connection that rested longer is not used again: balancers close theirs after a minute, and a request may cross."""
PIN_S = 60.0
"""How long an address that was looked up and found public is used; then it is looked up again."""
HEADER_CHARS_MAX = 200

NOTHING_WAS_SENT = "client error (Connect)"
QUOTES_THE_URL = " for url ("


LookUp: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host and port. Raises OSError where there are none."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total_s` is from the first packet to the last byte of the body.

    `read_s` runs while connecting too, so it must be the longer one: else a connection that never came about would
    be told as one on which nothing was heard.
    """

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 35.0

    def __post_init__(self) -> None:
        if not 0 < self.connect_s < self.read_s:
            raise ValueError(f"connecting must time out before reading does, got {self}")


@dataclass(frozen=True, slots=True)
class _Pin:
    client: Client
    until: float


class Http:
    """Clients for ClickPost's API and for links to labels; share one between all connectors. Close it in the end.

    `may_reach` says which addresses a label may come from while private ones are not allowed.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        *,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        label_bytes_max: int = LABEL_BYTES_MAX,
        look_up: LookUp | None = None,
        may_reach: Callable[[str], bool] = is_public,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._look_up = look_up or _look_up
        self._may_reach = may_reach
        self._label_bytes_max = label_bytes_max
        self._answer_bytes_max = answer_bytes_max
        self._client = self._builder().build()
        self._pins: OrderedDict[str, _Pin] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for pin in self._pins.values():
            await pin.client.close()
        await self._client.close()

    async def call(
        self, method: Method, url: str, query: tuple[tuple[str, str], ...], body: bytes, *, username: str, key: str
    ) -> Outcome:
        """Speaks to ClickPost. Nothing that comes back contains `key`."""
        began = perf_counter()

        def build() -> StreamRequest:
            signed = f"{url}?{urlencode((('username', username), ('key', key), *query))}"
            builder = self._client.request(method, signed)
            if body:
                builder = builder.header("content-type", "application/json").body_bytes(body)
            return builder.header("accept", "application/json").build_streamed()

        return await self._exchange(build, self._answer_bytes_max, key, began)

    async def download(self, link: str, *, allow_private_addresses: bool) -> Outcome:
        """Fetches a label from whatever host ClickPost named. The key does not go there."""
        began = perf_counter()
        try:
            url = Url(link)
        except ValueError:
            return NothingSent("the label's address is malformed")
        host = url.host_str
        if url.scheme not in ("http", "https") or not host or url.username or url.password:
            return NothingSent("the label's address is not a plain http or https one")
        client: Client | NothingSent = self._client
        if not allow_private_addresses:
            client = await self._pinned(host.strip("[]"), url.port_or_known_default or 443)
        if isinstance(client, NothingSent):
            return client
        return await self._exchange(client.get(url).build_streamed, self._label_bytes_max, "", began, unpin=host)

    async def _pinned(self, host: str, port: int) -> Client | NothingSent:
        """A client that connects to the very address that was checked, however the name resolves a moment later."""
        now = asyncio.get_running_loop().time()
        pin = self._pins.get(host)
        if pin is not None and pin.until > now:
            self._pins.move_to_end(host)
            return pin.client
        addresses = await self._resolve(host, port)
        if isinstance(addresses, NothingSent):
            return addresses
        if not addresses or not all(self._may_reach(address) for address in addresses):
            return NothingSent(f"{host} is a private address, which BILTY_ALLOW_PRIVATE_ADDRESSES does not allow")
        client = self._builder().resolve(host, addresses[0], 0).build()
        self._pins[host] = _Pin(client, now + PIN_S)
        self._pins.move_to_end(host)
        if len(self._pins) > PINS_MAX:
            self._pins.popitem(last=False)  # not closed: somebody may be reading through it
        return client

    async def _resolve(self, host: str, port: int) -> list[str] | NothingSent:
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                return await self._look_up(host, port)
        except TimeoutError:
            return NothingSent(f"{host} was not looked up within {self._timeouts.connect_s:g} s")
        except (OSError, UnicodeError):
            return NothingSent(f"{host} is not known to the name service")

    async def _exchange(
        self, build: Callable[[], StreamRequest], bytes_max: int, key: str, began: float, unpin: str = ""
    ) -> Outcome:
        try:
            request = build()
        except (PyreqwestError, ValueError):
            return NothingSent("the request's address is malformed", _ms_since(began))
        try:
            async with request as response:
                content = await _body(response, bytes_max)
                if content is None:
                    return Silence(f"an answer of more than {bytes_max} bytes", _ms_since(began))
                return Received(
                    status=response.status,
                    content_type=hide((response.get_header("content-type") or "")[:HEADER_CHARS_MAX], key),
                    body=hide_in_bytes(content, key),
                    retry_after=hide((response.get_header("retry-after") or "")[:HEADER_CHARS_MAX], key),
                    duration_ms=_ms_since(began),
                )
        except PyreqwestError as error:
            if NOTHING_WAS_SENT in _causes(error):
                self._pins.pop(unpin, None)  # the next try looks the name up again
                return NothingSent(_why(error, key), _ms_since(began))
            return Silence(_why(error, key), _ms_since(began))

    def _builder(self) -> ClientBuilder:
        return (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=self._timeouts.connect_s))
            .read_timeout(timedelta(seconds=self._timeouts.read_s))
            .timeout(timedelta(seconds=self._timeouts.total_s))
            .pool_idle_timeout(timedelta(seconds=IDLE_S))
            .follow_redirects(enable=False)
            .referer(enable=False)
            .default_cookie_store(enable=False)
            .no_proxy()
            .user_agent("bilty")
        )


async def _body(response: Response, bytes_max: int) -> bytes | None:
    """The unpacked body, None where it is longer than `bytes_max`: measured as it unpacks, never after."""
    content = bytearray()
    while (chunk := await response.body_reader.read_chunk()) is not None:
        content += memoryview(chunk)
        if len(content) > bytes_max:
            return None
    return bytes(content)


async def _look_up(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


def _causes(error: PyreqwestError) -> list[str]:
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    return [cause["message"] for cause in causes or ()]


def _why(error: PyreqwestError, key: str) -> str:
    """What went wrong in words, without the URL that the client quotes."""
    words = [
        cause for cause in _causes(error) if QUOTES_THE_URL not in cause and not cause.startswith("client error (")
    ]
    return hide("; ".join(dict.fromkeys(words)) or "the connection ended", key)


def _ms_since(began: float) -> int:
    return round((perf_counter() - began) * 1000)
