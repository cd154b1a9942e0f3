"""The list of shipments: what it may be narrowed to, its pages, its counts, and what is looked for in it.

Everything is bounded, however many shipments there are: a page costs a page, a count ends at `COUNT_MAX`, a search
takes at most `FOUND_MAX` shipments. `bilty.store.listed` keeps what is read here; the indexes are in 0004_listing.sql.
"""

from bilty.store.listing.exact import Asked, ids_asked
from bilty.store.listing.filters import Filter, FilterError, Sort, Tab
from bilty.store.listing.pages import COUNT_MAX, Cursor, Page, View, counts, ids_matching, page, view
from bilty.store.listing.rows import Choices, Listed, choices, see
from bilty.store.listing.scope import Scope, resolve
from bilty.store.listing.search import FOUND_MAX, find_exactly

__all__ = [
    "COUNT_MAX",
    "FOUND_MAX",
    "Asked",
    "Choices",
    "Cursor",
    "Filter",
    "FilterError",
    "Listed",
    "Page",
    "Scope",
    "Sort",
    "Tab",
    "View",
    "choices",
    "counts",
    "find_exactly",
    "ids_asked",
    "ids_matching",
    "page",
    "resolve",
    "see",
    "view",
]
