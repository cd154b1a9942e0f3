"""What panel and API say alike of hand-off endpoints: how one is read, and what is wrong with it."""

from bilty.hand_off import EventKind
from bilty.intake import Fault, Rejected
from bilty.intake.endpoints import EndpointRules, NewEndpoint, OneAgain, RangeAgain, parse_endpoint
from bilty.outgoing.addresses import is_public
from bilty.store import showing
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.store.hand_off import replays
from bilty.store.hand_off.endpoints import Endpoint, NoSuchFacilitiesError
from bilty.web.tools import AnyRequest, tools_of

KINDS = tuple(str(kind) for kind in EventKind)


def read_endpoint(request: AnyRequest, code: str, document: object) -> NewEndpoint | Rejected:
    private = tools_of(request).settings.allow_private_addresses
    return parse_endpoint(code, document, EndpointRules(KINDS, private, is_public))


def unknown_facilities(trouble: NoSuchFacilitiesError) -> Fault:
    names = ", ".join(trouble.codes)
    verb = "is no facility" if len(trouble.codes) == 1 else "are no facilities"
    return Fault("facilities", names[:80], f"facilities has {names}, which {verb} here: choose among those set up.")


async def replay(connection: Connection, endpoint: Endpoint, wish: OneAgain | RangeAgain, actor: Actor) -> int:
    """How many deliveries are new. Raises CannotReplay."""
    now = await showing.clock(connection)
    if isinstance(wish, RangeAgain):
        return await replays.replay_range(connection, endpoint, wish.since, wish.until, actor, now)
    return await replays.replay_one(connection, endpoint, wish.event, actor, now)
