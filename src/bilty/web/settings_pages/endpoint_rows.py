"""Hand-off endpoints as pages show them: how each is, and what it is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bilty import telling
from bilty.hand_off import EventKind
from bilty.store import showing
from bilty.store.database import Connection
from bilty.store.hand_off import deliveries
from bilty.store.hand_off.deliveries import COUNTED_MAX, NOTHING_OWED, LastAnswer, Owed
from bilty.store.hand_off.endpoints import Endpoint, Manner
from bilty.telling.endpoints import EVENT_WORDS, told_endpoint
from bilty.web.settings_pages import standings
from bilty.web.settings_pages.wording import at_most
from bilty.words import INDIA, listed

FACILITIES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """`trouble` is what is wrong with it in sentences, blank while it is well. `host` is its address, without the path.

    `why` is the last answer alone. `owed` is how many events, blank for none; `oldest` how long ago the oldest of them
    happened.
    """

    code: str
    url: str
    host: str
    manner: standings.Manner
    trouble: str
    why: str
    is_stopped: bool
    is_disabled: bool
    is_failing: bool
    events: str
    facilities: str
    owed: str
    oldest: str


async def rows(connection: Connection, found: Sequence[Endpoint]) -> list[EndpointRow]:
    ids = [each.id for each in found]
    now = await showing.clock(connection)
    owed, last = await deliveries.owed(connection, ids), await deliveries.last_failures(connection, ids)
    return [_row(each, owed.get(each.id, NOTHING_OWED), last.get(each.id), now) for each in found]


def _row(endpoint: Endpoint, owed: Owed, last: LastAnswer | None, now: datetime) -> EndpointRow:
    return EndpointRow(
        code=endpoint.code,
        url=endpoint.url,
        host=_host(endpoint.url),
        manner=manner(endpoint, now),
        trouble=told_endpoint(endpoint, last.why if last else "", now, INDIA),
        why=_why(endpoint, last.why if last else ""),
        is_stopped=endpoint.manner in (Manner.DISABLED, Manner.OFF),
        is_disabled=endpoint.manner is Manner.DISABLED,
        is_failing=endpoint.manner is Manner.FAILING,
        events=_events(endpoint.events),
        facilities=_facilities(endpoint.facilities),
        owed=at_most(owed.count, COUNTED_MAX) if owed.count else "",
        oldest=telling.span(now - owed.oldest_at) if owed.oldest_at else "",
    )


def manner(endpoint: Endpoint, now: datetime) -> standings.Manner:
    match endpoint.manner:
        case Manner.OFF:
            return standings.Manner("idle", "◌", "Switched off")
        case Manner.DISABLED:
            return standings.Manner("person", "▲", f"Disabled since {_since(endpoint.disabled_at, now)}")
        case Manner.FAILING:
            return standings.Manner("bad", "✕", f"Failing since {_since(endpoint.failing_since, now)}")
        case Manner.WELL:
            return standings.Manner("done", "●", "Well")


def _why(endpoint: Endpoint, last: str) -> str:
    return {Manner.DISABLED: endpoint.disabled_why, Manner.FAILING: last}.get(endpoint.manner, "")


def _since(at: datetime | None, now: datetime) -> str:
    return telling.clock(at, now, INDIA) if at else ""


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""


def _events(kinds: Sequence[str]) -> str:
    if len(kinds) == len(EventKind):
        return "All"
    words = [EVENT_WORDS[EventKind(kind)].lower() for kind in kinds]
    return (words[0].capitalize() + (f", {', '.join(words[1:])}" if words[1:] else "")) if words else ""


def _facilities(codes: Sequence[str] | None) -> str:
    if codes is None:
        return "All"
    more = len(codes) - FACILITIES_SHOWN
    return f"{', '.join(codes[:FACILITIES_SHOWN])} and {more} more" if more > 0 else listed(list(codes))
