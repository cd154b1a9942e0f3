"""What the pages and the API work with, handed in once."""

from dataclasses import dataclass
from typing import TypeAlias

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from bilty.settings import Settings
from bilty.store.database import Pool
from bilty.store.labels import LabelStore
from bilty.store.secrets import Vault
from bilty.web.arriving import Arrivals
from bilty.web.bulk.gate import Gate
from bilty.web.changes import Changes
from bilty.web.limits import Limits
from bilty.web.pictures import Pictures
from bilty.web.waiting import Waiters

AnyRequest: TypeAlias = Request[object, object, State]
AnyConnection: TypeAlias = ASGIConnection[BaseRouteHandler, object, object, State]
Asked: TypeAlias = AnyRequest | AnyConnection


@dataclass(frozen=True, slots=True)
class WebTools:
    pool: Pool
    vault: Vault
    labels: LabelStore
    settings: Settings
    changes: Changes


def tools_of(connection: Asked) -> WebTools:
    tools = connection.app.state.tools
    assert isinstance(tools, WebTools)
    return tools


def arrivals_of(connection: Asked) -> Arrivals:
    arrivals = connection.app.state.arrivals
    assert isinstance(arrivals, Arrivals)
    return arrivals


def limits_of(connection: Asked) -> Limits:
    limits = connection.app.state.limits
    assert isinstance(limits, Limits)
    return limits


def gate_of(connection: Asked) -> Gate:
    gate = connection.app.state.gate
    assert isinstance(gate, Gate)
    return gate


def pictures_of(connection: Asked) -> Pictures:
    pictures = connection.app.state.pictures
    assert isinstance(pictures, Pictures)
    return pictures


def waiters_of(connection: Asked) -> Waiters:
    waiters = connection.app.state.waiters
    assert isinstance(waiters, Waiters)
    return waiters


def base_url(request: AnyRequest) -> str:
    """What addresses in answers begin with: the public one, else the one this caller used."""
    return tools_of(request).settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
