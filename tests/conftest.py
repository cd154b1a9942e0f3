"""What every test may use: a real PostgreSQL, and a fresh migrated database of one's own."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from bilty import postgres
from bilty.postgres import locks
from bilty.store.database import Pool, connect_pool, migrate

MEMORY = Path("/dev/shm")
ROOM_BYTES = 3 * 2**30
"""Less than this, as in a container that was given 64 MB, and the disk is used."""
PREFIX = "bilty-tests-"

_numbers = itertools.count(1)


def _database(server: str, name: str) -> str:
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{options}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this test process. It need not survive a power failure, so it does not wait for the disk."""
    with (
        _folder(tmp_path_factory) as folder,
        postgres.running(folder / "data", durable=False) as server,
    ):
        asyncio.run(_make_template(server))
        yield server


@contextmanager
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory, where there is room: thousands of databases, each gone within a second, are no work for a disk."""
    if not _has_room(MEMORY):
        yield tmp_path_factory.mktemp("server")
        return
    _clear(MEMORY)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY))
    with locks.opened(folder / "lock.new") as lock:
        locks.share(lock)
        (folder / "lock.new").rename(folder / "lock")  # nobody meets it before it is held
        yield folder
    shutil.rmtree(folder)


def _has_room(place: Path) -> bool:
    if not (place.is_mount() and os.access(place, os.W_OK | os.X_OK)):
        return False
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize > ROOM_BYTES


def _clear(place: Path) -> None:
    """Removes what killed test processes left: a live one holds the lock of its folder."""
    for left in place.glob(f"{PREFIX}*"):
        # Another test process may be clearing as well.
        with suppress(FileNotFoundError):
            if left.stat().st_uid == os.geteuid() and (left / "lock").exists():
                _remove_unheld(left)


def _remove_unheld(left: Path) -> None:
    with locks.opened(left / "lock") as lock:
        if not locks.taken(lock):
            return
        if (left / "data" / "postgres" / "postmaster.pid").exists():
            # Its server lives on, or was killed too: be its last user, and so end it.
            with postgres.running(left / "data", durable=False):
                pass
        shutil.rmtree(left, ignore_errors=True)


async def _make_template(server: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE bilty_template")
    await connection.close()
    connection = await asyncpg.connect(_database(server, "bilty_template"))
    await migrate(connection)
    await connection.close()


async def new_database(server: str) -> str:
    """The address of a new database with all migrations."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE bilty_template STRATEGY file_copy")
    await connection.close()
    return _database(server, name)


async def _drop(server: str, dsn: str) -> None:
    """So that thousands of databases never take more room than a few. Whoever still uses it is put out."""
    name = dsn.partition("?")[0].rpartition("/")[2]
    connection = await asyncpg.connect(server)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def dsn(postgres_server: str) -> AsyncIterator[str]:
    dsn = await new_database(postgres_server)
    yield dsn
    await _drop(postgres_server, dsn)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    pool = await connect_pool(dsn)
    yield pool
    await pool.close()
