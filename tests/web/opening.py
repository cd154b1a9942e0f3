"""Bilty's web part on a real socket, as it is opened for a test or for a file of tests."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from bilty.settings import Settings
from bilty.store.database import Pool, listening
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.web import Changes, WebTools, make_app
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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(tools), log_config=None, access_log=False, proxy_headers=False, ws="none", lifespan="on"
        )
        server = uvicorn.Server(config)
        async with listening(dsn, tools.changes.heard):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            house = House(tools, url)
            async with httpx.AsyncClient(base_url=url) as api, httpx.AsyncClient(base_url=url) as browser:
                browser.headers["Accept"] = "text/html,*/*"
                house.api, house.browser = api, browser
                yield house
                tools.changes.close()
            server.should_exit = True
            await serving
