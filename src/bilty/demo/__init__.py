"""`bilty demo`: a warehouse's morning on one machine, with a courier aggregator that misbehaves.

The sandbox stands for an outside company, so it is a process of its own that outlives a killed Bilty: the next start
finds it, with everything it had booked. It ends with the demo, or by itself when nobody has spoken to it for a while.
"""

import asyncio
import contextlib
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bilty import telling
from bilty.demo.books import compare
from bilty.demo.sandbox import IDLE_EXIT_S, KEY, USERNAME, Sandbox, sandbox_running
from bilty.importing import import_orders, schedule_orders
from bilty.intake import Rejected, parse_facility
from bilty.running import CannotStart, Opened, database, opened, run
from bilty.settings import PREFIX, Settings, read_settings
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import access, providers, showing
from bilty.store.database import UNAVAILABLE
from bilty.workflow import status

FOLDER = Path(".demo")
EXAMPLES = Path("examples")
PROVIDER = ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B")
ONCE_WITHIN_S, LOOK_EVERY_S = 115, 0.3
PERSONS_OWN = (f"{PREFIX}LISTEN", f"{PREFIX}PUBLIC_URL", f"{PREFIX}POSTGRES_USER")
"""All other settings are the demo's own, whatever the environment says."""
PIPED_COLUMNS = 180
"""A table that is not for a terminal, but for a file or a pipe, need not be narrow."""


def run_demo(*, once: bool) -> int:
    """Runs until Ctrl-C, or with `once` until every sample order has an end. Returns the exit code."""
    if not EXAMPLES.is_dir():
        raise CannotStart("examples/ is not in this folder: run the demo from a checkout of Bilty.")
    FOLDER.mkdir(exist_ok=True)
    with sandbox_running(FOLDER / "sandbox.json") as sandbox:
        settings = _settings(sandbox)
        with database(settings) as found:

            async def in_loop() -> int:
                async with opened(settings, found) as state:
                    return await _demonstrate(state, sandbox, once=once)

            return asyncio.run(in_loop())


def _settings(sandbox: Sandbox) -> Settings:
    """The demo's own: what was set for a real Bilty must not lead it to a real database or account."""
    read_settings()  # a misspelt variable stops the demo too
    kept = {name: value for name, value in os.environ.items() if name in PERSONS_OWN}
    return read_settings(
        {
            f"{PREFIX}DATA_DIR": str(FOLDER),
            f"{PREFIX}CLICKPOST_URL": sandbox.url,
            f"{PREFIX}ALLOW_PRIVATE_ADDRESSES": "true",
            f"{PREFIX}POLL_INTERVAL_SECONDS": "2",
            f"{PREFIX}WATCH_INTERVAL_SECONDS": "10",
            **kept,
        }
    )


async def _demonstrate(state: Opened, sandbox: Sandbox, *, once: bool) -> int:
    await _set_up(state)
    console = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS, highlight=False, markup=False)
    now = datetime.now(UTC)
    report = await import_orders(state.pool, EXAMPLES / "orders.csv", state.settings.intake_rules, now)
    for fault in report.faults:
        console.print(str(fault))
    if once:
        return await _once(state, sandbox, console, report.ids)

    async with state.pool.acquire() as connection:
        token = await access.add_user(connection, "demo@example.com", access.Role.ADMIN, now)

    def ready() -> None:
        console.print(f"Panel    {state.settings.address}", soft_wrap=True)
        console.print(f"Sign in  {state.settings.address}/sign-in/{token}", soft_wrap=True)
        console.print(f"Sandbox  {sandbox.url.removesuffix('/api')}/sandbox/truth", soft_wrap=True)
        console.print("Connect  docs/integrate.md tells how, in ten minutes")
        console.print("Ctrl-C ends all three; the data stays in .demo/.")

    await schedule_orders(state.pool, report.ids, now)
    await run(state, web=True, work=True, ready=ready, beside=_keep_awake(sandbox))
    return 0


async def _keep_awake(sandbox: Sandbox) -> None:
    while True:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(sandbox.tell, "/sandbox/healthz")
        await asyncio.sleep(IDLE_EXIT_S / 10)


async def _set_up(state: Opened) -> None:
    connector = Connector(USERNAME, KEY, pickup_after_minutes=30, appointment_after_days=2)
    facilities = msgspec.json.decode((EXAMPLES / "facilities.json").read_bytes(), type=list[dict[str, object]])
    async with state.pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, PROVIDER)
        await providers.put_connector(connection, state.vault, PROVIDER.code, connector)
        for document in facilities:
            facility = parse_facility(str(document.pop("code")), document)
            if isinstance(facility, Rejected):
                raise CannotStart(f"examples/facilities.json: {facility.faults[0].message}")
            await providers.put_facility(connection, facility)


async def _once(state: Opened, sandbox: Sandbox, console: Console, ids: list[int]) -> int:
    await schedule_orders(state.pool, ids, datetime.now(UTC))
    ended = False

    async def watch() -> None:
        nonlocal ended
        deadline = asyncio.get_running_loop().time() + ONCE_WITHIN_S
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("booking", total=len(ids))
            while not ended and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(LOOK_EVERY_S)
                with contextlib.suppress(*UNAVAILABLE):
                    look = await compare(state, sandbox, ids)
                    bar.update(task, completed=look.ended)
                    ended = look.ended == len(ids) and not look.open_cancels and not look.unheard

    await run(state, web=False, work=True, beside=watch())
    await _print_table(state, console, ids)
    look = await compare(state, sandbox, ids)
    console.print(
        f"At the couriers: {look.live} bookings live, {look.unheard} unknown to Bilty or still coming, "
        f"{look.doubled} shipments with two, {look.counts_off} with another number of boxes than sent, "
        f"{look.boxes_off} boxes with another box's number."
    )
    if not ended:
        console.print("Not every shipment came to an end: run it again, and it goes on.")
    off = look.unheard or look.doubled or look.counts_off or look.boxes_off
    return 1 if off or not ended else 0


async def _print_table(state: Opened, console: Console, ids: list[int]) -> None:
    labels = FOLDER / "labels"
    labels.mkdir(exist_ok=True)
    table = Table(
        "Shipment", "Boxes", "Status", "Courier", "AWB", "Pages", box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for column in table.columns:
        column.no_wrap = True
    counts: Counter[str] = Counter()
    reasons = []
    async with state.pool.acquire() as connection:
        seen = await showing.see(connection, ids)
    for shipment_id in ids:
        shipment, progress = seen[shipment_id].shipment, seen[shipment_id].progress
        words, holder = telling.STATUS_WORDS[status(progress)], progress.holder
        counts[words] += 1
        if why := telling.problem(progress, state.settings.rules):
            reasons.append(f"{shipment.number} {words.lower()}: {why.message} {why.remedy}")
        if holder and holder.label_sha256:
            file = labels / f"{shipment.number.replace('/', '-')}.pdf"
            file.write_bytes(await state.labels.get(holder.label_sha256))
        courier = f"{holder.courier.name} (P{holder.priority})" if holder and holder.courier else ""
        pages = str(holder.label_pages) if holder and holder.label_sha256 else ""
        awb = holder.awb if holder else ""
        table.add_row(shipment.number, str(len(shipment.boxes)), words, courier, awb, pages)
    console.print(table)
    for reason in reasons:
        console.print(reason)
    console.print(", ".join(f"{count} {words}" for words, count in counts.most_common()))
    console.print(f"Labels: {labels}/")
