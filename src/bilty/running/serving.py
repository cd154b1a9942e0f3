"""Panel, dispatcher, deliverer and jobs of one process, from start to stop."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bilty import jobs
from bilty.dispatcher import Dispatcher
from bilty.oms.deliverer import Deliverer
from bilty.outgoing.http import Http
from bilty.running.ground import Opened, keep_database
from bilty.running.parts import delivery_tools, dispatch_tools, job_tools
from bilty.running.server import bound, server_of
from bilty.store.database import DUE_CHANNEL, HAND_OFF_CHANNEL, listening
from bilty.web.changes import Changes

GRACE_S = 60
"""For a stop: longer than the dispatcher takes to hear the calls that are out."""


@dataclass(frozen=True, slots=True)
class _Workers:
    """What `bilty work` consists of."""

    dispatcher: Dispatcher
    deliverer: Deliverer
    worker: jobs.Worker

    @classmethod
    def of(cls, state: Opened, http: Http) -> "_Workers":
        return cls(
            Dispatcher(dispatch_tools(state, http)),
            Deliverer(delivery_tools(state, http)),
            jobs.Worker(job_tools(state, http), state.database.dsn),
        )

    def __iter__(self) -> Iterator[Dispatcher | Deliverer | jobs.Worker]:
        return iter((self.dispatcher, self.deliverer, self.worker))

    def hear(self, channel: str) -> None:
        if channel == DUE_CHANNEL:
            self.dispatcher.wake()
        if channel == HAND_OFF_CHANNEL:
            self.deliverer.wake()


async def run(
    state: Opened,
    *,
    web: bool,
    work: bool,
    ready: Callable[[], object] = lambda: None,
    beside: Coroutine[object, object, None] | None = None,
) -> None:
    """Panel, or dispatcher, deliverer and jobs, or all, until SIGTERM, SIGINT or the end of `beside`.

    What is out is heard and settled first, and a job ends behind the step that it is in.
    Raises what a part raised: none of them ends by itself.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopping.set()
        loop.remove_signal_handler(signal.SIGINT)  # a second Ctrl-C does not wait for anybody

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    changes = Changes()
    async with Http() as http, _closing(beside), asyncio.TaskGroup() as group:
        workers = _Workers.of(state, http) if work else None
        server = server_of(state, changes) if web else None

        def heard(channel: str, payload: str) -> None:
            changes.heard(channel, payload)
            if workers:
                workers.hear(channel)

        helpers = [group.create_task(keep_database(state)), group.create_task(_until(beside, stopping))]
        parts = [group.create_task(each.run()) for each in workers or ()]
        parts += [group.create_task(server.serve([bound(state.settings)]))] if server else []
        _keep_what_is_loaded()
        async with listening(state.database.dsn, heard):
            ready()
            await stopping.wait()
            changes.close()
            for each in workers or ():
                each.stop()
            if server:
                server.should_exit = True
            await asyncio.wait(parts, timeout=GRACE_S)
        for task in (*helpers, *parts):
            task.cancel()


def _keep_what_is_loaded() -> None:
    """Half a million objects of modules and routes stay to the end, and are looked through for garbage no more.

    Each time they were, everybody stood still meanwhile.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _closing(beside: Coroutine[object, object, None] | None) -> AsyncIterator[None]:
    """Should it never come to be awaited, because something else cannot start, nobody is warned of that."""
    try:
        yield
    finally:
        if beside is not None:
            beside.close()


async def _until(beside: Coroutine[object, object, None] | None, stopping: asyncio.Event) -> None:
    if beside is not None:
        await beside
        stopping.set()
