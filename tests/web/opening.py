"""Bilty's web part on a real socket, as it is opened for a test or for a file of tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from bilty.running.server import bound
from bilty.settings import Settings
from bilty.store.database import Pool, listening
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.web import Changes, WebTools, make_app
from web.described import API, check_answer
from web.house import House


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
    with bound(Settings(listen="127.0.0.1:0")) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(tools), log_config=None, access_log=False, proxy_headers=False, ws="none", lifespan="on"
        )
        server = uvicorn.Server(config)
        async with listening(dsn, tools.changes.heard):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            house = House(tools, url)
            held_to = {"response": [_as_described]}
            async with (
                httpx.AsyncClient(base_url=url, event_hooks=held_to) as api,
                httpx.AsyncClient(base_url=url) as browser,
            ):
                browser.headers["Accept"] = "text/html,*/*"
                house.api, house.browser = api, browser
                yield house
                tools.changes.close()
            server.should_exit = True
            await serving


async def _as_described(answer: httpx.Response) -> None:
    """The API may answer no test in a way that its description does not name. A stream is left to its reader."""
    if answer.request.url.path.startswith(API):
        is_stream = answer.headers.get("content-type", "").startswith("application/x-ndjson")
        check_answer(answer, b"" if is_stream else await answer.aread())
