"""Backup and restore, and what Bilty must know when somebody else restored."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilty.cli.ground import plainly, settings_or_stop, stop, with_state
from bilty.words import counted

if TYPE_CHECKING:
    from bilty.running import Opened
    from bilty.settings import Settings

BESIDE = (
    "It holds the database alone. Keep the secret key ({secret}) too, in another place: without it the ClickPost key "
    "in the backup cannot be opened. And keep the labels ({labels})."
)
NOW = (
    "{shipments} now looked for at ClickPost before any is booked: start Bilty, and see `bilty doctor`.\n"
    "What came after {until} is lost here: have it sent again. It is found by its reference, and booked once.\n"
    "When all of it was sent again, run `bilty restored --over`."
)


def backup(file: Annotated[Path, typer.Argument(help="Where to. One that is there is replaced.")]) -> None:
    """Write the database to a file, while Bilty goes on."""
    from bilty.postgres import dumps

    settings = settings_or_stop()

    def go() -> None:
        from bilty.running import database

        with database(settings) as found:
            dumps.write(found.dsn, file)

    plainly(go)
    print(f"{file}: {file.stat().st_size / 2**20:.1f} MiB.")
    print(BESIDE.format(secret=_secret(settings), labels=_labels(settings)))


def restore(
    file: Annotated[Path, typer.Argument(help="What `bilty backup` wrote.")],
    *,
    replace: Annotated[bool, typer.Option(help="Put aside what the database has now.")] = False,
) -> None:
    """Bring a backup back. Stop every Bilty first."""
    if not file.is_file():
        stop(f"{file} is no file: name one that `bilty backup` wrote.")
    settings = settings_or_stop()

    def go() -> str:
        import asyncio

        from bilty.running import database
        from bilty.running.restoring import bring_back

        with database(settings) as found:
            return asyncio.run(bring_back(found.dsn, file, replace=replace))

    put_aside = plainly(go)
    if put_aside:
        print(f'What was there stands in the schema {put_aside}: DROP SCHEMA "{put_aside}" CASCADE when you are sure.')
    restored()


def restored(
    *, over: Annotated[bool, typer.Option(help="What was lost has been sent again: new runs wait no more.")] = False
) -> None:
    """Tell Bilty that its database was restored by other means: it looks before it books."""
    print(with_state(_over) if over else with_state(_mark, restoring=True))


async def _mark(state: "Opened") -> str:
    from bilty.running.restoring import AT_WORK, is_used
    from bilty.store import restored

    async with state.pool.acquire() as connection, connection.transaction():
        if await is_used(connection):
            stop(AT_WORK)
        count = await restored.mark(connection)
        standing = await restored.standing(connection)
    known = standing and standing.known_until
    return NOW.format(shipments=_looked_for(count), until=f"{known:%Y-%m-%d %H:%M} UTC" if known else "the backup")


def _looked_for(count: int) -> str:
    return f"{counted(count, 'shipment')} {'is' if count == 1 else 'are'}"


async def _over(state: "Opened") -> str:
    from bilty.store import restored

    async with state.pool.acquire() as connection, connection.transaction():
        if not await restored.over(connection):
            stop("There is nothing to end: no restore of the last days is known.")
    return "Runs that begin from now on are booked at once. What is still looked for stays so."


def _secret(settings: "Settings") -> str:
    return "BILTY_SECRET_KEY" if settings.secret_key else str(settings.data_dir / "secret.key")


def _labels(settings: "Settings") -> str:
    return settings.label_store or str(settings.data_dir / "documents")
