"""What came of a request, as values: an answer, nothing sent, or silence.

No credentials are in any of them: `bilty.outgoing.http` adds them to a request as it leaves, and takes them out of
whatever comes back.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["GET", "POST"]


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
