"""examples/orders.xlsx is what its program makes of examples/orders.csv."""

from pathlib import Path

from python_calamine import CalamineWorkbook

from bench.sample_orders import EXAMPLES, write


def test_the_sample_workbook_is_as_its_program_makes_it(tmp_path: Path) -> None:
    made = tmp_path / "orders.xlsx"
    write(made)
    kept, anew = (CalamineWorkbook.from_path(path) for path in (EXAMPLES / "orders.xlsx", made))
    assert kept.sheet_names == anew.sheet_names == ["Dispatch"]
    assert kept.get_sheet_by_index(0).to_python() == anew.get_sheet_by_index(0).to_python()
