"""The whole of Bilty in this process, beside a sandbox whose time the tests tell: what people look at in a browser."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bilty.running import Database, Opened, opened, run
from bilty.settings import read_settings
from bilty.store import access
from bilty.store.access import Role
from bilty.store.showing import clock
from bilty_sandbox import ManualClock, Options, Policy, Sandbox, serve
from process.programs import free_port

EMAILS = {Role.ADMIN: "asha@example.com", Role.DISPATCHER: "ravi@example.com", Role.VIEWER: "meera@example.com"}
MINUTE = 60.0
"""Of the sandbox, in its seconds."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`time` is the couriers': a label that takes three minutes comes when three have been told."""

    state: Opened
    sandbox: Sandbox
    time: ManualClock

    @property
    def url(self) -> str:
        return self.state.settings.address

    async def first_link(self) -> str:
        """What `bilty up` prints while nobody can sign in."""
        async with self.state.pool.acquire() as connection:
            token = await access.first_link(connection, await clock(connection))
        assert token is not None
        return f"/sign-in/{token}"

    async def sign_in_link(self, role: Role = Role.ADMIN) -> str:
        async with self.state.pool.acquire() as connection:
            now = await clock(connection)
            return "/sign-in/" + await access.add_user(connection, EMAILS[role], role, now)


@asynccontextmanager
async def panel_at(
    dsn: str, folder: Path, *, policy: Policy | None = None, hours_ago: float = 0, poll_interval_s: float = 120
) -> AsyncIterator[Panel]:
    """Everything but what runs: see `running`. The couriers' time begins so many hours ago."""
    told = ManualClock(time.time() - hours_ago * 3600)
    async with serve(Options(policy=policy or Policy.none(), outage_style="reset"), told) as sandbox:
        settings = read_settings(
            {
                "BILTY_DATABASE_URL": dsn,
                "BILTY_DATA_DIR": str(folder),
                "BILTY_LISTEN": f"127.0.0.1:{free_port()}",
                "BILTY_CLICKPOST_URL": sandbox.url,
                "BILTY_ALLOW_PRIVATE_ADDRESSES": "true",
                "BILTY_POLL_INTERVAL_SECONDS": str(poll_interval_s),
                "BILTY_WATCH_INTERVAL_SECONDS": str(poll_interval_s * 5),
            }
        )
        async with opened(settings, Database(dsn)) as state:
            yield Panel(state, sandbox, told)


@asynccontextmanager
async def running(panel: Panel, *, work: bool) -> AsyncIterator[None]:
    """As `bilty up` runs it, or as `bilty web` does: without `work`, what stands on a page stays."""
    ready, over = asyncio.Event(), asyncio.Event()

    async def until_over() -> None:
        await over.wait()

    program = asyncio.create_task(run(panel.state, web=True, work=work, ready=ready.set, beside=until_over()))
    came_up = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({program, came_up}, return_when=asyncio.FIRST_COMPLETED)
        came_up.cancel()
        if program.done():
            await program
        yield
    finally:
        over.set()
        await program
        for number in (signal.SIGINT, signal.SIGTERM):  # whoever stops the tests speaks to pytest again
            asyncio.get_running_loop().remove_signal_handler(number)
