"""The command `bilty`. Each command says in one sentence what is wrong and what to do, and then exits with 1."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import structlog
import typer
from rich.console import Console
from rich.progress import Progress

from bilty import __version__, postgres
from bilty.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from bilty.running import Opened

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user = typer.Typer(no_args_is_help=True, help="Who may sign in to the panel.")
key = typer.Typer(no_args_is_help=True, help="Who may call the API.")
app.add_typer(user, name="user")
app.add_typer(key, name="key")

T = TypeVar("T")

# What a command needs is imported where it is used: `bilty --help` and a bad setting should not wait for the web.


def main() -> None:
    # What ends on Ctrl-C, cleaning up behind it, ends so on SIGTERM too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.kill(os.getpid(), signal.SIGINT))
    for name in ("asyncpg", "pgqueuer", "pypdf"):  # what they warn of, a server away or a PDF amiss, we tell in a line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    app()


@app.command()
def up() -> None:
    """Everything in one process: panel, API and dispatcher."""
    _serve(web=True, work=True)


@app.command()
def web() -> None:
    """The panel and the API."""
    _serve(web=True, work=False)


@app.command()
def work() -> None:
    """A dispatcher. Any number of them may share one database."""
    _serve(web=False, work=True)


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema. `up`, `web` and `work` do it by themselves."""

    async def nothing_more(_state: "Opened") -> None:
        return

    _with_state(nothing_more)
    print("The database is as this version needs it.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file, see docs/order-file.md", exists=True, dir_okay=False)],
    *,
    schedule: Annotated[bool, typer.Option(help="Book them at once.")] = False,
    all_or_nothing: Annotated[bool, typer.Option(help="One fault, and nothing goes in.")] = False,
) -> None:
    """Take the shipments of an order file in. The same file twice changes nothing."""
    raise typer.Exit(_with_state(lambda state: _import(state, file, schedule=schedule, all_or_nothing=all_or_nothing)))


@app.command()
def doctor(
    *,
    live: Annotated[bool, typer.Option(help="Ask the real ClickPost account, step by step.")] = False,
    book: Annotated[bool, typer.Option(help="With --live: book one shipment, and cancel it again.")] = False,
    provider: Annotated[str, typer.Option(help="The shipping provider's code, if there are several.")] = "",
    facility: Annotated[str, typer.Option(help="The facility's code, if there are several.")] = "",
    pincode: Annotated[str, typer.Option(help="Where the boxes would go.")] = "400001",
) -> None:
    """Say what is well and what is not, and which setting mends it."""
    if not (len(pincode) == 6 and pincode.isdigit()):
        _stop(f"--pincode {pincode} is not a PIN code: give 6 digits, like 400001.")
    from bilty.doctor import examine

    raise typer.Exit(
        _with_state(
            lambda state: examine(state, live=live, book=book, provider=provider, facility=facility, pincode=pincode)
        )
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def sandbox(context: typer.Context) -> None:
    """A hostile ClickPost B2B to test against. `bilty sandbox --help` lists its options."""
    os.execv(sys.executable, [sys.executable, "-m", "bilty_sandbox", *context.args])  # noqa: S606 - our own program


@app.command()
def demo(
    *, once: Annotated[bool, typer.Option(help="Book the sample orders, print a table, and end.")] = False
) -> None:
    """Sandbox, panel and dispatcher with sample orders, in `.demo/` of this folder."""
    from bilty.demo import run_demo

    _configure_logs(quiet=True)
    raise typer.Exit(_plainly(lambda: run_demo(once=once)))


@app.command()
def settings() -> None:
    """List every setting with its default."""
    for name, setting in Settings.model_fields.items():
        default = setting.get_default(call_default_factory=True, validated_data={})
        print(f"BILTY_{name.upper()} ({'blank' if default in (None, '') else default})\n    {setting.description}")


@user.command("add")
def user_add(
    email: str,
    role: Annotated[str, typer.Option(help="admin (who is new is one), dispatcher or viewer")] = "",
    facility: Annotated[
        list[str] | None, typer.Option(help="The code of one to work for; several may be given.")
    ] = None,
) -> None:
    """Print a sign-in link, good once and for 24 hours: for who is new, or is there already and cannot get in."""
    from bilty.store import access, audit, users
    from bilty.store.showing import clock

    if not users.is_email(email):
        _stop(f"{email} is not an e-mail address: give one like asha@example.com.")
    if role and role not in list(access.Role):
        _stop(f"--role {role} is not known: give admin, dispatcher or viewer.")
    wanted = access.Role(role) if role else None

    async def add(state: "Opened") -> str | users.Refused:
        async with state.pool.acquire() as db, db.transaction():
            return await users.invite(db, audit.COMMAND, email, wanted, facility or [], await clock(db))

    token = _with_state(add)
    if isinstance(token, users.Refused):
        _stop(token.why)
    print(f"{_settings().address}/sign-in/{token}")


@key.command("add")
def key_add(name: str, scope: Annotated[str, typer.Option(help="read, dispatch or admin")] = "dispatch") -> None:
    """Print a new API key. It is shown this once."""
    from bilty.store import access, api_keys, audit

    if scope not in list(access.Scope):
        _stop(f"--scope {scope} is not known: give read, dispatch or admin.")

    async def add(state: "Opened") -> str:
        async with state.pool.acquire() as db, db.transaction():
            return await api_keys.add(db, audit.COMMAND, name, access.Scope(scope))

    print(f"A key for {name}, scope {scope}. It is shown this once:")
    print(_with_state(add))


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


@app.callback(invoke_without_command=True)
def version(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Bilty: a dispatch desk for business-to-business shipments of many boxes."""
    if version:
        print(__version__)
        raise typer.Exit


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

    _with_state(serve, quiet=False)


def _with_state(act: Callable[["Opened"], Awaitable[T]], *, quiet: bool = True) -> T:
    """Runs `act` on the opened database."""
    _configure_logs(quiet=quiet)
    settings = _settings()

    def go() -> T:
        from bilty.running import database, opened

        async def in_loop() -> T:
            async with opened(settings, found) as state:
                return await act(state)

        with database(settings) as found:
            return asyncio.run(in_loop())

    return _plainly(go)


def _plainly(act: Callable[[], T]) -> T:
    """What stops a command is said to a person, without a trace."""
    from bilty.running import CannotStart

    try:
        return act()
    except (CannotStart, SettingsError, postgres.PostgresUnavailable) as trouble:
        _stop(str(trouble))
    except ExceptionGroup as group:
        matching = group.subgroup((CannotStart, postgres.PostgresUnavailable))
        if matching is None:
            raise
        _stop(str(matching.exceptions[0]))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as troubles:
        _stop(str(troubles))


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _configure_logs(*, quiet: bool) -> None:
    # Plain tracebacks: the pretty ones print local variables, and among those may be a secret.
    if sys.stderr.isatty():
        renderers: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    main()
