"""Hand-off in words: how an endpoint is, and how far the telling of an event."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bilty.hand_off import EventKind
from bilty.telling.endpoints import EVENT_HELP, EVENT_WORDS, told_delivery, told_endpoint
from bilty.words import INDIA

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""11:30 in India."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Endpoint:
    code: str = "oms"
    enabled: bool = True
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_why: str = ""


@dataclass(frozen=True)
class Delivery:
    state: str = "waiting"
    tries: int = 0
    last_at: datetime | None = None
    why: str = ""
    next_at: datetime | None = None
    behind: bool = False
    out: bool = False
    stopped: bool = False


NO = "The receiver answered 500: no space left."


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        (Endpoint(), ""),
        (
            Endpoint(enabled=False, disabled_at=NOW),
            "oms is switched off: it is told nothing, and what happens meanwhile is not kept for it.",
        ),
        (
            Endpoint(failing_since=NOW - HOUR),
            (
                "oms has received nothing since 10:30. The receiver answered 500: no space left. "
                "Bilty keeps trying; after 3 days without success it disables the endpoint."
            ),
        ),
        (
            Endpoint(failing_since=NOW - 80 * HOUR, disabled_at=NOW - HOUR, disabled_why="nothing was received."),
            (
                "Bilty disabled the hand-off endpoint oms at 10:30: nothing was received. "
                "What happens is kept for it, and goes out when it is enabled again."
            ),
        ),
    ],
)
def test_how_an_endpoint_is(endpoint: Endpoint, told: str) -> None:
    assert told_endpoint(endpoint, NO, NOW, INDIA) == told


def test_without_an_answer_none_is_quoted() -> None:
    told = told_endpoint(Endpoint(failing_since=NOW - HOUR), "", NOW, INDIA)
    assert told.startswith("oms has received nothing since 10:30. Bilty keeps trying")


@pytest.mark.parametrize(
    ("delivery", "told"),
    [
        (Delivery("delivered", 1, NOW - HOUR), "Received at 10:30:00."),
        (Delivery("delivered", 3, NOW - HOUR, NO), "Received at 10:30:00, at try 3."),
        (Delivery("delivered", 1, NOW - 24 * HOUR), "Received on 22 Nov 2026, 11:30:00."),
        (Delivery("given_up", 80, NOW - HOUR, NO), f"{NO} Given up at 10:30:00 after 80 tries."),
        (Delivery("given_up", 1, NOW - HOUR), "Given up at 10:30:00 after 1 try."),
        (Delivery(next_at=NOW - HOUR), "Goes out now."),
        (Delivery(), "Goes out now."),
        (Delivery(out=True), "Is being told now."),
        (Delivery(stopped=True), "Not tried yet; it goes out when the endpoint is enabled again."),
        (Delivery(behind=True, next_at=NOW + HOUR), "Waits for the one before it of this shipment."),
        (Delivery(tries=1, last_at=NOW, why=NO, next_at=NOW + HOUR), f"{NO} Tried once; next at 12:30."),
        (Delivery(tries=2, last_at=NOW, why=NO, out=True), f"{NO} Tried twice, and is being told now."),
        (Delivery(tries=5, last_at=NOW, why=NO, next_at=NOW), f"{NO} Tried 5 times; goes out now."),
        (
            Delivery(tries=5, last_at=NOW, why=NO, stopped=True),
            f"{NO} Tried 5 times; it goes out when the endpoint is enabled again.",
        ),
    ],
)
def test_how_far_the_telling_of_an_event_is(delivery: Delivery, told: str) -> None:
    assert told_delivery(delivery, NOW, INDIA) == told


def test_each_event_has_its_words() -> None:
    assert set(EVENT_WORDS) == set(EVENT_HELP) == set(EventKind)
