"""Needs attention: one list of what a person must do, and nothing that Bilty does by itself.

An outage is not here: nobody can do anything about it, and a banner says so. What failed, is held or has no courier is
counted here and stands in the list of shipments: the remedy is the same for many, and there many are chosen at once.
So each line of this list is a decision of its own, and a list that is empty means that there is none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from litestar import get
from litestar.response import Template

from bilty import telling
from bilty.concerns import Concern
from bilty.intake import Fault
from bilty.store import acting, attention, listing, notices, providers, showing, transporters
from bilty.store.access import Role
from bilty.store.attention import Concerned, Place
from bilty.store.database import Connection
from bilty.store.hand_off import endpoints
from bilty.store.listing import Filter, Listed, Tab
from bilty.store.providers import Standing
from bilty.telling.endpoints import told_endpoint
from bilty.turn import Rules
from bilty.web import rows
from bilty.web.acting import ActButton, acts_on_concerns
from bilty.web.asking import ID_MAX, choice, only
from bilty.web.blames import mending
from bilty.web.books import books
from bilty.web.list_links import TAB_WORDS, address, count_words
from bilty.web.page import page
from bilty.web.problems import ProblemError
from bilty.web.rows import Row
from bilty.web.sessions import signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import INDIA

PATH, SETTINGS, ENDPOINTS = "/attention", "/settings/shipping-providers", "/settings/hand-off-endpoints"
ITEMS, NOTICES_MAX = 50, 100
ELSEWHERE = (Tab.FAILED, Tab.NOT_SERVICEABLE, Tab.ON_HOLD)
"""Whatever waits for a person by the dozen: in the list of shipments it is put right by the dozen."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Matter:
    """Everybody's trouble that a person can mend, with where: a provider's or a courier account's."""

    told: str
    remedy: str
    link: str
    address: str
    enable: str = ""
    """Where a form goes that enables again what Bilty disabled; blank where there is nothing of the kind."""


@dataclass(frozen=True, slots=True)
class Item:
    """A shipment that waits for a person."""

    row: Row
    since: str
    since_iso: str
    told: str
    remedy: str
    acts: tuple[ActButton, ...]
    mending: str
    """Where it is put right, if that is the matter."""


@get(PATH, guards=[signed_in], include_in_schema=False)
async def needs_attention(request: AnyRequest) -> Template:
    only(request, "kind", "below")
    kind = choice(request, "kind", tuple(Concern))
    concern, below, viewer = Concern(kind) if kind else None, _below(request), user(request)
    async with tools_of(request).pool.acquire() as connection:
        now = await showing.clock(connection)
        found = await attention.page(connection, viewer.facilities, concern, below, ITEMS + 1)
        counts = await attention.counts(connection, viewer.facilities)
        tabs = await listing.counts(connection, Filter.read({}, viewer.facilities))
        standings = await providers.standings(connection)
        items = await _items(request, connection, found[:ITEMS], now)
        accounts = await _accounts(connection, viewer.facilities)
        portal = await transporters.open_changes(connection, viewer.facilities, NOTICES_MAX) if below is None else []
        halted = await _halted(connection, now) if viewer.administers_all else []
        compared = await books(connection, viewer.facilities, now)
        banners = [words for each in standings for words in await _banner(connection, each, now)]
    mends = viewer.may(Role.ADMIN)
    return await page(
        request,
        "attention.html",
        nav="attention",
        banners=banners,
        matters=[*(m for each in standings for m in _matters(each, now)), *accounts, *halted] if below is None else [],
        mends=mends,
        portal=portal,
        books=compared,
        may_compare=viewer.may(Role.ADMIN) and viewer.administers_all,
        items=items,
        may_act=viewer.may(Role.DISPATCHER),
        kinds=[(each.value, telling.CONCERN_WORDS[each], count_words(counts[each])) for each in counts],
        kind=kind or "",
        kind_words=telling.CONCERN_WORDS[concern] if concern else "",
        elsewhere=_elsewhere(tabs),
        here=_address(kind, below),
        older=_address(kind, _place(found[ITEMS - 1])) if len(found) > ITEMS else "",
        newest=_address(kind, None) if below else "",
    )


async def _items(request: AnyRequest, connection: Connection, found: Sequence[Concerned], now: datetime) -> list[Item]:
    rules, admin = tools_of(request).settings.rules, user(request).may(Role.ADMIN)
    ids = [each.shipment_id for each in found]
    since = {each.shipment_id: each.concerned_at for each in found}
    listed = await listing.see(connection, ids)
    out = await acting.calls_out(connection, ids, now)
    return [
        _item(
            each,
            since[each.id],
            acts_on_concerns(each.progress, call_out=out.get(each.id, frozenset()), admin=admin),
            now,
            rules,
        )
        for each in listed
    ]


def _item(listed: Listed, since: datetime, acts: tuple[ActButton, ...], now: datetime, rules: Rules) -> Item:
    zone = rows.zone_of(listed.time_zone)
    trouble = telling.problem(listed.progress, rules, (now, zone))
    return Item(
        row=rows.line(listed, rules, now, zone),
        since=telling.span(now - since),
        since_iso=since.isoformat(),
        told=trouble.message if trouble else "",
        remedy=trouble.remedy if trouble else "",
        acts=acts,
        mending=mending(listed.id, listed.progress),
    )


def _matters(standing: Standing, now: datetime) -> list[Matter]:
    name, code = standing.provider.name, standing.provider.code
    connector = f"{SETTINGS}/{code}/connector"
    unset = standing.connector is None and standing.provider.enabled
    told = telling.told_provider(name, replace(standing, silent_since=None, quiet_until=None), now, INDIA)
    found = [Matter(words, "", "Update Connector", connector) for words in told]
    if unset:
        words = f"{name} has no username and key yet: nothing is booked before Update Connector."
        found.append(Matter(words, "", "Update Connector", connector))
    return found


async def _banner(connection: Connection, standing: Standing, now: datetime) -> tuple[str, ...]:
    """What is left for one: on this page the rest stands in the list."""
    if standing.silent_since is None and standing.quiet_until is None:
        return ()
    silent = replace(standing, paused_at=None, alarmed_at=None)
    waiting = await showing.waiting_count(connection, standing.id)
    return telling.told_provider(standing.provider.name, silent, now, INDIA, waiting=waiting)


async def _accounts(connection: Connection, facilities: Collection[int] | None) -> list[Matter]:
    found = await notices.notices(connection, facilities, NOTICES_MAX)
    return [Matter(*telling.told_notice(each), each.provider_name, f"{SETTINGS}/{each.provider}") for each in found]


async def _halted(connection: Connection, now: datetime) -> list[Matter]:
    """Hand-off endpoints that Bilty disabled: order systems that are told nothing."""
    found = [each for each in await endpoints.all_of(connection) if each.manner is endpoints.Manner.DISABLED]
    return [
        Matter(told_endpoint(each, "", now, INDIA), "", "Look at it", where, enable=f"{where}/enable")
        for each in found
        for where in [f"{ENDPOINTS}/{each.code}"]
    ]


def _elsewhere(counts: Mapping[Tab, int]) -> list[tuple[str, str, str]]:
    return [(TAB_WORDS[tab], count_words(counts[tab]), address(Filter(tab=tab))) for tab in ELSEWHERE if counts[tab]]


def _place(found: Concerned) -> Place:
    return Place(found.concerned_at, found.shipment_id)


def _address(kind: str | None, below: Place | None) -> str:
    micros = (below.concerned_at - _EPOCH) // timedelta(microseconds=1) if below else 0
    given = {"kind": kind, "below": f"{micros}-{below.shipment_id}" if below else ""}
    query = "&".join(f"{name}={value}" for name, value in given.items() if value)
    return f"{PATH}?{query}" if query else PATH


def _below(request: AnyRequest) -> Place | None:
    given = request.query_params.get("below", "")
    if not given:
        return None
    micros, _, shipment_id = given.partition("-")
    if not (_is_whole(micros) and _is_whole(shipment_id) and int(shipment_id) <= ID_MAX):
        message = "below is where an earlier page ended, as its link says it. Begin at the newest."
        raise ProblemError(400, "query", message, faults=[Fault("below", given[:40], message)])
    return Place(_EPOCH + timedelta(microseconds=int(micros)), int(shipment_id))


def _is_whole(given: str) -> bool:
    return given.isascii() and given.isdigit() and len(given) <= 19


ROUTES = [needs_attention]
