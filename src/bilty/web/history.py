"""What happened to a shipment, in words: its turns, its timeline, and what was said to ClickPost."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

import msgspec

from bilty import telling
from bilty.store import afterwards
from bilty.store.amended import CHANGED
from bilty.store.exchanges import Kept
from bilty.store.showing import Moment, Seen
from bilty.store.turn_rows import GOOD_LABEL
from bilty.telling import Cell
from bilty.turn import Kind, Rules, Step, Turn
from bilty.web import rows
from bilty.words import day, grouped
from bilty.workflow import Progress, Status


@dataclass(frozen=True, slots=True)
class TurnRow:
    """`talk` is the turn whose exchanges are kept, 0 where none is. `void`: its label is no longer good."""

    tier: str
    courier: str
    cell: Cell | None
    reference: str
    asked: str
    awb: str
    told: str
    talk: int
    void: bool


@dataclass(frozen=True, slots=True)
class Run:
    """`matters`: a turn of it still has something that a person must see. `was`: when it was asked for what it no
    longer is.
    """

    number: int
    turns: tuple[TurnRow, ...]
    window: telling.Window | None
    matters: bool
    was: str


def runs(
    seen: Seen,
    moments: Sequence[Moment],
    talks: Mapping[str, int],
    opened: Mapping[int, datetime],
    rules: Rules,
    now: datetime,
    zone: tzinfo,
) -> list[Run]:
    """The latest first. `opened`: since when the shipment was what each of its versions says."""
    progress = seen.progress

    def told(turn: Turn) -> TurnRow:
        return TurnRow(
            tier=f"P{turn.priority}" if turn.priority else "",
            courier=turn.courier.name if turn.courier else "ClickPost, asked to rank",
            cell=telling.cell(turn.priority, turn, None, rules) if turn.courier else None,
            reference=turn.reference,
            asked=rows.moment(turn.asked_at, zone) if turn.asked_at else "",
            awb=turn.awb,
            told=telling.told_turn(turn, telling.next_courier(progress, turn), rules, now, zone),
            talk=talks.get(turn.reference, 0),
            void=bool(turn.label_sha256) and turn.state not in GOOD_LABEL,
        )

    def run(number: int) -> Run:
        turns = [turn for turn in progress.turns if turn.run == number]
        return Run(
            number=number,
            turns=tuple(told(turn) for turn in turns),
            window=telling.window(progress, number, moments, rules, now, zone),
            matters=any(turn.kind in (Kind.EXTRA, Kind.HOLDS) for turn in turns),
            was=_was({turn.version for turn in turns}),
        )

    def _was(versions: Collection[int]) -> str:
        changed_at = opened.get(max(versions, default=0) + 1)
        return f"for what it was before {telling.clock(changed_at, now, zone)}" if changed_at else ""

    return [run(number) for number in range(progress.run, 0, -1)]


def edition(progress: Progress, moments: Sequence[Moment], now: datetime, zone: tzinfo) -> str:
    """Which version it is, since when, by whom; blank for the first."""
    if progress.version == 1:
        return ""
    last = next((each for each in reversed(moments) if each.state == CHANGED), None)
    return f"{progress.version}" + (f", since {telling.clock(last.at, now, zone)} by {last.actor}" if last else "")


@dataclass(frozen=True, slots=True)
class Line:
    """`by_person`: somebody did it."""

    at: str
    iso: str
    told: str
    by_person: bool


SAID_BY_TURNS = (Status.SCHEDULING, Status.LABEL_REQUESTED)


def lines(moments: Sequence[Moment], rules: Rules, zone: tzinfo) -> list[tuple[str, list[Line]]]:
    """By the day, without the statuses that a turn's own line already says."""
    shown = [each for each in moments if each.actor or each.priority is not None or each.state not in SAID_BY_TURNS]
    return [
        (day(date), [_line(each, rules, zone) for each in of_day])
        for date, of_day in groupby(shown, lambda each: each.at.astimezone(zone).date())
    ]


def _line(moment: Moment, rules: Rules, zone: tzinfo) -> Line:
    at = f"{moment.at.astimezone(zone):%H:%M:%S}"
    return Line(at, moment.at.isoformat(), telling.told_moment(moment, rules), moment.actor != "")


_STEPS: Mapping[str, str] = {
    Step.RANK: "Asked which couriers serve the lane",
    Step.ASK: "Asked to book",
    Step.INQUIRE: "Asked by the reference what became of it",
    Step.FETCH_LABEL: "Fetched the label",
    Step.CANCEL: "Asked to cancel",
    Step.RETURN: "Asked for its return",
    afterwards.STEPS[afterwards.Kind.EWAYBILL]: "Told the e-way bill",
    afterwards.STEPS[afterwards.Kind.PICKUP]: "Asked for a new pickup",
}


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    at: str
    iso: str
    step: str
    status: str
    took: str
    request: str
    request_body: str
    answer: str


def exchange_rows(kept: Sequence[Kept], zone: tzinfo) -> list[ExchangeRow]:
    return [_exchange_row(each, zone) for each in kept]


def _exchange_row(kept: Kept, zone: tzinfo) -> ExchangeRow:
    address, _, body = kept.request.partition("\n\n")
    return ExchangeRow(
        at=rows.moment(kept.at, zone),
        iso=kept.at.isoformat(),
        step=_STEPS[kept.step],
        status=f"HTTP {kept.status}" if kept.status else "No answer",
        took=f"{grouped(kept.duration_ms)} ms",
        request=address,
        request_body=_laid_out(body),
        answer=_laid_out(kept.answer),
    )


def _laid_out(said: str) -> str:
    """JSON a line a field; anything else, and what was cut, as it was said."""
    try:
        return msgspec.json.format(said, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return said
