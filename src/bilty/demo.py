"""`bilty demo`: a warehouse's morning on one machine, with a courier aggregator that misbehaves.

The sandbox stands for an outside company, so it is a process of its own that outlives a killed Bilty: the next start
finds it, with everything it had booked. It ends with the demo, or by itself when nobody has spoken to it for a while.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bilty import telling
from bilty.importing import import_orders, schedule_orders
from bilty.intake import Rejected, parse_facility
from bilty.running import CannotStart, Opened, database, opened, run
from bilty.settings import PREFIX, Settings, read_settings
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import access, providers, shipments
from bilty.store.database import DISCONNECTED
from bilty.turn import State
from bilty.workflow import Status, status

FOLDER = Path(".demo")
EXAMPLES = Path("examples")
PROVIDER = ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B")
USERNAME, KEY = "demo", "b1171e00-5a2d-4b0c-8d3e-0c11c4057000"
"""The sandbox's, for everybody to know: they open nothing else."""
SPEED, SEED = 60, 1
ONCE_WITHIN_S, LOOK_EVERY_S, IDLE_EXIT_S = 100, 0.3, 600
ENDED = (Status.LABEL_READY, Status.FAILED, Status.NOT_SERVICEABLE, Status.NEEDS_ATTENTION, Status.ON_HOLD)


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


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The aggregator's stand-in: its address, and the process it is."""

    url: str
    pid: int

    def tell(self, path: str) -> dict[str, object]:
        """What a control endpoint says. Raises OSError when the sandbox is not there."""
        address = self.url.removesuffix("/api") + path
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own sandbox on loopback
            return msgspec.json.decode(answer.read(), type=dict[str, object])


@contextmanager
def sandbox_running(card: Path) -> Iterator[Sandbox]:
    """The sandbox that a killed demo left behind, or a new one. `card` says where it is."""
    sandbox = _found(card) or _started(card)
    try:
        yield sandbox
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(sandbox.pid, signal.SIGTERM)
        card.unlink(missing_ok=True)


def _found(card: Path) -> Sandbox | None:
    try:
        sandbox = msgspec.json.decode(card.read_bytes(), type=Sandbox)
        sandbox.tell("/sandbox/healthz")
    except (OSError, msgspec.DecodeError):
        return None
    return sandbox


def _started(card: Path) -> Sandbox:
    command = [sys.executable, "-m", "bilty_sandbox", "--listen", "127.0.0.1:0", "--username", USERNAME, "--key", KEY]
    command += ["--speed", str(SPEED), "--seed", str(SEED), "--idle-exit", str(IDLE_EXIT_S)]
    # In a session of its own: Ctrl-C is for the demo, which ends the sandbox after the last answer is heard.
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    if "http://" not in line:
        raise CannotStart("The sandbox did not start; what it printed above says why.")
    sandbox = Sandbox(url=line.split()[-1], pid=process.pid)
    made = card.with_suffix(".new")
    made.write_bytes(msgspec.json.encode(sandbox))
    made.rename(card)
    return sandbox


def _settings(sandbox: Sandbox) -> Settings:
    """What the person set, over what suits a demo."""
    own = {
        f"{PREFIX}DATA_DIR": str(FOLDER),
        f"{PREFIX}CLICKPOST_URL": sandbox.url,
        f"{PREFIX}ALLOW_PRIVATE_ADDRESSES": "true",
        f"{PREFIX}POLL_INTERVAL_SECONDS": "2",
        f"{PREFIX}WATCH_INTERVAL_SECONDS": "10",
    }
    return read_settings({**own, **os.environ})


async def _demonstrate(state: Opened, sandbox: Sandbox, *, once: bool) -> int:
    await _set_up(state)
    console = Console()
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
                with contextlib.suppress(*DISCONNECTED, TimeoutError):
                    look = await _look(state, sandbox, ids)
                    bar.update(task, completed=look.ended)
                    ended = look.ended == len(ids) and not look.open_cancels and not look.unheard

    await run(state, web=False, work=True, beside=watch())
    await _print_table(state, console, ids)
    look = await _look(state, sandbox, ids)
    console.print(
        f"At the couriers: {look.live} bookings live, {look.unheard} unknown to Bilty or still coming, "
        f"{look.doubled} shipments with two, {look.box_counts_off} with another number of boxes than sent."
    )
    if not ended:
        console.print(f"Not every shipment came to an end within {ONCE_WITHIN_S} seconds.")
    return 0 if ended and not (look.unheard or look.doubled or look.box_counts_off) else 1


@dataclass(frozen=True, slots=True)
class _Look:
    """Bilty's books beside the sandbox's truth."""

    ended: int
    open_cancels: int
    live: int
    unheard: int
    doubled: int
    box_counts_off: int


async def _look(state: Opened, sandbox: Sandbox, ids: list[int]) -> _Look:
    told = await asyncio.to_thread(sandbox.tell, "/sandbox/truth?limit=100000")
    truth = msgspec.convert(told, _Truth)
    rows = await state.pool.fetch(
        """SELECT t.reference, t.awb, t.state, t.shipment_id, s.box_count FROM turns t
             JOIN shipments s ON s.id = t.shipment_id WHERE t.priority > 0"""
    )
    turns = {row["reference"]: row for row in rows}
    ended = await state.pool.fetchval(
        "SELECT count(*) FROM shipments WHERE id = ANY($1) AND status = ANY($2)", ids, list(ENDED)
    )
    live = [booking for booking in truth.bookings if booking.live]
    known = [booking for booking in live if booking.reference in turns]
    by_shipment = Counter(turns[booking.reference]["shipment_id"] for booking in known)
    return _Look(
        ended=ended,
        open_cancels=sum(row["state"] in (State.SURPLUS, State.UNCANCELLED) for row in rows),
        live=len(live),
        unheard=len(truth.pending) + sum(b not in known or turns[b.reference]["awb"] != b.awb for b in live),
        doubled=sum(count > 1 for count in by_shipment.values()),
        box_counts_off=sum(booking.boxes_count != turns[booking.reference]["box_count"] for booking in known),
    )


class _Booking(msgspec.Struct):
    reference: str
    awb: str
    live: bool
    boxes_count: int


class _Truth(msgspec.Struct):
    """What of the sandbox's truth is looked at here."""

    pending: list[str]
    bookings: list[_Booking]


async def _print_table(state: Opened, console: Console, ids: list[int]) -> None:
    labels = FOLDER / "labels"
    labels.mkdir(exist_ok=True)
    table = Table("Shipment", "Boxes", "Status", "Courier", "AWB", "Label", "Why")
    counts: Counter[str] = Counter()
    async with state.pool.acquire() as connection:
        seen = await shipments.see(connection, ids)
    for shipment_id in ids:
        shipment, progress = seen[shipment_id].shipment, seen[shipment_id].progress
        counts[status(progress)] += 1
        why = telling.problem(progress, state.settings.rules)
        holder = progress.holder
        courier = f"{holder.courier.name} (P{holder.priority})" if holder and holder.courier else ""
        pages = ""
        if holder and holder.label_sha256:
            (labels / f"{shipment.number.replace('/', '-')}.pdf").write_bytes(
                await state.labels.get(holder.label_sha256)
            )
            pages = f"{holder.label_pages} pages"
        awb = holder.awb if holder else ""
        words = telling.STATUS_WORDS[status(progress)]
        table.add_row(shipment.number, str(len(shipment.boxes)), words, courier, awb, pages, why.message if why else "")
    console.print(table)
    console.print(", ".join(f"{count} {telling.STATUS_WORDS[Status(name)]}" for name, count in counts.most_common()))
    console.print(f"Labels: {labels}/")
