"""Changes, cancels and decides about shipments at random while they are booked, and holds what came of it against the
sandbox's truth.

Each shipment lives through a history of its own: couriers that the sandbox's dice misguide, and people who repack it,
correct its address, cancel it, press whatever has a button, and hand it to the van, at any moment. The clock is told,
so that days pass in minutes; ClickPost is spoken to over HTTP. In the end every AWB that the sandbox has given out
must be the shipment's own, for the boxes as they are now, or void, or before a person's eyes.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import msgspec

from bilty import postgres
from bilty.aggregator import Aggregator, Booking, Said, Trouble
from bilty.aggregator.clickpost import ClickPost, Endpoints
from bilty.concerns import concerns
from bilty.deciding import Act, ActKind, Cancel, Dispatch, EnterAwb, Offer, Schedule, UsePaper, plain_act, possible
from bilty.dispatcher import Tools, work_off
from bilty.outgoing.http import Http
from bilty.reply import Cancelled, NotYet, Unknown
from bilty.shipment import Box, Facility, Invoice, Party, Payment, PaymentMode, Shipment
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import acting, amending, providers, showing
from bilty.store.amending import Amending
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Pool, connect_pool, migrate
from bilty.store.labels import LabelStore
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from bilty.store.shipments import Arrival, keep, schedule_all
from bilty.turn import Kind as TurnKind
from bilty.turn import Rules, State, Turn
from bilty.workflow import Progress, status
from bilty_sandbox import Kind as Mischief
from bilty_sandbox import ManualClock, Options, Policy, Sandbox, serve
from bilty_sandbox.book import Booking as Booked

BEGINS = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EVENTFUL, AFTERWARDS = timedelta(minutes=100), timedelta(hours=30)
RULES = Rules(watch_interval=timedelta(minutes=50))
"""Watched seldom, or most of the run would be that."""
ACTS_IN_A_HUNDRED, PICKUPS_IN_A_HUNDRED = 6, 2
CALLS_MAX, ROUNDS_MAX = 50, 400
PEOPLE = tuple(Actor(ActorKind.USER, name) for name in ("Asha", "Bala", "Chitra"))
OFF = (Mischief.BOOKED_HANG, Mischief.SLOW, Mischief.OUTAGE)
"""What takes real seconds, which this clock does not have."""
CHANGED = {Amending.DONE, Amending.VERSION, Amending.SAME}
SHOWN = {State.OFFERED, State.UNCANCELLED, State.PICKED_UP, State.CONFLICT}
PARTY = Party(
    name="Receiving desk",
    organisation="Nilgiri Home Needs",
    phone="9876543211",
    address="Godown 3, Transport Nagar",
    city="Bengaluru",
    state="Karnataka",
    pincode="560058",
    gstin="29ZZBCK4021Q1Z5",
)


@dataclass(frozen=True, slots=True)
class Result:
    """The last five must be 0. `shown` are live AWBs that a person sees and Bilty may not cancel of itself."""

    histories: int
    bookings: int
    acts: dict[str, int]
    refused: int
    versions: int
    ends: dict[str, int]
    cancelled: int
    shown: int
    old_box_data: int
    unknown: int
    two_live: int
    cancelled_after_pickup: int
    stuck: int
    seconds: float


class Noting:
    """A ClickPost that notes each cancel of what the courier has picked up; only a return may be ordered so.

    Whoever took a cancel in before the van came, and is asked again what became of it, is not asked to cancel.
    """

    def __init__(self, aggregator: Aggregator, sandbox: Sandbox, clock: ManualClock) -> None:
        self._aggregator, self._sandbox, self._clock = aggregator, sandbox, clock
        self.after_pickup: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._aggregator, name)

    async def cancel(self, booking: Booking) -> Said[Cancelled | NotYet | Unknown | Trouble]:
        booked = self._sandbox.book.find(booking.reference)
        if booked is not None and booked.cancelled_at is None and booked.picked_up(self._clock.now()):
            self.after_pickup.append(booking.reference)
        return await self._aggregator.cancel(booking)


@dataclass(slots=True)
class Town:
    """All of it: `now` is Bilty's clock and the sandbox's."""

    pool: Pool
    tools: Tools
    sandbox: Sandbox
    clock: ManualClock
    noting: Noting
    dice: random.Random
    now: datetime = BEGINS
    ids: list[int] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    returns: set[str] = field(default_factory=set)

    async def work(self) -> None:
        """Everything that is due now, and what becomes due by it."""
        for _ in range(ROUNDS_MAX):
            if not await work_off(self.tools, self.now):
                return
        sys.exit(f"At {self.now:%H:%M} there is always something due: the dispatcher runs in a circle.")

    def waits_until(self, moment: datetime) -> None:
        self.clock.advance((moment - self.now).total_seconds())
        self.now = moment


def shipment(number: str, boxes: Sequence[Box]) -> Shipment:
    return Shipment(
        number=number,
        order_number=f"PO-{number}",
        facility="BLR-1",
        shipping_provider="clickpost-b2b",
        consignee=PARTY,
        payment=Payment(mode=PaymentMode.PREPAID),
        invoices=(Invoice(number=f"INV-{number}", date=date(2026, 11, 1), value=Decimal("23600.50")),),
        boxes=tuple(boxes),
    )


def packed(dice: random.Random) -> tuple[Box, ...]:
    return tuple(
        Box(dice.randint(20, 60), 30, 25, dice.randint(1_000, 20_000)) for _ in range(dice.choice((1, 2, 3, 7)))
    )


async def furnish(pool: Pool, sandbox: Sandbox, vault: Vault) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, ShippingProvider("clickpost-b2b", Kind.CLICKPOST_B2B, "ClickPost B2B"))
        connector = Connector(sandbox.username, sandbox.key, appointment_after_days=2)
        await providers.put_connector(connection, vault, "clickpost-b2b", connector)
        await providers.put_facility(connection, Facility("BLR-1", PARTY))


async def begin(town: Town, count: int) -> None:
    arrivals = [Arrival(shipment(f"H{nth:05}", packed(town.dice))) for nth in range(count)]
    for start in range(0, count, 500):
        async with town.pool.acquire() as connection, connection.transaction():
            kept = await keep(connection, arrivals[start : start + 500], town.now)
            ids = [each.shipment_id for each in kept]
            await schedule_all(connection, ids, town.now)
            town.ids += ids


async def live_through(town: Town) -> None:
    """Eventful at first; later only what is due happens, and people settle what they are shown."""
    quiet = town.now + EVENTFUL
    while town.now < quiet:
        await town.work()
        await people_act(town, [each for each in town.ids if town.dice.randrange(100) < ACTS_IN_A_HUNDRED])
        vans_come(town)
        await town.work()
        town.waits_until(town.now + timedelta(seconds=town.dice.randint(20, 150)))
    end = town.now + AFTERWARDS
    while True:
        await town.work()
        due = await town.pool.fetchval("SELECT min(due_at) FROM turns WHERE due_at > $1", town.now)
        if due is None or due > end:
            return
        town.waits_until(max(due, town.now + timedelta(minutes=1)))


def vans_come(town: Town) -> None:
    """Also for what nobody has marked as dispatched."""
    now = town.clock.now()
    for booked in town.sandbox.book.bookings():
        ready = booked.has_label(now) and booked.cancelled_at is None and not booked.picked_up(now)
        if ready and town.dice.randrange(100) < PICKUPS_IN_A_HUNDRED:
            booked.picked_up_by_hand_at = now


async def people_act(town: Town, shipment_ids: Sequence[int]) -> None:
    for shipment_id in shipment_ids:
        async with town.pool.acquire() as connection, connection.transaction():
            seen = (await showing.see(connection, [shipment_id]))[shipment_id]
            if town.dice.randrange(3) == 0:
                await _change(town, connection, shipment_id, seen.shipment)
                continue
            offers = [each for each in possible(seen.progress) if not each.wait]
            if offers:
                await _press(town, connection, shipment_id, seen.progress, town.dice.choice(offers))


async def _change(town: Town, connection: asyncpg.pool.PoolConnectionProxy, shipment_id: int, was: Shipment) -> None:
    if town.dice.randrange(2):
        after = msgspec.structs.replace(was, boxes=packed(town.dice))
    else:
        address = f"Godown {town.dice.randint(1, 99)}, Transport Nagar"
        after = msgspec.structs.replace(was, consignee=msgspec.structs.replace(was.consignee, address=address))
    who = town.dice.choice(PEOPLE)
    done = await amending.amend(
        connection, shipment_id, Arrival(after), who, town.now, schedule=town.dice.randrange(8) > 0
    )
    town.acts["amend"] += 1
    town.refused += done.outcome not in CHANGED


async def _press(
    town: Town, connection: asyncpg.pool.PoolConnectionProxy, shipment_id: int, progress: Progress, offer: Offer
) -> None:
    act = await _act(town, progress, offer)
    if act is None:
        return
    answers = await acting.act(connection, {shipment_id: act}, town.dice.choice(PEOPLE), town.now, RULES)
    town.acts[str(offer.kind)] += 1
    town.refused += answers[shipment_id] is not None
    if offer.kind is ActKind.ORDER_RETURN and answers[shipment_id] is None:
        town.returns.add(offer.reference)


async def _act(town: Town, progress: Progress, offer: Offer) -> Act | None:
    """What a person says with it. They are truthful: what they enter they have read at ClickPost."""
    turn = next((each for each in progress.turns if each.reference == offer.reference), None)
    booked = town.sandbox.book.find(offer.reference)
    given = booked.awb if booked is not None and booked.books_at is not None else ""
    match offer.kind:
        case ActKind.SCHEDULE:
            return Schedule(courier=town.dice.choice((None, *offer.couriers)))
        case ActKind.CANCEL:
            return Cancel() if town.dice.randrange(4) == 0 else None
        case ActKind.DISPATCH:
            return _dispatched(town, progress) if town.dice.randrange(8) == 0 else None
        case ActKind.ENTER_AWB:
            return EnterAwb(offer.reference, given) if given and town.clock.now() >= booked_at(booked) else None
        case ActKind.USE_PAPER:
            return UsePaper(offer.reference, "0" * 64, 1)
        case ActKind.NOT_BOOKED if given:
            return None
        case ActKind.WRONG_AWB if turn is not None and turn.awb == given:
            return None
        case _:
            return plain_act(offer.kind, offer.reference)


def booked_at(booked: Booked | None) -> float:
    assert booked is not None
    assert booked.books_at is not None
    return booked.books_at


def _dispatched(town: Town, progress: Progress) -> Dispatch | None:
    """What is marked as dispatched is with the courier."""
    booked = town.sandbox.book.find(progress.holder.reference) if progress.holder else None
    if booked is None or booked.cancelled_at is not None:
        return None
    if not booked.picked_up(town.clock.now()):
        booked.picked_up_by_hand_at = town.clock.now()
    return Dispatch()


async def judge(town: Town, began: float) -> Result:
    async with town.pool.acquire() as connection:
        seen = {}
        for start in range(0, len(town.ids), 500):
            seen |= await showing.see(connection, town.ids[start : start + 500])
    turns = {turn.reference: (each, turn) for each in seen.values() for turn in each.progress.turns}
    now, found, live = town.clock.now(), Counter[str](), Counter[int]()
    for booked in town.sandbox.book.bookings():
        if not booked.awb or booked.books_at is None or booked.books_at > now:
            continue
        each, turn = turns[booked.reference]
        if turn.awb != booked.awb:
            found["unknown"] += not booked.cancelled(now)
        elif booked.cancelled(now):
            found["cancelled"] += 1
        elif turn.kind is TurnKind.HOLDS:
            live[each.id] += 1
            found["old"] += not _same_boxes(booked, each.shipment)
        elif _is_shown(each.progress, turn):
            found["shown"] += 1
        else:
            live[each.id] += 1
    stuck = [each for each in seen.values() if _is_stuck(each.progress)]
    wrongly = [reference for reference in town.noting.after_pickup if reference not in town.returns]
    return Result(
        histories=len(town.ids),
        bookings=len(town.sandbox.book),
        acts=dict(town.acts.most_common()),
        refused=town.refused,
        versions=sum(each.progress.version for each in seen.values()),
        ends=dict(Counter(str(status(each.progress)) for each in seen.values()).most_common()),
        cancelled=found["cancelled"],
        shown=found["shown"],
        old_box_data=found["old"],
        unknown=found["unknown"],
        two_live=sum(count > 1 for count in live.values()),
        cancelled_after_pickup=len(wrongly),
        stuck=len(stuck),
        seconds=round(time.monotonic() - began, 1),
    )


def _same_boxes(booked: Booked, present: Shipment) -> bool:
    sent = [(box.weight_g, box.length_cm) for box in booked.order.boxes]
    return sent == [(box.weight_g, box.length_cm) for box in present.boxes]


def _is_shown(progress: Progress, turn: Turn) -> bool:
    """Before a person's eyes, or seen to by one."""
    return turn.state in SHOWN and (turn.settled or turn in [shown for _, shown in concerns(progress)])


def _is_stuck(progress: Progress) -> bool:
    """Something is still being asked or cancelled, a day after people went home."""
    moving = (TurnKind.OPEN, TurnKind.HOLDS)
    waits = [turn for turn in progress.turns if turn.kind in moving and turn.step is not None]
    shown = [shown for _, shown in concerns(progress)]
    surplus = [turn for turn in progress.turns if turn.state is State.SURPLUS]
    return bool(surplus) or any(turn not in shown for turn in waits)


async def run(dsn: str, histories: int, seed: int, folder: Path) -> Result:
    began, clock = time.monotonic(), ManualClock(BEGINS.timestamp())
    connection = await asyncpg.connect(dsn)
    await migrate(connection)
    await connection.close()
    pool = await connect_pool(dsn, size=3)
    policy = Policy(off=OFF, weights={Mischief.PICKED_UP: 4})
    options = Options(seed=seed, policy=policy, plain_labels=True, outage_every=0)
    try:
        async with serve(options, clock) as sandbox, Http() as http:
            vault = Vault("of this bench alone")
            await furnish(pool, sandbox, vault)
            account = Connector(sandbox.username, sandbox.key)
            endpoints = Endpoints(sandbox.url, allow_private_addresses=True)
            noting = Noting(ClickPost(account, endpoints, http), sandbox, clock)
            labels = LabelStore.at(str(folder / "labels"))
            tools = Tools(pool, Keyring(vault), labels, lambda _: noting, RULES, calls_max=CALLS_MAX)
            town = Town(pool, tools, sandbox, clock, noting, random.Random(seed))  # noqa: S311 - not for secrets
            await begin(town, histories)
            await live_through(town)
            return await judge(town, began)
    finally:
        pool.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench changes", description=__doc__)
    parser.add_argument("--histories", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with postgres.running(folder / "postgres", durable=False) as dsn:
            result = asyncio.run(run(dsn, given.histories, given.seed, folder))
    for key, value in asdict(result).items():
        print(f"{key.replace('_', ' '):<24}{value}")
    if given.json:
        print(json.dumps(asdict(result)))
    bad = result.old_box_data, result.unknown, result.two_live, result.cancelled_after_pickup, result.stuck
    if any(bad):
        sys.exit("The books do not agree with the sandbox's truth.")


if __name__ == "__main__":
    main()
