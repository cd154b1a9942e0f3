"""Importing an order file into a real database: what goes in, what stays out and why, and that it may be repeated."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bilty.importing import Report, import_orders, schedule_orders
from bilty.intake import IntakeRules
from bilty.store.database import Pool
from bilty.store.secrets import Vault
from process.town import EXAMPLES, Town

NOW = datetime(2026, 8, 1, 6, 30, tzinfo=UTC)
Row = dict[str, str]
WriteRows = Callable[[list[Row]], Path]


@pytest.fixture
async def shop(pool: Pool) -> Pool:
    """A database with the sample facilities and their shipping provider."""
    await Town(pool, "").furnish(Vault("a secret"))
    return pool


def sample(numbers: int) -> list[Row]:
    """The first shipments of the sample orders, one row each."""
    with (EXAMPLES / "orders.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["number"]: row for row in reversed(list(csv.DictReader(stream)))}
    return [rows[number] for number in sorted(rows)][:numbers]


@pytest.fixture
def write(tmp_path: Path) -> WriteRows:
    def write_rows(rows: list[Row]) -> Path:
        file = tmp_path / "orders.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return file

    return write_rows


async def take(pool: Pool, file: Path, *, all_or_nothing: bool = False) -> Report:
    return await import_orders(pool, file, IntakeRules(), NOW, all_or_nothing=all_or_nothing)


async def numbers_in(pool: Pool) -> list[str]:
    return [row["number"] for row in await pool.fetch("SELECT number FROM shipments ORDER BY number")]


async def everything(pool: Pool) -> list[int]:
    tables = ("shipments", "shipment_versions", "boxes", "turns", "timeline")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_sixty_shipments_with_all_their_boxes(shop: Pool) -> None:
    report = await take(shop, EXAMPLES / "orders.csv")
    assert (report.read, report.new, report.same, report.held, report.faults) == (60, 60, 0, 0, [])
    assert [warning.field for warning in report.warnings] == ["invoice_value"]
    assert len(set(report.ids)) == 60
    rows = await shop.fetch(
        """SELECT s.number, s.box_count, count(b.number) AS rows, min(b.number) AS first, max(b.number) AS last
             FROM shipments s JOIN boxes b ON b.shipment_id = s.id GROUP BY s.id"""
    )
    assert len(rows) == 60
    assert [row for row in rows if not row["box_count"] == row["rows"] == row["last"] or row["first"] != 1] == []


async def test_the_same_file_again_changes_nothing_and_names_the_same_shipments(shop: Pool) -> None:
    first = await take(shop, EXAMPLES / "orders.csv")
    before = await everything(shop)
    again = await take(shop, EXAMPLES / "orders.csv")
    assert (again.new, again.same, again.faults) == (0, 60, [])
    assert sorted(again.ids) == sorted(first.ids)
    assert await everything(shop) == before


async def test_faulty_shipments_stay_out_and_the_others_go_in(shop: Pool) -> None:
    report = await take(shop, EXAMPLES / "orders-with-faults.csv")
    assert (report.read, report.new, len(report.faults)) == (13, 3, 10)
    assert await numbers_in(shop) == ["SO-30001", "SO-30007", "SO-30011"]


async def test_all_or_nothing_takes_nothing_with_a_faulty_shipment(shop: Pool) -> None:
    report = await take(shop, EXAMPLES / "orders-with-faults.csv", all_or_nothing=True)
    assert (report.new, report.ids, len(report.faults)) == (0, [], 10)
    assert await numbers_in(shop) == []


async def test_all_or_nothing_takes_nothing_with_one_that_only_the_database_refuses(
    shop: Pool, write: WriteRows
) -> None:
    """It is found when others of the file are written already."""
    rows = sample(3)
    report = await take(shop, write([*rows[:2], {**rows[2], "facility": "NOWHERE"}]), all_or_nothing=True)
    assert (report.new, report.same, report.held, report.ids) == (0, 0, 0, [])
    assert [fault.field for fault in report.faults] == ["facility"]
    assert await everything(shop) == [0, 0, 0, 0, 0]


async def test_a_number_that_is_known_with_other_content_is_left_alone(shop: Pool, write: WriteRows) -> None:
    rows = sample(2)
    await take(shop, write(rows))
    digests = await shop.fetch("SELECT shipment_id, version, digest FROM shipment_versions ORDER BY shipment_id")
    report = await take(shop, write([rows[0], {**rows[1], "consignee_city": "Agra"}]))
    assert (report.new, report.same) == (0, 1)
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value) == (3, "number", rows[1]["number"])
    assert "is known with other content" in fault.message
    assert "give this another number" in fault.message
    assert digests == await shop.fetch(
        "SELECT shipment_id, version, digest FROM shipment_versions ORDER BY shipment_id"
    )


async def test_a_number_is_its_facilitys_own(shop: Pool, write: WriteRows) -> None:
    (row,) = sample(1)
    other = {"BLR-1": "BWD-1", "BWD-1": "BLR-1"}[row["facility"]]
    await take(shop, write([row]))
    report = await take(shop, write([{**row, "facility": other}]))
    assert (report.new, report.faults) == (1, [])
    assert await numbers_in(shop) == [row["number"]] * 2


@pytest.mark.parametrize(
    ("column", "remedy"),
    [
        ("facility", "in Settings, Facilities (or by PUT /api/v1/facilities/CODE)."),
        ("shipping_provider", "in Settings, Shipping Provider (or by PUT /api/v1/shipping-providers/CODE)."),
    ],
)
async def test_what_is_not_set_up_is_named_with_its_line(
    shop: Pool, write: WriteRows, column: str, remedy: str
) -> None:
    rows = sample(3)
    report = await take(shop, write([rows[0], {**rows[1], column: "NOWHERE-9"}, rows[2]]))
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value) == (3, column, "NOWHERE-9")
    assert fault.message.endswith(remedy)
    assert await numbers_in(shop) == [rows[0]["number"], rows[2]["number"]]


async def test_a_missing_ewaybill_is_taken_and_held(shop: Pool) -> None:
    report = await take(shop, EXAMPLES / "orders-on-hold.csv")
    assert (report.new, report.held, report.faults) == (2, 2, [])
    rows = await shop.fetch("SELECT status, hold FROM shipments")
    assert [row["status"] for row in rows] == ["on_hold", "on_hold"]
    assert all("no e-way bill" in row["hold"] for row in rows)
    assert await schedule_orders(shop, report.ids, NOW) == 0, "and is not booked"
    assert await shop.fetchval("SELECT count(*) FROM turns") == 0


async def test_with_the_setting_to_send_it_is_not_held(shop: Pool) -> None:
    rules = IntakeRules(ewaybill_missing="send")
    report = await import_orders(shop, EXAMPLES / "orders-on-hold.csv", rules, NOW)
    assert (report.new, report.held) == (2, 0)
    assert await schedule_orders(shop, report.ids, NOW) == 2


async def test_a_number_that_comes_again_after_others_is_a_fault(shop: Pool, write: WriteRows) -> None:
    rows = sample(2)
    report = await take(shop, write([*rows, rows[0]]))
    (fault,) = report.faults
    assert (fault.line, fault.field) == (4, "number")
    assert "line 2" in fault.message
    assert await numbers_in(shop) == [rows[1]["number"]], "neither half of it is kept"


async def test_a_quote_that_is_never_closed_keeps_what_stands_before_it(shop: Pool, write: WriteRows) -> None:
    file = write(sample(3))
    with file.open("a", encoding="utf-8") as stream:
        stream.write('SO-99999,"PO/26')
    report = await take(shop, file)
    assert {fault.line for fault in report.faults} == {5}
    assert any("never closed" in fault.message for fault in report.faults)
    assert await numbers_in(shop) == [row["number"] for row in sample(2)], "the last one may have lost rows"


@pytest.mark.parametrize("content", [b"", b"number\n", b"number,colour\nSO-1,red\n", b"\xff\xfen\x00"])
async def test_a_file_that_is_no_order_file_is_one_fault_and_changes_nothing(
    shop: Pool, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    report = await take(shop, file)
    assert (report.new, report.ids) == (0, [])
    assert report.faults
    assert await numbers_in(shop) == []


async def test_scheduling_twice_begins_one_run(shop: Pool, write: WriteRows) -> None:
    report = await take(shop, write(sample(3)))
    assert await schedule_orders(shop, report.ids, NOW) == 3
    before = await everything(shop)
    assert await schedule_orders(shop, report.ids, NOW) == 3
    assert await everything(shop) == before


async def test_progress_is_told(shop: Pool) -> None:
    told: list[tuple[str, int, int]] = []
    await import_orders(shop, EXAMPLES / "orders.csv", IntakeRules(), NOW, told=lambda *each: told.append(each))
    assert told == [("read", 99, 99), ("kept", 99, 99)]
