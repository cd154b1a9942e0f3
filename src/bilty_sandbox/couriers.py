"""The couriers behind the sandbox's account, how each numbers its waybills, and how a lane ranks them.

Numbers of couriers below 9000 are ones that ClickPost's public pages show. Ids of the others are not public, so theirs
are invented, from 9000 up, and mean nothing outside the sandbox.
"""

from enum import StrEnum
from functools import lru_cache

import msgspec

from bilty_sandbox.dice import Dice

UNSERVICEABLE_PINS = ("79", "744301")
"""Beginnings of delivery PINs that no courier serves: the hills of the north-east, and one island to test with."""

LANES_KEPT = 4096


class Numbering(StrEnum):
    """How a box's waybill follows from the shipment's."""

    UNDERSCORE = "underscore"
    DASH = "dash"
    SUFFIX = "suffix"
    UNRELATED = "unrelated"


class Account(msgspec.Struct, frozen=True):
    cp_id: int
    courier: str
    account_code: str
    account_id: int
    awb_prefix: str
    awb_digits: int
    numbering: Numbering
    is_async: bool = True
    active: bool = True

    def number(self, dice: Dice, name: str) -> str:
        return self.awb_prefix + str(dice.whole(name, 10**self.awb_digits)).zfill(self.awb_digits)

    def child_number(self, parent: str, box: int, dice: Dice, name: str) -> str:
        match self.numbering:
            case Numbering.UNDERSCORE:
                return f"{parent}_{box}"
            case Numbering.DASH:
                return f"{parent}-{box:04}"
            case Numbering.SUFFIX:
                return f"{parent}{box:05}"
            case Numbering.UNRELATED:
                return self.number(dice, f"{name} {box}")


# The lengths differ from one account to the next, with and without a suffix, so no two can issue the same number.
ACCOUNTS: tuple[Account, ...] = (
    Account(129, "Bluedart", "Bluedart-Surface", 4101, "53", 9, Numbering.DASH),
    Account(113, "Delhivery MPS", "Delhivery-B2B", 4102, "21", 12, Numbering.UNRELATED),
    Account(113, "Delhivery MPS", "Delhivery-Express", 4103, "29", 12, Numbering.UNRELATED, is_async=False),
    Account(61, "Xpressbees Cargo", "Xpressbees-Cargo", 4104, "78", 10, Numbering.UNDERSCORE, is_async=False),
    Account(9001, "Gati", "Gati-Surface", 4105, "6", 8, Numbering.SUFFIX),
    Account(9002, "Safexpress", "Safexpress-PTL", 4106, "SFX", 10, Numbering.UNRELATED),
    Account(9003, "V-Trans", "VTrans-LTL", 4107, "V", 9, Numbering.DASH, is_async=False),
    Account(9004, "TCI", "TCI-Surface", 4108, "TC", 10, Numbering.UNDERSCORE),
    Account(9005, "Om Logistics", "Om-LTL", 4109, "OM", 10, Numbering.SUFFIX, active=False),
)
_BY_IDENTITY = {(account.cp_id, account.account_code): account for account in ACCOUNTS}
CP_IDS = frozenset(account.cp_id for account in ACCOUNTS)


def find_account(cp_id: int, account_code: str) -> Account | None:
    return _BY_IDENTITY.get((cp_id, account_code))


def serviceable(drop_pin: str) -> bool:
    return not drop_pin.startswith(UNSERVICEABLE_PINS)


@lru_cache(maxsize=LANES_KEPT)
def ranking(seed: int, pickup_pin: str, drop_pin: str) -> tuple[Account, ...]:
    """From four to all active accounts, P1 first. Every account comes first on some lane."""
    dice = Dice(seed, "lane", pickup_pin, drop_pin)
    active = [account for account in ACCOUNTS if account.active]
    active.sort(key=lambda account: dice.share(account.account_code))
    return tuple(active[: 4 + dice.whole("how many", len(active) - 3)])


def priority_of(seed: int, pickup_pin: str, drop_pin: str, account: Account) -> int | None:
    """1 for P1. None where the lane does not list the account."""
    ranked = ranking(seed, pickup_pin, drop_pin)
    return ranked.index(account) + 1 if account in ranked else None


def preferences(seed: int, pickup_pin: str, drop_pin: str) -> list[tuple[int, Account]]:
    """(priority, account) as the recommendation call lists them: out of order, and one of them twice."""
    ranked = ranking(seed, pickup_pin, drop_pin)
    listed = list(enumerate(ranked, start=1))
    dice = Dice(seed, "order of the list", pickup_pin, drop_pin)
    listed.append((len(ranked) + 1, ranked[dice.whole("twice", len(ranked))]))
    return sorted(listed, key=lambda entry: dice.share(str(entry[0])))
