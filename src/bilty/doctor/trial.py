"""The one booking of `--book`: booked, heard of, its label fetched, and cancelled again whatever happens meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from bilty.aggregator import Aggregator, Booking, Pdf
from bilty.doctor import verdicts
from bilty.doctor.evidence import Trial
from bilty.doctor.findings import Finding
from bilty.documents.counting import pages_of
from bilty.reply import Accepted, Cancelled, Label, PickedUp, Unclear, Unknown

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
Show: TypeAlias = Callable[[Finding], None]

AWB_WITHIN_S = 300.0
"""A label of many boxes takes 2 to 4 minutes. Who leaves sooner leaves an AWB behind that nobody cancels."""
LABEL_WITHIN_S = CANCEL_WITHIN_S = 180.0
REST_MIN_S, REST_MAX_S = 1.0, 15.0
UNKNOWN_MAX = 6
"""So often a reference must be unknown before it counts as not booked: ClickPost may be late to know it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to rest between two inquiries, and how."""

    rest_s: float
    sleep: Sleep


def pace(poll_interval_s: float, sleep: Sleep) -> Pace:
    """An eighth of the poll interval: quick enough to watch, slow enough for ClickPost."""
    return Pace(min(max(poll_interval_s / 8, REST_MIN_S), REST_MAX_S), sleep)


async def try_out(aggregator: Aggregator, booking: Booking, trial: Trial, pace: Pace, show: Show) -> None:
    """Fills `trial`. From the asking on nothing is left alone: an AWB is cancelled, or said to be alive."""
    finished = False
    try:
        trial.asked = await aggregator.ask(booking)
        _note_label(trial, trial.asked.reply)
        show(verdicts.on_asking(trial))
        if isinstance(trial.asked.reply, Label | Accepted | Unclear):
            await _await_awb(aggregator, booking, trial, pace)
            show(verdicts.on_awb(trial))
        if trial.label is not None:
            await _await_label(aggregator, booking, trial, pace)
            show(verdicts.on_label(trial))
        finished = True
    finally:
        if trial.label is not None:
            await _cancel(aggregator, _with_awb(booking, trial.label), trial, pace, show)
        elif not finished:
            show(verdicts.on_awb(trial))


async def _await_awb(aggregator: Aggregator, booking: Booking, trial: Trial, pace: Pace) -> None:
    """Inquires until there is an AWB, a definite no, or the time is over."""
    unknowns = 0
    while trial.label is None and trial.waited_s < AWB_WITHIN_S:
        await pace.sleep(pace.rest_s)
        trial.waited_s += pace.rest_s
        said = await aggregator.inquire(booking)
        trial.inquired, trial.inquiries = said.reply, trial.inquiries + 1
        _note_label(trial, said.reply)
        unknowns += isinstance(said.reply, Unknown)
        if verdicts.is_definite_no(trial) and (unknowns >= UNKNOWN_MAX or not isinstance(said.reply, Unknown)):
            return


def _note_label(trial: Trial, reply: object) -> None:
    if isinstance(reply, Label):
        trial.label = reply


async def _await_label(aggregator: Aggregator, booking: Booking, trial: Trial, pace: Pace) -> None:
    """At once, and again until the time is over: the AWB is there, and its PDF may take longer."""
    assert trial.label is not None, "a label is fetched by its AWB"
    waited_s = 0.0
    while True:
        trial.fetched = await aggregator.fetch_label(_with_awb(booking, trial.label))
        if isinstance(trial.fetched.reply, Pdf):
            trial.pages = await pages_of(trial.fetched.reply.content)
            return
        if waited_s >= LABEL_WITHIN_S:
            return
        await pace.sleep(pace.rest_s)
        waited_s += pace.rest_s


async def _cancel(aggregator: Aggregator, booking: Booking, trial: Trial, pace: Pace, show: Show) -> None:
    """One tracking read goes first; then until it is confirmed, or the time is over. Says how it ended in any case."""
    try:
        trial.tracked = (await aggregator.track(booking)).reply
        if isinstance(trial.tracked, PickedUp):
            return
        trial.cancelled, waited_s = await aggregator.cancel(booking), 0.0
        while not isinstance(trial.cancelled.reply, Cancelled) and waited_s < CANCEL_WITHIN_S:
            await pace.sleep(pace.rest_s)
            waited_s += pace.rest_s
            trial.cancelled = await aggregator.cancel(booking)
    finally:
        show(verdicts.on_cancel(trial))


def _with_awb(booking: Booking, label: Label) -> Booking:
    return replace(booking, awb=label.awb, label_url=label.label_url)
