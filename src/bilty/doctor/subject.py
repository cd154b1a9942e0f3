"""Whom the walk is about: an account, a facility, and the shipment that is spoken of. Pure but for `choose`."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from bilty.aggregator import Booking
from bilty.doctor.findings import Finding, wrong
from bilty.doctor.house import facilities_of
from bilty.running import Opened
from bilty.shipment import Box, Facility, Invoice, Item, Payment, PaymentMode, Shipment
from bilty.shipping_provider import Connector
from bilty.store import providers
from bilty.store.providers import Standing

DO_NOT_SHIP = "Bilty doctor test, do not ship"
INVOICE_RUPEES = Decimal(100)
"""Far below what an e-way bill is due for."""
BOX_SIDE_CM, BOX_WEIGHT_G = 20, 1_000


@dataclass(frozen=True, slots=True)
class Subject:
    provider: str
    name: str
    connector: Connector
    facility: Facility


async def choose(state: Opened, provider: str, facility: str) -> Subject | Finding:
    """The only ones there are, or those that are named; else what has to be named or set up."""
    async with state.pool.acquire() as connection:
        standing = one_provider(await providers.standings(connection), provider)
        if isinstance(standing, Finding):
            return standing
        place = one_facility(await facilities_of(connection), facility)
        if isinstance(place, Finding):
            return place
        connector = await providers.connector_of(connection, state.vault, standing.provider.code)
    assert connector is not None, "only a provider with a connector is chosen"
    return Subject(standing.provider.code, standing.provider.name, connector, place)


def one_provider(standings: Sequence[Standing], code: str) -> Standing | Finding:
    usable = [s for s in standings if s.connector is not None and (s.provider.enabled or s.provider.code == code)]
    found = [s for s in usable if code in ("", s.provider.code)]
    if len(found) == 1:
        return found[0]
    if found:
        return wrong("There are several shipping providers.", _name("--provider", [s.provider.code for s in found]))
    if code:
        told = f"There is no shipping provider {code} that has a username and key."
        return wrong(told, _name("--provider", [s.provider.code for s in usable]))
    return wrong(
        "No shipping provider has a username and key.",
        "Update Connector: PUT /api/v1/shipping-providers/CODE/connector.",
    )


def one_facility(facilities: Sequence[Facility], code: str) -> Facility | Finding:
    found = [facility for facility in facilities if code in ("", facility.code)]
    if len(found) == 1:
        return found[0]
    if found or code:
        told = f"There is no facility {code}." if code else "There are several facilities."
        return wrong(told, _name("--facility", [facility.code for facility in facilities]))
    return wrong("There is no facility to fetch boxes from.", "Add one in the panel, or PUT /facilities/CODE.")


def _name(option: str, codes: Sequence[str]) -> str:
    return f"Name one: {', '.join(f'{option} {code}' for code in codes[:10]) or 'none is set up yet'}."


def fresh_tag() -> str:
    """Eleven letters that nobody used before: a reference ends in them."""
    return base64.b32encode(secrets.token_bytes(7)).decode()[:11]


def sample_booking(subject: Subject, tag: str, now: datetime, pincode: str = "") -> Booking:
    """One box from the facility to itself; with `pincode`, the lane there, to be asked about and never booked."""
    number = f"DOCTOR-{tag}"
    shipment = Shipment(
        number=number,
        order_number=number,
        facility=subject.facility.code,
        shipping_provider=subject.provider,
        consignee=msgspec.structs.replace(
            subject.facility.pickup,
            name=DO_NOT_SHIP,
            organisation=DO_NOT_SHIP,
            pincode=pincode or subject.facility.pickup.pincode,
        ),
        payment=Payment(PaymentMode.PREPAID),
        invoices=(Invoice(number=number, date=now.astimezone(_zone(subject)).date(), value=INVOICE_RUPEES),),
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
    return Booking(shipment, subject.facility, reference=number)


def _zone(subject: Subject) -> ZoneInfo:
    return ZoneInfo(subject.facility.time_zone)
