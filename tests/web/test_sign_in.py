"""Coming in: links, passwords, and how often one may try."""

import asyncio
import html
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from bilty.settings import Settings
from bilty.store import access, tries
from bilty.store.access import Role
from bilty.store.database import Pool
from bilty.store.tries import MOST, TooMany, Try, Whose
from bilty.web import passwords
from bilty.web.people import browser, caller
from web.house import House
from web.opening import opened_house

GOOD = "nine bales to Hubli"
ASHA = "asha@example.com"
WRONG = "do not go together here"
HERE_MAX = MOST[Whose.EMAIL_HERE]


async def first_link(house: House) -> str | None:
    async with house.tools.pool.acquire() as connection, connection.transaction():
        token = await access.first_link(connection, await house.now())
    return f"/sign-in/{token}" if token else None


async def later(house: House, table: str, column: str, by: timedelta) -> None:
    await house.tools.pool.execute(f"UPDATE {table} SET {column} = {column} - $1::interval", by)


async def chooses(house: House, password: str = GOOD, email: str = ASHA, role: Role = Role.DISPATCHER) -> None:
    """A person with that password, who is signed out again."""
    answer = await house.send(await house.sign_in_link(email, role), {"password": password, "again": password})
    assert answer.status_code == 303, answer.text
    house.browser.cookies.clear()


async def tries_it(house: House, password: str, email: str = ASHA, **headers: str) -> httpx.Response:
    fields = {"email": email, "password": password}
    return await house.browser.post("/sign-in", data=fields, headers={"Origin": house.url, **headers})


async def tried(house: House, count: int, email: str = ASHA, peer: str = "127.0.0.1") -> None:
    """So many tries were wrong before."""
    for _ in range(count):
        async with house.tools.pool.acquire() as connection, connection.transaction():
            await tries.begin(connection, email, peer, await house.now())


async def audit(house: House) -> list[tuple[str, str, str]]:
    rows = await house.tools.pool.fetch("SELECT actor, action, subject FROM audit ORDER BY id")
    return [(row["actor"], row["action"], row["subject"]) for row in rows]


# The first admin


async def test_the_first_link_makes_the_first_admin(house: House) -> None:
    link = await first_link(house)
    assert link
    page = await house.page(link)
    assert "first admin" in page
    await house.page(link)
    answer = await house.send(link, {"email": "Asha@Example.com", "password": GOOD, "again": GOOD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/shipments")
    rows = await house.tools.pool.fetch("SELECT email, role, all_facilities FROM users")
    assert [tuple(row) for row in rows] == [(ASHA, "admin", True)]
    assert "Users" in await house.page("/settings/users")
    assert "used up" in await house.page(link, 403)
    assert ("Bilty", "first admin added", ASHA) in await audit(house)


async def test_of_many_that_start_at_once_one_tells_a_link(house: House) -> None:
    told = await asyncio.gather(*(first_link(house) for _ in range(8)))
    assert len([link for link in told if link]) == 1
    await later(house, "sign_in_links", "created_at", access.FIRST_LINK_AGAIN_AFTER)
    assert await first_link(house)


async def test_every_first_link_is_good_until_one_is_used(house: House) -> None:
    first = await first_link(house)
    await later(house, "sign_in_links", "created_at", access.FIRST_LINK_AGAIN_AFTER)
    second = await first_link(house)
    assert first
    assert second
    fields = [{"email": f"{name}@example.com", "password": GOOD, "again": GOOD} for name in ("asha", "bina")]
    answers = await asyncio.gather(house.send(first, fields[0]), house.send(second, fields[1]))
    assert sorted(answer.status_code for answer in answers) == [303, 403]
    assert await house.tools.pool.fetchval("SELECT count(*) FROM users") == 1
    assert await first_link(house) is None


async def test_the_first_admin_chooses_a_password(house: House) -> None:
    link = await first_link(house)
    assert link
    for fields in ({}, {"email": ASHA}):
        assert (await house.send(link, fields)).status_code == 422
    answer = await house.send(link, {"email": "asha", "password": GOOD, "again": GOOD})
    assert answer.status_code == 422
    assert "E-mail is &#34;asha&#34;: give one address, like asha@example.com." in answer.text
    assert await house.tools.pool.fetchval("SELECT count(*) FROM users") == 0
    await house.page(link)


# Links


async def test_a_link_offers_a_password_or_none(house: House) -> None:
    link = await house.sign_in_link()
    page = await house.page(link)
    assert 'autocomplete="username"' in page
    assert page.count('autocomplete="new-password"') == 2
    assert (await house.send(link)).status_code == 303
    assert await house.tools.pool.fetchval("SELECT password_hash FROM users") == ""
    assert (await tries_it(house, "")).status_code == 422


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("", "", "Password is missing"),
        ("short words", "short words", "The password has 11 characters: give at least 12."),
        ("x1" * 101, "x1" * 101, "The password has 202 characters: give at most 200."),
        ("Asha@Example.com", "Asha@Example.com", "The password is the e-mail address"),
        ("Password1234", "Password1234", "is among those that are tried first"),
        ("abababababab", "abababababab", "is among those that are tried first"),
        (GOOD, GOOD + "!", "The two passwords differ"),
    ],
)
async def test_a_password_that_will_not_do(house: House, password: str, again: str, sentence: str) -> None:
    link = await house.sign_in_link()
    answer = await house.send(link, {"password": password, "again": again})
    assert answer.status_code == 422
    assert sentence in answer.text
    if password:
        assert f'value="{password}"' not in answer.text
    assert (await house.send(link, {"password": GOOD, "again": GOOD})).status_code == 303


async def test_a_new_link_ends_the_one_before(house: House) -> None:
    first, second = await house.sign_in_link(), await house.sign_in_link()
    await house.page(first, 403)
    assert (await house.send(first)).status_code == 403
    assert (await house.send(second)).status_code == 303


async def test_a_link_pressed_twice_at_once_lets_in_once(house: House) -> None:
    link = await house.sign_in_link()
    answers = await asyncio.gather(*(house.send(link) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403]


async def test_an_old_link_is_used_up(house: House) -> None:
    link = await house.sign_in_link()
    await later(house, "sign_in_links", "expires_at", access.SIGN_IN_LINK_LIVES)
    await house.page(link, 403)
    assert (await house.send(link)).status_code == 403
    await house.page("/sign-in/" + "x" * 5000, 403)


# Passwords


async def test_signing_in_by_password(house: House) -> None:
    await chooses(house)
    assert 'autocomplete="current-password"' in await house.page("/sign-in")
    answer = await tries_it(house, GOOD, email=" Asha@Example.com ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/shipments")
    assert ASHA in await house.page("/shipments")
    assert (await house.browser.get("/sign-in")).headers["location"] == "/shipments"
    assert [line for line in await audit(house) if line[1] == "signed in"] == [(ASHA, "signed in", ASHA)] * 2


async def test_the_way_an_accent_is_typed_does_not_matter(house: House) -> None:
    await chooses(house, "caf\u00e9 caf\u00e9 caf\u00e9")
    assert (await tries_it(house, "cafe\u0301 cafe\u0301 cafe\u0301")).status_code == 303


async def test_nobody_learns_who_is_known_here(house: House) -> None:
    await chooses(house)
    await house.sign_in_link("bina@example.com")  # known, and without a password
    await chooses(house, email="chitra@example.com")
    await house.tools.pool.execute("UPDATE users SET disabled_at = now() WHERE email = 'chitra@example.com'")
    pages = set()
    for name in ("asha", "bina", "chitra", "nobody"):
        password = GOOD if name == "chitra" else "not the one at all"
        answer = await tries_it(house, password, f"{name}@example.com")
        assert answer.status_code == 422
        pages.add(answer.text.replace(name, "NAME"))
    assert len(pages) == 1
    assert WRONG in pages.pop()


async def test_a_stranger_costs_as_much_as_a_friend() -> None:
    """The same work is done where there is nothing to compare with."""
    kept = await passwords.hashed(GOOD)
    assert await passwords.check(kept, GOOD) == passwords.Checked(right=True)
    assert await passwords.check(kept, GOOD + "!") == passwords.Checked(right=False)
    assert await passwords.check("", "nobody's password") == passwords.Checked(right=False)
    assert await passwords.check("no hash", GOOD) == passwords.Checked(right=False)


async def test_a_hash_of_weaker_parameters_is_made_anew(house: House) -> None:
    await chooses(house)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    await house.tools.pool.execute("UPDATE users SET password_hash = $1", weak)
    assert (await tries_it(house, GOOD)).status_code == 303
    kept = await house.tools.pool.fetchval("SELECT password_hash FROM users")
    assert kept != weak
    assert not PasswordHasher().check_needs_rehash(kept)
    assert (await tries_it(house, GOOD)).status_code == 303


async def test_signing_in_gives_a_new_session_and_ends_the_old_one(house: House) -> None:
    await chooses(house)
    await tries_it(house, GOOD)
    before = house.browser.cookies["bilty"]
    await tries_it(house, GOOD)
    assert house.browser.cookies["bilty"] != before
    assert await house.tools.pool.fetchval("SELECT count(*) FROM sessions WHERE agent <> ''") == 2
    house.browser.cookies["bilty"] = before
    assert (await house.browser.get("/shipments")).headers["location"] == "/sign-in"


# Where one lands


@pytest.mark.parametrize("path", ["/shipments/7", "/jobs/1", "/shipments?find=so%201&tab=failed", "/settings/users"])
async def test_what_was_asked_for_is_reached_after_signing_in(house: House, path: str) -> None:
    await chooses(house)
    way = (await house.browser.get(path)).headers["location"]
    hidden = re.search(r'name="to" value="([^"]+)"', await house.page(way))
    assert hidden
    to = html.unescape(hidden[1])
    assert to == path
    wrong = await house.send("/sign-in", {"email": ASHA, "password": "not the one at all", "to": to})
    assert hidden[0] in wrong.text
    answer = await house.send("/sign-in", {"email": ASHA, "password": GOOD, "to": to})
    assert answer.headers["location"] == path
    assert (await house.browser.get(way)).headers["location"] == path
    house.browser.cookies.clear()
    link = await house.sign_in_link()
    assert hidden[0] in await house.page(link + way.removeprefix("/sign-in"))
    assert (await house.send(link, {"to": to})).headers["location"] == path


async def test_what_a_page_fetches_by_itself_is_no_place_to_land(house: House) -> None:
    for headers in ({"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "empty"}):
        answer = await house.browser.get("/shipments/7/label/1.png", headers=headers)
        assert answer.headers["location"] == "/sign-in"
    assert (await house.send("/shipments/7/print")).headers["location"] == "/sign-in"
    assert (await house.browser.get("/sign-in?to=//evil.example")).text.count("evil.example") == 0


# Too many tries


async def test_too_many_tries_for_an_address_are_told_with_the_time(house: House) -> None:
    await chooses(house)
    for email in (ASHA, "nobody@example.com"):
        await tried(house, HERE_MAX - 1, email)
        assert (await tries_it(house, "not the one at all", email)).status_code == 422
        answer = await tries_it(house, GOOD, email)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 15 * 60
        assert re.search(rf"Too many tries for {email} from your network: try again at [\w, ]*\d\d:\d\d\.", answer.text)
    assert (await tries_it(house, GOOD, "other@example.com")).status_code == 422, "others are not held up"
    await later(house, "sign_in_tries", "at", tries.WITHIN)
    assert (await tries_it(house, GOOD)).status_code == 303
    assert await house.tools.pool.fetchval("SELECT count(*) FROM sign_in_tries") == 0, "old tries are swept away"


async def test_a_link_lets_in_whoever_has_tried_too_often(house: House) -> None:
    await chooses(house)
    await tried(house, HERE_MAX)
    assert (await tries_it(house, GOOD)).status_code == 429
    assert (await house.send(await house.sign_in_link())).status_code == 303


async def test_tries_at_once_are_counted_like_any(house: House) -> None:
    now = await house.now()

    async def one() -> Try | TooMany:
        async with house.tools.pool.acquire() as connection, connection.transaction():
            return await tries.begin(connection, ASHA, "127.0.0.1", now)

    found = await asyncio.gather(*(one() for _ in range(HERE_MAX + 5)))
    assert sorted(each.of_email_here for each in found if isinstance(each, Try)) == [*range(1, HERE_MAX + 1)]
    refused = TooMany(Whose.EMAIL_HERE, until=now + tries.WITHIN)
    assert [each for each in found if isinstance(each, TooMany)] == [refused] * 5


async def test_a_stranger_shuts_out_only_himself(house: House) -> None:
    await chooses(house)
    await tried(house, 3 * MOST[Whose.EMAIL], peer="203.0.113.9")
    assert (await tries_it(house, GOOD)).status_code == 303


async def test_strangers_in_many_places_shut_an_address_until_a_link_is_used(house: House) -> None:
    await chooses(house)
    for n in range(MOST[Whose.EMAIL]):
        await tried(house, 1, peer=f"203.0.113.{n}")
    answer = await tries_it(house, GOOD)
    assert answer.status_code == 429
    assert f"Too many tries for {ASHA}: try again at" in answer.text
    assert (await tries_it(house, GOOD, "other@example.com")).status_code == 422


async def test_a_right_password_forgives_nobody_elsewhere(house: House) -> None:
    await chooses(house)
    await tried(house, HERE_MAX, peer="203.0.113.9")
    await tried(house, HERE_MAX - 1)
    assert (await tries_it(house, GOOD)).status_code == 303
    async with house.tools.pool.acquire() as connection, connection.transaction():
        now = await house.now()
        there = await tries.begin(connection, ASHA, "203.0.113.9", now)
        here = await tries.begin(connection, ASHA, "127.0.0.1", now)
    assert isinstance(there, TooMany)
    assert isinstance(here, Try)
    assert (here.of_email_here, here.of_email) == (1, HERE_MAX + 1)


async def test_a_right_password_clears_the_tries_before_it(house: House) -> None:
    await chooses(house)
    await tried(house, HERE_MAX - 1)
    assert (await tries_it(house, GOOD)).status_code == 303
    await tried(house, HERE_MAX - 1)
    assert (await tries_it(house, "not the one at all")).status_code == 422
    assert (await tries_it(house, "not the one at all")).status_code == 429


async def test_a_network_has_its_own_limit_whatever_a_header_says(house: House) -> None:
    now = await house.now()
    async with house.tools.pool.acquire() as connection, connection.transaction():
        for n in range(MOST[Whose.NETWORK]):
            await tries.begin(connection, f"{n}@example.com", "127.0.0.1", now)
    await chooses(house)
    answer = await tries_it(house, GOOD, **{"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"})
    assert answer.status_code == 429
    assert "Too many tries from your network" in answer.text


async def test_behind_a_proxy_of_ours_callers_are_told_apart(pool: Pool, dsn: str, tmp_path: Path) -> None:
    async with opened_house(pool, dsn, tmp_path, Settings(trusted_proxies="127.0.0.0/8")) as house:
        await chooses(house)
        await tried(house, HERE_MAX, peer="203.0.113.9")
        stranger = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        assert (await tries_it(house, GOOD, **stranger)).status_code == 429
        assert (await tries_it(house, GOOD, **{"X-Forwarded-For": "198.51.100.1"})).status_code == 303


OURS = Settings(trusted_proxies="10.0.0.5, 10.1.0.0/16,fd00::/8").proxies


@pytest.mark.parametrize(
    ("socket", "said", "found"),
    [
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.5", ("198.51.100.1", "203.0.113.9"), "203.0.113.9"),
        ("10.0.0.5", ("198.51.100.1", "203.0.113.9", "10.1.2.3"), "203.0.113.9"),
        ("::ffff:10.0.0.5", ("203.0.113.9",), "203.0.113.9"),
        ("fd00::1", (" 2001:db8::1 ",), "2001:db8::1"),
        ("10.0.0.5", ("",), "10.0.0.5"),
        ("10.0.0.5", ("203.0.113.9", "unknown"), "10.0.0.5"),
        ("10.0.0.5", ("10.1.0.9", "10.1.0.8"), "10.1.0.9"),
        ("10.0.0.6", ("203.0.113.9",), "10.0.0.6"),
        ("", ("203.0.113.9",), ""),
    ],
)
def test_a_caller_is_the_last_who_is_no_proxy_of_ours(socket: str, said: tuple[str, ...], found: str) -> None:
    assert caller(socket, said, OURS) == found


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_is_what_one_customer_has(peer: str, network: str) -> None:
    assert tries.network(peer) == network


async def test_tries_leave_few_lines_and_never_what_was_typed(house: House) -> None:
    await chooses(house)
    for _ in range(3):
        await tries_it(house, "not the one at all")
        await tries_it(house, GOOD, email="the-password-in-the-wrong@field")
    await tried(house, HERE_MAX - 4)
    for _ in range(3):
        await tries_it(house, "not the one at all")
    lines = [line for line in await audit(house) if line[0] == "Bilty"]
    assert lines == [("Bilty", "sign-in failed", ASHA), ("Bilty", "sign-in stopped", ASHA)]
    for table in ("audit", "sign_in_tries", "users", "sessions"):
        rows = await house.tools.pool.fetchval(f"SELECT string_agg(to_jsonb(t)::text, ' ') FROM {table} t")
        for secret in (GOOD, "not the one at all", "in-the-wrong@field"):
            assert secret not in (rows or "")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"X-Nothing": "said"}]
)
async def test_a_form_from_elsewhere_signs_nobody_in(house: House, headers: dict[str, str]) -> None:
    await chooses(house)
    answer = await house.browser.post("/sign-in", data={"email": ASHA, "password": GOOD}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 14; SM-S911B) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on Mac"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_in_a_few_words(agent: str, words: str) -> None:
    assert browser(agent) == words
