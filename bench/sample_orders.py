"""Makes examples/orders.xlsx: the first orders of examples/orders.csv as somebody would keep them in a spreadsheet.

Headers in a person's own words, days and amounts as cells of their own kind, and one fault, a PIN of five digits, to
be mended in the panel. tests/test_sample_orders.py holds the file to this program.

.venv/bin/python bench/sample_orders.py [FILE]
"""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

from xlsxwriter import Workbook

EXAMPLES = Path(__file__).parents[1] / "examples"
SHIPMENTS = 12
FAULTY, PIN = 5, "56010"
"""The shipment, counted from 0, whose PIN has lost a digit."""
NAMES = {
    "number": "Shipment No",
    "order_number": "Order No",
    "facility": "Warehouse",
    "consignee_name": "Contact Person",
    "consignee_organisation": "Party Name",
    "consignee_phone": "Mobile No",
    "consignee_pincode": "PIN Code",
    "invoice_number": "Invoice No",
    "invoice_value": "Invoice Amount",
    "ewaybill_number": "E-way Bill No",
    "boxes": "No of Boxes",
    "quantity": "Qty",
}
TEXTS = frozenset({"consignee_phone", "ewaybill_number", "hsn"})
"""Digits that a spreadsheet must not take for a number."""


def orders() -> list[dict[str, str]]:
    """The rows of the first SHIPMENTS, columns that none of them uses left out."""
    with (EXAMPLES / "orders.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = list(dict.fromkeys(row["number"] for row in rows))[:SHIPMENTS]
    kept = [row for row in rows if row["number"] in numbers]
    for row in kept:
        if row["number"] == numbers[FAULTY] and row["consignee_pincode"]:
            row["consignee_pincode"] = PIN
    used = [name for name in kept[0] if any(row[name] for row in kept)]
    return [{name: row[name] for name in used} for row in kept]


def write(path: Path) -> None:
    rows = orders()
    book = Workbook(path)
    book.set_properties({"created": datetime(2026, 11, 24, tzinfo=UTC).replace(tzinfo=None)})
    head, day = book.add_format({"bold": True}), book.add_format({"num_format": "dd-mm-yyyy"})
    sheet = book.add_worksheet("Dispatch")
    sheet.freeze_panes(1, 1)
    for at, name in enumerate(rows[0]):
        sheet.set_column(at, at, 18)
        sheet.write_string(0, at, NAMES.get(name, name), head)
        for line, row in enumerate(rows, 1):
            cell = row[name]
            if cell and name.endswith(("_date", "_on")):
                sheet.write_datetime(line, at, datetime.fromisoformat(cell), day)
            elif cell and name not in TEXTS and cell.replace(".", "", 1).isdigit():
                sheet.write_number(line, at, float(cell))
            elif cell:
                sheet.write_string(line, at, cell)
    book.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES / "orders.xlsx")
