"""The worker: PgQueuer under supervision.

PgQueuer's `run` ends when its connection does, so a new one is built, with back-off. What it then has lost sight of is
put back into the queue, see `bilty.store.job_queue.put_back`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as Queued
from pgqueuer.qm import QueueManager

from bilty.jobs.afterwards import say_afterwards
from bilty.jobs.clearing import clear_out
from bilty.jobs.finding import find_all_due
from bilty.jobs.reconciling import reconcile_if_due
from bilty.jobs.tools import StoppedEarly, Tools
from bilty.jobs.work import work
from bilty.store import afterwards, job_queue
from bilty.store.database import CONNECT_TIMEOUT_S, STATEMENT_TIMEOUT_S, UNAVAILABLE
from bilty.store.jobs import URGENT
from bilty.store.providers import Keyring

AT_ONCE = 4
"""Jobs of this process: a schedule of thousands must not hold up a print."""
AFTERWARDS_AT_ONCE = 2
"""Of all processes: a silent ClickPost must not hold up a print either."""
BEAT = timedelta(seconds=10)
"""A worker that has not been heard of for so long is dead: its jobs are another's."""
PUT_BACK_EVERY_S = 30
CLEAR_OUT_EVERY_S = 3_600
RECONCILE_LOOK_EVERY_S = 20
FIND_LOOK_EVERY_S = 1
BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)
WELL_AFTER_S = 30
RETRY_MAX_S = 30

log = structlog.get_logger()


class Worker:
    """Runs until told to stop. Any number of them, in any number of processes, may share one database."""

    def __init__(self, tools: Tools, dsn: str, *, beat: timedelta = BEAT) -> None:
        self._tools = tools
        self._keyring = Keyring(tools.vault)
        self._dsn = dsn
        self._beat = beat
        self._stopping = asyncio.Event()
        self._manager: QueueManager | None = None
        self._in_hand: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Takes no more jobs. Those in hand end after the step that they are in, and are somebody else's then."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def run(self) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while not self._stopping.is_set():
            began = clock()
            try:
                await self._serve()
            except Exception as trouble:  # noqa: BLE001 - whatever ended it, without a worker nothing is ever done
                log.warning("jobs.interrupted", why=type(trouble).__name__)
            failures = 0 if clock() - began > WELL_AFTER_S else failures + 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    async def _serve(self) -> None:
        """As long as its connection lives."""
        async with self._connected() as manager:
            serving = asyncio.create_task(
                manager.run(
                    dequeue_timeout=self._beat / 2,
                    batch_size=AT_ONCE // 2,
                    max_concurrent_tasks=AT_ONCE,
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=self._beat,
                    log_aggregation_interval=timedelta(0),
                )
            )
            beside = {
                asyncio.create_task(self._again_and_again(act, every_s))
                for act, every_s in (
                    (self._put_back, PUT_BACK_EVERY_S),
                    (self._clear_out, CLEAR_OUT_EVERY_S),
                    (self._reconcile, RECONCILE_LOOK_EVERY_S),
                    (self._find, FIND_LOOK_EVERY_S),
                )
            }
            try:
                await asyncio.wait({serving})
            finally:
                # Cancelled, PgQueuer waits for the jobs in hand: so they are cancelled, too, and until it is done.
                pending = {serving, *beside, *self._in_hand}
                while pending:
                    for task in pending:
                        task.cancel()
                    _, pending = await asyncio.wait(pending, timeout=1)
            serving.result()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[QueueManager]:
        """A connection of its own: it listens, and its end is this manager's."""
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings={"timezone": "UTC", "application_name": "bilty jobs"},
        )
        try:
            manager = self._manager = QueueManager(job_queue.queries(connection), channel=job_queue.CHANNEL)
            manager.entrypoint(job_queue.ENTRYPOINT, accepts_context=False)(self._do)
            manager.entrypoint(job_queue.AFTERWARDS, accepts_context=False, concurrency_limit=AFTERWARDS_AT_ONCE)(
                self._say_afterwards
            )
            connection.add_termination_listener(lambda _connection: manager.shutdown.set())
            if self._stopping.is_set():
                manager.shutdown.set()
            yield manager
        finally:
            self._manager = None
            connection.terminate()

    async def _again_and_again(self, act: Callable[[], Awaitable[object]], every_s: float) -> None:
        """The database may go away at any moment, and what nobody foresaw must not end it for good."""
        while True:
            try:
                await act()
            except UNAVAILABLE:
                pass
            except Exception:
                log.exception("jobs.beside_interrupted", act=getattr(act, "__name__", ""))
            await asyncio.sleep(every_s)

    async def _put_back(self) -> None:
        async with self._tools.pool.acquire() as connection:
            await job_queue.put_back(connection, URGENT)
            await afterwards.put_back(connection)

    async def _clear_out(self) -> None:
        await clear_out(self._tools)

    async def _reconcile(self) -> None:
        await reconcile_if_due(self._tools, self._stopping.is_set)

    async def _find(self) -> None:
        await find_all_due(self._tools, self._keyring)

    async def _do(self, queued: Queued) -> None:
        await self._work_on(queued, lambda job_id: work(self._tools, job_id, self._stopping.is_set))

    async def _say_afterwards(self, queued: Queued) -> None:
        await self._work_on(queued, lambda owed_id: say_afterwards(self._tools, owed_id))

    async def _work_on(self, queued: Queued, work_on: Callable[[int], Coroutine[None, None, None]]) -> None:
        job_id = int(queued.payload or b"0")
        working = asyncio.create_task(work_on(job_id))
        self._in_hand.add(working)
        working.add_done_callback(self._in_hand.discard)
        try:
            await working
        except StoppedEarly:
            raise RetryRequested(timedelta(0), "the worker stops") from None
        except UNAVAILABLE as trouble:
            log.warning("database.away", during=queued.entrypoint, job=job_id, why=type(trouble).__name__)
            wait = timedelta(seconds=min(2**queued.attempts, RETRY_MAX_S))
            raise RetryRequested(wait, type(trouble).__name__) from None
