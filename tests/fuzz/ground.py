"""What there is to find in the house that is fuzzed: two facilities, shipments in each state, a key for each caller."""

from bilty.reply import Label, Paper
from bilty.store import access
from bilty.store.access import Scope
from fuzz.driving import Caller
from web.house import FACILITY, NO, PDF, RANKED, House

NOBODY, READ, DISPATCH, ADMIN, ONE_FACILITY = "no key", "read", "dispatch", "admin", "dispatch of one facility"


async def callers(house: House) -> dict[str, Caller]:
    """The five kinds of callers, each with a key of its own."""
    pool = house.tools.pool
    facility_id: int = await pool.fetchval("SELECT id FROM facilities WHERE code = 'PNQ-1'")
    kinds: dict[str, tuple[Scope, frozenset[int] | None]] = {
        READ: (Scope.READ, None),
        DISPATCH: (Scope.DISPATCH, None),
        ADMIN: (Scope.ADMIN, None),
        ONE_FACILITY: (Scope.DISPATCH, frozenset({facility_id})),
    }
    found = {NOBODY: Caller(NOBODY, "")}
    for name, (scope, facilities) in kinds.items():
        async with pool.acquire() as connection, connection.transaction():
            key = await access.add_key(connection, name, scope, facilities)
            found[name] = Caller(name, key, "" if facilities is None else "PNQ-1")
    return found


async def furnish(house: House) -> None:
    """Shipments 1 to 5: with its label, refused by all, on hold, just taken in, being booked."""
    await house.furnish()
    assert (await house.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await house.takes_in(number="SO-1", schedule=True)
    await house.hears(RANKED, Label("AWB77"), Paper(await house.tools.labels.put(PDF), 1))
    await house.takes_in(number="SO-2", facility="PNQ-1", schedule=True)
    await house.hears(RANKED, NO, NO, NO)
    dear = [{"number": "INV-1", "date": "2026-11-20", "value": "99000.00"}]
    await house.takes_in(number="SO-3", invoices=dear)
    await house.takes_in(number="SO-4", facility="PNQ-1")
    await house.takes_in(number="SO-5", schedule=True)
    endpoint = {"url": "https://oms.example.com/bilty", "events": ["shipment.label_ready"]}
    assert (await house.call("PUT", "/hand-off-endpoints/oms", endpoint)).status_code == 201
    assert (await house.call("PUT", "/hand-off-endpoints/to-go", endpoint)).status_code == 201
