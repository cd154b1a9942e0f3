"""What was said to ClickPost after there was an AWB: sentences for the timeline, and those that warn a person.

They are kept as they were told, with the clock times of the facility.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from bilty.telling.phrases import said
from bilty.words import day

AFTERWARDS = ("ewaybill_", "pickup_")
"""How the states of such lines of a timeline begin, whose message is the whole sentence."""

_BY_HAND = "Enter it in ClickPost's dashboard, or tell {name}, before the boxes leave."
_ARRANGE = "Arrange one with {name}, or in ClickPost's dashboard."


@dataclass(frozen=True, slots=True)
class Ewaybill:
    """`name` is the courier's."""

    name: str
    number: str
    invoice: str

    @property
    def done(self) -> str:
        return f"{self.name} was told {self._what}."

    def refused(self, message: str, code: int) -> str:
        return f"{self.name} was not told {self._what}. ClickPost refused it: {said(message, code)} {self._remedy}"

    def given_up(self, message: str) -> str:
        return f"For a day {self.name} could not be told {self._what}. Last: {said(message)} {self._remedy}"

    @property
    def _what(self) -> str:
        return f"e-way bill {self.number} of invoice {self.invoice}"

    @property
    def _remedy(self) -> str:
        return _BY_HAND.format(name=self.name)


@dataclass(frozen=True, slots=True)
class Pickup:
    """`promised_at` is when the courier was first asked to come, `at` when it was asked to come instead."""

    name: str
    promised_at: datetime
    at: datetime | None
    zone: tzinfo

    @property
    def done(self) -> str:
        return f"{self._why} {self.name} was asked to come on {self._at}."

    def refused(self, message: str, code: int) -> str:
        return f"{self._why} A new pickup on {self._at} was refused: {said(message, code)} {self._remedy}"

    @property
    def unknown(self) -> str:
        return (
            f"{self._why} {self.name} was asked to come on {self._at}, and whether the pickup was booked is not known: "
            "see ClickPost's dashboard. It is not asked for twice."
        )

    def given_up(self, message: str) -> str:
        return f"{self._why} For a day no new pickup could be asked for. Last: {said(message)} {self._remedy}"

    @property
    def not_asked(self) -> str:
        return f"{self._why} Bilty asks for no new one (BILTY_PICKUP_AGAIN=false). {self._remedy}"

    @property
    def _why(self) -> str:
        return f"The label came after the pickup time that {self.name} was given, {self._local(self.promised_at)}."

    @property
    def _at(self) -> str:
        return self._local(self.at) if self.at else "no day"

    @property
    def _remedy(self) -> str:
        return _ARRANGE.format(name=self.name)

    def _local(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        return f"{day(local)}, {local:%H:%M}"


def told_void(name: str, awb: str, at: datetime, *, sure: bool) -> str:
    """Of a pickup whose AWB is void; `at` by the clock of the facility."""
    what = "is booked" if sure else "may be booked"
    return f"A pickup under AWB {awb} {what} for {day(at)}, {at:%H:%M}, and that AWB is void: call {name} off."


def told_number(confirmation: str) -> str:
    """Of a pickup that was booked."""
    return f"The pickup's number is {confirmation}." if confirmation else "It gave no number for the pickup."
