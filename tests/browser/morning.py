"""What happened before anybody looks: hours of bookings, gone through in seconds, with the real dispatcher's rounds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bilty.dispatcher import Tools, work_off
from bilty.importing import import_orders, schedule_orders
from bilty.intake import Accepted, parse_shipment
from bilty.jobs import Tools as JobTools
from bilty.jobs import work
from bilty.outgoing.http import Http
from bilty.running import dispatch_tools, job_tools
from bilty.store.access import Role
from bilty.store.amending import Amending, amend
from bilty.store.audit import Actor, ActorKind
from bilty.store.jobs import JobKind, begin
from bilty.store.shipments import Arrival, keep
from bilty.workflow import Status
from browser.panel import EMAILS, Panel
from process.town import Town
from web.house import Document, shipment

TICK = timedelta(seconds=30)
ROUNDS_MAX = 20


@dataclass(slots=True)
class Morning:
    """Bilty's time and the couriers' go together, from `now`, which lies in the past, as far as they are told."""

    panel: Panel
    tools: Tools
    job_tools: JobTools
    now: datetime
    ids: list[int] = field(default_factory=list)

    async def furnish(self) -> None:
        """The sandbox's account as shipping provider, and the sample facilities."""
        state = self.panel.state
        await Town(state.pool, self.panel.sandbox.url).furnish(state.vault)

    async def goes_on(self, minutes: float) -> None:
        until = self.now + timedelta(minutes=minutes)
        while self.now < until:
            step = min(TICK, until - self.now)
            self.now += step
            self.panel.time.advance(step.total_seconds())
            for _ in range(ROUNDS_MAX):
                if not await work_off(self.tools, self.now):
                    break

    async def until_now(self) -> None:
        """To the moment at which somebody looks."""
        await self.goes_on((datetime.now(UTC) - self.now).total_seconds() / 60)

    async def imports(self, orders: Path, *, schedule: bool = True) -> None:
        """What of that file is new is taken in."""
        report = await import_orders(self.panel.state.pool, orders, self.panel.state.settings.intake_rules, self.now)
        assert report.faults == []
        self.ids = report.ids
        if schedule:
            await schedule_orders(self.panel.state.pool, report.ids, self.now)

    async def takes_in(self, schedule: bool = True, **changed: object) -> int:
        """One shipment, like the web tests' but for what is changed."""
        async with self.panel.state.pool.acquire() as connection, connection.transaction():
            kept = (await keep(connection, [self._arrival(changed)], self.now))[0]
        assert kept.shipment_id, kept
        if schedule:
            await schedule_orders(self.panel.state.pool, [kept.shipment_id], self.now)
        return kept.shipment_id

    async def changes(self, shipment_id: int, **changed: object) -> None:
        """A dispatcher edits it, and it is to be booked as it is then."""
        async with self.panel.state.pool.acquire() as connection, connection.transaction():
            actor = Actor(ActorKind.USER, EMAILS[Role.DISPATCHER])
            done = await amend(connection, shipment_id, self._arrival(changed), actor, self.now, schedule=True)
        assert done.outcome is Amending.VERSION, done

    def _arrival(self, changed: Document) -> Arrival:
        parsed = parse_shipment(shipment(**changed), self.panel.state.settings.intake_rules, self.now.date())
        assert isinstance(parsed, Accepted), parsed
        return Arrival(parsed.shipment, parsed.hold or "", tuple(each.message for each in parsed.warnings))

    async def asks(
        self,
        kind: JobKind,
        shipment_ids: Sequence[int] = (),
        *,
        by: Role = Role.DISPATCHER,
        done: bool = True,
        **given: str,
    ) -> None:
        """Somebody starts a job; it is done, or waits."""
        async with self.panel.state.pool.acquire() as connection, connection.transaction():
            actor = Actor(ActorKind.USER, EMAILS[by])
            job_id = await begin(connection, kind, given, actor, shipment_ids=shipment_ids)
        if done:
            await work(self.job_tools, job_id, lambda: False)

    async def ids_of(self, status: Status) -> list[int]:
        sql = "SELECT id FROM shipments WHERE status = $1 ORDER BY id"
        return [row["id"] for row in await self.panel.state.pool.fetch(sql, status)]


@asynccontextmanager
async def morning_of(panel: Panel) -> AsyncIterator[Morning]:
    """Begins when the couriers' time does."""
    state = panel.state
    async with Http() as http:
        began = datetime.fromtimestamp(panel.time.now(), UTC)
        yield Morning(panel, dispatch_tools(state, http), job_tools(state, http), began)
