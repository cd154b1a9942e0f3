"""ClickPost's status codes and what they are about. The table is the documentation's; which class means what, ours.

`meta.status` is one of these. A code that is not here has no meaning for us: whatever came with it is unclear.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from bilty.reply import Refusal

PROCESSING, QUEUED = 102, 202
OK, ALREADY_PLACED, ALREADY_CANCELLED = 200, 323, 600
TOO_MANY = 429

PENDING = frozenset({PROCESSING, QUEUED})
DONE = frozenset({OK, ALREADY_PLACED})
NOT_FOUND = frozenset({321, 330})
AT_COURIER = 319
"""The courier's own words, passed on; they may say that it is booked all the same."""

MAY_BE_BOOKED = frozenset({322, 329, 354, 500})
"""The courier's host failed, was late, or said what ClickPost could not read; or ClickPost itself stumbled."""

REFUSALS: Mapping[int, Refusal] = MappingProxyType(
    dict.fromkeys((311, AT_COURIER, 420), Refusal.COURIER)
    | dict.fromkeys((302, 316, 324, 351, 352, 353, 355), Refusal.COURIER_ACCOUNT)
    | dict.fromkeys((301, 320), Refusal.ACCOUNT)
    | dict.fromkeys((307, 308, 309, 310, 312, 313, 314, 315, 328, 400, 422), Refusal.DATA)
)

ABOUT_THE_REQUEST = frozenset({*range(307, 316), 328, 400, 422})
"""Heard at a GET by reference, these say that the GET was wrong, and nothing of the order it asked about."""

NOT_CANCELLED = 350

HAS_THE_BOXES = frozenset({4, 5, 6, 8, 9, *range(11, 22), 26, 27, 1004})
"""Tracking: picked up or anything later: under way, delivered, coming back, lost or damaged in the courier's hands."""
CANCELLED = 10
AT_REST = frozenset({1, 2, 3, 7, CANCELLED, 23, 25, 28})
"""Tracking: placed, to be fetched, not fetched, not served, cancelled, expired, registered."""

_BOOKED_ALL_THE_SAME = re.compile(
    r"already\s+(?:exist|placed|booked|created|registered|generated|assigned|manifested|processed|used|present)"
    r"|duplicate|time[sd]?[\s_-]*out",
    re.IGNORECASE,
)


def may_be_booked(message: str) -> bool:
    """Whether a courier's refusal reads as if it had, or might have, an order under this reference."""
    return _BOOKED_ALL_THE_SAME.search(message) is not None
