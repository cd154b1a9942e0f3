"""What is going to happen to one booking, with its times: the kinds that befell it, worked out.

A plan is made once, when the reference is first heard, and never changes: repeats of a call live through one story.
"""

from enum import StrEnum
from typing import Final

import msgspec

from bilty_sandbox.dice import Dice
from bilty_sandbox.kinds import FAMILY_OF, Family, Kind
from bilty_sandbox.mischief import Chosen

MINUTE_SECONDS: Final = 60.0
BOOKS_AFTER_SECONDS: Final = {
    Kind.ASYNC: (2 * MINUTE_SECONDS, 4 * MINUTE_SECONDS),
    Kind.AWB_FOLLOWS: (1 * MINUTE_SECONDS, 3 * MINUTE_SECONDS),
    # Twelve minutes are waited for; these come after.
    Kind.LATE: (13 * MINUTE_SECONDS, 20 * MINUTE_SECONDS),
}
FAILS_AFTER_SECONDS: Final = (1 * MINUTE_SECONDS, 3 * MINUTE_SECONDS)
LABEL_AFTER_SECONDS: Final = (1 * MINUTE_SECONDS, 3 * MINUTE_SECONDS)
UNKNOWN_FOR_SECONDS: Final = (20.0, 50.0)
PICKED_UP_AFTER_SECONDS: Final = (5 * MINUTE_SECONDS, 15 * MINUTE_SECONDS)
CANCEL_TAKES_SECONDS: Final = 60.0
HANG_SECONDS: Final = 45.0
FOREVER_TIMES: Final = 1_000_000


class Fault(StrEnum):
    """How a create call is answered other than by its answer."""

    CODE_319 = "319"
    CODE_322 = "322"
    CODE_329 = "329"
    CODE_500 = "500"
    HTML_502 = "502"
    RESET = "reset"
    HALF = "half"
    HANG = "hang"
    BUSY = "busy"


class Failure(msgspec.Struct, frozen=True):
    """`reached_courier`: only then does the status call know the reference."""

    code: int
    message: str
    reached_courier: bool = True


FAILURES: Final = {
    Kind.REFUSE_301: Failure(301, "Authentication failed for this account", reached_courier=False),
    Kind.REFUSE_302: Failure(302, "No such courier partner", reached_courier=False),
    Kind.REFUSE_311: Failure(311, "Courier does not do this delivery type", reached_courier=False),
    Kind.REFUSE_316: Failure(316, "Courier credentials are not set up", reached_courier=False),
    Kind.REFUSE_319: Failure(319, "{'job': 'failed', 'remark': 'consignee pin embargoed for surface LTL'}"),
    Kind.REFUSE_320: Failure(320, "This service is not part of the subscription", reached_courier=False),
    Kind.REFUSE_324: Failure(324, "Courier did not accept the stored credentials"),
    Kind.REFUSE_351: Failure(351, "Account not found for courier", reached_courier=False),
    Kind.REFUSE_354: Failure(354, "Courier sent an error that is not mapped: ERR_71 dimension slab"),
    Kind.REFUSE_355: Failure(355, "Vendor code is missing for this account", reached_courier=False),
    Kind.REFUSE_422: Failure(422, "Entity could not be processed", reached_courier=False),
    Kind.FAIL_LATER: Failure(420, "Courier could not create the consignment: docket series exhausted"),
}

FAULTS: Final = {
    Kind.BOOKED_319: Fault.CODE_319,
    Kind.BOOKED_322: Fault.CODE_322,
    Kind.BOOKED_329: Fault.CODE_329,
    Kind.BOOKED_500: Fault.CODE_500,
    Kind.BOOKED_502: Fault.HTML_502,
    Kind.BOOKED_RESET: Fault.RESET,
    Kind.BOOKED_HALF: Fault.HALF,
    Kind.BOOKED_HANG: Fault.HANG,
    Kind.UNBOOKED_322: Fault.CODE_322,
    Kind.UNBOOKED_500: Fault.CODE_500,
    Kind.UNBOOKED_RESET: Fault.RESET,
    Kind.BUSY: Fault.BUSY,
}
UNBOOKED: Final = frozenset({Kind.UNBOOKED_322, Kind.UNBOOKED_500, Kind.UNBOOKED_RESET, Kind.BUSY})


class Plan(msgspec.Struct, frozen=True):
    """Times run in seconds from when the order was taken in; the label's from its AWB. None is never."""

    kinds: tuple[Kind, ...]
    outcome: Kind
    books_after: float | None
    fails_after: float | None
    failure: Failure | None
    fault: Fault | None
    faulty_posts: int
    label_after: float | None
    unknown_for: float
    picked_up_after: float | None
    faulty_downloads: int
    cancel_refusals: int
    faulty_edits: int
    faulty_vans: int
    accepted_code: int
    """What says "we are at it" first: 102 and 202 are both documented."""
    done_code: int
    """What says "here is your AWB" to a first create call and to a status call."""

    def has(self, kind: Kind) -> bool:
        return kind in self.kinds

    @property
    def takes_faulty_orders(self) -> bool:
        """Whether an order is in the book though its create call was answered with a fault."""
        return self.outcome not in UNBOOKED


def make_plan(chosen: Chosen, dice: Dice) -> Plan:
    """Left to chance, codes that mean the same vary too; else they are the documented ones."""
    kinds, times, varied = chosen.kinds, chosen.times, chosen.by_chance
    outcome = next(kind for kind in kinds if FAMILY_OF[kind] is Family.OUTCOME)
    unbooked_for_good = outcome in UNBOOKED and outcome is not Kind.BUSY and dice.whole("for good", 10) < 3
    return Plan(
        kinds=kinds,
        outcome=outcome,
        books_after=_books_after(outcome, dice),
        fails_after=_fails_after(outcome, dice),
        failure=FAILURES.get(outcome),
        fault=FAULTS.get(outcome),
        faulty_posts=times or (FOREVER_TIMES if unbooked_for_good and varied else 1),
        label_after=_label_after(kinds, dice),
        unknown_for=dice.between("unknown", *UNKNOWN_FOR_SECONDS) if Kind.UNKNOWN_AT_FIRST in kinds else 0.0,
        picked_up_after=dice.between("picked up", *PICKED_UP_AFTER_SECONDS) if Kind.PICKED_UP in kinds else None,
        faulty_downloads=times or 1 + dice.whole("downloads", 2),
        cancel_refusals=times or 2,
        faulty_edits=times or 1,
        faulty_vans=times or 1,
        accepted_code=102 if outcome is Kind.AWB_FOLLOWS or not varied or dice.whole("accepted", 2) else 202,
        done_code=323 if outcome in {Kind.ALREADY_PLACED, Kind.AWB_FOLLOWS} or _says_323(dice, varied) else 200,
    )


def _says_323(dice: Dice, varied: bool) -> bool:
    return varied and dice.whole("done", 4) == 0


def _books_after(outcome: Kind, dice: Dice) -> float | None:
    if outcome is Kind.NEVER or outcome in FAILURES:
        return None
    window = BOOKS_AFTER_SECONDS.get(outcome)
    return dice.between("books", *window) if window else 0.0


def _fails_after(outcome: Kind, dice: Dice) -> float | None:
    if outcome is Kind.FAIL_LATER:
        return dice.between("fails", *FAILS_AFTER_SECONDS)
    return 0.0 if outcome in FAILURES else None


def _label_after(kinds: tuple[Kind, ...], dice: Dice) -> float | None:
    if Kind.LABEL_NEVER in kinds:
        return None
    return dice.between("label", *LABEL_AFTER_SECONDS) if Kind.LABEL_LATER in kinds else 0.0
