"""An account tried without booking anything: is it accepted, and whom does it name for a lane.

`bilty doctor --live` and the panel's Test connection ask the same and say the same of the answer. Pure but for
`fresh_tag`.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from bilty.aggregator import AtRest, Booking, Listed, Pdf
from bilty.hearing import first_three
from bilty.reply import Busy, Courier, Label, Ranking, Refusal, Refused, Unclear
from bilty.shipment import Box, Facility, Invoice, Item, Payment, PaymentMode, Shipment
from bilty.words import counted, listed, sentence

ACCOUNTS_SHOWN_MAX = 8
UPDATE_CONNECTOR = "Copy username and key again from the ClickPost B2B dashboard and choose Update Connector."
NOT_REACHED = "Check the network from this machine and BILTY_CLICKPOST_URL, then run this again."
SET_PRIORITIES = "Set priorities in the ClickPost B2B dashboard (Allocation, Ordered List)."
DO_NOT_SHIP = "Bilty doctor test, do not ship"
INVOICE_RUPEES = Decimal(100)
"""Far below what an e-way bill is due for."""
BOX_SIDE_CM, BOX_WEIGHT_G = 20, 1_000


def fresh_tag() -> str:
    """Eleven letters that nobody used before: a reference ends in them."""
    return base64.b32encode(secrets.token_bytes(7)).decode()[:11]


def sample_booking(facility: Facility, provider: str, tag: str, now: datetime, pincode: str = "") -> Booking:
    """One box from the facility to itself; with `pincode`, the lane there, to be asked about and never booked."""
    number = f"DOCTOR-{tag}"
    shipment = Shipment(
        number=number,
        order_number=number,
        facility=facility.code,
        shipping_provider=provider,
        consignee=msgspec.structs.replace(
            facility.pickup, name=DO_NOT_SHIP, organisation=DO_NOT_SHIP, pincode=pincode or facility.pickup.pincode
        ),
        payment=Payment(PaymentMode.PREPAID),
        invoices=(
            Invoice(number=number, date=now.astimezone(ZoneInfo(facility.time_zone)).date(), value=INVOICE_RUPEES),
        ),
        boxes=(
            Box(
                BOX_SIDE_CM,
                BOX_SIDE_CM,
                BOX_SIDE_CM,
                BOX_WEIGHT_G,
                invoice=number,
                items=(Item(sku="DOCTOR", quantity=1, unit_price=INVOICE_RUPEES, description=DO_NOT_SHIP),),
            ),
        ),
    )
    return Booking(shipment, facility, reference=number)


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer shows, in one sentence, and where something is wrong the remedy."""

    well: bool
    says: str
    remedy: str = ""


def told_accounts(reply: object, name: str) -> Told:
    """Of the answer to `Aggregator.accounts`."""
    match reply:
        case Listed(couriers=()):
            remedy = "Have a courier account activated in the ClickPost B2B dashboard."
            return Told(False, f"ClickPost accepts the key of {name}, and lists no active courier account.", remedy)
        case Listed():
            return Told(True, f"ClickPost accepts the key of {name}: {_accounts(reply.couriers)}.")
        case Refused():
            return Told(False, f"ClickPost rejects the username and key of {name}: {heard(reply)}", UPDATE_CONNECTOR)
        case Unclear() | Busy() if is_silent(reply):
            return Told(False, f"ClickPost cannot be reached: {heard(reply)}", NOT_REACHED)
        case _:
            remedy = "Check BILTY_CLICKPOST_URL; if it is right, ask ClickPost about GET v1/fetch-accounts."
            return Told(False, f"ClickPost's list of accounts cannot be read: {heard(reply)}", remedy)


def told_ranking(reply: object, origin: str, destination: str) -> Told:
    """Of the answer to `Aggregator.rank`."""
    lane = f"from {origin} to {destination}"
    match reply:
        case Ranking(couriers=()):
            return Told(False, f"ClickPost names no courier {lane}: {heard(reply)}", SET_PRIORITIES)
        case Ranking():
            ranked = [f"P{number} {named(courier)}" for number, courier in enumerate(first_three(reply.couriers), 1)]
            return Told(True, f"Priorities {lane}: {listed(ranked)}.")
        case Refused(refusal=Refusal.ACCOUNT):
            return Told(False, f"ClickPost would not rank couriers for this account: {heard(reply)}", UPDATE_CONNECTOR)
        case Unclear() | Busy() if is_silent(reply):
            return Told(False, f"ClickPost did not answer when asked for priorities: {heard(reply)}", NOT_REACHED)
        case _:
            remedy = f"Ask ClickPost which call tells the Ordered List of a B2B account. {SET_PRIORITIES}"
            return Told(False, f"ClickPost's priorities {lane} cannot be had: {heard(reply)}", remedy)


def _accounts(couriers: tuple[Courier, ...]) -> str:
    shown = [f"{courier.name} {courier.account_code}" for courier in couriers[:ACCOUNTS_SHOWN_MAX]]
    more = len(couriers) - len(shown)
    return f"{counted(len(couriers), 'courier account')}: {', '.join(shown)}" + (f" and {more} more" if more else "")


def heard(reply: object) -> str:
    """A reply as the end of a sentence."""
    match reply:
        case Refused():
            return f"{sentence(reply.message)[:-1]} (code {reply.code})."
        case Label():
            return f"an AWB, {reply.awb}."
        case Listed() | AtRest() | Pdf() | None:
            return "nothing that was expected."
        case _:
            return sentence(str(getattr(reply, "message", "")))


def named(courier: Courier) -> str:
    return f"{courier.name} ({courier.cp_id}, {courier.account_code})"


def is_silent(reply: object) -> bool:
    """ClickPost said nothing that could be read: such an answer teaches nothing."""
    return isinstance(reply, Busy) or (isinstance(reply, Unclear) and reply.silent)
