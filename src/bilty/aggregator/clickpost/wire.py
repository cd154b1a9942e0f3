"""What goes out and what comes in, as values, between the pure modules and the one that speaks HTTP.

No credentials are in any of them: `bilty.aggregator.clickpost.http` adds them to a request as it leaves, and takes
them out of whatever comes back.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Request:
    """`path` begins behind `/api`; `tracking` says at which of ClickPost's two hosts. `body` is JSON, or nothing."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    tracking: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A whole answer, within the size limit, unpacked, and with our key taken out of it."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: str = ""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class NothingSent:
    """No byte of the request left: it is safe to say again."""

    why: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """The request may have arrived, and no whole answer came."""

    why: str
    duration_ms: int = 0


Outcome: TypeAlias = Received | NothingSent | Silence
