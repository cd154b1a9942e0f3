"""Whom the walk is about: an account and a facility. Pure but for `choose`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bilty.doctor.findings import Finding, wrong
from bilty.doctor.house import ADD_FACILITY, UPDATE_CONNECTOR, facilities_of
from bilty.running import Opened
from bilty.shipment import Facility
from bilty.shipping_provider import Connector
from bilty.store import providers
from bilty.store.providers import Standing


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
    return wrong("No shipping provider has a username and key.", UPDATE_CONNECTOR)


def one_facility(facilities: Sequence[Facility], code: str) -> Facility | Finding:
    found = [facility for facility in facilities if code in ("", facility.code)]
    if len(found) == 1:
        return found[0]
    if found or code:
        told = f"There is no facility {code}." if code else "There are several facilities."
        return wrong(told, _name("--facility", [facility.code for facility in facilities]))
    return wrong("There is no facility to fetch boxes from.", ADD_FACILITY)


def _name(option: str, codes: Sequence[str]) -> str:
    return f"Name one: {', '.join(f'{option} {code}' for code in codes[:10]) or 'none is set up yet'}."
