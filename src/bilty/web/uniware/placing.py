"""Which facility a waybill is for. What the document names must be the key's; what it leaves out, the key may tell."""

from collections.abc import Collection

from bilty.intake import Fault
from bilty.intake.reader import is_blank
from bilty.intake.uniware import Naming
from bilty.intake.uniware.facility import CUSTOM, MANY_OF_ITS, PICKUP, missing, name_of, not_its
from bilty.store import places, uniware
from bilty.store.database import Connection
from bilty.store.places import Place

Allowed = Collection[int] | None


async def place_for(connection: Connection, allowed: Allowed, named: Naming) -> Place | Fault:
    """The custom field goes first: with it, a Pickup Address Id that is no facility's is an id of Uniware's own."""
    pickup = await _by_pickup(connection, allowed, named.pickup_address_id)
    if is_blank(named.custom):
        return pickup or await _only(connection, allowed)
    place = await _coded(connection, allowed, named.custom)
    if place is None:
        return not_its(CUSTOM, named.custom)
    if isinstance(pickup, Place) and pickup.id != place.id:
        return named.other(pickup.facility.code)
    return place


async def _by_pickup(connection: Connection, allowed: Allowed, given: object) -> Place | Fault | None:
    """By its code, else by the id that it has set down as Uniware's. None where nothing is given."""
    if is_blank(given):
        return None
    if place := await _coded(connection, allowed, given):
        return place
    name = name_of(given)
    codes = await uniware.with_pickup_address(connection, name, allowed) if name else []
    if len(codes) > 1:
        return not_its(PICKUP, given, MANY_OF_ITS)
    return (await _coded(connection, allowed, codes[0]) if codes else None) or not_its(PICKUP, given)


async def _coded(connection: Connection, allowed: Allowed, given: object) -> Place | None:
    name = name_of(given)
    return await places.place(connection, allowed, name) if name else None


async def _only(connection: Connection, allowed: Allowed) -> Place | Fault:
    few = await places.page(connection, allowed, after="", limit=2)
    return few[0] if len(few) == 1 else missing()
