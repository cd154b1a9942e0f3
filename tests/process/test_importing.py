"""`bilty import` as a process: a person's spreadsheet, what it would do, what it hands back, and killed half-way."""

import asyncio
import csv
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import xlsxwriter

from bilty.importing import import_orders
from bilty.intake import IntakeRules
from bilty.order_file import OrderRows, read_orders
from bilty.store import imports
from bilty.store.audit import COMMAND
from bilty.store.database import Pool
from bilty.store.imports import ImportState
from bilty.store.judging import Bench, parsed
from bilty.store.labels import LabelStore, Shelf
from bilty.store.secrets import Vault
from bilty.store.shipments import keep
from process.programs import WITHIN_S, Program, Programs
from process.test_cli import Desk
from process.town import EXAMPLES, Town

THEIRS = {"consignee_phone": "Mobile No.", "consignee_pincode": "PIN", "weight_g": "Weighs", "boxes": "Cartons"}
WAITS = """SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                           WHERE NOT l.granted AND a.datname = current_database())"""
Rows = Sequence[dict[str, str]]


@pytest.fixture
async def furnished(programs: Programs, data_dir: Path, dsn: str, pool: Pool) -> Desk:
    await Town(pool, "").furnish(Vault("a secret"))
    return Desk(programs, data_dir, dsn)


def sample(count: int) -> list[dict[str, str]]:
    """So many shipments of one row each, all like the first of the sample orders."""
    with (EXAMPLES / "orders.csv").open(encoding="utf-8", newline="") as stream:
        first = next(csv.DictReader(stream))
    return [first | {"number": f"IM-{number:05}"} for number in range(1, count + 1)]


def written(file: Path, rows: Rows) -> str:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(file)


def workbook(file: Path, rows: Rows) -> str:
    with xlsxwriter.Workbook(str(file)) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, [THEIRS.get(name, name) for name in rows[0]])
        for nth, row in enumerate(rows, 1):
            for column, (name, cell) in enumerate(row.items()):
                sheet.write(nth, column, int(cell) if name in THEIRS and cell else cell)
    return str(file)


def totals(said: str) -> str:
    return said.splitlines()[-1]


async def test_a_persons_workbook_goes_in_and_its_faulty_rows_come_back_to_be_mended(
    furnished: Desk, tmp_path: Path, pool: Pool
) -> None:
    good, bad = sample(2)
    file = workbook(tmp_path / "orders.xlsx", [good, bad | {"consignee_pincode": "56001"}])
    back = tmp_path / "faulty.csv"
    code, said, _ = await furnished.run("import", file, "--map", "weight_g=Weighs", "--faults", str(back))
    assert (code, totals(said).partition(",")[0]) == (1, "1 taken in")
    assert "line 3, PIN: PIN is" in said
    (row,) = csv.DictReader(back.read_text("utf-8-sig").splitlines())
    assert row["reason"].startswith("PIN is")
    mended = written(tmp_path / "mended.csv", [row | {"PIN": bad["consignee_pincode"]}])
    code, said, _ = await furnished.run("import", mended, "--map", "weight_g=Weighs")
    assert (code, totals(said).partition(",")[0]) == (0, "1 taken in")
    assert [each["number"] for each in await pool.fetch("SELECT number FROM shipments ORDER BY id")] == [
        "IM-00001",
        "IM-00002",
    ]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(
    furnished: Desk, tmp_path: Path, pool: Pool
) -> None:
    first, second = sample(2)
    known = Path(written(tmp_path / "one.csv", [first]))
    assert (await import_orders(pool, known, IntakeRules(), datetime.now(UTC))).new == 1
    changed = written(tmp_path / "two.csv", [first | {"consignee_city": "Hubli"}, second])
    code, said, _ = await furnished.run("import", changed, "--dry-run", "--schedule")
    assert code == 1
    assert f"consignee_city {first['consignee_city']} would be Hubli" in said
    assert totals(said) == "1 would be taken in, 0 there already, 0 of the new on hold, 0 scheduled, 1 faults"
    assert await pool.fetchval("SELECT count(*) FROM shipments") == 1


async def test_a_mapping_that_names_no_column_of_ours_is_refused(furnished: Desk, tmp_path: Path) -> None:
    file = written(tmp_path / "orders.csv", sample(1))
    code, _, complained = await furnished.run("import", file, "--map", "weight=Weighs")
    assert (code, complained.partition(":")[0]) == (1, "--map weight=Weighs")


@asynccontextmanager
async def held_up(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[None]:
    """The first shipment is in, and another brings the 300th and does not come to an end: a set waits there."""
    now = datetime.now(UTC)
    found = [
        each for each in read_orders(Path(written(tmp_path / "held.csv", sample(300)))) if isinstance(each, OrderRows)
    ]
    arrivals = [each.arrival for each in parsed(found, Bench(IntakeRules(), now.date())) if each.arrival]
    async with pool.acquire() as connection, connection.transaction():
        await keep(connection, arrivals[:1], now)
    holding = await asyncpg.connect(dsn)
    transaction = holding.transaction()
    await transaction.start()
    await keep(holding, arrivals[299:300], now)
    yield
    await transaction.rollback()
    await holding.close()


async def until_one_waits(pool: Pool, program: Program) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await pool.fetchval(WAITS):
            assert program.running


async def until(pool: Pool, import_id: int, state: ImportState) -> None:
    async with asyncio.timeout(WITHIN_S):
        while await pool.fetchval("SELECT state FROM imports WHERE id = $1", import_id) != state:
            assert await pool.fetchval("SELECT problem FROM imports") == ""


async def test_killed_half_way_the_same_command_goes_on(furnished: Desk, tmp_path: Path, pool: Pool, dsn: str) -> None:
    file = written(tmp_path / "orders.csv", sample(450))
    async with held_up(pool, dsn, tmp_path):
        program = furnished.bilty("import", file)
        await until_one_waits(pool, program)
        await asyncio.to_thread(program.kill)
    assert await pool.fetchval("SELECT count(*) FROM shipments") == 200
    code, said, _ = await furnished.run("import", file)
    assert (code, totals(said)) == (
        0,
        "250 taken in, 200 there already, 0 of the new on hold, 0 scheduled, 0 faults",
    )


async def test_a_worker_killed_while_it_takes_in_leaves_the_rest_to_the_next(
    programs: Programs, data_dir: Path, pool: Pool, dsn: str, tmp_path: Path
) -> None:
    await Town(pool, "").furnish(Vault("a secret"))
    file = Path(written(tmp_path / "orders.csv", sample(450)))
    store = str(tmp_path / "store")
    sha256 = await LabelStore.at(store).put_file(file, Shelf.IMPORTS)
    settings = {"BILTY_DATA_DIR": data_dir, "BILTY_DATABASE_URL": dsn, "BILTY_LABEL_STORE": store}
    first = programs.bilty("work", settings=settings)
    await asyncio.to_thread(first.hear, "is up")
    async with pool.acquire() as connection, connection.transaction():
        import_id = await imports.create(connection, "orders", sha256, "csv", 1, COMMAND, None)
    await until(pool, import_id, ImportState.CHECKED)
    async with held_up(pool, dsn, tmp_path):
        async with pool.acquire() as connection, connection.transaction():
            assert await imports.take_in(connection, import_id, COMMAND, schedule=False) == ""
        await until_one_waits(pool, first)
        await asyncio.to_thread(first.kill)
    assert await pool.fetchval("SELECT count(*) FROM import_rows WHERE verdict = 'taken'") == 199
    await pool.execute("UPDATE pgqueuer SET heartbeat = heartbeat - interval '1 hour'")
    programs.bilty("work", settings=settings)
    await until(pool, import_id, ImportState.TAKEN)
    assert await pool.fetchval("SELECT count(*) FROM shipments") == 450
    assert (await pool.fetchval("SELECT counts FROM imports")) == '{"same": 1, "taken": 449}'
