"""An import of the panel from its file to its shipments, by real jobs on a real database."""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter

from bilty.intake import IntakeRules
from bilty.jobs import work
from bilty.jobs.clearing import clear_out
from bilty.jobs.tools import StoppedEarly
from bilty.order_columns import NAMES
from bilty.store import import_entries, imports
from bilty.store.audit import Actor, ActorKind
from bilty.store.import_entries import Entry
from bilty.store.imports import Import, ImportState
from bilty.store.judging import Verdict
from bilty.store.labels import Shelf
from jobs.desk import Desk

ASHA = Actor(ActorKind.USER, "asha@example.com")
TODAY = datetime(2026, 11, 24, tzinfo=UTC).date()
Row = Mapping[str, str]


def row(number: str, **cells: str) -> dict[str, str]:
    return {
        "number": number,
        "facility": "BLR-1",
        "shipping_provider": "clickpost-b2b",
        "consignee_name": "Ravi",
        "consignee_organisation": "Pilot Traders",
        "consignee_phone": "9876543210",
        "consignee_address": "12 Main Road",
        "consignee_city": "Pune",
        "consignee_state": "Maharashtra",
        "consignee_pincode": "411001",
        "payment_mode": "prepaid",
        "invoice_number": f"INV-{number}",
        "invoice_date": "2026-11-20",
        "invoice_value": "23600.00",
        "boxes": "2",
        "length_cm": "40",
        "breadth_cm": "30",
        "height_cm": "20",
        "weight_g": "5000",
    } | cells


def text(*rows: Row, separator: str = ",") -> bytes:
    made = io.StringIO(newline="")
    writer = csv.DictWriter(made, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue().encode()


async def brought(desk: Desk, content: bytes, form: str = "csv", facilities: frozenset[int] | None = None) -> int:
    """Uploaded, and its first job is done."""
    sha256 = await desk.tools.labels.put(content, Shelf.IMPORTS)
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        import_id = await imports.create(connection, "orders", sha256, form, len(content), ASHA, facilities)
    await worked(desk, import_id)
    return import_id


async def worked(desk: Desk, import_id: int, stopping: Callable[[], bool] = lambda: False) -> None:
    await work(desk.tools, (await found(desk, import_id)).job_id or 0, stopping)


async def found(desk: Desk, import_id: int) -> Import:
    async with desk.tools.pool.acquire() as connection:
        is_found = await imports.import_of(connection, import_id)
    assert is_found is not None
    return is_found


async def entries(desk: Desk, import_id: int, verdict: Verdict | None = None) -> list[Entry]:
    async with desk.tools.pool.acquire() as connection:
        return await import_entries.entries(connection, import_id, verdict)


async def mend(desk: Desk, import_id: int, line: int, header: str, value: str) -> Entry | None:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        return await import_entries.mend(connection, import_id, line, header, value, IntakeRules(), TODAY)


async def taken_in(desk: Desk, import_id: int, *, schedule: bool = False) -> str:
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        why_not = await imports.take_in(connection, import_id, ASHA, schedule=schedule)
    if not why_not:
        await worked(desk, import_id)
    return why_not


async def statuses(desk: Desk) -> dict[str, str]:
    return {
        each["number"]: each["status"] for each in await desk.tools.pool.fetch("SELECT number, status FROM shipments")
    }


async def test_what_is_new_goes_in_once_and_what_is_faulty_stays_out(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1"), row("A-2", consignee_pincode="41100"), row("A-3")))
    checked = await found(desk, import_id)
    assert (checked.state, checked.counts.new, checked.counts.faulty) == (ImportState.CHECKED, 2, 1)
    assert await statuses(desk) == {}
    (faulty,) = await entries(desk, import_id, Verdict.FAULTY)
    assert [(each.line, each.header) for each in faulty.faults] == [(3, "consignee_pincode")]
    assert await taken_in(desk, import_id) == ""
    taken = await found(desk, import_id)
    assert (taken.state, taken.counts.taken, taken.counts.faulty) == (ImportState.TAKEN, 2, 1)
    assert await statuses(desk) == {"A-1": "created", "A-3": "created"}
    assert await taken_in(desk, import_id) == imports.NOTHING_NEW


async def test_a_cell_put_right_in_place_goes_in_behind_the_others(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1"), row("A-2", consignee_pincode="41100")))
    await taken_in(desk, import_id)
    mended = await mend(desk, import_id, 3, "consignee_pincode", "411001")
    assert mended is not None
    assert (mended.verdict, mended.faults) == (Verdict.NEW, ())
    assert await taken_in(desk, import_id, schedule=True) == ""
    assert await statuses(desk) == {"A-1": "created", "A-2": "scheduling"}
    assert (await found(desk, import_id)).counts.scheduled == 1
    assert await mend(desk, import_id, 3, "consignee_pincode", "411002") is None


async def test_a_number_mended_to_one_that_the_file_has_already_is_a_fault(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1"), row("A 2")))
    mended = await mend(desk, import_id, 3, "number", "A-1")
    assert mended is not None
    assert [each.message for each in mended.faults] == [
        "number A-1 stands on line 2 of the file, too: give this one another, or put it right in the file."
    ]


async def test_rows_that_stand_apart_stay_out_all_of_them_until_one_has_another_number(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1"), row("A-2"), row("A-1", boxes="1"), row("A-3")))
    assert [entry.verdict for entry in await entries(desk, import_id)] == [
        Verdict.FAULTY,
        Verdict.NEW,
        Verdict.FAULTY,
        Verdict.NEW,
    ]
    first, _, _, _ = await entries(desk, import_id)
    assert [(each.line, each.field) for each in first.faults] == [(2, "number")]
    assert "stands on line 4 of the file, too" in first.faults[0].message
    mended = await mend(desk, import_id, 4, "number", "A-4")
    assert mended is not None
    assert mended.verdict is Verdict.NEW
    assert {entry.verdict for entry in await entries(desk, import_id)} == {Verdict.NEW}
    assert (await found(desk, import_id)).counts.new == 4


async def test_the_same_file_again_is_the_same_and_a_changed_row_says_what_it_would_change(desk: Desk) -> None:
    await taken_in(desk, await brought(desk, text(row("A-1"), row("A-2"))))
    import_id = await brought(desk, text(row("A-1"), row("A-2", consignee_city="Nashik", weight_g="6000")))
    again = await found(desk, import_id)
    assert (again.counts.same, again.counts.differs, again.counts.new) == (1, 1, 0)
    (differs,) = await entries(desk, import_id, Verdict.DIFFERS)
    assert [(each.field, each.before, each.after) for each in differs.changes] == [
        ("consignee_city", "Pune", "Nashik"),
        ("weight_g of box 1", "5000", "6000"),
        ("weight_g of box 2", "5000", "6000"),
    ]
    assert await taken_in(desk, import_id) == imports.NOTHING_NEW


async def test_a_persons_own_columns_are_found_and_those_that_are_not_are_asked_for_once(desk: Desk) -> None:
    theirs = {
        "consignee_pincode": "Pin Code",
        "consignee_phone": "Mobile No.",
        "weight_g": "Weight KG",
        "boxes": "Cartons",
    }
    content = text({theirs.get(name, name): cell for name, cell in row("A-1", consignee_phone="12").items()})
    import_id = await brought(desk, content)
    asked = await found(desk, import_id)
    assert asked.state is ImportState.MAPPING
    assert asked.mapping_problem.startswith("The header lacks weight_g and has Weight KG")
    assert {asked.mapping[each] for each in ("Pin Code", "Mobile No.", "Cartons")} == {
        "consignee_pincode",
        "consignee_phone",
        "boxes",
    }
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        mapping = {**asked.mapping, "Weight KG": "weight_g"}
        assert await imports.map_columns(connection, import_id, {**mapping, "Weight KG": ""}, ASHA) != ""
        assert await imports.map_columns(connection, import_id, mapping, ASHA) == ""
    await worked(desk, import_id)
    (faulty,) = await entries(desk, import_id)
    (fault,) = faulty.faults
    assert (fault.field, fault.header) == ("consignee_phone", "Mobile No.")
    assert fault.message.startswith("Mobile No. ")
    assert (await found(desk, await brought(desk, content))).state is ImportState.CHECKED


async def test_a_workbook_is_read_by_its_own_row_numbers(desk: Desk, tmp_path: Path) -> None:
    rows = [row("A-1"), row("A-2", consignee_pincode="41100")]
    with xlsxwriter.Workbook(str(tmp_path / "orders.xlsx")) as workbook:
        sheet = workbook.add_worksheet("Orders")
        sheet.write_row(2, 0, list(rows[0]))
        for nth, each in enumerate(rows, 3):
            for column, (name, cell) in enumerate(each.items()):
                is_number = name in ("consignee_phone", "consignee_pincode", "weight_g", "invoice_value")
                sheet.write(nth, column, float(cell) if is_number else cell)
    import_id = await brought(desk, (tmp_path / "orders.xlsx").read_bytes(), "xlsx")
    first, second = await entries(desk, import_id)
    assert (first.position, first.verdict) == (4, Verdict.NEW)
    assert [(each.line, each.field) for each in second.faults] == [(5, "consignee_pincode")]


async def test_what_is_no_order_file_fails_with_its_reason(desk: Desk) -> None:
    nothing = await found(desk, await brought(desk, b""))
    assert (nothing.state, nothing.problem) == (
        ImportState.FAILED,
        "The file is empty: its first line names the columns, number and so on.",
    )
    workbook = await found(desk, await brought(desk, b"PK\x03\x04 and then nothing", "xlsx"))
    assert workbook.problem.startswith("The file is no workbook that can be read")


async def test_a_column_with_one_american_day_leaves_none_of_its_doubtful_days_unasked(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1", invoice_date="11/10/2026"), row("A-2", invoice_date="11/24/2026")))
    told = [[each.message for each in entry.faults] for entry in await entries(desk, import_id)]
    assert told[0][0].startswith("invoice_date is 11/10/2026, which may be 2026-10-11 or 10 Nov 2026")
    assert told[1] == ["invoice_date is 11/24/2026, with the month first: give the day first, or write 2026-11-24."]


async def test_days_that_could_be_read_both_ways_are_said_once(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1", invoice_date="10/11/2026"), row("A-2", invoice_date="09-11-2026")))
    checked = await found(desk, import_id)
    assert checked.notes == (
        "invoice_date 10/11/2026 on line 2 is read as 10 Nov 2026, the day first, and 1 more cell likewise.",
    )
    assert checked.counts.new == 2


async def test_broken_off_it_goes_on_where_it_was(desk: Desk) -> None:
    content = text(*(row(f"A-{n}") for n in range(450)))
    sha256 = await desk.tools.labels.put(content, Shelf.IMPORTS)
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        import_id = await imports.create(connection, "orders", sha256, "csv", len(content), ASHA, None)
    looks = iter([False, False, True])
    with pytest.raises(StoppedEarly):
        await worked(desk, import_id, lambda: next(looks))
    assert len(await desk.tools.pool.fetch("SELECT FROM import_rows")) == 200
    await worked(desk, import_id)
    assert (await found(desk, import_id)).counts.new == 450
    async with desk.tools.pool.acquire() as connection, connection.transaction():
        await imports.take_in(connection, import_id, ASHA, schedule=False)
    looks = iter([False, False, True])
    with pytest.raises(StoppedEarly):
        await worked(desk, import_id, lambda: next(looks))
    assert len(await statuses(desk)) == 200
    await worked(desk, import_id)
    assert (await found(desk, import_id)).counts.taken == len(await statuses(desk)) == 450


async def test_a_facility_that_is_not_the_persons_is_none(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1")), facilities=frozenset())
    (entry,) = await entries(desk, import_id)
    assert [each.message for each in entry.faults] == [
        "facility BLR-1 is not known: add it first, in Settings, Facilities (or by PUT /api/v1/facilities/CODE)."
    ]


async def test_faulty_rows_come_back_with_their_reason_and_may_be_brought_as_they_are(desk: Desk) -> None:
    rows = [row("A-1"), row("A-2", consignee_pincode="41100", consignee_city="=1+1"), row("A-2", boxes="3")]
    first = await found(desk, await brought(desk, text(*rows)))
    async with desk.tools.pool.acquire() as connection:
        content = b"".join([chunk async for chunk in import_entries.faulty_csv(connection, first)])
    handed = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [each["number"] for each in handed] == ["A-2", "A-2"]
    assert handed[0]["consignee_city"] == "'=1+1"
    assert "consignee_pincode" in handed[0]["reason"]
    assert list(handed[0]) == [*rows[0], "reason"]
    handed[0] |= {"consignee_pincode": "411001", "consignee_city": "Pune"}
    handed[1] |= {"consignee_pincode": "", "consignee_city": ""}
    assert (await found(desk, await brought(desk, text(*handed)))).counts.new == 1


async def test_an_old_import_goes_with_its_file_and_its_shipments_stay(desk: Desk) -> None:
    import_id = await brought(desk, text(row("A-1")))
    await taken_in(desk, import_id)
    sha256 = (await found(desk, import_id)).sha256
    await clear_out(desk.tools)
    assert await desk.tools.labels.get(sha256, Shelf.IMPORTS)
    await desk.tools.pool.execute("UPDATE imports SET asked_at = now() - interval '91 days'")
    await clear_out(desk.tools)
    assert await desk.tools.pool.fetch("SELECT FROM imports") == []
    with pytest.raises(FileNotFoundError):
        await desk.tools.labels.get(sha256, Shelf.IMPORTS)
    assert await statuses(desk) == {"A-1": "created"}


def test_every_column_of_ours_finds_its_place() -> None:
    assert set(row("A-1")) <= set(NAMES)
