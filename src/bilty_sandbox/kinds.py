"""Every way in which the sandbox can misbehave, by name, and how often it does when left to itself.

A booking gets at most one kind from each family, so a late label may also come with its children reversed. A family
whose dice fall on "straight" behaves as ClickPost's own pages promise.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

DOOMED_PERCENT = 4
"""Orders that every courier refuses. Chance alone would make an order fail three times too seldom to be seen."""


class Family(StrEnum):
    OUTCOME = "outcome"
    LABEL = "label"
    CHILDREN = "children"
    CHILD_LABEL = "child_label"
    LINK = "link"
    STATUS = "status"
    ENVELOPE = "envelope"
    CANCEL = "cancel"
    PICKUP = "pickup"
    EDIT = "edit"
    VAN = "van"
    HOST = "host"


class Kind(StrEnum):
    # Outcome: what becomes of the order, and how the create call is answered.
    AT_ONCE = "at_once"
    ASYNC = "async"
    LATE = "late"
    NEVER = "never"
    FAIL_LATER = "fail_later"
    ALREADY_PLACED = "already_placed"
    AWB_FOLLOWS = "awb_follows"
    REFUSE_301 = "refuse_301"
    REFUSE_302 = "refuse_302"
    REFUSE_311 = "refuse_311"
    REFUSE_316 = "refuse_316"
    REFUSE_319 = "refuse_319"
    REFUSE_320 = "refuse_320"
    REFUSE_324 = "refuse_324"
    REFUSE_351 = "refuse_351"
    REFUSE_354 = "refuse_354"
    REFUSE_355 = "refuse_355"
    REFUSE_422 = "refuse_422"
    BOOKED_319 = "booked_319"
    BOOKED_322 = "booked_322"
    BOOKED_329 = "booked_329"
    BOOKED_500 = "booked_500"
    BOOKED_502 = "booked_502"
    BOOKED_RESET = "booked_reset"
    BOOKED_HALF = "booked_half"
    BOOKED_HANG = "booked_hang"
    UNBOOKED_322 = "unbooked_322"
    UNBOOKED_500 = "unbooked_500"
    UNBOOKED_RESET = "unbooked_reset"
    BUSY = "busy"
    # Label: the AWB comes first.
    LABEL_LATER = "label_later"
    LABEL_NEVER = "label_never"
    # Children: the list of the boxes' waybills.
    CHILDREN_REVERSED = "children_reversed"
    CHILD_EXTRA = "child_extra"
    CHILD_SHORT = "child_short"
    # Child label: null when straight.
    CHILD_LABEL_SAME = "child_label_same"
    CHILD_LABEL_ABSENT = "child_label_absent"
    # Link: what the label's address gives at first.
    LINK_503 = "link_503"
    LINK_HALF = "link_half"
    LINK_HTML = "link_html"
    # Status: the reference is not yet found by the status call.
    UNKNOWN_AT_FIRST = "unknown_at_first"
    # Envelope: `success` says the opposite.
    SUCCESS_LIES = "success_lies"
    # Cancel and pickup.
    CANCEL_LATER = "cancel_later"
    CANCEL_REFUSED = "cancel_refused"
    PICKED_UP = "picked_up"
    # Edit: how the e-way bill that comes later is answered, at first.
    EDIT_REFUSED = "edit_refused"
    EDIT_UNHEARD = "edit_unheard"
    EDIT_502 = "edit_502"
    EDIT_BUSY = "edit_busy"
    # Van: how a pickup that is asked for apart is answered, at first.
    VAN_REFUSED = "van_refused"
    VAN_UNHEARD = "van_unheard"
    VAN_HANG = "van_hang"
    VAN_LATE = "van_late"
    VAN_500 = "van_500"
    VAN_BUSY = "van_busy"
    VAN_NUMBERLESS = "van_numberless"
    # Host: not about one booking.
    SLOW = "slow"
    OUTAGE = "outage"
    STATUS_404 = "status_404"


def _outcomes() -> dict[Kind, int]:
    weights = {kind: 0 for kind in Kind if kind.startswith("refuse_")}
    weights |= {Kind.AT_ONCE: 24, Kind.ASYNC: 24, Kind.LATE: 4, Kind.NEVER: 3, Kind.FAIL_LATER: 4}
    weights |= {Kind.ALREADY_PLACED: 3, Kind.AWB_FOLLOWS: 3, Kind.BUSY: 3}
    weights |= {Kind.REFUSE_302: 1, Kind.REFUSE_311: 1, Kind.REFUSE_316: 1, Kind.REFUSE_351: 1}
    weights |= {Kind.REFUSE_319: 6, Kind.REFUSE_354: 2}
    weights |= {Kind.BOOKED_319: 1, Kind.BOOKED_322: 2, Kind.BOOKED_329: 3, Kind.BOOKED_500: 2, Kind.BOOKED_502: 3}
    weights |= {Kind.BOOKED_RESET: 3, Kind.BOOKED_HALF: 2, Kind.BOOKED_HANG: 3}
    weights |= {Kind.UNBOOKED_322: 2, Kind.UNBOOKED_500: 2, Kind.UNBOOKED_RESET: 2}
    return weights


FAMILIES: Mapping[Family, Mapping[Kind, int]] = MappingProxyType(
    {
        Family.OUTCOME: _outcomes(),
        Family.LABEL: {Kind.LABEL_LATER: 12, Kind.LABEL_NEVER: 2},
        Family.CHILDREN: {Kind.CHILDREN_REVERSED: 25, Kind.CHILD_EXTRA: 10, Kind.CHILD_SHORT: 5},
        Family.CHILD_LABEL: {Kind.CHILD_LABEL_SAME: 30, Kind.CHILD_LABEL_ABSENT: 10},
        Family.LINK: {Kind.LINK_503: 8, Kind.LINK_HALF: 8, Kind.LINK_HTML: 8},
        Family.STATUS: {Kind.UNKNOWN_AT_FIRST: 12},
        Family.ENVELOPE: {Kind.SUCCESS_LIES: 50},
        Family.CANCEL: {Kind.CANCEL_LATER: 20, Kind.CANCEL_REFUSED: 10},
        Family.PICKUP: {Kind.PICKED_UP: 0},
        Family.EDIT: {Kind.EDIT_REFUSED: 3, Kind.EDIT_UNHEARD: 6, Kind.EDIT_502: 6, Kind.EDIT_BUSY: 6},
        Family.VAN: {
            Kind.VAN_REFUSED: 6,
            Kind.VAN_UNHEARD: 6,
            Kind.VAN_HANG: 3,
            Kind.VAN_LATE: 6,
            Kind.VAN_500: 3,
            Kind.VAN_BUSY: 6,
            Kind.VAN_NUMBERLESS: 6,
        },
        Family.HOST: {Kind.SLOW: 100, Kind.OUTAGE: 100, Kind.STATUS_404: 0},
    }
)
"""Out of a hundred in each family but the first, whose weights are taken as shares of their sum."""

FAMILY_OF: Mapping[Kind, Family] = MappingProxyType(
    {kind: family for family, weights in FAMILIES.items() for kind in weights}
)

WEIGHTS: Mapping[Kind, int] = MappingProxyType(
    {kind: weight for weights in FAMILIES.values() for kind, weight in weights.items()}
)
