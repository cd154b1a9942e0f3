"""Panel and API as they listen: uvicorn, which leaves stopping to us."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from bilty.running.ground import CannotStart, Opened
from bilty.settings import Settings
from bilty.web import WebTools, make_app
from bilty.web.changes import Changes

BACKLOG = 4096


class Server(uvicorn.Server):
    """Leaves signals to `bilty.running.run`, which stops more than the server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_of(state: Opened, changes: Changes) -> Server:
    app = make_app(WebTools(state.pool, state.vault, state.labels, state.settings, changes))
    return Server(
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


def bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as trouble:
        why = str(trouble.strerror or trouble).partition(" (while")[0]  # the address is named already
        raise CannotStart(
            f"Cannot listen on {settings.listen} ({why}). "
            "Stop what listens there, or name another address in BILTY_LISTEN."
        ) from None
    # Inherited by each connection, on which asyncio sets it for sockets of its own making alone. Without it the body
    # of an answer waits until the caller has confirmed its head, which a kernel puts off by 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
