"""Bilty's web part on a real socket, as it is opened for a test or for a file of tests."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn
from litestar import Litestar

from bilty.running.server import Server, bound
from bilty.settings import Settings
from bilty.store.database import HAND_OFF_CHANNEL, Pool, listening
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.web import Changes, WebTools, make_app, state_of
from web.described import API, check_answer
from web.house import House

TLS = ssl.create_default_context()
"""For every client: each would read the certificates of the system anew, and no test needs one."""
_resting: list[Litestar] = []
"""Applications whose house is closed."""


@contextmanager
def _app_of(tools: WebTools) -> Iterator[Litestar]:
    """Making an application takes longer than most tests: those of closed houses open again, with all state new."""
    app = _resting.pop() if _resting else make_app(tools)
    app.state = state_of(tools)
    yield app
    _resting.append(app)


class PromptServer(Server):
    """Ends at once. uvicorn's own looks every 0.1 s whether it should end, and then waits for as long again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    def end(self) -> None:
        self._over.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)
        await self.lifespan.shutdown()


@asynccontextmanager
async def _heard_from_the_start(dsn: str, changes: Changes) -> AsyncIterator[None]:
    """Listens before the block begins: whoever begins to listen is told once that all may have changed."""
    listens = asyncio.Event()

    def heard(channel: str, payload: str) -> None:
        changes.heard(channel, payload)
        if channel == HAND_OFF_CHANNEL:  # the last that is listened to
            listens.set()

    async with listening(dsn, heard):
        async with asyncio.timeout(60):
            await listens.wait()
        yield


@asynccontextmanager
async def opened_house(pool: Pool, dsn: str, folder: Path, settings: Settings | None = None) -> AsyncIterator[House]:
    """Nobody is signed in; nothing is set up."""
    tools = WebTools(
        pool=pool,
        vault=Vault("a secret"),
        labels=LabelStore.at(str(folder / "labels")),
        settings=settings or Settings(),
        changes=Changes(),
    )
    with _app_of(tools) as app, bound(Settings(listen="127.0.0.1:0")) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, ws="none", lifespan="off")
        server = PromptServer(config)
        async with _heard_from_the_start(dsn, tools.changes):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            house = House(tools, url)
            held_to = {"response": [_as_described]}
            async with (
                httpx.AsyncClient(base_url=url, event_hooks=held_to, verify=TLS) as api,
                httpx.AsyncClient(base_url=url, verify=TLS) as browser,
            ):
                browser.headers["Accept"] = "text/html,*/*"
                house.api, house.browser = api, browser
                yield house
                tools.changes.close()
            server.end()
            await serving


async def _as_described(answer: httpx.Response) -> None:
    """The API may answer no test in a way that its description does not name. A stream is left to its reader."""
    if answer.request.url.path.startswith(API):
        is_stream = answer.headers.get("content-type", "").startswith("application/x-ndjson")
        check_answer(answer, b"" if is_stream else await answer.aread())
