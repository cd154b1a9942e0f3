"""Which commands there are."""

import logging
import os
import signal
from typing import Annotated

import typer

from bilty import __version__
from bilty.cli import importing, keeping, keys, listening, looking, rotating, serving, users

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user = typer.Typer(no_args_is_help=True, help="Who may sign in to the panel.")
key = typer.Typer(no_args_is_help=True, help="Who may call the API.")

app.command()(serving.up)
app.command()(serving.web)
app.command()(serving.work)
app.command()(serving.migrate)
app.command("import")(importing.import_)
app.command()(looking.doctor)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)(
    serving.sandbox
)
app.command()(serving.demo)
app.command()(listening.listen)
app.command()(looking.settings)
app.add_typer(user, name="user")
user.command("add")(users.add)
app.add_typer(key, name="key")
key.command("add")(keys.add)
key.command("revoke")(keys.revoke)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(keeping.restored)
app.command("rotate-key")(rotating.rotate_key)


def main() -> None:
    # What ends on Ctrl-C, cleaning up behind it, ends so on SIGTERM too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.kill(os.getpid(), signal.SIGINT))
    # A shell that runs a script has what it starts with `&` ignore Ctrl-C: SIGTERM would be ignored with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("asyncpg", "pgqueuer", "pypdf"):  # what they warn of, a server away or a PDF amiss, we tell in a line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    app()


@app.callback(invoke_without_command=True)
def version(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Bilty: a dispatch desk for business-to-business shipments of many boxes."""
    if version:
        print(__version__)
        raise typer.Exit
