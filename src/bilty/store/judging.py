"""What an order file would do, shipment by shipment, before it does it: new, the same, different, or faulty and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import assert_never

from bilty.intake import NOBODY, Accepted, IntakeRules
from bilty.order_changes import Change, changes
from bilty.order_file import OrderFault, OrderRows, parse_order
from bilty.shipment import Party
from bilty.store.database import Connection
from bilty.store.shipments import Arrival, Intake, Kept, compare
from bilty.words import counted


class Verdict(StrEnum):
    NEW = "new"
    SAME = "same"  # known with this very content
    DIFFERS = "differs"  # known with other content, which is left alone
    FAULTY = "faulty"
    TAKEN = "taken"  # it was new, and is in


@dataclass(frozen=True, slots=True)
class Judged:
    """`arrival` is what may be kept, None where there is a fault. `changes`: what one that differs would change."""

    rows: OrderRows | OrderFault
    verdict: Verdict
    arrival: Arrival | None = None
    faults: tuple[OrderFault, ...] = ()
    warnings: tuple[OrderFault, ...] = ()
    changes: tuple[Change, ...] = ()
    shipment_id: int = 0

    @property
    def hold(self) -> str:
        return self.arrival.hold if self.arrival else ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What rows are held against. `facilities`: those for which they may be, None for all."""

    rules: IntakeRules
    today: date
    saved: Mapping[str, Party] = field(default_factory=lambda: NOBODY)
    facilities: frozenset[int] | None = None


def parsed(found: Sequence[OrderRows | OrderFault], bench: Bench) -> list[Judged]:
    """As far as the rows alone tell: each that has no fault counts as new."""
    return [_parsed(each, bench) for each in found]


async def judged(connection: Connection, all_parsed: Sequence[Judged]) -> list[Judged]:
    """Held against what is known."""
    arrivals = [each.arrival for each in all_parsed if each.arrival]
    kept = iter(await compare(connection, arrivals) if arrivals else [])
    return [became(each, next(kept)) if each.arrival else each for each in all_parsed]


def became(each: Judged, kept: Kept) -> Judged:
    """What the store says of one that has no fault of its own."""
    assert each.arrival is not None, "what has a fault is not kept"
    verdict = Verdict.NEW
    found: tuple[Change, ...] = ()
    told: tuple[OrderFault, ...] = ()
    match kept.intake:
        case Intake.NEW:
            pass
        case Intake.SAME:
            verdict = Verdict.SAME
        case Intake.DIFFERS:
            assert kept.known is not None, "it differs from something"
            verdict, found = Verdict.DIFFERS, changes(kept.known, each.arrival.shipment)
        case Intake.NO_FACILITY | Intake.NO_PROVIDER:
            verdict, told = Verdict.FAULTY, (_not_set_up(each, kept.intake),)
        case _:
            assert_never(kept.intake)
    return Judged(each.rows, verdict, each.arrival, told, each.warnings, found, kept.shipment_id)


def differing(each: Judged) -> OrderFault:
    """One that differs, told as a fault."""
    assert each.arrival is not None, "what differs was read"
    assert isinstance(each.rows, OrderRows), "what differs was read"
    first = "; ".join(
        f"{change.field} {change.before or 'nothing'} would be {change.after or 'nothing'}"
        for change in each.changes[:3]
    )
    more = f"; and {counted(len(each.changes) - 3, 'more change')}" if len(each.changes) > 3 else ""
    number = each.arrival.shipment.number
    message = (
        f"number {number} is known with other content, which was left alone: change that one, or give this another "
        f"number. {first}{more}."
    )
    return each.rows.as_called(OrderFault(each.rows.first_line, "number", number, message))


def _parsed(found: OrderRows | OrderFault, bench: Bench) -> Judged:
    if isinstance(found, OrderFault):
        return Judged(found, Verdict.FAULTY, faults=(found,))
    taken = parse_order(found, bench.rules, bench.today, bench.saved)
    if not isinstance(taken, Accepted):
        return Judged(found, Verdict.FAULTY, faults=taken)
    warnings = tuple(found.as_called(found.locate(warning)) for warning in taken.warnings)
    messages = tuple(warning.message for warning in taken.warnings)
    arrival = Arrival(taken.shipment, taken.hold or "", messages, bench.facilities)
    return Judged(found, Verdict.NEW, arrival, warnings=warnings)


def _not_set_up(each: Judged, why: Intake) -> OrderFault:
    assert each.arrival is not None, "it was read"
    assert isinstance(each.rows, OrderRows), "it was read"
    shipment = each.arrival.shipment
    if why is Intake.NO_FACILITY:
        column, value, where = "facility", shipment.facility, "Settings, Facilities (or by PUT /api/v1/facilities/CODE)"
    else:
        column, value = "shipping_provider", shipment.shipping_provider
        where = "Settings, Shipping Provider (or by PUT /api/v1/shipping-providers/CODE)"
    message = f"{column} {value} is not known: add it first, in {where}."
    return each.rows.as_called(OrderFault(each.rows.first_line, column, value, message))
