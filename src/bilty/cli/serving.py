"""Commands that run until they are ended, and what brings the database up."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bilty import __version__
from bilty.cli.ground import configure_logs, plainly, with_state

if TYPE_CHECKING:
    from bilty.running import Opened


def up() -> None:
    """Everything in one process: panel, API, and the worker that books, hands off and runs jobs."""
    _serve(web=True, work=True)


def web() -> None:
    """The panel and the API."""
    _serve(web=True, work=False)


def work() -> None:
    """A worker: books, hands off to order systems, and runs jobs. Any number of them may share one database."""
    _serve(web=False, work=True)


def migrate() -> None:
    """Bring the database to this version's schema. `up`, `web` and `work` do it by themselves."""

    async def nothing_more(_state: "Opened") -> None:
        return

    with_state(nothing_more)
    print("The database is as this version needs it.")


def sandbox(context: typer.Context) -> None:
    """A hostile ClickPost B2B to test against. `bilty sandbox --help` lists its options."""
    os.execv(sys.executable, [sys.executable, "-m", "bilty_sandbox", *context.args])  # noqa: S606 - our own program


def demo(
    *, once: Annotated[bool, typer.Option(help="Book the sample orders, print a table, and end.")] = False
) -> None:
    """Sandbox, panel and worker with sample orders, in `.demo/` of this folder."""
    from bilty.demo import run_demo

    configure_logs(quiet=True)
    raise typer.Exit(plainly(lambda: run_demo(once=once)))


def _serve(*, web: bool, work: bool) -> None:
    from bilty.running import run
    from bilty.web.first_link import tell_first_link

    async def tell(state: "Opened") -> None:
        address = state.settings.address
        if web:
            await tell_first_link(state.pool, address)
        print(f"bilty {__version__} is up{f', listening on {address}' if web else ''}", flush=True)

    async def serve(state: "Opened") -> None:
        telling: list[asyncio.Task[None]] = []
        try:
            await run(state, web=web, work=work, ready=lambda: telling.append(asyncio.create_task(tell(state))))
        finally:
            for task in telling:
                task.cancel()

    with_state(serve, quiet=False)
