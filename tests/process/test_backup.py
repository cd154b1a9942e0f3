"""`bilty backup` and `bilty restore`, as people type them; and what is never overwritten."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from bilty import postgres
from bilty.postgres import PostgresUnavailable, dumps
from bilty.running import CannotStart
from bilty.running.restoring import bring_back
from bilty.store import restored
from bilty.store.database import Pool, connect_pool, migrate
from bilty.store.secrets import Vault, kept_secret
from process.programs import Program, Programs
from process.town import Town, first_orders


async def done(program: Program) -> str:
    code = await asyncio.to_thread(program.wait)
    assert code == 0, program.complained
    return program.said


async def three_shipments(pool: Pool, data_dir: Path) -> None:
    town = Town(pool, "")
    await town.furnish(Vault(kept_secret(data_dir)))
    await town.schedule(first_orders(3, data_dir / "orders.csv"))


async def test_a_backup_of_our_own_server_is_brought_back(programs: Programs, data_dir: Path) -> None:
    file, settings = data_dir / "bilty.backup", {"BILTY_DATA_DIR": data_dir}
    with postgres.running(data_dir, durable=False) as dsn:
        pool = await connect_pool(dsn, size=2)
        async with pool.acquire() as held:
            await migrate(held)
        await three_shipments(pool, data_dir)
        said = await done(programs.bilty("backup", str(file), settings=settings))
        assert f"({data_dir / 'secret.key'})" in said
        assert (data_dir / "secret.key").exists()
        assert file.stat().st_mode & 0o077 == 0
        await pool.execute("UPDATE shipments SET number = number || '-since'")
        await pool.close()
        said = await done(programs.bilty("restore", str(file), "--replace", settings=settings))
        assert "3 shipments are now looked for" in said
        connection = await asyncpg.connect(dsn)
        numbers = [row["number"] for row in await connection.fetch("SELECT number FROM shipments")]
        assert (len(numbers), [number for number in numbers if number.endswith("-since")]) == (3, [])
        assert await connection.fetchval("SELECT count(*) FROM to_find") == 3
        await connection.close()


async def test_what_is_there_is_not_written_over(pool: Pool, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "bilty.backup"
    await three_shipments(pool, tmp_path)
    await asyncio.to_thread(dumps.write, dsn, file)
    with pytest.raises(CannotStart, match="A Bilty is at work"):
        await bring_back(dsn, file, replace=True)
    await pool.close()
    with pytest.raises(CannotStart, match="say --replace"):
        await bring_back(dsn, file, replace=False)
    aside = await bring_back(dsn, file, replace=True)
    connection = await asyncpg.connect(dsn)
    for schema in (aside, "public"):
        assert await connection.fetchval(f"SELECT count(*) FROM {schema}.shipments") == 3
    await connection.close()


async def test_nobody_works_between_a_restore_and_its_mark(
    programs: Programs, pool: Pool, dsn: str, tmp_path: Path
) -> None:
    """A service manager starts the worker again whenever it can, and `bilty restore` may be killed at any moment."""
    file, settings = tmp_path / "bilty.backup", {"BILTY_DATA_DIR": tmp_path, "BILTY_DATABASE_URL": dsn}
    await three_shipments(pool, tmp_path)
    await asyncio.to_thread(dumps.write, dsn, file)
    await pool.close()
    await bring_back(dsn, file, replace=True)  # and killed before it marks
    worker = programs.bilty("work", settings=settings)
    assert await asyncio.to_thread(worker.wait) == 1
    assert "A restore of this database was begun and has not ended." in worker.complained
    assert "3 shipments are now looked for" in await done(programs.bilty("restored", settings=settings))
    assert "0 taken in" in await done(programs.bilty("import", str(tmp_path / "orders.csv"), settings=settings))


async def test_half_a_backup_changes_nothing(pool: Pool, dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "bilty.backup"
    await three_shipments(pool, tmp_path)
    await asyncio.to_thread(dumps.write, dsn, file)
    await pool.close()
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    with pytest.raises(PostgresUnavailable, match="was not restored, and nothing was changed"):
        await bring_back(dsn, file, replace=True)
    connection = await asyncpg.connect(dsn)
    assert not await restored.begun(connection)
    assert await connection.fetchval("SELECT count(*) FROM shipments") == 3
    assert await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replaced_%'") == 0
    await connection.close()


def test_a_password_is_not_seen_among_the_processes(tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailable) as refused:
        dumps.write("postgresql://bilty:p4ssw0rd@127.0.0.1:1/bilty", tmp_path / "bilty.backup")
    assert "p4ssw0rd" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
