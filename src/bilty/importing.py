"""Importing an order file: read twice, kept by shipment, and safe to repeat.

The file is first read to its end, so that a number whose rows stand apart, or a quote that is never closed, is known
before anything is kept; then it is read again and what is whole is kept, in batches. Whoever stops it half-way starts
it again: what is there already changes nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TypeAlias, assert_never

from bilty.intake import Accepted, IntakeRules
from bilty.order_file import OrderFault, OrderRows, parse_order, read_orders
from bilty.store.database import Pool
from bilty.store.shipments import Arrival, Intake, Kept, keep, schedule_all
from bilty.words import INDIA

BATCH = 200

Progressed: TypeAlias = Callable[[str, int], None]
"""Told what is being done ("read" or "kept") and how many shipments of it are done."""


@dataclass(slots=True)
class Report:
    """What became of a file. Shipments that have a fault are not in; `ids` are those that are, new ones first told."""

    read: int = 0
    new: int = 0
    same: int = 0
    held: int = 0
    ids: list[int] = field(default_factory=list)
    warnings: list[OrderFault] = field(default_factory=list)
    faults: list[OrderFault] = field(default_factory=list)


class _Undone(Exception):  # noqa: N818 - a rollback, not an error
    """Something in a file that is to go in whole or not at all cannot go in."""


async def import_orders(
    pool: Pool,
    file: Path,
    rules: IntakeRules,
    now: datetime,
    *,
    all_or_nothing: bool = False,
    told: Progressed = lambda _what, _count: None,
) -> Report:
    """Keeps every shipment of `file` that has no fault; with `all_or_nothing` only if none has."""
    report, today = Report(), now.astimezone(INDIA).date()
    bad = _survey(report, file, rules, today, told)
    if all_or_nothing and report.faults:
        return report
    whole = _whole(file, rules, today, bad)
    with contextlib.suppress(_Undone):
        async with pool.acquire() as connection, connection.transaction() if all_or_nothing else nullcontext():
            while batch := list(islice(whole, BATCH)):
                async with connection.transaction():
                    _note(report, batch, await keep(connection, [arrival for _, arrival in batch], now))
                told("kept", report.new + report.same)
            if all_or_nothing and report.faults:
                report.new, report.held, report.ids = 0, 0, []
                raise _Undone
    return report


async def schedule_orders(pool: Pool, ids: list[int], now: datetime) -> int:
    """Books what was taken in, in sets. Returns how many were; importing a file again books nothing again."""
    scheduled = 0
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        async with pool.acquire() as connection, connection.transaction():
            after = await schedule_all(connection, batch, now, run=1)
        scheduled += sum(progress.run > 0 for progress in after.values())
    return scheduled


def _survey(report: Report, file: Path, rules: IntakeRules, today: date, told: Progressed) -> set[str]:
    """The first reading: faults and warnings into the report, and the numbers that must not be kept."""
    bad: set[str] = set()
    for rows in read_orders(file):
        if isinstance(rows, OrderFault):
            report.faults.append(rows)
            continue
        report.read += 1
        taken = parse_order(rows, rules, today)
        if isinstance(taken, Accepted):
            report.warnings += [rows.locate(warning) for warning in taken.warnings]
        else:
            bad.add(rows.number)
            report.faults += taken
        if report.read % BATCH == 0:
            told("read", report.read)
    told("read", report.read)
    return bad


def _whole(file: Path, rules: IntakeRules, today: date, bad: set[str]) -> Iterator[tuple[OrderRows, Arrival]]:
    for rows in read_orders(file):
        if isinstance(rows, OrderFault) or rows.number in bad:
            continue
        taken = parse_order(rows, rules, today)
        if isinstance(taken, Accepted):  # a file that changed between the readings is read as it is now
            warnings = tuple(warning.message for warning in taken.warnings)
            yield rows, Arrival(taken.shipment, hold=taken.hold or "", warnings=warnings)


def _note(report: Report, batch: list[tuple[OrderRows, Arrival]], kept: list[Kept]) -> None:
    for (rows, arrival), became in zip(batch, kept, strict=True):
        match became.intake:
            case Intake.NEW:
                report.new += 1
                report.held += bool(arrival.hold)
                report.ids.append(became.shipment_id)
            case Intake.SAME:
                report.same += 1
                report.ids.append(became.shipment_id)
            case Intake.DIFFERS | Intake.NO_FACILITY | Intake.NO_PROVIDER:
                report.faults.append(_refused(rows, arrival, became.intake))
            case _:
                assert_never(became.intake)


def _refused(rows: OrderRows, arrival: Arrival, why: Intake) -> OrderFault:
    shipment = arrival.shipment
    column, value, message = {
        Intake.NO_FACILITY: (
            "facility",
            shipment.facility,
            "is not known: add it first, in Settings, Facilities (or by PUT /api/v1/facilities/CODE).",
        ),
        Intake.NO_PROVIDER: (
            "shipping_provider",
            shipment.shipping_provider,
            "is not known: add it first, in Settings, Shipping Provider (or by PUT /api/v1/shipping-providers/CODE).",
        ),
        Intake.DIFFERS: (
            "number",
            shipment.number,
            "is known with other content, which was left alone: change that one, or give this another number.",
        ),
    }[why]
    return OrderFault(rows.first_line, column, value, f"{column} {value} {message}")
