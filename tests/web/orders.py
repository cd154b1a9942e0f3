"""Order files as somebody would bring them: a row a shipment, all of it right but for what a test says."""

import csv
import io
from collections.abc import Mapping
from datetime import date

from bilty.order_columns import NAMES
from bilty.web.import_template import examples


def order(number: str, **changed: str) -> dict[str, str]:
    *_, single = examples("BLR-1", "clickpost-b2b", date(2026, 11, 20))
    return {**single, "number": number, "invoice_number": f"INV-{number}", **changed}


def written(*orders: dict[str, str], names: Mapping[str, str] | None = None) -> bytes:
    columns = [name for name in NAMES if any(name in each for each in orders)]
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow([(names or {}).get(name, name) for name in columns])
    rows.writerows([each.get(name, "") for name in columns] for each in orders)
    return text.getvalue().encode()
