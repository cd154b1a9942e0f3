"""Your account: the password, and the browsers in which one is signed in."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from bilty.store import tries
from bilty.store.sessions import SEEN_EVERY, SESSION_LIVES
from web.house import House

ASHA = "asha@example.com"
OLD, NEW = "nine bales to Hubli", "ten crates from Hosur"


def browser_of(house: House, agent: str) -> httpx.AsyncClient:
    headers = {"Accept": "text/html", "Origin": house.url, "User-Agent": agent}
    return httpx.AsyncClient(base_url=house.url, headers=headers)


@pytest.fixture
async def phone(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """The same person's other browser."""
    async with browser_of(house, "Mozilla/5.0 (Linux; Android 14) Chrome/140.0 Mobile Safari/537.36") as browser:
        assert (await browser.post(await house.sign_in_link())).status_code == 303
        yield browser


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/account")).status_code == 200


async def change(house: House, **fields: str) -> httpx.Response:
    return await house.send("/account/password", {"again": fields.get("password", ""), **fields})


async def test_a_first_password_needs_no_other(house: House) -> None:
    await house.sign_in()
    page = await house.page("/account")
    assert "Choose a password" in page
    assert 'autocomplete="current-password"' not in page
    assert "Your password is kept" in await house.told(await change(house, password=OLD))
    assert 'autocomplete="current-password"' in await house.page("/account")
    house.browser.cookies.clear()
    answer = await house.send("/sign-in", {"email": ASHA, "password": OLD})
    assert answer.status_code == 303


async def test_a_change_of_password_ends_the_other_sessions(house: House, phone: httpx.AsyncClient) -> None:
    await house.sign_in()
    await change(house, password=OLD)
    assert not await is_in(phone)
    assert (await phone.post("/sign-in", data={"email": ASHA, "password": OLD})).status_code == 303
    link = await house.sign_in_link()
    assert (await change(house, password=NEW, current=OLD)).status_code == 303
    assert not await is_in(phone)
    assert await is_in(house.browser), "here one stays signed in"
    assert (await phone.post(link)).status_code == 403, "links that waited are used up"
    assert (await phone.post("/sign-in", data={"email": ASHA, "password": OLD})).status_code == 422
    assert (await phone.post("/sign-in", data={"email": ASHA, "password": NEW})).status_code == 303
    actions = [row["action"] for row in await house.tools.pool.fetch("SELECT action FROM audit ORDER BY id")]
    assert [each for each in actions if "password" in each] == ["password chosen", "password changed"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"password": NEW, "current": NEW}, "This is not your current password"),
        ({"password": NEW}, "This is not your current password"),
        ({"password": "short", "current": OLD}, "The password has 5 characters"),
        ({"password": NEW, "current": OLD, "again": OLD}, "The two passwords differ"),
        ({"password": "", "current": OLD}, "Password is missing"),
    ],
)
async def test_a_change_that_cannot_be(house: House, fields: dict[str, str], sentence: str) -> None:
    await house.sign_in()
    await change(house, password=OLD)
    answer = await change(house, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert NEW not in answer.text


async def test_the_current_password_is_not_guessed_here(house: House) -> None:
    await house.sign_in()
    await change(house, password=OLD)
    assert "not your current" in (await change(house, password=NEW, current="something else")).text
    for _ in range(tries.MOST[tries.Whose.EMAIL_HERE] - 1):
        async with house.tools.pool.acquire() as connection, connection.transaction():
            await tries.begin(connection, ASHA, "127.0.0.1", await house.now())
    assert "Too many tries for asha@example.com" in (await change(house, password=NEW, current=OLD)).text


async def test_where_one_is_signed_in_is_listed_and_ended_one_by_one(house: House, phone: httpx.AsyncClient) -> None:
    await house.sign_in()
    page = await house.page("/account")
    assert page.index("(this one)") < page.index("Chrome on Android")
    paths = re.findall(r'action="(/account/sessions/\d+/sign-out)"', page)
    assert len(paths) == 1
    assert "Chrome on Android is signed out." in await house.told(await house.send(paths[0]))
    assert not await is_in(phone)
    assert "had ended already" in await house.told(await house.send(paths[0]))


async def test_nobody_ends_another_persons_session(house: House, phone: httpx.AsyncClient) -> None:
    session = await house.tools.pool.fetchval("SELECT id FROM sessions")
    await house.sign_in("bina@example.com")
    assert "had ended already" in await house.told(await house.send(f"/account/sessions/{session}/sign-out"))
    assert await is_in(phone)


async def test_signing_out_everywhere_is_here_too(house: House, phone: httpx.AsyncClient) -> None:
    await house.sign_in()
    answer = await house.send("/account/sign-out-everywhere")
    assert answer.headers["location"] == "/sign-in"
    assert not await is_in(phone)
    assert not await is_in(house.browser)
    row = await house.tools.pool.fetchrow("SELECT actor, action, subject, after FROM audit ORDER BY id DESC LIMIT 1")
    assert tuple(row or ()) == (ASHA, "signed out everywhere", ASHA, '{"sessions ended": 2}')


async def test_a_session_ends_by_itself_however_much_it_is_used(house: House) -> None:
    await house.sign_in()
    days = SESSION_LIVES - timedelta(seconds=60)
    await house.tools.pool.execute("UPDATE sessions SET expires_at = expires_at - $1::interval", days)
    assert await is_in(house.browser)
    await house.tools.pool.execute("UPDATE sessions SET expires_at = expires_at - interval '1 minute'")
    assert not await is_in(house.browser)


async def test_being_seen_is_written_once_a_minute(house: House) -> None:
    await house.sign_in()
    pool = house.tools.pool
    await pool.execute("UPDATE sessions SET seen_at = seen_at - $1::interval", SEEN_EVERY)
    await pool.execute("UPDATE users SET seen_at = NULL")
    await house.page("/account")
    first = await pool.fetchrow("SELECT s.seen_at, u.seen_at FROM sessions s, users u")
    await house.page("/account")
    assert first == await pool.fetchrow("SELECT s.seen_at, u.seen_at FROM sessions s, users u")
    assert first
    assert first[0] == first[1]
