"""The states in which every screen is looked at: a database each, with a history behind it."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bilty.deciding.found import Difference
from bilty.shipping_provider import Connector, Kind, ShippingProvider
from bilty.store import attachments, differences, providers, reconciling
from bilty.store.access import Role
from bilty.store.attachments import Given
from bilty.store.audit import Actor, ActorKind
from bilty.store.differences import Found
from bilty.store.jobs import JobKind
from bilty.workflow import Status
from bilty_sandbox import DEMO_USERNAME, Policy, Rule
from bilty_sandbox import Kind as Mischief
from browser import brought, loaded, longest, told
from browser.morning import Morning, morning_of
from browser.panel import Panel, panel_at, running
from jobs.desk import label_pdf
from process.town import EXAMPLES, PROVIDER, first_orders
from web.house import SHIPMENT

TIMED = (Mischief.SLOW, Mischief.OUTAGE, Mischief.BOOKED_HANG)
"""Answers that are held back would hold back the morning too."""


def story(number: str, **tiers: str) -> tuple[Rule, ...]:
    """What befalls a shipment: story("SO-10901", p1="refuse_319", p2="async"). References begin with its number."""
    rules = []
    for tier, kinds in tiers.items():
        named = tuple(Mischief(each) for each in kinds.removesuffix("*").split("+"))
        times = 99 if kinds.endswith("*") else None
        priority = int(tier[1:]) if tier != "others" else None
        rules.append(Rule(kinds=named, reference_prefix=f"{number[:8]}-", priority=priority, times=times))
    return tuple(rules)


async def empty(morning: Morning, folder: Path) -> None:
    """Nothing is set up."""


async def one(morning: Morning, folder: Path) -> None:
    """The first shipment, its label not yet there."""
    await morning.furnish()
    await told.order_system(morning)
    await morning.goes_on(176)
    shipment_id = await morning.takes_in(number="SO-10901")
    await morning.until_now()
    await told.receives(morning)
    await morning.asks(JobKind.EXPORT, [shipment_id], done=False)


async def full(morning: Morning, folder: Path) -> None:
    """A morning's sixty: most have their label, some are on their way, the last wait to be scheduled or on hold."""
    await morning.furnish()
    await told.order_system(morning)
    for count in range(6, 49, 6):
        await morning.imports(first_orders(count, folder / "orders.csv"))
        await morning.goes_on(18)
    await morning.goes_on(10)
    await morning.imports(first_orders(50, folder / "orders.csv"))
    await morning.goes_on(17)
    await morning.imports(first_orders(52, folder / "orders.csv"))
    await morning.goes_on(7)
    await told.order_system(morning, told.ERP, told.CLOSED)
    await morning.imports(first_orders(55, folder / "orders.csv"))
    await morning.imports(first_orders(58, folder / "orders.csv"), schedule=False)
    await morning.imports(EXAMPLES / "orders-on-hold.csv", schedule=False)
    await morning.until_now()
    await told.receives(morning, all_but=2)
    await told.fails(morning, told.ERP)
    ready = await morning.ids_of(Status.LABEL_READY)
    await morning.asks(JobKind.PRINT, ready[:-8])
    await morning.asks(JobKind.PRINT, ready[:2])
    await attaches(morning, ready[0])
    await morning.asks(JobKind.SCHEDULE, [*ready[:3], *(await morning.ids_of(Status.CREATED))[:1]])
    await morning.asks(JobKind.EXPORT, morning.ids)
    await morning.asks(JobKind.TEST_CONNECTION, by=Role.ADMIN, provider=PROVIDER.code)
    await morning.asks(JobKind.PRIORITIES, by=Role.ADMIN, provider=PROVIDER.code, facility="BLR-1", pincode="411018")
    await morning.asks(JobKind.TEST_EVENT, by=Role.ADMIN, endpoint=told.ERP)
    await brought.files(morning, folder)
    await loaded.trucks(morning.panel.state.pool, morning.now)


async def attaches(morning: Morning, shipment_id: int) -> None:
    """An invoice, as a PDF."""
    content, state = label_pdf("Invoice"), morning.panel.state
    given = Given(attachments.Kind.INVOICE, "INV-10001.pdf", content, hashlib.sha256(content).hexdigest(), 1)
    async with state.pool.acquire() as connection, connection.transaction():
        await attachments.attach(
            connection, state.labels, shipment_id, given, Actor(ActorKind.USER, "asha@example.com")
        )


async def failing(morning: Morning, folder: Path) -> None:
    """Every way in which a shipment can need a person, ClickPost silent since, and an order system gone for days."""
    await morning.furnish()
    await told.order_system(morning)
    await morning.imports(first_orders(24, folder / "orders.csv"))
    await morning.takes_in(number="SO-11100", consignee={**SHIPMENT["consignee"], **NOWHERE})
    await morning.takes_in(number="SO-11101", invoices=[{**SHIPMENT["invoices"][0], "value": "123600.00"}])
    await wrong_key(morning)
    await morning.goes_on(150)
    await morning.imports(first_orders(25, folder / "orders.csv"))
    await morning.goes_on(1)
    morning.panel.sandbox.world.silent_until = morning.panel.time.now() + 10 * 3600
    await morning.imports(first_orders(26, folder / "orders.csv"))
    await morning.until_now()
    await told.fails(morning, told.OMS, hours=72.5, disabled=True)
    await books_differ(morning)


async def books_differ(morning: Morning) -> None:
    """A comparison found that a label which is here is void at ClickPost."""
    async with morning.panel.state.pool.acquire() as connection, connection.transaction():
        await reconciling.begin(connection)
        taken, row = (
            await reconciling.take(connection),
            await connection.fetchrow("SELECT id, awb FROM turns WHERE state = 'won' ORDER BY id LIMIT 1"),
        )
        assert taken, "nobody else compares"
        assert row, "somebody has a label"
        void = Found(row["id"], Difference.CANCELLED_THERE, row["awb"], message="Cancelled")
        await differences.write(connection, [void], taken.id, taken.begun_at)
        await reconciling.end(connection, taken)


async def wrong_key(morning: Morning) -> None:
    """A second account, whose key ClickPost rejects."""
    state = morning.panel.state
    west = ShippingProvider("clickpost-west", Kind.CLICKPOST_B2B, "ClickPost B2B, west")
    async with state.pool.acquire() as connection, connection.transaction():
        await providers.put_provider(connection, west)
        await providers.put_connector(connection, state.vault, west.code, Connector(DEMO_USERNAME, "a-key-of-before"))
    await morning.takes_in(number="SO-11300", shipping_provider=west.code)


async def long(morning: Morning, folder: Path) -> None:
    """Names as long as they may be."""
    await morning.furnish()
    await longest.furnish(morning)
    await told.many(morning)
    morning.ids = [await morning.takes_in(**longest.shipment(number)) for number in longest.NUMBERS]
    await morning.until_now()
    await morning.asks(JobKind.PRINT, morning.ids[:1])
    await morning.changes(morning.ids[0], **longest.shipment(longest.NUMBERS[0]) | {"boxes": longest.BOXES})
    await told.fails(morning, told.LONG_CODE, f"{told.FULL} {longest.ADDRESS}.")


FAILING = (
    *story("SO-10013", others="refuse_354"),
    *story("SO-10014", others="never"),
    *story("SO-10015", p1="label_never"),
    *story("SO-10016", p1="late+cancel_refused*", others="at_once"),
    *story("SO-10017", others="refuse_301"),
    *story("SO-10018", p1="late+picked_up", others="at_once"),
    *story("SO-10025", others="async"),
    *story("SO-10026", others="async"),
    Rule(kinds=(Mischief.REFUSE_319,)),
)
NOWHERE = {"city": "Port Blair", "state": "Andaman and Nicobar Islands", "pincode": "744301"}
"""No courier of the sandbox serves it."""


@dataclass(frozen=True, slots=True)
class State:
    """`lives` through the three hours before now, in a world with these `rules` and, with `dice`, much else."""

    lives: Callable[[Morning, Path], Awaitable[None]]
    rules: tuple[Rule, ...] = ()
    dice: bool = False

    @property
    def policy(self) -> Policy:
        return Policy(enabled=self.dice, off=TIMED, rules=self.rules)


STATES: Mapping[str, State] = {
    "empty": State(empty),
    "one": State(one, story("SO-10901", p1="refuse_319", p2="async")),
    "full": State(
        full,
        (
            *story("SO-10050", p1="never", p2="never", p3="async"),
            *story("SO-10052", p1="refuse_319", p2="never"),
            *story("SO-10054", p1="async"),
            *story("SO-10055", p1="refuse_354", p2="async"),
        ),
        dice=True,
    ),
    "failing": State(failing, FAILING),
    "longest": State(
        long,
        (
            *story(longest.NUMBERS[1], p1="refuse_319", p2="never", p3="never"),
            *story(longest.NUMBERS[2], others="refuse_354"),
            *story(longest.NUMBERS[3], others="label_never"),
        ),
    ),
}


@asynccontextmanager
async def standing(name: str, dsn: str, folder: Path) -> AsyncIterator[Panel]:
    """The panel in one of STATES: nothing works on it, so it stays so."""
    state = STATES[name]
    async with panel_at(dsn, folder, policy=state.policy, hours_ago=3) as panel:
        async with morning_of(panel) as morning:
            await state.lives(morning, folder)
        async with running(panel, work=False):
            yield panel
