"""How an endpoint is, judged by what came of what it was sent. Pure.

One that received nothing for so long that something would be given up is disabled instead, and keeps what it is owed:
its receiver is broken, not the message. One that says that it is gone is disabled at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store.hand_off.lanes import Outcome

NOTHING_RECEIVED = "It has received nothing for {days} days. The last try: {why}"
OUTAGE = timedelta(minutes=10)
"""Failing for longer is an outage, whose end hastens what waits; a single message that is refused is none."""


@dataclass(frozen=True, slots=True)
class Health:
    """`disabled_why` is why it is to be disabled now, None where it is not. `recovered`: an outage is over."""

    failing_since: datetime | None
    disabled_why: str | None = None
    recovered: bool = False


def health(
    failing_since: datetime | None, outcomes: Sequence[Outcome], at: datetime, broken_after: timedelta
) -> Health:
    """After these outcomes, of one endpoint, which failed since `failing_since` as far as was known."""
    gone = next((each.why for each in outcomes if each.gone), None)
    if gone is None and any(each.received for each in outcomes):
        return Health(None, recovered=failing_since is not None and at - failing_since >= OUTAGE)
    since = failing_since or min(each.claim.claimed_at for each in outcomes)
    if gone is not None:
        return Health(since, disabled_why=gone)
    given_up = next((each.why for each in outcomes if each.again_at is None), None)
    if given_up is None or failing_since is None or at - failing_since < broken_after:
        return Health(since)
    return Health(since, disabled_why=NOTHING_RECEIVED.format(days=broken_after.days, why=given_up))
