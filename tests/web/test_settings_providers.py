"""Settings, Shipping Provider: the brief's five steps, as a person who has read only the brief takes them."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from bilty.reply import Busy, Denied
from bilty.store import claims, job_steps
from bilty.store.access import Role
from bilty.store.providers import Keyring
from bilty.store.secrets import Vault
from web.house import CONNECTOR, FACILITY, KEY, PROVIDER, RANKED, House
from web.page import check_page

LIST = "/settings/shipping-providers"
ONE = f"{LIST}/clickpost-b2b"
NEW = {"kind": "clickpost_b2b", "name": "ClickPost B2B", "code": "clickpost-b2b", "enabled": "yes"}
FIELDS = {
    "username": "malnad",
    "key": KEY,
    "packslip_required": "false",
    "pickup_after_minutes": "45",
    "appointment_after_days": "3",
}
PREREQUISITES = ("An active ClickPost B2B account", "priorities in your ClickPost B2B account", "<b>API Key</b>")


@pytest.fixture
async def admin(house: House) -> House:
    """An admin, where nothing is set up."""
    await house.sign_in(role=Role.ADMIN)
    return house


@pytest.fixture
async def connected(furnished: House) -> House:
    """An admin, where a provider, its connector and a facility are set up."""
    await furnished.sign_in(role=Role.ADMIN)
    return furnished


async def trail(house: House, actor: str = "asha@example.com") -> list[dict[str, Any]]:
    rows = await house.tools.pool.fetch(
        "SELECT action, subject, before, after FROM audit WHERE actor = $1 AND shipment_id IS NULL ORDER BY id", actor
    )
    return [
        {**dict(row), "before": json.loads(row["before"] or "null"), "after": json.loads(row["after"] or "null")}
        for row in rows
        if not row["action"].startswith(("signed", "session"))
    ]


async def answered(house: House, path: str, result: Mapping[str, Any] | None, problem: str = "") -> None:
    """The job that the page at `path` waits for comes to its end."""
    found = re.search(r"=([0-9]+)", path)
    assert found
    async with job_steps.take(house.tools.pool, int(found[1])) as taken:
        assert taken
        await job_steps.end(taken[0], taken[1].id, result=result, problem=problem)


async def test_the_five_steps_of_the_brief(admin: House) -> None:
    assert (await admin.browser.get("/settings")).headers["location"] == LIST
    empty = await admin.page(LIST)
    assert "Add Shipping Provider" in empty
    choose = await admin.page(f"{LIST}/new")
    for each in PREREQUISITES:
        assert each in empty
        assert each in choose
    select = re.search(r'href="([^"]+kind=[^"]+)"', await admin.page(f"{LIST}/new?q=clickpost"))
    assert select
    form = await admin.page(select[1])
    assert 'value="ClickPost B2B"' in form
    assert 'value="clickpost-b2b"' in form
    saved = await admin.send(f"{LIST}/new", NEW)
    assert saved.headers["location"] == f"{ONE}/connector"
    connector = await admin.told(saved)
    for label in ("Username", "Key", "Packslip Required", "Pickup After (Minute)", "Appointment After (Days)"):
        assert f">{label}<" in connector.replace(" <span", "<span")
    assert '<option value="false" selected>False' in connector
    assert "No connector yet" in connector
    updated = await admin.told(await admin.send(f"{ONE}/connector", FIELDS))
    assert "The connector of ClickPost B2B is updated, with its key." in updated
    assert "</span> Well" in updated
    assert f"ending in {KEY[-4:]}" in updated
    assert KEY not in updated
    stored = (await admin.call("GET", "/shipping-providers/clickpost-b2b/connector")).json()
    assert (stored["username"], stored["pickup_after_minutes"], stored["appointment_after_days"]) == ("malnad", 45, 3)


async def test_a_search_that_finds_nothing_says_so(admin: House) -> None:
    found = await admin.page(f"{LIST}/new?q=Delhivery")
    assert "No shipping provider here is called “Delhivery”." in found
    assert "kind=" not in found
    assert "kind=clickpost_b2b" in await admin.page(f"{LIST}/new?kind=other")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "Name is missing: give 1 to 100 characters."),
        ({"name": "x" * 101}, "give 1 to 100 characters."),
        ({"code": "a b"}, "Code is &#34;a b&#34;: give 1 to 40 letters, digits, hyphens or underscores."),
        ({"code": "new"}, "the panel&#39;s page that adds one has this name; choose another."),
        ({"code": "", "name": "बिल्टी"}, "Code is missing"),
        ({"kind": "other"}, "Shipping provider is &#34;other&#34;: give &#34;clickpost_b2b&#34;."),
        ({"code": "taken"}, "Code is &#34;taken&#34;, which another shipping provider has: choose one of its own."),
    ],
)
async def test_what_cannot_be_added_stays_in_the_form(admin: House, changed: dict[str, str], message: str) -> None:
    await admin.call("PUT", "/shipping-providers/taken", PROVIDER)
    given = {**NEW, **changed}
    answer = await admin.send(f"{LIST}/new", given)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{given["name"]}"' in answer.text
    assert f'value="{given["code"]}"' in answer.text
    assert len((await admin.call("GET", "/shipping-providers")).json()["items"]) == 1
    assert await trail(admin) == []


async def test_a_code_is_made_from_the_name_and_is_not_anothers(admin: House) -> None:
    answer = await admin.send(f"{LIST}/new", {**NEW, "name": "ClickPost B2B, Pune!", "code": ""})
    assert answer.headers["location"] == f"{LIST}/clickpost-b2b-pune/connector"
    await admin.send(f"{LIST}/new", NEW)
    page = await admin.page(f"{LIST}/new?kind=clickpost_b2b")
    assert ('value="clickpost-b2b-2"' in page, 'value="ClickPost B2B 2"' in page) == (True, True)
    both = await admin.page(LIST)
    assert "clickpost-b2b-pune" in both
    assert "Give its credentials" in both


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"username": ""}, "Username is missing: give 1 to 100 characters."),
        ({"key": KEY + "\x07"}, "Key is not usable: give the API key"),
        ({"key": KEY * 40}, "Key is not usable: give the API key"),
        ({"packslip_required": "perhaps"}, "Packslip Required is &#34;perhaps&#34;: give true or false."),
        (
            {"pickup_after_minutes": "-1"},
            "Pickup After (Minute) is &#34;-1&#34;: give whole minutes from 0 to 10,080 (7 days).",
        ),
        ({"pickup_after_minutes": "half an hour"}, "Pickup After (Minute) is &#34;half an hour&#34;"),
        (
            {"calls_at_once": "0"},
            "Calls At Once is &#34;0&#34;: give whole calls from 1 to 5,000 (blank for",
        ),
        ({"calls_per_second": "2.5"}, "Calls A Second is &#34;2.5&#34;: give whole calls from 1 to 5,000"),
        ({"appointment_after_days": "91"}, "Appointment After (Days) is &#34;91&#34;: give whole days from 0 to 90"),
    ],
)
async def test_what_a_connector_cannot_take_is_said_and_the_key_never(
    connected: House, changed: dict[str, str], message: str
) -> None:
    given = {**FIELDS, "username": "other", **changed}
    answer = await connected.send(f"{ONE}/connector", given)
    assert answer.status_code == 422
    assert message in answer.text
    assert KEY not in answer.text
    for name in ("username", "pickup_after_minutes", "appointment_after_days"):
        assert f'value="{given[name]}"' in answer.text
    assert ("Type the key again" in answer.text) == (given["key"] == KEY)
    stored = (await connected.call("GET", "/shipping-providers/clickpost-b2b/connector")).json()
    assert stored["username"] == CONNECTOR["username"]


async def test_a_new_connector_needs_a_key_and_an_old_one_keeps_it(admin: House) -> None:
    await admin.send(f"{LIST}/new", NEW)
    assert "Key is missing" in (await admin.send(f"{ONE}/connector", {**FIELDS, "key": ""})).text
    await admin.send(f"{ONE}/connector", FIELDS)
    kept = await admin.told(await admin.send(f"{ONE}/connector", {**FIELDS, "key": "", "packslip_required": "true"}))
    assert "the key is as it was" in kept
    assert '<option value="true" selected>True' in kept
    other = "another-key-9876543210"
    changed = await admin.told(await admin.send(f"{ONE}/connector", {**FIELDS, "key": f"  {other} "}))
    assert "with another key" in changed
    assert "ending in 3210" in changed
    short = await admin.told(await admin.send(f"{ONE}/connector", {**FIELDS, "key": "short-key"}))
    assert "A key is stored. Leave" in short
    assert "short-key" not in short


async def test_how_much_is_said_at_once_and_in_a_second_is_set_beside_the_credentials(connected: House) -> None:
    told = await connected.told(
        await connected.send(f"{ONE}/connector", {**FIELDS, "calls_at_once": "7", "calls_per_second": "3"})
    )
    assert re.search(r'name="calls_at_once"[^>]*value="7"', told)
    assert re.search(r'name="calls_per_second"[^>]*value="3"', told)
    stored = (await connected.call("GET", "/shipping-providers/clickpost-b2b/connector")).json()
    assert (stored["calls_at_once"], stored["calls_per_second"]) == (7, 3)
    for number in range(9):
        await connected.takes_in(number=f"SO-{number}", schedule=True)
    keyring, pool = Keyring(connected.tools.vault), connected.tools.pool
    assert len(await claims.claim(pool, keyring, calls_max=9, calls_out={})) == 1, "of three a second one goes at once"

    await connected.send(f"{ONE}/connector", {**FIELDS, "key": "", "calls_at_once": "7"})
    assert len(await claims.claim(pool, keyring, calls_max=9, calls_out={})) == 6
    changed = (await trail(connected))[-1]
    assert (changed["before"]["calls_per_second"], changed["after"]["calls_per_second"]) == (3, None)
    assert changed["after"]["calls_at_once"] == 7


async def test_a_quiet_provider_is_one_banner_and_no_item(connected: House) -> None:
    await connected.takes_in(schedule=True)
    await connected.hears(Busy("too many requests", retry_after_s=600))
    for path in ("/today", "/attention"):
        assert "to come again after" in await connected.page(path)
    assert "Nothing waits for you" in await connected.page("/attention")
    answer = (await connected.call("GET", "/shipping-providers/clickpost-b2b")).json()
    assert answer["quiet_until"]
    assert "429, too many requests" in answer["problems"][0]
    await connected.send(f"{ONE}/connector", {**FIELDS, "key": ""})
    assert "to come again after" not in await connected.page("/today"), "new credentials may have another allowance"


async def test_a_viewer_sees_the_limits(connected: House) -> None:
    await connected.sign_in("vani@example.com", role=Role.VIEWER)
    page = await connected.page(f"{ONE}/connector")
    assert "As BILTY_CALLS_MAX says" in page
    assert "No limit" in page


async def test_the_trail_tells_who_changed_what_and_no_key(admin: House) -> None:
    await admin.send(f"{LIST}/new", NEW)
    await admin.send(f"{ONE}/connector", FIELDS)
    await admin.send(f"{ONE}/connector", {**FIELDS, "key": "", "appointment_after_days": ""})
    await admin.send(ONE, {"name": "B2B"})
    await admin.send(ONE, {"name": "B2B"})
    told = await trail(admin)
    assert [each["action"] for each in told] == [
        "shipping provider added",
        "connector updated",
        "connector updated",
        "shipping provider changed",
    ]
    assert told[1]["before"] is None
    assert told[1]["after"]["key"] == "changed"
    assert (told[2]["before"]["appointment_after_days"], told[2]["after"]["appointment_after_days"]) == (3, None)
    assert told[2]["after"]["key"] == "kept"
    assert told[3]["before"] == {"code": "clickpost-b2b", "kind": "clickpost_b2b", "name": NEW["name"], "enabled": True}
    assert (told[3]["after"]["name"], told[3]["after"]["enabled"]) == ("B2B", False)
    assert KEY not in json.dumps(told)
    assert "Changed last by asha@example.com" in await admin.page(ONE)


async def test_what_the_api_changes_is_in_the_trail_too(connected: House) -> None:
    told = await trail(connected, "admin key")
    assert [each["action"] for each in told] == ["shipping provider added", "connector updated", "facility added"]
    assert KEY not in json.dumps(told)
    assert "Changed last by admin key" in await connected.page(f"{ONE}/connector")


async def test_the_last_one_wins_and_is_told_of_the_other(connected: House) -> None:
    seen = re.search(r'name="seen" value="([0-9]+)"', await connected.page(f"{ONE}/connector"))
    assert seen
    await connected.call("PUT", "/shipping-providers/clickpost-b2b/connector", {"username": "api"})
    told = await connected.told(await connected.send(f"{ONE}/connector", {**FIELDS, "seen": seen[1]}))
    assert "admin key had changed it at" in told
    assert "your values stand now" in told
    assert 'value="malnad"' in told
    name = await connected.told(await connected.send(ONE, {"name": "B2B", "enabled": "yes", "seen": "0"}))
    assert "admin key had changed it at" in name
    assert "had changed" not in await connected.told(await connected.send(ONE, {"name": "B2B", "enabled": "yes"}))


async def test_a_provider_that_is_switched_off_keeps_its_shipments_and_goes_on_when_enabled(connected: House) -> None:
    house = connected
    shipment_id = await house.takes_in(schedule=True)
    off = await house.told(await house.send(ONE, {"name": "ClickPost B2B"}))

    assert "Switched off" in off
    assert "ClickPost B2B is switched off: it begins nothing new." in off
    assert "isabled" not in off
    assert ">1</a>, 1 of them waiting" in off
    assert "SO-1001" in await house.page(f"/shipments/{shipment_id}")
    pool, keyring = house.tools.pool, Keyring(house.tools.vault)
    assert await claims.claim(pool, keyring, calls_max=5, calls_out={}, now=await house.now()) == []
    await house.send(ONE, {"name": "ClickPost B2B", "enabled": "yes"})
    await house.hears(RANKED)


async def test_a_refused_key_is_mended_by_update_connector(connected: House) -> None:
    await connected.takes_in(schedule=True)
    await connected.hears(Denied("invalid key"))
    assert "Paused since" in await connected.page(LIST)
    assert "Update Connector in Settings, Shipping Provider" in await connected.page(ONE)
    assert "</span> Well" in await connected.told(await connected.send(f"{ONE}/connector", FIELDS))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("alarmed_at = clock_timestamp(), alarmed_why = '404 Not Found'", "Alarmed since"),
        ("silent_since = clock_timestamp()", "Silent since"),
        ("quiet_until = clock_timestamp() + interval '1 hour'", "Quiet until"),
        ("enabled = false", "Switched off"),
        ("connector = NULL, sealed_key = NULL", "No connector yet"),
    ],
)
async def test_how_a_provider_is_stands_in_the_list(connected: House, sql: str, words: str) -> None:
    await connected.tools.pool.execute(f"UPDATE shipping_providers SET {sql}")
    assert words in await connected.page(LIST)
    await connected.page(ONE)


async def test_a_key_sealed_with_another_secret_is_entered_anew(connected: House) -> None:
    sealed = Vault("another secret").seal(KEY)
    await connected.tools.pool.execute("UPDATE shipping_providers SET sealed_key = $1", sealed)
    assert "Key unreadable" in await connected.page(LIST)
    assert "sealed with another BILTY_SECRET_KEY" in await connected.page(ONE)
    assert "Key is missing" in (await connected.send(f"{ONE}/connector", {**FIELDS, "key": ""})).text
    assert "</span> Well" in await connected.told(await connected.send(f"{ONE}/connector", FIELDS))


async def test_a_courier_account_that_refuses_us_is_told_with_its_remedy(connected: House) -> None:
    await connected.tools.pool.execute(
        """INSERT INTO notices (provider_id, facility_id, cp_id, account_code, code, message)
           SELECT p.id, f.id, 129, 'Bluedart-Surface', 316, 'no <credentials>'
             FROM shipping_providers p, facilities f"""
    )
    page = await connected.page(ONE)
    assert "Account Bluedart-Surface refused to book for BLR-1: no &lt;credentials&gt; (ClickPost code 316)." in page
    assert "Mend that courier account in the ClickPost B2B dashboard" in page
    assert "Refused by 1 courier account" in await connected.page(LIST)


async def test_a_person_of_one_facility_is_told_of_that_ones_accounts_only(connected: House) -> None:
    house = connected
    assert (await house.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await house.tools.pool.execute(
        """INSERT INTO notices (provider_id, facility_id, cp_id, account_code, code, message)
           SELECT p.id, f.id, 129, 'Bluedart-' || f.code, 316, 'no' FROM shipping_providers p, facilities f"""
    )
    for path in (LIST, ONE, "/attention"):
        assert "Bluedart-BLR-1" in await house.page(path) or path == LIST
    await house.sign_in("pune@example.com", role=Role.ADMIN, facilities=["PNQ-1"])
    assert "Refused by 1 courier account" in await house.page(LIST)
    for path in (ONE, "/attention"):
        page = await house.page(path)
        assert "Bluedart-PNQ-1" in page
        assert "Bluedart-BLR-1" not in page
    await house.sign_in("none@example.com", role=Role.ADMIN, facilities=[])
    assert "Refused" not in await house.page(LIST)
    assert "No courier account has refused a shipment of your facilities." in await house.page(ONE)


async def test_the_preview_goes_by_what_is_typed(connected: House) -> None:
    promise = r"<b>A shipment booked now:</b> pickup (today|tomorrow) [0-9:]{5}, no appointment"
    assert re.search(promise, await connected.page(f"{ONE}/connector"))
    path = f"{ONE}/connector/preview"
    part = await connected.browser.get(f"{path}?pickup_after_minutes=2880&appointment_after_days=5")
    assert part.status_code == 200
    assert re.search(r"pickup \w{3} \d+ \w{3} \d{4}, [0-9:]{5}, appointment \w{3} \d+ \w{3} \d{4}, 10:00 to", part.text)
    early = await connected.browser.get(f"{path}?pickup_after_minutes=10080&appointment_after_days=1")
    assert "The appointment is over before the boxes are fetched" in early.text
    odd = await connected.browser.get(f"{path}?pickup_after_minutes=x<b>&appointment_after_days=")
    assert "Pickup After (Minute) is &#34;x&lt;b&gt;&#34;: give whole minutes" in odd.text
    assert (await connected.browser.get(f"{path}?key={KEY}")).status_code == 400


async def test_the_preview_without_script_keeps_what_was_typed_but_the_key(connected: House) -> None:
    typed = {**FIELDS, "username": "typed", "pickup_after_minutes": "0", "appointment_after_days": "0"}
    answer = await connected.send(f"{ONE}/connector/preview", typed)
    assert answer.status_code == 200
    assert re.search(r"pickup today [0-9:]{5}, appointment today, 10:00 to 18:00", answer.text)
    assert 'value="typed"' in answer.text
    assert "Type the key again" in answer.text
    assert KEY not in answer.text
    stored = (await connected.call("GET", "/shipping-providers/clickpost-b2b/connector")).json()
    assert stored["username"] == CONNECTOR["username"]


async def test_facilities_of_several_zones_have_a_preview_each(connected: House) -> None:
    await connected.tools.pool.execute(
        """INSERT INTO facilities (code, content)
           SELECT 'DXB-1', content || '{"code": "DXB-1", "time_zone": "Asia/Dubai"}' FROM facilities"""
    )
    page = await connected.page(f"{ONE}/connector")
    assert page.count("A shipment booked now:") == 2
    assert "(DXB-1, Asia/Dubai)" in page
    assert "(BLR-1)" in page


async def test_test_connection_asks_in_the_background_and_tells_here(connected: House) -> None:
    asked = await connected.send(f"{ONE}/test")
    where = asked.headers["location"]
    assert where.startswith(f"{ONE}/connector?test=")
    waiting = await connected.page(where)
    assert "Asking ClickPost …" in waiting
    assert "data-pending" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    why = "ClickPost rejects this username and key. Copy them again from the ClickPost B2B dashboard."
    await answered(connected, where, {"ok": False, "message": why, "couriers": []})
    refused = await connected.page(where)
    assert why in refused
    assert "data-pending" not in refused
    assert "http-equiv" not in refused
    again = (await connected.send(f"{ONE}/test")).headers["location"]
    couriers = ["Delhivery B2B main", "Blue Dart main"]
    await answered(connected, again, {"ok": True, "message": "ClickPost accepts the key.", "couriers": couriers})
    well = await connected.page(again)
    for each in (*couriers, "ClickPost accepts this key and lists 2 courier accounts:"):
        assert each in well


async def test_a_test_that_cannot_be_made_is_told(connected: House) -> None:
    where = (await connected.send(f"{ONE}/test")).headers["location"]
    await answered(connected, where, None, problem="The stored key cannot be opened here.")
    assert "The stored key cannot be opened here." in await connected.page(where)


async def test_an_answer_is_shown_on_its_own_providers_page_only(connected: House) -> None:
    await connected.call("PUT", "/shipping-providers/second", {**PROVIDER, "name": "Second"})
    where = (await connected.send(f"{ONE}/test")).headers["location"]
    await answered(connected, where, {"ok": True, "message": "Of the first.", "couriers": []})
    query = where.partition("?")[2].partition("#")[0]
    assert "Of the first." not in await connected.page(f"{LIST}/second/connector?{query}")
    assert "Of the first." not in await connected.page(f"{ONE}/connector?{query.replace('test', 'priorities')}")
    assert "Of the first." not in await connected.page(f"{ONE}/connector?test=999999")
    first = await connected.send(f"{LIST}/second/test")
    assert "Second has no username and key yet." in await connected.told(first)


async def test_an_answer_is_for_whoever_asked(connected: House) -> None:
    assert (await connected.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    for path, fields, result in (
        (f"{ONE}/test", {}, {"ok": False, "message": "Said to Asha.", "couriers": []}),
        (f"{ONE}/priorities", {"facility": "BLR-1", "pincode": "411018"}, {"couriers": [], "message": "Said to Asha."}),
    ):
        await connected.sign_in(role=Role.ADMIN)
        where = (await connected.send(path, fields)).headers["location"]
        await answered(connected, where, result)
        assert "Said to Asha." in await connected.page(where)
        await connected.sign_in("bina@example.com", role=Role.ADMIN)
        assert "Said to Asha." in await connected.page(where)
        await connected.sign_in("pune@example.com", role=Role.ADMIN, facilities=["BLR-1"])
        assert "Said to Asha." not in await connected.page(where)
        for role in (Role.DISPATCHER, Role.VIEWER):
            await connected.sign_in(f"{role}@example.com", role=role)
            assert "Said to Asha." not in await connected.page(where)


async def test_show_priorities_shows_three_tiers(connected: House) -> None:
    asked = await connected.send(f"{ONE}/priorities", {"facility": "BLR-1", "pincode": "411 018"})
    where = asked.headers["location"]
    assert "Asking ClickPost about BLR-1 to 411018" in await connected.page(where)
    ranked = [
        {"priority": 1, "name": "Delhivery B2B", "cp_id": 4, "account_code": "main"},
        {"priority": 2, "name": "Blue Dart", "cp_id": 5, "account_code": "surface"},
    ]
    await answered(connected, where, {"couriers": ranked, "message": "Two."})
    page = await connected.page(where)
    for words in (">P1<", "Delhivery B2B", ">P2<", "Blue Dart", "cp_id 5", ">P3<", "nobody"):
        assert words in page
    empty = (await connected.send(f"{ONE}/priorities", {"facility": "BLR-1", "pincode": "744301"})).headers["location"]
    await answered(connected, empty, {"couriers": [], "message": "ClickPost names no courier for this lane."})
    page = await connected.page(empty)
    assert "ClickPost names no courier for this lane." in page
    assert "priorities in your ClickPost B2B account." in page


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"facility": "BLR-1", "pincode": "41"}, "Destination PIN is &#34;41&#34;: give a PIN code of 6 digits"),
        ({"facility": "BLR-1", "pincode": ""}, "Destination PIN is missing"),
        ({"facility": "NO-1", "pincode": "411018"}, "Facility is &#34;NO-1&#34;: choose one of those listed."),
    ],
)
async def test_a_lane_that_cannot_be_asked_about(connected: House, given: dict[str, str], message: str) -> None:
    answer = await connected.send(f"{ONE}/priorities", given)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{given["pincode"]}"' in answer.text
    assert 'value="malnad"' in answer.text


GETS = (LIST, ONE, f"{ONE}/connector")
POSTS = (f"{LIST}/new", ONE, f"{ONE}/connector", f"{ONE}/connector/preview", f"{ONE}/test", f"{ONE}/priorities")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DISPATCHER])
async def test_others_than_admins_read_and_change_nothing(furnished: House, role: Role) -> None:
    await furnished.sign_in(role=role)
    for path in GETS:
        page = await furnished.page(path)
        assert page.count("<form") == 1, "signing out only"
        assert KEY not in page
        assert "ending in" not in page
        assert KEY[-4:] not in page
        assert "/new" not in page
    assert CONNECTOR["username"] in await furnished.page(f"{ONE}/connector")
    await furnished.page(f"{LIST}/new", 403)
    for path in POSTS:
        answer = await furnished.send(path, {**NEW, **FIELDS})
        assert answer.status_code == 403
        assert "this needs an admin" in answer.text
    assert await trail(furnished) == []


async def test_strangers_see_nothing(furnished: House) -> None:
    for path in (*GETS, f"{LIST}/new", f"{ONE}/connector/preview", "/settings"):
        assert (await furnished.browser.get(path)).headers["location"].startswith("/sign-in?to=")
    for path in POSTS:
        assert (await furnished.send(path, FIELDS)).status_code in {303, 403}


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_from_elsewhere_changes_nothing(connected: House, path: str) -> None:
    answer = await connected.send_form(path, Origin="https://elsewhere.example")
    assert answer.status_code == 403
    check_page(answer)


async def test_what_is_not_there(admin: House) -> None:
    for path in (f"{LIST}/nobody", f"{LIST}/nobody/connector"):
        assert "There is no shipping provider" in await admin.page(path, 404)
        assert (await admin.send(path, FIELDS)).status_code == 404
    assert (await admin.send(f"{LIST}/nobody/test")).status_code == 404


async def test_a_person_of_one_facility_counts_and_asks_for_that_one_only(furnished: House) -> None:
    await furnished.takes_in()
    await furnished.sign_in(role=Role.ADMIN, facilities=[])
    assert "None yet" in await furnished.page(ONE)
    page = await furnished.page(f"{ONE}/connector")
    assert "Priorities are asked for from a facility." in page
    refused = await furnished.send(f"{ONE}/priorities", {"facility": "BLR-1", "pincode": "411018"})
    assert refused.status_code == 422


async def test_a_key_that_is_given_meanwhile_is_not_undone_by_keeping(connected: House) -> None:
    other = "another-key-9876543210"
    forms = [{**FIELDS, "key": "", "username": f"keeps{n}"} for n in range(4)]
    answers = await asyncio.gather(
        *[connected.send(f"{ONE}/connector", form) for form in [*forms[:2], {**FIELDS, "key": other}, *forms[2:]]]
    )
    assert {answer.status_code for answer in answers} == {303}
    stored = (await connected.call("GET", "/shipping-providers/clickpost-b2b/connector")).json()
    assert stored["key_ends_with"] == other[-4:]
