"""The page of one import: what it shows depends on how far the file is."""

from collections.abc import Sequence
from typing import Any

from litestar.response import Template

from bilty.order_columns import COLUMNS, LEFT_OUT, NAMES
from bilty.order_header import propose
from bilty.store import import_entries
from bilty.store import listing as store
from bilty.store.database import Connection
from bilty.store.import_entries import Entry
from bilty.store.imports import Import, ImportState
from bilty.store.judging import Verdict
from bilty.store.listing import Filter, Sort, Tab
from bilty.web import import_words
from bilty.web.asking import ID_MAX, choice, whole
from bilty.web.list_links import TabLink, address, tab_links
from bilty.web.page import clock_of, page
from bilty.web.sessions import user
from bilty.web.tools import AnyRequest, tools_of
from bilty.words import grouped

ENTRIES_SHOWN = 25
VERDICTS = (Verdict.FAULTY, Verdict.DIFFERS, Verdict.NEW, Verdict.SAME, Verdict.TAKEN)
"""What wants a person first."""
VERDICT_WORDS = {
    Verdict.FAULTY: "With faults",
    Verdict.DIFFERS: "Different",
    Verdict.NEW: "New",
    Verdict.SAME: "Here already",
    Verdict.TAKEN: "Taken in",
}
READABLE = frozenset({ImportState.CHECKED, ImportState.TAKING, ImportState.TAKEN})


async def one_page(request: AnyRequest, found: Import) -> Template:
    now = await clock_of(request)
    async with tools_of(request).pool.acquire() as connection:
        listed = await _entries(request, connection, found) if found.state in READABLE else NOTHING
        standing = await _standing(connection, found, user(request).facilities)
    return await page(
        request,
        "import.html",
        nav="import",
        found=found,
        row=import_words.import_row(found, now),
        columns=_columns(found),
        ours=[(LEFT_OUT, "Leave it out"), *((name, name) for name in NAMES)],
        needed=[column.name for column in COLUMNS if column.required],
        **listed,
        **standing,
    )


def _columns(found: Import) -> list[tuple[int, str, str]]:
    """Each column of the file, and which of ours it is taken for: as somebody said, else as it seems."""
    seems = propose(list(found.headers)) if found.state is ImportState.MAPPING else {}
    return [
        (at, theirs, found.mapping.get(theirs) or seems.get(theirs.strip(), LEFT_OUT))
        for at, theirs in enumerate(found.headers)
    ]


NOTHING: dict[str, Any] = {
    "verdicts": (),
    "show": "",
    "entries": (),
    "heads": (),
    "after": 0,
    "next": None,
    "mended": False,
}


async def _entries(request: AnyRequest, connection: Connection, found: Import) -> dict[str, Any]:
    show = Verdict(choice(request, "show", tuple(Verdict)) or _first(found))
    after = whole(request, "after", 0, ID_MAX) or 0
    line = whole(request, "line", 0, ID_MAX) or 0
    entries = await import_entries.entries(connection, found.id, show, after=after, limit=ENTRIES_SHOWN + 1)
    here: Sequence[Entry] = entries[:ENTRIES_SHOWN]
    columns = import_words.columns_of(here, found.headers)
    return {
        "verdicts": _verdict_links(found, show),
        "show": show,
        "heads": [found.headers[at] for at in columns],
        "entries": [(each, import_words.shown(each, found.headers, columns, line)) for each in here],
        "after": after,
        "next": here[-1].position if len(entries) > ENTRIES_SHOWN else None,
        "mended": "mended" in request.query_params,
    }


def _counts(found: Import) -> dict[Verdict, int]:
    counts = found.counts
    many = (counts.faulty, counts.differs, counts.new, counts.same, counts.taken)
    return dict(zip(VERDICTS, many, strict=True))


def _first(found: Import) -> Verdict:
    return next((verdict for verdict, count in _counts(found).items() if count), Verdict.NEW)


def _verdict_links(found: Import, show: Verdict) -> list[TabLink]:
    return [
        TabLink(VERDICT_WORDS[verdict], grouped(count), f"/imports/{found.id}?show={verdict}", verdict is show)
        for verdict, count in _counts(found).items()
        if count or verdict is show
    ]


async def _standing(connection: Connection, found: Import, facilities: frozenset[int] | None) -> dict[str, Any]:
    """Where the shipments of the file stand now, and what may be done to all of them in one step."""
    of_this = Filter(facility_ids=facilities, import_id=found.id)
    if found.state not in (ImportState.TAKING, ImportState.TAKEN):
        return {"tabs": (), "all": 0, "to_schedule": 0, "to_print": 0, "matching": "", "to_list": ""}
    counts = await store.counts(connection, of_this)
    return {
        "tabs": [each for each in tab_links(counts, of_this, Sort.OLDEST) if each.count != "0"],
        "all": counts[Tab.ALL],
        "to_schedule": counts[Tab.TO_SCHEDULE],
        "to_print": counts[Tab.READY_NOT_PRINTED],
        "matching": f"import={found.id}&sort={Sort.OLDEST}",
        "to_list": address(of_this, Sort.OLDEST),
    }
