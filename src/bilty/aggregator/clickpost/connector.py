"""ClickPost as an `Aggregator`: build, send, read, in this order and nothing else."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar, assert_never
from urllib.parse import urlencode

from bilty.aggregator import AtRest, Booking, EwaybillTold, Exchange, Listed, Pdf, PickupBooked, Said, Trouble
from bilty.aggregator.clickpost import answer, request
from bilty.aggregator.clickpost.request import Endpoints
from bilty.aggregator.clickpost.wire import Request
from bilty.outgoing.http import LABEL_BYTES_MAX, Http
from bilty.outgoing.outcome import NothingSent, Outcome, Received, Silence
from bilty.outgoing.redaction import HIDDEN, hide, hide_queries
from bilty.reply import Accepted, Cancelled, Label, NotYet, PickedUp, Ranking, Unclear, Unknown
from bilty.shipment import Invoice
from bilty.shipping_provider import Connector

EXCHANGE_BYTES_MAX = 64 * 2**10
FETCH_LABEL_S = 50.0
"""Fetching a label is up to three requests; together they must fit into a claim's lease."""
PDF_HEAD_BYTES, PDF_TAIL_BYTES = 1_024, 2_048
"""How far from its ends a PDF's marks may stand; readers look as far."""
TEXTUAL = ("json", "text", "xml", "html")

T = TypeVar("T")
Read: TypeAlias = Callable[[Received, datetime], T]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Talk:
    """The exchanges of one call, in order."""

    exchanges: list[Exchange] = field(default_factory=list)

    def said(self, reply: T) -> Said[T]:
        return Said(reply, tuple(self.exchanges))


class ClickPost:
    """One ClickPost B2B account. `http` is shared and closed by whoever made it; `now` only dates exchanges."""

    def __init__(
        self,
        connector: Connector,
        endpoints: Endpoints,
        http: Http,
        now: Callable[[], datetime] = _utc_now,
        *,
        fetch_label_s: float = FETCH_LABEL_S,
    ) -> None:
        self._connector = connector
        self._endpoints = endpoints
        self._http = http
        self._now = now
        self._fetch_label_s = fetch_label_s

    async def rank(self, booking: Booking) -> Said[Ranking | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.recommend(booking), answer.rank))

    async def ask(self, booking: Booking) -> Said[Label | Accepted | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.create(booking, self._endpoints), answer.ask))

    async def inquire(self, booking: Booking) -> Said[Label | NotYet | Unknown | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.inquire(booking, self._endpoints), answer.inquire))

    async def track(self, booking: Booking) -> Said[PickedUp | AtRest | Unknown | Trouble]:
        def read(received: Received, now: datetime) -> PickedUp | AtRest | Unknown | Trouble:
            return answer.track(received, now, booking.awb)

        talk = _Talk()
        return talk.said(await self._call(talk, request.track(booking), read))

    async def cancel(self, booking: Booking) -> Said[Cancelled | NotYet | Unknown | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.cancel(booking), answer.cancel))

    async def accounts(self) -> Said[Listed | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.accounts(), answer.accounts))

    async def tell_ewaybill(self, booking: Booking, invoice: Invoice) -> Said[EwaybillTold | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.tell_ewaybill(booking, invoice), answer.tell_ewaybill))

    async def ask_pickup(self, booking: Booking, at: datetime) -> Said[PickupBooked | Trouble]:
        talk = _Talk()
        return talk.said(await self._call(talk, request.ask_pickup(booking, at), answer.ask_pickup))

    async def fetch_label(self, booking: Booking) -> Said[Pdf | NotYet | Trouble]:
        talk = _Talk()
        try:
            async with asyncio.timeout(self._fetch_label_s):
                return talk.said(await self._fetch_label(talk, booking))
        except TimeoutError:
            return talk.said(Unclear(message=f"no label within {self._fetch_label_s:g} s", silent=True))

    async def fetch_paper(self, url: str) -> Said[Pdf | Unclear]:
        talk = _Talk()
        try:
            async with asyncio.timeout(self._fetch_label_s):
                return talk.said(await self._download(talk, url))
        except TimeoutError:
            return talk.said(Unclear(message=f"no paper within {self._fetch_label_s:g} s"))

    async def _fetch_label(self, talk: _Talk, booking: Booking) -> Pdf | NotYet | Trouble:
        """From the link that came with the AWB, else from the one that ClickPost gives when it is asked."""
        downloaded: Pdf | Unclear | None = None
        if booking.label_url:
            downloaded = await self._download(talk, booking.label_url)
            if isinstance(downloaded, Pdf):
                return downloaded
        found = await self._call(talk, request.label(booking), answer.link)
        if not isinstance(found, Label):
            return found
        if downloaded is not None and found.label_url == booking.label_url:
            return downloaded
        return await self._download(talk, found.label_url)

    async def _download(self, talk: _Talk, link: str) -> Pdf | Unclear:
        """Whatever ails a label's host is not ClickPost's silence, so it is never told as such: it counts as a try."""
        at = self._now()
        private = self._endpoints.allow_private_addresses
        outcome = await self._http.download(link, allow_private_addresses=private)
        talk.exchanges.append(_exchange(at, f"GET {hide_queries(link)}", outcome))
        match outcome:
            case Received():
                fault = _fault(outcome)
                return Unclear(message=f"label link: {fault}") if fault else Pdf(outcome.body)
            case NothingSent() | Silence():
                return Unclear(message=f"label link: {outcome.why}")
            case _:
                assert_never(outcome)

    async def _call(self, talk: _Talk, said: Request, read: Read[T]) -> T | answer.Unread:
        at, url, key = self._now(), self._endpoints.url(said), self._connector.key
        outcome = await self._http.call(
            said.method, url, said.query, said.body, username=self._connector.username, key=key
        )
        talk.exchanges.append(_exchange(at, hide(_shown(said, url), key), outcome))
        match outcome:
            case Received():
                return read(outcome, self._now())
            case NothingSent() | Silence():
                return answer.unheard(outcome)
            case _:
                assert_never(outcome)


def _fault(received: Received) -> str:
    """Why this is not a label, blank if it is one."""
    if received.status != 200:
        return f"HTTP {received.status}"
    if len(received.body) > LABEL_BYTES_MAX:
        return "too long"
    if b"%PDF-" not in received.body[:PDF_HEAD_BYTES]:
        return "not a PDF"
    return "" if b"%%EOF" in received.body[-PDF_TAIL_BYTES:] else "only a part of a PDF"


def _shown(said: Request, url: str) -> str:
    query = f"&{urlencode(said.query)}" if said.query else ""
    body = f"\n\n{said.body.decode()}" if said.body else ""
    return _cut(f"{said.method} {url}?username={HIDDEN}&key={HIDDEN}{query}{body}")


def _exchange(at: datetime, shown: str, outcome: Outcome) -> Exchange:
    match outcome:
        case Received():
            return Exchange(at, shown, outcome.status, _answer(outcome), outcome.duration_ms)
        case NothingSent():
            return Exchange(at, shown, 0, f"nothing was sent: {outcome.why}", outcome.duration_ms)
        case Silence():
            return Exchange(at, shown, 0, f"no answer: {outcome.why}", outcome.duration_ms)
        case _:
            assert_never(outcome)


def _answer(received: Received) -> str:
    told = received.content_type.lower()
    if received.body and told and not any(kind in told for kind in TEXTUAL):
        return f"{len(received.body)} bytes of {received.content_type}"
    return _cut(hide_queries(received.body.decode(errors="replace")))


def _cut(shown: str) -> str:
    """At most 64 KiB of UTF-8. Cut last: what a secret stood in is hidden by now."""
    content = shown.encode(errors="replace")
    return shown if len(content) <= EXCHANGE_BYTES_MAX else content[:EXCHANGE_BYTES_MAX].decode(errors="ignore")
