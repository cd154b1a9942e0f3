"""What a running Bilty consists of, put together: database, label store, dispatcher, panel. `bilty.cli` starts it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import asyncpg
import structlog
import uvicorn

from bilty import jobs, postgres
from bilty.aggregator import Aggregator
from bilty.aggregator.clickpost import ClickPost, CreateStyle, Endpoints, StatusStyle
from bilty.dispatcher import Dispatcher, Tools
from bilty.outgoing.http import Http
from bilty.settings import Settings
from bilty.store.claims import Claim
from bilty.store.database import (
    CONNECT_TIMEOUT_S,
    DUE_CHANNEL,
    UNAVAILABLE,
    Pool,
    TooOldError,
    connect_pool,
    listening,
    migrate,
)
from bilty.store.labels import LabelStore
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault, kept_secret
from bilty.web import WebTools, make_app
from bilty.web.changes import Changes

BACKLOG = 4096
LOOK_EVERY_S = 1.0
GRACE_S = 60
"""For a stop: longer than the dispatcher takes to hear the calls that are out."""

log = structlog.get_logger()


class CannotStart(Exception):  # noqa: N818 - said to a person as it stands
    """One sentence: what is in the way, and the remedy."""


@dataclass(slots=True)
class Database:
    """The address of PostgreSQL and, where it is ours, how to bring it back should it die."""

    dsn: str
    revive: Callable[[], object] | None = None


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The outside server that is named, or our own, started if nobody has. Raises postgres.PostgresUnavailable."""
    if settings.database_url is not None:
        yield Database(settings.database_url.get_secret_value())
        return
    with ExitStack() as entered:

        def enter() -> str:
            return entered.enter_context(postgres.running(settings.data_dir, run_as=settings.postgres_user or None))

        yield Database(enter(), revive=enter)


@dataclass(frozen=True, slots=True)
class Opened:
    """What every command that touches the data works with."""

    settings: Settings
    database: Database
    pool: Pool
    vault: Vault
    labels: LabelStore


@asynccontextmanager
async def opened(settings: Settings, database: Database) -> AsyncIterator[Opened]:
    """Migrated and ready. Raises CannotStart."""
    try:
        pool = await connect_pool(database.dsn)
    except (*UNAVAILABLE, asyncpg.PostgresError, ValueError) as trouble:
        raise CannotStart(
            f"PostgreSQL cannot be reached ({_why_unreachable(trouble)}). "
            "Check that it runs and what BILTY_DATABASE_URL says, or leave that out to use Bilty's own."
        ) from None
    try:
        await _migrate(database.dsn)
        secret = settings.secret_key.get_secret_value() if settings.secret_key else kept_secret(settings.data_dir)
        folder = settings.label_store or str(settings.data_dir / "documents")
        state = Opened(settings, database, pool, Vault(secret), LabelStore.at(folder))
        yield state
    finally:
        # Closing waits for whoever still holds a connection; a server that is gone must not hold up the end.
        with contextlib.suppress(*UNAVAILABLE):
            await asyncio.wait_for(pool.close(), LOOK_EVERY_S * 5)
        pool.terminate()


def _why_unreachable(trouble: Exception) -> str:
    if isinstance(trouble, ValueError) and not isinstance(trouble, asyncpg.InterfaceError):
        return "the address is malformed"  # in words that may quote the password
    return str(trouble) or type(trouble).__name__


async def _migrate(dsn: str) -> None:
    # On a connection of its own: making an index may take hours, and so may waiting for a program that makes one.
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        for name in await migrate(connection):
            log.info("migrated", migration=name)
    except asyncpg.InsufficientPrivilegeError as trouble:
        raise CannotStart(
            f"PostgreSQL does not let Bilty make its tables ({trouble}). "
            "Let the user that BILTY_DATABASE_URL names own its database, then start again."
        ) from None
    except TooOldError as trouble:
        raise CannotStart(f"{trouble} Leave BILTY_DATABASE_URL out to use Bilty's own.") from None
    finally:
        await connection.close()


@dataclass(slots=True)
class Connectors:
    """ClickPost accounts by provider, each made once for every revision of its connector."""

    endpoints: Endpoints
    http: Http
    _made: dict[int, tuple[int, ClickPost]] = field(default_factory=dict)

    def aggregator_of(self, claim: Claim) -> Aggregator:
        known = self._made.get(claim.provider_id)
        if known is None or known[0] != claim.provider_revision:
            known = (claim.provider_revision, ClickPost(claim.connector, self.endpoints, self.http))
            self._made[claim.provider_id] = known
        return known[1]


def endpoints_of(settings: Settings) -> Endpoints:
    return Endpoints(
        base_url=settings.clickpost_url,
        tracking_url=settings.clickpost_tracking_url,
        create_style=CreateStyle(settings.clickpost_create_style),
        status_style=StatusStyle(settings.clickpost_status_style) if settings.clickpost_status_style else None,
        box_stickers=settings.clickpost_box_stickers,
        allow_private_addresses=settings.allow_private_addresses,
    )


async def run(
    state: Opened,
    *,
    web: bool,
    work: bool,
    ready: Callable[[], object] = lambda: None,
    beside: Coroutine[object, object, None] | None = None,
) -> None:
    """Panel, or dispatcher and jobs, or all, until SIGTERM, SIGINT or the end of `beside`.

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
        dispatcher = Dispatcher(dispatch_tools(state, http)) if work else None
        worker = jobs.Worker(job_tools(state, http), state.database.dsn) if work else None
        server = _server(state, changes) if web else None

        def heard(channel: str, payload: str) -> None:
            changes.heard(channel, payload)
            if dispatcher and channel == DUE_CHANNEL:
                dispatcher.wake()

        helpers = [group.create_task(_keep_database(state)), group.create_task(_until(beside, stopping))]
        parts = [group.create_task(each.run()) for each in (dispatcher, worker) if each]
        parts += [group.create_task(server.serve([_bound(state.settings)]))] if server else []
        async with listening(state.database.dsn, heard):
            ready()
            await stopping.wait()
            changes.close()
            for each in (dispatcher, worker):
                if each:
                    each.stop()
            if server:
                server.should_exit = True
            await asyncio.wait(parts, timeout=GRACE_S)
        for task in (*helpers, *parts):
            task.cancel()


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


def dispatch_tools(state: Opened, http: Http) -> Tools:
    connectors = Connectors(endpoints_of(state.settings), http)
    return Tools(
        pool=state.pool,
        keyring=Keyring(state.vault),
        labels=state.labels,
        aggregator=connectors.aggregator_of,
        rules=state.settings.rules,
        calls_max=state.settings.calls_max,
    )


def job_tools(state: Opened, http: Http) -> jobs.Tools:
    endpoints = endpoints_of(state.settings)
    return jobs.Tools(
        pool=state.pool,
        vault=state.vault,
        labels=state.labels,
        aggregator=lambda connector: ClickPost(connector, endpoints, http),
        rules=state.settings.rules,
    )


class _Server(uvicorn.Server):
    """Leaves signals to `run`, which stops more than the server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(state: Opened, changes: Changes) -> _Server:
    app = make_app(WebTools(state.pool, state.vault, state.labels, state.settings, changes))
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # bilty.web.people reads them, and believes proxies of ours only
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
            backlog=BACKLOG,
        )
    )


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as trouble:
        why = str(trouble.strerror or trouble).partition(" (while")[0]  # the address is named already
        raise CannotStart(
            f"Cannot listen on {settings.listen} ({why}). "
            "Stop what listens there, or name another address in BILTY_LISTEN."
        ) from None


async def _keep_database(state: Opened) -> None:
    """Our own PostgreSQL is brought back when it died. Everything else just waits for it."""
    revive = state.database.revive
    while revive:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await state.pool.fetchval("SELECT 1")
        except UNAVAILABLE:
            log.warning("database.reviving")
            try:
                await asyncio.to_thread(revive)
            except postgres.PostgresUnavailable as trouble:
                log.exception("database.not_revived", why=str(trouble))
