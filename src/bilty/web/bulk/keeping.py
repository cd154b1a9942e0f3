"""Rows kept in sets, by the code that keeps single requests, on a connection that is held for one set only."""

import asyncio
import traceback
from collections.abc import Sequence

import structlog

from bilty.intake import Accepted
from bilty.store import access
from bilty.store.access import Caller
from bilty.store.audit import Actor
from bilty.store.database import UNAVAILABLE, Connection, Pool
from bilty.web import arriving
from bilty.web.arriving import Brought, Taken
from bilty.web.bulk.gate import COME_AGAIN_AFTER_S, Gate
from bilty.web.keys import refusal
from bilty.web.problems import ProblemError, plain

TRY_AGAIN_S_MIN, TRY_AGAIN_S_MAX = 0.2, 5.0
DATABASE_AWAY_S_MAX = 60.0
KEY_LOOKED_AT_EVERY_S = 30.0

log = structlog.get_logger()


class Keeper:
    """Keeps what one key brings for as long as the key is good."""

    def __init__(
        self,
        pool: Pool,
        gate: Gate,
        whose: Caller,
        actor: Actor,
        *,
        away_s_max: float = DATABASE_AWAY_S_MAX,
        key_looked_at_every_s: float = KEY_LOOKED_AT_EVERY_S,
    ) -> None:
        self._pool, self._gate, self._whose, self._actor = pool, gate, whose, actor
        self._away_s_max, self._key_looked_at_every_s = away_s_max, key_looked_at_every_s
        self._has_failed = False
        self._clock = asyncio.get_running_loop().time
        self._key_seen_at = self._clock()

    @property
    def key_id(self) -> int:
        return self._whose.id

    async def keep(self, together: Sequence[Accepted]) -> list[Taken | Exception]:
        """Raises ProblemError when it cannot go on: the key is good no longer, or the database stays away.

        A set that cannot be kept is tried one by one, so that no row suffers for its neighbour.
        """
        if not together:
            return []
        try:
            return [*await self._patiently(together)]
        except ProblemError:
            raise
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is that row's to tell
            if len(together) > 1:
                return [result for each in together for result in await self.keep([each])]
            self._log(trouble)
            return [trouble]

    def _log(self, trouble: Exception) -> None:
        """Once a stream: what fails on one row may fail on a million. Without the values of variables, as elsewhere."""
        if not self._has_failed:
            log.error("bulk.row_failed", trace="".join(traceback.format_exception(trouble)))
        self._has_failed = True

    async def _patiently(self, together: Sequence[Accepted]) -> list[Taken]:
        """Again while the database is away, which may be for as long as it takes to start anew."""
        until, pause_s = self._clock() + self._away_s_max, TRY_AGAIN_S_MIN
        while True:
            try:
                return await self._once(together)
            except UNAVAILABLE as trouble:
                if isinstance(trouble, ValueError):  # of a value that asyncpg cannot write: the row's fault
                    raise
                log.warning("database.away", during="bulk", why=type(trouble).__name__)
                if self._clock() + pause_s > until:
                    raise plain(503, {"Retry-After": str(COME_AGAIN_AFTER_S)}) from None
            await asyncio.sleep(pause_s)
            pause_s = min(TRY_AGAIN_S_MAX, pause_s * 2)

    async def _once(self, together: Sequence[Accepted]) -> list[Taken]:
        async with self._gate.sets, self._pool.acquire() as connection, connection.transaction():
            if self._clock() - self._key_seen_at > self._key_looked_at_every_s:
                await self._look_at_key(connection)
            brought = [Brought(each, self._actor, self._whose.facilities) for each in together]
            return await arriving.keep(connection, brought)

    async def _look_at_key(self, connection: Connection) -> None:
        """A stream may take an hour, and a key may be revoked in its middle."""
        found = await access.caller_numbered(connection, self._whose.id)
        if not isinstance(found, Caller):
            raise refusal(found)
        self._whose, self._key_seen_at = found, self._clock()
