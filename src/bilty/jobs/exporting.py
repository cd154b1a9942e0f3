"""Chosen shipments as a table for a spreadsheet: one row each, in the order in which they were chosen."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from obstore.exceptions import BaseError

from bilty import telling
from bilty.jobs.bulk import NOT_THERE
from bilty.jobs.tools import CannotFinish, Stopping, Tools, stop_here
from bilty.store import audit, job_steps, showing
from bilty.store.database import Connection
from bilty.store.job_steps import Open, Settled
from bilty.store.jobs import Job, Outcome
from bilty.store.labels import Shelf
from bilty.store.showing import Seen
from bilty.words import harmless
from bilty.workflow import status

BATCH = 500
NO_STORE = "Bilty's label store cannot be written ({why}). Run `bilty doctor`, then export again."
HEAD = (
    "Number",
    "Order number",
    "Facility",
    "Shipping Provider",
    "Status",
    "Courier",
    "AWB",
    "Reference",
    "Consignee",
    "City",
    "State",
    "PIN",
    "Boxes",
    "Weight (kg)",
    "Value (INR)",
    "Created",
)
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # without it Excel takes UTF-8 for the machine's own encoding


async def export(tools: Tools, job: Job, stopping: Stopping) -> None:
    """Reads everything anew when it is taken up again: it changes nothing but the count that is shown."""
    made = io.StringIO(newline="")
    made.write(BYTE_ORDER_MARK)
    rows = csv.writer(made)
    rows.writerow(HEAD)
    settled: list[Settled] = []
    while True:
        stop_here(stopping)
        async with tools.pool.acquire() as connection:
            items = await job_steps.open_items(connection, job, BATCH, after=settled[-1].position if settled else 0)
            if not items:
                break
            found = await _rows(connection, items)
            await job_steps.show_done(connection, job.id, len(settled))
        rows.writerows(found[each.shipment_id] for each in items if each.shipment_id in found)
        settled += [_settled(each, there=each.shipment_id in found) for each in items]
    await _finish(tools, job, settled, made.getvalue().encode())


async def _rows(connection: Connection, items: Sequence[Open]) -> dict[int, list[str]]:
    seen = await showing.see(connection, [each.shipment_id for each in items if each.there])
    zones = await showing.time_zones(connection, list({each.shipment.facility for each in seen.values()}))
    return {each.id: _row(each, ZoneInfo(zones[each.shipment.facility])) for each in seen.values()}


def _row(seen: Seen, zone: ZoneInfo) -> list[str]:
    shipment, holder = seen.shipment, seen.progress.holder
    cells = (
        shipment.number,
        shipment.order_number,
        shipment.facility,
        shipment.shipping_provider,
        telling.STATUS_WORDS[status(seen.progress)],
        holder.courier.name if holder and holder.courier else "",
        holder.awb if holder else "",
        holder.reference if holder else "",
        shipment.consignee.organisation or shipment.consignee.name,
        shipment.consignee.city,
        shipment.consignee.state,
        shipment.consignee.pincode,
        str(len(shipment.boxes)),
        str(Decimal(shipment.weight_g) / 1000),
        f"{shipment.value:.2f}",
        f"{seen.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
    )
    return [harmless(each) for each in cells]


def _settled(item: Open, *, there: bool) -> Settled:
    return Settled(item.position, Outcome.DONE) if there else Settled(item.position, Outcome.REFUSED, NOT_THERE)


async def _finish(tools: Tools, job: Job, settled: Sequence[Settled], table: bytes) -> None:
    try:
        sha256 = await tools.labels.put(table, Shelf.EXPORTS)
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(why=type(trouble).__name__)) from trouble
    count = sum(each.outcome is Outcome.DONE for each in settled)
    async with job_steps.take(tools.pool, job.id) as taken:
        if taken is not None:
            connection, job = taken
            await job_steps.show_done(connection, job.id, 0)
            await job_steps.settle(connection, job.id, settled)
            await audit.note(connection, job.actor, "shipments exported", f"job {job.id}", after={"rows": count})
            await job_steps.end(connection, job.id, result={"sha256": sha256, "rows": count})
