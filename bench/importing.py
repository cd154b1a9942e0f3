"""`bilty import` of a long file, CSV and XLSX: rows a second, and the peak of memory of the command and its children.

Each file has one bad row in its middle. Then once more in a database of its own: killed with -9 half-way, and the same
command again. What is there at the end is counted. Starts databases of its own.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import xlsxwriter

from bilty import postgres
from bilty.shipment import Facility, Party
from bilty.shipping_provider import Kind, ShippingProvider
from bilty.store import providers
from bilty.store.database import connect_pool, migrate

LOOK_EVERY_S = 0.05
DAY = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")
ROW: dict[str, str | int | float] = {
    "number": "",
    "facility": "BLR-1",
    "shipping_provider": "clickpost-b2b",
    "consignee_name": "Receiving desk",
    "consignee_organisation": "Sahyadri Distributors",
    "consignee_phone": 9876543210,
    "consignee_address": "Plot 14, Industrial Area",
    "consignee_city": "Pune",
    "consignee_state": "Maharashtra",
    "consignee_pincode": 411018,
    "payment_mode": "prepaid",
    "invoice_number": "INV-1",
    "invoice_date": DAY,
    "invoice_value": 23600.5,
    "po_number": "PO-77",
    "boxes": 3,
    "length_cm": 40,
    "breadth_cm": 30,
    "height_cm": 25,
    "weight_g": 12500,
    "sku": "KT-1700",
    "description": "Electric kettle, 1.7 l, steel",
    "quantity": 4,
    "unit_price": 1200,
}
PARTY = Party(
    name="Dispatch desk",
    organisation="Bilty",
    phone="9876543210",
    address="Plot 1",
    city="Bengaluru",
    state="Karnataka",
    pincode="560001",
    gstin="29AAGCB7383J1Z4",
)


@dataclass(slots=True)
class Ran:
    """One run of the command. `peak_mb`: of the command alone; `children_mb`: of the process that reads a workbook."""

    form: str
    what: str
    rows: int
    seconds: float
    rows_per_s: int
    peak_mb: float
    children_mb: float
    said: str


def write(file: Path, rows: int) -> None:
    """A row a shipment; the one in the middle has a PIN of five digits."""
    if file.suffix == ".xlsx":
        with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as workbook:
            sheet = workbook.add_worksheet("Orders")
            sheet.write_row(0, 0, list(ROW))
            for number in range(1, rows + 1):
                sheet.write_row(number, 0, list(_row(number, rows).values()))
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(ROW) + "\n")
        for number in range(1, rows + 1):
            cells = (f'"{cell}"' if "," in str(cell) else str(cell) for cell in _row(number, rows).values())
            stream.write(",".join(cells) + "\n")


def _row(number: int, rows: int) -> dict[str, str | int | float]:
    bad = {"consignee_pincode": 41101} if number == rows // 2 else {}
    return ROW | {"number": f"IM-{number:07d}"} | bad


async def furnish(url: str) -> None:
    pool = await connect_pool(url)
    async with pool.acquire() as connection:
        await migrate(connection)
        async with connection.transaction():
            await providers.put_provider(connection, ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost"))
            await providers.put_facility(connection, Facility("BLR-1", PARTY))
    await pool.close()


def peak_mb(pid: int) -> float:
    """0 once it is gone."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0) / 1024
    return 0


def children_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return []


async def count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM shipments"))
    finally:
        await connection.close()


async def command(url: str, folder: Path, file: Path, rows: int, what: str, kill_at: int | None = None) -> Ran:
    """`kill_at`: so many shipments are there when it is killed."""
    settings = {"DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
    environment = os.environ | {f"BILTY_{name}": value for name, value in settings.items()}
    began, peaks = time.perf_counter(), {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bilty", "import", str(file)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    said = asyncio.create_task(process.stdout.read())
    ended = asyncio.create_task(process.wait())
    while not (await asyncio.wait({ended}, timeout=LOOK_EVERY_S))[0]:
        for pid in (process.pid, *children_of(process.pid)):
            peaks[pid] = max(peaks.get(pid, 0), peak_mb(pid))
        if kill_at is not None and await count(url) >= kill_at:
            process.send_signal(signal.SIGKILL)
            await ended
    seconds = time.perf_counter() - began
    own = peaks.pop(process.pid, 0)
    last = (await said).decode().splitlines()[-1:]
    if not last:
        rows = await count(url)
        last = [f"killed with {rows:,} shipments there"]
    return Ran(
        form=file.suffix[1:],
        what=what,
        rows=rows,
        seconds=round(seconds, 1),
        rows_per_s=round(rows / seconds),
        peak_mb=round(own, 1),
        children_mb=round(max(peaks.values(), default=0), 1),
        said=last[0],
    )


async def measure(form: str, rows: int, folder: Path) -> list[Ran]:
    file = folder / f"orders.{form}"
    write(file, rows)
    print(f"{form}: {rows:,} rows, {file.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    ran = []
    with postgres.running(folder / f"{form}-straight") as url:
        await furnish(url)
        ran += [await command(url, folder, file, rows, each) for each in ("at once", "the same again")]
        assert await count(url) == rows - 1, "all but the bad row are there"
    with postgres.running(folder / f"{form}-killed") as url:
        await furnish(url)
        ran.append(await command(url, folder, file, rows, "killed -9 half-way", kill_at=rows // 2))
        ran.append(await command(url, folder, file, rows, "the same command"))
        assert await count(url) == rows - 1, "all but the bad row are there, each once"
    return ran


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench importing", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", choices=["csv", "xlsx"], action="append")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    found: list[Ran] = []
    with tempfile.TemporaryDirectory() as folder:
        for form in given.format or ["csv", "xlsx"]:
            some = asyncio.run(measure(form, given.rows, Path(folder)))
            for each in some:
                print(
                    f"{each.form:<5}{each.what:<20}{each.seconds:>7} s {each.rows_per_s:>7,} rows/s  peak "
                    f"{each.peak_mb} MB, its reader {each.children_mb} MB  {each.said}"
                )
            found += some
    if given.json:
        print(json.dumps([asdict(each) for each in found]))


if __name__ == "__main__":
    main()
