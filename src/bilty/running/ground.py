"""The ground that every command stands on: PostgreSQL, ours or another's, migrated; the vault and the label store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg
import structlog

from bilty import postgres
from bilty.settings import Settings
from bilty.store import restored
from bilty.store.database import CONNECT_TIMEOUT_S, UNAVAILABLE, Pool, TooOldError, check_version, connect_pool, migrate
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault, kept_old_secret, kept_secret

LOOK_EVERY_S = 1.0
RESTORING = (
    "A restore of this database was begun and has not ended. Wait for it; if it was broken off, run "
    "`bilty restore FILE --replace` again, or `bilty restored` if the database was brought back whole."
)
"""Who worked with it between its load and its mark would know nothing of what was bought since the backup."""

CANNOT_BE_REACHED = (*UNAVAILABLE, asyncpg.PostgresError, ValueError)

log = structlog.get_logger()


class CannotStart(Exception):  # noqa: N818 - said to a person as it stands
    """One sentence: what is in the way, and the remedy."""


@dataclass(slots=True)
class Database:
    """The address of PostgreSQL and, where it is ours, how to bring it back should it die."""

    dsn: str
    revive: Callable[[], object] | None = None


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The outside server that is named, or our own, started if nobody has. Raises postgres.PostgresUnavailable."""
    if settings.database_url is not None:
        yield Database(settings.database_url.get_secret_value())
        return
    with ExitStack() as entered:

        def enter() -> str:
            return entered.enter_context(postgres.running(settings.data_dir, run_as=settings.postgres_user or None))

        yield Database(enter(), revive=enter)


@dataclass(frozen=True, slots=True)
class Opened:
    """What every command that touches the data works with."""

    settings: Settings
    database: Database
    pool: Pool
    vault: Vault
    labels: LabelStore


@asynccontextmanager
async def opened(settings: Settings, database: Database, *, restoring: bool = False) -> AsyncIterator[Opened]:
    """Migrated and ready. Raises CannotStart; with `restoring` not where a restore has begun, which it may end."""
    try:
        pool = await connect_pool(database.dsn)
    except CANNOT_BE_REACHED as trouble:
        raise unreachable(trouble) from None
    try:
        await _migrate(database.dsn, restoring=restoring)
        folder = settings.label_store or str(settings.data_dir / "documents")
        state = Opened(settings, database, pool, vault_of(settings), LabelStore.at(folder))
        yield state
    finally:
        # Closing waits for whoever still holds a connection; a server that is gone must not hold up the end.
        with contextlib.suppress(*UNAVAILABLE):
            await asyncio.wait_for(pool.close(), LOOK_EVERY_S * 5)
        pool.terminate()


def vault_of(settings: Settings) -> Vault:
    """The secret that is given, else the data folder's; and the one before either, which opens only."""
    older = [settings.secret_key_old.get_secret_value()] if settings.secret_key_old else []
    if settings.secret_key is not None:
        return Vault(settings.secret_key.get_secret_value(), *older)
    kept = kept_old_secret(settings.data_dir)
    return Vault(kept_secret(settings.data_dir), *([kept] if kept else []), *older)


def unreachable(trouble: Exception) -> CannotStart:
    why = str(trouble) or type(trouble).__name__
    if isinstance(trouble, ValueError) and not isinstance(trouble, asyncpg.InterfaceError):
        why = "the address is malformed"  # in words that may quote the password
    return CannotStart(
        f"PostgreSQL cannot be reached ({why}). "
        "Check that it runs and what BILTY_DATABASE_URL says, or leave that out to use Bilty's own."
    )


async def _migrate(dsn: str, *, restoring: bool) -> None:
    # On a connection of its own: making an index may take hours, and so may waiting for a program that makes one.
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        check_version(connection)
        if not restoring and await restored.begun(connection):
            raise CannotStart(RESTORING)
        for name in await migrate(connection):
            log.info("migrated", migration=name)
    except asyncpg.InsufficientPrivilegeError as trouble:
        raise CannotStart(
            f"PostgreSQL does not let Bilty make its tables ({trouble}). "
            "Let the user that BILTY_DATABASE_URL names own its database, then start again."
        ) from None
    except TooOldError as trouble:
        raise CannotStart(f"{trouble} Leave BILTY_DATABASE_URL out to use Bilty's own.") from None
    finally:
        await connection.close()


async def keep_database(state: Opened) -> None:
    """Our own PostgreSQL is brought back when it died. Everything else just waits for it."""
    revive = state.database.revive
    while revive:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await state.pool.fetchval("SELECT 1")
        except UNAVAILABLE:
            log.warning("database.reviving")
            try:
                await asyncio.to_thread(revive)
            except postgres.PostgresUnavailable as trouble:
                log.exception("database.not_revived", why=str(trouble))
