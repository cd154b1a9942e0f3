"""How an endpoint is, by what came of what it was sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bilty.hand_off import EventKind
from bilty.store.hand_off.events import Content
from bilty.store.hand_off.health import OUTAGE, Health, health
from bilty.store.hand_off.lanes import Claim, Event, Outcome
from dispatch.bench import shipment

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
BROKEN_AFTER = 3 * DAY
EVENT = Event(
    1, UUID(int=1), EventKind.LABEL_READY, NOON, Content("label_ready", run=1, version=1), 7, shipment("S1"), ()
)
CLAIM = Claim(
    endpoint_id=1,
    fence=1,
    claimed_at=NOON,
    delivery_id=1,
    tries=0,
    first_at=None,
    url="https://oms.example/hook",
    sealed={},
    event=EVENT,
)
RECEIVED = Outcome(CLAIM, received=True, status=200, why="", again_at=None)
FAILED = Outcome(CLAIM, received=False, status=500, why="It answered 500.", again_at=NOON + SECOND)
GIVEN_UP = replace(FAILED, again_at=None)
GONE = replace(FAILED, status=410, why="It answered 410.", gone=True)
EARLIER = replace(FAILED, claim=replace(CLAIM, claimed_at=NOON - SECOND))
BROKEN = "It has received nothing for 3 days. The last try: It answered 500."


@pytest.mark.parametrize(
    ("failing_for", "outcomes", "found"),
    [
        (None, [RECEIVED], Health(None)),
        (None, [FAILED, RECEIVED], Health(None)),
        (None, [FAILED, EARLIER], Health(NOON - SECOND)),
        (None, [GIVEN_UP], Health(NOON)),
        (None, [GONE], Health(NOON, disabled_why=GONE.why)),
        (DAY, [FAILED], Health(NOON - DAY)),
        (DAY, [GIVEN_UP], Health(NOON - DAY)),
        (DAY, [RECEIVED, GONE], Health(NOON - DAY, disabled_why=GONE.why)),
        (OUTAGE - SECOND, [RECEIVED], Health(None)),
        (OUTAGE, [RECEIVED], Health(None, recovered=True)),
        (BROKEN_AFTER, [FAILED], Health(NOON - BROKEN_AFTER)),
        (BROKEN_AFTER - SECOND, [GIVEN_UP], Health(NOON - BROKEN_AFTER + SECOND)),
        (BROKEN_AFTER, [FAILED, GIVEN_UP], Health(NOON - BROKEN_AFTER, disabled_why=BROKEN)),
        (BROKEN_AFTER, [GIVEN_UP, RECEIVED], Health(None, recovered=True)),
        (BROKEN_AFTER, [GIVEN_UP, GONE], Health(NOON - BROKEN_AFTER, disabled_why=GONE.why)),
    ],
)
def test_how_it_is_after_these(failing_for: timedelta | None, outcomes: list[Outcome], found: Health) -> None:
    known = None if failing_for is None else NOON - failing_for
    assert health(known, outcomes, NOON, BROKEN_AFTER) == found
