"""Importing an order file: read twice, kept by shipment, and safe to repeat.

The file is first read to its end, so that a number whose rows stand apart, or a quote that is never closed, is known
before anything is kept; then it is read again and what is whole is kept, in batches. Whoever stops it half-way starts
it again: what is there already changes nothing.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from bilty.intake import IntakeRules
from bilty.order_file import OrderFault, OrderRows
from bilty.order_header import as_theirs
from bilty.order_sources import Looks, OrderSource, look_at
from bilty.store.consignees import every_one
from bilty.store.database import Connection, Pool
from bilty.store.judging import Bench, Judged, Verdict, became, differing, judged, parsed
from bilty.store.shipments import keep, schedule_all
from bilty.words import INDIA

BATCH = 200
TOLD_MAX = 10_000
"""Warnings, and faults, that are told one by one."""

Progressed: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done ("read" or "kept"), and how many lines of how many are done."""
Faulty: TypeAlias = Callable[[Judged, Sequence[OrderFault], Sequence[str]], None]
"""Handed what does not go in, with its faults and the file's header."""


@dataclass(slots=True)
class Report:
    """What became of a file. Shipments that have a fault are not in; `ids` are those that are, new ones first told.

    `more_*`: warnings and faults beyond the first TOLD_MAX. With a dry run `new` would be new.
    """

    read: int = 0
    new: int = 0
    same: int = 0
    held: int = 0
    ids: list[int] = field(default_factory=list)
    warnings: list[OrderFault] = field(default_factory=list)
    faults: list[OrderFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more_warnings: int = 0
    more_faults: int = 0

    @property
    def fault_count(self) -> int:
        return len(self.faults) + self.more_faults

    def warn(self, warnings: Sequence[OrderFault]) -> None:
        room = max(TOLD_MAX - len(self.warnings), 0)
        self.warnings += warnings[:room]
        self.more_warnings += len(warnings[room:])

    def blame(self, faults: Sequence[OrderFault]) -> None:
        room = max(TOLD_MAX - len(self.faults), 0)
        self.faults += faults[:room]
        self.more_faults += len(faults[room:])


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is to be imported. `mapping`: their columns to ours, "" for one that is left out."""

    rules: IntakeRules
    mapping: Mapping[str, str] = field(default_factory=dict)
    all_or_nothing: bool = False
    dry_run: bool = False
    told: Progressed = lambda _what, _done, _total: None
    faulty: Faulty = lambda _judged, _faults, _header: None


class _Undone(Exception):  # noqa: N818 - a rollback, not an error
    """Something in a file that is to go in whole or not at all cannot go in."""


async def import_orders(
    pool: Pool,
    file: Path,
    rules: IntakeRules,
    now: datetime,
    *,
    all_or_nothing: bool = False,
    told: Progressed = lambda _what, _done, _total: None,
) -> Report:
    """Keeps every shipment of `file` that has no fault; with `all_or_nothing` only if none has."""
    return await import_as(pool, file, Plan(rules, all_or_nothing=all_or_nothing, told=told), now)


async def import_as(pool: Pool, file: Path, plan: Plan, now: datetime) -> Report:
    """As planned. Raises OSError when the file cannot be read."""
    looks = look_at(file)
    async with pool.acquire() as connection:
        bench = Bench(plan.rules, now.astimezone(INDIA).date(), await every_one(connection))
    report, bad, unsure = await _survey(pool, file, looks, plan, bench)
    if plan.dry_run or (plan.all_or_nothing and report.fault_count):
        return report
    with contextlib.suppress(_Undone):
        async with pool.acquire() as connection, connection.transaction() if plan.all_or_nothing else nullcontext():
            source = OrderSource(file, looks, as_theirs(plan.mapping), unsure=unsure)
            whole = _whole(source, bench, bad)
            while batch := list(islice(whole, BATCH)):
                async with connection.transaction():
                    await _keep(connection, report, batch, now, plan, source)
                plan.told("kept", source.line, source.lines)
            if plan.all_or_nothing and report.fault_count:
                report.new, report.held, report.ids = 0, 0, []
                raise _Undone
    return report


async def schedule_orders(
    pool: Pool, ids: list[int], now: datetime, told: Progressed = lambda _what, _done, _total: None
) -> int:
    """Books what was taken in, in sets. Returns how many were; importing a file again books nothing again."""
    scheduled, done = 0, 0
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        async with pool.acquire() as connection, connection.transaction():
            after = await schedule_all(connection, batch, now, run=1)
        scheduled += sum(progress.run > 0 for progress in after.values())
        done += len(batch)
        told("scheduled", done, len(ids))
    return scheduled


async def _survey(
    pool: Pool, file: Path, looks: Looks, plan: Plan, bench: Bench
) -> tuple[Report, set[str], frozenset[str]]:
    """The first reading: faults and warnings into the report, and the numbers that must not be kept.

    Once more, if it has come to light that some days were not what they seemed.
    """
    unsure: frozenset[str] = frozenset()
    while True:
        report, bad = Report(), set[str]()
        source = OrderSource(file, looks, as_theirs(plan.mapping), unsure=unsure)
        found = source.found()
        told_faulty: list[tuple[Judged, tuple[OrderFault, ...]]] = []
        while batch := list(islice(found, BATCH)):
            for each in await _seen(pool, parsed(batch, bench), plan):
                report.read += isinstance(each.rows, OrderRows)
                report.warn(each.warnings)
                report.blame(_faults_of(each))
                if plan.dry_run:
                    _count(report, each)
                if each.verdict is Verdict.FAULTY and isinstance(each.rows, OrderRows):
                    bad.add(each.rows.number)
                faults = _faults_of(each)
                if faults and len(told_faulty) < TOLD_MAX:
                    told_faulty.append((each, faults))
            plan.told("read", source.line, source.lines)
        if not source.unsure:
            break
        unsure |= source.unsure
    names = source.header.names if source.header else ()
    for each, faults in told_faulty:
        plan.faulty(each, faults, names)
    report.notes = source.notes
    return report, bad, unsure


async def _seen(pool: Pool, some: list[Judged], plan: Plan) -> list[Judged]:
    """A dry run looks into the books; whoever means it finds out when the rows are kept."""
    if not plan.dry_run:
        return some
    async with pool.acquire() as connection:
        return await judged(connection, some)


def _count(report: Report, each: Judged) -> None:
    """What is in, or would be."""
    report.new += each.verdict is Verdict.NEW
    report.same += each.verdict is Verdict.SAME
    report.held += each.verdict is Verdict.NEW and bool(each.hold)
    if each.shipment_id and each.verdict in (Verdict.NEW, Verdict.SAME):
        report.ids.append(each.shipment_id)


def _faults_of(each: Judged) -> tuple[OrderFault, ...]:
    return (differing(each),) if each.verdict is Verdict.DIFFERS else each.faults


def _whole(source: OrderSource, bench: Bench, bad: set[str]) -> Iterator[Judged]:
    """A file that changed between the readings is read as it is now."""
    for rows in source.found():
        if isinstance(rows, OrderRows) and rows.number not in bad:
            (each,) = parsed([rows], bench)
            if each.arrival:
                yield each


async def _keep(
    connection: Connection, report: Report, batch: list[Judged], now: datetime, plan: Plan, source: OrderSource
) -> None:
    kept = await keep(connection, [each.arrival for each in batch if each.arrival], now)
    for each, took in zip(batch, kept, strict=True):
        after = became(each, took)
        _count(report, after)
        if faults := _faults_of(after):
            report.blame(faults)
            plan.faulty(after, faults, source.header.names if source.header else ())
