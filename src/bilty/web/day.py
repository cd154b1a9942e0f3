"""What Today shows, as its template places it: each figure in words, its mark in the chart, and where it leads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from bilty import telling
from bilty.reply import Courier
from bilty.store.listing import Tab
from bilty.store.today import IN_FLIGHT_MAX, Record, Took, Waiting
from bilty.store.turn_ends import End
from bilty.telling.charts import Bar, Scale, columns, percent, shares, short
from bilty.words import grouped

HOURS = 24
Link = Callable[..., str]
"""Of a figure: where the shipments behind it are shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and where it leads; a zero leads nowhere."""

    words: str
    link: str = ""


def _figure(count: int, link: str) -> Figure:
    return Figure(grouped(count), link if count else "")


@dataclass(frozen=True, slots=True)
class Flight:
    """A line of what is under way: a courier's, ClickPost's own while it ranks, or all of them."""

    courier: str
    asking: Figure
    requested: Figure
    deadline: str = ""
    left: str = ""


def flights(waiting: Sequence[Waiting], now: datetime, zone: tzinfo, link: Link) -> list[Flight]:
    return [
        Flight(
            courier=each.courier.name if each.courier else "ClickPost, ranking",
            asking=_figure(each.asking, link(Tab.SCHEDULING, each.courier)),
            requested=_figure(each.requested, link(Tab.LABEL_REQUESTED, each.courier)),
            deadline=telling.clock(each.deadline, now, zone) if each.deadline else "",
            left=_left(each.deadline, now) if each.deadline else "",
        )
        for each in waiting
    ]


def _left(deadline: datetime, now: datetime) -> str:
    return f"in {short(deadline - now)}" if deadline > now else "due now"


def all_flights(waiting: Sequence[Waiting], link: Link) -> Flight:
    asking, requested = sum(each.asking for each in waiting), sum(each.requested for each in waiting)
    more = "+" if asking + requested >= IN_FLIGHT_MAX else ""
    return Flight(
        courier="All",
        asking=Figure(grouped(asking) + more, link(Tab.SCHEDULING, None) if asking else ""),
        requested=Figure(grouped(requested) + more, link(Tab.LABEL_REQUESTED, None) if requested else ""),
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a chart, and of the table that it stands on. `name` is its left edge, `words` the whole of it."""

    name: str
    words: str
    figure: Figure
    bar: Bar | None
    is_now: bool = False


def hours(labels: Mapping[int, int], hour_now: int, link: Link) -> list[Column]:
    """Each hour of the day; those to come are blank."""
    counts = [labels.get(hour, 0) for hour in range(HOURS)]
    return [
        Column(
            name=f"{hour:02}",
            words=f"from {hour:02}:00",
            figure=_figure(count, link(ended=End.LABEL, hour=hour)) if hour <= hour_now or count else Figure(""),
            bar=bar,
            is_now=hour == hour_now,
        )
        for hour, (count, bar) in enumerate(zip(counts, columns(counts), strict=True))
    ]


@dataclass(frozen=True, slots=True)
class Waits:
    """Labels by how long they took, and the two lines that say it in short. `labels` is blank for a single one."""

    columns: list[Column]
    unit: str
    windows: int
    median_x: float
    ninetieth_x: float
    labels: str
    median: str
    ninetieth: str


def waits(counts: Sequence[int], took: Took, scale: Scale, link: Link) -> Waits | None:
    """None where no label came."""
    if took.median is None or took.ninetieth is None:
        return None
    names = scale.names()
    last = len(names) - 1
    words = [f"{name} to {names[place + 1]} {scale.unit}" for place, name in enumerate(names[:-1])]
    words.append(f"{names[-1]} {scale.unit} or longer")
    return Waits(
        columns=[
            Column(f"{name}+" if place == last else name, words[place], _figure(count, link(step=place)), bar)
            for place, (name, count, bar) in enumerate(zip(names, counts, columns(counts), strict=True))
        ],
        unit=scale.unit,
        windows=scale.windows,
        median_x=scale.x(took.median),
        ninetieth_x=scale.x(took.ninetieth),
        labels=grouped(took.labels) if took.labels > 1 else "",
        median=short(took.median),
        ninetieth=short(took.ninetieth),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a courier did: of the turns that ended, how many brought the label, and how many fell over."""

    courier: str
    ended: Figure
    labels: Figure
    labels_share: str
    refused: Figure
    lapsed: Figure
    fell_over_share: str
    bars: list[Bar]
    median: str
    ninetieth: str


def standings(records: Sequence[Record], link: Link) -> list[Standing]:
    return [_standing(each, link) for each in records]


def _standing(record: Record, link: Link) -> Standing:
    courier, labels, fell_over = record.courier, record.took.labels, record.refused + record.lapsed
    return Standing(
        courier=courier.name,
        ended=_figure(record.ended, link(courier=courier)),
        labels=_figure(labels, link(ended=End.LABEL, courier=courier)),
        labels_share=percent(labels, record.ended),
        refused=_figure(record.refused, link(ended=End.REFUSED, courier=courier)),
        lapsed=_figure(record.lapsed, link(ended=End.LAPSED, courier=courier)),
        fell_over_share=percent(fell_over, record.ended),
        bars=shares((labels, record.refused, record.lapsed), record.ended),
        median=short(record.took.median),
        ninetieth=short(record.took.ninetieth),
    )


_ENDED = {
    None: ("Turns that ended", "Turns of {} that ended"),
    End.LABEL: ("Labels", "Labels of {}"),
    End.REFUSED: ("Turns that were refused", "Turns that {} refused"),
    End.LAPSED: ("Turns that lapsed", "Turns of {} that lapsed"),
}


def heading(ended: End | None, courier: str, hour: int | None, took: tuple[timedelta, timedelta | None] | None) -> str:
    """What the shipments behind a figure have in common."""
    of_all, of_one = _ENDED[ended]
    words = (of_one.format(courier) if courier else of_all) + " today"
    if hour is not None:
        words += f", {hour:02}:00 to {(hour + 1) % HOURS:02}:00"
    return words + (f", {_after(*took)} scheduling" if took else "")


def _after(start: timedelta, end: timedelta | None) -> str:
    if end is None:
        return f"{short(start)} or more after"
    return f"{short(start)} to {short(end)} after" if start else f"within {short(end)} of"


def key_of(courier: Courier) -> str:
    """A courier in an address."""
    return f"{courier.cp_id}:{courier.account_code}"
