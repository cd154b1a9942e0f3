"""API keys: made in the panel with what they open and until when, shown once, and refused when it is over."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bilty.store import access, api_keys
from bilty.store.access import Role
from bilty.store.audit import COMMAND
from bilty.words import INDIA, day
from web.house import FACILITY, House, shipment

ADMIN = "asha@example.com"
PATH = "/settings/api-keys"


async def made(house: House, **fields: str | list[str]) -> str:
    answer = await house.send(PATH, {"name": "Uniware", "scope": "dispatch", **fields})
    assert answer.status_code == 201, answer.text
    [key] = re.findall(r"<code>(bilty_[\w-]{27})</code>", answer.text)
    return str(key)


async def asks(house: House, key: str, path: str = "/key") -> tuple[int, Any]:
    answer = await house.api.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


async def trail(house: House) -> list[tuple[str, str, str, Any, Any]]:
    """What was noted of keys."""
    rows = await house.tools.pool.fetch(
        "SELECT actor, action, subject, before, after FROM audit WHERE action LIKE 'API key %' ORDER BY id"
    )
    return [(row[0], row[1], row[2], json.loads(row[3] or "null"), json.loads(row[4] or "null")) for row in rows]


@pytest.fixture
async def desk(furnished: House) -> House:
    """An admin is signed in; there are two facilities."""
    assert (await furnished.call("PUT", "/facilities/PNQ-1", FACILITY)).status_code == 201
    await furnished.tools.pool.execute("DELETE FROM api_keys")
    furnished.keys.clear()
    await furnished.sign_in(role=Role.ADMIN)
    return furnished


async def test_a_key_is_shown_once_works_and_is_revoked(desk: House) -> None:
    await desk.page(PATH)
    key = await made(desk, scope="read")
    page = await desk.page(PATH)
    assert key not in page
    assert f"{key[: access.KEY_CHARS_SHOWN]}…" in page
    assert "all facilities" in page
    assert 'data-label="Last used">never<' in page
    assert 'data-label="Expires">never<' in page
    nothing_said = {"name": "Uniware", "scope": "read", "facilities": None, "expires_at": None}
    assert await asks(desk, key) == (200, nothing_said)
    assert 'data-label="Last used">never<' not in await desk.page(PATH)
    key_id = await desk.tools.pool.fetchval("SELECT id FROM api_keys")
    assert "Uniware is revoked" in await desk.told(await desk.send(f"{PATH}/{key_id}/revoke"))
    status, problem = await asks(desk, key)
    assert (status, problem["type"]) == (401, "urn:bilty:problem:unknown_key")
    assert problem["detail"] == (
        "This key is not known here, or was revoked. An admin makes another in Settings, API keys, or with "
        "`bilty key add NAME`."
    )
    assert "revoked already" in await desk.told(await desk.send(f"{PATH}/{key_id}/revoke"))
    told = {"scope": "read", "begins with": key[:10], "facilities": "all", "expires": "never"}
    assert await trail(desk) == [
        (ADMIN, "API key added", "Uniware", None, told),
        (ADMIN, "API key revoked", "Uniware", told, None),
    ]
    assert key not in await desk.tools.pool.fetchval("SELECT string_agg(a::text, ' ') FROM audit a")


async def test_a_key_of_some_facilities_with_a_last_day(desk: House) -> None:
    last = datetime.now(INDIA).date() + timedelta(days=30)
    key = await made(desk, works_for="some", facility=["PNQ-1"], expires=str(last))
    status, told = await asks(desk, key)
    assert (status, told["facilities"]) == (200, ["PNQ-1"])
    assert datetime.fromisoformat(told["expires_at"]) == api_keys.end_of(last)
    page = await desk.page(PATH)
    assert "PNQ-1" in page
    assert f'data-label="Expires">{day(last)}<' in page
    assert "(expired)" not in page
    [(_, _, _, _, after)] = await trail(desk)
    assert after == {"scope": "dispatch", "begins with": key[:10], "facilities": ["PNQ-1"], "expires": str(last)}


async def test_a_key_that_has_expired_is_told_so_and_marked(desk: House) -> None:
    key = await made(desk, expires=str(datetime.now(INDIA).date()))
    assert (await asks(desk, key))[0] == 200
    over = datetime(2026, 11, 1, tzinfo=INDIA)
    await desk.tools.pool.execute("UPDATE api_keys SET expires_at = $1, used_at = NULL", over)
    status, problem = await asks(desk, key)
    assert (status, problem["type"]) == (401, "urn:bilty:problem:expired_key")
    assert problem["detail"] == (
        "The key 'Uniware' was good until 31 Oct 2026, and has expired. An admin makes another in Settings, API keys, "
        "or with `bilty key add NAME`."
    )
    page = await desk.page(PATH)
    assert "Uniware (expired)" in page
    assert 'data-label="Expired">31 Oct 2026<' in page
    assert 'data-label="Last used">never<' in page, "being refused is no use"


async def test_when_a_key_was_used_last_is_noted_to_the_minute(desk: House) -> None:
    pool = desk.tools.pool
    key = await made(desk)

    async def used() -> datetime:
        await asks(desk, key)
        found: datetime = await pool.fetchval("SELECT used_at FROM api_keys")
        return found

    first = await used()
    assert await used() == first
    for ago, is_news in ((timedelta(seconds=30), False), (timedelta(seconds=90), True)):
        before = datetime.now(UTC) - ago
        await pool.execute("UPDATE api_keys SET used_at = $1", before)
        assert (await used() > before) == is_news


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Name is missing"),
        ({"name": "x" * 81}, "give 1 to 80 characters"),
        ({"scope": "root"}, "Scope is &#34;root&#34;: give read, dispatch or admin."),
        ({"name": "oms"}, "Name &#34;oms&#34; is another key&#39;s"),
        ({"works_for": "some"}, "No facility is chosen: tick those that the key is for, or choose all."),
        ({"works_for": "some", "facility": ["PNQ-1", "XYZ-9"]}, "Facility &#34;XYZ-9&#34; is not known"),
        ({"expires": "tomorrow"}, "Expires is &#34;tomorrow&#34;: give the last day on which the key is good, from "),
        ({"expires": "2026-11-01"}, "Expires is &#34;2026-11-01&#34;: give"),
        ({"expires": "2100-01-01"}, "to 2099-12-31, or leave it out."),
        ({"expires": "20990101"}, "Expires is &#34;20990101&#34;: give"),
    ],
)
async def test_a_key_that_cannot_be_made(desk: House, fields: dict[str, str | list[str]], sentence: str) -> None:
    await made(desk, name="oms", scope="admin")
    answer = await desk.send(PATH, {"name": "new", "scope": "read", **fields})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert await desk.tools.pool.fetchval("SELECT count(*) FROM api_keys") == 1
    assert len(await trail(desk)) == 1


async def test_what_was_typed_is_kept_when_a_key_cannot_be_made(desk: House) -> None:
    fields = {"name": "", "scope": "admin", "works_for": "some", "facility": "PNQ-1", "expires": "2030-01-01"}
    page = (await desk.send(PATH, fields)).text
    assert re.search(r'value="PNQ-1" checked', page)
    assert not re.search(r'value="BLR-1" checked', page)
    assert re.search(r'id="works-for-some"[^>]* checked', page)
    assert '<option value="admin" selected>' in page
    assert 'value="2030-01-01"' in page


@pytest.mark.parametrize(
    ("last", "until"),
    [
        (date(2027, 1, 31), datetime(2027, 1, 31, 18, 30, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 2, 29, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_last_day_is_indias_and_good_to_its_end(last: date, until: datetime) -> None:
    assert api_keys.end_of(last) == until
    assert api_keys.last_day(until) == last
    assert api_keys.last_day(until - timedelta(seconds=1)) == last


async def test_a_key_of_no_facility_sees_and_does_nothing(desk: House) -> None:
    """There is no way to make one but taking its facilities away by hand; it must not come to mean all."""
    key = await made(desk, scope="admin", works_for="some", facility=["PNQ-1"])
    await desk.tools.pool.execute("DELETE FROM key_facilities")
    assert (await asks(desk, key))[1]["facilities"] == []
    for path in ("/facilities", "/shipments"):
        assert (await asks(desk, key, path))[1] == {"items": [], "next": None}
    headers = {"Authorization": f"Bearer {key}"}
    for place in ("PNQ-1", "BLR-1", "XYZ-9"):
        answer = await desk.api.post("/api/v1/shipments", headers=headers, json=shipment(facility=place))
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            f"There is no facility '{place}' for this key: GET /api/v1/facilities lists those there are."
        )
        answer = await desk.api.put(f"/api/v1/facilities/{place}", headers=headers, json=FACILITY)
        assert answer.status_code == 403
        assert "is for no facility" in answer.json()["detail"]


async def test_two_who_take_one_name_at_once_get_one_key(desk: House) -> None:
    pool, wish = desk.tools.pool, api_keys.Wish("oms", "read")
    async with pool.acquire() as one, pool.acquire() as other:
        first = one.transaction()
        await first.start()
        key = await api_keys.add(one, COMMAND, wish, date(2026, 11, 23))
        assert isinstance(key, str)
        held = await other.fetchval("SELECT pg_try_advisory_xact_lock($1)", api_keys.NAMES_LOCK)
        await first.commit()
        async with other.transaction():
            refused = await api_keys.add(other, COMMAND, wish, date(2026, 11, 23))
    assert held is False
    assert isinstance(refused, list)
    assert [fault.field for fault in refused] == ["name"]
