"""The schema: made once, whoever comes first, and telling the database the same as `bilty.turn` tells the program."""

import asyncio
import importlib.resources
import re

import asyncpg
import pytest

from bilty.store.access import Role, Scope
from bilty.store.database import Connection, Pool, TooOldError, migrate
from bilty.turn import TRAITS, Kind, State
from process.old_postgres import old_postgres
from schema import FILE, dumped, renewed

FILES = sorted(
    file.name for file in (importlib.resources.files("bilty.store") / "migrations").iterdir() if file.name != "__init__"
)
SHAPE = """
    SELECT table_name::text || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
           || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY line"""


@pytest.fixture
async def blank(dsn: str) -> str:
    """The address of a database in which nobody has made anything yet."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return dsn


async def migrated(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return await migrate(connection)
    finally:
        await connection.close()


async def shape(connection: Connection) -> list[str]:
    return [row["line"] for row in await connection.fetch(SHAPE)]


async def test_a_fresh_database_gets_every_migration_and_the_next_time_none(blank: str) -> None:
    assert await migrated(blank) == FILES
    assert await migrated(blank) == []


async def test_two_at_once_share_the_work(blank: str) -> None:
    done = await asyncio.gather(*(migrated(blank) for _ in range(4)))
    assert sorted(done, key=len) == [[], [], [], FILES]


async def test_one_that_fails_leaves_nothing_and_is_done_the_next_time(blank: str) -> None:
    connection = await asyncpg.connect(blank)
    try:
        await connection.execute("CREATE TABLE sessions (mine integer)")  # the name that is made last
        with pytest.raises(asyncpg.DuplicateTableError):
            await migrate(connection)
        assert await connection.fetchval("SELECT to_regclass('shipments')") is None
        assert await connection.fetchval("SELECT count(*) FROM migrations") == 0
        await connection.execute("DROP TABLE sessions")
        assert await migrate(connection) == FILES
    finally:
        await connection.close()


async def test_what_migrations_make_is_the_same_wherever_they_are_made(blank: str, postgres_server: str) -> None:
    await migrated(blank)
    here = await asyncpg.connect(blank)
    there = await asyncpg.connect(blank.replace(blank.partition("?")[0].rpartition("/")[2], "bilty_template"))
    try:
        lines = await shape(here)
        assert lines == await shape(there)
        assert len(lines) > 100
    finally:
        await here.close()
        await there.close()


async def test_a_server_that_is_too_old_is_named() -> None:
    async with old_postgres("14.19") as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            with pytest.raises(TooOldError, match="PostgreSQL 15 or newer is needed; this one is 14"):
                await migrate(connection)
        finally:
            await connection.close()


def quoted(text: str) -> set[str]:
    return set(re.findall(r"'([a-z_]+)'", text))


@pytest.mark.parametrize(("index", "kind"), [("turns_one_open", Kind.OPEN), ("turns_one_holder", Kind.HOLDS)])
async def test_the_database_knows_the_states_of_which_there_is_one(pool: Pool, index: str, kind: Kind) -> None:
    definition = await pool.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = $1", index)
    assert definition.startswith("CREATE UNIQUE INDEX ")
    assert quoted(definition.partition("WHERE")[2]) == {state for state in State if TRAITS[state][0] is kind}


@pytest.mark.parametrize(("table", "names"), [("api_keys", set(Scope)), ("users", set(Role))])
async def test_the_database_knows_scopes_and_roles(pool: Pool, table: str, names: set[str]) -> None:
    checks = await pool.fetch(
        "SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'",
        table,
    )
    assert [quoted(row["said"]) for row in checks] == [names]


async def test_states_that_sql_names_are_states(pool: Pool) -> None:
    """Of the partial indexes and checks on turns: one that is misspelt would silently never hold."""
    definitions = await pool.fetch(
        """SELECT indexdef AS said FROM pg_indexes WHERE tablename = 'turns' AND indexdef LIKE '%WHERE%'
           UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = 'turns'::regclass AND contype = 'c'"""
    )
    named = set().union(*(quoted(row["said"]) for row in definitions))
    assert named
    assert named <= set(State)


async def test_schema_sql_is_what_the_migrations_make(dsn: str) -> None:
    """Who reads the schema need not add up the migrations."""
    schema = await asyncio.to_thread(dumped, dsn)
    assert renewed(schema) or FILE.read_text() == schema
