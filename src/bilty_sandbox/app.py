"""Routes: which call is answered by whom, who may make it, and when the host as a whole says nothing at all."""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from bilty_sandbox import afterwards, control, lanes, orders, waybills, wire
from bilty_sandbox.book import Book
from bilty_sandbox.clock import Clock, FastClock
from bilty_sandbox.dice import Dice
from bilty_sandbox.order import Style
from bilty_sandbox.plan import HANG_SECONDS
from bilty_sandbox.server import Answer, Reply, Request, Reset, Server
from bilty_sandbox.world import Options, World

BASE_PATH: Final = "/api"
CONTROL_PATH: Final = "/sandbox/"

Handler = Callable[[World, Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    handler: Handler
    key_only: bool = False
    """Whether the call wants no username, as some of ClickPost's do not."""


ROUTES: Final = {
    "POST /api/v1/recommendation_api": Route(lanes.recommend, key_only=True),
    "GET /api/v1/fetch-accounts": Route(lanes.accounts, key_only=True),
    "POST /api/v1/create-b2b-order": Route(partial(orders.create, style=Style.B2B)),
    "GET /api/v1/create-b2b-order": Route(orders.status, key_only=True),
    "POST /api/v3/create-order": Route(partial(orders.create, style=Style.MPS)),
    "GET /api/v3/create-order": Route(orders.status, key_only=True),
    "GET /api/v1/fetch/shippinglabel": Route(waybills.label_link),
    "GET /api/v1/cancel-order": Route(waybills.cancel),
    "GET /api/v2/track-order": Route(waybills.track),
    "POST /api/v1/edit-order": Route(afterwards.edit),
    "POST /api/v1/create-pickup": Route(afterwards.create_pickup),
}

CONTROLS: Final[dict[str, Callable[[World, Request], Reply]]] = {
    "GET /sandbox/healthz": control.healthz,
    "GET /sandbox/truth": control.tell_truth,
    "GET /sandbox/counters": control.counters,
    "POST /sandbox/reset": control.reset,
    "GET /sandbox/mischief": control.show_mischief,
    "PUT /sandbox/mischief": control.set_mischief,
    "POST /sandbox/pickups": control.pick_up,
    "POST /sandbox/outages": control.begin_outage,
}


def respond(world: World, request: Request) -> Answer:
    """1. The sandbox's own endpoints always answer. 2. A silent host answers nobody. 3. Then the call itself."""
    path = request.path.rstrip("/")
    if path.startswith(CONTROL_PATH):
        own = CONTROLS.get(f"{request.method} {path}")
        return own(world, request) if own else wire.html(404, wire.NOT_FOUND_HTML)
    world.requests += 1
    if world.silent(world.clock.now()):
        world.calls["(silent)"] += 1
        return _silence(world)
    answer = _call(world, request, path)
    slow = world.latency(path)
    return msgspec.structs.replace(answer, wait=answer.wait + slow) if slow else answer


def _call(world: World, request: Request, path: str) -> Answer:
    if request.method == "GET" and path.startswith(waybills.LABEL_PATH):
        world.calls["GET /labels"] += 1
        return waybills.label_file(world, request)
    name = f"{request.method} {path}"
    route = ROUTES.get(name)
    if route is None:
        world.calls["(unknown)"] += 1
        return wire.html(404, wire.NOT_FOUND_HTML)
    world.calls[name] += 1
    if not _may(world, request, key_only=route.key_only):
        return wire.unauthenticated()
    return route.handler(world, request)


def _may(world: World, request: Request, *, key_only: bool) -> bool:
    right_key = hmac.compare_digest(request.query.get("key", "").encode(), world.options.key.encode())
    return right_key and (key_only or request.query.get("username") == world.options.username)


def _silence(world: World) -> Reset:
    """Some connections are dropped at once, others held and dropped later; which is the seed's choice."""
    style = world.options.outage_style
    if style == "both":
        style = "hang" if Dice(world.options.seed, "silence", world.requests).whole("hang", 2) else "reset"
    return Reset(wait=HANG_SECONDS if style == "hang" else 0.0)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `url` ends in /api, as ClickPost's does; `control_url` ends in /sandbox."""

    world: World
    port: int

    @property
    def url(self) -> str:
        return f"{self._host}{BASE_PATH}"

    @property
    def control_url(self) -> str:
        return f"{self._host}{CONTROL_PATH}".rstrip("/")

    @property
    def username(self) -> str:
        return self.world.options.username

    @property
    def key(self) -> str:
        return self.world.options.key

    @property
    def book(self) -> Book:
        return self.world.book

    @property
    def _host(self) -> str:
        host = self.world.options.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@asynccontextmanager
async def serve(options: Options | None = None, clock: Clock | None = None) -> AsyncIterator[Sandbox]:
    """Listens in the running event loop until the block is left. A test's own `clock` overrides `options.speed`."""
    options = options or Options()
    world = World(options, clock or FastClock(options.speed))
    server = Server(partial(respond, world), world.clock)
    port = await server.start(options.host, options.port)
    try:
        yield Sandbox(world, port)
    finally:
        await server.stop()
