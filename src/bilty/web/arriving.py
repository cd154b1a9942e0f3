"""Shipments that arrive at the same time are kept together: one transaction for many requests.

Whoever comes alone is kept at once. Whoever comes while a set is being written waits for the next, so that a busy hour
costs a transaction a set and not one a request. Each request hears of its own shipment only; a set that cannot be
written is tried again one by one, so that nobody suffers for a neighbour.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bilty.intake import Accepted
from bilty.store import shipments, showing
from bilty.store.audit import Actor
from bilty.store.database import Connection, Pool
from bilty.store.shipments import Arrival, Intake, Kept
from bilty.store.showing import Seen

SET_MAX = 200


@dataclass(frozen=True, slots=True)
class Brought:
    """A shipment as it was read, who brings it, and the ids of the facilities that one may send from, None for all."""

    parsed: Accepted
    actor: Actor
    facilities: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival. `seen` is None where it was not kept; `scheduled`: this began its first run."""

    intake: Intake
    shipment_id: int
    scheduled: bool
    seen: Seen | None


class Arrivals:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Brought, asyncio.Future[Taken]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def take(self, parsed: Accepted, actor: Actor, facilities: frozenset[int] | None) -> Taken:
        taken: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((Brought(parsed, actor, facilities), taken))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await taken

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:SET_MAX], self._waiting[SET_MAX:]
                if not await self._keep(together):
                    for alone in together:
                        await self._keep([alone])
        finally:
            self._writing = None

    async def _keep(self, together: Sequence[tuple[Brought, "asyncio.Future[Taken]"]]) -> bool:
        """False when they should be tried one by one. A request that is no longer waited for is kept all the same."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                results = await keep(connection, [brought for brought, _ in together])
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is the request's to tell
            if len(together) > 1:
                return False
            _answer(together[0][1], trouble)
            return True
        for (_, taken), result in zip(together, results, strict=True):
            _answer(taken, result)
        return True


def _answer(taken: "asyncio.Future[Taken]", result: Taken | Exception) -> None:
    if taken.done():
        return  # the caller has gone
    if isinstance(result, Exception):
        taken.set_exception(result)
    else:
        taken.set_result(result)


async def keep(connection: Connection, together: Sequence[Brought]) -> list[Taken]:
    """All of it happens, or nothing. A request that is repeated does not begin another run of what has failed since."""
    now = await showing.clock(connection)
    kept = await shipments.keep(connection, [_arrival(each) for each in together], now)
    known = await _known(connection, kept)
    wanted: dict[Actor, set[int]] = {}
    for each, brought in zip(kept, together, strict=True):
        new = each.shipment_id and each.intake is not Intake.DIFFERS and each.shipment_id not in known
        if brought.parsed.schedule and new:
            wanted.setdefault(brought.actor, set()).add(each.shipment_id)
    begun: set[int] = set()
    for actor, ids in wanted.items():
        courses = await shipments.schedule_all(connection, sorted(ids), now, actor=actor, run=1)
        begun |= {shipment_id for shipment_id, progress in courses.items() if progress.run > 0}
    seen = await showing.see(connection, [each.shipment_id for each in kept if each.shipment_id])
    return [
        Taken(
            intake=each.intake,
            shipment_id=each.shipment_id,
            scheduled=brought.parsed.schedule and each.shipment_id in begun,
            seen=seen.get(each.shipment_id),
        )
        for each, brought in zip(kept, together, strict=True)
    ]


def _arrival(brought: Brought) -> Arrival:
    parsed = brought.parsed
    warnings = tuple(warning.message for warning in parsed.warnings)
    return Arrival(parsed.shipment, hold=parsed.hold or "", warnings=warnings, facilities=brought.facilities)


async def _known(connection: Connection, kept: Sequence[Kept]) -> set[int]:
    """Those that were there already and have been tried."""
    there = [each.shipment_id for each in kept if each.intake is Intake.SAME]
    found = await showing.see(connection, there) if there else {}
    return {shipment_id for shipment_id, seen in found.items() if seen.progress.run > 0}
