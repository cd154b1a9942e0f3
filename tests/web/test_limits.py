"""How often a key may ask: the bucket's arithmetic, and what a request too many is told before it is read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilty.settings import Settings
from bilty.store.access import Scope
from bilty.store.database import Pool
from bilty.web.limits import Limits, Rate
from web.house import House
from web.opening import opened_house

RATE = Rate(10)


def test_twice_a_seconds_worth_may_come_at_once_and_then_a_tenth_of_a_second_brings_one() -> None:
    limits = Limits(RATE)
    assert [limits.wait_s(b"oms", 100) for _ in range(20)] == [0] * 20
    assert limits.wait_s(b"oms", 100) == pytest.approx(0.1)
    assert limits.wait_s(b"oms", 100.06) == pytest.approx(0.04)
    assert limits.wait_s(b"oms", 100.11) == 0
    assert limits.wait_s(b"oms", 100.11) > 0
    assert limits.wait_s(b"another", 100.11) == 0


def test_a_bucket_that_is_left_alone_is_full_again_and_no_fuller() -> None:
    limits = Limits(RATE)
    assert [limits.wait_s(b"oms", 0) for _ in range(20)] == [0] * 20
    assert [limits.wait_s(b"oms", 1_000) for _ in range(20)] == [0] * 20
    assert limits.wait_s(b"oms", 1_000) > 0


def test_a_rate_of_less_than_one_lets_one_in() -> None:
    limits = Limits(Rate(0.01))
    assert limits.wait_s(b"oms", 0) == 0
    assert limits.wait_s(b"oms", 0) == pytest.approx(100)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_however_they_are_spread_no_more_come_in_than_the_rate_allows(pauses: list[float]) -> None:
    limits, now, let_in = Limits(RATE), 0.0, 0
    for pause in pauses:
        now += pause
        wait_s = limits.wait_s(b"oms", now)
        let_in += wait_s == 0
        assert let_in <= RATE.burst + now * RATE.per_second + 1e-6
        assert wait_s <= 1 / RATE.per_second


def test_whoever_waits_as_told_is_let_in() -> None:
    limits, now = Limits(RATE), 0.0
    for _ in range(200):
        now += limits.wait_s(b"oms", now) + 1e-9
    assert limits.wait_s(b"oms", now + 0.1) == 0


def test_only_those_who_asked_last_are_remembered() -> None:
    limits = Limits(Rate(0.01), buckets_max=3)
    assert [limits.wait_s(who, 0) for who in (b"a", b"b", b"c")] == [0, 0, 0]
    assert limits.wait_s(b"a", 0) > 0, "and has thereby asked again"
    assert limits.wait_s(b"d", 0) == 0
    assert limits.wait_s(b"a", 0) > 0
    assert limits.wait_s(b"b", 0) == 0, "forgotten: three others came since"


@pytest.fixture
async def slow(pool: Pool, dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """A house in which a key may ask once in a hundred seconds."""
    async with opened_house(pool, dsn, tmp_path, Settings(key_requests_per_second=0.01)) as house:
        yield house


async def test_one_too_many_is_told_how_long_to_wait_and_others_go_on(slow: House) -> None:
    assert (await slow.call("GET", "/key", scope=Scope.READ)).status_code == 200
    answer = await slow.call("GET", "/key", scope=Scope.READ)
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert 95 <= int(answer.headers["retry-after"]) <= 100
    problem = answer.json()
    assert problem["type"] == "urn:bilty:problem:too_many_requests"
    assert problem["title"] == "Too Many Requests"
    assert "more than 0.01 requests a second: wait " in problem["detail"]
    assert "/shipments/bulk" in problem["detail"]
    assert (await slow.call("GET", "/key", scope=Scope.ADMIN)).status_code == 200


async def test_a_key_that_is_not_known_is_counted_too(slow: House) -> None:
    stranger = {"Authorization": "Bearer bilty_nobody"}
    found = [(await slow.api.get("/api/v1/key", headers=stranger)).status_code for _ in range(3)]
    assert found == [401, 429, 429]


async def test_one_too_many_is_refused_before_its_body_is_read_or_the_database_asked(slow: House) -> None:
    key = await slow.key(Scope.ADMIN)
    await slow.call("GET", "/key")
    await slow.tools.pool.execute("DELETE FROM api_keys")  # whoever asked it would hear 401
    host, _, port = slow.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /api/v1/shipments HTTP/1.1\r\nHost: bilty\r\nContent-Length: 1000000\r\n"
    writer.write(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 429 ")
    writer.close()
