"""A print job: how long it takes, and how much memory the worker and the press take, for many labels at once.

Starts a database of its own with shipments that have their labels, and prints them as the panel's Print does: labels
alone, then with stickers, packing slips, separators and a document each. A label is a courier's page with a picture in
it, about 60 KB, and another for every shipment.
"""

import argparse
import asyncio
import hashlib
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from bilty import dispatcher, postgres
from bilty.aggregator.scripted import Scripted
from bilty.jobs import Tools, work
from bilty.oms.sending import Sent
from bilty.shipment import Box, Facility, Invoice, Item, Party, Payment, PaymentMode, Shipment
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import attachments, jobs, providers, shipments
from bilty.store.attachments import Given
from bilty.store.audit import COMMAND
from bilty.store.database import Pool, connect_pool, migrate
from bilty.store.jobs import JobKind
from bilty.store.labels import LabelStore
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from bilty.turn import Rules

TARGET_S, TARGET_MB = 5, 300
PARTY = Party(
    name="Receiving desk",
    organisation="Sahyadri Distributors",
    phone="9876543210",
    address="Plot 14, Industrial Area",
    city="Pune",
    state="Maharashtra",
    pincode="411018",
)
PICTURE_PX = 240
ITEM = Item(
    sku="KT-1700", quantity=4, unit_price=Decimal(1200), description="Electric kettle, 1.7 l, steel", hsn="851610"
)


class Nobody:
    """No order system is told anything here."""

    async def send(self, url: str, secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> Sent:
        raise NotImplementedError(url, secrets, event_id, at, body)


@dataclass(frozen=True, slots=True)
class Town:
    pool: Pool
    vault: Vault
    labels: LabelStore
    ids: list[int]


def order(number: int, boxes: int) -> Shipment:
    return Shipment(
        number=f"PR-{number:06}",
        order_number=f"PO/26-27/{number}",
        facility="BLR-1",
        shipping_provider="clickpost-b2b",
        consignee=PARTY,
        payment=Payment(mode=PaymentMode.PREPAID),
        invoices=(Invoice(number=f"INV-{number}", date=datetime.now(UTC).date(), value=Decimal(23600)),),
        boxes=tuple(Box(40, 30, 25, 12_500, items=(ITEM,)) for _ in range(boxes)),
    )


def label(number: int, boxes: int) -> bytes:
    """A page a box, as couriers make them: a bar code, and noise for what a picture costs."""
    made, dice = io.BytesIO(), random.Random(number)  # noqa: S311 - noise, no secret
    canvas = Canvas(made, pagesize=(288, 432))
    for box in range(1, boxes + 1):
        Code128(f"AWB{number:08}{box:03}", barWidth=1, barHeight=60).drawOn(canvas, 10, 340)
        canvas.drawString(20, 300, f"PR-{number:06}, box {box} of {boxes}")
        noise = b"P5 %d %d 255\n" % (PICTURE_PX, PICTURE_PX) + dice.randbytes(PICTURE_PX * PICTURE_PX)
        canvas.drawImage(ImageReader(io.BytesIO(noise)), 20, 20, 200, 200)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


async def furnish(pool: Pool, folder: Path, count: int, boxes: int) -> Town:
    vault, store = Vault("a secret of this measurement"), LabelStore.at(str(folder / "labels"))
    now = datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B"))
        await providers.put_connector(connection, vault, "clickpost-b2b", Connector("desk", "key-1"))
        await providers.put_facility(connection, Facility("BLR-1", PARTY))
        arriving = [shipments.Arrival(order(number, boxes)) for number in range(count)]
        ids = [each.shipment_id for each in await shipments.keep(connection, arriving, now)]
        await shipments.schedule_all(connection, ids, now)
    scripted = Scripted()
    tools = dispatcher.Tools(pool, Keyring(vault), store, lambda _: scripted, Rules(), calls_max=200)
    while await dispatcher.work_off(tools, now := now + timedelta(minutes=1)):
        pass
    for number, shipment_id in enumerate(ids):
        sha256 = await store.put(label(number, boxes))
        await pool.execute(
            "UPDATE turns SET label_sha256 = $2, label_pages = $3 WHERE shipment_id = $1 AND state = 'won'",
            shipment_id,
            sha256,
            boxes,
        )
    return Town(pool, vault, store, ids)


async def attach(town: Town) -> None:
    for number, shipment_id in enumerate(town.ids):
        content = label(1_000_000 + number, 1)
        given = Given(attachments.Kind.INVOICE, "INV.pdf", content, hashlib.sha256(content).hexdigest(), 1)
        async with town.pool.acquire() as connection, connection.transaction():
            await attachments.attach(connection, town.labels, shipment_id, given, COMMAND)


async def timed(town: Town, given: dict[str, object]) -> dict[str, object]:
    tools = Tools(town.pool, town.vault, town.labels, lambda _: Scripted(), Rules(), Nobody())
    began = time.perf_counter()
    async with town.pool.acquire() as connection, connection.transaction():
        job_id = await jobs.begin(connection, JobKind.PRINT, given, COMMAND, shipment_ids=town.ids)
    await work(tools, job_id, lambda: False)
    seconds = time.perf_counter() - began
    async with town.pool.acquire() as connection:
        job = await jobs.job_of(connection, job_id)
    assert job is not None
    assert job.result, job.problem
    return {"labels": job.done, "pages": job.result["pages"], "seconds": round(seconds, 2), **memory()}


def memory() -> dict[str, object]:
    """Peaks until now, in MB: of this process, and of the largest that it has started and that has ended."""
    mine, theirs = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"worker_mb": round(mine), "press_mb": round(theirs)}


PILES: dict[str, dict[str, object]] = {
    "labels alone": {"beside": []},
    "by courier, separators": {"beside": [], "order": "courier", "separators": True},
    "with stickers": {"beside": ["stickers"]},
    "with stickers and slips": {"beside": ["stickers", "slips"]},
    "with all, and a document": {"beside": ["stickers", "slips", "documents"]},
}


async def measure(count: int, boxes: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name, postgres.running(Path(name) / "server", durable=False) as dsn:
        pool = await connect_pool(dsn)
        async with pool.acquire() as connection:
            await migrate(connection)
        town = await furnish(pool, Path(name), count, boxes)
        told: dict[str, object] = {}
        for pile, given in PILES.items():
            if "documents" in str(given):
                await attach(town)
            told[pile] = result = await timed(town, given)
            print(f"{pile:28}{result}", flush=True)
        await pool.close()
    return told


def main() -> None:
    asks = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asks.add_argument("--labels", type=int, default=500)
    asks.add_argument("--boxes", type=int, default=1, help="of each shipment: its label has as many pages")
    asks.add_argument("--json", action="store_true")
    given = asks.parse_args()
    told = asyncio.run(measure(given.labels, given.boxes))
    alone = told["labels alone"]
    assert isinstance(alone, dict)
    well = alone["seconds"] < TARGET_S and max(alone["worker_mb"], alone["press_mb"]) < TARGET_MB
    print(f"Labels alone: under {TARGET_S} s and {TARGET_MB} MB: {'yes' if well else 'NO'}.")
    if given.json:
        print(json.dumps({"labels": given.labels, "boxes": given.boxes, "well": well, "piles": told}))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
