"""Settings, Users: who may come in, changed by admins, and at once."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from bilty.store import users
from bilty.store.access import Role
from bilty.store.audit import COMMAND
from web.house import House

ADMIN, BINA = "asha@example.com", "bina@example.com"
ALL = {"role": "dispatcher", "works_for": "all"}


async def facility(house: House, code: str) -> None:
    await house.tools.pool.execute("INSERT INTO facilities (code, content) VALUES ($1, '{}')", code)


async def id_of(house: House, email: str) -> int:
    found: int = await house.tools.pool.fetchval("SELECT id FROM users WHERE email = $1", email)
    return found


async def standing(house: House, email: str) -> tuple[str, list[str] | None, bool]:
    """Role, facilities (None: all) and whether disabled."""
    row = await house.tools.pool.fetchrow(
        """SELECT role, all_facilities, disabled_at, (SELECT array_agg(f.code ORDER BY f.code) FROM facilities f
             JOIN user_facilities uf ON uf.facility_id = f.id WHERE uf.user_id = u.id) AS codes
             FROM users u WHERE email = $1""",
        email,
    )
    assert row is not None
    return row["role"], None if row["all_facilities"] else row["codes"] or [], row["disabled_at"] is not None


async def added(house: House, email: str = BINA, **fields: str | list[str]) -> str:
    """The path of the new user's sign-in link."""
    answer = await house.send("/settings/users", {"email": email, **ALL, **fields})
    assert answer.status_code == 201, answer.text
    found = re.search(r"<code>(\S+)</code>", answer.text)
    assert found
    assert found[1].startswith(f"{house.url}/sign-in/")
    return found[1].removeprefix(house.url)


@pytest.fixture
async def other(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody else's browser."""
    headers = {"Accept": "text/html", "Origin": house.url}
    async with httpx.AsyncClient(base_url=house.url, headers=headers) as browser:
        yield browser


async def uses(browser: httpx.AsyncClient, link: str) -> None:
    assert (await browser.post(link)).status_code == 303


async def audit(house: House) -> list[tuple[str, str, str]]:
    rows = await house.tools.pool.fetch("SELECT actor, action, subject FROM audit ORDER BY id")
    return [(row["actor"], row["action"], row["subject"]) for row in rows if row["action"] != "signed in"]


async def test_a_user_is_added_and_the_link_shown_once(house: House, other: httpx.AsyncClient) -> None:
    await house.sign_in(role=Role.ADMIN)
    assert "Add user" in await house.page("/settings/users")
    await house.page("/settings/users/new")
    link = await added(house, "Bina@Example.com")
    assert link.rpartition("/")[2] not in await house.page("/settings/users")
    assert await standing(house, BINA) == ("dispatcher", None, False)
    await uses(other, link)
    assert BINA in (await other.get("/account")).text
    assert (await other.get("/settings/users")).status_code == 403
    assert (ADMIN, "user added", BINA) in await audit(house)
    assert link.rpartition("/")[2] not in await house.tools.pool.fetchval(
        "SELECT string_agg(a::text, ' ') FROM audit a"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": ""}, "E-mail is missing: give one address, like asha@example.com."),
        ({"email": "bina"}, "E-mail is &#34;bina&#34;: give one address"),
        ({"email": ADMIN}, f"E-mail {ADMIN} is a user already"),
        ({"role": "boss"}, "Role is &#34;boss&#34;: give admin, dispatcher or viewer."),
        ({"works_for": "some"}, "No facility is chosen"),
        ({"works_for": "some", "facility": ["BLR-1", "PNQ-9"]}, "Facility &#34;PNQ-9&#34; is not known"),
    ],
)
async def test_what_cannot_be_taken_is_said_and_still_in_the_form(
    house: House, fields: dict[str, str | list[str]], sentence: str
) -> None:
    await facility(house, "BLR-1")
    await house.sign_in(role=Role.ADMIN)
    answer = await house.send("/settings/users", {"email": BINA, **ALL, **fields})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{fields.get("email", BINA)}"' in answer.text
    if "facility" in fields:
        assert 'value="BLR-1" checked' in answer.text
    assert await house.tools.pool.fetchval("SELECT count(*) FROM users") == 1


async def test_role_and_facilities_change_at_once(furnished: House, other: httpx.AsyncClient) -> None:
    house = furnished
    await facility(house, "PNQ-1")
    shipment_id = await house.takes_in()
    await house.sign_in(role=Role.ADMIN)
    await uses(other, await added(house))
    path = f"/settings/users/{await id_of(house, BINA)}"
    assert (await other.get(f"/shipments/{shipment_id}")).status_code == 200
    answer = await house.send(path, {"role": "viewer", "works_for": "some", "facility": ["PNQ-1"]})
    assert "bina@example.com is a viewer for PNQ-1 now." in await house.told(answer)
    assert (await other.get(f"/shipments/{shipment_id}")).status_code == 404
    assert 'value="PNQ-1" checked' in await house.page(path)
    await house.send(path, {"role": "admin", "works_for": "all"})
    assert (await other.get("/settings/users")).status_code == 200
    told = [line for line in await audit(house) if line[1] == "user changed"]
    assert told == [(ADMIN, "user changed", BINA)] * 2
    page = await house.page("/settings/audit?what=user+changed")
    assert "role: dispatcher → viewer" in page
    assert "facilities: all → PNQ-1" in page


async def test_disabling_signs_out_and_keeps_out_until_enabled(house: House, other: httpx.AsyncClient) -> None:
    await house.sign_in(role=Role.ADMIN)
    await uses(other, await added(house))
    path = f"/settings/users/{await id_of(house, BINA)}"
    link = await house.send(f"{path}/link")
    assert link.status_code == 201
    waiting = re.findall(r"<code>\S+(/sign-in/\S+)</code>", link.text)[0]
    assert "disabled and signed out" in await house.told(await house.send(f"{path}/disable"))
    assert (await other.get("/shipments")).headers["location"] == "/sign-in"
    assert (await other.post(waiting)).status_code == 403
    assert "enable before a link" in await house.told(await house.send(f"{path}/link"))
    assert "(disabled)" in await house.page("/settings/users")
    assert "may sign in again" in await house.told(await house.send(f"{path}/enable"))
    assert (await other.get("/shipments")).headers["location"] == "/sign-in", "the session of before is gone"
    again = re.findall(r"<code>\S+(/sign-in/\S+)</code>", (await house.send(f"{path}/link")).text)[0]
    assert (await other.post(again)).status_code == 303


async def test_an_admin_signs_somebody_out_everywhere(house: House, other: httpx.AsyncClient) -> None:
    await house.sign_in(role=Role.ADMIN)
    await uses(other, await added(house))
    answer = await house.send(f"/settings/users/{await id_of(house, BINA)}/sign-out")
    assert "it was 1 browser." in await house.told(answer)
    assert (await other.get("/shipments")).status_code == 303
    assert (ADMIN, "signed out everywhere", BINA) in await audit(house)


async def test_the_last_admin_stays(house: House) -> None:
    await facility(house, "BLR-1")
    await house.sign_in(role=Role.ADMIN)
    path = f"/settings/users/{await id_of(house, ADMIN)}"
    sentence = f"{ADMIN} is the last admin of all facilities: make somebody else one first."
    for fields in (ALL, {"role": "admin", "works_for": "some", "facility": ["BLR-1"]}):
        answer = await house.send(path, fields)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert "cannot disable yourself" in await house.told(await house.send(f"{path}/disable"))
    assert await standing(house, ADMIN) == ("admin", None, False)
    await added(house, role="admin")
    assert (await house.send(path, ALL)).headers["location"] == "/account"
    assert await standing(house, ADMIN) == ("dispatcher", None, False)


async def test_two_admins_cannot_take_each_others_rights_at_once(house: House, other: httpx.AsyncClient) -> None:
    await house.sign_in(role=Role.ADMIN)
    await uses(other, await added(house, role="admin"))
    here, there = await id_of(house, ADMIN), await id_of(house, BINA)
    await asyncio.gather(
        house.browser.post(f"/settings/users/{there}/disable", headers={"Origin": house.url}),
        other.post(f"/settings/users/{here}/disable"),
    )
    rows = await house.tools.pool.fetch("SELECT disabled_at FROM users")
    assert len([row for row in rows if row["disabled_at"] is None]) == 1


async def test_an_admin_of_some_facilities_gives_no_more_than_that(house: House) -> None:
    for code in ("BLR-1", "PNQ-1"):
        await facility(house, code)
    await house.sign_in(role=Role.ADMIN)
    await house.sign_in("chitra@example.com", role=Role.ADMIN, facilities=["BLR-1"])
    page = await house.page("/settings/users")
    assert ADMIN not in page, "who works for more is not hers to change"
    for fields in (ALL, {"works_for": "some", "facility": ["PNQ-1"]}):
        answer = await house.send("/settings/users", {"email": BINA, **ALL, **fields})
        assert answer.status_code == 422
    await added(house, works_for="some", facility=["BLR-1"])
    path = f"/settings/users/{await id_of(house, ADMIN)}"
    await house.page(path, 404)
    for act in ("", "/link", "/disable", "/enable", "/sign-out"):
        assert (await house.send(f"{path}{act}", ALL)).status_code == 404
    mine = f"/settings/users/{await id_of(house, 'chitra@example.com')}"
    assert (await house.send(mine, {"role": "admin", "works_for": "all"})).status_code == 422
    await house.page("/settings/api-keys", 403)
    assert "user added" in (await house.page("/settings/audit")).lower(), "what she did herself"


async def test_inviting_by_command_changes_only_what_it_is_given(house: House) -> None:
    for code in ("BLR-1", "PNQ-1"):
        await facility(house, code)

    async def invite(email: str, role: Role | None, *codes: str) -> str | users.Refused:
        async with house.tools.pool.acquire() as connection, connection.transaction():
            return await users.invite(connection, COMMAND, email, role, codes, await house.now())

    assert isinstance(await invite(ADMIN, None), str)
    assert await standing(house, ADMIN) == ("admin", None, False)
    await invite(BINA, Role.DISPATCHER, "BLR-1", "PNQ-1")
    await house.tools.pool.execute("UPDATE users SET disabled_at = now() WHERE email = $1", BINA)
    await invite("BINA@example.com", None)
    assert await standing(house, BINA) == ("dispatcher", ["BLR-1", "PNQ-1"], False)
    await invite(BINA, Role.VIEWER)
    assert await standing(house, BINA) == ("viewer", ["BLR-1", "PNQ-1"], False)
    refused = await invite(BINA, None, "BLR-2")
    assert refused == users.Refused("There is no facility BLR-2: give one of BLR-1 or PNQ-1.")
    refused = await invite(ADMIN, Role.VIEWER)
    assert refused == users.Refused(f"{ADMIN} is the last admin of all facilities: make somebody else one first.")
    assert {line[0] for line in await audit(house)} == {"bilty"}
