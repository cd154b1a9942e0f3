"""What is everybody's trouble and not one shipment's, so that an outage is one banner."""

from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from bilty.telling.phrases import clock, said
from bilty.words import grouped

QUIET_TOLD_MIN = timedelta(seconds=15)
"""Shorter, and it is over before anybody has read of it."""


class Standing(Protocol):
    """How a shipping provider is."""

    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def paused_why(self) -> str: ...
    @property
    def alarmed_at(self) -> datetime | None: ...
    @property
    def alarmed_why(self) -> str: ...
    @property
    def silent_since(self) -> datetime | None: ...
    @property
    def quiet_until(self) -> datetime | None: ...


def told_provider(
    name: str, standing: Standing, now: datetime, zone: tzinfo, *, waiting: int | None = None
) -> tuple[str, ...]:
    """What is everybody's trouble, and not one shipment's: a sentence each, none while all is well.

    `waiting`: how many shipments wait for an answer, where that is known.
    """
    told = []
    if standing.paused_at:
        told.append(
            f"ClickPost rejects the username and key of {name}: {said(standing.paused_why)} Nothing is booked since "
            f"{clock(standing.paused_at, now, zone)}. Copy them again from the ClickPost B2B dashboard and choose "
            "Update Connector in Settings, Shipping Provider; what waits then goes on by itself."
        )
    if standing.alarmed_at:
        told.append(
            f"The status call of {name} does not answer as documented since {clock(standing.alarmed_at, now, zone)}: "
            f"{said(standing.alarmed_why)} No next courier is asked, so that nothing is booked twice. "
            "Check BILTY_CLICKPOST_URL and the status style with ClickPost."
        )
    if standing.silent_since:
        told.append(
            f"ClickPost is silent since {clock(standing.silent_since, now, zone)} ({name}); {_unharmed(waiting)} "
            "Bilty keeps trying, and no courier's turn runs out meanwhile."
        )
    if standing.quiet_until and standing.quiet_until - now >= QUIET_TOLD_MIN:
        told.append(
            f"ClickPost asked {name} to come again after {clock(standing.quiet_until, now, zone)} (429, too many "
            f"requests); {_unharmed(waiting)} Nobody is asked until then, and it goes on by itself. If this comes "
            "often, lower Calls At Once or Calls A Second in Settings, Shipping Provider, Connector."
        )
    return tuple(told)


def _unharmed(waiting: int | None) -> str:
    if waiting is None:
        return "nothing is lost."
    return f"{grouped(waiting)} {'shipment waits' if waiting == 1 else 'shipments wait'}, none is lost."


class Refusing(Protocol):
    """A courier account that refused one facility."""

    @property
    def facility(self) -> str: ...
    @property
    def account_code(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def message(self) -> str: ...


def told_notice(notice: Refusing) -> tuple[str, str]:
    """What is wrong with a courier's account, and the remedy."""
    told = f"Account {notice.account_code} refused to book for {notice.facility}: {said(notice.message, notice.code)}"
    return told, "Mend that courier account in the ClickPost B2B dashboard; the next courier is asked meanwhile."
