"""The walk through a real account, step by step: each says what it shows as soon as it is known.

    1  are the credentials good            GET fetch-accounts
    2  who would carry the boxes           the ranking of a lane
    3  is the status call where we think   an inquiry about a reference that nobody used
    4  one booking, and its cancellation   only with --book, and only after 1 to 3 went well

Steps 1 to 3 can neither book nor cancel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bilty.aggregator import Booking, Listed
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.aggregator.probe import DO_NOT_SHIP, fresh_tag, is_silent, named, sample_booking
from bilty.doctor import verdicts
from bilty.doctor.evidence import Evidence, Trial, guesses, is_our_account
from bilty.doctor.findings import Finding, Guess, Tell, Verdict, any_wrong, guess_line, lines, note, wrong
from bilty.doctor.subject import Subject
from bilty.doctor.trial import AWB_WITHIN_S, Pace, try_out
from bilty.hearing import first_three
from bilty.outgoing.http import Http
from bilty.reply import Courier, Ranking, Refused, Unknown
from bilty.shipping_provider import terms
from bilty.words import day


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Walk:
    """One walk. `tell` must not show the key: `bilty.doctor` hands in one that cannot."""

    subject: Subject
    endpoints: Endpoints
    http: Http
    pace: Pace
    tell: Tell
    now: Callable[[], datetime] = _utc_now
    findings: list[Finding] = field(default_factory=list)

    async def go(self, *, book: bool, pincode: str) -> bool:
        """True when nothing was wrong."""
        seen = Evidence(self.endpoints)
        self.tell(f"\nAsking {self.endpoints.base_url} about {self.subject.name}")
        if await self._accounts(seen) and await self._ranking(seen, pincode):
            may_book = await self._status(seen)
            if book and may_book:
                await self._book(seen)
            elif book:
                self.show(note("Nothing was booked: first the status call must be one that can be relied on."))
        told = guesses(seen)
        self.tell("\nWhat Bilty assumes of ClickPost")
        for guess in told:
            self.tell(guess_line(guess))
        return not any_wrong(self.findings) and not _any_wrong_guess(told)

    def show(self, finding: Finding) -> None:
        self.findings.append(finding)
        for line in lines(finding):
            self.tell(line)

    async def _accounts(self, seen: Evidence) -> bool:
        """Whether it makes sense to go on: with faulty credentials all else would only say the same."""
        seen.accounts = (await self._clickpost().accounts()).reply
        self.show(verdicts.on_accounts(seen, self.subject.name))
        return isinstance(seen.accounts, Listed) or not (is_silent(seen.accounts) or isinstance(seen.accounts, Refused))

    async def _ranking(self, seen: Evidence, pincode: str) -> bool:
        booking = self._booking(pincode)
        seen.ranking = (await self._clickpost().rank(booking)).reply
        self.show(verdicts.on_ranking(seen.ranking, booking.facility.pickup.pincode, pincode))
        return not is_silent(seen.ranking) and not is_our_account(seen.ranking)

    async def _status(self, seen: Evidence) -> bool:
        """Whether an order could be asked about afterwards; the style that works serves the rest of the walk."""
        seen.status = (await self._clickpost().inquire(self._booking())).reply
        odd = not isinstance(seen.status, Unknown) and not is_silent(seen.status) and not is_our_account(seen.status)
        if odd:
            self.endpoints = replace(self.endpoints, status_style=seen.other_style)
            seen.other_status = (await self._clickpost().inquire(self._booking())).reply
        self.show(verdicts.on_status(seen))
        return isinstance(seen.status, Unknown) or isinstance(seen.other_status, Unknown)

    async def _book(self, seen: Evidence) -> None:
        booking = self._booking()
        courier = await self._first_courier(booking)
        if courier is None:
            return
        booking = replace(
            booking,
            courier=courier,
            terms=terms(booking.shipment, booking.facility, self.subject.connector, self.now()),
        )
        seen.trial = Trial(booking.shipment, booking.reference, courier)
        self._announce(booking, courier)
        await try_out(self._clickpost(), booking, seen.trial, self.pace, self.show)

    async def _first_courier(self, booking: Booking) -> Courier | None:
        """P1 of the way from the facility to itself, which is what will be booked."""
        pincode = booking.facility.pickup.pincode
        ranking = (await self._clickpost().rank(booking)).reply
        if isinstance(ranking, Ranking) and ranking.couriers:
            return first_three(ranking.couriers)[0]
        self.show(wrong(f"Nothing was booked: no courier delivers to {pincode}.", "Name another with --facility."))
        return None

    def _announce(self, booking: Booking, courier: Courier) -> None:
        """Before it is done, so that whoever is interrupted knows what to look for."""
        assert booking.terms is not None, "a booking has its times"
        pickup = booking.terms.pickup_at
        for line in (
            f"\nBooking one box of 1 kg from {booking.facility.code} to its own address",
            f'    marked     "{DO_NOT_SHIP}"',
            f"    courier    {named(courier)}",
            f"    reference  {booking.reference}",
            f"    pickup     {day(pickup)}, {pickup:%H:%M}",
            f"Its AWB is waited for {AWB_WITHIN_S / 60:.0f} minutes at most, and cancelled again.",
        ):
            self.tell(line)

    def _booking(self, pincode: str = "") -> Booking:
        """Under a reference that nobody used before, each time."""
        return sample_booking(self.subject.facility, self.subject.provider, fresh_tag(), self.now(), pincode)

    def _clickpost(self) -> ClickPost:
        return ClickPost(self.subject.connector, self.endpoints, self.http)


def _any_wrong_guess(told: list[Guess]) -> bool:
    return any(guess.verdict is Verdict.WRONG for guess in told)
