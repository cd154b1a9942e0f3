"""A backup brought back: only while nobody works with the database, and only over one that nobody misses."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bilty.postgres import dumps
from bilty.running.ground import CANNOT_BE_REACHED, CannotStart, unreachable
from bilty.store import restored
from bilty.store.database import CONNECT_TIMEOUT_S, Connection

PROGRAMS = "bilty%"
"""What they call themselves."""
AT_WORK = "A Bilty is at work with this database: stop every one, then run this again."


async def is_used(connection: Connection) -> bool:
    """By another Bilty program: what that writes would know nothing of the restore."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                             AND application_name LIKE $1)""",
        PROGRAMS,
    )
    return found


async def bring_back(dsn: str, file: Path, *, replace: bool) -> str:
    """The name of the schema in which stands what was there before, blank where nothing was.

    Raises CannotStart; PostgresUnavailable, and nothing was changed.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except CANNOT_BE_REACHED as trouble:
        raise unreachable(trouble) from None
    try:
        await _check_alone(connection)
        aside = ""
        if await connection.fetchval("SELECT to_regclass('public.migrations') IS NOT NULL"):
            if not replace and await connection.fetchval("SELECT EXISTS (SELECT FROM public.shipments)"):
                raise CannotStart(
                    "This database has shipments in it. Name an empty one in BILTY_DATABASE_URL, or say --replace: "
                    "what is there is then put aside, not thrown away."
                )
            aside = f"{dumps.REPLACED}{datetime.now(UTC):%Y%m%d_%H%M%S}"
        await _begin(connection, aside)
        try:
            await _check_alone(connection)  # again: it may have begun before the table that keeps it away was there
            await asyncio.to_thread(dumps.load, dsn, file)
        except BaseException:
            await _put_back(connection, aside)
            raise
        return aside
    finally:
        await connection.close()


async def _check_alone(connection: Connection) -> None:
    if await is_used(connection):
        raise CannotStart(AT_WORK)


async def _begin(connection: Connection, aside: str) -> None:
    """In one transaction, so that nobody finds an empty database and takes it for a new one."""
    async with connection.transaction():
        if aside:
            await _rename(connection, "public", aside)
            await connection.execute("CREATE SCHEMA public")
        await restored.begin(connection)


async def _put_back(connection: Connection, aside: str) -> None:
    async with connection.transaction():
        if aside:
            await connection.execute("DROP SCHEMA public CASCADE")
            await _rename(connection, aside, "public")
        else:
            await connection.execute(f"DROP TABLE IF EXISTS {restored.BEGUN}")


async def _rename(connection: Connection, schema: str, name: str) -> None:
    await connection.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{name}"')
