"""An order system that answers as it is told to, and remembers what it was sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bilty.oms.sending import Sent

WELL = Sent(200, "", None, 12)


@dataclass(frozen=True, slots=True)
class Told:
    url: str
    secrets: tuple[str, ...]
    event_id: str
    at: datetime
    body: bytes


@dataclass(slots=True)
class Receiver:
    answer: Sent = WELL
    told: list[Told] = field(default_factory=list)

    async def send(self, url: str, secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> Sent:
        self.told.append(Told(url, tuple(secrets), event_id, at, body))
        return self.answer
