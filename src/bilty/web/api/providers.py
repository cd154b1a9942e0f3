"""Shipping providers and their connectors. A key goes in and never comes out."""

from collections.abc import Sequence
from datetime import UTC, datetime

from litestar import Response, get, put
from litestar.params import FromPath

from bilty import telling
from bilty.intake import Rejected, parse_connector, parse_provider
from bilty.shipping_provider import Connector
from bilty.store import providers, setting_up
from bilty.store.access import Scope
from bilty.store.providers import Standing
from bilty.web.asking import document_of
from bilty.web.documents import ConnectorAnswer, ProviderAnswer, ProvidersAnswer
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.stored_key import end_of, stored_key
from bilty.web.tools import AnyRequest, WebTools, tools_of
from bilty.words import INDIA


@get("/shipping-providers", guards=[needs(Scope.READ)], summary="The shipping providers, and how they are")
async def listed(request: AnyRequest) -> ProvidersAnswer:
    return ProvidersAnswer(items=tuple(_answer(standing) for standing in await _standings(tools_of(request))))


@get("/shipping-providers/{code:str}", guards=[needs(Scope.READ)], summary="One shipping provider")
async def one(request: AnyRequest, code: FromPath[str]) -> ProviderAnswer:
    return _answer(await _standing(tools_of(request), code))


@put(
    "/shipping-providers/{code:str}",
    guards=[needs(Scope.ADMIN, everywhere=True)],
    summary="Add or change a shipping provider",
)
async def put_provider(request: AnyRequest, code: FromPath[str]) -> Response[ProviderAnswer]:
    parsed = parse_provider(code, await document_of(request))
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    tools = tools_of(request)
    async with tools.pool.acquire() as connection, connection.transaction():
        is_new = await setting_up.save_provider(connection, parsed, actor_of(request))
    return Response(_answer(await _standing(tools, parsed.code)), status_code=201 if is_new else 200)


@get("/shipping-providers/{code:str}/connector", guards=[needs(Scope.READ)], summary="Its connector, without the key")
async def connector(request: AnyRequest, code: FromPath[str]) -> ConnectorAnswer:
    tools = tools_of(request)
    standing = await _standing(tools, code)
    if standing.connector is None:
        detail = f"{standing.provider.name} has no connector yet: PUT its username and key here."
        raise ProblemError(404, "no_connector", detail)
    async with tools.pool.acquire() as connection:
        key = await stored_key(connection, tools.vault, code)
    return _connector_answer(standing.connector, key)


@put(
    "/shipping-providers/{code:str}/connector", guards=[needs(Scope.ADMIN, everywhere=True)], summary="Update Connector"
)
async def put_connector(request: AnyRequest, code: FromPath[str]) -> ConnectorAnswer:
    """A key that is left out stays as it is. What a refused key had paused goes on by itself."""
    document, tools = await document_of(request), tools_of(request)
    await _standing(tools, code)
    async with tools.pool.acquire() as connection, connection.transaction():
        await setting_up.lock_provider(connection, code)
        stored = await stored_key(connection, tools.vault, code)
        parsed = parse_connector(document, stored)
        if isinstance(parsed, Rejected):
            raise rejected(parsed.faults)
        changed = parsed.key != stored
        await setting_up.update_connector(connection, tools.vault, code, parsed, actor_of(request), key_changed=changed)
    return _connector_answer(parsed, parsed.key)


async def _standings(tools: WebTools) -> Sequence[Standing]:
    async with tools.pool.acquire() as connection:
        return await providers.standings(connection)


async def _standing(tools: WebTools, code: str) -> Standing:
    found = next((standing for standing in await _standings(tools) if standing.provider.code == code), None)
    if found is None:
        detail = f"There is no shipping provider {code[:40]!r}: PUT it at this address without /connector first."
        raise ProblemError(404, "not_found", detail)
    return found


def _answer(standing: Standing) -> ProviderAnswer:
    provider = standing.provider
    return ProviderAnswer(
        code=provider.code,
        kind=provider.kind,
        name=provider.name,
        enabled=provider.enabled,
        connector_set=standing.connector is not None,
        paused_at=standing.paused_at,
        alarmed_at=standing.alarmed_at,
        silent_since=standing.silent_since,
        quiet_until=standing.quiet_until,
        problems=telling.told_provider(provider.name, standing, datetime.now(UTC), INDIA),
    )


def _connector_answer(connector: Connector, key: str | None) -> ConnectorAnswer:
    return ConnectorAnswer(
        username=connector.username,
        key_ends_with=end_of(key),
        packslip_required=connector.packslip_required,
        pickup_after_minutes=connector.pickup_after_minutes,
        appointment_after_days=connector.appointment_after_days,
        calls_at_once=connector.calls_at_once,
        calls_per_second=connector.calls_per_second,
    )
