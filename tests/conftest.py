"""What every test may use: a real PostgreSQL, and a fresh migrated database of one's own."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from bilty import postgres
from bilty.store.database import Pool, connect_pool, migrate

_numbers = itertools.count(1)


def _database(server: str, name: str) -> str:
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{options}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this test process. It need not survive a power failure, so it does not wait for the disk."""
    with postgres.running(Path(tmp_path_factory.mktemp("server")), durable=False) as server:
        asyncio.run(_make_template(server))
        yield server


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
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE bilty_template")
    await connection.close()
    return _database(server, name)


@pytest.fixture
async def dsn(postgres_server: str) -> str:
    return await new_database(postgres_server)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    pool = await connect_pool(dsn)
    yield pool
    await pool.close()
