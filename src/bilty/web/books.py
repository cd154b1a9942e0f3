"""ClickPost's books and ours, on the page of what needs attention: what differs, seen to; and a comparison at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from bilty.store import differences, reconciling
from bilty.store.audit import note
from bilty.store.database import Connection
from bilty.store.differences import Differs
from bilty.telling.differences import told_difference, told_round
from bilty.web.forms import form_of
from bilty.web.page import shipment_of, told
from bilty.web.sessions import actor, administering_all, dispatching, from_our_pages
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of

PATH = "/attention"
SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Differing:
    """A shipment of which ClickPost's books say something else."""

    shipment_id: int
    number: str
    told: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Books:
    """`told`: when they were compared. `begins`: a comparison may be begun now."""

    differing: list[Differing]
    told: str
    begins: bool


async def books(connection: Connection, facilities: Collection[int] | None, now: datetime) -> Books:
    found = await differences.waiting(connection, facilities, SHOWN_MAX)
    last = await reconciling.latest(connection)
    return Books(
        differing=[Differing(each.shipment_id, each.number, *_words(each)) for each in found],
        told=told_round(last, now),
        begins=last is None or last.ended_at is not None,
    )


async def otherwise(connection: Connection, shipment_id: int) -> tuple[str, ...]:
    """What ClickPost says of one shipment, for whoever looks at it and has its boxes before them."""
    return tuple(" ".join(_words(each)) for each in await differences.of_shipment(connection, shipment_id))


def _words(found: Differs) -> tuple[str, str]:
    return told_difference(found.kind, found.courier, found.turn, found.awb, found.their_awb, found.message)


@post("/shipments/{shipment_id:int}/difference", guards=[dispatching, from_our_pages], include_in_schema=False)
async def seen_to(request: AnyRequest, shipment_id: FromPath[int]) -> Redirect:
    """A person's word that they have seen to what ClickPost's books say of it. Field: back."""
    found, form = await shipment_of(request, shipment_id), await form_of(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        number = await differences.settle(connection, found.id, actor(request))
    where = back_of(form.get("back", ""), f"/shipments/{found.id}")
    if not number:
        return told(request, where, "Nothing was left to see to.", well=False)
    return told(request, where, f"Shipment {number}: what ClickPost's books say of it is seen to.")


@post(f"{PATH}/comparison", guards=[administering_all, from_our_pages], include_in_schema=False)
async def compare(request: AnyRequest) -> Redirect:
    """ClickPost's books are compared with ours now, and not when the calendar says so."""
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        begun = await reconciling.begin(connection)
        if begun:
            await note(connection, actor(request), "comparison begun", "ClickPost")
    sentence = "The comparison begins within half a minute." if begun else "A comparison is under way already."
    return told(request, PATH, sentence, well=begun)


ROUTES = [seen_to, compare]
