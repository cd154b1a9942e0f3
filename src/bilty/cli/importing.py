"""The shipments of an order file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bilty.cli.ground import with_state

if TYPE_CHECKING:
    from bilty.running import Opened


def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file, see docs/order-file.md", exists=True, dir_okay=False)],
    *,
    schedule: Annotated[bool, typer.Option(help="Book them at once.")] = False,
    all_or_nothing: Annotated[bool, typer.Option(help="One fault, and nothing goes in.")] = False,
) -> None:
    """Take the shipments of an order file in. The same file twice changes nothing."""
    raise typer.Exit(with_state(lambda state: _import(state, file, schedule=schedule, all_or_nothing=all_or_nothing)))


async def _import(state: "Opened", file: Path, *, schedule: bool, all_or_nothing: bool) -> int:
    from bilty.importing import import_orders, schedule_orders
    from bilty.store.showing import clock

    async with state.pool.acquire() as connection:
        now = await clock(connection)  # due times are the database's
    rules = state.settings.intake_rules
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        report = await import_orders(
            state.pool,
            file,
            rules,
            now,
            all_or_nothing=all_or_nothing,
            told=lambda what, count: bar.update(task, description=f"{count} shipments {what}"),
        )
    scheduled = await schedule_orders(state.pool, report.ids, now) if schedule else 0
    for warning in report.warnings:
        print(f"warning, {warning}")
    for fault in report.faults:
        print(fault)
    print(
        f"{report.new} taken in, {report.same} there already, {report.held} of the new on hold, "
        f"{scheduled} scheduled, {len(report.faults)} faults"
    )
    return 1 if report.faults else 0
