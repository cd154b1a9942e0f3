"""What commands stand on: settings, logs, the opened database; and what stops one is said to a person."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import structlog
import typer

from bilty import postgres
from bilty.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from bilty.running import Opened

T = TypeVar("T")


def with_state(act: Callable[["Opened"], Awaitable[T]], *, quiet: bool = True, restoring: bool = False) -> T:
    """Runs `act` on the opened database; only what ends a restore may do so while one is begun."""
    configure_logs(quiet=quiet)
    settings = settings_or_stop()

    def go() -> T:
        from bilty.running import database, opened

        async def in_loop() -> T:
            async with opened(settings, found, restoring=restoring) as state:
                return await act(state)

        with database(settings) as found:
            return asyncio.run(in_loop())

    return plainly(go)


def plainly(act: Callable[[], T]) -> T:
    """What stops a command is said to a person, without a trace."""
    from bilty.running import CannotStart

    try:
        return act()
    except (CannotStart, SettingsError, postgres.PostgresUnavailable) as trouble:
        stop(str(trouble))
    except ExceptionGroup as group:
        matching = group.subgroup((CannotStart, postgres.PostgresUnavailable))
        if matching is None:
            raise
        stop(str(matching.exceptions[0]))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def settings_or_stop() -> Settings:
    try:
        return read_settings()
    except SettingsError as troubles:
        stop(str(troubles))


def spelt_out(_logger: object, _method: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What others said may hold signs that move a terminal's cursor: they are named. Ends of line are quoted anyway."""
    return {name: _named(value) if isinstance(value, str) else value for name, value in said.items()}


def _named(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def configure_logs(*, quiet: bool) -> None:
    # Plain tracebacks: the pretty ones print local variables, and among those may be a secret.
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *([spelt_out] if sys.stderr.isatty() else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=lambda: _Unfailing(sys.stderr),
    )


class _Unfailing(structlog.PrintLogger):
    """What cannot be said, because the disk is full or nobody listens, is not said: whoever says it goes on."""

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg
