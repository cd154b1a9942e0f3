"""How much is said to a shipping provider at once, and how fast: by all programs together, as ClickPost counts it.

    calls at once   turns that are claimed and not settled, and `side_calls`, which are no turn's
    calls a second  every call moves `paced_until` on; what is ahead of now by more than a burst has to wait
    quiet           until `quiet_until`: ClickPost said 429, come again later, and nobody says anything meanwhile

What is out stands in the claims themselves, so that a dead worker's places come back with its leases, and nothing has
to be put right after a crash. Whoever counts is alone at it (`LOCK`), or two would take the last place.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bilty.store.database import Connection, Pool

LEASE = timedelta(seconds=60)
"""For how long a call has its place, should nobody ever say that it is over."""
LOCK = 0x70_6C_61_63  # "plac": of two keys, the other is the provider's
STALLED = "10s"
"""A process that is stopped while it counts holds up the others no longer: its transaction ends."""
BURST_S, SPREAD = 0.08, 1.1
"""Of calls that may go in a second, so many go at once after a rest; and each takes a little more than its share, so
that no second has more of them, wherever it begins."""
LOOK_AGAIN_S = 0.2
WISH = timedelta(seconds=1)
"""So long a place is left free for whoever waits for one, unless asked for again."""
LIMITLESS = 1_000_000

_SIDE = "FROM side_calls c WHERE c.provider_id = p.id AND c.until > clock.now AND"
BESIDE = f"(SELECT count(*) {_SIDE} NOT c.waits)"
WANTED = f"(SELECT count(*) FROM (SELECT 1 {_SIDE} c.waits LIMIT 1) AS wishes)"  # noqa: S608 - constants
"""1 where a side call waits: turns are claimed in sets, the moment a place is free, and would never leave it one."""
OUT = f"""((SELECT count(*) FROM turns o WHERE o.provider_id = p.id AND o.claimed_at > clock.now - $2::interval)
    + {BESIDE})"""  # noqa: S608 - constants
"""Calls of provider `p` that are out at `clock.now`. $2 is the lease."""
ROOM = f"""least((p.connector->>'calls_at_once')::int
    - CASE WHEN p.connector ? 'calls_at_once' THEN greatest(busy.calls, {OUT}) + {WANTED} END,
    coalesce((p.connector->>'calls_at_once')::int, $1) - coalesce(busy.calls, 0))"""
"""Places that are left of `calls_at_once`, which counts everybody's calls; of $1, which goes for a connector that does
not say, the caller's own alone: else what a killed program had out would keep all the others waiting for its leases.
`busy.calls` are the caller's own."""
IS_LIMITED = "p.connector ?| ARRAY['calls_at_once', 'calls_per_second']"
PACED = f"""greatest(0, coalesce(floor(1 + ({BURST_S}
        - greatest(0, coalesce(extract(epoch FROM p.paced_until - clock.now), 0)))
    * (p.connector->>'calls_per_second')::int / {SPREAD}), {LIMITLESS}))::int"""
"""How many calls may leave at `clock.now`."""
NOT_QUIET = "(p.quiet_until IS NULL OR p.quiet_until <= clock.now)"
STARTS_AT = f"greatest(p.quiet_until, p.paced_until - {BURST_S} * interval '1 s')"
"""Before then no call may leave. Null where nothing is in the way."""
_SHARE = f"{SPREAD} * interval '1 s' / (p.connector->>'calls_per_second')::int"


async def pace(connection: Connection, calls: Mapping[int, int], now: datetime) -> None:
    """So many calls leave now, by provider."""
    await connection.execute(
        f"""UPDATE shipping_providers p
              SET paced_until = greatest(p.paced_until, $3::timestamptz) + mine.calls * {_SHARE}
             FROM unnest($1::int[], $2::int[]) AS mine(id, calls)
            WHERE p.id = mine.id AND p.connector ? 'calls_per_second'""",  # noqa: S608 - constants
        list(calls.keys()),
        list(calls.values()),
        now,
    )


async def another(pool: Pool, provider_id: int, *, now: datetime | None = None) -> float:
    """Takes the next moment for one more call of a claim, which paid for its first alone: in how many seconds."""
    seconds = await pool.fetchval(
        f"""WITH clock AS MATERIALIZED (SELECT coalesce($2::timestamptz, clock_timestamp()) AS now),
                 p AS (SELECT id, connector, paced_until FROM shipping_providers
                        WHERE id = $1 AND connector ? 'calls_per_second' FOR NO KEY UPDATE)
            UPDATE shipping_providers w SET paced_until = greatest(p.paced_until, clock.now) + {_SHARE}
              FROM p, clock WHERE w.id = p.id
            RETURNING extract(epoch FROM p.paced_until - clock.now)::float8 - {BURST_S}""",  # noqa: S608 - constants
        provider_id,
        now,
    )
    return max(0.0, seconds or 0.0)


@dataclass(frozen=True, slots=True)
class Place:
    """Among the calls that a provider may have out at once."""

    id: int


class NoPlace(Exception):  # noqa: N818 - nothing is wrong
    """Nothing was asked, and cannot be for at least `wait_s` more: nobody was silent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"no place for {wait_s:.1f} s")
        self.wait_s = wait_s


async def enter(
    connection: Connection, provider_id: int, calls_max: int, *, now: datetime | None = None
) -> Place | float:
    """A place for one call that is no turn's, which `leave` gives back; or after how many seconds to ask again.

    The caller holds a transaction, and makes the call when that is committed. `calls_max` goes for a connector that
    does not say, and counts such calls only.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", LOCK, provider_id)
    row = await connection.fetchrow(_ENTER, calls_max, LEASE, provider_id, now, WISH)
    if row is None:
        raise ValueError(f"there is no shipping provider {provider_id}")
    return max(row["wait_s"] or 0.0, LOOK_AGAIN_S) if row["place"] is None else Place(row["place"])


_ENTER = f"""
    WITH clock AS MATERIALIZED (SELECT coalesce($4::timestamptz, clock_timestamp()) AS now),
         over AS (DELETE FROM side_calls USING clock WHERE provider_id = $3 AND until <= clock.now),
         free AS (SELECT p.id, p.connector FROM shipping_providers p CROSS JOIN clock
                   WHERE p.id = $3 AND {NOT_QUIET} AND {PACED} > 0 AND CASE
                         WHEN p.connector ? 'calls_at_once' THEN (p.connector->>'calls_at_once')::int > {OUT}
                         ELSE $1 > {BESIDE} END),
         taken AS (INSERT INTO side_calls (provider_id, until)
                   SELECT free.id, clock.now + $2 FROM free CROSS JOIN clock RETURNING id),
         wish AS (INSERT INTO side_calls (provider_id, until, waits)
                  SELECT p.id, clock.now + $5, true FROM shipping_providers p CROSS JOIN clock
                   WHERE p.id = $3 AND (p.connector->>'calls_at_once')::int > 1 AND {NOT_QUIET}
                     AND NOT EXISTS (SELECT FROM free)),
         paced AS (UPDATE shipping_providers w SET paced_until = greatest(w.paced_until, clock.now) + {_SHARE}
                     FROM free p CROSS JOIN clock WHERE w.id = p.id AND p.connector ? 'calls_per_second')
    SELECT (SELECT id FROM taken) AS place, extract(epoch FROM {STARTS_AT} - clock.now)::float8 AS wait_s
      FROM shipping_providers p CROSS JOIN clock WHERE p.id = $3"""  # noqa: S608 - constants


async def leave(connection: "Connection | Pool", place: Place) -> None:
    await connection.execute("DELETE FROM side_calls WHERE id = $1", place.id)


@asynccontextmanager
async def place(pool: Pool, provider_id: int, calls_max: int, patience_s: float = math.inf) -> AsyncIterator[None]:
    """Around one call that is no turn's: begins when it may be made, however long that takes.

    Raises NoPlace as soon as it is known that the wait is longer than `patience_s`.
    """
    time = asyncio.get_running_loop().time
    end = time() + patience_s
    found = await _enter(pool, provider_id, calls_max)
    while not isinstance(found, Place):
        if time() + found > end:
            raise NoPlace(found)
        await asyncio.sleep(found)
        found = await _enter(pool, provider_id, calls_max)
    try:
        yield
    finally:
        await leave(pool, found)


async def _enter(pool: Pool, provider_id: int, calls_max: int) -> Place | float:
    async with pool.acquire() as connection, connection.transaction():
        return await enter(connection, provider_id, calls_max)
