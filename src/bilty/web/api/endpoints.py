"""Hand-off endpoints: where an order system is told, with what it is still owed. For keys of all facilities."""

from litestar import Response, delete, get, post, put
from litestar.params import FromPath

from bilty.intake import Rejected
from bilty.intake.endpoints import parse_replay, parse_secret
from bilty.store.access import Scope
from bilty.store.database import Connection
from bilty.store.hand_off import deliveries, endpoints, signing
from bilty.store.hand_off.deliveries import NOTHING_OWED, DeliveryState
from bilty.store.hand_off.endpoints import Endpoint, NoSuchFacilitiesError, TooManyEndpointsError
from bilty.store.hand_off.replays import CannotReplay
from bilty.web.asking import ID_MAX, choice, document_of, following, limit_of, only, whole
from bilty.web.endpoint_documents import (
    DeliveriesAnswer,
    EndpointAnswer,
    EndpointsAnswer,
    ReplayAnswer,
    SecretAnswer,
    delivery_answer,
    endpoint_answer,
)
from bilty.web.handing_off import read_endpoint, replay, unknown_facilities
from bilty.web.idempotency import keep_with
from bilty.web.keys import actor_of, needs
from bilty.web.problems import ProblemError, rejected
from bilty.web.tools import AnyRequest, tools_of

PATH = "/hand-off-endpoints"
GUARDS = [needs(Scope.ADMIN, everywhere=True)]


@get(PATH, guards=GUARDS, summary="The hand-off endpoints, and how they are")
async def listed(request: AnyRequest) -> EndpointsAnswer:
    async with tools_of(request).pool.acquire() as connection:
        found = await endpoints.all_of(connection)
        owed = await deliveries.owed(connection, [each.id for each in found])
    return EndpointsAnswer(items=tuple(endpoint_answer(each, owed.get(each.id, NOTHING_OWED)) for each in found))


@get(f"{PATH}/{{code:str}}", guards=GUARDS, summary="One hand-off endpoint")
async def one(request: AnyRequest, code: FromPath[str]) -> EndpointAnswer:
    async with tools_of(request).pool.acquire() as connection:
        return await _answer(connection, await _there(connection, code))


@put(f"{PATH}/{{code:str}}", guards=GUARDS, summary="Add or change a hand-off endpoint")
async def put_endpoint(request: AnyRequest, code: FromPath[str]) -> Response[EndpointAnswer]:
    """A secret that is made is in this answer, and in no other. What Bilty had disabled goes on."""
    parsed, tools = read_endpoint(request, code, await document_of(request)), tools_of(request)
    if isinstance(parsed, Rejected):
        raise rejected(parsed.faults)
    async with tools.pool.acquire() as connection, connection.transaction():
        try:
            done = await endpoints.put(connection, tools.vault, parsed, actor_of(request))
        except NoSuchFacilitiesError as trouble:
            raise rejected([unknown_facilities(trouble)]) from None
        except TooManyEndpointsError as trouble:
            raise ProblemError(409, "too_many_endpoints", str(trouble)) from None
        answer = await _answer(connection, done.endpoint, done.secret)
    return Response(answer, status_code=201 if done.is_new else 200)


@delete(f"{PATH}/{{code:str}}", guards=GUARDS, summary="Remove a hand-off endpoint")
async def remove(request: AnyRequest, code: FromPath[str]) -> None:
    """With what it was told and is still owed."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        if not await endpoints.delete(connection, code, actor_of(request)):
            raise _absent(code)


@post(f"{PATH}/{{code:str}}/secret", guards=GUARDS, summary="Exchange its secret", status_code=200)
async def rotate(request: AnyRequest, code: FromPath[str]) -> SecretAnswer:
    """The body is empty, or has the secret to use. The one before signs beside the new one for 24 hours."""
    secret, tools = parse_secret(await document_of(request, required=False)), tools_of(request)
    if isinstance(secret, Rejected):
        raise rejected(secret.faults)
    async with tools.pool.acquire() as connection, connection.transaction():
        made = await signing.rotate(connection, tools.vault, code, actor_of(request), secret)
        if made is None:
            raise _absent(code)
        endpoint = await _there(connection, code)
        answer = SecretAnswer(secret=made, old_secret_until=endpoint.old_secret_until)
        await keep_with(request, connection, 200, answer)
    return answer


@get(f"{PATH}/{{code:str}}/deliveries", guards=GUARDS, summary="What it was told, and what it is owed")
async def deliveries_to(request: AnyRequest, code: FromPath[str]) -> DeliveriesAnswer:
    """The newest first, a page at a time."""
    only(request, "state", "limit", "after")
    state = choice(request, "state", tuple(DeliveryState))
    limit = limit_of(request)
    after = whole(request, "after", None, ID_MAX)
    async with tools_of(request).pool.acquire() as connection:
        endpoint = await _there(connection, code)
        chosen = DeliveryState(state) if state else None
        found = await deliveries.page(connection, endpoint.id, state=chosen, before_id=after, limit=limit + 1)
    path, more = f"{PATH}/{endpoint.code}/deliveries", len(found) > limit
    return DeliveriesAnswer(
        items=tuple(delivery_answer(each) for each in found[:limit]),
        next=following(request, path, limit=limit, after=found[limit - 1].id, state=state) if more else None,
    )


@post(f"{PATH}/{{code:str}}/replays", guards=GUARDS, summary="Tell it once more", status_code=202)
async def replay_events(request: AnyRequest, code: FromPath[str]) -> ReplayAnswer:
    """One event, or those of a time. Each goes out under the id it had, so that the receiver knows it again."""
    wish = parse_replay(await document_of(request))
    if isinstance(wish, Rejected):
        raise rejected(wish.faults)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        endpoint = await _there(connection, code)
        try:
            answer = ReplayAnswer(await replay(connection, endpoint, wish, actor_of(request)))
        except CannotReplay as trouble:
            raise ProblemError(409, "not_replayed", str(trouble)) from None
        await keep_with(request, connection, 202, answer)
    return answer


async def _answer(connection: Connection, endpoint: Endpoint, secret: str | None = None) -> EndpointAnswer:
    owed = await deliveries.owed(connection, [endpoint.id])
    return endpoint_answer(endpoint, owed.get(endpoint.id, NOTHING_OWED), secret)


async def _there(connection: Connection, code: str) -> Endpoint:
    found = await endpoints.one(connection, code)
    if found is None:
        raise _absent(code)
    return found


def _absent(code: str) -> ProblemError:
    return ProblemError(404, "not_found", f"There is no hand-off endpoint {code[:40]!r}: PUT it at this address first.")


ROUTES = [listed, one, put_endpoint, remove, rotate, deliveries_to, replay_events]
