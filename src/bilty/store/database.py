"""The connection to PostgreSQL: pool, migrations, and the one connection that listens."""

import asyncio
import contextlib
import importlib.resources
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import asyncpg
import structlog

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

POOL_MAX = 10
STATEMENT_TIMEOUT_S = 30
IDLE_IN_TRANSACTION_S = 20
"""Whoever is paused, or cut off, in the middle of a transaction loses it, and its locks: before those who wait for them
give up, and before the leases end of what they would have settled."""
CONNECT_TIMEOUT_S = 10
RELISTEN_EVERY_S, LISTENING_CHECKED_EVERY_S = 1, 15
POSTGRES_MIN = 15
DUE_CHANNEL, CHANGED_CHANNEL, JOBS_CHANNEL, HAND_OFF_CHANNEL = (
    "bilty_due",
    "bilty_changed",
    "bilty_jobs",
    "bilty_hand_off",
)
_MIGRATION_LOCK = 0x62696C7479  # "bilty": any number of programs may start at once

UNAVAILABLE = (
    OSError,  # a time-out is one
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what it may say of a server that dies in the middle of a statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, or not up yet
    asyncpg.InsufficientResourcesError,  # disk full, no memory, too many connections
    asyncpg.TransactionRollbackError,  # a deadlock: somebody else went first
    asyncpg.IdleInTransactionSessionTimeoutError,  # we were paused in the middle of one
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until it is promoted
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""What a statement raises when the database cannot do it now: a reason to say it again, never to give up."""
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""How long to wait before it is said again: so long after the first time, the second, and the last from then on."""

log = structlog.get_logger()


class TooOldError(Exception):
    """The server's version does not do."""


async def connect_pool(dsn: str, *, size: int = POOL_MAX) -> Pool:
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings={
            "timezone": "UTC",
            "jit": "off",
            "application_name": "bilty",
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
        },
    )


def check_version(connection: Connection) -> None:
    """Asks the server nothing: its greeting said it. Raises TooOldError."""
    found = connection.get_server_version().major
    if found < POSTGRES_MIN:
        raise TooOldError(f"PostgreSQL {POSTGRES_MIN} or newer is needed; this one is {found}.")


async def migrate(connection: Connection) -> list[str]:
    """Applies what is not applied yet, each file in a transaction of its own, and returns their names.

    Raises TooOldError. Files are numbered; order is what their names say.
    """
    check_version(connection)
    await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
    try:
        await connection.execute(
            """CREATE TABLE IF NOT EXISTS migrations (
                   name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"""
        )
        done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        pending = [(name, sql) for name, sql in _migrations() if name not in done]
        for name, sql in pending:
            async with connection.transaction():
                await connection.execute(sql)
                await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
        return [name for name, _ in pending]
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _MIGRATION_LOCK)


def _migrations() -> list[tuple[str, str]]:
    folder = importlib.resources.files("bilty.store") / "migrations"
    return sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".sql"))


@contextlib.asynccontextmanager
async def listening(dsn: str, heard: Callable[[str, str], None]) -> AsyncIterator[None]:
    """Calls `heard(channel, payload)` for each NOTIFY while the block runs.

    The one connection is watched and made anew when the server went away; `heard(channel, "")` then says that
    something may have been missed.
    """
    task = asyncio.create_task(_listen(dsn, heard))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(dsn: str, heard: Callable[[str, str], None]) -> None:
    def hear(_connection: object, _pid: int, channel: str, payload: object) -> None:
        heard(channel, str(payload))

    while True:
        lost = asyncio.Event()
        try:
            connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S, command_timeout=STATEMENT_TIMEOUT_S)
        except Exception as trouble:  # noqa: BLE001 - whatever it is: a program that no longer listens is deaf
            log.warning("listen.lost", why=type(trouble).__name__)
            await asyncio.sleep(RELISTEN_EVERY_S)
            continue
        try:
            connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
            for channel in (DUE_CHANNEL, CHANGED_CHANNEL, JOBS_CHANNEL, HAND_OFF_CHANNEL):
                await connection.add_listener(channel, hear)
                heard(channel, "")
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), LISTENING_CHECKED_EVERY_S)
                await connection.fetchval("SELECT 1")  # a peer that vanished says nothing by itself
        except Exception as trouble:  # noqa: BLE001 - as above
            log.warning("listen.lost", why=type(trouble).__name__)
        finally:
            connection.terminate()


async def cancelled_all(tasks: set[asyncio.Task[None]]) -> None:
    """Cancels until they are done: asyncpg can lose a cancellation that meets a server's end."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)
