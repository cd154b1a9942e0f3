"""The one module that speaks HTTP. What it must never do: raise because of the other side, follow a redirect, or let
our key out of its hands but in the request itself.

Three traps of the client are handled here, each with a test on real sockets. The type of an exception tells nothing:
"sent and never answered" comes as a time-out of connecting; only the cause `client error (Connect)` means that not a
byte was sent. The URL, and with it the key, stands in the error text. And bodies unpack as they are read, so their
size is counted while they do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError
from pyreqwest.http import Url
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from bilty.outgoing.addresses import is_public
from bilty.outgoing.outcome import Method, NothingSent, Outcome, Received, Silence
from bilty.outgoing.pins import LookUp, Pins
from bilty.outgoing.redaction import hide, hide_in_bytes

ANSWER_BYTES_MAX = 8 * 2**20
LABEL_BYTES_MAX = 20 * 2**20
DELIVERY_ANSWER_BYTES_MAX = 64 * 2**10
"""Of an order system's answer the status counts, and some words; what is longer is cut."""
IDLE_S = 30.0
"""A connection that rested longer is not used again: balancers close theirs after a minute, and a request may cross."""
HEADER_CHARS_MAX = 200

NOTHING_WAS_SENT = "client error (Connect)"
QUOTES_THE_URL = " for url ("


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


class Http:
    """Clients for ClickPost's API, links to labels and order systems; share one in a process. Close it in the end.

    `may_reach` says which addresses labels may come from and events may go to while private ones are not allowed.
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
        self._label_bytes_max = label_bytes_max
        self._answer_bytes_max = answer_bytes_max
        self._client = self._builder().build()
        self._pins: Pins[Client] = Pins(
            lambda host, address: self._builder().resolve(host, address, 0).build(),
            may_reach=may_reach,
            within_s=self._timeouts.connect_s,
            look_up=look_up,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for pinned in await self._pins.close():
            await pinned.close()
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
        reached = await self._reach(link, "the label's address", allow_private_addresses)
        if isinstance(reached, NothingSent):
            return reached
        url, client = reached
        return await self._exchange(
            client.get(url).build_streamed, self._label_bytes_max, "", began, unpin=url.host_str or ""
        )

    async def deliver(
        self, address: str, headers: Mapping[str, str], body: bytes, *, allow_private_addresses: bool, total_s: float
    ) -> Outcome:
        """Posts `body` to an order system, all within `total_s`. A long answer is cut, and counts as it stands."""
        began = perf_counter()
        reached = await self._reach(address, "the endpoint's address", allow_private_addresses)
        if isinstance(reached, NothingSent):
            return NothingSent(reached.why, _ms_since(began))
        url, client = reached

        def build() -> StreamRequest:
            left_s = max(total_s - (perf_counter() - began), 0.001)
            builder = client.post(url).headers(headers).body_bytes(body)
            return builder.timeout(timedelta(seconds=left_s)).build_streamed()

        return await self._exchange(
            build, DELIVERY_ANSWER_BYTES_MAX, "", began, unpin=url.host_str or "", cut_long_answers=True
        )

    async def _reach(self, address: str, named: str, allow_private_addresses: bool) -> tuple[Url, Client] | NothingSent:
        """Where a call goes, and who calls there; `named` is what trouble calls the address, which it never quotes."""
        try:
            url = Url(address)
        except ValueError:
            return NothingSent(f"{named} is malformed")
        host = url.host_str
        if url.scheme not in ("http", "https") or not host or url.username or url.password:
            return NothingSent(f"{named} is not a plain http or https one")
        if allow_private_addresses:
            return url, self._client
        client = await self._pins.client_for(host, url.port_or_known_default or 443)
        return client if isinstance(client, NothingSent) else (url, client)

    async def _exchange(
        self,
        build: Callable[[], StreamRequest],
        bytes_max: int,
        key: str,
        began: float,
        *,
        unpin: str = "",
        cut_long_answers: bool = False,
    ) -> Outcome:
        try:
            request = build()
        except (PyreqwestError, ValueError):
            return NothingSent("the request's address is malformed", _ms_since(began))
        try:
            async with request as response:
                content = await _body(response, bytes_max)
                if len(content) > bytes_max and not cut_long_answers:
                    return Silence(f"an answer of more than {bytes_max} bytes", _ms_since(began))
                return Received(
                    status=response.status,
                    content_type=hide((response.get_header("content-type") or "")[:HEADER_CHARS_MAX], key),
                    body=hide_in_bytes(content[:bytes_max], key),
                    retry_after=hide((response.get_header("retry-after") or "")[:HEADER_CHARS_MAX], key),
                    duration_ms=_ms_since(began),
                )
        except PyreqwestError as error:
            if NOTHING_WAS_SENT in _causes(error):
                self._pins.drop(unpin)
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


async def _body(response: Response, bytes_max: int) -> bytes:
    """The unpacked body, of a longer one a little more than `bytes_max`: measured as it unpacks, never after."""
    content = bytearray()
    while len(content) <= bytes_max and (chunk := await response.body_reader.read_chunk()) is not None:
        content += memoryview(chunk)
    return bytes(content)


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
