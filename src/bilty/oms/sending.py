"""One try at handing an event to an order system: signed, posted, and what came of it in a sentence.

Whether an answer came tells whether the event was received; a try of which that is not known is made again, because
receivers know repeats by `webhook-id` and nobody knows what was lost. So an answer that breaks off counts as none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from standardwebhooks import Webhook

from bilty.oms import label_link
from bilty.outgoing.http import Http
from bilty.outgoing.outcome import NothingSent, Outcome, Received, Silence
from bilty.outgoing.redaction import HIDDEN, hide, hide_queries
from bilty.outgoing.retry_after import retry_after_s

TRY_S = 10.0
"""From looking the name up to the last byte of the answer."""
WORDS_CHARS_MAX = 300
TOKEN_CHARS_MIN = 16
"""A part of a path that is as long may be what opens the receiver's door."""
GONE = 410

_TAGS = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_LABEL_LINK = re.compile(rf"{re.escape(label_link.PATH)}\\?/[\w-]+")


@dataclass(frozen=True, slots=True)
class Sent:
    """`why` is whole sentences and names no secret; blank where the event was received."""

    status: int | None
    why: str
    retry_after_s: float | None
    duration_ms: int

    @property
    def received(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299

    @property
    def gone(self) -> bool:
        """The receiver wants nothing more, ever."""
        return self.status == GONE


class Send(Protocol):
    """A Sender, or a test's."""

    async def send(self, url: str, secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> Sent: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """`allow_private` is BILTY_ALLOW_PRIVATE_ADDRESSES, and with it http without TLS."""

    http: Http
    allow_private: bool
    total_s: float = TRY_S

    async def send(self, url: str, secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> Sent:
        """Tries once. `at`, which the signature covers, is now: receivers refuse what is five minutes old.

        Each of `secrets` (`whsec_…`) signs. Never raises because of the other side.
        """
        if not self.allow_private and not url.lower().startswith("https://"):
            return Sent(None, "Nothing was sent: the endpoint's address does not begin with https://.", None, 0)
        headers = {"content-type": "application/json", **signed(secrets, event_id, at, body)}
        outcome = await self.http.deliver(
            url, headers, body, allow_private_addresses=self.allow_private, total_s=self.total_s
        )
        return self._told(outcome, url, at)

    def _told(self, outcome: Outcome, url: str, at: datetime) -> Sent:
        match outcome:
            case Received(status=status, duration_ms=duration_ms):
                wait_s = retry_after_s(outcome.retry_after, at) or None
                return Sent(status, _words_of(outcome, url), wait_s, duration_ms)
            case NothingSent(why=why, duration_ms=duration_ms):
                return Sent(None, f"Nothing was sent: {_without(url, why)}.", None, duration_ms)
            case Silence(why=why, duration_ms=duration_ms):
                if duration_ms >= self.total_s * 1000:
                    why = f"it took more than {self.total_s:g} s"
                return Sent(None, f"It was sent, and no whole answer came: {_without(url, why)}.", None, duration_ms)


def signed(secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks; a signature for each secret."""
    moment = at.astimezone(UTC)
    signatures = (Webhook(secret).sign(event_id, moment, body.decode()) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _words_of(answer: Received, url: str) -> str:
    if 200 <= answer.status <= 299:
        return ""
    if 300 <= answer.status <= 399:
        return (
            f"The receiver answered {answer.status}, a redirect, which is not followed: "
            "give the endpoint the address that it leads to."
        )
    if answer.status == GONE:
        return "The receiver answered 410: it wants no more events."
    words = _excerpt(answer.body, url)
    return f"The receiver answered {answer.status}{f': {words}' if words else ''}{'' if words.endswith('.') else '.'}"


def _excerpt(body: bytes, url: str) -> str:
    """The first words of an error page, on one line."""
    text = _without(url, _TAGS.sub(" ", body.decode("utf-8", "replace")))
    words = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return words if len(words) <= WORDS_CHARS_MAX else f"{words[: WORDS_CHARS_MAX - 1].rstrip()}…"


def _without(url: str, text: str) -> str:
    """Error pages quote the address that was called, which may hold a token, and what was sent, with its label link."""
    for secret in _secret_parts(url):
        text = hide(text, secret)
    return hide_queries(_LABEL_LINK.sub(f"{label_link.PATH}/{HIDDEN}", text))


def _secret_parts(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # nobody was called there
        return
    if parts.query:
        yield f"{parts.path}?{parts.query}"
        yield parts.query
        yield from (value for _, value in parse_qsl(parts.query))
    yield from (each for each in parts.path.split("/") if len(each) >= TOKEN_CHARS_MIN)
