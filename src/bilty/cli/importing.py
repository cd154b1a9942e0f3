"""The shipments of an order file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bilty.cli.ground import stop, with_state

if TYPE_CHECKING:
    from bilty.importing import Plan, Report
    from bilty.order_file import OrderFault
    from bilty.running import Opened
    from bilty.store.judging import Judged


def import_(
    file: Annotated[
        Path, typer.Argument(help="A CSV or XLSX file, see docs/order-file.md", exists=True, dir_okay=False)
    ],
    *,
    schedule: Annotated[bool, typer.Option(help="Book them at once.")] = False,
    all_or_nothing: Annotated[bool, typer.Option(help="One fault, and nothing goes in.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS", help="A column of theirs; -=THEIRS leaves it out."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Where the faulty rows go, each with its reason.")
    ] = None,
) -> None:
    """Take the shipments of an order file in. The same file twice changes nothing; killed half-way, run it again."""
    from bilty.importing import Plan
    from bilty.intake import IntakeRules

    plan = Plan(IntakeRules(), _mapping(map_ or []), all_or_nothing=all_or_nothing, dry_run=dry_run)
    raise typer.Exit(with_state(lambda state: _import(state, file, plan, faults, schedule=schedule)))


def _mapping(given: Sequence[str]) -> dict[str, str]:
    """Their columns to ours, "" for one that is left out."""
    from bilty.order_columns import LEFT_OUT, NAMES

    mapping = {}
    for each in given:
        ours, _, theirs = each.partition("=")
        ours = ours.strip().lower()
        if not theirs.strip() or (ours != "-" and ours not in NAMES):
            stop(
                f'--map {each}: write it as OURS=THEIRS, as in --map consignee_pincode="Pin Code", where OURS is a '
                "column of docs/order-file.md, or - to leave theirs out."
            )
        mapping[theirs.strip()] = LEFT_OUT if ours == "-" else ours
    return mapping


class _Handing(Protocol):
    def __call__(self, judged: "Judged", faults: "Sequence[OrderFault]", header: Sequence[str], /) -> None: ...


async def _import(state: "Opened", file: Path, plan: "Plan", faults: Path | None, *, schedule: bool) -> int:
    from bilty.importing import import_as, schedule_orders
    from bilty.store.showing import clock

    async with state.pool.acquire() as connection:
        now = await clock(connection)  # due times are the database's
    with _bar() as bar, _faulty_rows(faults) as hand:
        task = bar.add_task("reading", total=None, rate="")

        def told(what: str, done: int, total: int) -> None:
            speed = bar.tasks[task].finished_speed or bar.tasks[task].speed or 0
            if bar.tasks[task].description != what:
                bar.reset(task)
            unit = "shipments" if what == "scheduled" else "lines"
            bar.update(task, description=what, completed=done, total=total, rate=f"{speed:,.0f} {unit}/s")

        plan = replace(plan, rules=state.settings.intake_rules, told=told, faulty=hand)
        report = await import_as(state.pool, file, plan, now)
        scheduled = await schedule_orders(state.pool, report.ids, now, told) if schedule and not plan.dry_run else 0
    _tell(report, scheduled, dry_run=plan.dry_run)
    return 1 if report.fault_count else 0


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


@contextmanager
def _faulty_rows(file: Path | None) -> Iterator[_Handing]:
    """A file is made where there is something to put into it. It may be mended and imported as it is."""
    from bilty.order_columns import REASON
    from bilty.order_file import OrderRows
    from bilty.store.import_entries import rows_with_reasons

    stream = file.open("wb") if file else None

    def hand(judged: "Judged", faults: "Sequence[OrderFault]", header: Sequence[str], /) -> None:
        if stream is None:
            return
        if not stream.tell():
            names = ",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in (*header, REASON))
            stream.write(b"\xef\xbb\xbf" + names.encode(errors="replace") + b"\r\n")
        rows = judged.rows.raw if isinstance(judged.rows, OrderRows) else judged.rows.rows
        stream.writelines(rows_with_reasons(rows, faults, len(header)))

    try:
        yield hand
    finally:
        if stream is not None:
            stream.close()


def _tell(report: "Report", scheduled: int, *, dry_run: bool) -> None:
    for note in report.notes:
        print(f"note, {note}")
    for warning in report.warnings:
        print(f"warning, {warning}")
    if report.more_warnings:
        print(f"warning, and {report.more_warnings:,} more")
    for fault in report.faults:
        print(fault)
    if report.more_faults:
        print(f"and {report.more_faults:,} more faults")
    taken = "would be taken in" if dry_run else "taken in"
    print(
        f"{report.new} {taken}, {report.same} there already, {report.held} of the new on hold, "
        f"{scheduled} scheduled, {report.fault_count} faults"
    )
