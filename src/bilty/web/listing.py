"""The list of shipments. HTML first; the scripts only make it fresh and quick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.store import listing as store
from bilty.store import showing
from bilty.store.database import Connection
from bilty.store.listing import Choices, Cursor, Filter, FilterError, Sort, Tab, View
from bilty.web import rows
from bilty.web.asking import ID_MAX, choice, only, whole
from bilty.web.forms import by_field, form_of
from bilty.web.list_links import LIST, TAB_WORDS, Chip, address, chips, count_words, described, heads, tab_links
from bilty.web.page import page
from bilty.web.sessions import from_our_pages, signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of

ROWS = 60
HEIGHT_COOKIE, COMFORTABLE = "bilty_rows", "comfortable"
HEIGHT_LIVES_S = 365 * 86_400
FIELDS = ("find", "facility", "courier", "provider", "from", "to", "import")
_MOVING = (Tab.SCHEDULING, Tab.LABEL_REQUESTED, Tab.CANCELLING)


@get("/shipments", guards=[signed_in], include_in_schema=False)
async def listing(request: AnyRequest) -> Template | Redirect:
    only(request, *FIELDS, "tab", "sort", "after", "before")
    typed = {name: value.strip() for name, value in request.query_params.items()}
    sort = Sort(choice(request, "sort", tuple(Sort)) or Sort.NEWEST)
    limits = user(request).facilities
    try:
        wanted = Filter.read(typed, limits)
    except FilterError as trouble:
        return await _faulty(request, typed, trouble.faults)
    cursor = _cursor(request)
    async with tools_of(request).pool.acquire() as connection:
        if wanted.words and cursor is None:
            exactly = await store.find_exactly(connection, wanted.words, limits)
            if len(exactly) == 1:
                return Redirect(f"{LIST}/{exactly[0]}", status_code=303)  # scanned, or typed to the end
        known = await store.choices(connection, limits)
        seen = await store.view(connection, wanted, sort, cursor, ROWS)
        if cursor is not None and not seen.rows:
            return Redirect(address(wanted, sort), status_code=303)  # what was there is under another tab by now
        narrowing = chips(wanted, sort, known)
        context = await _shown(request, connection, seen)
        if not seen.rows:
            context |= await _blame(connection, wanted, narrowing)
    return await page(
        request,
        "shipments.html",
        nav="shipments",
        **context,
        **_form(typed, known),
        **_addresses(wanted, sort, seen),
        comfortable=request.cookies.get(HEIGHT_COOKIE) == COMFORTABLE,
        sort=sort,
        caption=described(wanted, sort, known),
        tabs=tab_links(seen.counts, wanted, sort),
        heads=heads(wanted, sort),
        chips=narrowing,
        next=seen.page.next and address(wanted, sort, seen.page.next),
        previous=seen.page.previous and address(wanted, sort, seen.page.previous),
        here=address(wanted, sort, cursor),
    )


def _addresses(wanted: Filter, sort: Sort, seen: View) -> dict[str, Any]:
    """What forms and links of the list carry. `matching` is never blank: it says that all that match are meant."""
    return {
        "tab": wanted.tab.value,
        "tab_words": TAB_WORDS[wanted.tab],
        "total": count_words(seen.counts[wanted.tab]),
        "matching": wanted.query() or f"tab={Tab.ALL}",
        "print_new": replace(wanted, tab=Tab.READY_NOT_PRINTED).query(),
        "all_tab": address(replace(wanted, tab=Tab.ALL), sort),
        "clear": address(Filter(tab=wanted.tab), sort),
    }


async def _shown(request: AnyRequest, connection: Connection, seen: View) -> dict[str, Any]:
    now, rules = await showing.clock(connection), tools_of(request).settings.rules
    matching = seen.counts[Tab.ALL]
    return {
        "rows": [rows.line(each, rules, now, rows.zone_of(each.time_zone)) for each in seen.rows],
        "counts": {tab.value: count_words(count) for tab, count in seen.counts.items()},
        "unprinted": seen.counts[Tab.READY_NOT_PRINTED],
        "has_any": bool(matching),
        "more_found": seen.more_found,
        "under_way": any(seen.counts[tab] for tab in _MOVING),
        "printed_on": rows.moment(now, rows.zone_of(None)),
    }


def _form(typed: dict[str, str], known: Choices, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    """What the filter's form shows: as it was typed."""
    return {
        "typed": {name: typed.get(name, "") for name in FIELDS},
        "known": known,
        "facilities": [(code, code) for code in known.facilities],
        "couriers": [(name, name) for name in known.couriers],
        "faults": faults,
        "fault_of": by_field(faults),
    }


async def _faulty(request: AnyRequest, typed: dict[str, str], faults: Sequence[Fault]) -> Template:
    async with tools_of(request).pool.acquire() as connection:
        known = await store.choices(connection, user(request).facilities)
    return await page(
        request,
        "shipments.html",
        status_code=400,
        nav="shipments",
        **_form(typed, known, faults),
    )


def _cursor(request: AnyRequest) -> Cursor | None:
    after, before = whole(request, "after", None, ID_MAX), whole(request, "before", None, ID_MAX)
    if after is not None:
        return Cursor(after)
    return Cursor(before, back=True) if before is not None else None


@dataclass(frozen=True, slots=True)
class Blamed:
    """A part of the filter without which there is something to see."""

    chip: Chip
    count: str


async def _blame(connection: Connection, wanted: Filter, given: Sequence[Chip]) -> dict[str, Any]:
    """Which parts of a filter that finds nothing are to blame: those that find nothing even alone, or else those
    without which there is something.
    """
    hopeless, blamed = [], []
    for chip in given:
        alone = Filter.read({chip.name: wanted.fields()[chip.name]}, wanted.facility_ids)
        if not (await store.counts(connection, alone))[Tab.ALL]:
            hopeless.append(chip)
        elif count := (await store.counts(connection, wanted.without(chip.name)))[wanted.tab]:
            blamed.append(Blamed(chip, count_words(count)))
    return {"hopeless": hopeless, "blamed": blamed}


@post("/shipments/row-height", guards=[signed_in, from_our_pages], include_in_schema=False)
async def row_height(request: AnyRequest) -> Redirect:
    """Dense rows or comfortable ones, for whoever sits at this browser."""
    form = await form_of(request)
    height = COMFORTABLE if form.get("height") == COMFORTABLE else ""
    kept = Cookie(
        key=HEIGHT_COOKIE,
        value=height,
        path="/",
        httponly=True,
        samesite="lax",
        max_age=HEIGHT_LIVES_S if height else 0,
    )
    return Redirect(back_of(form.get("back", LIST), LIST), status_code=303, cookies=[kept])


ROUTES = [listing, row_height]
