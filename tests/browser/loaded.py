"""A truck that is being loaded: one shipment complete, one short, one that may not go any more, the others not scanned
yet; and one that has gone."""

from datetime import datetime

from bilty.store import handovers
from bilty.store.audit import Actor, ActorKind
from bilty.store.database import Connection, Pool
from bilty.store.handovers import Handover
from bilty.turn import Rules

LOOKED_AT = ("SO-10001", "SO-10050")
"""Other screens are about these: they stay."""
WHO = Actor(ActorKind.USER, "asha@example.com")


async def trucks(pool: Pool, now: datetime) -> None:
    """Handover 1 is open, of the courier that has most; handover 2 has gone."""
    async with pool.acquire() as connection, connection.transaction():
        most, then = sorted(await handovers.waiting(connection, None, 10), key=lambda each: -each.shipments)[:2]
        for truck, of_the_second in ((most, 1), (then, 0)):
            begun = await handovers.begin(connection, truck.facility_id, truck.courier_id, WHO, now)
            assert begun is not None
            handover = await handovers.one(connection, begun[0], None, lock=True)
            assert handover is not None
            ready = [each for each in await handovers.loads(connection, handover) if each.number not in LOOKED_AT]
            first, *others = sorted(ready, key=lambda each: -each.boxes)
            ticks = [(first, number) for number in first.missing[: len(first.missing) - of_the_second]]
            ticks += [(others[0], number) for number in others[0].missing] if of_the_second else []
            for load, number in ticks:
                await handovers.tick(connection, handover, load.turn_id, load.shipment_id, number, WHO, now)
            if truck is most:
                await _not_any_more(connection, handover, now)
            else:
                await handovers.close(connection, handover, WHO, now, Rules())


async def _not_any_more(connection: Connection, handover: Handover, now: datetime) -> None:
    """A box stands on the truck whose shipment waits for a person since then."""
    row = await connection.fetchrow(
        """SELECT t.id, t.shipment_id FROM turns t JOIN shipments s ON s.id = t.shipment_id
            WHERE s.status = 'needs_attention' ORDER BY t.id LIMIT 1"""
    )
    assert row is not None, "the screens have one that waits for a person"
    await handovers.tick(connection, handover, row["id"], row["shipment_id"], 1, WHO, now)
