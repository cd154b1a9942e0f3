"""A key of one facility, at work beside keys of others."""

from datetime import date
from typing import Any

import pytest

from bilty.intake import Accepted, parse_shipment
from bilty.reply import Label, Paper
from bilty.store.access import Scope
from bilty.store.audit import COMMAND
from bilty.store.shipments import Intake
from bilty.web.arriving import Brought, keep
from web.house import FACILITY, PDF, RANKED, House, shipment

THEIRS, MINE = "BLR-1", "PNQ-1"


@pytest.fixture
async def town(furnished: House) -> House:
    """Two facilities; of each a shipment that is ready, one that is on hold, and one that is new."""
    assert (await furnished.call("PUT", f"/facilities/{MINE}", FACILITY)).status_code == 201
    for place in (THEIRS, MINE):
        await furnished.takes_in(facility=place, number="SO-1", schedule=True)
    await furnished.hears(RANKED, Label("AWB77"), Paper(await furnished.tools.labels.put(PDF), 1))
    dear = [{"number": "INV-1", "date": "2026-11-20", "value": "90000.00"}]
    for place in (MINE, THEIRS):
        await furnished.takes_in(facility=place, number="SO-2", invoices=dear)
        await furnished.takes_in(facility=place, number="SO-3")
    return furnished


async def pages(town: House, key: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    address: str | None = path
    while address:
        answer = await town.api.get(address, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        address = answer.json()["next"]
    return found


@pytest.mark.parametrize("status", ["", "created", "on_hold", "label_ready"])
async def test_a_key_pages_through_its_own_shipments_only(town: House, status: str) -> None:
    one, two = await town.key_of(MINE), await town.key_of(MINE, THEIRS)
    query = f"?limit=1{'&status=' + status if status else ''}"
    everything = await pages(town, await town.key(Scope.ADMIN), f"/api/v1/shipments{query}")
    assert [each for each in everything if each["facility"] == MINE] == await pages(
        town, one, f"/api/v1/shipments{query}"
    )
    assert everything == await pages(town, two, f"/api/v1/shipments{query}")


async def test_a_key_of_one_facility_works_there_as_any_key(town: House) -> None:
    key = await town.key_of(MINE, scope=Scope.DISPATCH)
    order = shipment(facility=MINE, number="SO-OWN", schedule=True)
    headers = {"Authorization": f"Bearer {key}"}
    taken = await town.api.post("/api/v1/shipments", headers=headers, json=order)
    assert (taken.status_code, taken.json()["status"]) == (202, "scheduling")
    at = f"/api/v1/shipments/{taken.json()['id']}"
    for path in (at, f"{at}/timeline", f"{at}/boxes"):
        assert (await town.api.get(path, headers=headers)).status_code == 200
    assert (await town.api.post(f"{at}/schedules", headers=headers)).status_code == 202


async def test_an_admins_key_of_one_facility_changes_that_one(town: House) -> None:
    headers = {"Authorization": f"Bearer {await town.key_of(MINE)}"}
    changed = {**FACILITY, "location_code": "PNQ-WEST"}
    answer = await town.api.put(f"/api/v1/facilities/{MINE}", headers=headers, json=changed)
    assert (answer.status_code, answer.json()["location_code"]) == (200, "PNQ-WEST")
    refused = await town.api.put(f"/api/v1/facilities/{THEIRS}", headers=headers, json=changed)
    assert refused.json()["detail"] == (
        "The key 'admin of PNQ-1' changes PNQ-1 only; to add or change another takes a key of all facilities."
    )
    known = await town.call("GET", f"/facilities/{THEIRS}")
    assert known.json()["location_code"] == ""


async def test_of_two_who_bring_a_shipment_at_once_each_is_judged_by_its_own_key(town: House) -> None:
    """They are kept in one transaction."""
    pool = town.tools.pool
    parsed = parse_shipment(shipment(number="SO-TWO"), town.tools.settings.intake_rules, date(2026, 11, 23))
    assert isinstance(parsed, Accepted)
    mine = frozenset({await pool.fetchval("SELECT id FROM facilities WHERE code = $1", MINE)})
    async with pool.acquire() as connection, connection.transaction():
        together = [Brought(parsed, COMMAND, each) for each in (mine, None, mine, frozenset[int]())]
        taken = await keep(connection, together)
    assert [each.intake for each in taken] == [
        Intake.NO_FACILITY,
        Intake.NEW,
        Intake.NO_FACILITY,
        Intake.NO_FACILITY,
    ]
    assert [each.seen is not None for each in taken] == [False, True, False, False]


async def test_what_is_not_to_be_seen_is_not_read(town: House) -> None:
    """Reading takes time, more for more boxes. What is kept of the others is such that reading it fails."""
    pool, key = town.tools.pool, await town.key_of(MINE)
    theirs = await pool.fetchval(
        "SELECT s.id FROM shipments s JOIN facilities f ON f.id = s.facility_id WHERE f.code = $1 LIMIT 1", THEIRS
    )
    await pool.execute("UPDATE shipment_versions SET content = '{}' WHERE shipment_id = $1", theirs)
    path = f"/shipments/{theirs}"
    assert (await town.call("GET", path)).status_code == 500
    for asked in (path, f"{path}/timeline", f"{path}/boxes", f"{path}/label.pdf"):
        assert (await town.call("GET", asked, Authorization=f"Bearer {key}")).status_code == 404
    listed = await town.call("GET", "/shipments", Authorization=f"Bearer {key}")
    assert len(listed.json()["items"]) == 3
