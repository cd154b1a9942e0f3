"""The list's own addresses: what is shown is in the address, so a list can be kept, sent on and gone back to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from bilty.store.listing import COUNT_MAX, Choices, Cursor, Filter, Sort, Tab
from bilty.words import day, grouped

LIST = "/shipments"
TAB_WORDS = {
    Tab.ALL: "All",
    Tab.TO_SCHEDULE: "To schedule",
    Tab.ON_HOLD: "On hold",
    Tab.SCHEDULING: "Scheduling",
    Tab.LABEL_REQUESTED: "Label requested",
    Tab.READY_NOT_PRINTED: "Ready, not printed",
    Tab.LABEL_READY: "Label ready",
    Tab.NEEDS_ATTENTION: "Needs attention",
    Tab.NOT_SERVICEABLE: "Not serviceable",
    Tab.FAILED: "Failed",
    Tab.CANCELLING: "Cancelling",
    Tab.CANCELLED: "Cancelled",
    Tab.DISPATCHED: "Dispatched",
}
ALWAYS = (Tab.ALL, Tab.TO_SCHEDULE, Tab.LABEL_REQUESTED, Tab.READY_NOT_PRINTED, Tab.NEEDS_ATTENTION)
"""Tabs that keep their place while nothing stands under them."""
SORT_WORDS = {
    Sort.NEWEST: "newest first",
    Sort.OLDEST: "oldest first",
    Sort.NUMBER: "by number",
    Sort.NUMBER_DOWN: "by number, from the last",
    Sort.CONSIGNEE: "by consignee",
    Sort.CONSIGNEE_DOWN: "by consignee, from the last",
    Sort.BOXES: "fewest boxes first",
    Sort.BOXES_DOWN: "most boxes first",
    Sort.WEIGHT: "lightest first",
    Sort.WEIGHT_DOWN: "heaviest first",
    Sort.VALUE: "lowest value first",
    Sort.VALUE_DOWN: "highest value first",
}
_HEADS = (
    ("number", "Number", Sort.NUMBER, ""),
    ("consignee", "Consignee", Sort.CONSIGNEE, ""),
    ("boxes", "Boxes", Sort.BOXES_DOWN, "figure"),
    ("weight", "Weight", Sort.WEIGHT_DOWN, "figure"),
    ("value", "Value", Sort.VALUE_DOWN, "figure"),
    ("age", "Age", Sort.NEWEST, "figure"),
)
"""Columns that sort: what one press on the head sorts by, and another turns round."""


def address(wanted: Filter, sort: Sort = Sort.NEWEST, cursor: Cursor | None = None) -> str:
    fields = wanted.fields()
    if sort is not Sort.NEWEST:
        fields["sort"] = sort
    if cursor is not None:
        fields["before" if cursor.back else "after"] = str(cursor.shipment_id)
    return f"{LIST}?{urlencode(fields)}" if fields else LIST


@dataclass(frozen=True, slots=True)
class TabLink:
    words: str
    count: str
    address: str
    is_current: bool


def tab_links(counts: Mapping[Tab, int], wanted: Filter, sort: Sort) -> list[TabLink]:
    """Those that somebody stands under, those that are always there, and the one that is open."""
    return [
        TabLink(TAB_WORDS[tab], count_words(counts[tab]), address(replace(wanted, tab=tab), sort), tab is wanted.tab)
        for tab in Tab
        if counts[tab] or tab in ALWAYS or tab is wanted.tab
    ]


def count_words(count: int) -> str:
    return grouped(count) + ("+" if count >= COUNT_MAX else "")


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head that sorts. `sorted` is aria-sort's word, blank where another column sorts."""

    words: str
    address: str
    sorted: str
    shape: str
    would: str


def heads(wanted: Filter, sort: Sort) -> dict[str, Head]:
    made = {}
    for name, words, first, shape in _HEADS:
        current = sort in (first, first.turned)
        to = sort.turned if current else first
        # The newest have the least age.
        ascending = sort is Sort.NEWEST or (sort is not Sort.OLDEST and not sort.down)
        is_sorted = ("ascending" if ascending else "descending") if current else ""
        made[name] = Head(words, address(wanted, to), is_sorted, shape, SORT_WORDS[to])
    return made


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that narrows the list, and the list without it."""

    name: str
    words: str
    address: str


def chips(wanted: Filter, sort: Sort, known: Choices) -> list[Chip]:
    providers = dict(known.providers)
    words = {
        "find": f"“{wanted.words}”",
        "facility": f"Facility {wanted.facility}",
        "courier": f"Courier {wanted.courier}",
        "provider": f"Provider {providers.get(wanted.provider, wanted.provider)}",
        "from": f"From {day(wanted.created_from)}" if wanted.created_from else "",
        "to": f"To {day(wanted.created_to)}" if wanted.created_to else "",
        "import": f"Import {wanted.import_id}",
    }
    given = [name for name in words if name in wanted.fields()]
    return [Chip(name, words[name], address(wanted.without(name), sort)) for name in given]


def described(wanted: Filter, sort: Sort, known: Choices) -> str:
    """The list in words: its caption, and what is printed above it."""
    tab = "All shipments" if wanted.tab is Tab.ALL else TAB_WORDS[wanted.tab]
    return ", ".join([tab, *(chip.words for chip in chips(wanted, sort, known)), SORT_WORDS[sort]])
